# SPDX-License-Identifier: Apache-2.0
"""What a shared object says of itself, through binutils."""
import re
import subprocess
from pathlib import Path


def _lines(*command) -> list[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout.splitlines()


def defined(path: Path) -> set[str]:
    """Names that others can find in the object."""
    return {line.split()[-1].partition("@")[0] for line in _lines("nm", "-D", "--defined-only", path)}


def imported(path: Path) -> dict[str, bool]:
    """Names the object looks for elsewhere; True where it works without (weak)."""
    found = {}
    for line in _lines("nm", "-D", "--undefined-only", path):
        kind, name = line.split()[-2:]
        found[name.partition("@")[0]] = kind in "wv"
    return found


def needed(path: Path) -> set[str]:
    """Libraries that the loader brings in for it."""
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", "\n".join(_lines("readelf", "-dW", path))))


def flags(path: Path) -> set[str]:
    return set(" ".join(re.findall(r"\(FLAGS(?:_1)?\)\s+(?:Flags: )?(.*)", "\n".join(_lines("readelf", "-dW", path)))).split())


def segments(path: Path) -> dict[str, str]:
    """Program headers by type, with their access flags such as "RW" or "R E"."""
    rows = re.findall(r"^\s+([A-Z_]+)\s+(?:0x\w+\s+){5}([RWE ]{3})", "\n".join(_lines("readelf", "-lW", path)), re.M)
    return {kind: access.strip() for kind, access in rows}


def libraries(path: Path) -> set[Path]:
    """Every library that the loader maps for a program, found on this machine."""
    return {Path(m[1]) for line in _lines("ldd", path) if (m := re.search(r"=> (/\S+)", line))}
