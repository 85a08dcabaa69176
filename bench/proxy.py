"""Rows of the reverse proxy: plain HTTP in front, TLS to a backend of mod_ssl's."""

import socket
import statistics
import time
from collections.abc import Callable

import load
from arms import MOD_SSL, Arm
from fleet import LARGE, SMALL, Fleet
from measure import CpuRow, Result


def front(fleet: Fleet, name: str, options: str, workers: int = 1) -> Arm:
    """A proxying server; `options` of ProxyPass decide whether backend connections are reused. With several workers
    /N/ is a path of the Nth."""
    backend = fleet.get("ecdsa", "plain" if name == "plain" else "mod_ssl")
    scheme = "http" if name == "plain" else "https"
    # mod_ssl compares no address with a certificate, so that it is spared the comparison.
    verify = "SSLProxyVerify require\nSSLProxyCheckPeerName off\nSSLProxyCheckPeerCN off"
    words = {
        "plain": "",
        "mod_ssl": f"SSLProxyEngine on\n{verify}\nSSLProxyCACertificateFile {fleet.authority.file}",
        "mod_tls": f"TLSProxyEngine on\nTLSProxyCA {fleet.authority.file}",
    }[name]
    line = {
        "plain": "",
        "mod_ssl": f"LoadModule ssl_module {MOD_SSL}",
        "mod_tls": f"LoadModule tls_module {fleet.module}",
    }[name]
    target = f"{scheme}://{backend.address}/"
    passes = [f"ProxyPass /{n}/ {target}sink/{n}/ {options}" for n in range(1, workers)] + [f"ProxyPass / {target} {options}"]
    arm = fleet.custom(name, line, lambda port, root: "\n".join([words, *passes]) + "\n")
    arm.tls = False
    return arm


class ProxyRow(CpuRow):
    """Like its base, with proxying servers for arms."""

    options: str = ""

    def arm(self, fleet: Fleet, name: str) -> Arm:
        """The running front of this row's options."""
        key = (f"proxy {self.options}", name)
        if key not in fleet.running:
            fleet.running[key] = front(fleet, name, self.options)
        return fleet.running[key]


class IdleBackends:
    """Pss of the proxying server for each idle connection to a backend, above plain httpd's."""

    name = "proxyidle"
    title = "idle backend connection above plain"
    limit = 0.50
    # A worker keeps as many connections as there are threads, which are all needed at once to make them.
    workers, each = 12, 24

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """Three fresh servers per arm; the median of each."""
        share = {}
        for name in ("plain", "mod_ssl", "mod_tls"):
            share[name] = statistics.median(self._one(fleet, name) for _ in range(min(rounds, 3))) / 1024
            tell(f"{self.name}: {name} {share[name]:.1f} KiB a connection")
        above = {name: share[name] - share["plain"] for name in ("mod_ssl", "mod_tls")}
        met = above["mod_tls"] <= self.limit * above["mod_ssl"]
        return Result(
            self.title,
            "KiB",
            {"plain": share["plain"], **above},
            f"<= {self.limit:.2f}",
            "met" if met else "missed",
            note="plain: in all; the others: what comes on top",
        )

    def _one(self, fleet: Fleet, name: str) -> float:
        arm = front(fleet, name, "", workers=self.workers + 2)
        try:
            self._connect(arm, 1)  # every thread has its stack and lazily made state
            time.sleep(0.3)
            before = arm.pss_bytes()
            for worker in range(2, self.workers + 2):
                self._connect(arm, worker)
            time.sleep(0.5)
            return (arm.pss_bytes() - before) / (self.workers * self.each)
        finally:
            arm.stop()

    def _connect(self, arm: Arm, worker: int) -> None:
        """As many requests at once, each on a backend connection of its own: their bodies end when all have begun, and
        begin with more than mod_proxy gathers before it connects."""
        size, begun = 40_000, 35_000
        head = f"POST /{worker}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
        clients = [socket.create_connection(("127.0.0.1", arm.port), 20) for _ in range(self.each)]
        for client in clients:
            client.sendall(head + bytes(begun))
        time.sleep(0.5)
        for client in clients:
            client.sendall(bytes(size - begun))
            answer = client.recv(65536)
            if not answer.startswith(b"HTTP/1.1 20"):
                raise load.LoadError(f"{arm.name}: {answer[:60]!r}; {arm.complaints()}")
            client.close()


def _get(path: str, size: int) -> Callable[[Fleet, Arm, int], load.Done]:
    def run(fleet: Fleet, arm: Arm, count: int) -> load.Done:
        arguments = ["--requests", str(count), "--path", path, "--expect-status", "200", "--expect-bytes", str(size)]
        return fleet.client.run(arm, arguments, count)

    return run


def proxy_rows() -> list[CpuRow | IdleBackends]:
    """The targets of the proxy."""
    fresh = ProxyRow("proxynew", "proxied request, new backend connection", 0.60, _get("/small", SMALL), 800)
    fresh.options = "disablereuse=on"
    return [
        ProxyRow("proxykeep", "proxied request, kept-alive backend", 0.85, _get("/small", SMALL), 3000),
        fresh,
        ProxyRow("proxydown", "10 MiB through the proxy", 0.60, _get("/large", LARGE), 40, unit="ms"),
        IdleBackends(),
    ]
