# SPDX-License-Identifier: Apache-2.0
"""Handshakes that do not end: each is closed by its deadline, with one log line, and nobody else waits for them.

These tests measure time, as no others do: a deadline is one, and that others do not wait for it cannot be counted. The
room is many times what a busy machine takes."""
import re
import resource
import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import tls, wire
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.wire import Hello

AT_ONCE = "AcceptFilter https none\nAcceptFilter http none\n"
LATE = "did not finish the handshake in time"


def silent(connection, stop: threading.Event) -> None:
    stop.wait()


def byte_per_while(connection, stop: threading.Event) -> None:
    for byte in Hello(session_id=b"").record():
        if stop.wait(0.5):
            return
        try:
            connection.sendall(bytes([byte]))
        except OSError:
            return


def hello_only(connection, stop: threading.Event) -> None:
    connection.sendall(Hello(session_id=b"").record())
    stop.wait()


def half_a_hello(connection, stop: threading.Event) -> None:
    connection.sendall(Hello(session_id=b"").record()[:60])
    stop.wait()


ROOM = 3  # seconds within which an overdue client is closed, the machine busy with other tests
CLIENTS = (silent, byte_per_while, hello_only, half_a_hello)


def closed_by_server(port: int, behaviour, after: float) -> int:
    """Runs a client until the server ends the stream, `after` seconds from the beginning; returns the client's port."""
    stop = threading.Event()
    with wire.connect(port, 60) as connection:
        begun = time.monotonic()
        own = connection.getsockname()[1]
        writer = threading.Thread(target=behaviour, args=(connection, stop), daemon=True)
        writer.start()
        try:
            wire.read_to_end(connection)  # a socket timeout here is the failure
        finally:
            stop.set()
            writer.join(10)
    assert after - 0.2 <= time.monotonic() - begun <= after + ROOM
    return own


def closed_together(*expected: tuple[int, object, float]) -> list[int]:
    """closed_by_server for several clients at once."""
    with ThreadPoolExecutor(len(expected)) as threads:
        return list(threads.map(lambda given: closed_by_server(*given), expected))


def one_line_each(server, clients: list[int]) -> None:
    for own in clients:
        lines = server.log.expect(rf"127\.0\.0\.1:{own}\] TLS040[234].*{LATE}")
        assert len(lines) == 1 and "TLSHandshakeTimeout" in lines[0].raw
        assert len(server.log.matching(rf"tls:.*127\.0\.0\.1:{own}\]")) == 1


def test_the_deadline_closes_whatever_timeout_says(httpd, ca, mpm):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, log_level="warn tls:debug",
                   config=f"{AT_ONCE}TLSHandshakeTimeout 2\nTimeout 300")
    one_line_each(server, closed_together(*((server.port, behaviour, 2) for behaviour in CLIENTS)))
    assert curl(server.port, ca=ca.file).status == 200


def test_a_handshake_in_time_is_no_request_in_time(httpd, ca):
    """The deadline ends with the handshake: a request may come later than it."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config="TLSHandshakeTimeout 1\nTimeout 30")
    with tls.connect(server.port, ca=ca.file) as connection:
        time.sleep(2.5)
        assert tls.get(connection)[0] == 200


def test_reqtimeout_limits_handshakes(httpd, ca, mpm):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, modules=("reqtimeout",), log_level="warn tls:debug",
                   config=f"{AT_ONCE}TLSHandshakeTimeout 60\nTimeout 300\nRequestReadTimeout handshake=2")
    one_line_each(server, closed_together(*((server.port, behaviour, 2) for behaviour in CLIENTS)))
    assert curl(server.port, ca=ca.file).status == 200


def test_reqtimeout_gives_time_for_bytes_and_differs_by_virtual_host(httpd, ca):
    """Each 20 bytes give a second more, up to a maximum; a virtual host may take the limit away."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")]),
                    Vhost("free.test", [ca.issue("free.test")], address="*:@FREE@", extra="RequestReadTimeout handshake=0")],
                   modules=("reqtimeout",), ports=("TLS", "FREE", "PLAIN"), log_level="warn tls:debug",
                   config=f"{AT_ONCE}TLSEngine @FREE@\nTLSHandshakeTimeout 5\nTimeout 300\n"
                          "RequestReadTimeout handshake=1-3,MinRate=20")
    one_line_each(server, closed_together((server.port, silent, 1), (server.port, half_a_hello, 3),
                                          (server.ports["FREE"], silent, 5)))


def stalled(port: int, count: int, first_bytes: list[bytes]) -> list[socket.socket]:
    connections = []
    for number in range(count):
        connection = wire.connect(port)
        connection.sendall(first_bytes[number % len(first_bytes)])
        connections.append(connection)
    return connections


def served_in(server, ca, rounds: int = 20) -> float:
    """Seconds that a handshake with a request takes: the median of some."""
    taken = []
    for _ in range(rounds):
        begun = time.monotonic()
        with tls.connect(server.port, ca=ca.file) as connection:
            assert tls.get(connection)[0] == 200
        taken.append(time.monotonic() - begun)
    return statistics.median(taken)


STALLS = [b"", Hello(session_id=b"").record()[:60], Hello(session_id=b"").record()]


def one_child(httpd, ca, factor: str, deadline: int, log_level: str = "warn"):
    """16 threads; at the default factor 2 a child admits 16 and twice as many as are idle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    settings = ONE_CHILD.replace("ServerLimit 2", "ServerLimit 1") + f"\n{factor}"
    return httpd([Vhost("a.test", [ca.issue("a.test")])], mpm_settings=settings, log_level=log_level,
                 config=f"{AT_ONCE}TLSHandshakeTimeout {deadline}\nTimeout 300\nListenBackLog 4096",
                 allow=("AH00484", "AH03490", "AH10159", "TLS0402", "TLS0403"))


@pytest.mark.parametrize("clients,factor", [(44, ""), (2000, "AsyncRequestWorkerFactor 1000")])
def test_stalled_clients_hold_no_thread(httpd, ca, clients, factor):
    """With a thread held, or the listener stopped, others would wait for the deadline. What a little costs is measured
    elsewhere; here the latency must only be of the same kind."""
    server = one_child(httpd, ca, factor, 60)
    alone = served_in(server, ca)
    connections = stalled(server.port, clients, STALLS)
    try:
        beside = served_in(server, ca)
    finally:
        for connection in connections:
            connection.close()
    served_in(server, ca, 3)
    assert len(server.log.matching("TLS0409: .*AsyncRequestWorkerFactor")) == 1
    assert beside < 10 * alone + 0.5


def test_many_overdue_clients_end_together(httpd, ca):
    """Each within the same time of its own deadline, each with one line; at the default level equal ones are counted."""
    server = one_child(httpd, ca, "AsyncRequestWorkerFactor 1000", 3, "warn tls:debug")
    begun = time.monotonic()
    connections = stalled(server.port, 600, STALLS)
    opened = time.monotonic() - begun
    own = [connection.getsockname()[1] for connection in connections]
    for connection in connections:
        wire.read_to_end(connection)
        connection.close()
    assert 3 - 0.2 <= time.monotonic() - begun <= 3 + opened + ROOM
    lines = server.log.expect(f"TLS040[234].*{LATE}", len(own))
    said = [int(re.search(r"127\.0\.0\.1:(\d+)\] TLS", line.raw)[1]) for line in lines]
    assert sorted(said) == sorted(own)
    assert len([line for line in lines if line.level == "warn"]) == 1
