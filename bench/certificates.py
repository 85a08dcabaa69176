#!/usr/bin/env python3
"""What kinds of certificates cost: server CPU of a full TLS 1.3 handshake, and the octets that the server sends in it,
plain and with certificate compression. Prints a table for docs/measurements.md.

  bench/certificates.py --rounds 5 --connections 200
"""

import argparse
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

import load
import pki
from arms import Arm, build_sink

TOP = pathlib.Path(__file__).resolve().parent.parent
GROUP = "X25519MLKEM768"
KINDS = ("ECDSA P-256", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
COMPRESSIONS = ("", "brotli", "zlib")


class Relay:
    """Between one client and the server; counts what the server sends."""

    def __init__(self, port: int):
        self.counted = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        back = threading.Thread(target=self._copy, args=(client, server, False), daemon=True)
        back.start()
        self._copy(server, client, True)
        back.join(20)
        client.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket, count: bool) -> None:
        try:
            while data := source.recv(65536):
                self.counted += len(data) if count else 0
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def octets(self) -> int:
        """Once the connection has ended."""
        self._thread.join(20)
        self._listener.close()
        return self.counted


class Kind:
    """A server with one certificate, an intermediate and a root that is not sent. No tickets: they are no part of it."""

    def __init__(self, name: str, work: pathlib.Path, module: pathlib.Path, files: tuple[pathlib.Path, pathlib.Path]):
        self.name = name
        words = f'TLSEngine 127.0.0.1:{{port}}\nTLSSessionTicketCount 0\n<VirtualHost 127.0.0.1:{{port}}>\nServerName localhost\nTLSCertificate "{files[0]}" "{files[1]}"\n</VirtualHost>\n'
        stem = name.replace(" ", "-")
        self.arm = Arm(stem, work / stem, work, f"LoadModule tls_module {module}", lambda port, root: words.format(port=port))
        self.samples: list[float] = []

    def client(self, binary: pathlib.Path, address: str, connections: int, *more: str) -> None:
        """Full handshakes without a request."""
        command = [str(binary), "--quiet", "--insecure", "--versions", "1.3", "--groups", GROUP, "--expect-group", GROUP,
                   "--expect-resumed", "0", "--requests", "0", "--connections", str(connections), *more, address]
        done = subprocess.run(["taskset", "-c", "1", *command], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise load.LoadError(f"{self.name}: {done.stdout[-500:]}{done.stderr[-500:]}\n{self.arm.complaints()}")

    def measure(self, binary: pathlib.Path, connections: int) -> None:
        """One more sample, in microseconds a handshake."""
        before = self.arm.cpu_ns()
        self.client(binary, self.arm.address, connections)
        self.samples.append((self.arm.cpu_ns() - before) / connections / 1000)

    def octets(self, binary: pathlib.Path, compression: str) -> int:
        """What the server sends in one handshake."""
        relay = Relay(self.arm.port)
        self.client(binary, relay.address, 1, *(["--compression", compression] if compression else []))
        return relay.octets()


def material(work: pathlib.Path, client: pathlib.Path) -> dict[str, tuple[pathlib.Path, pathlib.Path]]:
    """Certificate with its chain, and key, of each kind. Those of ML-DSA are signed by ML-DSA-65."""
    below = pki.Authority(work, "bench intermediate", pki.Authority(work))
    subprocess.run([client, "make-ml-dsa", work], check=True, timeout=120)
    for key in work.glob("*.key"):
        key.chmod(0o600)
    found = {f"ML-DSA-{n}": (work / f"server-{n}.crt", work / f"server-{n}.key") for n in ("44", "65", "87")}
    for name, kind in (("ECDSA P-256", "ecdsa"), ("RSA-2048", "rsa")):
        file = below.issue(f"server-{kind}", "localhost", kind)
        found[name] = (file, file)
    return found


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="What kinds of certificates cost.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=200, help="of a round")
    parser.add_argument("--module", type=pathlib.Path, default=TOP / "build/release/mod_tls.so")
    parser.add_argument("--client", type=pathlib.Path, default=TOP / "target/release/tls-client")
    args = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-bench-"))
    work.chmod(0o755)
    kinds: list[Kind] = []
    try:
        (work / "htdocs").mkdir()
        build_sink(pathlib.Path(__file__).with_name("sink.cpp"), work / "sink.so")
        files = material(work, args.client)
        for name in KINDS:
            kinds.append(Kind(name, work, args.module.resolve(), files[name]))
            kinds[-1].arm.start()
            kinds[-1].client(args.client, kinds[-1].arm.address, 20)
        for number in range(args.rounds):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                kind.measure(args.client, args.connections)
            print(f"round {number + 1}/{args.rounds}: " + ", ".join(f"{k.name} {k.samples[-1]:.0f} us" for k in kinds), file=sys.stderr)
        print("| certificate | server CPU (quartiles) | octets sent | with brotli | with zlib |")
        print("| --- | --- | --- | --- | --- |")
        for kind in kinds:
            low, middle, high = statistics.quantiles(kind.samples, n=4)
            sizes = [kind.octets(args.client, compression) for compression in COMPRESSIONS]
            print(f"| {kind.name} | {middle:.0f} us ({low:.0f}..{high:.0f}) | " + " | ".join(map(str, sizes)) + " |")
    finally:
        for kind in kinds:
            kind.arm.stop()
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
