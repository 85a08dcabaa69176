# SPDX-License-Identifier: Apache-2.0
"""docs/threat-model.md: what is said to be impossible names the test that tries it, and every test that is named exists."""
import re
from pathlib import Path

import pytest
from harness.paths import ROOT

DOCUMENT = ROOT / "docs" / "threat-model.md"
# A file, by the end of its path, and a function of it; without a file that of the reference before it.
REFERENCE = re.compile(r"`((?:[\w/-]+\.(?:py|rs))?)(?:::(\w+))?`")
# A name without a file, or a file that is not written in full: nobody finds that.
UNCLEAR = re.compile(r"`(\.\.[^`]*|test_\w+|[a-z]+(?:_[a-z]+){4,})`")
IMPOSSIBLE = re.compile(r"\bcannot\b")
ALL_IS_IMPOSSIBLE = "What it cannot do"


def blocks(text: str) -> list[tuple[str, int, str]]:
    """Section, line and text of each paragraph, each point of a list and each row of a table."""
    found, section, start, lines = [], "", 0, []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        begins = line.startswith(("- ", "| ", "## ", "# ")) or not line.strip()
        if begins and lines:
            found.append((section, start, " ".join(lines)))
            lines = []
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif line.strip():
            start = start if lines else number
            lines.append(line.strip())
    return found


def references(text: str) -> list[tuple[str, str]]:
    found, last = [], ""
    for file, function in REFERENCE.findall(text):
        last = file or last
        if file or function:
            found.append((last, function))
    return found


def files() -> list[Path]:
    return [file for folder in ("rust", "tests", "tools") for kind in ("*.py", "*.rs") for file in (ROOT / folder).rglob(kind)]


def is_test(file: Path, function: str) -> bool:
    """Whether it is a function that a test's runner calls."""
    text = file.read_text()
    if file.suffix == ".py":
        return function.startswith("test_") and re.search(rf"^def {function}\(", text, re.M) is not None
    return re.search(rf"#\[test\]\n(?:\s*#\[.*\]\n)*\s*fn {function}\(", text) is not None


def problems(text: str, known: list[Path]) -> list[str]:
    found = []
    for section, line, block in blocks(text):
        tests = 0
        found += [f"line {line}: {name} is not found by that" for name in UNCLEAR.findall(block)]
        for name, function in references(block):
            named = [file for file in known if f"/{file.relative_to(ROOT)}".endswith(f"/{name}")] if name else []
            if not named:
                found.append(f"line {line}: there is no file {name!r}")
            elif function:
                having = [file for file in named if is_test(file, function)]
                tests += len(having)
                if len(having) != 1:
                    found.append(f"line {line}: {name}::{function} is {len(having)} tests")
        if not tests and (IMPOSSIBLE.search(block) or section == ALL_IS_IMPOSSIBLE):
            found.append(f"line {line}: no test is named for: {block[:80]}")
    return found


def test_what_cannot_be_done_names_a_test_that_exists():
    assert not problems(DOCUMENT.read_text(), files())


@pytest.mark.parametrize("wrong, said", [
    ("## A\n\nNobody cannot.\n", "no test is named"),
    (f"## {ALL_IS_IMPOSSIBLE}\n\n- Read a key\n  (`test_forks.py`).\n", "no test is named"),
    (f"## {ALL_IS_IMPOSSIBLE}\n\n- Read a key\n  (`test_forks.py::test_of_nothing`).\n", "is 0 tests"),
    ("## A\n\n- Said (`test_of_nobody.py`).\n", "there is no file"),
    ("## A\n\n- Said (`::test_who_has_what`).\n", "there is no file"),
    ("## A\n\n- Said (`test_forks.py::abuse`).\n", "is 0 tests"),
    ("## A\n\n- Said (`..hostile.py::test_a_captured_child`).\n", "is not found by that"),
    ("## A\n\n- Said (`test_a_captured_child`).\n", "is not found by that"),
    ("## A\n\n- Said (`metrics/tally.rs::new`).\n", "is 0 tests"),
])
def test_and_the_check_finds_what_is_missing(wrong, said):
    found = problems(wrong, files())
    assert found and said in found[0], found


def test_and_the_document_has_what_it_looks_for():
    """A document in another form would pass without a look."""
    text = DOCUMENT.read_text()
    named = [section for section, _, _ in blocks(text) if section == ALL_IS_IMPOSSIBLE]
    assert len(named) >= 10
    assert sum(bool(function) for _, _, block in blocks(text) for _, function in references(block)) > 100
