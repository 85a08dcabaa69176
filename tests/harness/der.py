# SPDX-License-Identifier: Apache-2.0
"""DER by hand: certificates that no library would make."""


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        length = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + content


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = b""
    for arc in [first * 40 + second, *rest]:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, out)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]), content)


def utf8(text: str | bytes) -> bytes:
    return tlv(0x0C, text.encode() if isinstance(text, str) else text)


def printable(text: str | bytes) -> bytes:
    return tlv(0x13, text.encode() if isinstance(text, str) else text)


def ia5(text: str | bytes) -> bytes:
    return tlv(0x16, text.encode() if isinstance(text, str) else text)


def utc_time(text: str) -> bytes:
    return tlv(0x17, text.encode())


def generalized_time(text: str) -> bytes:
    return tlv(0x18, text.encode())


def name(*rdns: list[tuple[str, bytes]]) -> bytes:
    """A Name of relative names, each a list of (dotted type, DER of the value)."""
    return sequence(*(tlv(0x31, *(sequence(oid(kind), value) for kind, value in rdn)) for rdn in rdns))


def extension(dotted: str, value: bytes, critical: bool = False) -> bytes:
    return sequence(oid(dotted), b"\x01\x01\xff" if critical else b"", octets(value))


def in_pieces(der: bytes, longest: int = 100) -> bytes:
    """The same in BER as Windows writes it: no length of what is constructed is told beforehand, and long strings are in
    pieces."""
    out = b""
    while der:
        tag, first, at = der[0], der[1], 2
        if first & 0x80:
            at += first & 0x7F
            first = int.from_bytes(der[2:at], "big")
        content, der = der[at:at + first], der[at + first:]
        if tag & 0x20:
            out += bytes([tag, 0x80]) + in_pieces(content, longest) + b"\0\0"
        elif tag in (0x04, 0x80) and len(content) > longest:
            pieces = b"".join(octets(content[i:i + longest]) for i in range(0, len(content), longest))
            out += bytes([tag | 0x20, 0x80]) + pieces + b"\0\0"
        else:
            out += tlv(tag, content)
    return out
