# SPDX-License-Identifier: Apache-2.0
"""What travels with the module: its bill of materials, the licences of what is linked into it, manual pages, ranges in the reference."""
import json
import re
import shutil
import subprocess
import sys

import pytest
from harness.paths import ROOT


def made(tool: str, folder) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / tool), str(folder)], check=True)


def linked() -> set[tuple[str, str]]:
    tree = subprocess.run(["cargo", "tree", "--locked", "-e", "normal,no-proc-macro", "-p", "mod_tls_bridge", "--prefix", "none", "--no-dedupe"],
                          cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {found for found in re.findall(r"^(\S+) v(\S+)", tree, re.M) if not found[0].startswith("mod_tls")}


def test_the_bill_names_all_that_is_linked_and_is_the_same_each_time(tmp_path):
    made("bill.py", tmp_path / "a")
    made("bill.py", tmp_path / "b")
    for name in ("sbom.cdx.json", "NOTICE"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    bill = json.loads((tmp_path / "a" / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {(c["name"], c["version"]) for c in bill["components"]} == linked()
    refs = [c["bom-ref"] for c in bill["components"]]
    assert len(set(refs)) == len(refs)
    for component in bill["components"]:
        assert component["licenses"][0]["expression"] and re.fullmatch("[0-9a-f]{64}", component["hashes"][0]["content"]), component
    for edge in bill["dependencies"]:
        assert edge["ref"] in refs and set(edge["dependsOn"]) <= set(refs)


def test_the_licences_of_all_that_is_linked_are_repeated(tmp_path):
    made("bill.py", tmp_path)
    text = (tmp_path / "NOTICE").read_text()
    for name, version in linked():
        assert re.search(rf"^{re.escape(name)} {re.escape(version)}: \S", text, re.M), name
    for name in ("aws-lc-sys", "rustls", "subtle", "foldhash"):
        assert re.search(rf"^{name} \S+ \([^)]*LICENSE", text, re.M), f"the licence text of {name}"
    assert "/registry/" not in text and str(ROOT) not in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is what shows manual pages")
@pytest.mark.parametrize("page, words", [("mod_tls.5", ("TLSCertificate", "SSLCertificateFile", "TLSSessionTicketCount")),
                                         ("mod-tls-switch.8", ("to-rustls", "to-openssl", "status", "watch", "report", "APACHE_CONFDIR="))])
def test_manual_pages_can_be_shown(tmp_path, page, words):
    made("manual.py", tmp_path)
    shown = subprocess.run(["groff", "-man", "-Tutf8", "-wall", "-P-c", str(tmp_path / page)], capture_output=True, text=True, check=True)
    assert shown.stderr == "", shown.stderr
    text = re.sub(".\b", "", shown.stdout).replace("\N{HYPHEN}\n", "").replace("\N{MINUS SIGN}", "-").replace("\N{HYPHEN}", "-")
    for word in words:
        assert word in text, word


def test_every_directive_is_in_the_manual(tmp_path):
    made("manual.py", tmp_path)
    manual = (tmp_path / "mod_tls.5").read_text()
    for word in re.findall(r"^### (\w+)", (ROOT / "docs" / "directives.md").read_text(), re.M):
        assert f'.SS "{word}"' in manual, word


def test_ranges_of_numbers_are_in_the_reference():
    reference = (ROOT / "docs" / "directives.md").read_text()
    found = []
    for file in (ROOT / "src" / "config" / "vocabulary").glob("*_rows.hpp"):
        # A row with an empty text is the same directive in another scope.
        found += re.findall(r'number<(\d+), (\d+)>>\(\s*"(\w+)"[^;]*?\{"[^"]*", [^,]*,\s*"([^"]*)', file.read_text())
    assert len(found) >= 5
    for least, most, name, text in found:
        if text:
            section = re.search(rf"^### {name}$.*?(?=^### )|^\| `{name} .*?$", reference, re.M | re.S)
            assert f"from {least} to {most}" in section[0], name


def test_log_lines_are_sorted_by_number():
    ids = re.findall(r"^\| ((?:TLS|AH)\d+) \|", (ROOT / "docs" / "log-messages.md").read_text(), re.M)
    assert len(ids) > 70 and ids == sorted(ids, key=lambda one: (one.startswith("AH"), one))


def test_files_that_documents_and_comments_name_are_there():
    named = re.compile(r"(?<![\w/.@$}-])((?:src|rust|docs|tests|tools|bench|fuzz|debian|packaging|examples|cmake)/[\w./-]*\w\.(?:md|rs|[ch]pp|c|py|sh|def|toml|txt|"
                       r"json|conf|ya?ml|cmake|map|svg|png|go))\b")
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    # A build of somebody else's tree is named where it is about that; the example of CONTRIBUTING.md is not there yet.
    examples = {"tests/httpd/test_x.py", "tests/httpd/test_extended_master_secret.py", "tests/httpd/test_require_sni.py", "tests/harness/NAME.c"}
    missing = []
    for name in tracked:
        if name.startswith(("fuzz/corpus/", "tests/data/", "tests/configs/", "tests/build/")) or name.endswith("build.rs") or not name.endswith((".md", ".rs", ".cpp", ".hpp", ".py", ".sh", ".def")):
            continue
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            missing += [f"{name}:{number}: {file}" for file in named.findall(line) if file not in examples and not (ROOT / file).exists()]
    assert missing == []
