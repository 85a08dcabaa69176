# SPDX-License-Identifier: Apache-2.0
"""Clients that resume sessions."""
import ssl

from .tls import Reader, connect, request

H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # with empty SETTINGS

# Processes that share nothing but what the parent gave them; connections land in both.
TWO_CHILDREN = """ServerLimit 2
StartServers 2
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 1
MaxSpareThreads 8
MaxRequestWorkers 8"""


def visit(port: int, using: ssl.SSLContext, session: ssl.SSLSession | None = None,
          name: str | None = "a.test", address: str = "127.0.0.1") -> tuple[bool, ssl.SSLSession | None]:
    """One connection with a request, over h2 where that is agreed; whether it was resumed, and the session it left."""
    with connect(port, name, using=using, session=session, address=address) as tls:
        if tls.selected_alpn_protocol() == "h2":
            tls.sendall(H2_PREFACE)
            assert tls.recv(9)[3:4] == b"\x04", "the server's SETTINGS"
        else:
            tls.sendall(request(host=name or "a.test", headers=("Connection: close",)))
            status, _, _ = Reader(tls).response()
            assert status == 200
        return tls.session_reused, tls.session


def resumed(port: int, using: ssl.SSLContext, times: int, keep: str) -> int:
    """How many of `times` connections are resumed, after a first one that is not; keep: the "first" session or the
    "newest"."""
    reused, session = visit(port, using)
    assert not reused
    count = 0
    for _ in range(times):
        reused, newest = visit(port, using, session)
        count += reused
        if keep == "newest" and newest is not None:
            session = newest
    return count
