# SPDX-License-Identifier: Apache-2.0
"""A client with Encrypted ClientHello (tests/client/src/ech.rs), and what DNS would tell it."""
import base64
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .paths import ROOT
from .rustls_client import binary

# What a page says of the connection that it is asked for by.
SAYS = r'ErrorDocument 404 "%{SSL:SSL_ECH_STATUS}|%{SSL:SSL_ECH_INNER_SNI}|%{SSL:SSL_ECH_OUTER_SNI}|%{SSL:SSL_TLS_SNI}"'


@dataclass
class Visit:
    """How the client's offer was answered, and what it got."""

    ech: str  # accepted, rejected, grease, notoffered, failed
    kind: str = ""  # full, resumed, retried
    alpn: str = ""
    status: str = ""
    last: str = ""  # the last line of the answer
    retry: str = ""  # the list that came with a refusal; "-" for none


def visits(port: int, name: str, keys: str, *words: str, count: int = 1, path: str = "/none") -> list[Visit]:
    """Connections one after the other, which share their sessions. `words`: h2, none, grease, p384."""
    in_hex = base64.b64decode(keys).hex() if keys else "-"
    done = subprocess.run([str(binary()), "ech", str(port), name, in_hex, path, str(count), *words], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [parse(line) for line in done.stdout.splitlines()]


def visit(port: int, name: str, keys: str, *words: str, path: str = "/none") -> Visit:
    return visits(port, name, keys, *words, path=path)[0]


def parse(line: str) -> Visit:
    word, rest = line.split(" ", 1)
    if word == "rejected":
        return Visit(word, retry=rest if rest == "-" else base64.b64encode(bytes.fromhex(rest)).decode())
    if word == "failed":
        return Visit(word, last=rest)
    return Visit(word, *rest.split(" ", 3))


def records(server) -> dict[str, str]:
    """What `-t -D DUMP_TLS_ECH` shows: each record, by the name it is for."""
    done = server.run("-t", "-D", "DUMP_TLS_ECH")
    assert done.returncode == 0, done.stderr
    return {line.split(" ")[0]: line for line in done.stdout.splitlines()}


def keys_in_dns(server) -> str:
    """The ECHConfigList that the records have, in base64."""
    found = {re.search(r'ech="([^"]+)"', record)[1] for record in records(server).values()}
    assert len(found) == 1
    return found.pop()


class Go:
    """The same client over Go's crypto/tls (ech_client.go), built in `directory`."""

    def __init__(self, directory: Path):
        self.program = directory / "ech_client"
        source = Path(__file__).with_name("ech_client.go")
        built = subprocess.run(["go", "build", "-o", self.program, source], capture_output=True, text=True,
                               env={**os.environ, "GOCACHE": str(ROOT / "build" / "go")})
        assert built.returncode == 0, built.stderr

    def visits(self, port: int, name: str, keys: str, *words: str, count: int = 1, path: str = "/none") -> list[Visit]:
        """As `visits`; of the words h2 and p384 alone."""
        done = subprocess.run([self.program, str(port), name, keys, path, str(count), *words], capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == 0, done.stderr
        return [parse(line) for line in done.stdout.splitlines()]
