# SPDX-License-Identifier: Apache-2.0
"""Handshakes of a virtual host beside another one whose clients wait for an OCSP responder that never answers."""

import contextlib
import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import load
from arms import Arm, ssl_words
from fleet import Fleet
from measure import Result
from openloop import percentile

GUARDED = """
<VirtualHost 127.0.0.1:{port}>
ServerName guarded.localhost
SSLEngine on
SSLCertificateFile {certificate}
SSLVerifyClient require
SSLVerifyDepth 3
SSLCACertificateFile {ca}
SSLOCSPEnable leaf
SSLOCSPDefaultResponder http://127.0.0.1:{responder}/
SSLOCSPOverrideResponder on
SSLOCSPResponderTimeout 600
</VirtualHost>
"""


class Silent:
    """A responder that accepts whoever comes, and says nothing."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.held.append(self.socket.accept()[0])

    def end(self) -> None:
        """Closes it, and all that came."""
        self.socket.close()
        for one in self.held:
            one.close()


@dataclasses.dataclass
class DeadResponder:
    """p99 of full handshakes with one virtual host: beside so many clients that wait, and without them."""

    name: str
    title: str
    limit: float
    waiting: int
    handshakes: int

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """By turns, so that both see the same machine. Each client that waits has a certificate of its own."""
        count = max(50, round(self.handshakes * scale))
        responder = Silent()
        certificate = fleet.certificate("ecdsa")
        clients = [fleet.below.issue(f"waiting-{number}", f"waiting-{number}.example") for number in range(self.waiting)]

        def words(port: int, _root) -> str:
            guarded = GUARDED.format(port=port, certificate=certificate, ca=fleet.authority.file, responder=responder.port)
            return ssl_words(port, certificate, "SSLSessionCache none") + guarded

        arm = fleet.custom("mod_tls", f"LoadModule ssl_module {fleet.module}", words)
        took: dict[str, list[float]] = {"alone": [], "beside": []}
        try:
            for number in range(rounds):
                took["alone"] += self._handshakes(fleet, arm, count)
                with self._held(arm, clients, responder):
                    took["beside"] += self._handshakes(fleet, arm, count)
                tell(f"{self.name} round {number + 1}/{rounds}")
        finally:
            arm.stop()
            responder.end()
        spread = {what: {f"p{share * 100:g}": percentile(all_, share) * 1e3 for share in (0.5, 0.99)}
                  for what, all_ in took.items()}
        ratio = spread["beside"]["p99"] / spread["alone"]["p99"]
        return Result(
            self.title,
            "ms",
            {"mod_tls": spread["beside"]["p99"]},
            f"<= {self.limit:g} of the same without",
            "met" if ratio <= self.limit else "missed",
            note=f"{ratio:.2f} of {spread['alone']['p99']:.2f} ms; p50 {spread['beside']['p50']:.2f} and "
                 f"{spread['alone']['p50']:.2f} ms",
            spread=spread,
        )

    @staticmethod
    def _handshakes(fleet: Fleet, arm: Arm, count: int) -> list[float]:
        context = ssl.create_default_context(cafile=str(fleet.authority.file))
        took = []
        for _ in range(count):
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", arm.port), 60) as raw:
                with context.wrap_socket(raw, server_hostname="localhost"):
                    took.append(time.monotonic() - begun)
        return took

    def _waits(self, context: ssl.SSLContext, raw: socket.socket) -> None:
        # The server says nothing more until it has an answer about the client.
        connection = context.wrap_socket(raw, server_hostname="guarded.localhost")
        connection.settimeout(0.1)
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            got = connection.recv(1)
        except TimeoutError:
            self._waiters.append(connection)
            return
        raise load.LoadError(f"a client that should wait was told {got!r}")

    @contextlib.contextmanager
    def _held(self, arm: Arm, clients: list, responder: Silent) -> Iterator[None]:
        self._waiters: list[ssl.SSLSocket] = []
        try:
            for file in clients:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.load_cert_chain(file)
                self._waits(context, socket.create_connection(("127.0.0.1", arm.port), 60))
            if not responder.held:
                raise load.LoadError("nobody was asked")
            yield
        finally:
            for connection in self._waiters:
                connection.close()
