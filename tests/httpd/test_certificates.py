# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys in all kinds and file forms, and which of several a client gets."""
import pytest
from harness import keys
from harness.certs import Authority
from harness.clients import curl, s_client
from harness.config import Vhost

KINDS = ["rsa2048", "rsa3072", "rsa4096", "rsa8192", "p256", "p384", "p521", "ed25519"]
TEXT = b"Certificate:\n    Data: read me\n        Version: 3 (0x2)\n\n"
EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
DH_PARAMETERS = (b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n")


@pytest.fixture(scope="module")
def kinds(shared_httpd, ca):
    return shared_httpd([Vhost(f"{kind}.test", [ca.issue(f"{kind}.test", kind=kind)]) for kind in KINDS])


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_keys(kinds, ca, kind, version):
    got = s_client(kinds.port, version, name=f"{kind}.test", ca=ca.file)
    assert (got.done, got.verified, got.subject) == (True, True, f"{kind}.test")
    assert curl(kinds.port, name=f"{kind}.test", ca=ca.file).body == f"{kind}.test\n".encode()


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


# Form -> (certificate file, key file or None) from a pair; `kind` is the key's.
FORMS = {
    "pkcs8": ("p256", lambda p: (p.certificate_pem(), p.key_pem())),
    "pkcs1": ("rsa2048", lambda p: (p.certificate_pem(), p.key_pem("traditional"))),
    "sec1": ("p384", lambda p: (p.certificate_pem(), p.key_pem("traditional"))),
    "key-last": ("p256", lambda p: (p.certificate_pem() + p.key_pem(), None)),
    "key-first": ("p256", lambda p: (p.key_pem() + p.certificate_pem(), None)),
    "key-first-pkcs1": ("rsa2048", lambda p: (p.key_pem("traditional") + p.certificate_pem(), None)),
    "key-between": ("p256", lambda p: (first(p) + p.key_pem() + rest(p), None)),
    "crlf": ("p256", lambda p: (crlf(p.certificate_pem()), crlf(p.key_pem()))),
    "crlf-combined": ("rsa2048", lambda p: (crlf(p.combined_pem("traditional")), None)),
    "text-around": ("p256", lambda p: (TEXT + p.certificate_pem() + TEXT, TEXT + p.key_pem() + b"\ntrailing words\n")),
    "ec-parameters": ("p256", lambda p: (p.certificate_pem(), EC_PARAMETERS + p.key_pem("traditional"))),
    "ec-parameters-between": ("p256", lambda p: (p.certificate_pem() + EC_PARAMETERS + p.key_pem("traditional"), None)),
    "dh-parameters": ("rsa2048", lambda p: (p.certificate_pem() + DH_PARAMETERS, p.key_pem())),
    "no-newline-at-end": ("p256", lambda p: (p.certificate_pem().rstrip(), p.key_pem().rstrip())),
}


def first(pair) -> bytes:
    return pair.certificate_pem().partition(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n"


def rest(pair) -> bytes:
    return pair.certificate_pem().partition(b"-----END CERTIFICATE-----\n")[2]


@pytest.fixture(scope="module")
def forms(shared_httpd, ca):
    below = ca.intermediate("Test Intermediate")
    server = shared_httpd([], start=False)
    vhosts = []
    for form, (kind, split) in FORMS.items():
        certificate, key = split(below.issue(f"{form}.test", kind=kind))
        server.put(f"certs/{form}.crt", certificate, 0o600)
        words = f'TLSCertificate "@HOME@/certs/{form}.crt"'
        if key is not None:
            server.put(f"certs/{form}.key", key, 0o600)
            words += f' "@HOME@/certs/{form}.key"'
        vhosts.append(Vhost(f"{form}.test", extra=words))
    server.write(vhosts)
    return server.start()


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_files(forms, ca, form):
    answer = curl(forms.port, name=f"{form}.test", ca=ca.file)
    assert (answer.exit, answer.body) == (0, f"{form}.test\n".encode()), answer.stderr


def test_files_are_found_below_the_server_root(httpd, ca):
    server = httpd([], start=False)
    ca.issue("a.test").write(server.home / "certs", "a")
    server.write([Vhost("a.test", extra="TLSCertificate certs/a.crt certs/a.key")])
    assert curl(server.start().port, ca=ca.file).status == 200


def test_a_long_chain_is_sent_whole_and_in_order(httpd, ca):
    authority = ca
    for depth in range(4):
        authority = authority.intermediate(f"Intermediate {depth}")
    server = httpd([Vhost("a.test", [authority.issue("a.test")])])
    got = s_client(server.port, "-showcerts", ca=ca.file)
    assert got.verified and got.text.count("BEGIN CERTIFICATE") == 5


# Which of the pairs of a virtual host a client gets, by its signature algorithms (and suites in TLS 1.2).
# The first pair whose key fits; ECDSA before RSA whatever the order in the file.
ECDSA_FIRST = "ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256:RSA+SHA256"
HELLOS = [
    ("many.test", ["-tls1_3", "-sigalgs", ECDSA_FIRST], "p256"),
    ("many.test", ["-tls1_3", "-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA256"], "p256"),
    ("many.test", ["-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA-PSS+SHA512"], "rsa2048"),
    ("many.test", ["-tls1_3", "-sigalgs", "ECDSA+SHA384:RSA-PSS+SHA256"], "p384"),
    ("many.test", ["-tls1_3", "-sigalgs", "ed25519:RSA-PSS+SHA256"], "ed25519"),
    ("many.test", ["-tls1_3", "-sigalgs", "ed25519"], "ed25519"),
    ("many.test", ["-tls1_2", "-sigalgs", ECDSA_FIRST], "p256"),
    ("many.test", ["-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA384"], "rsa2048"),
    ("many.test", ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "rsa2048"),
    ("many.test", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "p256"),
    ("many.test", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-sigalgs", "ed25519:RSA+SHA256"], "ed25519"),
    ("many.test", ["-tls1_2", "-sigalgs", "RSA-PSS+SHA256"], "rsa2048"),
    ("rsafirst.test", ["-tls1_3"], "p256"), ("rsafirst.test", ["-tls1_2"], "p256"),
    ("rsafirst.test", ["-tls1_3", "-sigalgs", "RSA-PSS+SHA384"], "rsa2048"),
    ("rsaonly.test", ["-tls1_3", "-sigalgs", ECDSA_FIRST], "rsa2048"),
    ("p521.test", ["-tls1_3", "-sigalgs", "ECDSA+SHA256:ECDSA+SHA512"], "p521"),
    ("rsaonly.test", ["-tls1_3", "-sigalgs", "ECDSA+SHA256"], None),
    ("p521.test", ["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], None),
    ("rsaonly.test", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], None),
]


@pytest.fixture(scope="module")
def several(shared_httpd, ca):
    def host(name, *kinds):
        return Vhost(name, [ca.issue(f"{kind}.{name}", name, kind=kind) for kind in kinds])

    return shared_httpd([host("many.test", "rsa2048", "p256", "p384", "ed25519"), host("rsafirst.test", "rsa2048", "p256"),
                         host("rsaonly.test", "rsa2048"), host("p521.test", "p521")])


@pytest.mark.parametrize("name,hello,kind", HELLOS)
def test_the_pair_fits_the_client(several, ca, name, hello, kind):
    got = s_client(several.port, *hello, name=name, ca=ca.file)
    if kind is None:
        several.log.allow("TLS04")
        assert not got.done and "alert" in got.text
    else:
        assert (got.subject, got.verified) == (f"{kind}.{name}", True)


def test_an_rsa_authority_signs_an_ecdsa_leaf(httpd, tmp_path):
    authority = Authority("RSA Root", kind="rsa2048")
    trust = tmp_path / "ca.pem"
    trust.write_bytes(authority.pem())
    server = httpd([Vhost("a.test", [authority.issue("a.test", kind="p256")])])
    assert curl(server.port, ca=trust).status == 200


def test_keys_are_readable_by_root_alone(kinds):
    assert all(path.stat().st_mode & 0o077 == 0 for path in (kinds.home / "certs").glob("*.key"))
    assert keys.key("rsa2048")
