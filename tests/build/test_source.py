# SPDX-License-Identifier: Apache-2.0
"""What the sources promise: where unsafe code may stand, what every bridge function does, which versions are the floor."""
import re
import subprocess
import tomllib

import pytest
from harness.paths import ROOT

FLOORS = {
    "rustls": (0, 23, 46),         # 0.23.45 fixed RUSTSEC-2026-0285
    "rustls-webpki": (0, 103, 17),
    "aws-lc-rs": (1, 19, 0),
    "cxx": (1, 0, 205),
    "rcgen": (0, 14, 0),
}
BRIDGE = ROOT / "rust/bridge/src"


def tracked(*patterns: str) -> list[str]:
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout
    return [name for name in out.splitlines() if (ROOT / name).is_file()]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[-+]", text)[0].split("."))


def locked() -> dict[str, list[tuple[int, ...]]]:
    found: dict[str, list[tuple[int, ...]]] = {}
    for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]:
        found.setdefault(package["name"], []).append(version(package["version"]))
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_version_floor(name):
    assert min(locked()[name]) >= FLOORS[name]


def test_cxx_and_its_generator_match():
    assert locked()["cxx"] == locked()["cxx-build"] == locked()["cxxbridge-macro"]


def test_the_engine_is_named_as_it_is_locked():
    named = {m for name in tracked("rust/*.rs") for m in re.findall(r'"rustls/(\d[\d.]*)"', (ROOT / name).read_text())}
    assert {version(text) for text in named} == set(locked()["rustls"])


def test_every_dependency_has_its_reason():
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["dependencies"]
    names = {spec.get("package", name) if isinstance(spec, dict) else name for name, spec in workspace.items()}
    documented = set(re.findall(r"[\w-]+", (ROOT / "docs/dependencies.md").read_text()))
    assert names - documented == set()


def test_rust_floor_is_what_debian_has():
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
    assert version(workspace["package"]["rust-version"]) <= (1, 96)
    common = (ROOT / "tools/common.sh").read_text()
    assert re.search(r"rust_wanted=(\S+)", common)[1].startswith(workspace["package"]["rust-version"])


def test_unsafe_stands_in_the_bridge_alone():
    holders = {name for name in tracked("*.rs") if re.search(r"\bunsafe\b(?!_)", code_of(name))}
    assert {name for name in holders if not name.startswith("rust/bridge/")} == set()


def test_the_core_forbids_unsafe():
    assert "#![forbid(unsafe_code)]" in (ROOT / "rust/core/src/lib.rs").read_text()


def code_of(name: str) -> str:
    """A Rust source without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", (ROOT / name).read_text(), flags=re.S)


def exported() -> list[str]:
    """Functions and methods that the bridge offers to C++."""
    names = []
    for path in sorted(BRIDGE.rglob("*.rs")):
        source = code_of(str(path.relative_to(ROOT)))
        for start in re.finditer(r'extern "Rust" \{', source):
            names += re.findall(r"\bfn (\w+)", source[start.end():closing_brace(source, start.end())])
    return names


def closing_brace(source: str, at: int) -> int:
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    return at


def body_of(function: str) -> str:
    """The body of the one definition of a bridge function (declarations in the ffi module end with a semicolon)."""
    bodies = []
    for path in sorted(BRIDGE.rglob("*.rs")):
        source = code_of(str(path.relative_to(ROOT)))
        for found in re.finditer(rf"\bfn {function}\b(?:[^;{{[]|\[[^]]*\])*\{{", source):
            bodies.append(source[found.end():closing_brace(source, found.end())])
    assert bodies, f"no definition of {function} found in {BRIDGE}"
    return "\n".join(bodies)


GUARD = r"\bguard\w*(::<[^>]*>)?\("


def guarding_methods() -> set[str]:
    """Methods of the bridge's own that run what they are given inside guard(..), such as one that also marks a session as spoilt."""
    methods = set()
    for path in BRIDGE.rglob("*.rs"):
        source = code_of(str(path.relative_to(ROOT)))
        for found in re.finditer(r"\n    (?:pub\(crate\) )?fn (\w+)<[^;{]*\{", source):
            if re.search(GUARD, source[found.end():closing_brace(source, found.end())]):
                methods.add(found[1])
    return methods


def test_the_bridge_offers_something():
    assert {"engine_version", "ech_tick", "resumption_tick"} <= set(exported())


@pytest.mark.parametrize("function", exported())
def test_a_panic_cannot_leave_the_bridge(function):
    through = "|".join([GUARD, *(rf"\bself\.{name}\(" for name in guarding_methods())])
    assert re.search(through, body_of(function)), f"{function} does not run inside guard(..)"


# Written so that this file does not hold what it looks for.
STRAYS = {
    "a directory of somebody's machine": r"(?<![\w.~-])/(?:home|Users|root|work)/\w",
    "the address of a package registry": r"https?://(?:[\w.-]+[.])?(?:crates[.]io|pypi[.]org|npmjs[.]org|npmjs[.]com)",
}


@pytest.mark.parametrize("what", STRAYS)
def test_sources_hold_no(what):
    found = []
    for name in tracked():
        # Configurations of the wild have the paths of the products that write them.
        if name in ("Cargo.lock", "LICENSE") or name.startswith("tests/configs/"):
            continue
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(STRAYS[what], line):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    assert found == []
