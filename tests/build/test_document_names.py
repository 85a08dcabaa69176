# SPDX-License-Identifier: Apache-2.0
"""What documents name exists: files, tests and functions, directives, ids of log lines, metrics, verbs of ./dev, pages."""
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from harness.paths import ROOT

CODE = (".py", ".rs", ".cpp", ".hpp", ".c", ".def", ".sh", ".go")
FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|rs|[ch]pp|c|def|sh|go|md|json|toml))(?:::(\w+))?`")
FUNCTION = re.compile(r"`::(\w+)`|`(test_\w+)`")
DIRECTIVE = re.compile(r"\b((?:TLS|SSL)[A-Z][a-z]\w+)")
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#([^)]*))?\)")
# Not ours: what a build makes, what mod_status shows, a line of httpd's core, and an error of Python's.
OTHERS = {"sbom.cdx.json", "TLSFullHandshakes", "TLSFailedHandshakes", "TLSHandshakeFailures", "02324", "SSLError"}
# The beginnings of families, and what CONTRIBUTING.md adds as examples.
OTHERS |= {"TLSProxy", "SSLProxy", "TLSRequireEMS", "TLSRequireSNI", "tests/httpd/test_extended_master_secret.py", "tests/httpd/test_require_sni.py"}


@cache
def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


@cache
def code(under: str = "") -> str:
    return "\n".join((ROOT / name).read_text() for name in tracked() if name.startswith(under) and name.endswith(CODE) and (ROOT / name).exists())


@cache
def known() -> dict[str, set[str]]:
    return {
        "function": set(re.findall(r"\b(?:fn|def) (\w+)", code())) | {"main"},
        "directive": set(re.findall(r'"((?:TLS|SSL)\w+)"', code("src/config/vocabulary/"))),
        "id": set(re.findall(r"_MESSAGE\(\w+, (\d+)", (ROOT / "src/log/messages.def").read_text())),
        "metric": set(re.findall(r"^## (mod_tls_\w+)", (ROOT / "docs/metrics.md").read_text(), re.M)),
        "verb": set(re.findall(r"^ +([a-z]+)\)", (ROOT / "dev").read_text(), re.M)) | {"help"},
    }


def anchors(page: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}


def problems(text: str, page: Path) -> list[str]:
    """What the text names and is not there."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    found = []
    for file, function in FILE.findall(prose):
        if file not in OTHERS and not any(name == file or name.endswith(f"/{file}") for name in tracked()):
            found.append(f"no file {file}")
        elif function and function not in known()["function"]:
            found.append(f"no function {function}")
    found += [f"no function {name}" for names in FUNCTION.findall(prose) for name in names if name and name not in known()["function"]]
    found += [f"no directive {name}" for name in DIRECTIVE.findall(prose)
              if not name.startswith(("TLSv", "SSLv")) and name not in known()["directive"] | OTHERS]
    found += [f"no line {name}" for name in re.findall(r"\b(?:TLS|AH)(\d{4,5})\b", prose) if name not in known()["id"] | OTHERS]
    found += [f"no metric {name}" for name in re.findall(r"`(mod_tls_\w+?)(?:_bucket|_sum|_count)?[`{]", prose)
              if name not in known()["metric"] | {"mod_tls_core", "mod_tls_bridge"}]
    found += [f"no verb {name}" for name in re.findall(r"`\./dev\s+([a-z]+)", prose) if name not in known()["verb"]]
    for target, fragment in LINK.findall(prose):
        aim = page.parent / target
        if not aim.exists():
            found.append(f"no page {target}")
        elif fragment and fragment not in anchors(aim):
            found.append(f"no heading {fragment} in {target}")
    return found


@pytest.mark.parametrize("name", [name for name in tracked() if name.endswith(".md") and not name.startswith("tests/data/")])
def test_what_a_document_names_exists(name):
    page = ROOT / name
    assert problems(page.read_text(), page) == []


@pytest.mark.parametrize("wrong, said", [
    ("`verify/nothing.rs`", "no file verify/nothing.rs"),
    ("`tests/httpd/test_sni.py::test_of_nothing`", "no function test_of_nothing"),
    ("`test_sni.py`, `::test_of_nothing`", "no function test_of_nothing"),
    ("`test_of_nothing`", "no function test_of_nothing"),
    ("Write `TLSCertificates a.pem`.", "no directive TLSCertificates"),
    ("The log has TLS0999.", "no line 0999"),
    ('`mod_tls_handshake_total{kind="full"}`', "no metric mod_tls_handshake_total"),
    ("`./dev\nmeasure`", "no verb measure"),
    ("[a](docs/nothing.md)", "no page docs/nothing.md"),
    ("[a](docs/ech.md#of-nothing)", "no heading of-nothing in docs/ech.md"),
])
def test_and_the_check_finds_what_does_not(wrong, said):
    assert problems(wrong, ROOT / "README.md") == [said]
