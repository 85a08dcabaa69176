"""Rows that measure something else than CPU: system calls, memory, start-up, size."""

import dataclasses
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable

import load
from agent import agent_bytes, named
from arms import MOD_SSL, Arm, cpu_of
from fleet import LARGE, Fleet
from measure import Result

KIB = 1024
MIB = 1024 * 1024


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


@dataclasses.dataclass
class SystemCalls:
    """System calls of the server for one 10 MiB response over h1, counted by strace."""

    name: str
    title: str
    limit: int
    responses: int = 4

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """One run per arm: the count hardly varies."""
        values, notes = {}, ""
        for name in ("plain", "mod_ssl", "mod_tls"):
            values[name], records = self._count(fleet, fleet.get("ecdsa", name))
            if name == "mod_tls":
                notes = f"{records:.0f} records a response"
            tell(f"{self.name}: {name} {values[name]:.0f}")
        return Result(
            self.title, "calls", values, f"<= {self.limit}", _verdict(values["mod_tls"] <= self.limit), note=notes
        )

    def _count(self, fleet: Fleet, arm: Arm) -> tuple[float, float]:
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-U", "name,calls", "-p", str(arm.worker_pid())],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        if "attached" not in tracer.stderr.readline():
            raise load.LoadError(f"{arm.name}: strace cannot attach")
        time.sleep(0.5)
        arguments = ["--versions", "1.3", "--requests", str(self.responses), "--path", "/large"]
        done = fleet.client.run(arm, [*arguments, "--expect-bytes", str(LARGE)], self.responses)
        time.sleep(0.2)
        tracer.send_signal(signal.SIGINT)
        _, summary = tracer.communicate(timeout=30)
        calls = sum(int(n) for n in re.findall(r"^\w+\s+(\d+)\s*$", summary, re.M) if n)
        total = re.search(r"^total\s+(\d+)", summary, re.M)
        counted = int(total.group(1)) if total else calls
        return counted / self.responses, done.summary["records"] / self.responses


@dataclasses.dataclass
class IdleMemory:
    """Pss of all server processes per idle keep-alive connection, above plain httpd's."""

    name: str
    title: str
    limit: float
    connections: int

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """Three fresh servers per arm; the median of each."""
        count = max(50, round(self.connections * scale))
        each = {}
        for name in ("plain", "mod_ssl", "mod_tls"):
            each[name] = statistics.median(self._one(fleet, name, count) for _ in range(min(rounds, 3)))
            tell(f"{self.name}: {name} {each[name]:.1f} KiB a connection")
        above = {name: each[name] - each["plain"] for name in ("mod_ssl", "mod_tls")}
        return Result(
            self.title,
            "KiB",
            {"plain": each["plain"], **above},
            f"<= {self.limit:.0f} KiB",
            _verdict(above["mod_tls"] <= self.limit),
            note="plain: in all; the others: what comes on top",
        )

    def _one(self, fleet: Fleet, name: str, count: int) -> float:
        arm = fleet.fresh("ecdsa", name)
        try:
            # Warm: every thread has its stack, allocator arena and lazily made state.
            fleet.client.run(arm, ["--connections", "200", "--path", "/small"], 200)
            time.sleep(0.3)
            before = arm.pss_bytes()
            arguments = ["--versions", "1.3", "--connections", str(count), "--path", "/small"]
            with fleet.client.held(arm, arguments, count):
                time.sleep(1.0)
                after = arm.pss_bytes()
            return (after - before) / count / KIB
        finally:
            arm.stop()


@dataclasses.dataclass
class ManyHosts:
    """Wall time until a server with many certificates serves, and until a graceful restart does."""

    name: str
    title: str
    start: float
    graceful: float
    agent_kib: float  # the key agent's memory for each certificate
    poll: float  # the share of a core that looking at all files takes
    hosts: int
    mod_ssl_hosts: int = 1000

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """mod_ssl is measured with fewer hosts (its time is linear) and scaled up; `scale` is not
        for counts that stand in the title."""
        hosts = self.hosts
        tell(f"{self.name}: making {hosts} certificates")
        certificates = [fleet.authority.issue(f"host-{i}", f"host{i}.example") for i in range(hosts)]
        fewer = certificates[: min(hosts, self.mod_ssl_hosts)]
        factor = hosts / len(fewer)
        times = {}
        for name, files in (("mod_ssl", fewer), ("mod_tls", certificates), ("ssl_words", certificates)):
            runs = [self._one(fleet, name, files) for _ in range(min(rounds, 3))]
            scaled = factor if name == "mod_ssl" else 1.0
            times[name] = tuple(statistics.median(values) * scaled for values in zip(*runs))
            tell(f"{self.name}: {name} start {times[name][0]:.2f} s, graceful {times[name][1]:.2f} s")
        start, graceful, memory, poll = times["mod_tls"]
        # mod_ssl's words may cost a tenth more: they are parsed by rows of their own, and nothing is copied for them.
        words = max(times["ssl_words"][0] / start, times["ssl_words"][1] / graceful)
        good = start <= self.start and graceful <= self.graceful and words <= 1.1
        return Result(
            f"{self.title}: start",
            "s",
            {name: times[name][0] for name in ("mod_ssl", "mod_tls")},
            f"<= {self.start:.1f} s / <= {self.graceful:.1f} s",
            _verdict(good and memory <= self.agent_kib and poll <= self.poll),
            note=f"graceful: mod_ssl {times['mod_ssl'][1]:.2f} s, mod_tls {graceful:.2f} s; in SSL* words: start "
            f"{times['ssl_words'][0]:.2f} s, graceful {times['ssl_words'][1]:.2f} s; key agent: {memory:.1f} KiB a "
            f"certificate (<= {self.agent_kib:.0f}), {poll:.2%} of a core for TLSReload 10 (<= {self.poll:.0%})",
        )

    def _one(self, fleet: Fleet, name: str, files: list[pathlib.Path]) -> tuple[float, ...]:
        """Seconds to start, and to restart; KiB and share of a core of the key agent."""
        words = self._tls if name == "mod_tls" else self._ssl
        line = {
            "mod_ssl": f"LoadModule ssl_module {MOD_SSL}",
            "mod_tls": f"LoadModule tls_module {fleet.module}",
            "ssl_words": f"LoadModule ssl_module {fleet.module}",
        }[name]
        last = f"host{len(files) - 1}.example"
        begun = time.monotonic()
        arm = fleet.custom(name, line, lambda port, root: words(port, files))
        try:
            self._handshake(fleet, arm, last)
            started = time.monotonic() - begun
            time.sleep(0.5)
            restarted = self._restart(fleet, arm, last)
            return started, restarted, *(self._agent(arm, len(files)) if name == "mod_tls" else (0.0, 0.0))
        finally:
            arm.stop()

    @staticmethod
    def _agent(arm: Arm, certificates: int) -> tuple[float, float]:
        supervisor, seconds = named(arm, "tls-keys"), 31
        memory = agent_bytes(arm) / certificates / KIB
        before = cpu_of(supervisor)
        time.sleep(seconds)
        return memory, (cpu_of(supervisor) - before) / 1e9 / seconds

    @staticmethod
    def _restart(fleet: Fleet, arm: Arm, last: str) -> float:
        log = arm.root / "error.log"
        begun = time.monotonic()
        assert arm.process is not None
        seen = log.read_text(errors="replace").count("resuming normal operations")
        arm.process.send_signal(signal.SIGUSR1)
        while time.monotonic() < begun + 120:
            if log.read_text(errors="replace").count("resuming normal operations") > seen:
                ManyHosts._handshake(fleet, arm, last)
                return time.monotonic() - begun
            time.sleep(0.005)
        raise load.LoadError(f"{arm.name}: no graceful restart seen\n{arm.complaints()}")

    @staticmethod
    def _handshake(fleet: Fleet, arm: Arm, name: str) -> None:
        fleet.client.run(arm, ["--sni", name, "--requests", "0"], 1)

    @staticmethod
    def _ssl(port: int, files: list[pathlib.Path]) -> str:
        hosts = (
            f"<VirtualHost 127.0.0.1:{port}>\nServerName host{i}.example\nSSLEngine on\n"
            f"SSLCertificateFile {file}\n</VirtualHost>"
            for i, file in enumerate(files)
        )
        return "LogLevel notice\nSSLSessionCache none\n" + "\n".join(hosts)

    @staticmethod
    def _tls(port: int, files: list[pathlib.Path]) -> str:
        hosts = (
            f"<VirtualHost 127.0.0.1:{port}>\nServerName host{i}.example\nTLSCertificate {file}\n</VirtualHost>"
            for i, file in enumerate(files)
        )
        return f"LogLevel notice\nTLSEngine 127.0.0.1:{port}\n" + "\n".join(hosts)


@dataclasses.dataclass
class ModuleSize:
    """The shared object's size after strip."""

    name: str
    title: str
    limit_mb: float

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """Strips a copy."""
        copy = fleet.work / "stripped.so"
        shutil.copy(fleet.module, copy)
        subprocess.run(["strip", str(copy)], check=True)
        size = copy.stat().st_size / 1e6
        return Result(self.title, "MB", {"mod_tls": size}, f"<= {self.limit_mb:.0f} MB", _verdict(size <= self.limit_mb))
