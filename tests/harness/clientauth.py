# SPDX-License-Identifier: Apache-2.0
"""Client certificates for tests: authorities, clients and the words of each engine."""
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from .certs import Authority, Pair, now

ENGINES = ("mod_tls", "mod_tls-ssl")
MODES = {"mod_tls": {"none": "none", "optional": "optional", "require": "required", "optional_no_ca": "any"}}


def verify(engine: str, mode: str) -> str:
    """The line that asks for a client certificate."""
    if engine == "mod_tls":
        return f"TLSClientCertificate {MODES['mod_tls'][mode]}"
    return f"SSLVerifyClient {mode}"


def authority(engine: str, file: str) -> str:
    return f"TLSClientCA {file}" if engine == "mod_tls" else f"SSLCACertificateFile {file}"


def options(engine: str, *words: str) -> str:
    return f"{'TLS' if engine == 'mod_tls' else 'SSL'}Options {' '.join(words)}"


class Clients:
    """Two CAs, and clients of theirs in files that curl takes."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.ca, self.other = Authority("Client CA"), Authority("Other CA")
        self.good = self.write("good", self.ca.issue("good", client=True))
        self.stranger = self.write("stranger", self.other.issue("stranger", client=True))
        self.expired = self.write("expired", self.ca.issue("expired", client=True, start=now() - timedelta(days=9),
                                                           end=now() - timedelta(days=1)))

    def write(self, name: str, pair: Pair) -> tuple[str, ...]:
        """Options of curl that present this certificate."""
        crt, key = pair.write(self.directory, name)
        return "--cert", str(crt), "--key", str(key)

    def pem(self, authority_: Authority, name: str) -> Path:
        file = self.directory / f"{name}.pem"
        file.write_bytes(authority_.pem())
        return file


def revocation_list(issuer: Authority, *revoked: x509.Certificate, days: int = 30) -> bytes:
    """A CRL in PEM; negative `days` make it expired."""
    start = now() - timedelta(days=60)
    builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer.name).last_update(start)
               .next_update(now() + timedelta(days=days)))
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(start).build())
    builder = builder.add_extension(x509.CRLNumber(1), False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
