# SPDX-License-Identifier: Apache-2.0
"""What /proc says about a process and its children."""
import ctypes
import os
import resource
import signal
from pathlib import Path

from .waiting import wait_until

PR_SET_PDEATHSIG = 1


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and parent_of(int(entry.name)) == pid:
            found.append(int(entry.name))
    return sorted(found)


def parent_of(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def pause(*pids: int) -> None:
    """Stops processes, and waits until none of their threads runs: one that runs when the signal comes goes on for a moment."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(state == "T" for pid in pids for state in states(pid)), "all threads to stop")


def states(pid: int) -> list[str]:
    """Those of the threads of a process, as proc(5) has them."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found.append((task / "stat").read_text().rpartition(")")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return found


def resident_kib(pid: int) -> int:
    """Resident memory that is the process's own (anonymous), in KiB."""
    return status(pid, "RssAnon")


def peak_resident_kib(pid: int) -> int:
    return status(pid, "VmHWM")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connections(ports: set[int]) -> int:
    """How many TCP connections over IPv4 end at these local ports and are not over."""
    listen, time_wait = "0A", "06"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(f[1].rpartition(":")[2], 16) in ports and f[3] not in (listen, time_wait) for f in lines)


def status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def leash() -> None:
    """In the new process: allow core files, and end with the test run should that be killed."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
