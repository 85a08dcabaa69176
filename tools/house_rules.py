#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that no compiler knows: file sizes, layers, where httpd's types may stand, no loose ends.
Prints FILE:LINE: WHAT for every breach. --fix adds missing licence lines."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
MAX_LINES = 400
MAX_BYTES = 1_000_000
# What the bridge offers to C++ says in so few lines what the core is to do; lines of brackets alone do not count.
MAX_OFFERED_LINES = 5
# Which layers of src/ a layer may include, besides itself. Arrows point downwards only.
LAYERS = {
    "module": {"conn", "access", "report", "facts", "server", "log", "apr", "config"},
    "conn": {"facts", "server", "log", "apr", "config"},
    "access": {"report", "facts", "server", "log", "apr", "config"},
    "report": {"facts", "server", "log", "apr", "config"},
    "facts": {"server", "log", "apr", "config"},
    "server": {"log", "apr", "config"},
    "log": {"apr"},
    "apr": {"config"},
    "config": set(),
    "inject": set(),
}
# Who calls Rust. apr has cxx's own types alone.
BRIDGE_HEADER = '#include "mod_tls_bridge/'
KNOW_THE_BRIDGE = {"server", "conn", "facts"}
# The clock that people set: for validity, ages and what is shown. Deadlines and durations ask apr::monotonic().
WALL_CLOCK = re.compile(r"\b(apr_time_now\s*\(|CLOCK_REALTIME|system_clock|std::time\s*\(|gettimeofday)")
WALL_CLOCK_FILES = {"src/facts/certificates.cpp", "src/report/request_variables.cpp"}
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX)\b|unimplemented!|todo!\(|#\[ignore")
HTTPD_HEADER = re.compile(r'#include\s*[<"](httpd|http_\w+|apr\w*|ap_\w+|util_filter|apr/\w+)\.h')
# What the handshake thinks of a client answers no request: these alone may know it.
HANDSHAKE_FACTS = re.compile(r"handshake_facts\b|\"conn/connection\.hpp\"")
KNOW_THE_HANDSHAKE = {"src/conn/" + name for name in (
    "connection.hpp", "connection.cpp", "handshake.cpp", "limits.cpp", "failure.cpp", "hooks.cpp")} | {
    "src/facts/handshake_facts.hpp", "src/facts/request_facts.cpp", "src/facts/forwarded.cpp", "src/facts/facts.hpp",
    "src/module/mod_tls.cpp"}
# Files of the configuration are opened in one place, which waits for nothing and takes regular files alone.
OPENERS = re.compile(r"\bFile::(open|create|options)\b|\bOpenOptions::new|\bfs::(read|read_to_string|read_dir|metadata|"
                     r"symlink_metadata|canonicalize|copy)\b|\.(is_dir|is_file|exists|read_dir|metadata)\(\)|"
                     r"\bfs::open(at)?\b")
CPP_OPENERS = re.compile(r"\b[io]?fstream\b|\bfopen\b|\bapr_file_open\b|::open\(|\bap_pcfg_openfile\b")
MAY_OPEN = {"rust/core/src/system/file.rs", "rust/core/src/system/file/log.rs", "rust/core/src/creds/terminal.rs"}
# The kernel's own files, by names that no configuration gives, and what is open already.
KERNELS = re.compile(r'"/(proc|sys|dev)/|file\.metadata\(\)')
# Where peers' octets are read, and what is beneath: no number of theirs ends in arithmetic that can panic.
CAREFUL = "deny(clippy::arithmetic_side_effects)"
READ_PEERS = ["rust/core/src/" + name for name in (
    "agent/protocol.rs", "base64.rs", "creds/ber.rs", "creds/pem.rs", "creds/pkcs12.rs", "ech/mod.rs", "fetch/http.rs", "fetch/resolve.rs",
    "fetch/url.rs", "ocsp/mod.rs", "ticket/mod.rs", "tls/hello.rs", "tls/reader.rs", "tls/session/incoming.rs",
    "verify/mod.rs", "x509/mod.rs")]
# A virtual host has one name in whatever people read (src/server/host_label.hpp); these want its ServerName alone.
SERVER_NAME = re.compile(r"\bserver_hostname\b")
KNOW_SERVER_NAMES = {"src/server/" + name for name in (
    "host_label.cpp", "vhosts.cpp", "ech.cpp", "credentials.cpp", "checks.cpp", "metrics.cpp")} | {"src/access/host_policy.cpp"}
INCLUDE = re.compile(r'#include "(\w+)/')
# Errors are types of their own, which implement Error: who calls can tell them apart, and their texts stand in one place.
NESTED = r"(?:[^<>]|<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>)*"
ERROR_OF_TEXT = re.compile(rf"\bResult<{NESTED},\s*String\s*,?\s*>")
# Constants of C++ are written as variables are, whatever else is the habit elsewhere.
CONSTANT = re.compile(r"\bconstexpr\b[^=({;]*?\b(\w*[A-Z]\w*)(?:\[\w*\])*\s*(?:=|\{)")
# Whose a source file is, in its first line, or its second after #!: for those who take one file out of the project.
SPDX = "SPDX-License-Identifier: Apache-2.0"
COMMENT = {".rs": "//", ".cpp": "//", ".hpp": "//", ".h": "//", ".c": "//", ".def": "//", ".go": "//", ".java": "//",
           ".py": "#", ".sh": "#", ".cmake": "#"}
# The exception wall (src/apr/hook.hpp): what takes a function of ours that httpd, APR or a module will call, and the
# members of httpd's tables that are such functions.
TAKES_FUNCTION = re.compile(
    r"\b(ap_hook_(?!get_)\w+|APR_OPTIONAL_HOOK|APR_REGISTER_OPTIONAL_FN|ap_register_(?:in|out)put_filter\w*|"
    r"apr_pool_(?:pre_)?cleanup_register|apr_dynamic_fn_register|apr_thread_create|apr_thread_start|"
    r"apr_proc_other_child_register|apr_table_(?:v?)do|ap_vhost_iterate_given_conn|ap_ssl_ocsp_get_resp|"
    r"answer_expression(?!\s*\(const)|register_log_handler|apr_hash_do|apr_skiplist_\w*set_compare|ap_mpm_register_timed_callback\w*|qsort)\s*\(")
TABLE_OF_FUNCTIONS = re.compile(
    r"(\.(?:create|merge)_(?:dir|server)_config|\.register_hooks|\bauthz_provider \w+|\bauthn_provider \w+)\s*=\s*([^;]*?)[,;]\n",
    re.S)
BEHIND_THE_WALL = re.compile(r"\bhook<")
NAMED_HOOK = re.compile(r"constexpr auto (\w+) = (?:tls::)?(?:apr::)?hook<")
# noexcept stands where nothing can throw: in the wall, in constants, in what the wall or Rust calls, which call C alone.
NOEXCEPT_FILES = {"src/conn/sink.hpp", "src/conn/sink.cpp", "src/log/assertion.cpp", "src/server/session_cache.hpp", "src/server/session_cache.cpp"}
NOEXCEPT = re.compile(r"\bnoexcept\b")
THROWS_NOTHING = re.compile(r"\bconst char\* why\b|\blose\(\)|\bbound\(const conn_rec\* c\)|\bconstexpr\b|~")


def listed(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                         cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [TOP / name for name in out.split("\n") if name and (TOP / name).exists()]


def object_breaches(name, path):
    """What is made, not written: an object file, a core, anything large."""
    with path.open("rb") as file:
        if file.read(4) == b"\x7fELF":
            yield name, 1, "an object file or a core: it is made, and does not belong to the sources"
    if path.stat().st_size > MAX_BYTES:
        yield name, 1, f"more than {MAX_BYTES} bytes: tests make their large data, or keep it packed"


def own_sources():
    """Every source file that is ours: not what tests read as data, nor what somebody else wrote."""
    for path in listed("src", "rust", "tests", "tools", "fuzz", "cmake", "CMakeLists.txt", "examples"):
        parts = path.relative_to(TOP).parts
        if parts[:2] in (("tests", "data"), ("fuzz", "corpus"), ("rust", "vendor")):
            continue
        if path.suffix in COMMENT or path.name == "CMakeLists.txt":
            yield path


def with_spdx(path):
    """The text of a source file with its licence line, where it has none."""
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    at = 1 if lines and lines[0].startswith("#!") and not lines[0].startswith("#![") else 0
    if any(SPDX in line for line in lines[at:at + 1]):
        return text
    return "".join(lines[:at]) + f"{COMMENT.get(path.suffix, '#')} {SPDX}\n" + "".join(lines[at:])


def breaches():
    for path in listed():
        yield from object_breaches(path.relative_to(TOP), path)
    yield from bridge_breaches()
    for path in listed("src/*", "tests/*", "fuzz/*", "bench/*", "examples/*"):
        if path.suffix in (".cpp", ".hpp", ".h"):
            yield from constant_breaches(path.relative_to(TOP), path.read_text())
    for name in READ_PEERS:
        if CAREFUL not in (TOP / name).read_text():
            yield name, 1, f"reads what peers send: #![cfg_attr(not(test), {CAREFUL})]"
    for path in own_sources():
        if with_spdx(path) != path.read_text():
            yield path.relative_to(TOP), 1, f"no line “{SPDX}”: ./dev format adds it"
    for path in listed("src/*", "rust/*.rs"):
        name = path.relative_to(TOP)
        lines = path.read_text().splitlines()
        if len(lines) > MAX_LINES and path.suffix in (".cpp", ".hpp", ".rs"):
            yield name, len(lines), f"more than {MAX_LINES} lines: two ideas in one file"
        if path.suffix in (".cpp", ".hpp"):
            yield from wall_breaches(name, path.read_text())
        for number, line in enumerate(lines, 1):
            if LOOSE_END.search(line):
                yield name, number, "a loose end: finish it or leave it out"
            if path.suffix != ".rs" and str(name) not in WALL_CLOCK_FILES and WALL_CLOCK.search(line.split("//")[0]):
                yield name, number, "the clock of the day; deadlines and durations take apr::monotonic()"
            if SERVER_NAME.search(line.split("//")[0]) and str(name) not in KNOW_SERVER_NAMES:
                yield name, number, "a name of a virtual host of its own; it is host_label's"
            yield from layer_breaches(name, number, line)
        yield from opener_breaches(name, lines)
        yield from error_breaches(name, path.read_text())


def constant_breaches(name, text):
    """Constants in a second style."""
    code = re.sub(r"//[^\n]*", "", text)
    for found in CONSTANT.finditer(code):
        yield name, code.count("\n", 0, found.start()) + 1, f"{found[1]}: constants are lower_case"


def error_breaches(name, text):
    """Functions of the core and the bridge whose errors are nothing but text. Tests may have some."""
    if name.parts[:2] not in (("rust", "core"), ("rust", "bridge")) or "tests" in str(name):
        return
    code = re.sub(r"//[^\n]*", "", text.split("\nmod tests {")[0])
    for found in ERROR_OF_TEXT.finditer(code):
        yield name, code.count("\n", 0, found.start()) + 1, "an error that is text: a type of its own has it, and implements Error"


def closing_brace(code, at):
    """Where the brace ends that is open at `at`."""
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        at += 1
    return at


def bridge_breaches():
    """Functions offered to C++ that do more than hand over what the core does."""
    sources = {path.relative_to(TOP): re.sub(r"//[^\n]*", "", path.read_text()) for path in listed("rust/bridge/src/*.rs")}
    offered = {function for code in sources.values() for start in re.finditer(r'extern "Rust" \{', code)
               for function in re.findall(r"\bfn (\w+)", code[start.end():closing_brace(code, start.end())])}
    for name, code in sources.items():
        for found in re.finditer(r"\bfn (\w+)\b(?:[^;{[]|\[[^]]*\])*\{", code):
            body = code[found.end():closing_brace(code, found.end()) - 1]
            lines = sum(bool(re.search(r"\w", line)) for line in body.split("\n"))
            if found[1] in offered and lines > MAX_OFFERED_LINES:
                yield (name, code.count("\n", 0, found.start()) + 1,
                       f"{found[1]} has {lines} lines: the bridge hands over, rust/core does")


def opener_breaches(name, lines):
    """Whoever opens a file without the opener. Tests and benches may."""
    rust = name.parts[0] == "rust"
    if str(name) in MAY_OPEN or "tests" in str(name) or "benches" in name.parts:
        return
    for number, line in enumerate(lines, 1):
        if rust and line.startswith("mod tests {"):
            return
        used = (OPENERS if rust else CPP_OPENERS).search(line)
        if used and not line.lstrip().startswith("//") and not KERNELS.search(line):
            yield name, number, f"{used[0]}: files are opened by rust/core/src/system/file.rs alone"


def call_from(text, start):
    """The text of a call, from its name to its closing parenthesis."""
    depth = 0
    for at in range(text.index("(", start), len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at + 1]
    return text[start:]


def wall_breaches(name, text):
    """What could throw through httpd's C."""
    code = re.sub(r"//[^\n]*", lambda comment: " " * len(comment[0]), text)
    named = NAMED_HOOK.findall(code)
    for found in TAKES_FUNCTION.finditer(code):
        call = call_from(code, found.start())
        if not BEHIND_THE_WALL.search(call) and not any(re.search(rf"\b{other}\b", call) for other in named):
            yield name, code.count("\n", 0, found.start()) + 1, f"{found[1]} takes a function that is not made by apr::hook"
    for found in TABLE_OF_FUNCTIONS.finditer(code):
        if not BEHIND_THE_WALL.search(found[2]):
            yield name, code.count("\n", 0, found.start()) + 1, f"{found[1]}: the function is not made by apr::hook"
    if name.parts[1] in ("apr", "inject") or str(name) in NOEXCEPT_FILES:
        return
    for found in NOEXCEPT.finditer(code):
        begin = max(code.rfind(mark, 0, found.start()) for mark in ";{}")
        if not THROWS_NOTHING.search(code[begin + 1:found.start()]):
            yield name, code.count("\n", 0, found.start()) + 1, "noexcept, and something below may throw: see src/apr/hook.hpp"


def layer_breaches(name, number, line):
    if name.parts[0] != "src":
        return
    layer = name.parts[1]
    if layer == "config" and HTTPD_HEADER.search(line):
        yield name, number, "src/config compiles without httpd"
    if HANDSHAKE_FACTS.search(line) and str(name) not in KNOW_THE_HANDSHAKE:
        yield name, number, "what the handshake made of the client answers no request: facts/request_facts.hpp does"
    used = INCLUDE.match(line)
    if line.startswith(BRIDGE_HEADER) and layer not in KNOW_THE_BRIDGE:
        yield name, number, f"{layer} calls no Rust: {', '.join(sorted(KNOW_THE_BRIDGE))} do"
    if used and used[1] in LAYERS and used[1] != layer and used[1] not in LAYERS.get(layer, set()):
        yield name, number, f"{layer} may not use {used[1]}"


def main():
    if sys.argv[1:] == ["--fix"]:
        for path in own_sources():
            if (text := with_spdx(path)) != path.read_text():
                path.write_text(text)
        return 0
    found = list(breaches())
    for name, number, what in found:
        print(f"{name}:{number}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
