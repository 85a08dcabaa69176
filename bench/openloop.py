"""Latency at a constant rate: requests leave when it is their time, whether or not earlier ones were answered.

A client that waits for an answer before it asks again asks less of a server that is slow, and so hides how slow it is.
Here a latency is counted from the moment at which a request was due."""

import contextlib
import dataclasses
import math
import queue
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import load
from arms import CLIENT_CORE, Arm
from fleet import Fleet
from measure import Result

ARMS = ("mod_ssl", "mod_tls")


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _context(fleet: Fleet) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(fleet.authority.file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _connect(fleet: Fleet, arm: Arm) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", arm.port), 60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return _context(fleet).wrap_socket(raw, server_hostname="localhost")


def _request(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            raise load.LoadError("the server closed a connection")
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise load.LoadError(f"answered {head[:40]!r}")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)


def latencies(fleet: Fleet, arm: Arm, rate: float, count: int, connections: int = 16) -> list[float]:
    """Seconds from when each of `count` requests was due to the end of its answer."""
    due: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    took: list[float] = []
    faults: list[Exception] = []

    def work() -> None:
        try:
            with _connect(fleet, arm) as connection:
                _request(connection)
                ready.wait()
                while (when := due.get()) is not None:
                    _request(connection)
                    took.append(time.monotonic() - when)
        except (OSError, load.LoadError) as fault:
            faults.append(fault)
            ready.abort()

    ready = threading.Barrier(connections + 1)
    workers = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for worker in workers:
        worker.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait(60)
    begun = time.monotonic()
    for number in range(count):
        when = begun + number / rate
        time.sleep(max(0.0, when - time.monotonic()))
        due.put(when)
    for _ in workers:
        due.put(None)
    for worker in workers:
        worker.join(60)
    if faults or len(took) != count:
        raise load.LoadError(f"{arm.name}: {len(took)} of {count} answered: {faults[:1]}")
    return took


@contextlib.contextmanager
def storm(fleet: Fleet, arm: Arm, clients: int = 8) -> Iterator[None]:
    """Full handshakes by so many clients at a time, as fast as they go; less urgent than whoever measures."""
    ends = threading.Event()

    def shake() -> None:
        arguments = ["--versions", "1.3", "--connections", "200", "--requests", "0"]
        while not ends.is_set():
            command = ["nice", "-n", "19", "taskset", "-c", str(CLIENT_CORE), *fleet.client.command(arm, arguments)]
            subprocess.run(command, capture_output=True, timeout=300, check=False)

    threads = [threading.Thread(target=shake, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join(300)


@contextlib.contextmanager
def calm(_fleet: Fleet, _arm: Arm) -> Iterator[None]:
    """Nothing beside."""
    yield


@dataclasses.dataclass
class OpenLoop:
    """Percentiles of the latency of small requests on open connections, at a rate that all arms bear."""

    name: str
    title: str
    rate: float
    requests: int
    beside: Callable[[Fleet, Arm], contextlib.AbstractContextManager[None]] = calm

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """All rounds of an arm are one sample: the far percentiles need many requests."""
        count = max(50, round(self.requests * scale))
        samples: dict[str, list[float]] = {name: [] for name in fleet.peers_of(ARMS)}
        for number in range(rounds):
            for name in samples if number % 2 == 0 else reversed(samples):
                arm = fleet.get("ecdsa", name)
                with self.beside(fleet, arm):
                    samples[name] += latencies(fleet, arm, self.rate, count)
            tell(f"{self.name} round {number + 1}/{rounds}")
        spread = {
            name: {f"p{share * 100:g}": percentile(values, share) * 1e3 for share in (0.5, 0.99, 0.999)}
            for name, values in samples.items()
        }
        better = spread["mod_tls"]["p99"] <= spread["mod_ssl"]["p99"]
        return Result(
            f"{self.title}: p99",
            "ms",
            {name: each["p99"] for name, each in spread.items()},
            "<= mod_ssl",
            "met" if better else "missed",
            note="; ".join(
                f"{name} " + ", ".join(f"{share} {value:.2f}" for share, value in each.items())
                for name, each in spread.items()
            ),
            spread=spread,
        )
