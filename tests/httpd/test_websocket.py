# SPDX-License-Identifier: Apache-2.0
"""Upgraded connections through mod_proxy_wstunnel and mod_proxy_http: bytes in both directions, whole and at once."""
import hashlib
import random
import ssl

import pytest
from harness import tls
from harness.backend import Backend, accept_websocket, upgrade_request
from harness.config import Vhost

MEGABYTE = 1 << 20
BLOB = random.Random(1).randbytes(MEGABYTE)


def handler(connection):
    """The first line after the upgrade says what to do."""
    data = accept_websocket(connection)
    while b"\n" not in data:
        data += connection.recv(65536)
    order, _, data = data.partition(b"\n")
    if order == b"echo":
        connection.sendall(data)
        while data := connection.recv(65536):
            connection.sendall(data)
    elif order == b"blob":
        connection.sendall(BLOB)
    elif order == b"digest":
        digest = hashlib.sha256(data)
        left = MEGABYTE - len(data)
        while left > 0:
            data = connection.recv(65536)
            left -= len(data)
            digest.update(data)
        connection.sendall(digest.digest())


@pytest.fixture(scope="module")
def backend():
    made = Backend(handler)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["event", "worker", "prefork"])
def server(request, shared_httpd, ca, backend):
    config = (f"ProxyPass /ws ws://127.0.0.1:{backend.port}/\n"
              f"ProxyPass /up http://127.0.0.1:{backend.port}/ upgrade=websocket\n")
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=request.param, config=config,
                        modules=("proxy", "proxy_http", "proxy_wstunnel"))


@pytest.fixture(params=["/ws", "/up"])
def tunnel(request, server, ca):
    """An upgraded connection and its reader."""
    with tls.connect(server.port, ca=ca.file) as connection:
        yield upgraded(connection, request.param)


def upgraded(connection, path: str) -> tls.Reader:
    connection.sendall(upgrade_request(path))
    reader = tls.Reader(connection)
    assert reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    return reader


def test_each_message_comes_back_before_the_next_is_sent(tunnel):
    tunnel.connection.sendall(b"echo\n")
    for size in (1, 2, 125, 126, 1400, 16384, 16385, 70000):
        message = BLOB[:size]
        tunnel.connection.sendall(message)
        assert tunnel.exactly(size) == message


def test_data_in_the_segment_of_the_upgrade(server, ca):
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(upgrade_request("/ws") + b"echo\nearly bird")
        reader = tls.Reader(connection)
        assert reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert reader.exactly(10) == b"early bird"


def test_a_megabyte_up(tunnel):
    tunnel.connection.sendall(b"digest\n" + BLOB)
    assert tunnel.exactly(32) == hashlib.sha256(BLOB).digest()


def test_a_megabyte_both_ways_at_once(tunnel):
    tunnel.connection.sendall(b"echo\n")
    assert tls.duplex(tunnel.connection, BLOB, MEGABYTE) == BLOB


def test_a_megabyte_down_is_never_cut(server, ca):
    """The backend closes right after its last byte; every byte must arrive, each time. There is no close_notify, with
    mod_ssl neither: mod_proxy ends a tunnel by shutdown(2), past all filters."""
    lenient = tls.context(ca.file)
    lenient.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    for _ in range(25):
        with tls.connect(server.port, using=lenient) as connection:
            reader = upgraded(connection, "/ws")
            connection.sendall(b"blob\n")
            assert reader.rest() == BLOB
