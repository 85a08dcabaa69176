# SPDX-License-Identifier: Apache-2.0
"""Certificates that go compressed to clients that take them so (RFC 8879)."""
import pytest
from harness.certs import Authority
from harness.clients import curl
from harness.config import Vhost
from harness.rustls_client import rustls_client

HOSTS = [f"h{i}.test" for i in range(6)]  # more than the four results that rustls would remember


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    below = ca.intermediate("An authority in between")
    return shared_httpd([Vhost("a.test", [below.issue("a.test")]),
                         Vhost("rsa.test", [below.issue("rsa.test", kind="rsa2048")]), *(Vhost(name, [below.issue(name)]) for name in HOSTS),
                         Vhost("off.test", [below.issue("off.test")], extra="TLSCertCompression off")])


def shown(server, ca: Authority, *options: str, name: str = "a.test") -> str:
    """In what form the certificate came, and both sizes."""
    said = rustls_client(server.port, *options, name=name, ca=ca.file)
    (connection,) = [line for line in said if line["event"] == "connection"]
    assert connection["chain"] == 2
    return connection["compression"]


@pytest.mark.parametrize("form", ["brotli", "zlib"])
@pytest.mark.parametrize("name", ["a.test", "rsa.test"])
def test_certificates_come_in_the_form_that_the_client_takes(server, ca, form, name):
    came, _, sizes = shown(server, ca, "--compression", form, name=name).partition(" ")
    packed, whole = map(int, sizes.split("/"))
    assert came == form and packed < whole


def test_brotli_comes_first(server, ca):
    assert shown(server, ca, "--compression", "zlib,brotli").startswith("brotli ")


def test_every_certificate_is_compressed_before_it_is_asked_for(server, ca):
    for name in HOSTS:
        assert shown(server, ca, "--compression", "brotli,zlib", name=name).startswith("brotli ")


def test_nobody_gets_what_it_does_not_take(server, ca):
    assert shown(server, ca) == ""
    assert shown(server, ca, "--versions", "1.2", "--compression", "brotli,zlib") == ""
    assert curl(server.port, name="a.test", ca=ca.file).body == b"a.test\n"


def test_off_is_off(server, ca):
    assert shown(server, ca, "--compression", "brotli,zlib", name="off.test") == ""


def test_under_the_words_of_mod_ssl_it_has_to_be_turned_on(httpd, ca):
    below = ca.intermediate("An authority in between")
    server = httpd([Vhost("a.test", [below.issue("a.test")]),
                    Vhost("on.test", [below.issue("on.test")], extra="TLSCertCompression on")], engine="mod_tls-ssl")
    assert shown(server, ca, "--compression", "brotli,zlib") == ""
    assert shown(server, ca, "--compression", "brotli,zlib", name="on.test").startswith("brotli ")
