# SPDX-License-Identifier: Apache-2.0
"""What has been a vulnerability of httpd's TLS module before must not be one of ours. One test per CVE."""
import re
import socket
import ssl
import subprocess
import time

import pytest
from harness import process, tls, wire
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.wire import Hello

PRINT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n"


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSStrictSNI off")], mpm_settings=ONE_CHILD,
                        modules=("http2", "cgi", "reqtimeout", "echo"), log_level="warn tls:debug", start=False,
                        config='Protocols h2 http/1.1\nScriptAlias /cgi/ "@HOME@/cgi/"\nAcceptFilter https none\n'
                               'CustomLog "@HOME@/sni.log" "%{SSL_TLS_SNI}x|%h"',
                        allow=("TLS04", "AH10159", "AH03490"))
    made.put("cgi/env", PRINT, 0o755)
    return made.start()


def test_cve_2017_3169_plain_http_on_the_tls_port_harms_no_child(server, ca):
    """Another module's process_connection hook ran on a connection whose TLS was never set up."""
    before = server.children
    for number in range(2000):
        reply = wire.exchange(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" if number % 2 else b"GET /")
        assert reply.raw[:12] == b"HTTP/1.1 400"
    assert server.children == before
    assert curl(server.port, ca=ca.file).status == 200


def renegotiate(server, moment: str) -> bytes:
    """A TLS 1.2 client that asks for renegotiation; returns what the server still says in clear."""
    incoming, outgoing = tls.memory_pair()
    session = tls.context(version="1.2").wrap_bio(incoming, outgoing, server_hostname="a.test")
    with wire.connect(server.port) as connection:
        def pump(action):
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    incoming.write(connection.recv(65536))

        pump(session.do_handshake)
        connection.sendall(outgoing.read())
        if moment == "after-request":
            session.write(tls.request("/"))
            connection.sendall(outgoing.read())
            pump(lambda: session.read(65536))
        elif moment == "in-request":
            session.write(b"GET / HTTP/1.1\r\nHost: a.te")
            connection.sendall(outgoing.read())
        # Python cannot renegotiate; a hello in the clear is what an attacker would also try, and an encrypted record
        # with garbage is what a renegotiating client's hello looks like without the keys.
        connection.sendall(wire.record(Hello(versions=None).message(), version=0x0303))
        connection.shutdown(socket.SHUT_WR)
        return wire.read_to_end(connection).raw


@pytest.mark.parametrize("moment", ["at-once", "in-request", "after-request"])
def test_cve_2019_0190_renegotiation_ends_at_once(server, ca, moment):
    """The loop of mod_ssl with OpenSSL 1.1.1: bounded work, an end of the connection, an idle child afterwards."""
    child = server.children[0]
    before = process.cpu_seconds(child)
    for _ in range(10):
        renegotiate(server, moment)
    # Time of the CPU, not of the clock: the loop of the original burned all there was, for ever.
    assert process.cpu_seconds(child) - before < 2
    settled = process.cpu_seconds(child)
    time.sleep(0.5)
    assert process.cpu_seconds(child) - settled < 0.2
    assert server.children[0] == child


def test_cve_2019_0190_a_real_renegotiation_is_refused(server):
    """openssl s_client asks for one with the keys of the connection."""
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-servername",
                               "a.test"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    client.stdin.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    client.stdin.flush()
    time.sleep(0.5)
    client.stdin.write(b"R\n")
    client.stdin.flush()
    try:
        output = client.communicate(timeout=30)[0]
    finally:
        client.kill()
    assert b"RENEGOTIATING" in output
    assert re.search(rb"no renegotiation|alert|errno|unexpected|closed", output), output[-500:]


HOSTILE = {"escape": b"\x1b[31mred", "lines": b"a\r\nInjected: 1", "nul": b"a\0b", "quotes": b'a"b\\',
           "8-bit": b"\xff\xfe\xe9", "percent": b"%n%s", "spaces": b"a b\tc", "long": b"x" * 300}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("where", ["sni", "alpn"])
def test_cve_2024_47252_no_raw_control_byte_reaches_a_log(server, kind, where):
    hello = Hello(name=HOSTILE[kind]) if where == "sni" else Hello(alpn=[HOSTILE[kind][:255]])
    reply = wire.exchange(server.port, hello.record())
    server.log.expect(rf"127\.0\.0\.1:{reply.client}\] TLS04")
    for name in ("error.log", "sni.log", "access.log"):
        path = server.home / name
        raw = path.read_bytes() if path.exists() else b""
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f-\xff]", raw), name
        assert not re.search(rb"^Injected", raw, re.M)


def test_cve_2025_49812_upgrade_to_tls_is_not_spoken(server, ca):
    """No engine `optional`, no RFC 2817: nothing sent before the ClientHello becomes part of a TLS request."""
    upgrade = b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
    reply = wire.exchange(server.port, upgrade + Hello().record())
    assert reply.raw.startswith(b"HTTP/1.1 400") and b"101" not in reply.raw and reply.raw.count(b"HTTP/1.1") == 1
    plain = wire.exchange(server.plain_port, upgrade)
    assert b"101 " not in plain.raw.split(b"\r\n")[0] and b"TLS/1.0" not in plain.raw
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(upgrade)
        assert tls.Reader(connection).response()[0] != 101


@pytest.mark.parametrize("words", ["TLSEngine optional", "TLSEngine upgrade"])
def test_cve_2025_49812_optional_is_no_engine(httpd, ca, words):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], start=False)
    checked = server.run("-t")
    assert checked.returncode != 0 and "TLSEngine" in checked.stderr


def test_rustsec_2024_0399_a_fragmented_hello_costs_one_connection_at_most(server, ca):
    """The panic of rustls' Acceptor: every split of a hello over two records."""
    before = server.children
    message = Hello(session_id=b"").message()
    for cut in range(1, len(message), 3):
        reply = wire.exchange(server.port, wire.record(message[:cut]) + wire.record(message[cut:]))
        assert reply.server_hello is not None, cut
    assert server.children == before and not server.log.matching("panic")


def test_rustsec_2024_0336_close_notify_in_mid_handshake(server):
    """The endless loop of rustls' complete_io: close_notify after each part of a hello."""
    child = server.children[0]
    before = process.cpu_seconds(child)
    hello = Hello(session_id=b"").record()
    for cut in [*range(0, len(hello), 5), len(hello)]:
        wire.exchange(server.port, hello[:cut] + wire.record(b"\x01\0", wire.ALERT))
    settled = process.cpu_seconds(child)
    time.sleep(0.5)
    # Time of the CPU: an endless loop burns the whole half second, and goes on.
    assert process.cpu_seconds(child) - settled < 0.2 and settled - before < 5
