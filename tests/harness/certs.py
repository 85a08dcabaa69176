# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for tests: roots, intermediates, leaves, and the files that hold them."""
import datetime
import ipaddress
import itertools
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, ed448
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import keys

DAY = datetime.timedelta(days=1)
_key_index = itertools.count(1000)


def now() -> datetime.datetime:
    return datetime.datetime.utcnow().replace(microsecond=0)


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Pair:
    """A certificate with its key and the intermediates a server sends after it."""

    certificate: x509.Certificate
    key: object
    chain: list[x509.Certificate] = field(default_factory=list)

    def certificate_pem(self) -> bytes:
        return b"".join(certificate_pem(c) for c in [self.certificate, *self.chain])

    def key_pem(self, form: str = "pkcs8", passphrase: bytes | None = None) -> bytes:
        return keys.pem(self.key, form, passphrase)

    def combined_pem(self, form: str = "pkcs8") -> bytes:
        return self.certificate_pem() + self.key_pem(form)

    def write(self, directory: Path, stem: str) -> tuple[Path, Path]:
        """Writes STEM.crt and STEM.key (readable by root alone); returns both paths."""
        directory.mkdir(parents=True, exist_ok=True)
        crt, key = directory / f"{stem}.crt", directory / f"{stem}.key"
        crt.write_bytes(self.certificate_pem())
        key.write_bytes(self.key_pem())
        key.chmod(0o600)
        return crt, key


class Authority:
    """A CA. `issue` makes leaves, `intermediate` a CA below this one."""

    def __init__(self, name: str = "Test Root", kind: str = "p256", issuer: "Authority | None" = None, extensions=(),
                 key=None):
        self.name = common_name(name)
        self.key = key or (keys.key(kind, next(_key_index)) if not kind.startswith("rsa") else keys.key(kind, 900))
        self.issuer = issuer
        signer = issuer or self
        self.certificate = self._sign(
            self.name, self.key.public_key(), signer, now() - DAY, now() + 3650 * DAY,
            [(x509.BasicConstraints(True, None), True), (_usage(ca=True), True), *extensions])

    def intermediate(self, name: str, kind: str = "p256") -> "Authority":
        return Authority(name, kind, self)

    def issue(self, *names: str, kind: str = "p256", index: int | None = None, start=None, end=None,
              client: bool = False, subject: x509.Name | None = None, extensions=(), san: bool = True) -> Pair:
        """A leaf for DNS names and IP addresses; the first one is the common name, all stand in subjectAltName."""
        if index is None:
            index = 0 if kind.startswith("rsa") else next(_key_index)
        private_key = keys.key(kind, index)
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        wanted = [(x509.BasicConstraints(False, None), True), (_usage(ca=False), True),
                  (x509.ExtendedKeyUsage([purpose]), False)]
        if names and san and not client:
            wanted.append((x509.SubjectAlternativeName([general_name(n) for n in names]), False))
        certificate = self._sign(subject or common_name(names[0]), private_key.public_key(), self,
                                 start or now() - DAY, end or now() + 90 * DAY, [*wanted, *extensions])
        return Pair(certificate, private_key, self.chain())

    def chain(self) -> list[x509.Certificate]:
        """This authority and those above it, without the root."""
        return [self.certificate, *self.issuer.chain()] if self.issuer else []

    def pem(self) -> bytes:
        return certificate_pem(self.certificate)

    def pair(self) -> Pair:
        """Its own certificate as a server's, as `openssl req -x509` makes one."""
        return Pair(self.certificate, self.key)

    def _sign(self, subject, public_key, signer, start, end, extensions) -> x509.Certificate:
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer.name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False)
        own_hash = isinstance(signer.key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
        return builder.sign(signer.key, None if own_hash else hashes.SHA256())


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=not ca,
                         data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
                         encipher_only=False, decipher_only=False)
