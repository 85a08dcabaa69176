# SPDX-License-Identifier: Apache-2.0
"""Whose crash it was: what gdb says of a core file."""
import re
import subprocess
from pathlib import Path

from .paths import HTTPD

FRAME = re.compile(r"^#\d+ .*", re.MULTILINE)
DIED = re.compile(r"exit signal Segmentation fault")


def backtrace(core: Path) -> list[str]:
    """The frames of the thread that crashed, innermost first; empty where the core cannot be read."""
    done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "bt", HTTPD, core],
                          capture_output=True, text=True, timeout=60, errors="backslashreplace")
    # gdb prints the innermost frame once by itself, before the list.
    frames = FRAME.findall(done.stdout)
    return frames[1:] if frames[:1] == frames[1:2] else frames


def of_event_mpm(frames: list[str]) -> bool:
    """On SIGTERM the event MPM's main thread shuts the sockets of its workers (event.c, close_worker_sockets) while
    these may be destroying them. Plain httpd dies of it as often, once in forty full restarts under load."""
    return (len(frames) > 2 and "from /" in frames[0] and "/libapr-1.so" in frames[0]
            and "/mod_mpm_event.so" in frames[1] and any(" ap_run_mpm " in frame for frame in frames))
