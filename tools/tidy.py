#!/usr/bin/python3
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


def fingerprint_of_headers():
    digest = hashlib.sha256()
    bridge = TOP / "target/cxxbridge/mod_tls_bridge/src/lib.rs.h"
    headers = [*(TOP / "src").rglob("*.hpp"), *(TOP / "src").rglob("*.def"), *(TOP / "src").rglob("*.inc")]
    for path in sorted(headers) + [TOP / ".clang-tidy", bridge]:
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def check(source, command, common, work):
    """True when `source` is clean; prints what clang-tidy says otherwise."""
    mark = hashlib.sha256((common + command["command"]).encode() + source.read_bytes()).hexdigest()
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
    common = fingerprint_of_headers()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(lambda item: check(*item, common, work), found.items()))
    print(f"clang-tidy: {clean.count(True)} of {len(clean)} files clean")
    return 0 if clean and all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
