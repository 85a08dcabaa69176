"""A throw-away CA and server certificates for the arms of a measurement."""

import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

LIFETIME = datetime.timedelta(days=90)
LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Authority:
    """A CA, optionally below another one; its certificates go to one directory."""

    def __init__(self, directory: pathlib.Path, name: str = "bench CA", parent: "Authority | None" = None):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.parent = parent
        issuer = parent or self
        self.certificate = (
            self._builder(self.name, issuer.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(issuer.key, hashes.SHA256())
        )
        self.file = directory / (name.replace(" ", "-") + ".pem")
        self.file.write_bytes(self.pem())

    def pem(self) -> bytes:
        """This CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, stem: str, name: str, kind: str = "ecdsa") -> pathlib.Path:
        """Writes STEM.pem (leaf, intermediates, key) for the DNS name; returns its path."""
        if kind == "rsa":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            self._builder(_name(name), self.name, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), LOOPBACK]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        chain = leaf.public_bytes(serialization.Encoding.PEM)
        authority = self
        while authority.parent is not None:
            chain += authority.pem()
            authority = authority.parent
        path = self.directory / f"{stem}.pem"
        path.write_bytes(chain + _key_pem(key))
        return path

    @staticmethod
    def _builder(subject: x509.Name, issuer: x509.Name, key) -> x509.CertificateBuilder:
        now = datetime.datetime.utcnow()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + LIFETIME)
        )
