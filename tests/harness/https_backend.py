"""An https backend that no one of httpd's family wrote: Python's ssl, one thread a connection, misbehaving on request."""
import socket
import ssl
import threading
from pathlib import Path

from .certs import Authority, Pair


class HttpsBackend:
    """Answers each request with its path; `manner` is how it treats its clients.

    plain: as a server should. cut: ends the answer in the middle, without close_notify. mute: never answers a hello.
    """

    def __init__(self, pair: Pair, directory: Path, *, manner: str = "plain", clients: Authority | None = None,
                 version: ssl.TLSVersion | None = None, alpn: list[str] | None = None, address: str = "127.0.0.1"):
        crt, key = pair.write(directory, f"backend-{id(self)}")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(crt, key)
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        self.names = threading.local()
        self.context.sni_callback = self._named
        if alpn:
            self.context.set_alpn_protocols(alpn)
        if clients:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=clients.pem().decode())
        self.manner = manner
        self.seen: list[dict] = []  # one for each handshake that was completed
        self.named: list[str | None] = []  # the SNI of each ClientHello
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family)
        self.port = self.listener.getsockname()[1]
        self.open: list[ssl.SSLSocket] = []
        self.running = True
        threading.Thread(target=self._accept, daemon=True).start()

    def hang_up(self) -> None:
        """Closes all connections, as a server does with idle ones."""
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _named(self, _socket, name: str | None, _context) -> None:
        self.names.last = name
        self.named.append(name)

    def close(self) -> None:
        self.running = False
        self.listener.close()

    def _accept(self) -> None:
        while self.running:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(20)
        try:
            if self.manner == "mute":
                raw.recv(65536)
                threading.Event().wait(10)
                return
            self.names.last = None
            with self.context.wrap_socket(raw, server_side=True) as connection:
                self.seen.append({"version": connection.version(), "resumed": connection.session_reused,
                                  "client": connection.getpeercert(), "sni": self.names.last,
                                  "alpn": connection.selected_alpn_protocol()})
                self.open.append(connection)
                self._answer(connection)
                self.open.remove(connection)
        except (OSError, ssl.SSLError):
            pass
        finally:
            raw.close()

    def _answer(self, connection: ssl.SSLSocket) -> None:
        while head := self._head(connection):
            path = head.split(b" ", 2)[1]
            body = path * 100
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            if self.manner == "cut":
                connection.sendall(answer[:-50])
                connection.detach()
                return
            connection.sendall(answer)

    @staticmethod
    def _head(connection: ssl.SSLSocket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                return b""
            data += more
        return data
