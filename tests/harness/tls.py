# SPDX-License-Identifier: Apache-2.0
"""Connections by Python's ssl module, with HTTP/1.1 read off them by hand."""
import select
import socket
import ssl
import time
from pathlib import Path

SECONDS = 15


def context(ca: Path | None = None, alpn: list[str] | None = None, version: str | None = None) -> ssl.SSLContext:
    """A client context; version is "1.2" or "1.3" to pin one."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python's default would hide a missing close_notify
    if ca:
        made.load_verify_locations(ca)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols(alpn)
    if version:
        pinned = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        made.minimum_version = made.maximum_version = pinned
    return made


def connect(port: int, name: str | None = "a.test", ca: Path | None = None, *, using: ssl.SSLContext | None = None,
            session: ssl.SSLSession | None = None, nodelay: bool = True, address: str = "127.0.0.1",
            **options) -> ssl.SSLSocket:
    """A connected TLS socket with a timeout; without a name no SNI is sent."""
    raw = socket.create_connection((address, port), SECONDS)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
    try:
        return (using or context(ca, **options)).wrap_socket(raw, server_hostname=name, session=session)
    except BaseException:
        raw.close()
        raise


def request(path: str = "/", host: str = "a.test", method: str = "GET", headers: tuple[str, ...] = (),
            body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Reader:
    """Reads HTTP/1.1 responses off a socket, one after the other."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def response(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        head = self.until(b"\r\n\r\n").decode()
        status, *lines = head.rstrip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        return int(status.split()[1]), headers, b"" if method == "HEAD" else self._body(headers)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size)
                self.exactly(2)
            self.until(b"\r\n")
            return body
        return self.exactly(int(headers.get("content-length", 0)))

    def until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._more()
        return self.exactly(self.buffer.index(end) + len(end))

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        try:
            while True:
                self._more()
        except EOFError:
            found, self.buffer = self.buffer, b""
            return found

    def _more(self) -> None:
        data = self.connection.recv(65536)
        if not data:
            raise EOFError(f"the stream ended after {self.buffer[-200:]!r}")
        self.buffer += data


def get(connection, path: str = "/", host: str = "a.test",
        headers: tuple[str, ...] = ()) -> tuple[int, dict[str, str], bytes]:
    connection.sendall(request(path, host, headers=headers))
    return Reader(connection).response()


def duplex(connection: ssl.SSLSocket, outgoing: bytes, expected: int) -> bytes:
    """Sends and receives at once in one thread (two threads may not use one SSL object); returns what came."""
    connection.setblocking(False)
    left, got, idle_end = memoryview(outgoing), bytearray(), time.monotonic() + SECONDS
    while len(got) < expected:
        moved = False
        try:
            if left:
                left, moved = left[connection.send(left[:65536]):], True
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        try:
            data = connection.recv(65536)
            if not data:
                raise EOFError(f"the stream ended after {len(got)} of {expected} bytes")
            got, moved = got + data, True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if moved:
            idle_end = time.monotonic() + SECONDS
        else:
            select.select([connection], [connection] if left else [], [], 1)
            assert time.monotonic() < idle_end, f"nothing moved; {len(left)} bytes to send, {len(got)} received"
    connection.settimeout(SECONDS)
    return bytes(got)


def memory_pair() -> tuple[ssl.MemoryBIO, ssl.MemoryBIO]:
    """Incoming and outgoing memory for an SSLObject whose bytes a test moves itself."""
    return ssl.MemoryBIO(), ssl.MemoryBIO()


def drive(session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, connection: socket.socket,
          data: bytes, transform=lambda flight: [flight], goodbye: bool = False) -> bytes:
    """Shakes hands, sends `data` (with `goodbye` close_notify in the same flight), reads to the end.

    What is due for the network passes through `transform`, each piece of which is a write of its own."""
    def flush() -> None:
        flight = outgoing.read()
        for piece in transform(flight) if flight else ():
            connection.sendall(piece)

    def step(action):
        while True:
            try:
                result = action()
                return result
            except ssl.SSLWantReadError:
                flush()
                more = connection.recv(65536)
                if more:
                    incoming.write(more)
                else:
                    incoming.write_eof()

    step(session.do_handshake)
    session.write(data)
    if goodbye:
        try:
            session.unwrap()
        except ssl.SSLWantReadError:
            pass
    flush()
    received = b""
    try:
        while piece := step(lambda: session.read(65536)):
            received += piece
    except ssl.SSLZeroReturnError:
        pass
    except ssl.SSLError as end:
        if "EOF" not in str(end):
            raise
        received += b"<truncated>"
    return received
