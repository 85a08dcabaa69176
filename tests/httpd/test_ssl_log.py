# SPDX-License-Identifier: Apache-2.0
"""Lines in the error log that filters and watchers match: with mod_ssl's numbers and first words, by both modules alike."""
import re

import pytest
from harness import tls, wire
from harness.clients import curl
from harness.config import Vhost

# How log filters find the lines about names: anchored behind the client, a number of httpd's before the words.
FILTER = re.compile(r"^\[[^\]]+\] \[ssl:(?:error|info)\] \[pid \d+:tid \d+\] \[client 127\.0\.0\.1:\d+\] (?:AH\d+: )?"
                    r"(?:Hostname \S+|No hostname was) provided via SNI(?:, but| and hostname \S+ provided| for a name based)")


def spoken(server, host: str, sni: str | None = "a.test", version: str = "1.1", path: str = "/") -> int:
    with tls.connect(server.port, sni, using=tls.context()) as connection:
        connection.sendall(f"GET {path} HTTP/{version}\r\n{f'Host: {host}' if host else 'X: y'}\r\nConnection: close\r\n\r\n".encode())
        return int(connection.recv(100).split()[1])


# what is done -> status, number and words
DEEDS = {
    "plain": (lambda s: curl(s.port, scheme="http").status, 400, "AH01996: SSL handshake failed: HTTP spoken on HTTPS port"),
    "other host": (lambda s: spoken(s, "b.test"), 421,
                   "AH02032: Hostname a.test provided via SNI and hostname b.test provided via HTTP have no compatible SSL setup "
                   "for policy 'secure'"),
    "other host without SNI": (lambda s: spoken(s, "b.test", None), 421,
                               "AH02032: Hostname a.test (default host as no SNI was provided) and hostname b.test provided via HTTP"),
    "no host": (lambda s: spoken(s, "", version="1.0"), 400, "AH02031: Hostname a.test provided via SNI, but no hostname"),
    "no SNI": (lambda s: spoken(s, "strict.test", None), 403, "AH02033: No hostname was provided via SNI for a name based"),
    "plain section": (lambda s: curl(s.plain_port, "/tls/", scheme="http", name="p.test").status, 403,
                      "AH02219: access to {home}/docs/p.test/tls/ failed, reason: SSL connection required"),
    "requirement": (lambda s: curl(s.port, "/rule/").status, 403,
                    "AH02229: access to {home}/docs/a.test/rule/ failed, reason: SSL requirement expression not fulfilled"),
    "section": (lambda s: spoken(s, "a.test", path="/proven/"), 403, "AH10158: cannot perform post-handshake authentication"),
    "user": (lambda s: curl(s.port, "/user/").status, 200, "AH02227: Failed to set r->user to 'SSL_CLIENT_S_DN_CN'"),
    "rubbish": (lambda s: wire.exchange(s.port, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00").raw and 1, 1, "AH02008: SSL library error 1 in handshake (server a.test:"),
}


@pytest.fixture(scope="module", params=["mod_ssl", "mod_tls-ssl"])
def server(request, shared_httpd, ca):
    sections = """SSLCACertificateFile @HOME@/ca.pem
<Location /rule/>
SSLRequire %{SSL_CIPHER} == "none"
</Location>
<Location /proven/>
SSLVerifyClient require
</Location>
<Location /user/>
SSLUserName SSL_CLIENT_S_DN_CN
</Location>"""
    server = shared_httpd([
        Vhost("a.test", [ca.issue("a.test")], extra=sections), Vhost("b.test", [ca.issue("b.test")]),
        Vhost("strict.test", [ca.issue("strict.test")], extra="SSLStrictSNIVHostCheck on"),
        Vhost("p.test", address="*:@PLAIN@", tls=False, extra="<Location /tls/>\nSSLRequireSSL\n</Location>"),
    ], engine=request.param, log_level="warn ssl:info", allow=(".*",), start=False)
    server.put("ca.pem", ca.pem())
    server.start()
    for path in ("a.test/rule", "a.test/user", "a.test/proven", "p.test/tls"):
        server.put(f"docs/{path}/index.html", "hello\n")
    return server


@pytest.mark.parametrize("deed", DEEDS)
def test_lines_have_the_numbers_and_words_that_watchers_know(server, deed):
    act, status, words = DEEDS[deed]
    assert act(server) == status
    server.log.expect(re.escape(words.format(home=server.home, port=server.port)))


def test_filters_of_names_find_the_client(server):
    before = len([line for line in server.log.lines() if FILTER.search(line.raw)])
    for deed in ("other host", "no host", "no SNI"):
        DEEDS[deed][0](server)
    server.log.expect("AH02033")
    assert len([line for line in server.log.lines() if FILTER.search(line.raw)]) == before + 3
