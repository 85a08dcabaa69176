# SPDX-License-Identifier: Apache-2.0
"""Modules as third parties write them, compiled as apxs would."""
import shlex
import subprocess
from pathlib import Path

from .paths import ROOT


def asks(directory: Path) -> Path:
    """mod_asks.so, which tells what other modules are told of a connection."""
    return build(directory, "mod_asks")


def build(directory: Path, name: str) -> Path:
    """NAME.so of tests/harness/NAME.c."""
    built = directory / f"{name}.so"
    directory.chmod(0o755)

    def apxs(*what):
        return shlex.split(subprocess.run(["apxs", "-q", *what], capture_output=True, text=True, check=True).stdout)

    includes = [f"-I{found}" for found in apxs("INCLUDEDIR") + apxs("APR_INCLUDEDIR")]
    subprocess.run(["cc", "-shared", "-fPIC", *apxs("EXTRA_CPPFLAGS"), *includes, str(ROOT / f"tests/harness/{name}.c"),
                    "-o", str(built)], check=True)
    return built
