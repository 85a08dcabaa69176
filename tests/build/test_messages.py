# SPDX-License-Identifier: Apache-2.0
"""Log lines: each has an id of its own in the one table, and nothing else writes to the log."""
import re
from collections import Counter

from harness.paths import ROOT

TABLE = ROOT / "src/log/messages.def"
ROW = re.compile(r"^(TLS|MOD_SSL)_MESSAGE\((\w+), (\d+), (APLOG_\w+),", re.M)


def test_ids_and_names_are_used_once():
    rows = ROW.findall(TABLE.read_text())
    assert len(rows) == len(re.findall(r"^\w+_MESSAGE\(", TABLE.read_text(), re.M)), "a row is written as no other"
    for column in ([(prefix, number) for prefix, _, number, _ in rows], [name for _, name, _, _ in rows]):
        assert [value for value, count in Counter(column).items() if count > 1] == []


def test_each_row_has_a_cause_and_a_remedy():
    rows = re.findall(r"^\| ((?:TLS|AH)\d+) \| \w+ \| `.*` \| (.*?) \| (.*?) \|$", (ROOT / "docs/log-messages.md").read_text(), re.M)
    assert len(rows) == len(ROW.findall(TABLE.read_text()))
    assert [line for line, *texts in rows if not all(text.endswith(".") and len(text) > 10 for text in texts)] == []


def test_each_row_is_said_somewhere():
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.[ch]pp"))
    assert [name for _, name, _, _ in ROW.findall(TABLE.read_text()) if not re.search(rf"\b{name}\b", code)] == []


def test_lines_are_written_through_the_table_alone():
    writers = {str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.[ch]pp")
               if re.search(r"\bap_log_(c|r|p)?error\b|\bap_log_data", path.read_text())}
    assert writers == {"src/log/log.hpp"}
