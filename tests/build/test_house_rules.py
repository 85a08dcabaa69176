# SPDX-License-Identifier: Apache-2.0
"""What tools/house_rules.py and tools/circles.py say of sources that break a rule: a check that sees nothing is none."""
import importlib.util
import pathlib

import pytest
from harness.paths import ROOT


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house_rules, circles = tool("house_rules"), tool("circles")


@pytest.mark.parametrize("file, line, what", [
    ("src/conn/input.cpp", '#include "report/variables.hpp"', "conn may not use report"),
    ("src/report/dump.cpp", '#include "conn/tls_connection.hpp"', "report may not use conn"),
    ("src/facts/facts.hpp", '#include "report/variables.hpp"', "facts may not use report"),
    ("src/server/engine.cpp", '#include "facts/facts.hpp"', "server may not use facts"),
    ("src/log/log.hpp", '#include "server/engine.hpp"', "log may not use server"),
    ("src/apr/hook.cpp", '#include "log/log.hpp"', "apr may not use log"),
    ("src/config/policy/checks.cpp", '#include "log/log.hpp"', "config may not use log"),
    ("src/config/policy/checks.cpp", "#include <httpd.h>", "compiles without httpd"),
    ("src/report/lookup.cpp", '#include "mod_tls_bridge/src/lib.rs.h"', "report calls no Rust"),
    ("src/access/check_user.cpp", '#include "facts/handshake_facts.hpp"', "answers no request"),
])
def test_an_arrow_upwards_is_seen(file, line, what):
    found = list(house_rules.layer_breaches(pathlib.Path(file), 1, line))
    assert len(found) == 1 and what in found[0][2]


@pytest.mark.parametrize("file, line", [
    ("src/conn/input.cpp", '#include "facts/facts.hpp"'),
    ("src/access/check_user.cpp", '#include "report/variables.hpp"'),
    ("src/server/engine.cpp", '#include "mod_tls_bridge/src/lib.rs.h"'),
])
def test_an_arrow_downwards_passes(file, line):
    assert list(house_rules.layer_breaches(pathlib.Path(file), 1, line)) == []


@pytest.mark.parametrize("code, seen", [
    ("constexpr int kMost = 3;", 1), ("inline constexpr char kName[] = \"a\";", 1), ("static constexpr std::size_t mostOf{4};", 1),
    ("constexpr int most = 3;", 0), ("constexpr auto ours = hook<Text, Most>;", 0), ("constexpr State state_of(int x) { return State{x}; }", 0),
    ("// constexpr int kMost = 3;", 0), ("if constexpr (kMost == 3) {", 0)])
def test_a_constant_in_a_second_style_is_seen(code, seen):
    assert len(list(house_rules.constant_breaches(pathlib.Path("src/conn/a.cpp"), code))) == seen


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01", b"x" * 1_000_001])
def test_what_is_made_is_seen(tmp_path, content):
    (tmp_path / "core").write_bytes(content)
    assert len(list(house_rules.object_breaches(pathlib.Path("core"), tmp_path / "core"))) == 1


@pytest.mark.parametrize("line", ["fn f() -> Result<(), String> {", "made: Result<Vec<Option<Arc<u8>>>, String>,",
                                  "fn f() -> Result<\n    Vec<u8>,\n    String,\n> {"])
@pytest.mark.parametrize("file, seen", [("rust/core/src/a.rs", 1), ("rust/bridge/src/a.rs", 1), ("rust/core/src/a/tests.rs", 0),
                                        ("fuzz/src/a.rs", 0)])
def test_an_error_that_is_text_is_seen(file, seen, line):
    assert len(list(house_rules.error_breaches(pathlib.Path(file), f"{line}\nmod tests {{\n{line}\n"))) == seen


@pytest.mark.parametrize("line", ["fn f() -> Result<Vec<String>, Fault> {", "fn f() -> Result<Loaded, Vec<String>> {",
                                  "// Result<(), String>", "HashMap<u8, String>"])
def test_an_error_of_a_type_passes(line):
    assert not list(house_rules.error_breaches(pathlib.Path("rust/core/src/a.rs"), line))


def crate(directory, **files):
    for name, text in files.items():
        path = directory / f"{name.replace('__', '/')}.rs"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return circles.components(circles.Crate("sample", directory).uses())


def test_a_circle_is_seen_through_names_that_are_passed_on(tmp_path):
    found = crate(tmp_path, lib="mod room;\nmod other;\n", room__mod="mod a;\npub use a::Thing;\n",
                  room__a="use crate::other::Other;\n", other="use crate::room::Thing;\n")
    assert sorted(map(sorted, found)) == [[("other",), ("room", "a")]]


def test_a_circle_between_a_module_and_its_child_is_seen(tmp_path):
    found = crate(tmp_path, lib="mod a;\n", a="mod b;\nfn f() { b::g(); }\nfn h() {}\n", a__b="fn g() { super::h(); }\n")
    assert sorted(map(sorted, found)) == [[("a",), ("a", "b")]]


def test_tests_and_words_close_no_circle(tmp_path):
    assert crate(tmp_path, lib="mod a;\nmod b;\n", a="use crate::b::f;\n",
                 b="// crate::a::f\nconst S: &str = \"crate::a::f\";\n#[cfg(test)]\nmod tests {\n    use crate::a::f;\n}\n") == []


def included(directory, unit, **files):
    for name, lines in files.items():
        path = directory / name.replace("__", "/").replace("_hpp", ".hpp").replace("_cpp", ".cpp")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f'#include "{line}"\n' for line in lines))
    return circles.components(circles.includes(directory, unit))


def test_a_circle_of_sources_and_headers_is_seen(tmp_path):
    found = included(tmp_path, lambda path: path.with_suffix("").parts, a__x_hpp=["a/y.hpp"], a__y_hpp=[], a__y_cpp=["a/y.hpp", "a/x.hpp"],
                     a__z_cpp=["a/x.hpp"])
    assert [sorted(part) for part in found] == [[("a", "x"), ("a", "y")]]


def test_a_circle_of_folders_is_seen_where_its_files_have_none(tmp_path):
    files = {"a__x_hpp": ["b/y.hpp"], "b__y_hpp": [], "b__z_hpp": ["a/w.hpp"], "a__w_hpp": []}
    assert included(tmp_path, lambda path: path.with_suffix("").parts, **files) == []
    assert len(included(tmp_path, lambda path: path.parent.parts, **files)) == 1


terms = tool("terms")


@pytest.mark.parametrize("line", ["let board = 1;", "struct Sealer;", "const LANE_WORDS: usize = 3;", "// the courier waits",
                                  "fn catch_up() {}", "find_envelopes();", "let breaker = 1;"])
def test_an_invented_word_is_seen(line):
    assert list(terms.words("a.rs", line))


@pytest.mark.parametrize("line", ["// httpd's scoreboard", "let keyboard = 1;", "planes", "Dashboard", "switchboards", "mod circuit_breaker;"])
def test_a_word_of_the_field_is_none_of_ours(line):
    assert not list(terms.words("a.rs", line))


def test_a_second_type_of_a_name_is_seen():
    texts = [(pathlib.Path("rust/core/src/a.rs"), "pub struct Pair {"), (pathlib.Path("src/b.hpp"), "class Pair final {"),
             (pathlib.Path("src/c.hpp"), "struct Pair;\n// struct Pair {"), (pathlib.Path("rust/bridge/src/lib.rs"), "struct Pair {")]
    assert [name for name, _, _ in terms.homonyms(texts)] == [pathlib.Path("src/b.hpp")]


@pytest.mark.parametrize("first, second, seen", [
    ("pub struct Thing {", "struct Thing {", 1), ("pub(crate) enum Thing {", "enum class Thing : int {", 1),
    ("struct Thing {", "struct Thing {", 0), ("pub(super) struct Thing {", "struct Thing {", 0),
    ("pub struct Reader {", "class Reader {", 0), ("#[cfg(test)]\nmod tests {\npub struct Thing {", "struct Thing {", 0)])
def test_a_name_that_two_files_show_is_seen_unless_it_has_a_reason(first, second, seen):
    texts = [(pathlib.Path("rust/core/src/a.rs"), first), (pathlib.Path("src/b.hpp"), second)]
    assert len(list(terms.homonyms(texts))) == seen


@pytest.mark.parametrize("file, line", [("rust/core/src/ocsp/a.rs", "struct Judge {"), ("src/conn/a.hpp", "class Stream final {"),
                                        ("rust/core/src/agent/shape.rs", ""), ("rust/core/src/live/mod.rs", "")])
def test_an_english_word_that_names_nothing_of_the_field_is_seen(file, line):
    assert list(terms.names(pathlib.Path(file), line))


@pytest.mark.parametrize("file, line", [("rust/core/src/metrics/mod.rs", "mod history;"), ("src/a.hpp", "// a stream: struct Stream"),
                                        ("src/a.cpp", "struct StreamReader {")])
def test_such_a_word_may_be_a_word(file, line):
    assert not list(terms.names(pathlib.Path(file), line))
