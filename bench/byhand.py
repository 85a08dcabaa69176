"""A TLS client by hand, for what no library would do: records of any content before, in and after a handshake.

TLS 1.3 with X25519 and AES-128-GCM, TLS 1.2 with ECDHE-ECDSA-AES128-GCM; the server's certificate is not looked at.
RFC 8446 (7.1, 5.2), RFC 5246 (5, 6.3, 7.4.9), RFC 5288, RFC 7627.
"""

import hashlib
import hmac
import pathlib
import socket
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from harness import wire  # noqa: E402
from harness.wire import ALERT, CCS, DATA, HANDSHAKE, Hello, vec  # noqa: E402

CLIENT_HELLO, SERVER_HELLO, NEW_TICKET, CERTIFICATE, KEY_EXCHANGE = 1, 2, 4, 11, 12
REQUEST, DONE, VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 13, 14, 15, 16, 20
KEY_UPDATE = b"\x18\0\0\x01\x01"  # update_requested


class Ended(Exception):
    """The server ended the connection before the handshake was over."""


def message(kind: int, body: bytes) -> bytes:
    """A handshake message."""
    return bytes([kind]) + vec(3, body)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _label(secret: bytes, label: bytes, context: bytes = b"", length: int = 32) -> bytes:
    info = length.to_bytes(2, "big") + vec(1, b"tls13 " + label) + vec(1, context)
    return _hmac(secret, info + b"\1")[:length]


def _prf(secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    out, a = b"", label + seed
    while len(out) < length:
        a = _hmac(secret, a)
        out += _hmac(secret, a + label + seed)
    return out[:length]


class Seal13:
    """Records of one direction under one traffic secret."""

    def __init__(self, secret: bytes):
        self.secret = secret
        self.aead, self.iv, self.number = AESGCM(_label(secret, b"key", length=16)), _label(secret, b"iv", length=12), 0

    def _nonce(self) -> bytes:
        nonce = int.from_bytes(self.iv, "big") ^ self.number
        self.number += 1
        return nonce.to_bytes(12, "big")

    def seal(self, payload: bytes, kind: int = DATA) -> bytes:
        head = b"\x17\x03\x03" + (len(payload) + 17).to_bytes(2, "big")
        return head + self.aead.encrypt(self._nonce(), payload + bytes([kind]), head)

    def open(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        inner = self.aead.decrypt(self._nonce(), body, head).rstrip(b"\0")
        return inner[-1], inner[:-1]

    def next(self) -> "Seal13":
        """What follows a KeyUpdate."""
        return Seal13(_label(self.secret, b"traffic upd"))


class Seal12:
    """Records of one direction of TLS 1.2."""

    def __init__(self, key: bytes, salt: bytes):
        self.aead, self.salt, self.number = AESGCM(key), salt, 0

    def seal(self, payload: bytes, kind: int = DATA) -> bytes:
        number = self.number.to_bytes(8, "big")
        self.number += 1
        head = bytes([kind, 3, 3])
        sealed = self.aead.encrypt(self.salt + number, payload, number + head + len(payload).to_bytes(2, "big"))
        return head + vec(2, number + sealed)


class KeyedHello(Hello):
    """A hello with a share whose private key is known."""

    def __init__(self, **fields):
        super().__init__(**{"name": "localhost", "groups": [wire.X25519, wire.P256]} | fields)
        self.key = x25519.X25519PrivateKey.generate()

    def public(self) -> bytes:
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return self.key.public_key().public_bytes(*raw)

    def extensions(self) -> list[tuple[int, bytes]]:
        share = vec(2, wire.u16s([wire.X25519]) + vec(2, self.public()))
        return [(kind, share if kind == 51 and len(body) > 2 else body) for kind, body in super().extensions()]


class Client:
    """One connection; `sent` counts the octets that left."""

    def __init__(self, port: int, receive_buffer: int = 0):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.sent, self._input, self.transcript, self.writer = 0, b"", b"", None

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)
        self.sent += len(data)

    def record(self) -> tuple[bytes, bytes]:
        """The next record: header and body."""
        while len(self._input) < 5 or len(self._input) < 5 + int.from_bytes(self._input[3:5], "big"):
            got = self.socket.recv(65536)
            if not got:
                raise Ended
            self._input += got
        size = 5 + int.from_bytes(self._input[3:5], "big")
        head, body, self._input = self._input[:5], self._input[5:size], self._input[size:]
        if head[0] == ALERT:
            raise Ended(body.hex())
        return head, body

    def messages(self, last: int, reader: Seal13 | None = None) -> dict[int, bytes]:
        """Handshake messages up to the one of that kind, into the transcript too."""
        found, rest = {}, b""
        while last not in found:
            head, body = self.record()
            if head[0] == CCS:
                continue
            kind, content = reader.open(head, body) if reader else (head[0], body)
            if kind == ALERT:
                raise Ended(content.hex())
            rest += content
            while len(rest) >= 4 and len(rest) >= 4 + int.from_bytes(rest[1:4], "big"):
                size = 4 + int.from_bytes(rest[1:4], "big")
                found[rest[0]] = rest[4:size]
                self.transcript += rest[:size]
                rest = rest[size:]
        return found

    def hash(self, more: bytes = b"") -> bytes:
        """Of all messages so far, and of what comes next."""
        return hashlib.sha256(self.transcript + more).digest()

    def hello(self, hello: KeyedHello, pieces: int = 16_384) -> None:
        """Sends a hello in records of at most that size."""
        self.transcript = hello.message()
        self.send(wire.fragments(self.transcript, pieces))


class Tls13(Client):
    """Up to the server's Finished, then up to ours."""

    def begin(self, hello: KeyedHello) -> dict[int, bytes]:
        """Sends the hello and reads all that the server says to it."""
        self.hello(hello)
        answer = self.messages(SERVER_HELLO)[SERVER_HELLO]
        place = 35 + answer[34] + 5
        public = b""
        while place < len(answer):
            kind, size = int.from_bytes(answer[place:place + 2], "big"), int.from_bytes(answer[place + 2:place + 4], "big")
            if kind == 51:
                public = answer[place + 8:place + 4 + size]
            place += 4 + size
        shared = hello.key.exchange(x25519.X25519PublicKey.from_public_bytes(public))
        nothing = hashlib.sha256(b"").digest()
        early = _hmac(bytes(32), bytes(32))
        secret = _hmac(_label(early, b"derived", nothing), shared)
        own, theirs = (_label(secret, side + b" hs traffic", self.hash()) for side in (b"c", b"s"))
        self.writer, self.finished_key = Seal13(own), _label(own, b"finished")
        flight = self.messages(FINISHED, Seal13(theirs))
        self.master = _hmac(_label(secret, b"derived", nothing), bytes(32))
        own, theirs = (_label(self.master, side + b" ap traffic", self.hash()) for side in (b"c", b"s"))
        self.later, self.reader = Seal13(own), Seal13(theirs)
        return flight

    def finish(self, *before: bytes) -> None:
        """Messages of ours (certificate, signature), then Finished."""
        for own in before:
            self.say(own)
        self.say(message(FINISHED, _hmac(self.finished_key, self.hash())))
        self.writer = self.later

    def say(self, own: bytes) -> None:
        """A handshake message, in records as long as they may be."""
        self.transcript += own
        self.send(b"".join(self.writer.seal(own[i:i + 16_000], HANDSHAKE) for i in range(0, len(own), 16_000)))

    def shake(self, **fields) -> "Tls13":
        self.begin(KeyedHello(versions=[0x0304], **fields))
        self.finish()
        return self


class Tls12(Client):
    """Up to the server's ServerHelloDone, then up to its Finished."""

    def begin(self, hello: KeyedHello) -> None:
        self.hello(hello)
        flight = self.messages(DONE)
        self.key = hello.key
        self.random = self.transcript[6:38]
        self.server_random = flight[SERVER_HELLO][2:34]
        self.public = flight[KEY_EXCHANGE][4:4 + flight[KEY_EXCHANGE][3]]
        self.own_public = hello.public()

    def finish(self) -> None:
        shared = self.key.exchange(x25519.X25519PublicKey.from_public_bytes(self.public))
        exchange = message(CLIENT_KEY_EXCHANGE, vec(1, self.own_public))
        self.transcript += exchange
        master = _prf(shared, b"extended master secret", self.hash(), 48)
        block = _prf(master, b"key expansion", self.server_random + self.random, 40)
        self.writer = Seal12(block[:16], block[32:36])
        finished = message(FINISHED, _prf(master, b"client finished", self.hash(), 12))
        self.send(wire.record(exchange, version=0x0303) + wire.record(b"\1", CCS, 0x0303)
                  + self.writer.seal(finished, HANDSHAKE))
        while self.record()[0][0] != CCS:
            pass
        self.record()

    def shake(self, **fields) -> "Tls12":
        self.begin(KeyedHello(versions=None, suites=[0xC02B], **fields))
        self.finish()
        return self
