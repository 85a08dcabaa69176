# SPDX-License-Identifier: Apache-2.0
"""Own keys that are for RSASSA-PSS alone (RFC 4055): served to the clients that mod_ssl serves with the same files, shown
to backends, and refused where the certificate was issued for another use of the same numbers."""
import re
import subprocess

import pytest
from harness.clients import gnutls, s_client
from harness.config import Vhost
from harness.paths import passable
from harness.proxies import FAILURES, MODULES, PLAIN, get

LIMIT = ["-pkeyopt", "rsa_pss_keygen_md:{0}", "-pkeyopt", "rsa_pss_keygen_mgf1_md:{0}", "-pkeyopt", "rsa_pss_keygen_saltlen:{1}"]
# Hash and salt that the key allows.
KEYS = {"any": None, "sha256": ("sha256", 32), "sha384": ("sha384", 48), "sha512": ("sha512", 64), "short": ("sha256", 20)}
NAMES = {256: "rsa_pss_pss_sha256", 384: "rsa_pss_pss_sha384", 512: "rsa_pss_pss_sha512"}
CLIENTS = [("-tls1_3",), ("-tls1_2",), ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), ("-tls1_2", "-cipher", "aECDSA"),
           *((version, "-sigalgs", f"{name}:RSA-PSS+SHA256:RSA+SHA256") for version in ("-tls1_2", "-tls1_3")
             for name in NAMES.values()),
           ("-tls1_3", "-sigalgs", "RSA-PSS+SHA256"), ("-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
           ("-tls1_3", "-sigalgs", "rsa_pss_pss_sha512:rsa_pss_pss_sha384")]
SAID = ("TLS040[1-4]", "AH0", "SSL Library")


def openssl(*words, given=None):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, input=given).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """NAME.key and NAME.crt of each kind, `plain` with an ordinary RSA key, all of one CA in ca.pem."""
    home = passable(tmp_path_factory.mktemp("pss"))
    openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", home / "ca.key",
            "-subj", "/CN=CA of PSS", "-days", "90", "-out", home / "ca.pem")
    for name, limit in {**KEYS, "plain": None}.items():
        words = [word.format(*limit) for word in LIMIT] if limit else []
        openssl("genpkey", "-algorithm", "RSA" if name == "plain" else "RSA-PSS", *words, "-out", home / f"{name}.key")
        (home / f"{name}.key").chmod(0o600)
        request = openssl("req", "-new", "-key", home / f"{name}.key", "-subj", f"/CN={name}.test", "-addext",
                          f"subjectAltName=DNS:{name}.test,DNS:both.test")
        (home / f"{name}.crt").write_bytes(openssl(
            "x509", "-req", "-CA", home / "ca.pem", "-CAkey", home / "ca.key", "-days", "30", "-copy_extensions", "copy", given=request))
    return home


def host(made, name: str, *of: str, extra: str = "") -> Vhost:
    words = [f"SSLCertificateFile {made}/{each}.crt\nSSLCertificateKeyFile {made}/{each}.key" for each in of or (name,)]
    return Vhost(f"{name}.test", extra="\n".join([*words, extra]))


@pytest.fixture(scope="module", params=["agent", "off"])
def servers(request, shared_httpd, made):
    """mod_ssl, and this module with its key agent or without one."""
    hosts = [*(host(made, name) for name in KEYS), host(made, "both", "plain", "any")]
    isolation = "TLSKeyIsolation off" if request.param == "off" else ""
    return [shared_httpd(hosts, engine="mod_ssl", allow=SAID),
            shared_httpd(hosts, engine="mod_tls-ssl", config=isolation, allow=SAID)]


@pytest.mark.parametrize("name", KEYS)
def test_served_to_the_clients_of_mod_ssl(servers, made, name):
    different = []
    for hello in CLIENTS:
        theirs, ours = (s_client(server.port, *hello, name=f"{name}.test", ca=made / "ca.pem") for server in servers)
        # Which of several hashes is taken, each server decides by its own order.
        if (theirs.done, theirs.signature, theirs.verified) != (ours.done, ours.signature, ours.verified):
            different.append(f"{' '.join(hello)}: {theirs.signature or 'refused'} there, {ours.signature or 'refused'} here")
    assert not different, "\n" + "\n".join(different)
    assert s_client(servers[1].port, "-tls1_2", name=f"{name}.test").signature == "RSA-PSS"


def test_the_client_chooses_beside_an_ordinary_key(servers, made):
    """Who does not offer it gets the other certificate, in both versions."""
    for hello, subject in ((("-tls1_3",), "any.test"), (("-tls1_2",), "any.test"),
                           (("-tls1_3", "-sigalgs", "RSA-PSS+SHA256"), "plain.test"),
                           (("-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"), "plain.test")):
        got = s_client(servers[1].port, *hello, name="both.test", ca=made / "ca.pem")
        assert (got.subject, got.verified) == (subject, True), hello


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", KEYS)
def test_gnutls(servers, made, name, version):
    """GnuTLS takes the shortest salt of a key for the only one, and mod_ssl's signatures for wrong then, too."""
    got = [gnutls(server.port, name=f"{name}.test", ca=made / "ca.pem", priority=f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
           for server in servers]
    said = [(one.stdout + one.stderr).decode(errors="replace") for one in got]
    assert (got[0].returncode == 0) == (got[1].returncode == 0), said
    assert name == "short" or (got[1].returncode == 0 and "RSA-PSS" in said[1]), said[1]


def test_a_list_of_algorithms_names_them(httpd, made):
    listed = "SSLOpenSSLConfCmd SignatureAlgorithms {}"
    server = httpd([host(made, "any", extra=listed.format("rsa_pss_pss_sha384"))], engine="mod_tls-ssl", allow=SAID)
    for version in ("-tls1_2", "-tls1_3"):
        assert s_client(server.port, version, name="any.test").signature == "RSA-PSS"
        assert not s_client(server.port, version, "-sigalgs", "rsa_pss_pss_sha256:RSA-PSS+SHA256", name="any.test").done
    other = httpd([host(made, "any", extra=listed.format("rsa_pss_rsae_sha256"))], engine="mod_tls-ssl", start=False)
    assert "its key (RSASSA-PSS-2048) signs with none of the algorithms" in other.start_fails()


@pytest.mark.parametrize("certificate,key,said", [
    ("any", "plain", "{made}/any-as-plain.key holds an RSA key for all uses, and the certificate in {made}/any.crt was issued for "
                     "one for RSASSA-PSS alone"),
    ("plain", "any", "{made}/plain-as-pss.key holds an RSA key for RSASSA-PSS alone, and the certificate in {made}/plain.crt was "
                     "issued for one for all uses")])
def test_the_same_numbers_for_another_use(httpd, made, certificate, key, said):
    """mod_ssl refuses both. The remedy: a certificate for the key as it is."""
    numbers = made / ("any-as-plain.key" if key == "plain" else "plain-as-pss.key")
    der = openssl("pkcs8", "-topk8", "-nocrypt", "-in", made / f"{certificate}.key", "-outform", "DER")
    long, short = bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d01010a")
    before, after = (short, long) if key == "plain" else (long, short)
    assert before in der
    body = der[4:].replace(before, after, 1)
    numbers.write_bytes(b"\x30\x82" + len(body).to_bytes(2, "big") + body)
    numbers.chmod(0o600)
    openssl("pkey", "-inform", "DER", "-in", numbers, "-out", f"{numbers}.pem")
    numbers.write_bytes((made / f"{numbers}.pem").read_bytes())
    words = f"SSLCertificateFile {made}/{certificate}.crt\nSSLCertificateKeyFile {numbers}"
    failed = httpd([Vhost("a.test", extra=words)], engine="mod_tls-ssl", start=False).start_fails()
    assert said.format(made=made) in failed
    assert "AH02565" in httpd([Vhost("a.test", extra=words)], engine="mod_ssl", start=False).start_fails()
    request = re.search(r"openssl req -new -key \S+ -out FILE\.csr", failed)[0].replace("FILE", str(made / "new"))
    openssl(*request.split()[1:], "-subj", "/CN=a.test", "-addext", "subjectAltName=DNS:a.test")
    (made / "new.crt").write_bytes(openssl("x509", "-req", "-in", made / "new.csr", "-CA", made / "ca.pem", "-CAkey", made / "ca.key",
                                           "-copy_extensions", "copy"))
    server = httpd([Vhost("a.test", extra=words.replace(f"{certificate}.crt", "new.crt"))], engine="mod_tls-ssl")
    assert s_client(server.port, name="a.test", ca=made / "ca.pem").verified


def test_limits_that_no_signature_of_tls_is_within(httpd, made):
    key, certificate = made / "sha1.key", made / "sha1.crt"
    openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_pss_keygen_md:sha1", "-out", key)
    key.chmod(0o600)
    certificate.write_bytes((made / "any.crt").read_bytes())
    words = f"SSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}"
    failed = httpd([Vhost("a.test", extra=words)], engine="mod_tls-ssl", start=False).start_fails()
    assert "RSASSA-PSS with a hash or a salt that no signature of TLS has" in failed


@pytest.mark.parametrize("name", ["any", "sha384"])
@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
def test_shown_to_backends(shared_httpd, made, name, version):
    """Backends of mod_ssl, one of them with such a key too. In TLS 1.2 rustls reads no name of it in what they ask for, and shows none."""
    own = "any" if version == "TLSv1.3" else "plain"
    asks = (f"SSLVerifyClient optional\nSSLCACertificateFile {made}/ca.pem\nSSLProtocol {version}\n"
            "Header always set X-Client \"%{SSL_CLIENT_S_DN_CN}s\"")
    backend = shared_httpd([host(made, own, extra=asks)], engine="mod_ssl", allow=SAID)
    machine = made / f"{name}.pem"
    machine.write_bytes((made / f"{name}.crt").read_bytes() + (made / f"{name}.key").read_bytes())
    machine.chmod(0o600)
    front = shared_httpd([], config=f"""TLSProxyEngine on
TLSProxyCA {made}/ca.pem
TLSProxyMachineCertificate {machine}
ProxyPreserveHost on
ProxyPass / https://127.0.0.1:{backend.port}/""", modules=MODULES, allow=FAILURES, **PLAIN)
    answer = get(front, "/", "-H", f"Host: {own}.test")
    assert (answer.status, answer.headers.get("x-client")) == (200, f"{name}.test" if version == "TLSv1.3" else "(null)")


def test_a_backend_with_such_a_key_alone_needs_tls13(shared_httpd, made):
    backend = shared_httpd([host(made, "any", extra="SSLProtocol TLSv1.2")], engine="mod_ssl", allow=SAID)
    front = shared_httpd([], config=f"""TLSProxyEngine on
TLSProxyCA {made}/ca.pem
ProxyPreserveHost on
ProxyPass / https://127.0.0.1:{backend.port}/""", modules=MODULES, allow=FAILURES, **PLAIN)
    assert get(front, "/", "-H", "Host: any.test").status >= 500
    front.log.expect("TLS0704: .*its key is for RSASSA-PSS alone, which is had in TLS 1.3 alone")
