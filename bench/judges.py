#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What our validator costs beside OpenSSL's, as mod_ssl uses it: processor time of each judgement of thousands of mutants of certificates and
revocation lists, and how their verdicts differ. --write puts the result into docs/robustness.md. Fails where one costs more than twice OpenSSL's."""
import argparse
import datetime
import re
import statistics
import sys
import textwrap
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from harness import differences, judges, mutants  # noqa: E402

DOCUMENT = ROOT / "docs" / "robustness.md"
BEGIN, END = "<!-- bench/judges.py writes from here -->\n", "<!-- to here -->\n"
REPETITIONS, MOST = 7, 2.0


def report(count: int, seed: int) -> tuple[str, float]:
    """Markdown, and the worst ratio."""
    cases = list(mutants.worlds(count, seed))
    verdicts = judges.both([case.world for case in cases], release=True, repetitions=REPETITIONS)
    met = Counter(differences.of(case.changes, theirs.said, ours.said)
                  for case, (theirs, ours) in zip(cases, verdicts) if theirs.let_in != ours.let_in)
    ratios = sorted(((ours.nanoseconds / theirs.nanoseconds, case.changes) for case, (theirs, ours) in zip(cases, verdicts)), reverse=True)
    both = Counter((theirs.let_in, ours.let_in) for theirs, ours in verdicts)
    whole = sum(ours.nanoseconds for _, ours in verdicts) / sum(theirs.nanoseconds for theirs, _ in verdicts)
    quartiles = statistics.quantiles([ratio for ratio, _ in ratios], n=4)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [f"Run of {today}: {count:,} mutants of seed {seed}, a fifth of them lists. Both let in {both[True, True]:,} and refused "
             f"{both[False, False]:,}; ours alone refused {both[True, False]:,} and alone let in {both[False, True]:,}, each for a reason "
             "of this table:", "", differences.table(met), "Processor time of one judgement, reading the certificates included (release build, "
             f"the quickest of {REPETITIONS}): {whole:.2f} of OpenSSL's in sum; quartiles of the ratio {quartiles[0]:.2f}, {quartiles[1]:.2f} and "
             f"{quartiles[2]:.2f}; the worst of all {ratios[0][0]:.2f} (`{ratios[0][1]}`), {ratios[1][0]:.2f} and {ratios[2][0]:.2f}.", ""]
    if met[None]:
        lines.append(f"**{met[None]} differ without a reason.**\n")
    return "\n".join(lines), ratios[0][0] if not met[None] else MOST + 1


def wrapped(text: str) -> str:
    """Lines of at most 100 columns, but for tables."""
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 100) for line in text.split("\n"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="into docs/robustness.md")
    options = parser.parse_args()
    text, worst = report(options.count, options.seed)
    text = wrapped(text)
    print(text)
    if options.write:
        document = DOCUMENT.read_text()
        assert BEGIN in document and END in document
        DOCUMENT.write_text(re.sub(f"(?s)(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", lambda _: text, document))
    return 0 if worst <= MOST else 1


sys.exit(main())
