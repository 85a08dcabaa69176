# SPDX-License-Identifier: Apache-2.0
"""Reads an error log and judges it: what a test did not announce must not be there."""
import re
from dataclasses import dataclass
from pathlib import Path

from .waiting import wait_until

LINE = re.compile(r"^\[(?P<time>[^\]]*)\] \[(?P<module>[\w-]+):(?P<level>\w+)\] (?P<text>.*)$")
SEVERE = {"emerg", "alert", "crit", "error"}
# Lines in mod_ssl's words that always stand beside one of ours, which is judged.
COMPANION = re.compile(r"AH02039: |AH10158: ")
# Whatever the level, these mean that a process died or lost memory safety.
FATAL = re.compile(r"exit signal|Segmentation|core dumped|panicked at|Sanitizer|runtime error:|terminate called")


@dataclass(frozen=True)
class Line:
    module: str
    level: str
    text: str
    raw: str

    def bad(self, ours: set[str]) -> bool:
        """Errors of anybody, warnings of the modules under test."""
        if self.module in ours and COMPANION.search(self.raw):
            return False
        return bool(FATAL.search(self.raw)) or self.level in SEVERE or (self.level == "warn" and self.module in ours)


class ErrorLog:
    """One error log file. `allow` and `expect` announce lines; `unexpected` gives the rest, once."""

    def __init__(self, path: Path, ours: set[str], always: tuple[str, ...] = ()):
        self.path, self._ours = path, ours
        self._always = [re.compile(p) for p in always]
        self._judged = 0
        self._allowed: list[re.Pattern] = []
        self._late: list[re.Pattern] = []  # allowed until the last judgement

    def text(self) -> str:
        return self.path.read_text(errors="backslashreplace") if self.path.exists() else ""

    def lines(self) -> list[Line]:
        return [parse(raw) for raw in self.text().splitlines() if raw.strip()]

    def matching(self, pattern: str) -> list[Line]:
        found = re.compile(pattern)
        return [line for line in self.lines() if found.search(line.raw)]

    def allow(self, *patterns: str) -> None:
        """Lines that match may appear until the end of this test, and a little later (see unexpected)."""
        self._allowed += [re.compile(p) for p in patterns]

    def expect(self, pattern: str, count: int = 1, seconds: float = 20.0) -> list[Line]:
        """Waits for `count` lines that match since the last check; they count as announced."""
        self.allow(pattern)
        found = re.compile(pattern)

        def enough():
            lines = [line for line in self.lines()[self._judged:] if found.search(line.raw)]
            return lines if len(lines) >= count else None

        try:
            return wait_until(enough, f"{count} log line(s) like {pattern!r}", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n--- error log:\n{self.text()}") from None

    def unexpected(self) -> list[str]:
        """Bad lines since the last call that nothing announced; forgets the announcements at the next call, since a
        server that tests share may write a line when its client, and with it the test, is gone already."""
        lines = self.lines()
        fresh, self._judged = lines[self._judged:], len(lines)
        allowed = self._allowed + self._late + self._always
        self._allowed, self._late = [], self._allowed
        return [line.raw for line in fresh if line.bad(self._ours) and not any(a.search(line.raw) for a in allowed)]


def parse(raw: str) -> Line:
    match = LINE.match(raw)
    if match:
        return Line(match["module"], match["level"], match["text"], raw)
    # Lines without httpd's frame come from the start (stderr): "AH00526: Syntax error ..." or raw output of a child.
    level = "error" if re.search(r"AH00526|AH00014|Syntax error", raw) else ""
    return Line("", level, raw, raw)
