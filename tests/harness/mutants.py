# SPDX-License-Identifier: Apache-2.0
"""Certificates and revocation lists that differ from good ones in a few places of their DER, signed after the change.

What is made follows from the seed alone, but for the signatures. A mutant takes alternatives of single fields (menus that name
what readers of certificates disagree on), and then perhaps one change to the tree of its DER, whatever stands there."""
import copy
import random
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from . import der, judges

CN, O, EMAIL = "2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1"
ECDSA_SHA256, YES = der.sequence(der.oid("1.2.840.10045.4.3.2")), b"\x01\x01\xff"
UTC, GENERAL = der.utc_time, der.generalized_time
SERIAL = 0x2A
ROOT, MIDDLE, LEAF = "Mutants Root", "Mutants CA", "client"


def key(number: int) -> ec.EllipticCurvePrivateKey:
    """Always the same."""
    return ec.derive_private_key(0x6D757461_6E747300 + number, ec.SECP256R1())


KEYS = {ROOT: key(1), MIDDLE: key(2), LEAF: key(3)}


def named(text: str, string=der.utf8) -> bytes:
    return der.name([(O, string("Mutants"))], [(CN, string(text))])


def names(text: str) -> list[bytes]:
    """The same name for a reader of RFC 5280 7.1, or nearly."""
    odd = [named(text, der.printable), named(text.upper()), named(text.lower()), named(f" {text}  "),
           named(text.replace(" ", "   ")), named(text, lambda t: der.tlv(0x1E, t.encode("utf-16-be"))),
           named(text, lambda t: der.tlv(0x14, t.encode())), named(text, der.ia5),
           der.name([(O, der.utf8("Mutants")), (CN, der.utf8(text))]), der.name([(CN, der.utf8(text))]), der.name(),
           named(text + "\0"), named(text + "\u00a0"), der.name([(CN, der.utf8(text))], [(O, der.utf8("Mutants"))])]
    return [named(text), *odd]


TIMES = [UTC("240101000000Z"), GENERAL("20240101000000Z"), UTC("2401010000Z"), UTC("240101000000+0000"), UTC("491231235959Z"),
         UTC("500101000000Z"), GENERAL("20240101000000.5Z"), GENERAL("20240101000000"), GENERAL("99991231235959Z"),
         GENERAL("00000101000000Z"), UTC("240230000000Z"), UTC("241301000000Z"), UTC("240101240000Z"), UTC("240101000060Z"),
         UTC(""), UTC("x40101000000Z"), GENERAL("20600101000000Z"), UTC("700101000000Z"), UTC("240101000000-0100")]
SERIALS = [der.integer(SERIAL), b"\x02\x01\x00", b"\x02\x01\xff", b"\x02\x02\x00\x2a", b"\x02\x00", der.tlv(2, b"\x11" * 21),
           der.tlv(2, b"\x7f" * 200)]
ALGORITHMS = [ECDSA_SHA256, der.sequence(der.oid("1.2.840.10045.4.3.2"), b"\x05\x00"), der.sequence(der.oid("1.2.840.10045.4.1")),
              der.sequence(der.oid("1.2.840.10045.4.3.3")), der.sequence(der.oid("1.2.840.113549.1.1.11"), b"\x05\x00"),
              der.sequence(der.oid("1.3.101.112")), der.sequence(), der.sequence(der.oid("2.999"))]


def extension(dotted: str, values: list[bytes], critical: bool = False, likely: bool = True) -> list[bytes]:
    """A menu: as usual, absent, other values, the other criticality, twice."""
    usual = der.extension(dotted, values[0], critical)
    explicit = der.sequence(der.oid(dotted), b"\x01\x01\x00", der.octets(values[0]))
    menu = [b"", *(der.extension(dotted, value, critical) for value in values[1:]),
            der.extension(dotted, values[0], not critical), usual + usual, explicit,
            der.sequence(der.oid(dotted), b"\x01\x01\x01", der.octets(values[0])), der.extension(dotted, b"", critical),
            der.extension(dotted, values[0] + b"\x00", critical)]
    return [usual, *menu] if likely else [b"", usual, *menu[1:]]


def usage(*octet_and_unused) -> list[bytes]:
    return [der.bits(bytes([octet]), unused) for octet, unused in octet_and_unused] + [der.bits(b""), der.bits(b"\x80\x80", 7)]


def purposes(*dotted: str) -> bytes:
    return der.sequence(*(der.oid(f"1.3.6.1.5.5.7.3.{d}" if "." not in d else d) for d in dotted))


def identifier(issuer: str, *more: bytes) -> list[bytes]:
    own = der.tlv(0x80, issuer.encode())
    wrong_serial = der.tlv(0xA1, der.tlv(0xA4, named(ROOT))) + der.tlv(0x82, b"\x63")
    return [der.sequence(own), der.sequence(), der.sequence(der.tlv(0x80, b"other")), der.sequence(own, wrong_serial),
            der.sequence(wrong_serial), der.sequence(der.tlv(0x80)), *more]


def policies(*dotted: str) -> bytes:
    return der.sequence(*(der.sequence(der.oid(d)) for d in dotted))


def subtree(tag: int, value: bytes, *more: bytes) -> bytes:
    return der.sequence(der.tlv(tag, value), *more)


def constraints() -> list[bytes]:
    dns, mail, directory = subtree(0x82, b"test"), subtree(0x81, b"a.test"), subtree(0xA4, der.name([(O, der.utf8("mutants"))]))
    other = subtree(0xA4, der.name([(O, der.utf8("Others"))]))
    uri, ip = subtree(0x86, b".a.test"), subtree(0x87, bytes([10, 0, 0, 0, 255, 0, 0, 0]))
    permitted = [der.sequence(der.tlv(0xA0, one)) for one in (directory, dns, mail, uri, ip, other)]
    excluded = [der.sequence(der.tlv(0xA1, one)) for one in (other, dns, mail, uri, ip, directory)]
    return [*permitted, *excluded, der.sequence(der.tlv(0xA0, directory), der.tlv(0xA1, subtree(0x82, b"b.test"))), der.sequence(),
            der.sequence(der.tlv(0xA0)), der.sequence(der.tlv(0xA0, subtree(0x82, b""))),
            der.sequence(der.tlv(0xA1, subtree(0x82, b""))), der.sequence(der.tlv(0xA0, subtree(0x87, b"\x0a\0\0"))),
            der.sequence(der.tlv(0xA0, subtree(0xA4, named(LEAF), b"\x80\x01\x01")))]


ALT_NAMES = [der.sequence(der.tlv(0x82, b"c.a.test")), der.sequence(der.tlv(0x81, b"m@a.test")),
             der.sequence(der.tlv(0x86, b"https://x.a.test/")), der.sequence(der.tlv(0x87, b"\x0a\1\2\3")), der.sequence(),
             der.sequence(der.tlv(0x82, b"*.b.test")), der.sequence(der.tlv(0x82, b"a\0b")), der.sequence(der.tlv(0x82, b".test")),
             der.sequence(der.tlv(0xA0, der.oid("1.2.3"), der.tlv(0xA0, der.utf8("x")))), der.sequence(der.tlv(0xA4, named("x"))),
             der.sequence(der.tlv(0x87, b"\x0a\1"))]
BASIC = [der.sequence(YES), der.sequence(), der.sequence(YES, der.integer(0)), der.sequence(YES, der.integer(5)),
         der.sequence(der.integer(0)), der.sequence(YES, der.integer(-1)), der.sequence(YES, der.tlv(2, b"\x7f" * 9)),
         der.sequence(b"\x01\x01\x01"), der.sequence(b"\x01\x01\x00")]
UNKNOWN = "1.3.6.1.4.1.55555.7"


def common(issuer: str, subject: str) -> dict[str, list[bytes]]:
    """The menus of both kinds of certificates; the first of each is the good one."""
    spki = _spki(KEYS[subject])
    point = KEYS[subject].public_key()
    numbers = point.public_numbers()
    compressed = bytes([2 + numbers.y % 2]) + numbers.x.to_bytes(32, "big")
    curve = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    return {
        "version": [der.tlv(0xA0, der.integer(2)), b"", *(der.tlv(0xA0, der.integer(n)) for n in (0, 1, 3, -1)), der.tlv(0xA0)],
        "serial": SERIALS, "algorithm": ALGORITHMS, "issuer": names(issuer), "start": TIMES,
        "end": [UTC("491231235959Z"), *TIMES], "subject": names(subject),
        "spki": [spki, der.sequence(curve, der.bits(compressed)), der.sequence(curve, der.bits(b"\4" + b"\1" * 64))],
        "aki": extension("2.5.29.35", identifier(issuer)), "ski": extension("2.5.29.14", [der.octets(subject.encode()), b"x"]),
        "policies": extension("2.5.29.32", [policies("1.2.3"), policies("2.5.29.32.0"), policies("1.2.4"), policies("1.2.3", "1.2.3"),
                                            der.sequence()], likely=False),
        "unknown": extension(UNKNOWN, [der.utf8("x")], likely=False),
        "netscape": extension("2.16.840.1.113730.1.1", usage((0x80, 7), (0x40, 6), (0x04, 2), (0x84, 2)), likely=False),
        "outer": ALGORITHMS,
    }


def leaf_menus() -> dict[str, list[bytes]]:
    return common(MIDDLE, LEAF) | {
        "basic": extension("2.5.29.19", [BASIC[1], *BASIC], True), "usage": extension("2.5.29.15", usage(
            (0x80, 7), (0x20, 5), (0x04, 2), (0xFE, 1), (0x08, 3), (0x40, 6)), True),
        "purposes": extension("2.5.29.37", [purposes("2"), purposes("1"), purposes("1", "2"), purposes("2.5.29.37.0"), purposes("4"),
                                            purposes("2.16.840.1.113730.4.1"), der.sequence()]),
        "alt_names": extension("2.5.29.17", ALT_NAMES, likely=False),
        "points": extension("2.5.29.31", [der.sequence(der.sequence(der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, b"http://a.test/c"))))),
                                          der.sequence(), der.sequence(der.sequence())], likely=False),
    }


def middle_menus() -> dict[str, list[bytes]]:
    return common(ROOT, MIDDLE) | {
        "basic": extension("2.5.29.19", BASIC, True), "usage": extension("2.5.29.15", usage(
            (0x06, 1), (0x04, 2), (0x02, 1), (0x80, 7), (0xFE, 1), (0x20, 5)), True),
        "purposes": extension("2.5.29.37", [purposes("2"), purposes("1"), purposes("2.5.29.37.0"), der.sequence()], likely=False),
        "constraints": extension("2.5.29.30", constraints(), True, likely=False),
        "policy_constraints": extension("2.5.29.36", [der.sequence(b"\x80\x01\x00"), der.sequence(b"\x81\x01\x00"), der.sequence(),
                                                      der.sequence(b"\x80\x01\x05"), der.sequence(b"\x80\x01\xff")], True, False),
        "mappings": extension("2.5.29.33", [der.sequence(der.sequence(der.oid("1.2.3"), der.oid("1.2.4"))), der.sequence(
            der.sequence(der.oid("2.5.29.32.0"), der.oid("1.2.4"))), der.sequence()], True, False),
        "any_policy": extension("2.5.29.54", [der.integer(0), der.integer(3), der.integer(-1)], True, False),
    }


def entry(serial: bytes, *more: bytes) -> bytes:
    return der.sequence(serial, UTC("250101000000Z"), *more)


def list_menus() -> dict[str, list[bytes]]:
    reason = [der.sequence(der.extension("2.5.29.21", der.tlv(0x0A, bytes([n])))) for n in (1, 6, 8, 99)]
    removed = [entry(der.integer(SERIAL), one) for one in reason]
    strange = entry(der.integer(9), der.sequence(der.extension(UNKNOWN, der.utf8("x"), True)))
    other_issuer = entry(der.integer(SERIAL), der.sequence(der.extension(
        "2.5.29.29", der.sequence(der.tlv(0xA4, named("Somebody"))), True)))
    revoked, other = entry(der.integer(SERIAL)), entry(der.integer(9))
    point = der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, b"http://a.test/c")))
    scopes = [der.sequence(one) for one in (b"\x81\x01\xff", b"\x82\x01\xff", b"\x84\x01\xff", b"\x85\x01\xff", b"\x83\x02\x01\x40",
                                            point, b"", b"\x81\x01\xff\x82\x01\xff", b"\x83\x02\x07\x80", b"\x81\x01\x00")]
    return {
        "version": [der.integer(1), b"", der.integer(0), der.integer(2)], "algorithm": ALGORITHMS, "issuer": names(MIDDLE),
        "this": TIMES, "next": [UTC("491231235959Z"), b"", UTC("240601000000Z"), *TIMES],
        "entries": [der.sequence(other), b"", der.sequence(), der.sequence(revoked), der.sequence(other, revoked),
                    *(der.sequence(one) for one in removed), der.sequence(strange), der.sequence(other_issuer),
                    der.sequence(entry(b"\x02\x02\x00\x2a")), der.sequence(entry(der.integer(SERIAL)[:2] + b"\x2b"), revoked)],
        "aki": extension("2.5.29.35", identifier(MIDDLE)),
        "number": extension("2.5.29.20", [der.integer(5), der.integer(-1), der.tlv(2, b"\x11" * 30)]),
        "scope": extension("2.5.29.28", scopes, True, False), "delta": extension("2.5.29.27", [der.integer(4)], True, False),
        "unknown": extension(UNKNOWN, [der.utf8("x")], likely=False), "outer": ALGORITHMS,
    }


@dataclass
class Mutant:
    """`changes` says what is not as it should be."""

    number: int
    der: bytes = field(repr=False)
    changes: tuple[str, ...]


def certificate(number: int, menus: dict, signer: str, random_: random.Random | None) -> Mutant:
    """The good one without randomness."""
    picked, changes = pick(menus, random_)
    outer = picked.pop("outer")
    head = [picked.pop(part) for part in ("version", "serial", "algorithm", "issuer")]
    validity = der.sequence(picked.pop("start"), picked.pop("end"))
    body = [*head, validity, picked.pop("subject"), picked.pop("spki"), der.tlv(0xA3, der.sequence(*picked.values()))]
    return signed(number, der.sequence(*body), outer, signer, changes, random_)


def revocation_list(number: int, menus: dict, random_: random.Random | None) -> Mutant:
    picked, changes = pick(menus, random_)
    outer = picked.pop("outer")
    head = [picked.pop(part) for part in ("version", "algorithm", "issuer", "this", "next", "entries")]
    extensions = b"".join(picked.values())
    listed = der.tlv(0xA0, der.sequence(extensions)) if extensions else b""
    return signed(number, der.sequence(*head, listed), outer, MIDDLE, changes, random_)


def pick(menus: dict, random_: random.Random | None) -> tuple[dict, tuple[str, ...]]:
    picked = {part: menu[0] for part, menu in menus.items()}
    if random_ is None:
        return picked, ()
    changes = []
    for part in random_.sample(sorted(menus), random_.choice((0, 1, 1, 1, 2))):
        index = random_.randrange(1, len(menus[part]))
        picked[part] = menus[part][index]
        changes.append(f"{part}[{index}]")
        if part == "algorithm" and random_.random() < 0.7:  # mostly both places say the same
            picked["outer"] = picked["algorithm"]
    return picked, tuple(changes)


def signed(number: int, body: bytes, outer: bytes, signer: str, changes, random_: random.Random | None) -> Mutant:
    if random_ is not None and (not changes or random_.random() < 0.3):
        body, change = Tree(body).changed(random_)
        changes = (*changes, change)
    signature = KEYS[signer].sign(body, ec.ECDSA(hashes.SHA256()))
    return Mutant(number, der.sequence(body, outer, der.bits(signature)), changes)


class Tree:
    """DER as nodes [tag, content]; content is octets, or nodes where they are DER themselves."""

    def __init__(self, octets: bytes):
        self.root = self._nodes(octets)[0]

    def changed(self, random_: random.Random) -> tuple[bytes, str]:
        """One change at one place, and what it was."""
        places = list(self._places([self.root], "body"))[1:]
        where, siblings, index = random_.choice(places)
        kind = random_.choice(("drop", "twice", "swap", "tag", "empty", "cut", "more", "flip", "long", "graft"))
        node = siblings[index]
        if kind == "drop":
            del siblings[index]
        elif kind == "twice":
            siblings.insert(index, copy.deepcopy(node))
        elif kind == "swap":
            other = random_.randrange(len(siblings))
            siblings[index], siblings[other] = siblings[other], node
        elif kind == "tag":
            node[0] = random_.choice((0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1E, 0x30, 0x31, 0x80,
                                      0xA0, 0xA3, node[0] ^ 0x20))
        elif kind == "graft":
            siblings[index] = copy.deepcopy(random_.choice(places)[1][0])
        elif kind == "long":
            content = self._encode_content(node)
            length = len(content).to_bytes(random_.choice((3, 4, 9)), "big")
            siblings[index] = [None, bytes([node[0], 0x80 | len(length)]) + length + content]
        else:
            content = bytearray(self._encode_content(node))
            if kind == "empty":
                content.clear()
            elif kind == "cut":
                del content[-1:]
            elif kind == "more":
                content.append(random_.randrange(256))
            elif content:
                content[random_.randrange(len(content))] ^= 1 << random_.randrange(8)
            node[1] = bytes(content)
        return self._encode(self.root), f"{kind} {where}"

    def _nodes(self, octets: bytes) -> list | None:
        nodes, rest = [], octets
        while rest:
            if len(rest) < 2 or rest[0] & 0x1F == 0x1F:
                return None
            length, head = rest[1], 2
            if length & 0x80:
                head += length & 0x7F
                length = int.from_bytes(rest[2:head], "big")
            if length & 0x80 and head == 2 or head + length > len(rest):
                return None
            content = rest[head:head + length]
            nested = self._nodes(content) if rest[0] & 0x20 or rest[0] == 0x04 and content else None
            nodes.append([rest[0], nested if nested is not None else content])
            rest = rest[head + length:]
        return nodes

    def _places(self, siblings: list, where: str):
        for index, node in enumerate(siblings):
            here = f"{where}.{index}"
            yield here, siblings, index
            if isinstance(node[1], list):
                yield from self._places(node[1], here)

    def _encode(self, node: list) -> bytes:
        return node[1] if node[0] is None else der.tlv(node[0], self._encode_content(node))

    def _encode_content(self, node: list) -> bytes:
        return b"".join(map(self._encode, node[1])) if isinstance(node[1], list) else node[1]


def _spki(private) -> bytes:
    numbers = private.public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")), der.bits(point))


def chains(count: int, seed: int):
    """Mutants of a client's certificate and of the CA's above it, each as (mutant, DER of both certificates)."""
    leaves, middles = leaf_menus(), middle_menus()
    good_middle = certificate(0, middles, ROOT, None).der
    for number in range(count):
        random_ = random.Random(seed * 1_000_003 + number)
        if number % 3:
            mutant = certificate(number, leaves, MIDDLE, random_)
            yield mutant, [mutant.der, good_middle]
            continue
        mutant = certificate(number, middles, ROOT, random_)
        # Constraints on names need names.
        leaf = leaves | {"alt_names": [random_.choice(leaves["alt_names"])]}
        yield mutant, [certificate(number, leaf, MIDDLE, None).der, mutant.der]


def lists(count: int, seed: int):
    """Mutants of the CA's list, which names the good client in some of them."""
    menus = list_menus()
    return [revocation_list(number, menus, random.Random(seed * 1_000_003 + number)) for number in range(count)]


def good_chain() -> list[bytes]:
    return [certificate(0, leaf_menus(), MIDDLE, None).der, certificate(0, middle_menus(), ROOT, None).der]


def root() -> bytes:
    """The anchor, never a mutant."""
    menus = middle_menus() | {"issuer": [named(ROOT)], "subject": [named(ROOT)], "spki": [_spki(KEYS[ROOT])],
                              "ski": extension("2.5.29.14", [der.octets(ROOT.encode())]), "serial": [der.integer(1)]}
    return certificate(0, menus, ROOT, None).der


@dataclass(frozen=True)
class World:
    """`changes` says what is not as it should be, `world` is what judges read."""

    changes: str
    world: str


def worlds(count: int, seed: int):
    """Mutants for both judges: a fifth of them are lists."""
    listed = count // 5
    for mutant, chain in chains(count - listed, seed):
        yield World(" ".join(mutant.changes), judges.world(chain, [root()]))
    for mutant in lists(listed, seed):
        yield World("list " + " ".join(mutant.changes), judges.world(good_chain(), [root()], [mutant.der], "leaf"))


def good_world(listed: bool = False) -> str:
    clean = [revocation_list(0, list_menus(), None).der] if listed else []
    return judges.world(good_chain(), [root()], clean, "leaf" if listed else "none")
