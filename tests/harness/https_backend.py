# SPDX-License-Identifier: Apache-2.0
"""An https backend that no one of httpd's family wrote: Python's ssl, one thread a connection, misbehaving on request."""
import os
import socket
import ssl
import struct
import threading
from pathlib import Path

from .certs import Authority, Pair


class HttpsBackend:
    """Answers each request with its path; `manner` is how it treats its clients.

    plain: as a server should. cut: ends the answer in the middle, without close_notify; cut-unbounded: the same with an
    answer that ends with the connection; cut-chunked: the same in chunks. polite: that answer, ended by close_notify.
    mute: never answers a hello. drip: answers it byte by byte, a second apart, with a message that never ends. hang-up, reset: closes the connection after the hello. http: answers it in HTTP.
    fragile: hangs up on a hello that does not fit one packet. once: closes after each answer, without close_notify.
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
        self.faults: list[str] = []  # why others were not, or what ended a connection
        self.hellos: list[int] = []  # sizes of hellos, with manners that look at them
        self.named: list[str | None] = []  # the SNI of each ClientHello
        if "/" in address:
            self.listener, self.port = socket.socket(socket.AF_UNIX), 0
            self.listener.bind(address)
            self.listener.listen()
        else:
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
            if self.manner in ("mute", "drip", "hang-up", "reset", "http", "fragile") and not self._greet(raw):
                return
            self.names.last = None
            with self.context.wrap_socket(raw, server_side=True) as connection:
                self.seen.append({"version": connection.version(), "resumed": connection.session_reused,
                                  "client": connection.getpeercert(), "sni": self.names.last,
                                  "alpn": connection.selected_alpn_protocol()})
                self.open.append(connection)
                try:
                    self._answer(connection)
                finally:
                    self.open.remove(connection)
        except (OSError, ssl.SSLError) as error:
            self.faults.append(str(error))
        finally:
            raw.close()

    def _greet(self, raw: socket.socket) -> bool:
        """Looks at a hello; true when the handshake may go on."""
        size = len(raw.recv(65536, socket.MSG_PEEK))
        self.hellos.append(size)
        if self.manner == "fragile" and size < 1400:
            return True
        if self.manner == "mute":
            threading.Event().wait(10)
        elif self.manner == "drip":
            self.hellos[-1] = 0
            for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0" + bytes(30):
                raw.sendall(bytes([byte]))
                self.hellos[-1] += 1
                threading.Event().wait(1)
        elif self.manner == "http":
            raw.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        if self.manner == "reset":
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            raw.recv(65536)
        return False

    def _answer(self, connection: ssl.SSLSocket) -> None:
        while head := self._head(connection):
            path = head.split(b" ", 2)[1]
            body = path * 100
            ends_with_connection = self.manner in ("cut-unbounded", "polite")
            length = b"" if ends_with_connection else b"Content-Length: %d\r\n" % len(body)
            if self.manner == "cut-chunked":
                length, body = b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(body), body)
            answer = b"HTTP/1.1 200 OK\r\n%s\r\n%s" % (length, body)
            connection.sendall(answer[:-50] if self.manner == "cut" else answer)
            if self.manner == "polite":
                connection.unwrap()
            if self.manner.startswith("cut") or self.manner in ("once", "polite"):
                os.close(connection.detach())
                return

    @staticmethod
    def _head(connection: ssl.SSLSocket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                return b""
            data += more
        return data
