# SPDX-License-Identifier: Apache-2.0
"""Files that configurations of the wild name: certificates, authorities, revocation lists, passwords, pages.

    pair CERTIFICATE KEY NAME,NAME [kind=rsa2048] [form=chain|leaf|combined] [phrase=TEXT] [dh] [issuer=root|intermediate]
    file PATH KIND       client-ca, other-ca, both-cas, client-intermediate, client-crl, client-machine (certificate
                         and key), server-chain, server-root, server-bundle, dh, ticket-key, passwords
    file PATH/ KIND      the same as a directory with OpenSSL's hash names
    file PATH script TEXT    a program that prints TEXT
    file PATH page TEXT      a document
"""
import functools
import subprocess
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from .certs import Authority, Pair, now
from .clientauth import revocation_list

# crypt(3) of "password", which is what FakeBasicAuth stands for
PASSWORD = "xxj31ZMTZzkVA"


def name(common: str, **more: str) -> x509.Name:
    attributes = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Example, Inc."),
                  (NameOID.ORGANIZATIONAL_UNIT_NAME, more.get("unit", "Staff")), (NameOID.COMMON_NAME, common),
                  (NameOID.EMAIL_ADDRESS, f"{common}@example.test")]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


class Materials:
    """Authorities and clients, made once; `place` writes what one configuration names."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.root = Authority("Wild Root")
        self.intermediate = self.root.intermediate("Wild Intermediate")
        self.client_ca, self.other_ca = Authority("Client CA"), Authority("Other CA")
        below = self.client_ca.intermediate("Client Intermediate")
        self.client_intermediate = below
        end = now() + timedelta(days=90, hours=12)  # whole days are left whenever within the test somebody asks
        issued = {
            "good": self.client_ca.issue("good", client=True, subject=name("good"), end=end),
            "admin": self.client_ca.issue("admin", client=True, subject=name("admin", unit="Administrators"), end=end),
            "revoked": self.client_ca.issue("revoked", client=True, subject=name("revoked"), end=end),
            "deep": below.issue("deep", client=True, subject=name("deep"), end=end),
            "stranger": self.other_ca.issue("stranger", client=True, subject=name("stranger"), end=end),
            "expired": self.client_ca.issue("expired", client=True, subject=name("expired"), start=now() - timedelta(days=9),
                                            end=now() - timedelta(days=1)),
        }
        self.clients = {}
        for who, pair in issued.items():
            crt, key = pair.write(directory, who)
            both = directory / f"{who}.pem"
            both.write_bytes(crt.read_bytes() + key.read_bytes())
            self.clients[who] = both
        self.subjects = {who: pair.certificate for who, pair in issued.items()}
        self.trusted = directory / "root.pem"
        self.trusted.write_bytes(self.root.pem())
        self._pairs: dict[tuple, Pair] = {}

    def place_pair(self, root: Path, words: list[str]) -> None:
        certificate, key, names, *options = words
        given = {name: value for name, _, value in (option.partition("=") for option in options)}
        kind, form = given.get("kind", "p256"), given.get("form", "chain")
        issuer = self.root if given.get("issuer") == "root" else self.intermediate
        wanted = (names, kind, issuer.name)
        if wanted not in self._pairs:
            self._pairs[wanted] = issuer.issue(*names.split(","), kind=kind)
        pair = self._pairs[wanted]
        phrase = given["phrase"].encode() if "phrase" in given else None
        leaf = Pair(pair.certificate, pair.key).certificate_pem()
        private = pair.key_pem("traditional" if "phrase" in given else "pkcs8", phrase)
        text = {"chain": pair.certificate_pem(), "leaf": leaf, "combined": private + pair.certificate_pem()}[form]
        if "dh" in given:
            text += dh_parameters()
        self._write(root, certificate, text, 0o600)
        if form != "combined":
            self._write(root, key, private, 0o600)

    def place_file(self, root: Path, words: list[str]) -> None:
        path, kind, *text = words
        if kind == "script":
            self._write(root, path, f"#!/bin/sh\necho {' '.join(text)}\n".encode(), 0o755)
        elif kind == "page":
            self._write(root, path, " ".join(text).encode() + b"\n", 0o644)
        elif path.endswith("/"):
            self._write(root, f"{path}{kind}.pem", self._octets(kind), 0o644)
            subprocess.run(["openssl", "rehash", root / path.lstrip("/")], check=True, capture_output=True)
        else:
            self._write(root, path, self._octets(kind), 0o600 if kind == "ticket-key" else 0o644)

    def _octets(self, kind: str) -> bytes:
        if kind == "passwords":
            users = ["good", "expired"]
            forms = [self.subjects[who].subject for who in users]
            return "".join(f"{slashes(form)}:{PASSWORD}\n" for form in forms).encode()
        made = {
            "client-ca": self.client_ca.pem(), "other-ca": self.other_ca.pem(),
            "both-cas": self.client_ca.pem() + self.other_ca.pem(),
            "client-intermediate": self.client_intermediate.pem(), "server-chain": self.intermediate.pem(),
            "server-root": self.root.pem(), "server-bundle": self.intermediate.pem() + self.root.pem(),
            "dh": dh_parameters(), "ticket-key": bytes(range(48)),
            "client-machine": self.clients["good"].read_bytes(),
            "client-crl": revocation_list(self.client_ca, self.subjects["revoked"]),
        }
        return made[kind]

    @staticmethod
    def _write(root: Path, path: str, octets: bytes, mode: int) -> None:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(octets)
        target.chmod(mode)


@functools.cache
def dh_parameters() -> bytes:
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def slashes(subject: x509.Name) -> str:
    short = {NameOID.COUNTRY_NAME: "C", NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
             NameOID.COMMON_NAME: "CN", NameOID.EMAIL_ADDRESS: "emailAddress"}
    return "".join(f"/{short[part.oid]}={part.value}" for part in subject)
