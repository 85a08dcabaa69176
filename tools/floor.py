#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks whether a library runs on the oldest systems that docs/platforms.md names, and names no folder of the machine that built it.

usage: floor.py [--packed] OBJECT [FOLDER...]      says what stands in the way, one line each; silent where nothing does
       --packed    relocations may be packed, which asks for glibc 2.36: for a module that stays on the machine that built it
"""
import re
import subprocess
import sys

# What Enterprise Linux 9 has: glibc, and the C++ library of gcc 11.
FLOOR = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (7, 0, 0)}
NEWER = {"GLIBC_ABI_DT_RELR"}


def readelf(what: str, file: str) -> str:
    return subprocess.run(["readelf", what, file], capture_output=True, text=True, check=True).stdout


def versions(file: str) -> set[str]:
    """Names of versions that the loader must find in libraries."""
    needs = readelf("-VW", file).partition("Version needs section")[2]
    return set(re.findall(r"Name: (\w[\w.]*)", needs))


def too_new(name: str) -> bool:
    word, _, number = name.partition("_")
    if word not in FLOOR:
        return True
    found = tuple(int(part) for part in number.split(".") if part.isdigit())
    return not found or found > FLOOR[word]


def faults(file: str, folders: list[str], packed: bool) -> list[str]:
    wanted = versions(file) - (NEWER if packed else set())
    if not wanted:
        return [f"{file} asks for no version of any library: is it one?"]
    found = [f"{file} needs {name}" for name in sorted(wanted) if too_new(name)]
    if not packed and re.search(r"\(RELR\)", readelf("-dW", file)):
        found.append(f"{file} has packed relocations (DT_RELR)")
    with open(file, "rb") as octets:
        text = octets.read()
    return found + [f"{file} names {folder} {text.count(folder.encode())} times" for folder in folders if folder.encode() in text]


def main(words: list[str]) -> int:
    packed = words[:1] == ["--packed"]
    words = words[packed:]
    if not words:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    found = faults(words[0], [folder.rstrip("/") for folder in words[1:]], packed)
    print("".join(f"{line}\n" for line in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
