# SPDX-License-Identifier: Apache-2.0
"""The README's figures, the picture, the results they are made of, and the table say the same."""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import chart  # noqa: E402

RESULTS = json.loads((ROOT / "docs" / "measurements.json").read_text())


def test_the_picture_is_drawn_from_the_results():
    assert (ROOT / "docs" / "pictures" / "speed.svg").read_text() == chart.svg(RESULTS)
    assert "pictures/speed.svg" in (ROOT / "docs" / "measurements.md").read_text()


def test_the_figures_of_the_readme_are_those_of_the_results():
    readme = (ROOT / "README.md").read_text()
    [table] = re.findall(r"<!-- figures:begin -->\n(.*?)\n<!-- figures:end -->", readme, re.S)
    assert table == chart.figures(RESULTS), "bench/chart.py docs/measurements.json writes it"
    rows = {row["name"]: row for row in RESULTS["rows"]}
    ratios = re.findall(r"^\| .* \| (\d\.\d\d) \|$", table, re.M)
    assert ratios == [f"{rows[name]['ratio']['median']:.2f}" for name in chart.FIGURES] and len(ratios) == 5


def test_the_readme_is_one_screen():
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 90
    assert re.findall(r"\d+(?:\.\d+)? (?:us|ms|KiB)\b", re.sub(r"<!-- figures:begin -->.*<!-- figures:end -->", "", readme, flags=re.S)) == [], \
        "figures stand in the one table"


def test_the_results_are_those_of_the_table():
    table = (ROOT / "docs" / "measurements.md").read_text()
    for row in RESULTS["rows"]:
        [line] = re.findall(rf"^\| {re.escape(row['title'])} \|(.*)\|$", table, re.M)
        ratio = row["ratio"]
        assert f"{ratio['median']:.2f} ({ratio['low']:.2f}..{ratio['high']:.2f})" in line, row["title"]
        ours = row["values"]["mod_tls"]
        assert f"| {ours:.0f} {row['unit']} |" in line or f"| {ours:.2f} {row['unit']} |" in line, row["title"]


def test_nginx_stands_in_the_picture_where_it_was_measured():
    row = {"name": "full13", "unit": "us", "values": {"plain": 1.0, "mod_ssl": 4.0, "nginx": 3.0, "mod_tls": 2.0}}
    drawn = chart.svg({"machine": {"cpu": "<x>", "system": "s", "httpd": "1", "openssl": "3", "nginx": "nginx/1"}, "rounds": 3, "rows": [row]})
    assert 'class="nginx"' in drawn and "nginx/1" in drawn and "&lt;x&gt;" in drawn and "0.75 \u00b7 3 \u00b5s" in drawn
