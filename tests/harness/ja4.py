# SPDX-License-Identifier: Apache-2.0
"""JA4 of a ClientHello on the wire, by its description and nothing of ours."""
import hashlib
import ssl
import struct


class Cursor:
    def __init__(self, data: bytes):
        self.data = data

    def take(self, count: int) -> bytes:
        taken, self.data = self.data[:count], self.data[count:]
        assert len(taken) == count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))


def numbers(data: bytes) -> list[int]:
    return [n for n, in struct.iter_unpack(">H", data)]


def fingerprint(hello: bytes) -> tuple[str, str]:
    """JA4 and JA4_R of a hello in one record."""
    cursor = Cursor(hello)
    assert cursor.take(1) == b"\x16"
    cursor.take(4)
    assert cursor.take(1) == b"\x01"
    cursor.take(3)
    version = cursor.number(2)
    cursor.take(32)
    cursor.vector(1)
    suites = numbers(cursor.vector(2))
    cursor.vector(1)
    extensions, rest = {}, Cursor(cursor.vector(2))
    while rest.data:
        kind = rest.number(2)
        extensions[kind] = rest.vector(2)
    if 43 in extensions:
        version = max(v for v in numbers(extensions[43][1:]) if v & 0x0F0F != 0x0A0A)
    protocol = Cursor(extensions[16][2:]).vector(1) if 16 in extensions else b""
    letters = protocol[:1] + protocol[-1:]
    letters = (letters.decode() if letters.isalnum() else protocol.hex()[0] + protocol.hex()[-1]) if letters else "00"
    schemes = [f"{n:04x}" for n in numbers(extensions[13][2:])] if 13 in extensions else []
    plain = [n for n in suites if n & 0x0F0F != 0x0A0A]
    kinds = [n for n in extensions if n & 0x0F0F != 0x0A0A]
    first = f"t{ {0x0304: '13', 0x0303: '12'}[version]}{'d' if 0 in extensions else 'i'}{len(plain):02}{len(kinds):02}" \
            f"{letters}"
    second = ",".join(sorted(f"{n:04x}" for n in plain))
    third = ",".join(sorted(f"{n:04x}" for n in kinds if n not in (0, 16))) + ("_" + ",".join(schemes) if schemes else "")
    short = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (second, third)]
    return "_".join([first, *short]), "_".join([first, second, third])


def hello_of(context: ssl.SSLContext, name: str | None) -> bytes:
    """The hello that a context of Python's ssl sends; all of them have the same fingerprint."""
    out = ssl.MemoryBIO()
    made = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        made.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()
