"""Clients: each runs a number of operations, says what it cost itself, and checks the answers."""

import contextlib
import dataclasses
import json
import pathlib
import re
import resource
import subprocess
from collections.abc import Iterator

from arms import CLIENT_CORE, Arm


@dataclasses.dataclass
class Done:
    """What a load did."""

    operations: int
    client_cpu_ns: float
    summary: dict


class LoadError(RuntimeError):
    """The client failed, or did not get what it had to get."""


def _run(command: list[str], timeout: float) -> tuple[str, float]:
    """Runs on the client's core; returns standard output and the CPU nanoseconds used."""
    before = _children_seconds()
    result = subprocess.run(
        ["taskset", "-c", str(CLIENT_CORE), *command], capture_output=True, text=True, timeout=timeout
    )
    used = _children_seconds() - before
    if result.returncode != 0:
        output = (result.stdout + result.stderr)[-1500:]
        raise LoadError(f"{' '.join(command)}: exit {result.returncode}\n{output}")
    return result.stdout, used * 1e9


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class TlsClient:
    """The rustls client of tests/client."""

    def __init__(self, binary: pathlib.Path, ca: pathlib.Path):
        self.binary = binary
        self.ca = ca

    def command(self, arm: Arm, arguments: list[str]) -> list[str]:
        """The command line for an arm; without TLS the client ignores what concerns it."""
        base = [str(self.binary), "--quiet"]
        if not arm.tls:
            base.append("--plain")
        else:
            base += ["--ca", str(self.ca)]
        return [*base, *arguments, arm.address]

    def run(self, arm: Arm, arguments: list[str], operations: int, timeout: float = 300) -> Done:
        """`arguments` make the client do `operations`; every one must have succeeded."""
        output, cpu = _run(self.command(arm, arguments), timeout)
        summary = json.loads(output.strip().splitlines()[-1])
        if summary["failures"]:
            raise LoadError(f"{arm.name}: {output[-1500:]}")
        return Done(operations, cpu, summary)

    @contextlib.contextmanager
    def held(self, arm: Arm, arguments: list[str], connections: int) -> Iterator[None]:
        """Does what `arguments` say and holds all connections open meanwhile."""
        client = subprocess.Popen(
            ["taskset", "-c", str(CLIENT_CORE), *self.command(arm, [*arguments, "--hold"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert client.stdout is not None
            ready = json.loads(client.stdout.readline() or "{}")
            if ready.get("connections") != connections:
                raise LoadError(f"{arm.name}: {ready} of {connections} connections; {arm.complaints()}")
            yield
        finally:
            client.communicate(timeout=120)


def h2load(arm: Arm, arguments: list[str], operations: int, path: str, timeout: float = 300) -> Done:
    """`operations` requests over HTTP/2 (h2c without TLS); every one must be answered 2xx."""
    scheme = "http" if arm.name == "plain" else "https"
    tls = [] if scheme == "http" else ["--groups=X25519", "--tls13-ciphers=TLS_AES_128_GCM_SHA256"]
    uri = f"{scheme}://localhost:{arm.port}{path}"
    command = ["h2load", *tls, "-n", str(operations), *arguments, f"--connect-to={arm.address}", uri]
    output, cpu = _run(command, timeout)
    if scheme == "https":
        for wanted in ("Application protocol: h2", "Cipher: TLS_AES_128_GCM_SHA256", "Server Temp Key: X25519"):
            if wanted not in output:
                raise LoadError(f"{arm.name}: h2load does not say {wanted!r}\n{output}")
    match = re.search(r"status codes: (\d+) 2xx", output)
    if not match or int(match.group(1)) != operations:
        raise LoadError(f"{arm.name}: not all answered\n{output}")
    return Done(operations, cpu, {})
