# SPDX-License-Identifier: Apache-2.0
"""NIST's PKITS (tests/data/README.md) said as client certificates: virtual hosts, and what clients send."""
import base64
import json
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .config import Vhost
from .paths import ROOT

DATA = ROOT / "tests" / "data" / "pkits"
EXPIRES = datetime(2030, 12, 1, tzinfo=timezone.utc)  # a little before the suite's certificates do


@dataclass(frozen=True)
class Test:
    """One test of the suite: what a client sends, the lists of its virtual host, and NIST's verdict."""

    __test__ = False  # nothing for pytest to collect
    number: str
    leaf: str
    chain: tuple[str, ...]
    crls: tuple[str, ...]
    valid: bool

    @property
    def host(self) -> str:
        return f"{self.number.replace('.', '-')}.pkits.test"

    def client_file(self, directory: Path) -> Path:
        """Key, certificate and chain of the client, in one file."""
        file = directory / f"{self.number}.pem"
        file.write_bytes(private_key(self.leaf) + b"".join(map(certificate, (self.leaf, *self.chain))))
        return file

    def vhost(self, pair, directory: Path) -> Vhost:
        """A host that asks for certificates below the suite's trust anchor, with the lists of this test."""
        return Vhost(self.host, [pair], extra=f"SSLVerifyClient require\n{self.words('SSL', directory)}")

    def section(self, number: int, port: int, directory: Path) -> str:
        """The same for a backend: /NUMBER/ of a front leads there."""
        url = f"https://127.0.0.1:{port}/{number}/"
        return (f'ProxyPass "/{number}/" "{url}" retry=0 disablereuse=on\n<Proxy "{url}">\nSSLProxyVerify require\n'
                f"SSLProxyCheckPeerName off\n{self.words('SSLProxy', directory)}\n</Proxy>")

    def words(self, prefix: str, directory: Path) -> str:
        lists = directory / f"{self.number}.crl"
        lists.write_bytes(b"".join(map(revocation_list, self.crls)))
        return f"""{prefix}VerifyDepth 20
{prefix}CACertificateFile {directory}/anchor.pem
{prefix}CARevocationFile {lists}
{prefix}CARevocationCheck chain"""


def tests() -> list[Test]:
    rows = json.loads((DATA / "tests.json").read_text())
    return [Test(row["test"], row["leaf"], tuple(row["chain"]), tuple(row["crls"]), row["valid"]) for row in rows]


def private_key(leaf: str) -> bytes:
    """By the openssl program: Python's cryptography spends a second for ten of them."""
    command = ["openssl", "pkcs12", "-in", DATA / "pkcs12" / f"{leaf}.p12", "-passin", "pass:password", "-nodes", "-nocerts"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def anchor() -> bytes:
    return certificate("TrustAnchorRootCertificate")


def certificate(name: str) -> bytes:
    return pem("CERTIFICATE", (DATA / "certs" / f"{name}.crt").read_bytes())


def revocation_list(name: str) -> bytes:
    return pem("X509 CRL", (DATA / "crls" / f"{name}.crl").read_bytes())


def pem(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(der) + f"-----END {label}-----\n".encode()
