# SPDX-License-Identifier: Apache-2.0
"""Hundreds of small worlds, made by hand and each odd in one way: names and how they are written, several lists of one CA, lists of a part of its
certificates, constraints on names, a CA with two keys, paths that cross. Each says whom a server trusts, what it knows of revocation and what a
client sends."""
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from . import der

CN, O, EMAIL = "2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1"
ECDSA_SHA256, YES = der.sequence(der.oid("1.2.840.10045.4.3.2")), b"\x01\x01\xff"
OLD, NEW, FUTURE, ENDED, END = "240101000000Z", "250601000000Z", "400101000000Z", "240301000000Z", "491231235959Z"
SERIAL, OTHER = 42, 9


@dataclass(frozen=True)
class Case:
    name: str
    sent: list[bytes]
    trusted: list[bytes]
    lists: list[bytes] | None = None
    words: str = "SSLVerifyDepth 10"
    check: str = "chain"


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """Always the same."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"), ec.SECP256R1())


def spki(of: str) -> bytes:
    point = key(of).public_key().public_numbers()
    curve = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return der.sequence(curve, der.bits(b"\4" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")))


def signed(body: bytes, by: str) -> bytes:
    return der.sequence(body, ECDSA_SHA256, der.bits(key(by).sign(body, ec.ECDSA(hashes.SHA256()))))


def named(*texts: str, string=der.utf8) -> bytes:
    return der.name([(O, string("Variations"))], *([(CN, string(text))] for text in texts))


def identifier(of: str) -> bytes:
    return hashlib.sha1(spki(of)).digest()


def authority_key(of: str) -> bytes:
    return der.extension("2.5.29.35", der.sequence(der.tlv(0x80, identifier(of))))


def alternatives(*names: bytes) -> bytes:
    return der.extension("2.5.29.17", der.sequence(*names))


def general(tag: int, text) -> bytes:
    return der.tlv(tag, text.encode() if isinstance(text, str) else bytes(text))


def constraints(permitted=(), excluded=()) -> bytes:
    def trees(bases):
        return b"".join(der.sequence(base) for base in bases)
    parts = [der.tlv(0xA0 + place, trees(bases)) for place, bases in enumerate((permitted, excluded)) if bases]
    return der.extension("2.5.29.30", der.sequence(*parts), True)


def certificate(subject, own, issuer, by, *extensions, serial=7, start=OLD, end=END, version=2) -> bytes:
    return signed(der.sequence(
        der.tlv(0xA0, der.integer(version)) if version else b"", der.integer(serial), ECDSA_SHA256, issuer,
        der.sequence(der.utc_time(start), der.utc_time(end)), subject, spki(own),
        der.tlv(0xA3, der.sequence(*extensions)) if extensions else b""), by)


ROOT, CA, CLIENT = named("Root"), named("CA"), named("client")
KEY_USAGE = der.extension("2.5.29.15", der.bits(b"\x06", 1), True)


def basic(length: int | None = None) -> bytes:
    return der.extension("2.5.29.19", der.sequence(YES, der.integer(length) if length is not None else b""), True)


def authority(subject=CA, own="ca", issuer=ROOT, by="root", *more, length=None, **fields) -> bytes:
    extensions = basic(length), KEY_USAGE, der.extension("2.5.29.14", der.octets(identifier(own))), authority_key(by)
    return certificate(subject, own, issuer, by, *extensions, *more, **fields)


def root(*more, **fields) -> bytes:
    return authority(ROOT, "root", ROOT, "root", *more, **fields)


def client(subject=CLIENT, issuer=CA, by="ca", *more, serial=SERIAL, **fields) -> bytes:
    return certificate(subject, "client", issuer, by, der.extension("2.5.29.19", der.sequence(), True),
                       der.extension("2.5.29.15", der.bits(b"\x80", 7), True), *more, serial=serial, **fields)


def revoking(*serials, issuer=CA, by="ca", this=NEW, until: str | None = END, number=1, version=1, extensions=None, entry=b"") -> bytes:
    entries = der.sequence(*(der.sequence(der.integer(serial), der.utc_time(OLD), entry) for serial in serials)) if serials else b""
    if extensions is None:
        extensions = authority_key(by), der.extension("2.5.29.20", der.integer(number))
    return signed(der.sequence(
        der.integer(version) if version is not None else b"", ECDSA_SHA256, issuer, der.utc_time(this), der.utc_time(until) if until else b"",
        entries, der.tlv(0xA0, der.sequence(*extensions)) if extensions else b""), by)


ROOTS_LIST = revoking(OTHER, issuer=ROOT, by="root")


def strings() -> dict:
    return {"utf8": der.utf8, "printable": der.printable, "ia5": der.ia5, "t61": lambda t: der.tlv(0x14, t.encode("latin-1", "replace")),
            "bmp": lambda t: der.tlv(0x1E, t.encode("utf-16-be")), "universal": lambda t: der.tlv(0x1C, t.encode("utf-32-be"))}


def of_names() -> Iterator[Case]:
    def pair(name, above, below):
        return Case(f"name {name}", [client(issuer=below), authority(above)], [root()])

    for (a, one), (b, other) in itertools.combinations_with_replacement(strings().items(), 2):
        yield pair(f"{a} {b}", named("CA One", string=one), named("ca  one", string=other))
    for text in ("ca one", "CA  One", " CA One ", "CA\tOne", "CAOne"):
        yield pair(f"spaces {text!r}", named("CA One"), named(text))
    letters = [("É", "é"), ("é", "e\u0301"), ("ß", "SS"), ("ı", "I"), ("İ", "i"), ("Ａ", "A"), ("ﬁ", "fi"), ("a\u00a0b", "a b"), ("a\u200bb", "ab"),
               ("a\0b", "a\0b"), ("a\0b", "a"), ("Σ", "ς"), ("a\u00adb", "ab"), ("a\nb", "a b"), ("", "")]
    for one, other in letters:
        yield pair(f"letters {one!r} {other!r}", named(other), named(one))
        yield pair(f"letters bmp {one!r} {other!r}", named(other), named(one, string=strings()["bmp"]))
        yield Case(f"name list {one!r} {other!r}", [client(issuer=named(one)), authority(named(one))], [root()],
                   [ROOTS_LIST, revoking(SERIAL, issuer=named(other))])

    def together(*values):
        return der.name([(kind, der.utf8(text)) for kind, text in values])
    yield pair("set in another order", together((CN, "y"), (O, "x")), together((O, "x"), (CN, "y")))
    yield pair("set in another case", together((O, "x"), (CN, "Y")), together((O, "X"), (CN, "y")))
    yield pair("parts in another order", der.name([(O, der.utf8("x"))], [(CN, der.utf8("y"))]), der.name([(CN, der.utf8("y"))], [(O, der.utf8("x"))]))
    yield pair("empty", der.name(), der.name())
    yield pair("a part twice", named("a"), named("a", "a"))
    mails = [der.name([(EMAIL, string(text))]) for string, text in ((der.ia5, "a@b.C"), (der.ia5, "A@B.c"), (der.utf8, "a@b.c"))]
    yield pair("mail in another case", mails[0], mails[1])
    yield pair("mail in another form", mails[0], mails[2])
    yield Case("name of the trusted in another form", [client(issuer=named("root", string=der.printable), by="root")], [root()])


def of_lists() -> Iterator[Case]:
    """One list, two of them in each order, and deltas. R: the client is revoked in it."""
    def case(name, *lists, sent=None, **more):
        return Case(f"lists {name}", sent or [client(), authority()], [root()], list(lists), **more)

    def both(serial):
        return {"new": revoking(serial), "old": revoking(serial, this=OLD), "ended": revoking(serial, this=OLD, until=ENDED),
                "future": revoking(serial, this=FUTURE), "endless": revoking(serial, until=None),
                "old 9": revoking(serial, this=OLD, number=9), "broken": revoking(serial)[:-3] + b"abc"}
    kinds = {f"{name} {'R' if serial == SERIAL else 'G'}": made for serial in (SERIAL, OTHER) for name, made in both(serial).items()}
    for (a, one), (b, other) in itertools.permutations(kinds.items(), 2):
        if a[-1] != b[-1]:
            yield case(f"{a}, {b}", ROOTS_LIST, one, other)
    for name, one in kinds.items():
        yield case(name, ROOTS_LIST, one)
    good, bad = kinds["old G"], kinds["old R"]
    for reason in (1, 6, 8):
        entry = der.sequence(der.extension("2.5.29.21", der.tlv(0x0A, bytes([reason]))))
        yield case(f"reason {reason}", ROOTS_LIST, revoking(SERIAL, entry=entry))
    for serial in (SERIAL, OTHER):
        yield case(f"version 1 {serial}", ROOTS_LIST, revoking(serial, version=None, extensions=()))
    yield case("of another key first", ROOTS_LIST, revoking(SERIAL, by="other"), good)
    yield case("of another key without identifier", ROOTS_LIST, revoking(SERIAL, by="other", extensions=()), good)
    for check in ("chain", "leaf"):
        yield case(f"the CA is revoked, {check}", revoking(5, issuer=ROOT, by="root"), good, sent=[client(), authority(serial=5)], check=check)
        yield case(f"none of the root, {check}", good, check=check)
    yield case("none, which is no fault", ROOTS_LIST, check="leaf no_crl_for_cert_ok")
    yield case("an old one, where none is no fault", ROOTS_LIST, kinds["ended G"], check="leaf no_crl_for_cert_ok")
    for name, usage in (("without the right to sign", der.extension("2.5.29.15", der.bits(b"\x04", 2), True)), ("without key usage", b"")):
        above = certificate(CA, "ca", ROOT, "root", basic(), usage, authority_key("root"))
        yield case(f"of a CA {name}", ROOTS_LIST, good, sent=[client(), above])
    for serial in (0, 127, 128, 255, 256, 2**64, 2**159, -1):
        yield case(f"serial {serial}", ROOTS_LIST, revoking(serial), sent=[client(serial=serial), authority()])

    def delta(serial):
        numbers = der.extension("2.5.29.20", der.integer(2)), der.extension("2.5.29.27", der.integer(1), True)
        return revoking(serial, extensions=(authority_key("ca"), *numbers))
    for name, full in (("good", [good]), ("bad", [bad]), ("no", []), ("newer by number", [kinds["old 9 G"]])):
        for serial in (SERIAL, OTHER):
            yield case(f"{name} one and a delta {serial}", ROOTS_LIST, *full, delta(serial))


def of_parts() -> Iterator[Case]:
    """Distribution points of the certificate against the scope of the list."""
    one, two = "http://a.test/1", "http://a.test/2"

    def full(*names):
        return der.tlv(0xA0, der.tlv(0xA0, *names))

    def uri(text):
        return full(general(0x86, text))
    directory, relative = full(der.tlv(0xA4, named("dp1"))), der.tlv(0xA0, der.tlv(0xA1, der.sequence(der.oid(CN), der.utf8("dp1"))))
    user, some = b"\x81\x01\xff", b"\x83\x02\x01\x40"
    scopes = {"1": uri(one), "2": uri(two), "users": user, "CAs": b"\x82\x01\xff", "attributes": b"\x85\x01\xff", "indirect": b"\x84\x01\xff",
              "directory": directory, "directory in another case": full(der.tlv(0xA4, named("DP1"))), "relative": relative, "reasons": some,
              "1 of users": uri(one) + user, "empty": b"", "1 in capitals": uri(one.upper()), "2 and 1": full(general(0x86, two), general(0x86, one))}
    own, other = der.tlv(0xA2, der.tlv(0xA4, CA)), der.tlv(0xA2, der.tlv(0xA4, named("x")))
    points = {"none": None, "1": [uri(one)], "2, 1": [uri(two), uri(one)], "directory": [directory], "relative": [relative],
              "whole name": [full(der.tlv(0xA4, named("CA", "dp1")))], "1 by the CA": [uri(one) + own], "1 by another": [uri(one) + other],
              "1 of reasons": [uri(one) + b"\x81\x02\x01\x40"], "by the CA": [own]}

    def part(scope, serial):
        return revoking(serial, extensions=(authority_key("ca"), der.extension("2.5.29.20", der.integer(3)),
                                            der.extension("2.5.29.28", der.sequence(scopes[scope]), True)))
    for (name, point), scope, serial in itertools.product(points.items(), scopes, (OTHER, SERIAL)):
        told = () if point is None else (der.extension("2.5.29.31", der.sequence(*map(der.sequence, point))),)
        yield Case(f"part {name} / {scope} {serial}", [client(CLIENT, CA, "ca", *told), authority()], [root()], [ROOTS_LIST, part(scope, serial)])
    old, new = revoking(SERIAL, this=OLD), revoking(OTHER)
    for name in ("none", "1"):
        told = () if name == "none" else (der.extension("2.5.29.31", der.sequence(der.sequence(uri(one)))),)
        for number, lists in enumerate(([part("1", OTHER), part("2", SERIAL)], [part("2", OTHER), part("1", SERIAL)], [part("users", OTHER), old],
                                        [part("users", SERIAL), new], [part("CAs", SERIAL), part("users", OTHER)])):
            yield Case(f"parts {name} {number}", [client(CLIENT, CA, "ca", *told), authority()], [root()], [ROOTS_LIST, *lists])


def of_constraints() -> Iterator[Case]:
    def way(base, excluded):
        return constraints((), [base]) if excluded else constraints([base])
    bases = {0x82: ["a.test", ".a.test", "", "A.TEST", "test", "*.a.test"], 0x81: ["a.test", ".a.test", "x@a.test", "A.TEST"], 0x86: ["a.test", ".a.test"],
             0x87: [[10, 0, 0, 0, 255, 0, 0, 0], [10, 0, 0, 1, 255, 255, 255, 255], [0] * 8, [0] * 32],
             0xA4: [der.name([(O, der.utf8("Variations"))]), der.name([(O, der.printable("VARIATIONS"))]), CLIENT, der.name()]}
    names = {0x82: ["a.test", "x.a.test", "ba.test", "*.a.test", "a.test.", "X.A.test"], 0x81: ["x@a.test", "X@a.test", "x@y.a.test", "a.test", '"x@y"@a.test'],
             0x86: ["https://a.test/", "https://x.a.test:8/", "https://10.0.0.1/", "urn:x", "https://u@a.test/"],
             0x87: [[10, 0, 0, 1], [11, 0, 0, 1], [0] * 16], 0xA4: [CLIENT, named("other")]}
    for excluded in (False, True):
        sign = "not" if excluded else "only"
        for tag in bases:
            for base, name in itertools.product(bases[tag], names[tag]):
                sent = [client(CLIENT, CA, "ca", alternatives(general(tag, name))), authority(CA, "ca", ROOT, "root", way(general(tag, base), excluded))]
                yield Case(f"constraint {tag:x} {sign} {base!r}: {name!r}", sent, [root()])
        host = way(general(0x82, "a.test"), excluded)
        for text in ("a.test", "x.a.test", "b.test", "not a host", "A.TEST", "a_b.a.test", "*.a.test", "a.test.", "10.0.0.1", "x@a.test"):
            above = authority(CA, "ca", ROOT, "root", host)
            yield Case(f"common name {sign}: {text}", [client(named(text)), above], [root()])
            yield Case(f"common name {sign}, beside a mailbox: {text}", [client(named(text), CA, "ca", alternatives(general(0x81, "q@q.q"))), above], [root()])
            yield Case(f"common name {sign}, of the trusted: {text}", [client(named(text), ROOT, "root")], [root(host)])
        for text in ("x@a.test", "x@b.test"):
            subject = der.name([(O, der.utf8("Variations"))], [(EMAIL, der.ia5(text))])
            above = authority(CA, "ca", ROOT, "root", way(general(0x81, "a.test"), excluded))
            yield Case(f"mailbox of the subject {sign}: {text}", [client(subject), above], [root()])


def of_paths() -> Iterator[Case]:
    def again(by, own, **fields):
        return authority(ROOT, own, ROOT, by, **fields)
    new_by_old, old_by_new, new = again("root", "root2", serial=3), again("root2", "root", serial=4), again("root2", "root2", serial=6)
    by_new, by_old = client(issuer=ROOT, by="root2"), client(issuer=ROOT, by="root")
    yield Case("path new by old", [by_new, new_by_old], [root()])
    yield Case("path old by new", [by_old, old_by_new], [new])
    yield Case("path both trusted", [by_old, old_by_new, new_by_old], [new, root()])
    for serial in (SERIAL, OTHER):
        listed = [revoking(serial, issuer=ROOT, by="root2")]
        yield Case(f"path list of the new key {serial}", [by_old, new_by_old], [root()], listed, check="leaf")
        yield Case(f"path list of the other trusted key {serial}", [by_old], [root(), new], listed, check="leaf")
    expired, current = root(end=ENDED), root(serial=8)
    yield Case("path expired twin first", [by_old], [expired, current])
    yield Case("path expired twin last", [by_old], [current, expired])
    ended = authority(end=ENDED, serial=90)
    yield Case("path expired link first", [client(), ended, authority()], [root()])
    yield Case("path expired link last", [client(), authority(), ended], [root()])
    x, y = named("X"), named("Y")
    around = [authority(x, "x", y, "y"), authority(y, "y", x, "x")]
    below = client(issuer=x, by="x")
    yield Case("path in a circle", [below, *around], [root()])
    yield Case("path out of a circle", [below, *around, authority(x, "x", ROOT, "root")], [root()])
    yield Case("path with room, behind one without", [below, authority(x, "x", y, "y", length=0), authority(y, "y", ROOT, "root", length=0),
                                                     authority(x, "x", ROOT, "root")], [root()])
    yield Case("path trusted link", [client()], [authority()])
    yield Case("path trusted link, expired root", [client()], [authority(), expired])
    yield Case("path self-signed twin sent", [client(), authority(CA, "ca", CA, "ca")], [root(), authority()])
    yield Case("path twin of another key", [client(), authority(CA, "other"), authority()], [root()])
    yield Case("path trusted client", [client()], [client()])
    yield Case("path client as CA", [client(named("below"), CLIENT, "client"), client(), authority()], [root()])
    bare = certificate(ROOT, "root", ROOT, "root", version=None)
    yield Case("path version 1 trusted", [by_old], [bare])
    yield Case("path version 1 sent", [client(), certificate(CA, "ca", ROOT, "root", version=None)], [root()])
    yield Case("path no extensions", [by_old], [certificate(ROOT, "root", ROOT, "root")])
    for count in range(4):
        sent, issuer, by = [], ROOT, "root"
        for number in range(count):
            sent.insert(0, authority(named(f"D{number}"), f"d{number}", issuer, by, length=1))
            issuer, by = named(f"D{number}"), f"d{number}"
        yield Case(f"path length {count}", [client(issuer=issuer, by=by), *sent], [root()])
        yield Case(f"path depth {count}", [client(), authority()], [root()], words=f"SSLVerifyDepth {count}")


def all_cases() -> list[Case]:
    return [*of_names(), *of_lists(), *of_parts(), *of_constraints(), *of_paths()]
