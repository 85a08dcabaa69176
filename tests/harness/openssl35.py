# SPDX-License-Identifier: Apache-2.0
"""OpenSSL 3.5 of Debian 13, which knows ML-DSA: its program runs on its own libraries, out of a root that stands anywhere."""
import os
import subprocess
from pathlib import Path

import pytest

MISSING = """no OpenSSL 3.5 here: MOD_TLS_DEBIAN13 names no root of Debian 13; one is made by
mmdebstrap --variant=minbase --include=openssl trixie ROOT"""


def command() -> list[str]:
    """What stands in front of the arguments; skips the test where there is no such root."""
    root = Path(os.environ.get("MOD_TLS_DEBIAN13", "/nonexistent"))
    program, libraries = root / "usr/bin/openssl", root / "usr/lib/x86_64-linux-gnu"
    if not program.exists():
        pytest.skip(MISSING)
    return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries), str(program)]


def openssl(*words, given: bytes = b"") -> str:
    """What it says, on both outputs. It reads no configuration of the host's."""
    environment = {**os.environ, "OPENSSL_CONF": "/dev/null"}
    done = subprocess.run([*command(), *map(str, words)], input=given, capture_output=True, timeout=60, env=environment)
    return (done.stdout + done.stderr).decode(errors="replace")
