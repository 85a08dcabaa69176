# SPDX-License-Identifier: Apache-2.0
"""A FastCGI responder that answers every request with its parameters."""
import socketserver
import struct

from harness.listener import Listener

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def _record(kind: int, number: int, content: bytes = b"") -> bytes:
    return struct.pack("!BBHHBB", 1, kind, number, len(content), 0, 0) + content


def _length(data: bytes, at: int) -> tuple[int, int]:
    if data[at] < 0x80:
        return data[at], at + 1
    return int.from_bytes(data[at:at + 4], "big") & 0x7FFFFFFF, at + 4


def _pairs(data: bytes):
    at = 0
    while at < len(data):
        name_size, at = _length(data, at)
        value_size, at = _length(data, at)
        yield data[at:at + name_size], data[at + name_size:at + name_size + value_size]
        at += name_size + value_size


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        parameters = b""
        while head := self.rfile.read(8):
            _, kind, number, size, padding, _ = struct.unpack("!BBHHBB", head)
            content = self.rfile.read(size + padding)[:size]
            if kind == PARAMS:
                parameters += content
            if kind == STDIN and not content:
                break
        body = b"".join(name + b"=" + value + b"\0" for name, value in _pairs(parameters))
        page = b"Content-Type: application/octet-stream\r\n\r\n" + body
        for start in range(0, len(page), 60000):
            self.wfile.write(_record(STDOUT, number, page[start:start + 60000]))
        self.wfile.write(_record(STDOUT, number) + _record(END, number, bytes(8)))


class Responder(Listener):
    """Answers while it is entered, at `port`."""

    handler = _Handler
