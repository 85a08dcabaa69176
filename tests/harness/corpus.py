# SPDX-License-Identifier: Apache-2.0
"""At least 150 client certificates of every shape, by one CA: what the variables of mod_ssl and ours are compared on."""
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from . import der

C, ST, L, O, OU, CN = "2.5.4.6", "2.5.4.8", "2.5.4.7", "2.5.4.10", "2.5.4.11", "2.5.4.3"
TITLE, INITIALS, GIVEN, SURNAME, DESCRIPTION = "2.5.4.12", "2.5.4.43", "2.5.4.42", "2.5.4.4", "2.5.4.13"
SERIAL, UID, EMAIL, DC = "2.5.4.5", "0.9.2342.19200300.100.1.1", "1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25"
UNKNOWN = "1.3.6.1.4.1.55555.1.2"
SAN, UPN, SRV = "2.5.29.17", "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.5.5.7.8.7"
SIGNATURES = {"sha256": (hashes.SHA256, 11, 2), "sha384": (hashes.SHA384, 12, 3), "sha512": (hashes.SHA512, 13, 4),
              "sha1": (hashes.SHA1, 5, None)}
NULL = b"\x05\x00"


@dataclass
class Entry:
    """A certificate with the key that proves it."""

    name: str
    der: bytes
    key: object


def cn(text: str, tag: int = 0x0C) -> bytes:
    return der.name([(C, der.printable("DE"))], [(O, der.utf8("Corpus"))], [(CN, der.tlv(tag, text.encode("latin-1")))])


def spki(key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def algorithm(key, digest: str) -> bytes:
    _, rsa_arc, ecdsa_arc = SIGNATURES[digest]
    if isinstance(key, rsa.RSAPrivateKey):
        return der.sequence(der.oid(f"1.2.840.113549.1.1.{rsa_arc}"), NULL)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der.sequence(der.oid("1.2.840.10045.4.1" if ecdsa_arc is None else f"1.2.840.10045.4.3.{ecdsa_arc}"))
    return der.sequence(der.oid("1.3.101.112"))


def sign(key, digest: str, body: bytes) -> bytes:
    hashing = SIGNATURES[digest][0]()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(body, padding.PKCS1v15(), hashing)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(hashing))
    return key.sign(body)


def certificate(subject: bytes, key, issuer_key, *, issuer: bytes, serial: bytes = der.integer(4711), version: int = 3,
                start: bytes = der.utc_time("240101000000Z"), end: bytes = der.utc_time("491231235959Z"),
                extensions: tuple[bytes, ...] = (), digest: str = "sha256") -> bytes:
    signing = algorithm(issuer_key, digest)
    versioned = der.tlv(0xA0, der.integer(version - 1)) if version > 1 else b""
    listed = der.tlv(0xA3, der.sequence(*extensions)) if extensions and version == 3 else b""
    body = der.sequence(versioned, serial, signing, issuer, der.sequence(start, end), subject, spki(key), listed)
    return der.sequence(body, signing, der.bits(sign(issuer_key, digest, body)))


def san(*names: bytes) -> bytes:
    return der.extension(SAN, der.sequence(*names))


def email(text: str | bytes) -> bytes:
    return der.tlv(0x81, text.encode() if isinstance(text, str) else text)


def dns(text: str | bytes) -> bytes:
    return der.tlv(0x82, text.encode() if isinstance(text, str) else text)


def other(kind: str, value: bytes) -> bytes:
    return der.tlv(0xA0, der.oid(kind), der.tlv(0xA0, value))


class Corpus:
    """Makes the certificates; `ca` is the DER of the CA's certificate."""

    def __init__(self):
        self.ca_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.issuer = cn("Corpus CA")
        basic = der.extension("2.5.29.19", der.sequence(b"\x01\x01\xff"), critical=True)
        self.ca = certificate(self.issuer, self.ca_key, self.ca_key, issuer=self.issuer, extensions=(basic,))
        self.entries: list[Entry] = []
        self.subjects()
        self.serials_and_times()
        self.alternative_names()
        self.keys_and_versions()
        self.other_extensions()
        assert len(self.entries) >= 150, len(self.entries)

    def add(self, name: str, subject: bytes | None = None, *, key=None, **options) -> None:
        made = key or self.key
        content = certificate(subject or cn(name), made, options.pop("issuer_key", self.ca_key),
                              issuer=options.pop("issuer", self.issuer), **options)
        self.entries.append(Entry(name, content, made))

    def subject(self, name: str, *rdns: list[tuple[str, bytes]]) -> None:
        self.add(name, der.name(*rdns))

    def subjects(self) -> None:
        self.subject("empty-subject")
        for number, text in enumerate([" lead", "trail ", " both ", "#hash", "#", " ", "  ", "", "a,b", "a+b", 'a"b', "a\\b",
                                       "a<b>c", "a;b", "a=b", "a/b", "a\nb", "a\rb", "a\tb", "\x1b[31mred", "\x7f", "a\0b",
                                       "x" * 64, "x" * 300, "%41", "{}", "a'b", "*.example.com", "a:b", "~|^`"]):
            self.subject(f"special-{number}", [(C, der.printable("DE"))], [(CN, der.utf8(text))])
        strings = {
            "utf8": der.utf8("Jürgen Groß €"), "utf8-emoji": der.utf8("😀"), "utf8-bad": der.utf8(b"a\xffb"),
            "utf8-overlong": der.utf8(b"\xc0\xaf"), "utf8-cut": der.utf8(b"a\xe2\x82"), "utf8-high-control": der.utf8("\x85"),
            "printable-bad": der.printable(b"a@\xe4"), "ia5": der.ia5("a@b"), "ia5-high": der.ia5(b"\xe4\xf6"),
            "t61": der.tlv(0x14, b"M\xfcller"), "numeric": der.tlv(0x12, b"12345"), "visible": der.tlv(0x1A, b"vis\x1bible"),
            "bmp": der.tlv(0x1E, "Grüße €".encode("utf-16-be")), "bmp-surrogate": der.tlv(0x1E, "😀".encode("utf-16-be")),
            "bmp-odd": der.tlv(0x1E, b"odd"), "bmp-control": der.tlv(0x1E, b"\0\x07\0a"), "bmp-empty": der.tlv(0x1E, b""),
            "universal": der.tlv(0x1C, "Gr😀".encode("utf-32-be")), "universal-odd": der.tlv(0x1C, b"abcde"),
            "universal-large": der.tlv(0x1C, b"\x00\x1f\xff\xff"), "general": der.tlv(0x1B, b"gen\xe4ral"),
            "general-4": der.tlv(0x1B, b"\0\0\0a\0\0\0b"), "bit-string": der.bits(b"\xa5\x80", 7),
            "utc-time": der.utc_time("250101000000Z"), "sequence": der.sequence(der.utf8("in")),
            "boolean": b"\x01\x01\xff", "integer": der.integer(5), "graphic": der.tlv(0x19, b"gr"),
        }
        for kind, value in strings.items():
            self.subject(f"string-{kind}", [(O, der.utf8("Corpus"))], [(CN, value)], [(OU, value)])
            self.subject(f"unknown-{kind}", [(UNKNOWN, value)])
        for number, text in enumerate(["#x", " x ", "a,b", "a\\b", "a\nb", "\xe4 \xf6", 'a"b', "a+b;c"]):
            for kind, value in {"ia5": der.ia5(text.encode("latin-1")), "t61": der.tlv(0x14, text.encode("latin-1")),
                                "bmp": der.tlv(0x1E, text.encode("utf-16-be")),
                                "universal": der.tlv(0x1C, text.encode("utf-32-be"))}.items():
                self.subject(f"{kind}-special-{number}", [(CN, value)], [(OU, der.utf8("u")), (O, value)])
        every = [C, ST, L, O, OU, CN, TITLE, INITIALS, GIVEN, SURNAME, DESCRIPTION, SERIAL, UID, EMAIL, DC]
        self.subject("all-attributes", *[[(kind, der.utf8(f"v{i}"))] for i, kind in enumerate(every)])
        self.subject("one-rdn", [(kind, der.utf8(f"v{i}")) for i, kind in enumerate(every)])
        self.subject("twenty-units", *[[(OU, der.utf8(f"unit {i}"))] for i in range(20)])
        self.subject("two-of-each", *[[(kind, der.utf8(t))] for t in "ab" for kind in every])
        self.subject("multi-valued", [(C, der.printable("DE"))], [(OU, der.utf8("a")), (CN, der.utf8("b"))],
                     [(O, der.utf8("c")), (UID, der.utf8("d,e"))])
        self.subject("empty-rdn", [], [(CN, der.utf8("after empty"))])
        self.subject("unknown-between", [(CN, der.utf8("a"))], [(UNKNOWN, der.utf8("b"))], [(CN, der.utf8("c"))])
        self.subject("long-oid", [("1.3.6.1.4.1." + ".".join(str(2**31 + i) for i in range(12)), der.utf8("v"))])
        self.subject("joint-oid", [("2.999.1", der.utf8("v"))])
        for kind in ("2.5.4.9", "2.5.4.15", "2.5.4.17", "2.5.4.20", "2.5.4.44", "2.5.4.46", "2.5.4.65", "2.5.4.97",
                     "1.3.6.1.4.1.311.60.2.1.3", "1.2.840.113549.1.9.2", "1.2.643.3.131.1.1", "1.2.840.113549.1.1.1",
                     "0.9.2342.19200300.100.1.3"):
            self.subject(f"type-{kind}", [(kind, der.utf8("12345"))], [(CN, der.utf8("t"))])

    def serials_and_times(self) -> None:
        for label, serial in {"zero": b"\x02\x01\x00", "one": b"\x02\x01\x01", "high": b"\x02\x02\x00\xff",
                              "negative": b"\x02\x01\x80", "negative-long": b"\x02\x03\xff\x00\x01",
                              "twenty": der.integer(2**158 + 5), "thirty-six": der.tlv(0x02, b"\x11" * 36),
                              "hundred": der.tlv(0x02, b"\x7f" * 100)}.items():
            self.add(f"serial-{label}", serial=serial)
        for label, end in {"far": der.generalized_time("99991231235959Z"), "leap": der.generalized_time("20480229120000Z"),
                           "utc-49": der.utc_time("491231235959Z"), "tomorrow-ish": der.utc_time("400630000000Z")}.items():
            self.add(f"end-{label}", end=end)
        for label, start in {"utc-50": der.utc_time("500101000000Z"), "utc-99": der.utc_time("991231235959Z"),
                             "generalized": der.generalized_time("19700101000000Z"),
                             "single-digit": der.utc_time("050203040506Z")}.items():
            self.add(f"start-{label}", start=start)

    def alternative_names(self) -> None:
        self.add("san-mail", extensions=(san(email("a@b.test"), email("c@d.test")),))
        self.add("san-dns", extensions=(san(dns("a.test"), dns("*.b.test"), dns("c.test")),))
        self.add("san-mixed", extensions=(san(dns("a.test"), email("m@a.test"), other(UPN, der.utf8("user@corp")),
                                              dns("b.test"), other(SRV, der.ia5("_xmpp.a.test")), email("n@a.test")),))
        self.add("san-upn-twice", extensions=(san(other(UPN, der.utf8("ü@corp")), other(UPN, der.utf8("b@corp"))),))
        self.add("san-upn-type", extensions=(san(other(UPN, der.ia5("ia5@corp")), other(UPN, der.utf8("utf8@corp"))),))
        self.add("san-srv", extensions=(san(other(SRV, der.ia5("_imap.b.test"))),))
        self.add("san-uri-ip-rid", extensions=(san(der.tlv(0x86, b"https://x/"), der.tlv(0x87, b"\x7f\0\0\1"),
                                                   der.tlv(0x87, bytes(range(16))), der.tlv(0x88, b"\x2a\x03\x04"),
                                                   der.tlv(0xA4, cn("dir"))),))
        self.add("san-control", extensions=(san(dns(b"a\0b"), email(b"a\r\nb"), dns(b"\x1b[0m"), dns(b"\xe4")),))
        self.add("san-empty-names", extensions=(san(dns(""), email("")),))
        self.add("san-empty", extensions=(san(),))
        self.add("san-twice", extensions=(san(dns("a.test")), san(dns("b.test"))))
        self.add("san-broken", extensions=(der.extension(SAN, b"\x30\x03\x82\x05a"),))
        self.add("san-critical", extensions=(der.extension(SAN, der.sequence(dns("c.test")), critical=True),))
        self.add("san-unknown-other", extensions=(san(other(UNKNOWN, der.utf8("x"))),))
        self.add("san-many", extensions=(san(*[dns(f"n{i}.test") for i in range(30)]),))

    def keys_and_versions(self) -> None:
        self.add("version-1", version=1)
        self.add("version-2", version=2)
        self.add("rsa-2048", key=rsa.generate_private_key(65537, 2048))
        self.add("rsa-3072", key=rsa.generate_private_key(65537, 3072))
        self.add("p-384", key=ec.generate_private_key(ec.SECP384R1()))
        self.add("p-521", key=ec.generate_private_key(ec.SECP521R1()))
        self.add("ed25519", key=ed25519.Ed25519PrivateKey.generate())
        for digest in ("sha384", "sha512"):
            self.add(f"by-{digest}", digest=digest)
        signer = rsa.generate_private_key(65537, 2048)
        for digest in ("sha256", "sha384", "sha512", "sha1"):
            self.add(f"self-rsa-{digest}", cn("self"), key=signer, issuer=cn("self"), issuer_key=signer, digest=digest)
        self.add("self-signed", cn("self"), issuer=cn("self"), issuer_key=self.key)
        self.add("self-ed25519", cn("ed"), issuer=cn("ed"), key=(key := ed25519.Ed25519PrivateKey.generate()), issuer_key=key)
        self.add("stranger", issuer=cn("Nobody"), issuer_key=signer)
        self.add("odd-issuer", issuer=der.name([(CN, der.utf8('q"u\\o,te'))], [(OU, der.tlv(0x1E, b"\0A"))]),
                 issuer_key=signer)

    def other_extensions(self) -> None:
        usages = der.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.2"), der.oid("1.3.6.1.5.5.7.3.4"),
                                                         der.oid(UNKNOWN)))
        self.add("extended-usage", extensions=(usages,))
        self.add("key-usage", extensions=(der.extension("2.5.29.15", der.bits(b"\xe0", 5), critical=True),))
        self.add("no-ca", extensions=(der.extension("2.5.29.19", der.sequence(), critical=True),))
        self.add("identifiers", extensions=(der.extension("2.5.29.14", der.octets(bytes(range(20)))),
                                            der.extension("2.5.29.35", der.sequence(der.tlv(0x80, bytes(range(20)))))))
        self.add("unknown-utf8", extensions=(der.extension(UNKNOWN, der.utf8("some text")),))
        self.add("unknown-ia5", extensions=(der.extension(UNKNOWN, der.ia5("some\x1btext")),))
        self.add("unknown-twice", extensions=(der.extension(UNKNOWN, der.utf8("one")), der.extension(UNKNOWN, der.utf8("two"))))
        self.add("netscape", extensions=(der.extension("2.16.840.1.113730.1.1", der.bits(b"\xa0", 5)),
                                         der.extension("2.16.840.1.113730.1.13", der.ia5("a comment"))))
