#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hangs all threads of a process, as a deadlock would: hang.py PID. Nothing but silence shows it: no signal, no stop that its
parent could wait for. Says `hangs`, and stays until the process has ended."""
import ctypes
import os
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    pid = int(sys.argv[1])
    for thread in os.listdir(f"/proc/{pid}/task"):
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if LIBC.ptrace(request, int(thread), None, None) != 0:
                raise OSError(ctypes.get_errno(), f"thread {thread}")
    print("hangs", flush=True)
    try:
        while True:
            os.waitpid(-1, WALL)
    except ChildProcessError:
        pass


main()
