# SPDX-License-Identifier: Apache-2.0
"""Client certificates, good and bad, with the certificates that clients send behind them."""
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from . import keys
from .certs import DAY, Authority, certificate_pem, common_name, now

CLIENT, SERVER = [ExtendedKeyUsageOID.CLIENT_AUTH], [ExtendedKeyUsageOID.SERVER_AUTH]


@dataclass
class Chain:
    """What a client presents: PEM of its certificate and of those behind it, and its key."""

    certificates: list[bytes]
    key: object = field(repr=False)

    def write(self, directory: Path, name: str) -> Path:
        file = directory / f"{name}.pem"
        file.write_bytes(b"".join(self.certificates) + keys.pem(self.key))
        return file


def make(subject: str, key, issuer: Authority | None, *, start: timedelta = -DAY, end: timedelta = 90 * DAY,
         purposes=CLIENT, authority: bool | None = False, path_length: int | None = None, extensions=(),
         digest=hashes.SHA256()) -> x509.Certificate:
    """A certificate of `issuer`, or a self-signed one; no basic constraints where `authority` is None."""
    signer, name = (issuer.key, issuer.name) if issuer else (key, common_name(subject))
    builder = (x509.CertificateBuilder().subject_name(common_name(subject)).issuer_name(name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now() + start).not_valid_after(now() + end))
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, digest)


def below(issuer: Authority, name: str, **options) -> Authority:
    """A CA of `issuer`'s with a certificate of its own making, for paths that are not as they should be."""
    made = Authority(name, "p256", issuer)
    made.certificate = make(name, made.key, issuer, authority=options.pop("authority", True), purposes=(), **options)
    return made


def damaged(certificate: x509.Certificate) -> bytes:
    """The same with another signature."""
    der = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return certificate_pem(x509.load_der_x509_certificate(bytes(der)))


class Chains:
    """Everything that a client may come with; `file` is what the server trusts."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.root, self.other = Authority("Client Root"), Authority("Other Root")
        self.middle = self.root.intermediate("Client Intermediate")
        self.lower = self.middle.intermediate("Lower Intermediate")
        self.all: dict[str, Chain] = {}
        self.trusted = [self.root.pem()]
        self.good()
        self.times()
        self.strangers()
        self.own_anchors()
        self.purposes()
        self.constraints()
        self.file = directory / "trusted.pem"
        self.file.write_bytes(b"".join(self.trusted))

    def add(self, name: str, certificate: x509.Certificate | bytes, key, *behind: x509.Certificate) -> None:
        first = certificate if isinstance(certificate, bytes) else certificate_pem(certificate)
        self.all[name] = Chain([first, *map(certificate_pem, behind)], key)

    def leaf(self, name: str, issuer: Authority | None, *behind: x509.Certificate, kind: str = "p256", **options) -> None:
        key = keys.key(kind, len(self.all) if not kind.startswith("rsa") else 0)
        self.add(name, make(name, key, issuer, **options), key, *behind)

    def good(self) -> None:
        self.leaf("good", self.root)
        self.leaf("good-with-root", self.root, self.root.certificate)
        self.leaf("one-below", self.middle, self.middle.certificate)
        self.leaf("one-below-with-root", self.middle, self.middle.certificate, self.root.certificate)
        self.leaf("two-below", self.lower, self.lower.certificate, self.middle.certificate)
        self.leaf("two-below-wrong-order", self.lower, self.middle.certificate, self.lower.certificate)
        self.leaf("useless-extra", self.root, self.other.certificate)
        self.leaf("link-missing", self.middle)
        self.leaf("upper-link-missing", self.lower, self.lower.certificate)
        self.leaf("rsa", self.root, kind="rsa2048")
        self.leaf("ed25519", self.root, kind="ed25519")

    def times(self) -> None:
        self.leaf("expired", self.root, start=-9 * DAY, end=-DAY)
        self.leaf("not-yet", self.root, start=DAY, end=9 * DAY)
        old = below(self.root, "Old Intermediate", start=-9 * DAY, end=-DAY)
        self.leaf("below-expired", old, old.certificate)
        self.leaf("expired-below", self.middle, self.middle.certificate, start=-9 * DAY, end=-DAY)

    def strangers(self) -> None:
        link = self.other.intermediate("Other Intermediate")
        self.leaf("stranger", self.other)
        self.leaf("stranger-with-root", self.other, self.other.certificate)
        self.leaf("stranger-with-link", link, link.certificate)
        self.leaf("stranger-with-all", link, link.certificate, self.other.certificate)
        self.leaf("stranger-expired", self.other, start=-9 * DAY, end=-DAY)
        self.leaf("stranger-server", self.other, purposes=SERVER)
        old = below(self.other, "Other Old Intermediate", start=-9 * DAY, end=-DAY)
        self.leaf("stranger-below-expired", old, old.certificate)
        leaf = below(self.other, "Other Leaf", authority=False)
        self.leaf("stranger-below-leaf", leaf, leaf.certificate)
        self.leaf("self-signed", None)
        self.leaf("self-signed-ca", None, authority=True, purposes=())
        self.leaf("self-signed-plain", None, authority=None, purposes=())
        self.leaf("self-signed-expired", None, start=-9 * DAY, end=-DAY)
        self.leaf("self-signed-not-yet", None, start=DAY, end=9 * DAY)
        self.leaf("self-signed-server", None, purposes=SERVER)
        # Signed by a stranger who calls himself as our CA does.
        impostor = Authority("Client Root")
        self.leaf("impostor", impostor)
        self.leaf("impostor-with-root", impostor, impostor.certificate)

    def own_anchors(self) -> None:
        for name, options in {"own": {}, "own-ca": {"authority": True, "purposes": ()},
                              "own-plain": {"authority": None, "purposes": ()}, "own-server": {"purposes": SERVER},
                              "own-expired": {"start": -9 * DAY, "end": -DAY}}.items():
            self.leaf(name, None, **options)
            self.trusted.append(self.all[name].certificates[0])
        # A certificate that is listed for itself makes no CA of its owner.
        for name in ("own", "own-plain", "own-ca"):
            owner = Authority(name)
            owner.key, owner.name = self.all[name].key, common_name(name)
            self.leaf(f"below-{name}", owner)
        # Says the same of itself as one that is listed, but is another.
        self.all["own-lookalike"] = Chain([certificate_pem(make("own", key := keys.key("p256", 7777), None))], key)

    def purposes(self) -> None:
        self.leaf("server-purpose", self.root, purposes=SERVER)
        self.leaf("both-purposes", self.root, purposes=CLIENT + SERVER)
        self.leaf("any-purpose", self.root, purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
        self.leaf("no-purpose", self.root, purposes=())
        usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
        self.leaf("encipherment-only", self.root, extensions=[(usage, True)])
        limited = below(self.root, "Server Intermediate", extensions=[(x509.ExtendedKeyUsage(SERVER), False)])
        self.leaf("below-server-purpose", limited, limited.certificate)

    def constraints(self) -> None:
        self.add("ca-as-client", self.middle.certificate, self.middle.key)
        unsigning = x509.KeyUsage(True, False, False, False, False, False, True, False, False)
        mute = below(self.root, "Mute Intermediate", extensions=[(unsigning, True)])
        self.leaf("below-no-cert-sign", mute, mute.certificate)
        leaf = below(self.root, "Not A Ca", authority=False)
        self.leaf("below-leaf", leaf, leaf.certificate)
        short = below(self.root, "Short Intermediate", path_length=0)
        beneath = below(short, "Beneath Short")
        self.leaf("path-too-long", beneath, beneath.certificate, short.certificate)
        named = below(self.root, "Named Intermediate", extensions=[
            (x509.NameConstraints([x509.DNSName("in.test")], None), True)])
        alternative = lambda name: [(x509.SubjectAlternativeName([x509.DNSName(name)]), False)]  # noqa: E731
        self.leaf("name-within", named, named.certificate, extensions=alternative("a.in.test"))
        self.leaf("name-outside", named, named.certificate, extensions=alternative("a.out.test"))
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.9"), b"\x05\0")
        self.leaf("critical-unknown", self.root, extensions=[(unknown, True)])
        self.leaf("unknown", self.root, extensions=[(unknown, False)])
        key = keys.key("p256", 8888)
        self.add("damaged", damaged(make("damaged", key, self.root)), key)
        self.leaf("sha1", self.root, digest=hashes.SHA1())
        self.leaf("rsa-1024", self.root, kind="rsa1024")
