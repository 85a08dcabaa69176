# SPDX-License-Identifier: Apache-2.0
"""docs/directives.md says which numbers a directive takes: httpd takes the ends of each range, and refuses what is beyond them."""
import re

import pytest
from harness.paths import ROOT

REFERENCE = (ROOT / "docs" / "directives.md").read_text()
RANGE = re.compile(r"(?:from )?(-?\d+) to (\d+)\b")
NUMBER = r"\b(?:number|seconds|time|interval|bytes)\b"
# What is written around the number, and what is ignored whatever it says.
AROUND = {"TLSHandshakeRate": "address:{}", "TLSHandshakesUnderWay": "server:{}", "TLSSessionTickets": "file:@HOME@/secret {}"}
IGNORED = {"SSLRenegBufferSize", "SSLRandomSeed"}


def numeric() -> list[tuple[str, str, str]]:
    """(directive, its syntax, its text) of those whose syntax has a number."""
    found = []
    for name, body in re.findall(r"^### (\w+)\n(.*?)(?=^##)", REFERENCE, re.M | re.S):
        for syntax, text in re.findall(r"^- Syntax: `\w+ ([^`]*)`\n(.*?)(?=^- Syntax|\Z)", body, re.M | re.S):
            found.append((name, syntax, " ".join(text.split())))
    for row in re.findall(r"^\| `SSL.*$", REFERENCE, re.M):
        cells = re.split(r"(?<!\\)\|", row)
        name, _, syntax = cells[1].strip(" `").partition(" ")
        found.append((name, syntax, cells[-2]))
    return [(name, syntax, text) for name, syntax, text in found if re.search(NUMBER, syntax) and name not in IGNORED]


@pytest.mark.parametrize("name,syntax,text", numeric(), ids=[name for name, _, _ in numeric()])
def test_the_ends_of_the_range_are_taken_and_nothing_beyond(httpd, name, syntax, text):
    found = RANGE.search(text)
    assert found, f"the reference says no range of {name} {syntax}: {text}"
    least, most = map(int, found.groups())
    server = httpd([], engine="mod_tls" if name.startswith("TLS") else "mod_tls-ssl", modules=("proxy",),
                   tls_engine=None, start=False)
    server.put("secret", bytes(range(80)), 0o600)

    def said(number) -> str | None:
        """What httpd says of it; None where it takes it."""
        server.write(config=f"{name} {AROUND.get(name, '{}').format(number)}")
        done = server.run("-t")
        return None if done.returncode == 0 else done.stderr

    assert said(least) is None and said(most) is None, (said(least), said(most))
    for beyond in (least - 1, most + 1, "x", f"{least}y", ""):
        if f"{beyond}:" in text:  # a number with a meaning of its own, such as -1
            continue
        assert name in (said(beyond) or ""), f"{name} {beyond} is taken"


def test_there_are_such_directives():
    assert {"TLSReload", "TLSECHPadding", "SSLVerifyDepth", "SSLSessionCacheTimeout"} <= {name for name, _, _ in numeric()}
    assert len(numeric()) > 18


def test_the_reference_has_every_option_and_both_dumps():
    """TLSOptions' own list is what httpd offers where a word is unknown."""
    for words in ("-D DUMP_TLS`", "-D DUMP_TLS_MIGRATION`"):
        assert words in REFERENCE


def test_every_option_that_there_is_stands_in_the_reference(httpd):
    server = httpd([], config="TLSOptions Nonsense", start=False)
    offered = re.search(r"expected (.*?), not", server.run("-t").stderr)[1]
    section = re.search(r"^### TLSOptions$.*?(?=^###)", REFERENCE, re.M | re.S)[0]
    options = [word for word in re.findall(r"\w+", offered) if word != "or"]
    assert len(options) >= 6 and all(re.search(rf"\b{word}\b", section) for word in options), offered
