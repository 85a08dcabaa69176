# SPDX-License-Identifier: Apache-2.0
"""What cannot be tested while httpd runs under ASan and UBSan (./dev test --sanitize)."""
import os

import pytest

PRESENT = "MOD_TLS_PRELOAD" in os.environ


def unfit(reason: str) -> None:
    """Skips the test that calls it when the sanitizers are there; ./dev test without them runs it."""
    if PRESENT:
        pytest.skip(f"not under sanitizers: {reason}")


def room(kib: int) -> float:
    """A bound on memory; none where the sanitizers keep what was freed, to notice its use."""
    return float("inf") if PRESENT else kib
