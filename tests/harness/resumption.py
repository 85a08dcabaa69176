"""Clients that resume sessions."""
import ssl

from .tls import Reader, connect, request

# Processes that share nothing but what the parent gave them; connections land in both.
TWO_CHILDREN = """ServerLimit 2
StartServers 2
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 1
MaxSpareThreads 8
MaxRequestWorkers 8"""


def visit(port: int, using: ssl.SSLContext, session: ssl.SSLSession | None = None,
          name: str | None = "a.test") -> tuple[bool, ssl.SSLSession | None]:
    """One connection with a request; whether it was resumed, and the session it left behind."""
    with connect(port, name, using=using, session=session) as tls:
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
