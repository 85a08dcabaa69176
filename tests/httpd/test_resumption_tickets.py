"""Sessions resumed by tickets: all of them, over children, restarts and rotations of keys."""
import ssl
import subprocess

import pytest
from harness.certs import Authority
from harness.config import Vhost
from harness.tls import Reader, connect, context, request

VERSIONS = ("1.2", "1.3")
TWO_CHILDREN = """ServerLimit 2
StartServers 2
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 1
MaxSpareThreads 8
MaxRequestWorkers 8"""


def visit(port: int, using: ssl.SSLContext, session: ssl.SSLSession | None = None, name: str = "a.test"):
    """One connection with a request; whether it was resumed, and the session it left behind."""
    with connect(port, name, using=using, session=session) as tls:
        tls.sendall(request(host=name, headers=("Connection: close",)))
        status, _, _ = Reader(tls).response()
        assert status == 200
        return tls.session_reused, tls.session


def resumed(port: int, using: ssl.SSLContext, times: int, keep: str) -> int:
    """How many of `times` connections are resumed, after one that is not."""
    reused, session = visit(port, using)
    assert not reused
    count = 0
    for _ in range(times):
        reused, newest = visit(port, using, session)
        count += reused
        if keep == "newest" and newest is not None:
            session = newest
    return count


@pytest.fixture(scope="module")
def server(shared_httpd, ca: Authority):
    return shared_httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], mpm_settings=TWO_CHILDREN)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("keep", ["first", "newest"])
def test_every_connection_is_resumed(server, ca, version, keep):
    assert resumed(server.port, context(ca.file, version=version), 1000, keep) == 1000
