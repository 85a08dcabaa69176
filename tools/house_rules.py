#!/usr/bin/python3
"""House rules that no compiler knows: file sizes, where httpd's types and `unsafe` may stand, no loose ends.
Prints FILE:LINE: WHAT for every breach, and a note for what is only close to one."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
AIM_LINES, MAX_LINES = 400, 500
# The declaration of the one boundary between the languages: a list, which cxx wants in one place.
BOUNDARY = pathlib.Path("rust/bridge/src/lib.rs")
# Which layers of src/ a layer may include, besides itself. Arrows point downwards only. Log lines (report/log.hpp) may
# come from everywhere but config.
LAYERS = {
    "module": {"conn", "access", "report", "server", "config", "apr", "module"},
    "conn": {"report", "server", "config", "apr"},
    "access": {"report", "server", "config", "apr", "conn"},
    "report": {"server", "config", "apr", "conn"},
    "server": {"config", "apr"},
    "config": set(),
    "apr": {"config"},
}
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX)\b|unimplemented!|todo!\(|#\[ignore")
HTTPD_HEADER = re.compile(r'#include\s*[<"](httpd|http_\w+|apr\w*|ap_\w+|util_filter|apr/\w+)\.h')
# What the handshake thinks of a client answers no request: these alone may know it.
HANDSHAKE_FACTS = re.compile(r"handshake_facts\b|\"conn/connection\.hpp\"")
KNOW_THE_HANDSHAKE = {"src/conn/" + name for name in (
    "handshake_facts.hpp", "connection.hpp", "connection.cpp", "handshake.cpp", "failure.cpp", "hooks.cpp",
    "request_facts.cpp", "facts.hpp")} | {"src/module/mod_tls.cpp"}
# Files of the configuration are opened in one place, which waits for nothing and takes regular files alone.
OPENERS = re.compile(r"\bFile::(open|create|options)\b|\bOpenOptions::new|\bfs::(read|read_to_string|read_dir|metadata|"
                     r"symlink_metadata|canonicalize|copy)\b|\.(is_dir|is_file|exists|read_dir|metadata)\(\)|"
                     r"\bfs::open(at)?\b")
CPP_OPENERS = re.compile(r"\b[io]?fstream\b|\bfopen\b|\bapr_file_open\b|::open\(|\bap_pcfg_openfile\b")
MAY_OPEN = {"rust/core/src/file.rs", "rust/core/src/creds/terminal.rs"}
# The kernel's own files, by names that no configuration gives, and what is open already.
KERNELS = re.compile(r'"/(proc|sys|dev)/|file\.metadata\(\)')
INCLUDE = re.compile(r'#include "(\w+)/')


def listed(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                         cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [TOP / name for name in out.split("\n") if name and (TOP / name).exists()]


def breaches():
    for path in listed("src/*", "rust/*.rs"):
        name = path.relative_to(TOP)
        lines = path.read_text().splitlines()
        if name == BOUNDARY:
            pass
        elif len(lines) > MAX_LINES and path.suffix in (".cpp", ".hpp", ".rs"):
            yield name, len(lines), f"more than {MAX_LINES} lines: two ideas in one file"
        elif len(lines) > AIM_LINES and path.suffix in (".cpp", ".hpp", ".rs"):
            print(f"  note     {name}: {len(lines)} lines; aim under {AIM_LINES}")
        for number, line in enumerate(lines, 1):
            if LOOSE_END.search(line):
                yield name, number, "a loose end: finish it or leave it out"
            yield from layer_breaches(name, number, line)
        yield from opener_breaches(name, lines)


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
            yield name, number, f"{used[0]}: files are opened by rust/core/src/file.rs alone"


def layer_breaches(name, number, line):
    if name.parts[0] != "src":
        return
    layer = name.parts[1]
    if layer == "config" and HTTPD_HEADER.search(line):
        yield name, number, "src/config compiles without httpd"
    if HANDSHAKE_FACTS.search(line) and str(name) not in KNOW_THE_HANDSHAKE:
        yield name, number, "what the handshake made of the client answers no request: conn/request_facts.hpp does"
    used = INCLUDE.match(line)
    if layer != "config" and line.startswith('#include "report/log.hpp"'):
        return
    if used and used[1] in LAYERS and used[1] != layer and used[1] not in LAYERS.get(layer, set()):
        yield name, number, f"{layer} may not use {used[1]}"


def main():
    found = list(breaches())
    for name, number, what in found:
        print(f"{name}:{number}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
