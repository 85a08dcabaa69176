# SPDX-License-Identifier: Apache-2.0
"""What peers can cost without any right: lines of the log, and what a hello may hold."""
import re
import socket

import pytest
from harness import tls, wire
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.faketime import Clock
from harness.waiting import wait_until
from harness.wire import Hello, u16s, vec

AT_ONCE, EACH = 20, 3  # lines of one id, and seconds for one more (src/log/limiter.hpp)


def test_lines_about_connections_are_bounded(httpd, ca):
    """Forty virtual hosts, so that no two failures are equal; what is left out is counted, and told when it is over."""
    clock = Clock(monotonic=True)
    names = [f"h{number}.test" for number in range(2 * AT_ONCE)]
    pair = ca.issue(*names)
    server = httpd([Vhost(name, [pair]) for name in names], mpm_settings=ONE_CHILD, environment=clock.environment)
    for name in names:
        assert wire.exchange(server.port, Hello(name, suites=[0x0005]).record()).alerts == ["handshake_failure"]
    lines = server.log.expect("TLS0402", AT_ONCE)
    assert AT_ONCE <= len(lines) <= AT_ONCE + 10  # some were due while the rest was asked
    clock.set(90)
    wire.exchange(server.port, Hello(names[0], suites=[0x0005]).record())
    told = server.log.expect("TLS0410")
    assert re.search(rf"TLS0402: {len(names) - len(lines)} more lines like it were left out", told[0].raw), told


def test_lines_about_requests_are_bounded(httpd, ca):
    pair = ca.issue("a.test", "b.test")
    server = httpd([Vhost("a.test", [pair]), Vhost("b.test", [ca.issue("b.test")], extra="SSLCipherSuite ECDHE+AES256")],
                   engine="mod_tls-ssl", mpm_settings=ONE_CHILD, allow=("AH02032", "TLS0410"))
    for number in range(3 * AT_ONCE):
        with tls.connect(server.port, "a.test", using=tls.context()) as connection:
            connection.sendall(b"GET /%d HTTP/1.1\r\nHost: b.test\r\n\r\n" % number)
            status = connection.recv(65536)
            assert b"421" in status.split(b"\r\n", 1)[0], status
    lines = server.log.matching("AH02032")
    assert AT_ONCE <= len(lines) <= AT_ONCE + 10


def test_debug_writes_all(httpd, ca):
    names = [f"h{number}.test" for number in range(2 * AT_ONCE)]
    pair = ca.issue(*names)
    server = httpd([Vhost(name, [pair]) for name in names], mpm_settings=ONE_CHILD, log_level="warn tls:debug")
    for name in names:
        wire.exchange(server.port, Hello(name, suites=[0x0005]).record())
    server.log.expect("TLS0402", len(names))


# what there is too much of -> (good, too much)
COUNTS = {
    "extensions": [Hello(more=[(0x1000 + i, b"") for i in range(count)]) for count in (110, 128)],
    "protocols": [Hello(alpn=[b"http/1.1", *[b"x"] * count]) for count in (63, 64)],
    "suites": [Hello(suites=[wire.AES128, *[0x00FF] * count]) for count in (511, 512)],
    "groups": [Hello(groups=[wire.X25519, *[0x2A2A] * count]) for count in (255, 256)],
    "schemes": [Hello(schemes=[*wire.SCHEMES, *[0x0201] * count]) for count in (246, 247)],
    "authorities": [Hello(more=[(47, vec(2, b"\0\x01x" * count))]) for count in (512, 513)],
    "sessions": [Hello(more=[(41, vec(2, vec(2, b"x" * 40) * 0 + (vec(2, b"x" * 40) + bytes(4)) * count)
                             + vec(2, vec(1, bytes(32)) * count))]) for count in (8, 9)],
}


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")])], log_level="warn tls:debug", allow=("TLS040[0-9]",))


@pytest.mark.parametrize("kind", COUNTS)
def test_counts_of_a_hello_are_bounded(server, kind):
    good, much = (wire.exchange(server.port, hello.record()) for hello in COUNTS[kind])
    assert good.alerts == [] and good.server_hello, good
    assert much.alerts == ["illegal_parameter"], much


@pytest.mark.parametrize("kind", [kind for kind in COUNTS if kind not in ("groups", "suites")])
def test_counts_of_a_second_hello_are_bounded(server, kind):
    """The client has no share of a group that is served, and is asked for one (HelloRetryRequest)."""
    hello = COUNTS[kind][1]
    with wire.connect(server.port) as connection:
        connection.sendall(Hello(shares=[], alpn=[b"http/1.1"]).record())
        assert connection.recv(5)[:1] == b"\x16"
        connection.sendall(hello.record())
        reply = wire.read_to_end(connection)
    assert b"\x15\x03\x03\x00\x02\x02\x2f" in reply.raw


NO_HELLOS = {
    "record over 2^14": (b"\x16\x03\x01\x40\x01" + bytes(100), "record_overflow"),
    "longest record": (b"\x16\x03\x01\xff\xff" + bytes(100), "record_overflow"),
    "hello of 16 MiB": (wire.record(b"\x01\xff\xff\xff" + bytes(100)), "illegal_parameter"),
    "server's hello": (wire.record(b"\x02" + bytes(40)), "unexpected_message"),
    "data": (wire.record(b"x", wire.DATA), "unexpected_message"),
    "empty record": (wire.record(b""), "decode_error"),
    "more in the record": (wire.record(Hello().message() + b"\x14\0\0\0"), "unexpected_message"),
}


@pytest.mark.parametrize("kind", NO_HELLOS)
def test_what_is_no_hello_gets_its_alert(server, kind):
    opening, alert = NO_HELLOS[kind]
    assert wire.exchange(server.port, opening).alerts == [alert]


LATER = {
    "longest record": (b"\x16\x03\x03\x48\x01" + bytes(100), "record_overflow"),
    "message of 16 MiB": (wire.record(b"\x10\xff\xff\xff" + bytes(100), version=0x0303), "illegal_parameter"),
    "empty records": (wire.record(b"", wire.HANDSHAKE, 0x0303) * 40, "decode_error"),
    "pieces of one byte": (wire.fragments(b"\x0b\0\xf0\0" + bytes(0xF000), 1), "illegal_parameter"),
}


@pytest.mark.parametrize("kind", LATER)
def test_what_follows_a_hello_in_the_clear_gets_its_alert(server, kind):
    later, alert = LATER[kind]
    with wire.connect(server.port) as connection:
        connection.sendall(Hello(versions=None).record())
        connection.recv(1)
        try:
            connection.sendall(later)
        except OSError:
            pass  # it was refused while it was being sent
        raw = wire.read_to_end(connection).raw
    number = next(number for number, name in wire.ALERTS.items() if name == alert)
    assert raw.endswith(bytes([21, 3, 3, 0, 2, 2, number])), raw[-20:]


def test_signals_of_a_hello(server):
    fallback = Hello(versions=None, suites=[*wire.SUITES12, 0x5600])
    assert wire.exchange(server.port, fallback.record()).alerts == ["inappropriate_fallback"]
    assert wire.exchange(server.port, Hello(suites=[wire.AES128, 0x5600]).record()).server_hello
    again = Hello(more=[(0xFF01, b"\x03abc")])
    assert wire.exchange(server.port, again.record()).alerts == ["handshake_failure"]
    assert wire.exchange(server.port, Hello(more=[(0xFF01, b"\0")]).record()).server_hello


@pytest.mark.parametrize("extension,most", [((1, b"\x01"), 512), ((1, b"\x03"), 2048), ((28, u16s([600])), 600)],
                         ids=["512", "2048", "600"])
@pytest.mark.parametrize("versions", [None, [0x0304]], ids=["1.2", "1.3"])
def test_records_are_no_longer_than_the_client_asks_for(server, extension, most, versions):
    reply = wire.exchange(server.port, Hello(versions=versions, more=[extension]).record())
    assert reply.server_hello
    sizes = [len(body) for _, body in reply.records()]
    assert max(sizes) <= most + 17, sizes  # encryption adds a type and a tag
    assert most > 600 or sum(sizes) > most, "it would not have fitted"
    assert curl(server.port).status == 200


def certificate_of(length: int, pieces: int) -> bytes:
    """The beginning of a client's Certificate message of `length` octets, in records of `pieces` octets: it never ends."""
    message = b"\x0b" + vec(3, vec(3, b"\0" * (length - 3)))
    return wire.fragments(message[:-1], pieces)


# what is sent and then waits -> first hello, and what follows it
WAITING = {
    "longest hello": (wire.fragments(Hello(more=[(0x3377, bytes(48_000))]).message(), 16_384), b""),
    "hello that lacks an octet": (wire.fragments(Hello(more=[(0x3377, bytes(48_000))]).message()[:-1], 16_384), b""),
    "hello in octets": (wire.fragments(Hello(more=[(0x3377, bytes(7_000))]).message()[:-1], 1), b""),
    "second hello": (Hello(shares=[]).record(),
                     wire.fragments(Hello(more=[(0x3377, bytes(48_000))]).message()[:-1], 16_384)),
    "certificate": (Hello(versions=None).record(), certificate_of(65_000, 16_384)),
    "certificate in pieces": (Hello(versions=None).record(), certificate_of(12_000, 1)),
    "hello and certificate": (wire.fragments(Hello(versions=None, more=[(0x3377, bytes(48_000))]).message(), 16_384),
                              certificate_of(60_000, 16_384)),
}
MOST = 128  # KiB


def resident(server) -> int:
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) for pid in server.children)


def test_memory_of_what_waits_is_bounded(httpd, ca):
    """Beside connections of which httpd itself waits for the first byte."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem")],
                   start=False, allow=(".*",), config="AcceptFilter https none\nAcceptFilter http none\nTLSHandshakeTimeout 60",
                   mpm_settings="StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n"
                                "AsyncRequestWorkerFactor 40\nMinSpareThreads 1\nMaxSpareThreads 25")
    server.put("ca.pem", ca.pem())
    server.start()

    def held(first: bytes, second: bytes, count: int = 60) -> float:
        before, open_now = resident(server), []
        for _ in range(count):
            connection = wire.connect(server.port)
            connection.sendall(first)
            if second:
                connection.recv(1)
                connection.sendall(second)
            open_now.append(connection)
        with wire.connect(server.port) as last:  # whatever was sent before is read by now
            last.sendall(Hello().record())
            last.recv(1)
        for connection in open_now[-25:]:
            connection.settimeout(0.2)
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
        now = resident(server)
        for connection in open_now:
            connection.close()
        return (now - before) / count

    held(Hello().record(), b"")  # threads and heaps are made
    own = held(b"\x16", b"")
    costs = {kind: held(*sent) - own for kind, sent in WAITING.items()}
    assert all(cost <= MOST for cost in costs.values()), costs


UNREAD = 300  # KiB, with what httpd keeps of the request


def ticks(server) -> list[list[str]]:
    """Processor time of the children."""
    return [open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[11:13] for pid in server.children]


def test_memory_of_what_nobody_reads_is_bounded(httpd, ca):
    """A download to clients that take nothing: a batch, one in ciphertext, and what httpd holds of the one before."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False, allow=(".*",), config="AcceptFilter https none",
                   mpm_settings="StartServers 1\nServerLimit 1\nThreadsPerChild 50\nMaxRequestWorkers 50\n"
                                "MinSpareThreads 1\nMaxSpareThreads 50")
    with open(server.put("docs/a.test/huge", b""), "r+b") as huge:
        huge.truncate(10 << 20)
    server.start()

    def held(request: bytes, count: int) -> float:
        before, open_now = resident(server), []
        for _ in range(count):
            # A small window from the beginning: what the kernel takes is nobody's memory here.
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            raw.connect(("127.0.0.1", server.port))
            connection = tls.context().wrap_socket(raw, server_hostname="a.test")
            connection.sendall(request)
            open_now.append(connection)
        looks = [ticks(server)]
        wait_until(lambda: looks.append(ticks(server)) or looks[-10:] == looks[-1:] * 10, "all threads to wait")
        now = resident(server)
        for connection in open_now:
            connection.close()
        return (now - before) / count

    held(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 50)  # threads and heaps are made
    cost = held(b"GET /huge HTTP/1.1\r\nHost: a.test\r\n\r\n", 40)
    assert cost <= UNREAD, cost
