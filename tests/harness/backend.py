# SPDX-License-Identifier: Apache-2.0
"""Small TCP servers behind httpd: a handler per connection, in threads that end with the test."""
import base64
import hashlib
import socket
import threading
from typing import Callable

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Backend:
    """Calls `handler(connection)` for each connection; errors of handlers are kept and raised by close()."""

    def __init__(self, handler: Callable[[socket.socket], None]):
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.errors: list[BaseException] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(60)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._handler(connection)
            except (ConnectionError, TimeoutError):
                pass
            except BaseException as error:  # noqa: BLE001 (told to the test by close)
                self.errors.append(error)

    def close(self) -> None:
        self._listener.close()
        assert not self.errors, self.errors


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The request head, and what came after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"the request ended early: {data!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def accept_websocket(connection: socket.socket) -> bytes:
    """Answers an upgrade; returns what came after its head. What follows are bytes in both directions."""
    head, rest = read_head(connection)
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n"))}
    digest = hashlib.sha1(headers[b"sec-websocket-key"] + WEBSOCKET_GUID).digest()
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
    return rest


def upgrade_request(path: str, host: str = "a.test") -> bytes:
    return (f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
