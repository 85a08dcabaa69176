#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Faults under load: ./dev soak MINUTES [SEED]

Clients work without a pause while processes of one server are killed and stopped at random, descriptors and disk run out,
the clock jumps, files turn into junk and back, and httpd restarts gracefully every second. What may be lost is what a killed
process held; at the end there is a table and a verdict. Signals go to processes of that server alone, through descriptors of
theirs (pidfd), so that no number that was given anew is hit.
"""
import collections
import contextlib
import os
import random
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import process, tls  # noqa: E402
from harness.agent import SIGNER, SUPERVISOR, named  # noqa: E402
from harness.certs import Authority  # noqa: E402
from harness.clientauth import revocation_list  # noqa: E402
from harness.config import Vhost  # noqa: E402
from harness.exhaust import Exhaust  # noqa: E402
from harness.faketime import Clock  # noqa: E402
from harness.httpd import Httpd  # noqa: E402

CLIENTS = 6
FAULTS = (OSError, EOFError, ssl.SSLError, AssertionError, ValueError, IndexError)
CHILDREN = """ServerLimit 6
StartServers 2
ThreadsPerChild 16
MinSpareThreads 1
MaxSpareThreads 96
MaxRequestWorkers 96"""
# How long after a fault a failed operation may be what the process held. Faults that are not here excuse nothing. While the
# signer stands still, a quarter of the threads of each child wait for it, so that the others serve who is connected already:
# handshakes beyond that are refused at once (rust/core/src/agent/child/transport.rs), and the supervisor that sees it replaces
# it as one that was killed (TLS0304). A supervisor that is stopped when httpd restarts is replaced, and the signer with it.
HELD = {"kill a child": 1.0, "kill the signer": 2.5, "kill the supervisor": 2.5, "stop the signer": 2.5,
        "stop the supervisor": 2.5, "no descriptors in a child": 1.0}
# Those after which a connection may end without a word. Whoever gets no signature is told so.
SILENT = ("kill a child", "no descriptors in a child")
WITHOUT_A_WORD = (EOFError, ConnectionError, ssl.SSLEOFError)


class Progress:
    """How far an operation came, for who asks later what a loss was: the address tells it among the lines of the log."""

    def __init__(self):
        self.stage, self.address = "before the connection was there", ""

    def reaches(self, stage: str, connection: socket.socket) -> None:
        self.stage, self.address = stage, f" from port {connection.getsockname()[1]}"

    def text(self) -> str:
        return self.stage + self.address


def is_silent(fault: BaseException) -> bool:
    """Whether a connection ended without an alert or an answer."""
    return isinstance(fault, WITHOUT_A_WORD) or (isinstance(fault, ssl.SSLError) and fault.reason == "UNEXPECTED_EOF_WHILE_READING")


class Soak:
    """One server, its clients and what is done to them."""

    def __init__(self, seconds: float, seed: int):
        self.random, self.end = random.Random(seed), time.monotonic() + seconds
        self.begun, self.over = time.monotonic(), threading.Event()
        self.lock = threading.Lock()
        self.done: collections.Counter = collections.Counter()
        self.failures: list[tuple[float, float, bool, str, str]] = []  # begin, end, without a word, what, why
        self.faults: list[tuple[float, float, str]] = []  # begin, end, what
        self.samples: list[dict[str, int]] = []
        self.restarts = 0
        self.clock, self.exhaust = Clock(), Exhaust()
        preload = ":".join(made.environment["LD_PRELOAD"] for made in (self.clock, self.exhaust))
        ca = Authority("Soak")
        self.server = Httpd([Vhost("a.test", [ca.issue("a.test")], extra="""TLSClientCertificate optional
TLSClientCA @HOME@/certs/ca.pem
TLSClientCRL @HOME@/certs/lists.pem
TLSClientCRLCheck leaf"""), Vhost("b.test", [ca.issue("b.test")])], modules=("socache_shmcb",), mpm_settings=CHILDREN,
                            environment=self.clock.environment | self.exhaust.environment | {"LD_PRELOAD": preload},
                            config="""ErrorLog @HOME@/state/error.log
CustomLog @HOME@/state/access.log "%h %>s"
Timeout 300
TLSReload 1
TLSSessionCache shmcb:@HOME@/cache(512000)
TLSSessionTickets file:@HOME@/certs/secret""")
        home = self.server.home
        (home / "state").mkdir()
        self.disk = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", home / "state"],
                                   capture_output=True).returncode == 0
        self.server.log.path = home / "state/error.log"
        self.server.put("certs/ca.pem", ca.pem())
        self.server.put("certs/lists.pem", revocation_list(ca))
        self.server.put("certs/secret", os.urandom(48), 0o600)
        self.server.put("docs/a.test/large.bin", bytes(400_000))

    # -- clients -------------------------------------------------------------------------------------------------
    def client(self, number: int) -> None:
        dice = random.Random(number)
        kept = {version: {"using": tls.context(version=version), "session": None} for version in ("1.2", "1.3")}
        while not self.over.is_set():
            what, begin = dice.choice(["full 1.2", "full 1.3", "resumed 1.2", "resumed 1.3", "several", "large"]), time.monotonic()
            progress = Progress()
            try:
                self.operation(what, kept, progress)
                with self.lock:
                    self.done[what] += 1
            except FAULTS as fault:
                with self.lock:
                    why = f"{type(fault).__name__}: {fault} ({progress.text()})"
                    self.failures.append((begin, time.monotonic(), is_silent(fault), what, why))

    def operation(self, what: str, kept: dict, progress: "Progress") -> None:
        version = what[-3:] if what[-3:] in kept else "1.3"
        carry = kept[version] if what.startswith("resumed") else {"using": tls.context(version=version), "session": None}
        path, size = ("/large.bin", 400_000) if what == "large" else ("/", 7)
        with socket.create_connection(("127.0.0.1", self.server.port), tls.SECONDS) as raw:
            progress.reaches("handshake", raw)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = carry["using"].wrap_socket(raw, server_hostname="a.test", session=carry["session"])
            reader = tls.Reader(connection)
            for left in (2, 1, 0) if what == "several" else (0,):
                progress.reaches(f"request with {left} to follow", connection)
                try:
                    connection.sendall(tls.request(path, headers=() if left else ("Connection: close",)))
                    status, headers, body = reader.response()
                except (OSError, EOFError):
                    if left == 2 or what != "several" or reader.buffer:
                        raise
                    # httpd closes connections that wait for a request when it restarts; clients ask again on another.
                    return
                assert status == 200 and len(body) == size, f"status {status}, {len(body)} octets"
                if headers.get("connection") == "close":  # a child that ends says so
                    break
            carry["session"] = connection.session

    # -- processes -----------------------------------------------------------------------------------------------
    def all_of_them(self) -> dict[str, list[int]]:
        """Processes of this server by what they are; the parent itself is none of them."""
        supervisors = named(self.server.pid, SUPERVISOR)
        signers = [signer for supervisor in supervisors for signer in named(supervisor, SIGNER)]
        return {"child": self.server.children, "supervisor": supervisors, "signer": signers}

    def signal(self, kind: str, number: int, pause: float = 0) -> bool:
        """To one process of a kind; with a pause SIGCONT follows. False where there is none now."""
        pids = self.all_of_them()[kind]
        if not pids:
            return False
        pid = self.random.choice(pids)
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            if pid not in self.all_of_them()[kind]:  # it ended, and the number is another's
                return False
            signal.pidfd_send_signal(handle, number)
            if pause:
                time.sleep(pause)
                with contextlib.suppress(ProcessLookupError):  # one that stands still may have been replaced
                    signal.pidfd_send_signal(handle, signal.SIGCONT)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)

    def starve(self) -> bool:
        """No more descriptors in one child for half a second, as where its limit or the system's is reached."""
        pids = self.all_of_them()["child"]
        return bool(pids) and self.exhaust.starve(self.random.choice(pids), 0.5) > 0

    def fill(self) -> bool:
        if not self.disk:
            return False
        ballast = self.server.home / "state/ballast"
        try:
            with open(ballast, "wb") as file:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
        except OSError:
            time.sleep(1)
        ballast.unlink(missing_ok=True)
        return True

    def jump(self) -> bool:
        self.clock.set(self.random.randint(-100, 100))
        return True

    def junk(self, pattern: str) -> bool:
        """A file of the configuration is junk for two seconds."""
        path = next((self.server.home / "certs").glob(pattern))
        good = path.read_bytes()
        for content in (self.random.choice([b"", b"junk\n", os.urandom(3000), good[:len(good) // 2]]), good):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.chmod(path.stat().st_mode & 0o777)
            fresh.rename(path)
            time.sleep(2)
        return True

    def plans(self):
        kill, stop = signal.SIGKILL, signal.SIGSTOP
        return {
            "kill a child": lambda: self.signal("child", kill), "kill the signer": lambda: self.signal("signer", kill),
            "kill the supervisor": lambda: self.signal("supervisor", kill),
            "stop a child": lambda: self.signal("child", stop, 0.5), "stop the signer": lambda: self.signal("signer", stop, 0.3),
            "stop the supervisor": lambda: self.signal("supervisor", stop, 0.5),
            "no descriptors in a child": self.starve,
            "full disk": self.fill, "the clock jumps": self.jump,
            "junk for revocation lists": lambda: self.junk("lists.pem"), "junk for the secret": lambda: self.junk("secret"),
            "junk for a certificate": lambda: self.junk("b.test-0.crt"),
        }

    def trouble(self) -> None:
        plans = self.plans()
        while not self.over.wait(self.random.uniform(0.3, 1.5)):
            what = self.random.choice(list(plans))
            begin = time.monotonic()
            with self.lock:
                self.faults.append((begin, float("inf"), what))
            happened = plans[what]()
            with self.lock:
                self.faults.remove((begin, float("inf"), what))
                if happened:
                    self.faults.append((begin, time.monotonic(), what))

    def restart(self) -> None:
        while not self.over.wait(1):
            if self.server.running():
                self.server.process.send_signal(signal.SIGUSR1)
                self.restarts += 1

    def watch(self) -> None:
        while not self.over.wait(2):
            everybody = self.all_of_them()
            pid = self.server.pid
            try:
                self.samples.append({
                    "memory of the parent, KiB": process.resident_kib(pid),
                    "descriptors of the parent": len(os.listdir(f"/proc/{pid}/fd")),
                    "memory of the supervisor, KiB": max((process.resident_kib(p) for p in everybody["supervisor"]), default=0),
                    "descriptors of the supervisor": max((len(os.listdir(f"/proc/{p}/fd")) for p in everybody["supervisor"]), default=0),
                    "children": len(everybody["child"]), "supervisors": len(everybody["supervisor"]),
                    "signers": len(everybody["signer"]),
                })
            except (OSError, KeyError):
                continue  # one of them has just ended

    # -- verdict -------------------------------------------------------------------------------------------------
    def excuse(self, begin: float, end: float, silent: bool) -> str | None:
        """The fault that an operation may have been lost to."""
        for start, stop, what in self.faults:
            if what in (SILENT if silent else HELD) and start - 0.1 <= end and begin <= min(stop, self.end + 60) + HELD[what]:
                return what
        return None

    def before(self, moment: float) -> str:
        """What was done to the server in the last seconds, for who wants to know what a loss without an excuse came from."""
        recent = [f"{what} {moment - begin:.1f} to {max(moment - end, 0):.1f} s before" for begin, end, what in self.faults
                  if begin <= moment < end + 5]
        return "; ".join(recent) or "nothing was done in the five seconds before"

    def run(self) -> bool:
        self.server.start()
        work = [threading.Thread(target=self.client, args=(n,)) for n in range(CLIENTS)]
        work += [threading.Thread(target=job) for job in (self.trouble, self.restart, self.watch)]
        for thread in work:
            thread.start()
        while time.monotonic() < self.end and self.server.running():
            time.sleep(0.5)
        self.over.set()
        for thread in work:
            thread.join(60)
        return self.report()

    def report(self) -> bool:
        problems = [] if self.server.running() else [f"httpd ended with {self.server.process.returncode}"]
        if self.server.running():
            self.clock.set(0)
            time.sleep(3)
            try:
                for what in ("full 1.2", "full 1.3", "large"):
                    self.operation(what, {}, Progress())
            except FAULTS as fault:
                problems.append(f"when all was over: {fault}")
        print(f"{time.monotonic() - self.begun:.0f} s, {self.restarts} graceful restarts, {CLIENTS} clients")
        print("\n| operation | done | lost | lost to a fault |\n|---|---|---|---|")
        unexplained = [failure for failure in self.failures if not self.excuse(*failure[:3])]
        for what in sorted(set(self.done) | {failure[3] for failure in self.failures}):
            mine = [failure for failure in self.failures if failure[3] == what]
            print(f"| {what} | {self.done[what]} | {len(mine)} | {sum(self.excuse(*failure[:3]) is not None for failure in mine)} |")
        print("\n| fault | times |\n|---|---|")
        for what, times in sorted(collections.Counter(fault[2] for fault in self.faults).items()):
            print(f"| {what} | {times} |")
        if not self.disk:
            print("\nNOT RUN: full disk (no right to mount a tmpfs)")
        problems += [f"lost without a fault at {begin - self.begun:.1f} s: {what}: {why} ({self.before(end)})"
                     for begin, end, _, what, why in unexplained]
        problems += self.growth()
        said = self.server.said()
        problems += [line for line in said.splitlines() if any(word in line for word in (
            "panicked", "terminate called", "Segmentation", "signal Abort", "TLS0102"))]
        problems += [f"core file {core.name}" for core in (self.server.home / "core").iterdir()]
        for problem in problems[:40]:
            print(f"PROBLEM: {problem}")
        if len(problems) > 40:
            print(f"... and {len(problems) - 40} more")
        print(f"\nverdict: {'good' if not problems else f'BAD, {len(problems)} problems'}")
        return not problems

    def growth(self) -> list[str]:
        """What is larger at the end than after a quarter, beyond its noise."""
        if len(self.samples) < 16:
            print("\ntoo short to judge growth")
            return []
        quarter = len(self.samples) // 4
        print("\n| what | after a quarter | at the end |\n|---|---|---|")
        problems = []
        for what in self.samples[0]:
            early = statistics.median(sample[what] for sample in self.samples[quarter:2 * quarter])
            late = statistics.median(sample[what] for sample in self.samples[-quarter:])
            print(f"| {what} | {early:.0f} | {late:.0f} |")
            if late > early * 1.15 + (1500 if "memory" in what else 3):
                problems.append(f"{what} grows: {early:.0f} to {late:.0f}")
        return problems

    def close(self) -> None:
        self.over.set()
        self.server.expected_exit = None
        try:
            self.server.stop(60)
        finally:
            log = self.server.log.text()
            kept = Path(os.environ.get("MOD_TLS_SOAK_LOG", "build/soak-error.log"))
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(log)
            if self.disk:
                subprocess.run(["umount", "-l", self.server.home / "state"], check=False)
            self.server.remove()


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}")
    soak = Soak(minutes * 60, seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return 0 if soak.run() else 1
    finally:
        soak.close()


if __name__ == "__main__":
    sys.exit(main())
