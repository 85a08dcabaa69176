# SPDX-License-Identifier: Apache-2.0
"""What cannot be tested while httpd runs under ASan and UBSan (./dev test --sanitize) or TSan (--threads)."""
import os

import pytest

PRESENT = "MOD_TLS_PRELOAD" in os.environ
# TSan has a thread in each process, which the key agent's processes end at: their calls of the kernel are few.
THREADS = "libtsan" in os.environ.get("MOD_TLS_PRELOAD", "")


def unfit(reason: str) -> None:
    """Skips the test that calls it when the sanitizers are there; ./dev test without them runs it."""
    if PRESENT:
        pytest.skip(f"not under sanitizers: {reason}")


def needs_agent() -> None:
    """Skips the test that calls it under TSan; ./dev test without it runs it."""
    if THREADS:
        pytest.skip("under TSan there is no key agent")


def room(kib: int) -> float:
    """A bound on memory; none where the sanitizers keep what was freed, to notice its use."""
    return float("inf") if PRESENT else kib
