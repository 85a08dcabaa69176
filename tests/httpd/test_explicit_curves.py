# SPDX-License-Identifier: Apache-2.0
"""Keys of elliptic curves whose parameters are spelled out (RFC 3279; forbidden by RFC 5480): what this module and mod_ssl make of them."""
import subprocess

import pytest
from harness import tls
from harness.clients import s_client
from harness.config import Vhost
from harness.paths import passable
from harness.verdicts import verdict

CURVES = {"P-256": "prime256v1", "P-384": "secp384r1"}
SAID = ("TLS040[1-4]", "AH0", "SSL Library")


def openssl(*words, given=None):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, input=given).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """NAME.key and NAME.crt: `own` of a server, `client`, and `ca` with what it issued; all with explicit parameters but for what the
    CA issued."""
    home = passable(tmp_path_factory.mktemp("explicit"))
    for curve, name in CURVES.items():
        for who in ("own", "client", "ca"):
            key = openssl("ecparam", "-name", name, "-genkey", "-noout", "-param_enc", "explicit")
            (home / f"{who}-{curve}.key").write_bytes(openssl("pkcs8", "-topk8", "-nocrypt", given=key))
            (home / f"{who}-{curve}.key").chmod(0o600)
            openssl("req", "-x509", "-new", "-key", home / f"{who}-{curve}.key", "-subj", f"/CN={who} {curve}", "-addext",
                    "subjectAltName=DNS:a.test", "-days", "30", "-out", home / f"{who}-{curve}.crt")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", home / f"leaf-{curve}.key")
        request = openssl("req", "-new", "-key", home / f"leaf-{curve}.key", "-subj", "/CN=below")
        (home / f"leaf-{curve}.crt").write_bytes(openssl(
            "x509", "-req", "-CA", home / f"ca-{curve}.crt", "-CAkey", home / f"ca-{curve}.key", "-days", "30", given=request))
        for who in ("client", "leaf"):
            (home / f"{who}-{curve}.pem").write_bytes((home / f"{who}-{curve}.crt").read_bytes() + (home / f"{who}-{curve}.key").read_bytes())
    (home / "trusted.pem").write_bytes(b"".join(file.read_bytes() for file in sorted(home.glob("c*.crt"))))
    return home


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("engine", ["mod_ssl", "mod_tls-ssl"])
def test_own_key(httpd, made, engine, curve):
    """Both serve it, in both versions."""
    words = f"SSLCertificateFile {made}/own-{curve}.crt\nSSLCertificateKeyFile {made}/own-{curve}.key"
    server = httpd([Vhost("a.test", extra=words)], engine=engine, allow=SAID)
    for version in ("-tls1_2", "-tls1_3"):
        assert s_client(server.port, version, name="a.test").signature == "ECDSA", version


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, made):
    host = Vhost("a.test", [ca.issue("a.test")], extra=f"""
SSLVerifyClient require
SSLCACertificateFile {made}/trusted.pem
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\"""")
    return [shared_httpd([host], engine=engine, log_level="warn ssl:debug", allow=(*SAID, "TLS0502"))
            for engine in ("mod_ssl", "mod_tls-ssl")]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("curve", CURVES)
def test_a_ca_with_such_a_key_vouches_for_nobody(servers, made, curve, version):
    said = [verdict(server, "a.test", made / f"leaf-{curve}.pem", version) for server in servers]
    assert said == ["refused: Certificate public key has explicit ECC parameters",
                    "refused: certificate is signed by an algorithm that is not accepted"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("curve", CURVES)
def test_a_client_with_such_a_key(servers, made, curve, version):
    """mod_ssl lets it in where its certificate is itself the trusted one, and nowhere else; here the line says what is wrong."""
    theirs, ours = servers
    assert verdict(theirs, "a.test", made / f"client-{curve}.pem", version) == "SUCCESS"
    with pytest.raises((OSError, EOFError)):
        context = tls.context(version=version)
        context.load_cert_chain(made / f"client-{curve}.pem")
        with tls.connect(ours.port, "a.test", using=context) as connection:
            tls.get(connection, host="a.test")
    ours.log.expect("TLS040[24]: .*the key of the client's certificate is of a kind that cannot be used here.*by the curve's name")
