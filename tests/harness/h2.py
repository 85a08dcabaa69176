# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand over a TLS connection that Python made: one GET a stream, and the status of its answer."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_TABLE = b"\0\x01\0\0\0\0"  # the server is to send headers as they are
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS = 1, 4
# RFC 7541: the static table's entries of :status, and the Huffman codes of digits (length, code).
STATUSES = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
DIGITS = {(5, n): str(n) for n in range(3)} | {(6, 0x16 + n): str(n) for n in range(3, 10)}


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + content


def literal(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def get(connection, path: str = "/", host: str = "a.test", stream: int = 1) -> int:
    """Streams are 1, 3, 5 and so on; the first one sends the preface."""
    block = b"\x82\x87\x04" + literal(path) + b"\x01" + literal(host)
    preface = PREFACE + frame(SETTINGS, 0, 0, NO_TABLE) if stream == 1 else b""
    connection.sendall(preface + frame(HEADERS, END_STREAM | END_HEADERS, stream, block))
    status = 0
    while True:
        kind, flags, number, content = read(connection)
        assert kind != GOAWAY, f"the server said GOAWAY {content!r}"
        if number == stream and kind == HEADERS:
            status = decode(content)
        if number == stream and kind in (DATA, HEADERS) and flags & END_STREAM:
            return status


def read(connection) -> tuple[int, int, int, bytes]:
    head = exactly(connection, 9)
    content = exactly(connection, int.from_bytes(head[:3], "big"))
    return head[3], head[4], int.from_bytes(head[5:], "big"), content


def exactly(connection, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise EOFError(f"the stream ended after {got!r}")
        got += more
    return got


def decode(block: bytes) -> int:
    while block[0] & 0xE0 == 0x20:  # a change of the table's size stands before
        block = block[1:]
    if block[0] in STATUSES:
        return STATUSES[block[0]]
    assert block[0] & 0x0F == 8, f"no status first: {block[:8]!r}"
    size, huffman = block[1] & 0x7F, block[1] & 0x80
    value = block[2:2 + size]
    return int(digits(value) if huffman else value)


def digits(value: bytes) -> str:
    bits, text = "".join(f"{octet:08b}" for octet in value), ""
    while len(text) < 3:
        size = next(n for n in (5, 6) if (n, int(bits[:n], 2)) in DIGITS)
        text, bits = text + DIGITS[size, int(bits[:size], 2)], bits[size:]
    return text
