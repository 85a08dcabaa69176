# SPDX-License-Identifier: Apache-2.0
"""TLS written and read by hand: hellos no library would send, and what comes back unencrypted."""
import os
import socket
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519

ALERT, HANDSHAKE, DATA, CCS = 21, 22, 23, 20
X25519, P256, P384, MLKEM = 0x001D, 0x0017, 0x0018, 0x11EC
AES128, AES256, CHACHA = 0x1301, 0x1302, 0x1303
SUITES12 = [0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8]
SCHEMES = [0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601]
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
          40: "handshake_failure", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error",
          70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
          109: "missing_extension", 112: "unrecognized_name", 116: "certificate_required",
          120: "no_application_protocol"}


def vec(size: int, content: bytes) -> bytes:
    """A vector with a length of `size` bytes in front."""
    return len(content).to_bytes(size, "big") + content


def u16s(values) -> bytes:
    return b"".join(struct.pack(">H", v) for v in values)


def share(group: int) -> bytes:
    """A valid public share of a group."""
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    point = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    if group == X25519:
        return x25519.X25519PrivateKey.generate().public_key().public_bytes(*raw)
    if group == MLKEM:
        # An encapsulation key whose coefficients are all nought is in range, which is all FIPS 203 asks.
        return bytes(1152) + os.urandom(32) + share(X25519)
    curve = {P256: ec.SECP256R1, P384: ec.SECP384R1}.get(group)
    return ec.generate_private_key(curve()).public_key().public_bytes(*point) if curve else os.urandom(32)


@dataclass
class Hello:
    """A ClientHello; every field can be made wrong."""

    name: str | bytes | None = "a.test"
    versions: list[int] | None = field(default_factory=lambda: [0x0304, 0x0303])
    suites: list[int] = field(default_factory=lambda: [AES128, AES256, CHACHA, *SUITES12])
    groups: list[int] = field(default_factory=lambda: [X25519, P256, P384])
    shares: list[int] | None = None
    schemes: list[int] | None = field(default_factory=lambda: list(SCHEMES))
    alpn: list[bytes] = field(default_factory=list)
    legacy_version: int = 0x0303
    session_id: bytes = field(default_factory=lambda: os.urandom(32))
    compression: bytes = b"\0"
    more: list[tuple[int, bytes]] = field(default_factory=list)

    def extensions(self) -> list[tuple[int, bytes]]:
        found = []
        if self.name is not None:
            name = self.name if isinstance(self.name, bytes) else self.name.encode()
            found.append((0, vec(2, b"\0" + vec(2, name))))
        found += [(23, b""), (11, b"\x01\0"), (10, vec(2, u16s(self.groups)))]
        if self.schemes is not None:
            found.append((13, vec(2, u16s(self.schemes))))
        if self.alpn:
            found.append((16, vec(2, b"".join(vec(1, p) for p in self.alpn))))
        if self.versions is not None:
            found.append((43, vec(1, u16s(self.versions))))
        if self.versions and 0x0304 in self.versions:
            shares = self.groups[:1] if self.shares is None else self.shares
            found.append((51, vec(2, b"".join(u16s([g]) + vec(2, share(g)) for g in shares))))
            found.append((45, b"\x01\x01"))
        return found + self.more

    def message(self) -> bytes:
        extensions = b"".join(u16s([t]) + vec(2, body) for t, body in self.extensions())
        body = (u16s([self.legacy_version]) + os.urandom(32) + vec(1, self.session_id) + vec(2, u16s(self.suites))
                + vec(1, self.compression) + vec(2, extensions))
        return b"\x01" + vec(3, body)

    def record(self) -> bytes:
        return record(self.message())


def record(payload: bytes, kind: int = HANDSHAKE, version: int = 0x0301) -> bytes:
    return bytes([kind]) + u16s([version]) + vec(2, payload)


def fragments(message: bytes, size: int, kind: int = HANDSHAKE) -> bytes:
    """The message as records of at most `size` bytes each."""
    return b"".join(record(message[i:i + size], kind) for i in range(0, len(message), size))


def sslv2_hello() -> bytes:
    body = b"\x01\x00\x02" + u16s([3, 0, 16]) + bytes.fromhex("010080") + os.urandom(16)
    return struct.pack(">H", 0x8000 | len(body)) + body


def bound() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


_used: set[int] = set()


def fresh(make=bound) -> socket.socket:
    """A socket whose port nobody here has had before: the kernel gives one again within a second, and lines of the log name
    a client by its port."""
    taken = []
    while (made := make()).getsockname()[1] in _used:
        taken.append(made)  # held, for the next one to be another
    _used.add(made.getsockname()[1])
    for other in taken:
        other.close()
    return made


def connect(port: int, seconds: float = 30) -> socket.socket:
    made = fresh()
    made.settimeout(seconds)
    made.connect(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return made


@dataclass
class Reply:
    """All bytes up to the end of the stream, and what they mean."""

    raw: bytes
    reset: bool = False
    client: int = 0  # our port, as log lines name us

    def records(self) -> list[tuple[int, bytes]]:
        found, rest = [], self.raw
        while len(rest) >= 5:
            size = int.from_bytes(rest[3:5], "big")
            found.append((rest[0], rest[5:5 + size]))
            rest = rest[5 + size:]
        return found

    @property
    def alerts(self) -> list[str]:
        """Names of the alerts in clear text."""
        return [ALERTS.get(body[1], str(body[1])) for kind, body in self.records() if kind == ALERT and len(body) == 2]

    @property
    def server_hello(self) -> "ServerHello | None":
        for kind, body in self.records():
            if kind == HANDSHAKE and body[:1] == b"\x02":
                return ServerHello.parse(body)
        return None


@dataclass
class ServerHello:
    version: int
    suite: int
    group: int | None
    retry: bool

    @staticmethod
    def parse(message: bytes) -> "ServerHello":
        body = message[4:]
        version, random, rest = int.from_bytes(body[:2], "big"), body[2:34], body[34:]
        rest = rest[1 + rest[0]:]
        suite, rest = int.from_bytes(rest[:2], "big"), rest[3:]
        group, rest = None, rest[2:]
        while len(rest) >= 4:
            kind, size = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
            value, rest = rest[4:4 + size], rest[4 + size:]
            if kind == 43:
                version = int.from_bytes(value, "big")
            elif kind == 51:
                group = int.from_bytes(value[:2], "big")
        return ServerHello(version, suite, group, random == RETRY)


def read_to_end(connection: socket.socket) -> Reply:
    """Reads until the peer closes; a reset is an end too, and is told."""
    raw = b""
    try:
        while data := connection.recv(65536):
            raw += data
    except ConnectionResetError:
        return Reply(raw, True, connection.getsockname()[1])
    return Reply(raw, False, connection.getsockname()[1])


def exchange(port: int, *pieces: bytes, half_close: bool = True) -> Reply:
    """Sends the pieces, each in a segment of its own, then ends output and reads all there is."""
    with connect(port) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server closed before it had read all
        return read_to_end(connection)


def first_flight(port: int, hello: bytes) -> Reply:
    """Sends a hello and reads until the first whole record has come."""
    with connect(port) as connection:
        connection.sendall(hello)
        raw = b""
        while len(raw) < 5 or len(raw) < 5 + int.from_bytes(raw[3:5], "big"):
            data = connection.recv(65536)
            if not data:
                break
            raw += data
        return Reply(raw)
