"""Ten thousand clients that do nothing: after a request, or in the middle of a handshake."""

import contextlib
import dataclasses
import socket
import time
from collections.abc import Callable, Iterator

import load
from arms import Arm
from fleet import Fleet
from measure import Result

KIB = 1024
ARMS = ("mod_ssl", "mod_tls")
# httpd's default would not take so many (MaxRequestWorkers, AsyncRequestWorkerFactor); the last word counts.
ROOM = "AsyncRequestWorkerFactor 1000\nListenBacklog 16384\nTLSHandshakeTimeout 600\n"


@contextlib.contextmanager
def idle(fleet: Fleet, arm: Arm, count: int) -> Iterator[int]:
    """Connections that were served a request each and stay open; how many."""
    with fleet.client.held(arm, ["--versions", "1.3", "--connections", str(count), "--path", "/small"], count):
        yield count


@contextlib.contextmanager
def stalled(_fleet: Fleet, arm: Arm, count: int) -> Iterator[int]:
    """Connections whose hello never ends; as many of them as the server takes. One that gives each a thread stops
    accepting when it has none left, and its queue is full some thousands later."""
    with contextlib.ExitStack() as stack:
        made = 0
        with contextlib.suppress(TimeoutError):
            for made in range(count):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", arm.port), 5))
                connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            made = count
        time.sleep(2)
        yield made


@dataclasses.dataclass
class Crowd:
    """Memory of all server processes for each connection, and whether somebody else is served meanwhile."""

    name: str
    title: str
    connections: int
    held: Callable[[Fleet, Arm, int], contextlib.AbstractContextManager[int]]
    limit: float  # KiB

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """One fresh server of each kind: so many connections hardly vary."""
        count = max(50, round(self.connections * scale))
        values, answers = {}, {}
        for name in fleet.peers_of(ARMS):
            values[name], answers[name] = self._one(fleet, name, count)
            tell(f"{self.name}: {name} {values[name]:.1f} KiB a connection; another client: {answers[name]}")
        return Result(
            self.title,
            "KiB",
            values,
            f"<= {self.limit:.0f} KiB",
            "met" if values["mod_tls"] <= self.limit and "no" not in answers["mod_tls"] else "missed",
            note="another client meanwhile: " + ", ".join(f"{name} {said}" for name, said in answers.items()),
        )

    def _one(self, fleet: Fleet, name: str, count: int) -> tuple[float, str]:
        words = ROOM if name == "mod_tls" else ROOM.replace("TLSHandshakeTimeout 600\n", "")
        arm = fleet.fresh("ecdsa", name, words)
        try:
            fleet.client.run(arm, ["--connections", "200", "--path", "/small"], 200)
            time.sleep(0.3)
            before = arm.pss_bytes()
            with self.held(fleet, arm, count) as made:
                time.sleep(1.0)
                after = arm.pss_bytes()
                fewer = "" if made == count else f", no more than {made:,} connections"
                return (after - before) / made / KIB, self._answer(fleet, arm) + fewer
        finally:
            arm.stop()

    @staticmethod
    def _answer(fleet: Fleet, arm: Arm) -> str:
        begun = time.monotonic()
        try:
            fleet.client.run(arm, ["--versions", "1.3", "--path", "/small", "--timeout", "10"], 1)
        except load.LoadError:
            return "no answer"
        return f"{(time.monotonic() - begun) * 1e3:.0f} ms"
