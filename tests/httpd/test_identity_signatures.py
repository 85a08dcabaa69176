# SPDX-License-Identifier: Apache-2.0
"""Keys and signatures of clients and of their CAs beside mod_ssl: hashes, salts, keys for PSS alone."""
import subprocess

import pytest
from harness.config import Vhost
from harness.paths import passable
from harness.verdicts import verdict

PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt"]
# What the CA signs with: its key, and words for openssl x509.
SIGNED = {
    "ecdsa-sha224": ("p256", ["-sha224"]), "ecdsa-sha512": ("p256", ["-sha512"]), "p521-sha224": ("p521", ["-sha224"]),
    "pss-salt-20": ("rsa", [*PSS, "rsa_pss_saltlen:20"]), "pss-salt-max": ("rsa", [*PSS, "rsa_pss_saltlen:max"]),
    "pss-sha384": ("rsa", ["-sha384", *PSS, "rsa_pss_saltlen:48"]), "pss-key": ("pss", []),
    "rsa-sha1": ("rsa", ["-sha1"]), "ecdsa-sha1": ("p256", ["-sha1"]),
}
KEYS = {"rsa": ["RSA"], "pss": ["RSA-PSS"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "p521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "rsa1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"]}
# What clients prove possession of.
CLIENTS = ("pss", "rsa1024", "p521")


def openssl(*words, given=None):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, input=given).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Files of clients by what is odd of them, beside ca.pem."""
    home = passable(tmp_path_factory.mktemp("signatures"))
    for kind, words in KEYS.items():
        openssl("genpkey", "-algorithm", *words, "-out", home / f"{kind}.key")
        openssl("req", "-x509", "-new", "-key", home / f"{kind}.key", "-subj", f"/CN=CA {kind}", "-days", "90",
                "-out", home / f"{kind}.ca")
    (home / "ca.pem").write_bytes(b"".join(file.read_bytes() for file in sorted(home.glob("*.ca"))))

    def issue(name, key, ca, words):
        request = openssl("req", "-new", "-key", home / f"{key}.key", "-subj", f"/CN={name}")
        certificate = openssl("x509", "-req", "-CA", home / f"{ca}.ca", "-CAkey", home / f"{ca}.key", "-days", "30",
                              "-set_serial", "77", *words, given=request)
        file = home / f"{name}.pem"
        file.write_bytes(certificate + (home / f"{key}.key").read_bytes())
        return file

    files = {name: issue(name, "p256", ca, words) for name, (ca, words) in SIGNED.items()}
    return files | {f"client-{key}": issue(f"client-{key}", key, "p256", []) for key in CLIENTS}


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, made):
    directory = made["pss-key"].parent
    host = Vhost("a.test", [ca.issue("a.test")], extra=f"""
SSLVerifyClient require
SSLCACertificateFile {directory}/ca.pem
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\"""")
    return [shared_httpd([host], engine=engine, log_level="warn ssl:debug", allow=("TLS040", "AH0", "SSL Library"))
            for engine in ("mod_ssl", "mod_tls-ssl")]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", [*SIGNED, *(f"client-{key}" for key in CLIENTS)])
def test_keys_and_signatures_are_taken_as_by_mod_ssl(servers, made, name, version):
    if (name, version) == ("client-pss", "1.2"):
        pytest.skip("rustls names no such scheme in a request of TLS 1.2")
    theirs, ours = (verdict(server, "a.test", made[name], version) for server in servers)
    assert ours == theirs
