#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over src/, on as many processors as there are; files that passed are not looked at again until they,
a header of ours, the compile command or .clang-tidy change.

usage: tidy.py BUILD_DIRECTORY        (one with a compile_commands.json)
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
BRIDGE = TOP / "target/cxxbridge"
# Options of g++ that clang 14 does not know, or knows only behind another switch.
FOREIGN = re.compile(r"^(-ftrivial-auto-var-init=.*|-Wbidi-chars=.*|-Wtrampolines|-fsanitize=.*)$")


def commands(build):
    """{source file: compile command as clang understands it} of our own C++ sources."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        if (TOP / "src") in source.parents:
            words = [w for w in entry["command"].split() if not FOREIGN.match(w)]
            found[source] = {"directory": entry["directory"], "file": str(source), "command": " ".join(words)}
    return found


def closure(source, known):
    """A source file and every header of ours that it includes, directly or not."""
    if source not in known:
        known[source] = {source}
        for name in re.findall(r'^#include "([^"]+)"', source.read_text(), re.M):
            header = next((p for p in (TOP / "src" / name, source.parent / name, BRIDGE / name) if p.exists()), None)
            if header:
                known[source] |= closure(header, known)
    return known[source]


def fingerprint(source, command, known):
    digest = hashlib.sha256((command["command"] + (TOP / ".clang-tidy").read_text()).encode())
    for path in sorted(closure(source, known)):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def check(source, command, known, work):
    """True when `source` is clean; prints what clang-tidy says otherwise."""
    mark = fingerprint(source, command, known)
    stamp = work / (str(source.relative_to(TOP)).replace("/", "_") + ".passed")
    if stamp.exists() and stamp.read_text() == mark:
        return True
    run = subprocess.run(["clang-tidy", "--quiet", "-p", str(work), str(source)],
                         capture_output=True, text=True, check=False)
    if run.returncode:
        lines = run.stdout.splitlines()
        for number, line in enumerate(lines):
            if " error: " in line:
                print("\n".join(lines[number:number + 3]), flush=True)
        return False
    stamp.write_text(mark)
    return True


def main():
    build = pathlib.Path(sys.argv[1])
    work = TOP / "build/lint"
    work.mkdir(parents=True, exist_ok=True)
    found = commands(build)
    (work / "compile_commands.json").write_text(json.dumps(list(found.values()), indent=1))
    known = {}
    for source in found:
        closure(source, known)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(lambda item: check(*item, known, work), found.items()))
    print(f"clang-tidy: {clean.count(True)} of {len(clean)} files clean")
    return 0 if clean and all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
