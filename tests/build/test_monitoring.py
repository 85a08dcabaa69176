# SPDX-License-Identifier: Apache-2.0
"""Alert rules and dashboard ask for metrics and labels that there are, in Prometheus' language."""
import json
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]
RULES = TOP / "examples" / "monitoring" / "alerts.yml"
DASHBOARD = TOP / "examples" / "monitoring" / "dashboard.json"


def known() -> dict[str, set[str]]:
    """Metrics and the names of their labels, by docs/metrics.md, which a test of Rust compares with the code."""
    found: dict[str, set[str]] = {}
    for part in (TOP / "docs" / "metrics.md").read_text().split("\n## ")[1:]:
        name, kind = part.split("\n")[0], part.split("\n")[2].split(":")[0]
        labels = set(re.findall(r"`(\w+)[=`]", part)) | {"instance", "job"}
        for ending in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            found[name + ending] = labels | ({"le"} if ending == "_bucket" else set())
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rules = re.findall(r"expr: (?:\|\n)?(.*\n(?: {12}.*\n)*)", RULES.read_text())
    return [target["expr"] for panel in panels for target in panel["targets"]] + rules


def test_what_is_asked_for_is_there():
    metrics = known()
    asked = expressions()
    assert len(asked) > 35
    for expression in asked:
        names = re.findall(r"\b(mod_tls_\w+)(?:\{([^}]*)\})?", expression)
        assert names, expression
        for name, selector in names:
            assert name in metrics, f"{name} in {expression}"
            assert set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", selector)) <= metrics[name], expression


def test_the_dashboard_shows_every_metric():
    shown = " ".join(target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"])
    asked = json.dumps(json.loads(DASHBOARD.read_text())["templating"])
    missing = {re.sub("_(bucket|sum|count)$", "", name) for name in known()} - set(re.findall(r"mod_tls_\w+?(?=_bucket|\W)", shown + asked))
    assert not missing


def test_panels_of_the_dashboard_do_not_overlap():
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_rules_and_dashboard_leave_out_what_the_page_calls_noise():
    noise = set(re.findall(r'`reason="(\w+)"` \(noise\)', (TOP / "docs" / "metrics.md").read_text()))
    for file, count in ((RULES, 3), (DASHBOARD, 2)):
        left_out = re.findall(r'reason!~\\?"([^"\\]+)', file.read_text())
        assert len(left_out) == count and all(set(one.split("|")) == noise for one in left_out), file


def test_promtool_finds_nothing_wrong(tmp_path):
    asked = [expression.replace("$__rate_interval", "5m").replace("$instance", ".*") for expression in expressions()]
    rules = [{"record": f"a:b{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    for path in (RULES, file):
        done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
