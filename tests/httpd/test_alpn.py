# SPDX-License-Identifier: Apache-2.0
"""ALPN per virtual host, by httpd's own Protocols; h2 and http/1.1 really spoken."""
import subprocess

import pytest
from harness import wire
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.rustls_client import rustls_client
from harness.wire import Hello


@pytest.fixture(scope="module", params=["event", "worker"])
def server(request, shared_httpd, ca):
    def host(name, protocols=""):
        return Vhost(name, [ca.issue(name)], extra=protocols)

    return shared_httpd([host("a.test", "Protocols h2 http/1.1"), host("h1.test", "Protocols http/1.1"),
                         host("unset.test"),
                         host("h1first.test", "Protocols http/1.1 h2"),
                         host("client.test", "Protocols http/1.1 h2\nProtocolsHonorOrder off")],
                        mpm=request.param, modules=("http2",))


@pytest.mark.parametrize("name,offered,agreed", [
    ("a.test", "h2,http/1.1", "h2"), ("a.test", "http/1.1,h2", "h2"), ("a.test", "http/1.1", "http/1.1"),
    ("h1.test", "h2,http/1.1", "http/1.1"), ("unset.test", "h2,http/1.1", "http/1.1"),
    ("h1first.test", "h2,http/1.1", "http/1.1"), ("client.test", "h2,http/1.1", "h2"), ("a.test", "foo,h2", "h2"),
])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_choice(server, ca, name, offered, agreed, version):
    got = s_client(server.port, version, "-alpn", offered, name=name, ca=ca.file)
    assert (got.done, got.alpn) == (True, agreed)


def test_no_alpn_gets_http1(server, ca):
    got = s_client(server.port, send=b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n", ca=ca.file)
    assert (got.done, got.alpn) == (True, "")
    assert curl(server.port, "/", "--no-alpn", ca=ca.file).version == "1.1"


@pytest.mark.parametrize("offer", [[b"foo"], [b"h3", b"spdy/3"], [b"HTTP/1.1"]])
def test_no_protocol_in_common_is_an_alert(server, offer):
    """RFC 7301 3.2; it also stops cross-protocol attacks."""
    reply = wire.exchange(server.port, Hello(alpn=offer).record())
    assert reply.alerts == ["no_application_protocol"]
    server.log.allow("TLS040[23]")


def test_h2_where_only_h1_is_allowed(server):
    reply = wire.exchange(server.port, Hello("h1.test", alpn=[b"h2"]).record())
    assert reply.alerts == ["no_application_protocol"]
    server.log.allow("TLS040[23]")


def test_requests_over_h2(server, ca):
    answer = curl(server.port, name="a.test", ca=ca.file, h2=True)
    assert (answer.status, answer.version, answer.body) == (200, "2", b"a.test\n")
    rustls_client(server.port, "--alpn", "http/1.1", "--expect-alpn", "http/1.1", "--expect-status", "200", ca=ca.file)


def test_nghttp_and_h2load(server, ca):
    server.put("docs/a.test/100k.bin", b"x" * 100_000)
    url = f"https://a.test:{server.port}/100k.bin"
    h2load = subprocess.run(["h2load", "-n", "200", "-c", "4", "-m", "20", f"--connect-to=127.0.0.1:{server.port}",
                             url], capture_output=True, text=True, timeout=120)
    assert "200 succeeded, 0 failed" in h2load.stdout, h2load.stdout + h2load.stderr
    nghttp = subprocess.run(["nghttp", "-nv", "--no-verify-peer", f"https://127.0.0.1:{server.port}/",
                             "-H", ":authority: a.test"], capture_output=True, text=True, timeout=60)
    assert "The negotiated protocol: h2" in nghttp.stdout and ":status: 200" in nghttp.stdout
    server.log.allow("TLS040[23]")


def test_mod_http2_accepts_the_ciphers(server, ca):
    """Its table of RFC 7540 9.2.2 must not refuse what we negotiate, in TLS 1.2 as well."""
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        answer = curl(server.port, "/", "--tls-max", "1.2", "--ciphers", cipher, ca=ca.file, h2=True)
        assert (answer.status, answer.version) == (200, "2")
