# SPDX-License-Identifier: Apache-2.0
"""Clients with two faults at once, ordinary ones: which of them a verdict tells first."""
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import der
from .variations import (CA, CLIENT, ENDED, FUTURE, KEY_USAGE, OLD, OTHER, ROOT, SERIAL, authority_key, basic, certificate, constraints,
                         general, alternatives, identifier, named, revoking, root)

# A second CA of the client's serial number 5, whom lists of the root name.
CA_SERIAL = 5


@dataclass
class Parts:
    """What a world is made of: fields of the client's certificate, of its CA's and of both lists."""

    client: dict = field(default_factory=dict)
    ca: dict = field(default_factory=dict)
    root: dict = field(default_factory=dict)
    client_more: list = field(default_factory=list)
    ca_more: list = field(default_factory=list)
    client_usage: bytes = der.extension("2.5.29.15", der.bits(b"\x80", 7), True)
    ca_basic: bytes = basic()
    ca_usage: bytes = KEY_USAGE
    client_signer: str = "ca"
    ca_signer: str = "root"
    list_fields: dict = field(default_factory=dict)
    root_list_fields: dict = field(default_factory=dict)
    revoked: bool = False
    ca_revoked: bool = False
    listed: bool = True
    root_listed: bool = True
    sent_ca: bool = True
    trusted: bool = True


def _set(name, **fields):
    return lambda parts: getattr(parts, name).update(fields)


def _put(**fields):
    def change(parts):
        for name, value in fields.items():
            setattr(parts, name, value)
    return change


def _more(name, *extensions):
    return lambda parts: getattr(parts, name).extend(extensions)


FAULTS = {
    "expired": _set("client", end=ENDED), "not yet valid": _set("client", start=FUTURE), "CA expired": _set("ca", end=ENDED),
    "CA not yet valid": _set("ca", start=FUTURE), "root expired": _set("root", end=ENDED),
    "revoked": _put(revoked=True), "CA revoked": _put(ca_revoked=True),
    "list expired": _set("list_fields", this=OLD, until=ENDED), "list of the future": _set("list_fields", this=FUTURE),
    "root's list expired": _set("root_list_fields", this=OLD, until=ENDED),
    "no list": _put(listed=False), "no list of the root": _put(root_listed=False), "list of another key": _set("list_fields", by="other", extensions=()),
    "unknown root": _put(trusted=False), "CA not sent": _put(sent_ca=False),
    "not signed by the CA": _put(client_signer="other"), "CA not signed by the root": _put(ca_signer="other"),
    "for servers": _more("client_more", der.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1")))),
    "for encryption": _put(client_usage=der.extension("2.5.29.15", der.bits(b"\x20", 5), True)),
    "CA for servers": _more("ca_more", der.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1")))),
    "CA that is none": _put(ca_basic=der.extension("2.5.29.19", der.sequence(), True)),
    "CA that may not sign": _put(ca_usage=der.extension("2.5.29.15", der.bits(b"\x02", 1), True)),
    "CA that signs no lists": _put(ca_usage=der.extension("2.5.29.15", der.bits(b"\x04", 2), True)),
    "root without room": _set("root", length=0), "critical and unknown": _more("client_more", der.extension("1.2.3.4", der.utf8("x"), True)),
    "CA critical and unknown": _more("ca_more", der.extension("1.2.3.4", der.utf8("x"), True)),
    "name outside": lambda parts: (_more("client_more", alternatives(general(0x82, "b.test")))(parts),
                                   _more("ca_more", constraints([general(0x82, "a.test")]))(parts)),
    "name excluded": lambda parts: (_more("client_more", alternatives(general(0x82, "b.test")))(parts),
                                    _more("ca_more", constraints((), [general(0x82, "b.test")]))(parts)),
}
# Of one kind, or such as exclude each other.
APART = [{"expired", "not yet valid"}, {"CA expired", "CA not yet valid"}, {"for servers"}, {"CA that may not sign", "CA that signs no lists"},
         {"name outside", "name excluded"}, {"no list", "revoked", "list expired", "list of the future", "list of another key"},
         {"no list of the root", "root's list expired", "CA revoked"}]


@dataclass(frozen=True)
class Case:
    name: str
    sent: list[bytes]
    trusted: list[bytes]
    lists: list[bytes]
    check: str


def world(name: str, check: str, *faults: str) -> Case:
    parts = Parts()
    for fault in faults:
        FAULTS[fault](parts)
    client = certificate(CLIENT, "client", CA, parts.client_signer, der.extension("2.5.29.19", der.sequence(), True), parts.client_usage,
                         *parts.client_more, serial=SERIAL, **parts.client)
    ca = certificate(CA, "ca", ROOT, parts.ca_signer, parts.ca_basic, parts.ca_usage,
                     der.extension("2.5.29.14", der.octets(identifier("ca"))), authority_key("root"), *parts.ca_more, serial=CA_SERIAL, **parts.ca)
    lists = []
    if parts.listed:
        lists.append(revoking(SERIAL if parts.revoked else OTHER, **parts.list_fields))
    if parts.root_listed:
        lists.append(revoking(CA_SERIAL if parts.ca_revoked else OTHER, issuer=ROOT, by="root", **parts.root_list_fields))
    trusted = [root(**parts.root)] if parts.trusted else [certificate(named("Other"), "other", named("Other"), "other", basic(), KEY_USAGE)]
    return Case(name, [client, ca] if parts.sent_ca else [client], trusted, lists, check)


def all_cases() -> Iterator[Case]:
    for check in ("none", "leaf", "chain"):
        for fault in FAULTS:
            yield world(f"{fault}, {check}", check, fault)
        for one, other in itertools.combinations(FAULTS, 2):
            if not any({one, other} <= set(apart) for apart in APART):
                yield world(f"{one} and {other}, {check}", check, one, other)
