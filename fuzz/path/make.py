#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the keys that the target path signs with, and its seeds, from tests/harness/mutants.py."""
import random
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
from cryptography.hazmat.primitives import serialization  # noqa: E402
from harness import der, mutants as m  # noqa: E402

ANCHOR, LIST = 0x40, 0x80
SIGNERS = [m.ROOT, m.MIDDLE, m.LEAF]


def body(octets: bytes) -> bytes:
    """What is signed of a certificate or list."""
    content = octets[split(octets)[0]:]
    return content[:split(content)[1]]


def split(octets: bytes) -> tuple[int, int]:
    """Where the content of the first element begins and ends."""
    head = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    return head, head + (int.from_bytes(octets[2:head], "big") if octets[1] & 0x80 else octets[1])


def part(kind: int, octets: bytes) -> bytes:
    return bytes([kind]) + body(octets)


def server() -> bytes:
    """A root and a leaf under it would be two files; the target's client trusts the one it is shown."""
    names = der.name([(m.CN, der.utf8("a.test"))])
    menus = m.leaf_menus() | {"issuer": [names], "subject": [names], "aki": [b""], "basic": [b""], "usage": [b""],
                              "purposes": [der.extension("2.5.29.37", m.purposes("1"))],
                              "alt_names": [der.extension("2.5.29.17", der.sequence(der.tlv(0x82, b"a.test")))]}
    return m.certificate(0, menus, m.LEAF, None).der


def main() -> None:
    here, seeds = TOP / "fuzz" / "path", TOP / "fuzz" / "corpus" / "path"
    seeds.mkdir(parents=True, exist_ok=True)
    for name, file in zip(SIGNERS, ("root", "middle", "leaf")):
        (here / f"{file}.key").write_bytes(m.KEYS[name].private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (here / "server.der").write_bytes(server())
    leaf, middle = m.good_chain()
    root, lists = m.root(), m.list_menus()
    anchor = part(ANCHOR, root)
    behind = part(0, middle)
    revoked = m.revocation_list(0, lists | {"entries": [lists["entries"][3]], "this": [m.UTC("250101000000Z")]}, None).der
    behind_another = m.revocation_list(0, lists | {"entries": [lists["entries"][4]]}, None).der
    clean = m.revocation_list(0, lists, None).der
    made = {"good": anchor + part(1, leaf) + behind, "revoked": anchor + part(1, leaf) + behind + part(LIST | 1, revoked),
            "listed": anchor + part(1, leaf) + behind + part(LIST | 1, clean),
            "two-lists": anchor + part(1, leaf) + behind + part(LIST | 1, clean) + part(LIST | 1, revoked),
            "no-anchor": part(1, leaf) + behind, "no-link": anchor + part(1, leaf),
            "root-sent": anchor + part(1, leaf) + behind + part(0, root)}
    # Good but for the day on which the leaf begins.
    begins = b"240101000000Z"
    before, authority, rest = made["good"].split(begins, 2)
    made["not-yet"] = before + begins + authority + b"280101000000Z" + rest
    for number, (mutant, chain) in enumerate(m.chains(3000, 7)):
        if number % 60 == 0:
            made[f"mutant-{number}"] = anchor + part(1, chain[0]) + part(0, chain[1])
    for number, mutant in enumerate(m.lists(1000, 7)):
        if number % 50 == 0:
            made[f"list-{number}"] = anchor + part(1, leaf) + behind + part(LIST | 1, mutant.der)
    (seeds.parent / "lists").mkdir(exist_ok=True)
    bodies = {"clean": clean, "revoked": revoked, "revoked-last": behind_another}
    bodies |= {f"list-{number}": mutant.der for number, mutant in enumerate(m.lists(1000, 7)) if number % 50 == 0}
    for name, octets in bodies.items():
        (seeds.parent / "lists" / name).write_bytes(body(octets))
    talks = {"open": b"\x0e\0\x0e\0\x06\x10\x02\xff\x07\x10\x0e\0", "closes": b"\x0e\0\x0e\0\x0a\0\x0e\0\x0b\0\x0e\0",
             "pieces": b"\x00\x07" * 60 + b"\x03\x09\x04\0" + b"\x01\x20" * 20 + b"\x06\x40" + b"\x02\xc8" * 12,
             "damaged": b"\x08\x09\x0e\0\x0e\0", "late-damage": b"\x0e\0\x0e\0\x06\x08\x08\x03\x0e\0",
             "key-updates": b"\x0e\0\x0e\0" + b"\x0c\0\x06\x01" * 6 + b"\x0e\0", "alert": b"\x0e\0\x19\x02\x0e\0",
             "empty-record": b"\x0e\0\x0e\0\x39\0\x0e\0", "cut": b"\x0e\0\x0d\x05\x0e\0", "twice": b"\x0f\x40\x0e\0\x0e\0",
             "both-write": b"\x0e\0\x0e\0" + b"\x06\x80\x07\xff\x00\x21" * 10 + b"\x0e\0"}
    (seeds.parent / "connection").mkdir(exist_ok=True)
    for name, steps in talks.items():
        for version, first in (("12", b"\0"), ("13", b"\1")):
            (seeds.parent / "connection" / f"{name}-{version}").write_bytes(first + steps)
    for name, octets in made.items():
        (seeds / name).write_bytes(octets)


main()
