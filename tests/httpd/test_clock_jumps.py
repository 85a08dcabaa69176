# SPDX-License-Identifier: Apache-2.0
"""Somebody sets the machine's clock while handshakes are under way: their time is that of a clock that nobody sets."""
import ssl
import time

import pytest
from harness import tls, wire
from harness.config import Vhost
from harness.faketime import Clock
from harness.wire import Hello

LATE = "did not finish the handshake in time"


def begun() -> None:
    """Lets the server take the connection: its time runs from there. Where that takes longer, the test sees less."""
    time.sleep(0.5)


@pytest.fixture
def clock():
    return Clock()


def test_a_clock_that_goes_back_gives_no_more_time(httpd, ca, clock, mpm):
    """By an hour: the overdue client is closed all the same, long before this test gives up."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, environment=clock.environment,
                   log_level="warn tls:debug", config="AcceptFilter https none\nTLSHandshakeTimeout 3\nTimeout 300")
    with wire.connect(server.port, 60) as connection:
        connection.sendall(Hello(session_id=b"").record()[:60])
        own = connection.getsockname()[1]
        begun()
        clock.set(-3600)
        wire.read_to_end(connection)
    assert server.log.expect(rf"127\.0\.0\.1:{own}\] TLS040[234].*{LATE}")


def test_a_clock_that_goes_on_takes_no_time(httpd, ca, clock, mpm):
    """By more than the handshake may take and less than httpd's own Timeout, in the middle of it."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, environment=clock.environment,
                   config="AcceptFilter https none\nTLSHandshakeTimeout 60\nTimeout 300")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls.context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with wire.connect(server.port, 60) as connection:
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        hello = outgoing.read()
        connection.sendall(hello[:100])
        begun()
        for jump, piece in ((100, hello[100:150]), (200, hello[150:])):
            clock.set(jump)
            connection.sendall(piece)

        def until_done(step):
            """Runs a step of the client, which is served what it waits for."""
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    data = connection.recv(65536)
                    assert data, "the server closed the connection"
                    incoming.write(data)

        until_done(client.do_handshake)
        client.write(tls.request(headers=("Connection: close",)))
        assert until_done(lambda: client.read(65536)).startswith(b"HTTP/1.1 200")
