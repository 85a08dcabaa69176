"""Handshakes that do not end: each is closed by its deadline, with one log line, and nobody else waits for them."""
import resource
import socket
import threading
import time

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


CLIENTS = {"silent": silent, "byte-per-while": byte_per_while, "hello-only": hello_only, "half-a-hello": half_a_hello}


def closed_by_server(port: int, behaviour) -> int:
    """Runs a client until the server ends the stream; returns the client's port. Fails when it does not end."""
    stop = threading.Event()
    with wire.connect(port, 60) as connection:
        own = connection.getsockname()[1]
        writer = threading.Thread(target=behaviour, args=(connection, stop), daemon=True)
        writer.start()
        try:
            wire.read_to_end(connection)  # a socket timeout here is the failure
        finally:
            stop.set()
            writer.join(10)
    return own


@pytest.mark.parametrize("behaviour", CLIENTS)
def test_the_deadline_closes_whatever_timeout_says(httpd, ca, mpm, behaviour):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm,
                   config=f"{AT_ONCE}TLSHandshakeTimeout 2\nTimeout 300")
    own = closed_by_server(server.port, CLIENTS[behaviour])
    lines = server.log.expect(rf"127\.0\.0\.1:{own}\] TLS0402.*{LATE}")
    assert len(lines) == 1 and "TLSHandshakeTimeout" in lines[0].raw
    assert len(server.log.matching(rf"tls:.*127\.0\.0\.1:{own}\]")) == 1
    assert curl(server.port, ca=ca.file).status == 200


def test_a_handshake_in_time_is_no_request_in_time(httpd, ca):
    """The deadline ends with the handshake: a request may come later than it."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config="TLSHandshakeTimeout 1\nTimeout 30")
    with tls.connect(server.port, ca=ca.file) as connection:
        time.sleep(2.5)
        assert tls.get(connection)[0] == 200


@pytest.mark.parametrize("behaviour", ["silent", "hello-only"])
def test_reqtimeout_limits_handshakes(httpd, ca, mpm, behaviour):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, modules=("reqtimeout",),
                   config=f"{AT_ONCE}TLSHandshakeTimeout 60\nTimeout 300\nRequestReadTimeout handshake=2")
    own = closed_by_server(server.port, CLIENTS[behaviour])
    server.log.expect(rf"127\.0\.0\.1:{own}\] TLS0402")
    assert curl(server.port, ca=ca.file).status == 200


def stalled(port: int, count: int, first_bytes: list[bytes]) -> list[socket.socket]:
    connections = []
    for number in range(count):
        connection = wire.connect(port)
        connection.sendall(first_bytes[number % len(first_bytes)])
        connections.append(connection)
    return connections


def others_are_served(server, ca, rounds: int = 20) -> None:
    for _ in range(rounds):
        with tls.connect(server.port, ca=ca.file) as connection:
            assert tls.get(connection)[0] == 200


STALLS = [b"", Hello(session_id=b"").record()[:60], Hello(session_id=b"").record()]


@pytest.mark.parametrize("clients,factor", [(40, ""), (2000, "AsyncRequestWorkerFactor 1000")])
def test_stalled_clients_hold_no_thread(httpd, ca, clients, factor):
    """16 threads; at the default factor 2 a child admits 16 + 2 x 16 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    settings = ONE_CHILD.replace("ServerLimit 2", "ServerLimit 1") + f"\n{factor}"
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm_settings=settings,
                   config=f"{AT_ONCE}TLSHandshakeTimeout 60\nTimeout 300\nListenBackLog 4096",
                   allow=("AH03490", "AH10159", "TLS0402", "TLS0403"))
    connections = stalled(server.port, clients, STALLS)
    try:
        others_are_served(server, ca)
    finally:
        for connection in connections:
            connection.close()
    others_are_served(server, ca, 3)
