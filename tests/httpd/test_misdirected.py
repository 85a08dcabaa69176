# SPDX-License-Identifier: Apache-2.0
"""Requests for another virtual host than the handshake was for: served when both are alike, 421 otherwise."""
import pytest
from harness import tls
from harness.clients import curl
from harness.config import Vhost


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    one = ca.issue("a.test", "b.test", "strict13.test", "prefer.test", "groups.test")
    shared = 'TLSCertificate "@HOME@/certs/one.crt" "@HOME@/certs/one.key"\n'
    server = shared_httpd([], start=False, modules=("http2",), config="Protocols h2 http/1.1", allow=("AH02032",))
    one.write(server.home / "certs", "one")
    server.write([
        Vhost("a.test", extra=shared), Vhost("b.test", extra=shared), Vhost("other.test", [ca.issue("other.test")]),
        Vhost("strict13.test", extra=shared + "TLSProtocol TLSv1.3+"),
        Vhost("prefer.test", extra=shared + "TLSCiphersSuppress TLS_AES_256_GCM_SHA384"),
    ])
    return server.start()


# Host header -> status on a connection whose SNI is a.test
CASES = [("a.test", 200), ("b.test", 200), ("B.TEST", 200), ("other.test", 421), ("strict13.test", 421),
         ("prefer.test", 421), ("unknown.test", 200)]


@pytest.mark.parametrize("host,status", CASES)
def test_http1(server, ca, host, status):
    with tls.connect(server.port, "a.test", ca.file) as connection:
        assert tls.get(connection, host=host)[0] == status


@pytest.mark.parametrize("host,status", CASES)
def test_http2(server, ca, host, status):
    answer = curl(server.port, "/", "-H", f"Host: {host}", ca=ca.file, h2=True)
    assert (answer.version, answer.status) == ("2", status)


def test_the_body_says_nothing_of_the_other_host(server, ca):
    with tls.connect(server.port, "a.test", ca.file) as connection:
        status, headers, body = tls.get(connection, host="other.test")
    assert status == 421 and b"other.test\n" not in body


def test_without_sni(server, ca):
    """The first virtual host shook hands; the same rule counts."""
    for host, status in [("a.test", 200), ("b.test", 200), ("other.test", 421)]:
        with tls.connect(server.port, None, using=tls.context()) as connection:
            assert tls.get(connection, host=host)[0] == status


def test_a_connection_goes_on_after_421(server, ca):
    with tls.connect(server.port, "a.test", ca.file) as connection:
        assert [tls.get(connection, host=h)[0] for h in ("a.test", "other.test")] == [200, 421]
