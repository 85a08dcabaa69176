# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets are built by hand: what they are made of is there, each is on every list, and each can be given a fault to find."""
import re
import subprocess
import sys

from harness.paths import ROOT

sys.path.insert(0, str(ROOT / "fuzz"))
import planted  # noqa: E402

FUZZ = ROOT / "fuzz"


def targets() -> list[str]:
    done = subprocess.run([ROOT / "tools" / "fuzz.sh", "list"], capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


def test_every_target_is_on_every_list():
    rust = re.findall(r'^name = "(\w+)"\npath = "fuzz_targets/\1.rs"', (FUZZ / "Cargo.toml").read_text(), re.M)
    own = [file.stem for file in (FUZZ / "cpp").glob("*.cpp") if file.stem != "entry"]
    assert sorted(rust + own) == targets()
    assert {file.stem for file in (FUZZ / "fuzz_targets").glob("*.rs")} == {*rust, "limited"}
    assert {folder.name for folder in (FUZZ / "corpus").iterdir()} == set(targets())
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| [^|]+ \|$", (ROOT / "docs" / "robustness.md").read_text(), re.M)
    assert set(targets()) <= {name for row in table for name in re.findall(r"`(\w+)`", row)}


def test_programs_can_call_what_they_run():
    offered = (FUZZ / "src" / "lib.rs").read_text()
    for program in (FUZZ / "fuzz_targets").glob("*.rs"):
        for called in re.findall(r"mod_tls_fuzz::(\w+)", program.read_text()):
            assert re.search(rf"^pub (fn {called}\b|use [^;]*\b{called}\b)", offered, re.M), f"{program.name}: {called}"


def test_the_sources_of_those_in_cpp_are_there():
    text = (FUZZ / "cpp" / "CMakeLists.txt").read_text().replace("${stub}", "${top}/tests/unit/httpd_stub")
    named = re.findall(r"\$\{top\}/([\w/]+\.cpp)", text)
    assert len(named) > 4
    assert [file for file in named if not (ROOT / file).exists()] == []


def test_a_fault_can_be_planted_for_each():
    """fuzz/planted.py has the targets find them, which takes longer than a test may."""
    assert sorted(planted.FAULTS) == targets()
    for target, (file, old, new, *_) in planted.FAULTS.items():
        assert (ROOT / file).read_text().count(old) == 1, f"{target}: {file} does not have {old!r} once"
        assert old != new
