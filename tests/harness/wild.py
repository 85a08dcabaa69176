# SPDX-License-Identifier: Apache-2.0
"""Whole configurations as they are found in the wild: tests/configs/*.conf, each started with mod_ssl and with ours.

A file is httpd's configuration, with the paths and ports its family has. Lines that begin with `#:` are for the tests:

    #: family WHO WRITES IT          where such configurations come from
    #: modules rewrite proxy         modules beyond the basic ones
    #: mpm prefork                   the MPM; event unless said
    #: differs ID FIELDS             what differs in every answer, and its row in docs/migrating-from-mod_ssl.md
    #: may ID FIELDS                 the same, where it is a matter of chance
    #: elsewhere WORD WORD          what only another distribution's OpenSSL knows, and what Debian's gets instead
    #: stops ID TEXT                mod_ssl starts with it, and ours does not: what it says, and the row in the document
    #: fails TEXT                   neither starts with it: what ours says
    #: pair FILES NAMES [options]    certificate and key for NAMES (see materials.py)
    #: file PATH KIND                another file (see materials.py)
    #: begin PATH .. #: end          the lines between are that file
    #: GET URL [options] => OUTCOME [| ID OUTCOME]
                                     a request; mod_ssl's outcome (a status or `refused`), and ours where it differs

Paths below /etc, /var, /srv and so on are moved to a directory of the test, ports that a `Listen` names are replaced by free
ones.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

from .paths import ROOT

DIRECTORY = ROOT / "tests" / "configs"
DIFFERENCES = ROOT / "docs" / "migrating-from-mod_ssl.md"
METHODS = ("GET", "HEAD", "POST")
# What a server writes is its own; what it reads is the same for both.
WRITTEN = re.compile(r"(?<![\w}/])/(?:var/log|var/run|var/lock|var/cache|run|usr/local/apache2/logs)\b")
READ = re.compile(r"(?<![\w}@/.])/(?=(?:etc|var|srv|opt|home|usr)/)")


@dataclass
class Request:
    """One line of a table. `options` are those of client.py."""

    number: int
    method: str
    url: str
    options: dict[str, str]
    outcome: str
    difference: str | None = None
    our_outcome: str | None = None
    line: str = ""

    @property
    def mark(self) -> str:
        """What finds this request again in log files."""
        return f"request={self.number}"


@dataclass
class Wild:
    """One configuration."""

    name: str
    family: str = ""
    mpm: str = "event"
    fails: str = ""
    modules: tuple[str, ...] = ()
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    stops: list[tuple[str, str]] = field(default_factory=list)
    differs: list[tuple[str, re.Pattern]] = field(default_factory=list)
    may: list[tuple[str, re.Pattern]] = field(default_factory=list)
    pairs: list[list[str]] = field(default_factory=list)
    files: list[list[str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    text: str = ""

    @property
    def ports(self) -> tuple[str, ...]:
        whole = "\n".join([self.text, *self.texts.values()])
        return tuple(dict.fromkeys(re.findall(r"^\s*Listen\s+(?:\S+:)?(\d+)", whole, re.M)))

    def placed(self, text: str, root: Path) -> str:
        """`text` with placeholders for ports, and with paths in the directory of the test."""
        text = WRITTEN.sub("@HOME@/logs", text)
        text = READ.sub(f"{root}/", text)
        for port in self.ports:
            text = re.sub(rf"^(\s*Listen\s+)(?:\*:)?{port}\b", rf"\g<1>127.0.0.1:@{port}@", text, flags=re.M)
            text = re.sub(rf":{port}\b", f":@{port}@", text)
            text = re.sub(rf"(SERVER_PORT.*)\b{port}\b", rf"\g<1>@{port}@", text)
        return text


def read(path: Path) -> Wild:
    wild, config, inner, inner_lines = Wild(path.stem), [], None, []
    for line in path.read_text().splitlines():
        if not line.startswith("#:"):
            (inner_lines if inner else config).append(line)
            continue
        word, _, rest = line[2:].strip().partition(" ")
        rest = rest.strip()
        if word == "begin":
            inner, inner_lines = rest, []
        elif word == "end":
            wild.texts[inner], inner = "\n".join(inner_lines) + "\n", None
        elif word in METHODS:
            wild.requests.append(_request(len(wild.requests) + 1, word, rest, line))
        elif word == "modules":
            wild.modules += tuple(rest.split())
        elif word in ("family", "mpm", "fails"):
            setattr(wild, word, rest)
        elif word in ("differs", "may"):
            identity, _, fields = rest.partition(" ")
            getattr(wild, word).append((identity, re.compile(fields)))
        elif word == "stops":
            identity, _, said = rest.partition(" ")
            wild.stops.append((identity, said))
        elif word == "elsewhere":
            wild.elsewhere.append(tuple(rest.split()))
        elif word in ("pair", "file"):
            getattr(wild, f"{word}s").append(rest.split())
        else:
            raise ValueError(f"{path.name}: {line}: no such word")
    wild.text = "\n".join(config)
    return wild


def _request(number: int, method: str, rest: str, line: str) -> Request:
    asked, _, outcomes = rest.partition(" => ")
    theirs, _, ours = outcomes.partition(" | ")
    url, *words = asked.split()
    options = {name: value for name, _, value in (word.partition("=") for word in words)}
    if url.startswith("http://") and re.search(r":\d", url.removeprefix("http://")):
        options["plain"] = ""  # what it is not written for: plain HTTP to a port of TLS
    if options.get("tls") in ("1.0", "1.1"):
        options["old"] = ""
    made = Request(number, method, url, options, theirs.strip(), line=line)
    if ours:
        made.difference, made.our_outcome = ours.split()
    return made


def all_configurations() -> list[Path]:
    return sorted(DIRECTORY.glob("*.conf"))


def listed_differences() -> set[str]:
    """The ids of the table in the document for administrators."""
    return set(re.findall(r"^\| ([a-z0-9-]+) \|", DIFFERENCES.read_text(), re.M)) - {"id"}
