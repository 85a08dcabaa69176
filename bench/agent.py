"""What the key agent costs where CPU does not tell: latency, its death, its memory."""

import dataclasses
import os
import pathlib
import signal
import socket
import ssl
import statistics
import struct
import threading
import time
from collections.abc import Callable

import load
from arms import CLIENT_CORE, Arm
from fleet import Fleet
from measure import Result

PAGE = os.sysconf("SC_PAGESIZE")
PRESENT, FRAME = 1 << 63, (1 << 55) - 1


def named(arm: Arm, name: str) -> int:
    """The process of that name below the arm's parent."""
    for pid in arm.pids():
        if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
            return pid
    raise load.LoadError(f"{arm.name}: there is no {name}")


def _frames(pid: int) -> set[int]:
    """Page frames of anonymous memory; empty where the kernel does not tell (proc(5), pagemap)."""
    found = set()
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            area, _, _, _, inode, *_ = line.split()
            start, end = (int(number, 16) // PAGE for number in area.split("-"))
            if inode != "0" or start >= 1 << 47:
                continue
            pagemap.seek(start * 8)
            entries = pagemap.read((end - start) * 8)
            found |= {entry & FRAME for (entry,) in struct.iter_unpack("Q", entries) if entry & PRESENT}
    return found - {0}


def agent_bytes(arm: Arm) -> int:
    """Anonymous memory that supervisor and signer have and no process of httpd shares with them."""
    ours = {pid for pid in arm.pids() if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("tls-")}
    agent = set().union(*(_frames(pid) for pid in ours))
    httpd = set().union(*(_frames(pid) for pid in arm.pids() if pid not in ours))
    return len(agent - httpd) * PAGE


def _context(fleet: Fleet) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(fleet.authority.file))
    context.options |= ssl.OP_NO_TICKET
    return context


def _connect(arm: Arm, context: ssl.SSLContext) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", arm.port), 10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return context.wrap_socket(raw, server_hostname="localhost")


@dataclasses.dataclass
class AgentLatency:
    """Median of full TLS 1.3 handshakes, one after the other: keys in the agent, and in the children."""

    name: str
    title: str
    limit_us: float
    handshakes: int

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """The arms in turn; the difference of the medians counts."""
        os.sched_setaffinity(0, {CLIENT_CORE})
        context, count = _context(fleet), max(50, round(self.handshakes * scale))
        medians: dict[str, list[float]] = {"in_process": [], "mod_tls": []}
        try:
            for number in range(rounds):
                for name in medians:
                    medians[name].append(self._median(fleet.get("ecdsa", name), context, count))
                tell(f"{self.name} round {number + 1}/{rounds}: "
                     + ", ".join(f"{name} {values[-1]:.0f} us" for name, values in medians.items()))
        finally:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        values = {name: statistics.median(found) for name, found in medians.items()}
        added = statistics.median(a - b for a, b in zip(medians["mod_tls"], medians["in_process"]))
        verdict = "met" if added <= self.limit_us else "missed"
        return Result(self.title, "us", values, f"<= {self.limit_us:.0f} us added", verdict, note=f"{added:+.0f} us")

    @staticmethod
    def _median(arm: Arm, context: ssl.SSLContext, count: int) -> float:
        took = []
        for _ in range(count):
            raw = socket.create_connection(("127.0.0.1", arm.port), 10)
            begun = time.perf_counter()
            with context.wrap_socket(raw, server_hostname="localhost"):
                took.append(time.perf_counter() - begun)
        return statistics.median(took) * 1e6


@dataclasses.dataclass
class AgentDeaths:
    """The agent is killed again and again: open connections, and the first handshake after each death."""

    name: str
    title: str
    limit_ms: float
    deaths: int = 20

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """One fresh server; requests go on all the time on one connection."""
        arm, context = fleet.fresh("ecdsa", "mod_tls"), _context(fleet)
        waits: list[float] = []
        stop = threading.Event()

        def keep_asking(connection: ssl.SSLSocket) -> None:
            while not stop.is_set():
                begun = time.perf_counter()
                connection.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"x" * 1024):
                    answer += connection.recv(8192)
                waits.append(time.perf_counter() - begun)
                time.sleep(0.001)

        try:
            asking = threading.Thread(target=keep_asking, args=(_connect(arm, context),))
            asking.start()
            time.sleep(3 * max(scale, 0.3))
            calm, first = len(waits), []
            for number in range(self.deaths):
                os.kill(named(arm, "tls-signer" if number % 2 else "tls-keys"), signal.SIGKILL)
                begun = time.perf_counter()
                _connect(arm, context).close()
                first.append((time.perf_counter() - begun) * 1e3)
                time.sleep(1.5)
            stop.set()
            asking.join()
        finally:
            arm.stop()
        p99 = [statistics.quantiles(part, n=100)[98] * 1e3 for part in (waits[:calm], waits[calm:])]
        good = max(first) <= self.limit_ms and p99[1] <= 2 * p99[0]
        note = f"p99 of requests on an open connection {p99[0]:.2f} ms, with deaths {p99[1]:.2f} ms"
        return Result(self.title, "ms", {"mod_tls": max(first)}, f"<= {self.limit_ms:.0f} ms, p99 <= twice",
                      "met" if good else "missed", note=note)
