# SPDX-License-Identifier: Apache-2.0
"""The fields of RFC 9440: read strictly, written as proxies do, and a backend that shows what it was told."""
import base64
import re
import socket

from cryptography.hazmat.primitives.serialization import Encoding

from .backend import read_head


def echo(connection: socket.socket) -> None:
    """Answers with the head that came, and what is left of the body; upgrades are accepted and answered alike."""
    head, rest = read_head(connection)
    if b"websocket" in head.lower():
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + head + b"\r\n\r\n")
        return
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))


def word(engine: str, name: str) -> str:
    return ("TLS" if engine == "mod_tls" else "SSL") + name


def byte_sequence(value: str) -> bytes:
    """RFC 9651 4.2.7, strictly."""
    found = re.fullmatch(r":([A-Za-z0-9+/]*={0,2}):", value)
    assert found, value
    return base64.b64decode(found[1], validate=True)


def fields(text: bytes) -> dict[str, list[str]]:
    """Fields of both kinds by their names as a CGI-like backend folds them."""
    found: dict[str, list[str]] = {}
    for line in re.split(rb"\r\n|\0|\n", text):
        name, mark, value = line.partition(b"=" if line.startswith(b"HTTP_") else b":")
        folded = re.sub(r"[^A-Z0-9]", "_", name.decode(errors="replace").upper()).removeprefix("HTTP_")
        if mark and folded.startswith("CLIENT_CERT"):
            found.setdefault(folded, []).append(value.decode().strip())
    return found


def der(pair) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in (pair.certificate, *pair.chain)]


def sent(pair, chain: bool = True) -> list[str]:
    own, *rest = (":" + base64.b64encode(one).decode() + ":" for one in der(pair))
    return ["-H", f"Client-Cert: {own}", *(["-H", f"Client-Cert-Chain: {', '.join(rest)}"] if chain and rest else [])]
