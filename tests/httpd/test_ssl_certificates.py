# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys in SSL* words: what mod_ssl serves with the same files is what is served here, chain and all."""
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from harness import keys
from harness.certs import DAY, Authority, certificate_pem, common_name, now
from harness.clients import s_client
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")


def bare(name: str, kind: str = "p256", serial: int = 5, digest=hashes.SHA256(), extensions=()) -> tuple[bytes, bytes]:
    """A self-signed certificate of which everything may be odd, and its key."""
    key = keys.key(kind, 77)
    builder = (x509.CertificateBuilder().subject_name(common_name(name)).issuer_name(common_name(name))
               .public_key(key.public_key()).serial_number(serial).not_valid_before(now() - DAY).not_valid_after(now() + 90 * DAY))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return certificate_pem(builder.sign(key, digest)), keys.pem(key)


def version_1(name: str, home) -> tuple[bytes, bytes]:
    key = keys.pem(keys.key("rsa2048", 78))
    (home / "v1.key").write_bytes(key)
    made = subprocess.run(["openssl", "req", "-new", "-key", home / "v1.key", "-subj", f"/CN={name}"], capture_output=True, check=True)
    done = subprocess.run(["openssl", "x509", "-req", "-signkey", home / "v1.key", "-days", "30"], input=made.stdout,
                          capture_output=True, check=True)
    assert x509.load_pem_x509_certificate(done.stdout).version == x509.Version.v1
    return done.stdout, key


class Files:
    """Writes files of one server and gives the words that name them."""

    def __init__(self, server, ca):
        self.server, self.ca = server, ca
        self.upper = ca.intermediate("Upper")
        self.lower = self.upper.intermediate("Lower")

    def put(self, name: str, content: bytes) -> str:
        return str(self.server.put(f"certs/{name}", content, 0o600))

    def words(self, name: str, certificate: bytes, key: bytes | None, *more: str) -> str:
        lines = ["SSLEngine on", f"SSLCertificateFile {self.put(f'{name}.crt', certificate)}"]
        if key is not None:
            lines.append(f"SSLCertificateKeyFile {self.put(f'{name}.key', key)}")
        return "\n".join([*lines, *more])

    def leaf(self, name: str, kind: str = "p256", by=None):
        pair = (by or self.ca).issue(name, kind=kind)
        return certificate_pem(pair.certificate), pair.key_pem(), pair

    # -- each gives the words of the virtual host of its name -------------------------------------------------------
    def v1(self, n):
        return self.words(n, *version_1(n, self.server.home))

    def nosan(self, n):
        return self.words(n, *bare(n))

    def sha1(self, n):
        return self.words(n, *bare(n, "rsa2048", digest=hashes.SHA1()))

    def longserial(self, n):
        return self.words(n, *bare(n, serial=(1 << 159) - 1))

    def isca(self, n):
        return self.words(n, *bare(n, extensions=[(x509.BasicConstraints(True, None), True)]))

    def clientonly(self, n):
        return self.words(n, *bare(n, extensions=[(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")]), True)]))

    def keyfirst(self, n):
        certificate, key, _ = self.leaf(n, by=self.lower)
        return self.words(n, key + certificate + certificate_pem(self.lower.certificate), None)

    def inonefile(self, n):
        """Leaf and chain in SSLCertificateFile."""
        pair = self.lower.issue(n)
        return self.words(n, pair.certificate_pem(), pair.key_pem())

    def chainfile(self, n):
        certificate, key, pair = self.leaf(n, by=self.lower)
        chain = self.put(f"{n}.chain", b"".join(map(certificate_pem, pair.chain)))
        return self.words(n, certificate, key, f"SSLCertificateChainFile {chain}")

    def withroot(self, n):
        """A chain file that holds the root too."""
        certificate, key, pair = self.leaf(n, by=self.lower)
        chain = self.put(f"{n}.chain", b"".join(map(certificate_pem, [*pair.chain, self.ca.certificate])))
        return self.words(n, certificate, key, f"SSLCertificateChainFile {chain}")

    def fromca(self, n):
        """No chain named: the one that SSLCACertificateFile gives, in whatever order it holds it."""
        certificate, key, pair = self.leaf(n, by=self.lower)
        authorities = self.put(f"{n}.ca", b"".join(map(certificate_pem, reversed(pair.chain))) + Authority("Stranger").pem())
        return self.words(n, certificate, key, f"SSLCACertificateFile {authorities}", "SSLVerifyClient none")

    def both(self, n):
        """Part of the chain beside the leaf: OpenSSL then sends that part and asks no other file."""
        certificate, key, pair = self.leaf(n, by=self.lower)
        authorities = self.put(f"{n}.ca", certificate_pem(self.upper.certificate))
        return self.words(n, certificate + certificate_pem(self.lower.certificate), key, f"SSLCACertificateFile {authorities}")

    def pairs(self, n):
        first, second = self.leaf(n, "rsa2048"), self.leaf(n, "p256")
        return "\n".join([self.words(f"{n}-rsa", *first[:2]), self.words(f"{n}-ec", *second[:2])])

    def ecfirst(self, n):
        first, second = self.leaf(n, "p384"), self.leaf(n, "rsa3072")
        return "\n".join([self.words(f"{n}-ec", *first[:2]), self.words(f"{n}-rsa", *second[:2])])

    def inherits(self, n):
        """No certificate of its own: the one of the global scope."""
        return "SSLEngine on"

    def expired(self, n):
        pair = self.ca.issue(n, start=now() - 9 * DAY, end=now() - DAY)
        return self.words(n, pair.certificate_pem(), pair.key_pem())


NAMES = [name for name in vars(Files) if not name.startswith("_") and name not in ("put", "words", "leaf")]


@pytest.fixture(scope="module")
def servers(shared_httpd, ca):
    """Both modules with the same words and files."""
    made = {}
    files = None
    for engine in ENGINES:
        server = shared_httpd([], engine=engine, start=False, allow=("TLS0202|AH01906|AH01909|AH01916|AH01882|AH01873",))
        files = files or Files(server, ca)
        made[engine] = server
    hosts = [Vhost(f"{name}.test", tls=False, extra=getattr(files, name)(f"{name}.test")) for name in NAMES]
    certificate, key, _ = files.leaf("inherits.test", "p384")
    for server in made.values():
        server.write(hosts, config=f"SSLCertificateFile {files.put('global.pem', certificate + key)}")
        server.start()
    return made


def served(server, name: str, *options: str) -> list[bytes]:
    """The certificates of the handshake, leaf first."""
    got = s_client(server.port, "-showcerts", *options, name=f"{name}.test")
    assert got.done, got.text
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", got.text.partition("Server certificate")[0], re.S)
    return [block.encode() for block in blocks]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_certificates_are_served(servers, name):
    theirs, ours = (served(servers[engine], name) for engine in ENGINES)
    assert theirs and ours == theirs, f"{len(theirs)} certificates there, {len(ours)} here"


@pytest.mark.parametrize("name", ["pairs", "ecfirst"])
@pytest.mark.parametrize("hello", [("-tls1_2", "-cipher", "aRSA"), ("-tls1_2", "-cipher", "aECDSA"),
                                   ("-tls1_3", "-sigalgs", "RSA-PSS+SHA256")])
def test_the_same_one_of_several_is_served(servers, name, hello):
    theirs, ours = (served(servers[engine], name, *hello) for engine in ENGINES)
    assert ours == theirs


# What cannot be used must stop the start: a certificate file, a key file and what is said.
def mismatch(ca):
    return ca.issue("a.test").certificate_pem(), ca.issue("a.test").key_pem(), "does not fit the certificate in"


def small(ca):
    pair = ca.issue("a.test", kind="rsa1024")
    return pair.certificate_pem(), pair.key_pem(), "has 1024 bits, usable are 2048"


def curve448(ca):
    pair = ca.issue("a.test", kind="ed448")
    return pair.certificate_pem(), pair.key_pem(), "is of a kind that TLS cannot use here"


def garbage(ca):
    pair = ca.issue("a.test")
    return pair.certificate_pem().replace(b"MII", b"AII", 1), pair.key_pem(), "a.crt"


@pytest.mark.parametrize("spoil", [mismatch, small, curve448, garbage])
def test_what_cannot_be_used_is_refused_at_start(httpd, ca, spoil):
    server = httpd([], engine="mod_tls-ssl", start=False)
    certificate, key, said = spoil(ca)
    server.put("certs/a.crt", certificate, 0o600)
    server.put("certs/a.key", key, 0o600)
    server.write([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile certs/a.crt\nSSLCertificateKeyFile certs/a.key")])
    assert said in server.run("-t").stderr
    message = server.start_fails()
    assert said in message and f"{server.conf}:" in message and "virtual host a.test" in message


def test_pairs_in_crossed_order_are_put_right(httpd, ca):
    """mod_ssl wants the nth key for the nth certificate; here a key is taken for the certificate that it fits."""
    server = httpd([], engine="mod_tls-ssl", start=False)
    rsa, ec = ca.issue("a.test", kind="rsa2048"), ca.issue("a.test")
    rsa.write(server.home / "certs", "rsa")
    ec.write(server.home / "certs", "ec")
    server.write([Vhost("a.test", tls=False, extra="""SSLEngine on
SSLCertificateFile certs/rsa.crt
SSLCertificateFile certs/ec.crt
SSLCertificateKeyFile certs/ec.key
SSLCertificateKeyFile certs/rsa.key""")])
    server.start()
    for cipher in ("aRSA", "aECDSA"):
        assert s_client(server.port, "-tls1_2", "-cipher", cipher, ca=ca.file).verified
