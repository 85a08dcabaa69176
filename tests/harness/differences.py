# SPDX-License-Identifier: Apache-2.0
"""Verdicts on mutants that are meant to differ from mod_ssl's, each with its reason. docs/robustness.md has the table."""
import re
from collections import Counter
from dataclasses import dataclass

LET_IN = "let in"


@dataclass(frozen=True)
class Difference:
    """`kind` for readers, `changes` for what was changed, `theirs` and `ours` for what both say: patterns of their beginnings."""

    kind: str
    changes: str
    theirs: str
    ours: str
    why: str


_LONG = r"\blong "
_REFUSED = "(?!let in)"
TABLE = [
    # What ours lets in.
    Difference("a client's key that no one can read, or of an unknown kind", r"spki\[2\]|body\.0\.[56]", "EE certificate key too weak", LET_IN,
               "no signature is ever of it: the handshake ends where the client has to prove that the key is its own"),
    Difference("lengths of more octets than DER allows (X.690, 10.1), let in", _LONG, _REFUSED, LET_IN,
               "it says the same, and the CA signed it as it is; OpenSSL reads most of these too"),
    Difference("a list for several CAs", r"scope\[3\]", "unable to get certificate CRL", LET_IN,
               "it is a list of its own CA too (RFC 5280, 5.2.5); mod_ssl uses none"),
    # What ours refuses.
    Difference("lengths of more octets than DER allows, refused", _LONG, LET_IN, _REFUSED,
               "names are compared, and signatures checked, over DER"),
    Difference("extensions that are cut, doubled, too long or of another type", "", LET_IN, "invalid or inconsistent certificate (policy )?extension",
               "ours reads every extension that it knows, to its last octet; OpenSSL those that it is asked about"),
    Difference("policies that a CA requires", "", LET_IN, "no explicit policy", "RFC 5280, 6.1.5; mod_ssl has OpenSSL look at none"),
    Difference("a delta alone", "delta", LET_IN, "Different CRL scope|unable to get certificate CRL", "without the list that it goes with it says nothing (RFC 5280, 5.2.4)"),
    Difference("an entry of another CA in a list of one alone", r"entries\[10\]", LET_IN, "unhandled critical CRL extension", "RFC 5280, 5.3.3"),
    Difference("a type of another kind in a name, or a name without one", r"\b(tag|flip) ", LET_IN, "certificate cannot be read|unable to get ",
               "a SET that is marked as primitive (X.690, 8.12.1); OpenSSL reads some"),
]


def of(changes: str, theirs: str, ours: str) -> Difference | None:
    """The reason for a difference."""
    def fits(row: Difference) -> bool:
        return bool(re.search(row.changes, changes) and re.match(row.theirs, theirs) and re.match(row.ours, ours))
    return next(filter(fits, TABLE), None)


def table(counts: Counter) -> str:
    """Markdown for docs/robustness.md; how often each was met."""
    rows = ["| what was changed | mod_ssl | ours | met | why |", "|---|---|---|---|---|"]
    for row in TABLE:
        theirs, ours = ("let in" if side == LET_IN else "refused" for side in (row.theirs, row.ours))
        rows.append(f"| {row.kind} | {theirs} | {ours} | {counts[row]} | {row.why} |")
    return "\n".join(rows) + "\n"
