# SPDX-License-Identifier: Apache-2.0
"""Thousands of verdicts on certificates from one server: who is let in, quickly, and what its log says of the others."""
import re
import socket
import ssl
import threading
from pathlib import Path

from . import tls
from .clients import SECONDS
from .waiting import wait_until

# Refusals are what these servers are for: thousands of lines that nobody reads.
QUIET = "warn ssl:crit"
QUIET_FRONT = f"{QUIET} proxy:crit proxy_http:crit"
# The same where reasons are compared.
TELLING = "emerg ssl:debug"
VERSIONS = ("1.2", "1.3")
# What a server says of a certificate: of a client's, of a backend's, by mod_ssl, by ours.
REASON = re.compile(r"Certificate Verification: Error \(\d+\): ([^\[\n]*)|certificate is refused(?:: ([^(\n]*))?"
                    r"|(TLS070[46]: [^\n]*)|(AH0(?:2411|2005): [^\n]*)")


def client_context(file: Path, version: str) -> ssl.SSLContext | None:
    """A client that sends what is in `file`; none where OpenSSL itself cannot use it."""
    context = tls.context(version=version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context if loaded(context, file) else None


def loaded(context: ssl.SSLContext, file: Path) -> bool:
    try:
        context.load_cert_chain(file)
    except (ssl.SSLError, ValueError):
        return False
    return True


def admitted(server, host: str, context: ssl.SSLContext) -> bool:
    """Whether a client gets its page."""
    try:
        with tls.connect(server.port, host, using=context) as connection:
            return tls.get(connection, host=host)[0] == 200
    except (OSError, EOFError):
        return False


def fetched(server, path: str, host: str) -> bool:
    """Whether a front gives the page of a backend."""
    with socket.create_connection(("127.0.0.1", server.plain_port), SECONDS) as connection:
        return tls.get(connection, path, host)[0] == 200


def reason(server, ask) -> str:
    """What the log says last of a refusal that `ask` causes."""
    start = server.log.path.stat().st_size

    def said():
        with open(server.log.path, errors="backslashreplace") as log:
            log.seek(start)
            return list(REASON.finditer(log.read()))

    if ask():
        return "let in"
    try:
        found = wait_until(said, "a reason", 2)
    except AssertionError:
        return "refused"
    return next(filter(None, found[-1].groups()), "refused").strip()


class Backends:
    """TLS servers with certificates of any kind, one port each, a thread each; they shake hands and answer one request."""

    def __init__(self):
        self.ports: dict[str, int] = {}
        self.contexts: dict[int, dict[str, ssl.SSLContext]] = {}
        self.version = "1.3"
        self._listeners: list[socket.socket] = []

    def add(self, name: str, file: Path) -> bool:
        """Another backend, if OpenSSL can use what is in the file."""
        contexts = {}
        for version in VERSIONS:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
            pinned = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
            context.minimum_version = context.maximum_version = pinned
            if not loaded(context, file):
                return False
            contexts[version] = context
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self.ports[name] = listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(listener, contexts), daemon=True).start()
        return True

    def _serve(self, listener: socket.socket, contexts: dict[str, ssl.SSLContext]) -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.settimeout(SECONDS)
            try:
                with contexts[self.version].wrap_socket(raw, server_side=True) as connection:
                    if connection.recv(4096):
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                        connection.unwrap()
            except OSError:
                pass
            finally:
                raw.close()

    def close(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def table(rows: list[tuple]) -> str:
    """Rows as text in columns, for the message of a failed test."""
    rows = [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)] if rows else []
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
