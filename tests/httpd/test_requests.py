# SPDX-License-Identifier: Apache-2.0
"""Requests in all the ways they may arrive, and the end of connections: every reading mode of the input filter."""
import hashlib
import random
import socket

import pytest
from harness import tls, wire
from harness.backend import Backend, read_head
from harness.clients import curl
from harness.config import Vhost
from harness.rustls_client import rustls_client
from harness.waiting import wait_until

BODY = random.Random(3).randbytes(300_000)
DIGEST = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
sha256sum | cut -d' ' -f1
"""


CLOSING = "SetEnvIf X-Close unclean ssl-unclean-shutdown\n" \
          "SetEnvIf X-Close accurate ssl-accurate-shutdown"


@pytest.fixture(scope="module", params=["event", "worker", "prefork"])
def server(request, shared_httpd, ca):
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=CLOSING)], mpm=request.param, start=False,
                        modules=("cgi", "http2", "deflate", "filter", "proxy", "proxy_http"),
                        config='Protocols h2 http/1.1\nScriptAlias /cgi/ "@HOME@/cgi/"\nLimitRequestLine 60000\n'
                               "LimitRequestFieldSize 60000")
    made.put("cgi/digest", DIGEST, 0o755)
    made.put("docs/a.test/body.bin", BODY)
    made.put("docs/a.test/empty", b"")
    return made.start()


@pytest.fixture
def connection(server, ca):
    with tls.connect(server.port, ca=ca.file) as made:
        yield made


def digest_of(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n"


def test_keep_alive(connection):
    for number in range(50):
        status, _, body = tls.get(connection, "/body.bin" if number % 7 == 0 else "/")
        assert (status, body) == (200, BODY if number % 7 == 0 else b"a.test\n")


def test_line_ends_before_a_request(connection):
    """RFC 9112 2.2: empty lines in front of a request line are skipped."""
    reader = tls.Reader(connection)
    for _ in range(3):
        connection.sendall(b"\r\n\r\n" + tls.request("/"))
        assert reader.response()[0] == 200


@pytest.mark.parametrize("count", [2, 30])
def test_pipelining(connection, count):
    connection.sendall(tls.request("/") * (count - 1) + tls.request("/body.bin"))
    reader = tls.Reader(connection)
    answers = [reader.response() for _ in range(count)]
    assert [status for status, _, _ in answers] == [200] * count
    assert answers[-1][2] == BODY


def test_requests_in_small_records_and_segments(server, ca):
    rustls_client(server.port, "--requests", "3", "--max-fragment", "32", "--segment", "1", "--expect-status", "200", ca=ca.file)


def test_a_request_byte_by_byte(connection):
    for byte in tls.request("/", headers=("X-Padding: " + "x" * 40,)):
        connection.sendall(bytes([byte]))
    assert tls.Reader(connection).response()[0] == 200


def test_a_line_without_end_is_refused(connection):
    """Its limit is looked at while it comes: what a client sends without an end is not gathered."""
    connection.sendall(b"GET /" + b"a" * 140_000)
    assert tls.Reader(connection).response()[0] == 414


def test_long_lines(connection):
    """A request line and a header of several records and of more than one read."""
    assert tls.get(connection, "/?" + "q" * 40_000, headers=("X-Long: " + "x" * 50_000,))[0] == 200
    assert tls.get(connection, "/")[0] == 200


@pytest.mark.parametrize("size", [0, 1, 1000, 16384, 16385, 300_000])
def test_uploads(connection, size):
    connection.sendall(tls.request("/cgi/digest", method="POST", body=BODY[:size],
                                   headers=() if size else ("Content-Length: 0",)))
    status, _, body = tls.Reader(connection).response()
    assert (status, body) == (200, digest_of(BODY[:size]))


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\nX-Trailer: 1\r\n\r\n"


@pytest.mark.parametrize("size", [1, 999, 100_000])
def test_chunked_uploads(connection, size):
    body = BODY[:3000 if size == 1 else None]
    reader = tls.Reader(connection)
    for _ in range(2):
        connection.sendall(tls.request("/cgi/digest", method="POST", headers=("Transfer-Encoding: chunked",))
                           + chunked(body, size))
        assert reader.response()[2] == digest_of(body)


def test_expect_continue(connection):
    """The body is sent only after the 100 has come."""
    reader = tls.Reader(connection)
    for _ in range(2):
        connection.sendall(tls.request("/cgi/digest", method="POST",
                                       headers=("Expect: 100-continue", f"Content-Length: {len(BODY)}")))
        assert reader.response()[0] == 100
        connection.sendall(BODY)
        assert reader.response()[2] == digest_of(BODY)


def test_an_unread_body_does_not_hurt_the_next_request(connection):
    reader = tls.Reader(connection)
    connection.sendall(tls.request("/missing", method="POST", body=BODY[:50_000]) + tls.request("/"))
    assert [reader.response()[0], reader.response()[0]] == [404, 200]


@pytest.mark.parametrize("path,size", [("/body.bin", len(BODY)), ("/empty", 0), ("/", 7)])
@pytest.mark.parametrize("h2", [False, True])
def test_downloads(server, ca, path, size, h2):
    answer = curl(server.port, path, ca=ca.file, h2=h2 and server.mpm != "prefork")
    assert (answer.status, len(answer.body)) == (200, size)


def test_ranges_and_head(connection):
    reader = tls.Reader(connection)
    connection.sendall(tls.request("/body.bin", headers=("Range: bytes=100-299",)))
    assert reader.response()[2] == BODY[100:300]
    connection.sendall(tls.request("/body.bin", method="HEAD") + tls.request("/"))
    assert b"Content-Length: 300000" in reader.until(b"\r\n\r\n")
    assert reader.response()[2] == b"a.test\n"


# -- the end of connections ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("path", ["/", "/body.bin", "/cgi/digest"])
def test_request_and_close_notify_in_one_segment(server, ca, version, path):
    """RFC 8446 6.1: the other direction stays open; the whole answer comes, then our close_notify."""
    incoming, outgoing = tls.memory_pair()
    session = tls.context(ca.file, version=version).wrap_bio(incoming, outgoing, server_hostname="a.test")
    with wire.connect(server.port) as connection:
        got = tls.drive(session, incoming, outgoing, connection, tls.request(path), goodbye=True)
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"<truncated>" not in got
    expected = {"/": b"a.test\n", "/body.bin": BODY}.get(path, digest_of(b""))
    assert expected in body


def test_half_close_of_a_rustls_client(server, ca):
    rustls_client(server.port, "--half-close", "--path", "/body.bin", "--expect-bytes", str(len(BODY)),
                  "--connections", "5", ca=ca.file)


@pytest.mark.parametrize("style,clean", [("", True), ("accurate", True), ("unclean", False)])
def test_how_the_server_ends(server, ca, style, clean):
    """With close_notify, no truncation, after Connection: close; without one where SetEnvIf has asked for that."""
    incoming, outgoing = tls.memory_pair()
    session = tls.context(ca.file).wrap_bio(incoming, outgoing, server_hostname="a.test")
    request = tls.request("/", headers=("Connection: close", f"X-Close: {style}"))
    with wire.connect(server.port) as connection:
        got = tls.drive(session, incoming, outgoing, connection, request)
    assert got.endswith(b"a.test\n" if clean else b"a.test\n<truncated>")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_close_notify_on_an_idle_connection_is_answered(server, ca, version):
    with tls.connect(server.port, using=tls.context(ca.file, version=version)) as connection:
        assert tls.get(connection)[0] == 200
        connection.unwrap().close()  # waits for the server's close_notify; a bare end of stream raises


def test_a_truncated_body_is_never_a_request(httpd, ca, mpm):
    """The stream ends without close_notify in the middle of a body: the backend must not see a whole one."""
    seen = []

    def backend(connection):
        head, body = read_head(connection)
        while data := connection.recv(65536):
            body += data
        seen.append(body)

    origin = Backend(backend)
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=mpm, modules=("proxy", "proxy_http"),
                   config=f"ProxyPass / http://127.0.0.1:{origin.port}/",
                   allow=("AH01095", "AH01097", "AH10154", "AH01102", "AH02608"))
    # Of a short one mod_proxy reads all there is before it connects; a long one it passes on while it comes.
    long = b"x" * 200_000
    for headers, body in ((("Content-Length: 5000",), BODY[:2500]), (("Content-Length: 400000",), long),
                          (("Transfer-Encoding: chunked",), b"9c4\r\n" + BODY[:2500] + b"\r\n"),
                          (("Transfer-Encoding: chunked",), b"%x\r\n" % len(long) + long + b"\r\n")):
        with tls.connect(server.port, ca=ca.file) as connection:
            connection.sendall(tls.request("/", method="POST", headers=headers) + body)
            connection.shutdown(socket.SHUT_WR)  # of TCP alone
            try:
                answer = connection.recv(65536)
            except OSError:
                answer = b""
            assert b" 200 " not in answer.split(b"\r\n")[0]
    wait_until(lambda: len(seen) == 2, "the backend to see both long ones end")
    origin.close()
    assert all(100_000 < len(body) < 400_000 and b"\r\n0\r\n" not in body for body in seen), [len(body) for body in seen]


def test_a_reset_while_downloading(server, ca):
    for _ in range(3):
        connection = tls.connect(server.port, ca=ca.file)
        connection.sendall(tls.request("/body.bin") * 20)
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    assert curl(server.port, ca=ca.file).status == 200


def test_lines_echoed_by_a_protocol_handler(httpd, ca):
    """mod_echo reads lines through the filter without HTTP."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="ProtocolEcho On")], modules=("echo",), mpm="worker")
    with tls.connect(server.port, ca=ca.file) as connection:
        reader = tls.Reader(connection)
        for line in (b"one\n", b"\n", b"x" * 5000 + b"\n", b"last\n"):
            connection.sendall(line)
            assert reader.exactly(len(line)) == line
