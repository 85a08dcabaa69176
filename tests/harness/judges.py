# SPDX-License-Identifier: Apache-2.0
"""Verdicts of our validator and of OpenSSL's, set up as mod_ssl sets it up, on the same worlds of certificates and lists, without handshakes."""
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .paths import ROOT

# 2027-01-01, when all that these tests make is valid.
NOW, DEPTH = 1_798_761_600, 10
SECONDS = 900


@dataclass(frozen=True)
class Verdict:
    """`number` and `reason` are OpenSSL's; `units` are ours of work, `nanoseconds` of processor time in the quickest repetition."""

    let_in: bool
    number: int
    units: int
    nanoseconds: int
    reason: str

    @classmethod
    def read(cls, line: str) -> "Verdict":
        let_in, number, units, nanoseconds, reason = line.split(" ", 4)
        return cls(let_in == "in", int(number), int(units), int(nanoseconds), reason)

    @property
    def said(self) -> str:
        return "let in" if self.let_in else self.reason


def world(sent: Iterable[bytes], trusted: Iterable[bytes], lists: Iterable[bytes] = (), check: str = "none") -> str:
    parts = [(kind, der) for kind, ders in (("a", trusted), ("c", sent), ("l", lists)) for der in ders]
    return " ".join([check, *(f"{kind}:{der.hex()}" for kind, der in parts)])


def ours(release: bool = False) -> Path:
    """Built where it is not; a release build is what times are measured of."""
    build = ["cargo", "build", "--quiet", "--locked", "-p", "mod_tls_core", "--example", "judge", *(["--release"] if release else [])]
    subprocess.run(build, cwd=ROOT, check=True)
    return ROOT / "target" / ("release" if release else "debug") / "examples" / "judge"


def judged(program: Path, worlds: list[str], depth: int = DEPTH, repetitions: int = 1) -> list[Verdict]:
    done = subprocess.run([program, str(NOW), str(depth), str(repetitions)], input="".join(f"{one}\n" for one in worlds), text=True,
                          stdout=subprocess.PIPE, check=True, timeout=SECONDS)
    verdicts = [Verdict.read(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(worlds)
    return verdicts


def both(worlds: list[str], release: bool = False, **more) -> list[tuple[Verdict, Verdict]]:
    """OpenSSL's and ours of each."""
    with tempfile.TemporaryDirectory(prefix="mod_tls-judges-") as home:
        theirs = Path(home) / "judge_openssl"
        subprocess.run(["cc", "-O2", "-o", theirs, Path(__file__).with_name("judge_openssl.c"), "-l:libcrypto.so.3"], check=True)
        return list(zip(judged(theirs, worlds, **more), judged(ours(release), worlds, **more)))
