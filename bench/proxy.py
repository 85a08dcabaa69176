"""Rows of the reverse proxy: plain HTTP in front, TLS to a backend of mod_ssl's."""

from collections.abc import Callable

import load
from arms import MOD_SSL, Arm
from fleet import LARGE, SMALL, Fleet
from measure import CpuRow


def front(fleet: Fleet, name: str, options: str) -> Arm:
    """A proxying server; `options` of ProxyPass decide whether backend connections are reused."""
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
    arm = fleet.custom(name, line, lambda port, root: f"{words}\nProxyPass / {target} {options}\n")
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


def _get(path: str, size: int) -> Callable[[Fleet, Arm, int], load.Done]:
    def run(fleet: Fleet, arm: Arm, count: int) -> load.Done:
        arguments = ["--requests", str(count), "--path", path, "--expect-status", "200", "--expect-bytes", str(size)]
        return fleet.client.run(arm, arguments, count)

    return run


def proxy_rows() -> list[CpuRow]:
    """The targets of the proxy."""
    fresh = ProxyRow("proxynew", "proxied request, new backend connection", 0.60, _get("/small", SMALL), 800)
    fresh.options = "disablereuse=on"
    return [
        ProxyRow("proxykeep", "proxied request, kept-alive backend", 0.85, _get("/small", SMALL), 3000),
        fresh,
        ProxyRow("proxydown", "10 MiB through the proxy", 0.60, _get("/large", LARGE), 40, unit="ms"),
    ]
