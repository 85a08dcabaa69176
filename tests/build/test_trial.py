# SPDX-License-Identifier: Apache-2.0
"""Adding a directive is what CONTRIBUTING.md says, in as many files, and what is forgotten of it does not compile.
`./dev trial` builds the example and runs its tests too."""
import importlib.util
import re
import shutil
import subprocess

import pytest
from harness.paths import ROOT

spec = importlib.util.spec_from_file_location("trial", ROOT / "tools/trial.py")
trial = importlib.util.module_from_spec(spec)
spec.loader.exec_module(trial)

NEGOTIATED = "src/config/policy/negotiated.def"
DESCRIBE, ENCODE = "src/config/policy/describe.cpp", "src/config/policy/negotiated.cpp"
ROWS = "src/config/vocabulary/all_rows.hpp"
MEMBERS = {NEGOTIATED: "rust/core/src/tls/policy/spec.rs", "src/config/policy/backend.def": "rust/core/src/backend/settings.rs"}
STEPS = {step.file: step for step in trial.steps(trial.DIRECTIVE)}
SWITCH = {step.file: step for step in trial.steps(trial.SWITCH)}
HOST = "src/config/policy/host.def"
EFFECTIVE = "src/config/policy/effective.cpp"


@pytest.fixture
def tree(tmp_path):
    """The sources that the examples touch, with both in them."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    for name in STEPS | SWITCH:
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    for step in (*STEPS.values(), *SWITCH.values()):
        step.apply(tmp_path)
    return tmp_path


def compiled(tree, *files: str) -> str:
    """What the compiler says of files of src/config, which need no httpd; nothing where it takes them."""
    done = subprocess.run(["g++", "-std=c++20", "-fsyntax-only", "-x", "c++", "-Wno-pragma-once-outside-header", "-I", "src", *files],
                          cwd=tree, capture_output=True, text=True)
    assert (done.returncode == 0) == (" error: " not in done.stderr), done.stderr
    return done.stderr if done.returncode else ""


def changed(path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("title", trial.CHAPTERS)
def test_the_count_is_that_of_the_list(title):
    assert len(trial.steps(title)) == trial.promised(title) <= 7


def test_the_example_compiles_and_keeps_to_the_format(tree):
    assert compiled(tree, DESCRIBE, ENCODE, EFFECTIVE, ROWS) == ""
    for name in ("clang-format", str(ROOT / "build/venv/bin/clang-format")):
        if shutil.which(name):
            sources = [file for file in STEPS | SWITCH if file.endswith((".cpp", ".hpp"))]
            subprocess.run([name, f"--style=file:{ROOT}/.clang-format", "--dry-run", "--Werror", *sources], cwd=tree, check=True)
            break
    rust = [file for file in STEPS if file.endswith(".rs")]
    subprocess.run(["rustfmt", "--edition", "2024", "--check", *rust], cwd=tree, check=True)
    for file in rust:
        assert len((tree / file).read_text().splitlines()) <= 400, file


def test_a_member_without_a_row_does_not_compile(tree):
    shutil.copy2(ROOT / "src/config/vocabulary/tls_rows.hpp", tree / "src/config/vocabulary/tls_rows.hpp")
    assert "every member of ServerSettings needs a row" in compiled(tree, ROWS)


# Columns that somebody may forget: how it is described, where it was written, whether virtual hosts are compared by it.
@pytest.mark.parametrize("forgotten, file", [(', "extended master secret", v ? "required" : "if offered"', DESCRIBE),
                                             (', v ? "required" : "if offered"', DESCRIBE),
                                             (",\n               w.require_ems", DESCRIBE),
                                             ("Compared, ", ENCODE)])
def test_a_row_that_leaves_out_what_a_policy_needs_does_not_compile(tree, forgotten, file):
    [(_, row)] = STEPS[NEGOTIATED].edits
    changed(tree / NEGOTIATED, row, row.replace(forgotten, "", 1))
    assert " error: " in compiled(tree, file)


@pytest.mark.parametrize("forgotten", [', "requests without SNI", v ? "403" : "served"', ', v ? "403" : "served"'])
def test_a_switch_that_is_not_described_does_not_compile(tree, forgotten):
    [(_, row)] = SWITCH[HOST].edits
    changed(tree / HOST, row, row.replace(forgotten, "", 1))
    assert " error: " in compiled(tree, DESCRIBE)


# What a policy has besides its rows is named by describe, whichever part it is of.
@pytest.mark.parametrize("member", ["EchPolicy ech;", "bool isolation = true;", "bool nonce = true;", "std::string crl_path;",
                                    "std::uint32_t retry_s = 600;", "std::uint32_t padding = 1024;"])
def test_a_member_that_is_not_described_does_not_compile(tree, member):
    changed(tree / "src/config/policy/effective.hpp", f"  {member}", f"  {member}\n  bool forgotten = false;")
    assert " error: " in compiled(tree, DESCRIBE)


def test_a_setting_of_sections_that_is_not_described_does_not_compile(tree):
    changed(tree / "src/config/settings.hpp", "  Setting<ClientCertHeader> client_cert_header;",
            "  Setting<ClientCertHeader> client_cert_header;\n  Setting<bool> forgotten;")
    assert "every member of DirectorySettings needs a row" in compiled(tree, DESCRIBE)


@pytest.mark.parametrize("member", ["bool nonce = true;", "std::string crl_path;"])
def test_a_member_that_judges_clients_and_is_not_encoded_does_not_compile(tree, member):
    assert compiled(tree, EFFECTIVE) == ""
    changed(tree / "src/config/policy/effective.hpp", member, f"{member}\n  bool forgotten = false;")
    assert " error: " in compiled(tree, EFFECTIVE)


@pytest.mark.parametrize("table", MEMBERS)
def test_both_languages_have_the_members_in_one_order(table):
    rows = re.findall(r"^TLS_\w+\((?:[\w:]|<[^>]*>)+, (\w+),", (ROOT / table).read_text(), re.M)
    rust = re.search(r"\nsettings! \{\n(?!    value)(.*?)\n\}\n", (ROOT / MEMBERS[table]).read_text(), re.S)[1]
    assert len(rows) > 10 and rows == re.findall(r"^        (?:pub )?(\w+): ", rust, re.M)


def members_of(name: str) -> list[str]:
    body = re.search(rf"^struct {name} \{{\n(.*?)^\}};", (ROOT / "src/config/settings.hpp").read_text(), re.M | re.S)[1]
    return re.findall(r"^  Setting<.+> (\w+);", body, re.M)


@pytest.mark.parametrize("name", ["ServerSettings", "DirectorySettings", "ProxySettings"])
def test_every_setting_is_read_by_somebody(name):
    """A row parses it; that nobody goes by it would be silent."""
    members = members_of(name)
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*") if path.suffix in (".cpp", ".hpp", ".def")
                     and path.parent.name != "vocabulary" and path.name != "settings.hpp")
    assert len(members) > 10
    assert [member for member in members if not re.search(rf"[.>]{member}\b", code)] == []


def test_every_member_of_a_policy_is_used_by_rust():
    for table, file in MEMBERS.items():
        code = "\n".join(path.read_text() for path in (ROOT / "rust/core/src").rglob("*.rs") if "tests" not in path.name)
        for member in re.findall(r"^TLS_\w+\((?:[\w:]|<[^>]*>)+, (\w+),", (ROOT / table).read_text(), re.M):
            assert re.search(rf"\.{member}\b", code), (table, member)
