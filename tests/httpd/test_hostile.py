# SPDX-License-Identifier: Apache-2.0
"""What comes to a TLS port and is no good handshake: the right alert, a clean close, one log line, an unharmed child."""
import random
import socket

import pytest
from harness import tls, wire
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.wire import Hello

RNG = random.Random(7)
ACCEPT_AT_ONCE = "AcceptFilter https none\nAcceptFilter http none"  # Linux would hide silent clients from httpd
PAGE = b"You're speaking plain HTTP to an SSL-enabled server port"


@pytest.fixture(scope="module", params=["event", "worker", "prefork"])
def server(request, shared_httpd, ca):
    """One process per request of prefork would hide which child answered; its number is held for the others."""
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")])], mpm=request.param, log_level="warn tls:debug",
                        modules=("http2",), config=f"Protocols h2 http/1.1\n{ACCEPT_AT_ONCE}",
                        allow=("TLS040[0-9]",))


@pytest.fixture(autouse=True)
def unharmed(server, ca):
    """After each attack the same children serve."""
    before = server.children
    yield
    assert curl(server.port, ca=ca.file).status == 200
    if server.mpm != "prefork":
        assert server.children == before


def one_line(server, reply: wire.Reply, pattern: str = "TLS04") -> str:
    """The one line that our module wrote about this connection."""
    lines = server.log.expect(rf"client 127\.0\.0\.1:{reply.client}\] {pattern}")
    lines = server.log.matching(rf"tls:.*client 127\.0\.0\.1:{reply.client}\] (TLS|AH)")
    assert len(lines) == 1, "\n".join(line.raw for line in lines)
    return lines[0].raw


@pytest.mark.parametrize("request_head", [
    b"GET /secret-path HTTP/1.1\r\nHost: secret.example\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
    b"POST /secret-path HTTP/1.1\r\nHost: secret.example\r\nContent-Length: 4\r\n\r\nabcd",
    b"OPTIONS * HTTP/1.1\r\nHost: secret.example\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: secret.example\r\n\r\n",
    b"DELETE /secret-path HTTP/1.1\r\nHost: secret.example\r\n\r\n"])
def test_plain_http_gets_a_fixed_page(server, request_head):
    reply = wire.exchange(server.port, request_head)
    assert reply.raw.startswith(b"HTTP/1.1 400 Bad Request\r\n") and PAGE in reply.raw
    assert b"secret" not in reply.raw
    head, _, body = reply.raw.partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    one_line(server, reply, "AH01996: SSL handshake failed: HTTP spoken on HTTPS port")


def test_plain_http_in_pieces_gets_the_page(server):
    with wire.connect(server.port) as connection:
        for byte in b"GET /":
            connection.sendall(bytes([byte]))
        connection.sendall(b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert PAGE in wire.read_to_end(connection).raw


GARBAGE = {"zeros": bytes(64), "ff": b"\xff" * 64, "random": RNG.randbytes(300), "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
           "one-byte": b"\x80", "telnet": b"\xff\xfb\x01\xff\xfb\x03",
           "application-data-first": wire.record(b"x" * 20, wire.DATA),
           "alert-first": wire.record(b"\x02\x28", wire.ALERT),
           "ccs-first": wire.record(b"\x01", wire.CCS), "no-hello": wire.record(b"\x0b\0\0\0"),
           "record-of-nothing": wire.record(b""), "server-hello": wire.record(b"\x02" + bytes(40)),
           "huge-record": b"\x16\x03\x01\xff\xff" + bytes(100),
           "huge-message": wire.record(b"\x01\xff\xff\xff" + bytes(100))}
# What is no TLS at all gets no alert, which it would not read.
ALERTS = {"application-data-first": "unexpected_message", "alert-first": "unexpected_message", "ccs-first": "unexpected_message",
          "no-hello": "unexpected_message", "record-of-nothing": "decode_error", "server-hello": "unexpected_message",
          "huge-record": "record_overflow", "huge-message": "illegal_parameter"}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_ends_in_a_clean_close_and_one_line(server, kind):
    reply = wire.exchange(server.port, GARBAGE[kind])
    assert reply.alerts == ([ALERTS[kind]] if kind in ALERTS else []) and len(reply.raw) == 7 * len(reply.alerts)
    one_line(server, reply)


def test_sslv2_gets_protocol_version(server):
    reply = wire.exchange(server.port, wire.sslv2_hello())
    assert reply.alerts == ["protocol_version"]
    assert "SSL 2.0" in one_line(server, reply)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_old_versions_get_protocol_version(server, version):
    reply = wire.exchange(server.port, wire.record(Hello(versions=None, legacy_version=version).message()))
    assert reply.alerts == ["protocol_version"]
    one_line(server, reply)


def test_a_hello_cut_at_every_byte(server):
    """Each prefix, then the end of the stream: nothing but at most an alert comes back."""
    hello = Hello(session_id=b"").record()
    replies = [wire.exchange(server.port, hello[:size]) for size in range(1, len(hello))]
    for reply in replies:
        assert reply.raw == b"", reply.raw
    for reply in replies:
        one_line(server, reply)


def test_a_hello_truncated_inside_is_a_decode_error(server):
    """The message is whole, but its vectors are cut: the lengths lie. One that ends before its extensions is whole: it is a
    client of TLS 1.2 that names no signature algorithms."""
    hello = Hello(session_id=b"")
    message = hello.message()
    extensions = len(message) - 2 - sum(4 + len(body) for _, body in hello.extensions())
    for cut in sorted({*range(4, len(message), 7), extensions - 1, extensions, extensions + 1, len(message) - 1}):
        reply = wire.exchange(server.port, wire.record(b"\x01" + wire.vec(3, message[4:cut])))
        assert reply.alerts == ["handshake_failure" if cut == extensions else "decode_error"], cut
        one_line(server, reply)


def shaken(server, ca, transform) -> bytes:
    """A whole handshake and request by Python's TLS, its output changed by `transform` on the way."""
    incoming, outgoing = tls.memory_pair()
    session = tls.context(ca.file).wrap_bio(incoming, outgoing, server_hostname="a.test")
    with wire.connect(server.port) as connection:
        request = tls.request("/", headers=("Connection: close",))
        return tls.drive(session, incoming, outgoing, connection, request, transform)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 64])
def test_segments_of_few_bytes(server, ca, size):
    """Every byte of the client's side in small segments of their own."""
    body = shaken(server, ca, lambda data: [data[i:i + size] for i in range(0, len(data), size)])
    assert body.endswith(b"a.test\n")


@pytest.mark.parametrize("size", [1, 3, 17, 100])
def test_a_hello_in_many_records(server, ca, size):
    """RFC 8446 5.1: handshake messages may be fragmented over records."""
    def fragment(data: bytes) -> list[bytes]:
        whole = b""
        while data:
            length = int.from_bytes(data[3:5], "big")
            payload, kind, data = data[5:5 + length], data[0], data[5 + length:]
            whole += wire.fragments(payload, size, kind) if kind == wire.HANDSHAKE else wire.record(payload, kind, 0x0303)
        return [whole]

    assert shaken(server, ca, fragment).endswith(b"a.test\n")


@pytest.mark.parametrize("seed", range(4))
def test_a_hello_with_flipped_bytes(server, seed):
    """Whatever is broken, the answer is a ServerHello, an alert or a close, and the child lives."""
    rng = random.Random(seed)
    for _ in range(40):
        hello = bytearray(Hello(session_id=b"").record())
        for _ in range(rng.choice((1, 1, 2, 8))):
            hello[rng.randrange(len(hello))] = rng.randrange(256)
        reply = wire.exchange(server.port, bytes(hello))
        kinds = {kind for kind, _ in reply.records()}
        assert kinds <= {wire.ALERT, wire.HANDSHAKE, wire.DATA, wire.CCS} or PAGE in reply.raw


def test_a_second_hello_and_data_before_finished(server):
    for more in (Hello().record(), wire.record(bytes(64), wire.DATA), wire.record(b"\x01\0", wire.ALERT)):
        with wire.connect(server.port) as connection:
            connection.sendall(Hello(versions=None).record())
            connection.sendall(more)
            connection.shutdown(socket.SHUT_WR)
            reply = wire.read_to_end(connection)
        one_line(server, reply)


def test_a_connection_without_a_byte_is_quiet(server):
    """Health checks of load balancers connect and close: nothing above debug."""
    reply = wire.exchange(server.port)
    assert reply.raw == b""
    assert ":debug]" in one_line(server, reply)


def test_a_reset_in_mid_handshake(server):
    connection = wire.connect(server.port)
    connection.sendall(Hello().record())
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    own = connection.getsockname()[1]
    connection.close()
    server.log.expect(rf"client 127\.0\.0\.1:{own}\] TLS040[234]: handshake failed")


def test_failures_are_visible_at_the_default_level_and_counted(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])],
                   mpm_settings=ONE_CHILD)
    for _ in range(20):
        wire.exchange(server.port, Hello("nobody.test").record())
    lines = server.log.expect("TLS040[23]")
    assert len(lines) == 1
    line = lines[0].raw
    for part in ("[client 127.0.0.1:", "at the ClientHello", "name asked for: nobody.test", "TLS1.3,TLS1.2",
                 f"virtual host a.test:{server.port}", "ServerAlias"):
        assert part in line
