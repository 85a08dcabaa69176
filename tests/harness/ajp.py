# SPDX-License-Identifier: Apache-2.0
"""An AJP/1.3 responder that answers every request with its header fields, a line each."""
import socketserver
import struct

from harness.listener import Listener

# Codes that stand for the names of the most usual header fields.
NAMES = {1: "accept", 2: "accept-charset", 3: "accept-encoding", 4: "accept-language", 5: "authorization", 6: "connection",
         7: "content-type", 8: "content-length", 9: "cookie", 10: "cookie2", 11: "host", 12: "pragma", 13: "referer",
         14: "user-agent"}
SEND_BODY, SEND_HEADERS, END = 3, 4, 5


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, size: int = 2) -> int:
        self.at += size
        return int.from_bytes(self.data[self.at - size:self.at], "big")

    def text(self) -> bytes:
        size = self.number()
        if size == 0xFFFF:
            return b""
        self.at += size + 1
        return self.data[self.at - size - 1:self.at - 1]


def _text(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value + b"\0"


def _packet(content: bytes) -> bytes:
    return b"AB" + struct.pack("!H", len(content)) + content


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(4):
            request = _Reader(self.rfile.read(int.from_bytes(head[2:], "big")))
            request.at = 2  # the kind of message, and the method
            for _ in range(4):  # protocol, URI, address and name of the client
                request.text()
            request.text()  # the server's name
            request.at += 3  # its port, and whether TLS is spoken
            lines = []
            for _ in range(request.number()):
                code = request.data[request.at]
                if code == 0xA0:
                    name = NAMES[request.number() & 0xFF].encode()
                else:
                    name = request.text()
                lines.append(name + b": " + request.text())
            body = b"\r\n".join(lines)
            self.wfile.write(_packet(bytes([SEND_HEADERS]) + struct.pack("!H", 200) + _text(b"OK") + struct.pack("!H", 0))
                             + _packet(bytes([SEND_BODY]) + struct.pack("!H", len(body)) + body + b"\0")
                             + _packet(bytes([END, 1])))


class Responder(Listener):
    """Answers while it is entered, at `port`."""

    handler = _Handler
