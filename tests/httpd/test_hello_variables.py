# SPDX-License-Identifier: Apache-2.0
"""What a client offered, as variables: JA4 as a second implementation has it, and the hello's lists."""
import pytest
from harness import tls
from harness.config import Vhost
from harness.ja4 import fingerprint, hello_of

LISTS = ("VERSIONS", "CIPHERS", "EXTENSIONS", "GROUPS", "SIGALGS", "ALPN")
HEADERS = "\n".join(['Header always set X-JA4 "%{SSL_JA4}s"', 'Header always set X-JA4-R "%{SSL_JA4_R}s"',
                     *(f'Header always set X-{name} "expr=%{{SSL_CLIENTHELLO_{name}}}"' for name in LISTS)])


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")])], config=HEADERS)


def ask(server, using, name: str | None = "a.test") -> dict[str, str]:
    with tls.connect(server.port, name, using=using) as connection:
        connection.sendall(tls.request(headers=("Connection: close",)))
        return tls.Reader(connection).response()[1]


@pytest.mark.parametrize("version,alpn,name", [
    (None, None, "a.test"), ("1.2", None, "a.test"), ("1.3", ["http/1.1"], "a.test"), ("1.3", ["http/1.1", "h2"], "a.test"),
    (None, ["http/1.1"], None), (None, ["\x01z", "http/1.1"], "a.test"), ("1.3", ["~", "http/1.1"], "a.test"), ("1.2", ["h", "http/1.1"], "a.test")])
def test_ja4_is_that_of_a_second_implementation(server, version, alpn, name):
    using = tls.context(version=version, alpn=alpn)
    said = ask(server, using, name)
    assert (said["x-ja4"], said["x-ja4-r"]) == fingerprint(hello_of(using, name))


def test_the_lists_of_the_hello(server):
    said = ask(server, tls.context(version="1.3", alpn=["http/1.1"]))
    assert said["x-versions"] == "0304" and said["x-alpn"] == "http/1.1"
    assert said["x-ciphers"].split(",")[:3] == ["1302", "1303", "1301"]
    assert "002b" in said["x-extensions"].split(",") and "001d" in said["x-groups"].split(",")
    assert "0403" in said["x-sigalgs"].split(",")


def test_a_resumed_session_says_what_this_hello_offered(server):
    using = tls.context(version="1.3", alpn=["http/1.1"])
    with tls.connect(server.port, using=using) as first:
        first.sendall(tls.request())
        before = tls.Reader(first).response()[1]["x-ja4-r"]
        session = first.session
    with tls.connect(server.port, using=using, session=session) as again:
        again.sendall(tls.request(headers=("Connection: close",)))
        said = tls.Reader(again).response()[1]
        assert again.session_reused
    assert "0029" in said["x-extensions"].split(",") and said["x-ja4-r"] != before
