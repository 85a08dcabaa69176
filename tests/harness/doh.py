# SPDX-License-Identifier: Apache-2.0
"""A DNS server over HTTPS (RFC 8484) with HTTPS records (RFC 9460), for browsers: names below .test are at 127.0.0.1."""
import base64
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from .certs import Pair

A, HTTPS = 1, 65
ALPN, ECH = 1, 5  # SvcParamKeys


def in_wire_form(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def service(target: str, alpn: list[str], ech: bytes) -> bytes:
    """RDATA of an HTTPS record in ServiceMode; without `ech` it has none."""
    ids = b"".join(bytes([len(one)]) + one.encode() for one in alpn)
    found = struct.pack("!H", 1) + in_wire_form(target)
    for key, value in ((ALPN, ids), (ECH, ech)):
        if value:
            found += struct.pack("!HH", key, len(value)) + value
    return found


def answer(query: bytes, records: dict[str, bytes]) -> tuple[str, int, bytes]:
    """The name and type that a query asks for, and the response to it."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    name, kind = ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0]
    data = bytes([127, 0, 0, 1]) if kind == A and name.endswith(".test") else records.get(name) if kind == HTTPS else None
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if data else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b""
    return name, kind, head + query[12:at + 5] + record


class Resolver:
    """Answers in a thread; `asked` has what was asked for, name and type. Addresses are told once the record has been,
    since browsers wait for it for a moment only."""

    def __init__(self, pair: Pair, directory: Path, records: dict[str, bytes]):
        self.records, self.asked, self.told = records, [], threading.Event()
        resolver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, query: bytes) -> None:
                name, kind, response = answer(query, resolver.records)
                resolver.asked.append((name, kind))
                if kind != HTTPS and name.endswith(".test"):
                    resolver.told.wait(10)
                self.send_response(200)
                self.send_header("Content-Type", "application/dns-message")
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)
                if kind == HTTPS and name in resolver.records:
                    resolver.told.set()

            def do_GET(self) -> None:
                text = parse_qs(urlsplit(self.path).query)["dns"][0]
                self.reply(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

            def do_POST(self) -> None:
                self.reply(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_) -> None:
                pass

        crt, key = pair.write(directory, "doh")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Resolver":
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
