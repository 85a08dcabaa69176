"""What attackers do: each kind is one connection, from its first octet to its end, and says how many octets it sent.

`FLOODS` cost processor time; `HELD` are left open where they are, and cost memory.
"""

import datetime
import os
import pathlib
import random
import select
import socket
from collections.abc import Callable

from byhand import (ALERT, CERTIFICATE, CLIENT_KEY_EXCHANGE, DATA, HANDSHAKE, KEY_UPDATE, VERIFY, Client, Ended, Hello, KeyedHello, Tls12,
                    Tls13, message, vec, wire)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

RNG = random.Random(11)
RECORDS = 4000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)
POST = b"POST /sink HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


def pour(client: Client, data: bytes) -> int:
    """Sends all of it while reading and forgetting what comes, until the server has had enough or has read everything."""
    made, rest = client.socket, memoryview(data)
    made.setblocking(False)
    try:
        if not rest:
            made.shutdown(socket.SHUT_WR)
        while True:
            readable, writable, _ = select.select([made], [made] if rest else [], [], 20)
            if not readable and not writable:
                break
            if readable and not made.recv(65536):
                break
            if writable:
                count = made.send(rest[:16_384])
                client.sent, rest = client.sent + count, rest[count:]
                if not rest:
                    made.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it was ended while we sent
    made.close()
    return client.sent


def raw(data: Callable[[], bytes]) -> Callable[[int], int]:
    """Octets in the clear, then the end."""
    return lambda port: pour(Client(port), data())


def after(shake: Callable[[int], Client], make: Callable[[Client], bytes]) -> Callable[[int], int]:
    """A handshake, then what is made by its keys."""

    def run(port: int) -> int:
        client = shake(port)
        return pour(client, make(client))

    return run


def tls13(port: int) -> Tls13:
    return Tls13(port).shake()


def tls12(port: int) -> Tls12:
    return Tls12(port).shake()


def h2(port: int) -> Tls13:
    return Tls13(port).shake(alpn=[b"h2"])


def many(payload: bytes, kind: int, count: int = RECORDS) -> Callable[[Client], bytes]:
    """So many records of that content."""
    return lambda client: b"".join(client.writer.seal(payload, kind) for _ in range(count))


def key_updates(client: Tls13) -> bytes:
    """Each under the key that the one before made."""
    out = []
    for _ in range(RECORDS):
        out.append(client.writer.seal(KEY_UPDATE, HANDSHAKE))
        client.writer = client.writer.next()
    return b"".join(out)


def key_updates_and_data(client: Tls13) -> bytes:
    """The same in a request's body, so that no two follow one another."""
    out = [client.writer.seal(POST % (RECORDS // 2))]
    for _ in range(RECORDS // 2):
        out.append(client.writer.seal(b"x") + client.writer.seal(KEY_UPDATE, HANDSHAKE))
        client.writer = client.writer.next()
    return b"".join(out)


def upload(size: int, empty: bool = False) -> Callable[[Client], bytes]:
    """A request's body in records of one size, with an empty one after each if wanted."""

    def make(client: Client) -> bytes:
        count = RECORDS if size == 1 else 256
        out = [client.writer.seal(POST % (count * size))]
        for _ in range(count):
            out.append(client.writer.seal(b"x" * size))
            if empty:
                out.append(client.writer.seal(b""))
        return b"".join(out)

    return make


def renegotiations(client: Tls12) -> bytes:
    """A hello under the keys of the connection, again and again."""
    return b"".join(client.writer.seal(KeyedHello(versions=None).message(), HANDSHAKE) for _ in range(200))


def pings(client: Tls13) -> bytes:
    """One frame a record."""
    return client.writer.seal(PREFACE) + b"".join(client.writer.seal(PING) for _ in range(RECORDS))


def hello_only(answered: bool = False, **fields) -> Callable[[int], int]:
    """A hello; what comes is read to its first record, and the connection is torn. `answered`: no alert may come."""

    def run(port: int) -> int:
        client = Client(port)
        client.hello(KeyedHello(**fields))
        try:
            client.record()
        except (Ended, OSError):
            if answered:
                raise
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
        return client.sent

    return run


def hello_twice(port: int) -> int:
    """A hello without a share, and after HelloRetryRequest one that has it."""
    client, hello = Client(port), KeyedHello(versions=[0x0304], shares=[])
    client.hello(hello)
    client.record()
    client.hello(KeyedHello(versions=[0x0304], session_id=hello.session_id))
    client.record()
    return pour(client, b"")


def tickets13(count: int, size: int) -> list[tuple[int, bytes]]:
    """pre_shared_key with tickets of nobody's."""
    identities = b"".join(vec(2, os.urandom(size)) + bytes(4) for _ in range(count))
    return [(41, vec(2, identities) + vec(2, vec(1, bytes(32)) * count))]


def many_names() -> bytes:
    return vec(2, b"".join(b"\0" + vec(2, b"h%05d.test" % number) for number in range(2500)))


# --- clients with certificates that are wrong ---

def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, issuer, key, signer, ca=False, days=90) -> bytes:
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=100))
               .not_valid_after(now + datetime.timedelta(days=days))
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Wrong:
    """Certificates of clients, made once; `authority` is the bench's intermediate CA, which the servers trust."""

    def __init__(self, authority):
        self.key = ec.generate_private_key(ec.SECP256R1())
        other = ec.generate_private_key(ec.SECP256R1())
        large = rsa.generate_private_key(public_exponent=65537, key_size=8192)
        own, below = name("client"), authority.certificate.subject
        middle = authority.certificate.public_bytes(serialization.Encoding.DER)
        good = certificate(own, below, self.key, authority.key)
        lattice = [certificate(name("Ring"), name("Ring"), ec.generate_private_key(ec.SECP256R1()), other, ca=True) for _ in range(120)]
        lengthy = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(n)) for n in range(3500)])
        self.chains = {
            "self-signed": [certificate(own, own, self.key, self.key)],
            "signed by nobody known": [certificate(own, name("Nobody"), self.key, other)],
            "expired": [certificate(own, below, self.key, authority.key, days=-1), middle],
            "signed with another key than the CA's": [certificate(own, below, self.key, other), middle],
            "wrong proof of possession": [good, middle],
            "RSA 8192 and a wrong proof": [certificate(own, below, large, authority.key), middle],
            "120 CAs of one name": [certificate(own, name("Ring"), self.key, other), *lattice],
            "subject of 3,500 attributes": [certificate(lengthy, name("Nobody"), self.key, other)],
            "60 KiB of noise": [RNG.randbytes(60_000)],
            "one octet": [b"\x30"],
        }

    def flood(self, kind: str) -> Callable[[int], int]:
        chain = self.chains[kind]
        listed = message(CERTIFICATE, vec(1, b"") + vec(3, b"".join(vec(3, der) + b"\0\0" for der in chain)))

        def run(port: int) -> int:
            client = Tls13(port)
            client.begin(KeyedHello(versions=[0x0304]))
            if "RSA" in kind:
                proof = b"\x08\x04" + vec(2, b"\x01" + RNG.randbytes(1023))
            else:
                claim = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + client.hash(listed)
                signature = self.key.sign(b"other" + claim if "proof" in kind else claim, ec.ECDSA(hashes.SHA256()))
                proof = b"\x04\x03" + vec(2, signature)
            try:
                client.finish(listed, message(VERIFY, proof))
            except OSError:
                pass  # it was refused while it was being sent
            return pour(client, b"")

        return run


OLD = dict(versions=None, legacy_version=0x0301)
UNKNOWN = [(0x1000 + number, b"") for number in range(100)]
# Kind -> (site, connections a round, one connection)
FLOODS: dict[str, tuple[str, int, Callable[[int], int]]] = {
    "300 octets of noise": ("ecdsa", 300, raw(lambda: b"\x80" + RNG.randbytes(299))),
    "a request in the clear": ("ecdsa", 300, raw(lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
    "hello of TLS 1.0": ("ecdsa", 300, hello_only(**OLD)),
    "hello without a common suite": ("ecdsa", 300, hello_only(suites=[0x0005], versions=None)),
    "hello of 47 KiB": ("ecdsa", 200, hello_only(answered=True, more=[(21, bytes(47_000))])),
    "hello of 60 KiB": ("ecdsa", 200, hello_only(more=[(21, bytes(60_000))])),
    "hello of 100 unknown extensions": ("ecdsa", 200, hello_only(answered=True, more=UNKNOWN)),
    "hello of 15,000 empty extensions": ("ecdsa", 100, hello_only(more=[(0x1000 + n, b"") for n in range(15_000)])),
    "hello of 2,500 names": ("ecdsa", 200, hello_only(name=None, more=[(0, many_names())])),
    "hello of 60 protocols": ("ecdsa", 200, hello_only(answered=True, alpn=[*(b"p%d" % n for n in range(60)), b"http/1.1"])),
    "hello of 16,000 protocols": ("ecdsa", 100, hello_only(alpn=[b"xyz"] * 16_000)),
    "hello in records of one octet": ("ecdsa", 100, lambda port: pour(
        Client(port), wire.fragments(KeyedHello(more=[(21, bytes(1500))]).message(), 1))),
    "hello of 7,000 octets in as many records, not ended": ("ecdsa", 50, raw(
        lambda: wire.fragments(Hello(more=[(21, bytes(7000))]).message()[:-1], 1))),
    "one ticket of nobody's, TLS 1.3": ("ecdsa", 200, hello_only(answered=True, more=tickets13(1, 200))),
    "8 tickets of 5 KB, TLS 1.3": ("ecdsa", 200, hello_only(answered=True, more=tickets13(8, 5000))),
    "a ticket of nobody's, TLS 1.2": ("ecdsa", 200, hello_only(answered=True, versions=None, suites=[0xC02B], more=[(35, os.urandom(200))])),
    "torn after the server's flight, TLS 1.3": ("ecdsa", 200, hello_only(answered=True, versions=[0x0304])),
    "torn after the server's flight, TLS 1.2": ("ecdsa", 200, hello_only(answered=True, versions=None, suites=[0xC02B])),
    "a hello twice (HelloRetryRequest), torn": ("ecdsa", 200, hello_twice),
    "handshake and nothing else, TLS 1.3": ("ecdsa", 100, after(tls13, lambda client: b"")),
    "KeyUpdate after KeyUpdate": ("ecdsa", 10, after(tls13, key_updates)),
    "KeyUpdate between octets of a body": ("ecdsa", 10, after(tls13, key_updates_and_data)),
    "empty records, TLS 1.3": ("ecdsa", 10, after(tls13, many(b"", DATA))),
    "empty records, TLS 1.2": ("ecdsa", 10, after(tls12, many(b"", DATA))),
    "body in records of one octet, TLS 1.3": ("ecdsa", 10, after(tls13, upload(1))),
    "body in records of one octet, TLS 1.2": ("ecdsa", 10, after(tls12, upload(1))),
    "the same with an empty record after each": ("ecdsa", 10, after(tls13, upload(1, empty=True))),
    "body in records of 100 octets": ("ecdsa", 20, after(tls13, upload(100))),
    "warnings, TLS 1.2": ("ecdsa", 10, after(tls12, many(b"\x01\x5a", ALERT))),
    "warnings, TLS 1.3": ("ecdsa", 10, after(tls13, many(b"\x01\x5a", ALERT))),
    "renegotiation": ("ecdsa", 20, after(tls12, renegotiations)),
    "HTTP/2 PING in a record each": ("ecdsa", 10, after(h2, pings)),
}


def fill(authority) -> dict[str, tuple[str, int, Callable[[int], int]]]:
    """All floods, those with certificates as well."""
    wrong = Wrong(authority)
    return FLOODS | {f"client certificate: {kind}": ("mutual", 60, wrong.flood(kind)) for kind in wrong.chains}


# --- what is left open ---

def cut_hello(size: int, **fields) -> Callable[[int], Client]:
    def run(port: int) -> Client:
        client = Client(port)
        client.send(KeyedHello(**fields).record()[:size])
        return client

    return run


def flight13(port: int) -> Client:
    client = Tls13(port)
    client.begin(KeyedHello(versions=[0x0304]))
    return client


def flight12(port: int) -> Client:
    client = Tls12(port)
    client.begin(KeyedHello(versions=None, suites=[0xC02B]))
    return client


def half_exchange(port: int) -> Client:
    client = flight12(port)
    client.send(wire.record(message(CLIENT_KEY_EXCHANGE, vec(1, bytes(32))), version=0x0303)[:20])
    return client


def said(shake: Callable[[int], Client], text: bytes, buffer: int = 0) -> Callable[[int], Client]:
    """A handshake, then the beginning of a request or a whole one, whose answer nobody reads."""

    def run(port: int) -> Client:
        client = shake(port)
        if text:
            client.send(client.writer.seal(text))
        return client

    return run


def deaf(version: type, text: bytes, **fields) -> Callable[[int], Client]:
    """As above with the smallest window."""
    return said(lambda port: version(port, 2048).shake(**fields), text)


GET = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
# A window of 2^31 - 1 for streams and for the connection; HPACK: GET, https, localhost, /large.
H2_HEADERS = b"\x82\x87\x41\x09localhost\x04\x06/large"
H2_GET = (PREFACE[:24] + b"\0\0\x06\x04\0\0\0\0\0" + b"\0\x04\x7f\xff\xff\xff" + b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0"
          + vec(3, H2_HEADERS)[:3] + b"\x01\x05\0\0\0\x01" + H2_HEADERS)
HELD: dict[str, Callable[[int], Client]] = {
    "one octet": cut_hello(1),
    "half a hello": cut_hello(150),
    "hello of 16 KiB but its last octet": cut_hello(-1, more=[(21, bytes(16_000))]),
    "hello, flight read, TLS 1.3": flight13,
    "hello, flight read, TLS 1.2": flight12,
    "half a ClientKeyExchange": half_exchange,
    "handshake, no request": said(tls13, b""),
    "handshake, half a request": said(tls13, b"GET / HTTP/1.1\r\nHo"),
    "download of 10 MiB that nobody reads, TLS 1.3": deaf(Tls13, GET),
    "download of 10 MiB that nobody reads, TLS 1.2": deaf(Tls12, GET),
    "the same over HTTP/2": deaf(Tls13, H2_GET, alpn=[b"h2"]),
}
