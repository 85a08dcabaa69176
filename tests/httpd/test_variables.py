# SPDX-License-Identifier: Apache-2.0
"""What requests learn of their connection, and what other modules make of it."""
import pytest
from harness import tls
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.rustls_client import rustls_client

PRINT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n"
CONFIG = r"""
Protocols h2 http/1.1
ScriptAlias /cgi/ "@HOME@/cgi/"
<Location /cgi/std>
TLSOptions +StdEnvVars
</Location>
Header always set X-Protocol "%{SSL_PROTOCOL}s"
Header always set X-Cipher "%{SSL_CIPHER}s"
RewriteEngine on
RewriteOptions InheritBefore
"""
REWRITE = r"""
RewriteEngine on
RewriteCond %{HTTPS} =on
RewriteRule ^/rewrite-https$ /index.html
RewriteCond %{SSL:SSL_PROTOCOL} =TLSv1.3
RewriteRule ^/rewrite-13$ /index.html
RewriteCond %{REQUEST_SCHEME} =https
RewriteRule ^/rewrite-scheme$ /index.html
RewriteRule ^/external$ /elsewhere [R=302]
Redirect /old /new
"""


@pytest.fixture(scope="module", params=["event", "prefork"])
def server(request, shared_httpd, ca):
    made = shared_httpd([
        Vhost("a.test", [ca.issue("a.test")], extra=REWRITE),
        Vhost("canon.test", [ca.issue("canon.test")], extra="UseCanonicalName On\nRedirect /old /new"),
        Vhost("plain.test", tls=False, address="*:@PLAIN@", extra=REWRITE)],
        modules=("cgi", "http2", "rewrite"), config=CONFIG, mpm=request.param, start=False)
    made.put("cgi/env", PRINT, 0o755)
    made.put("cgi/std", PRINT, 0o755)
    return made.start()


def environment(server, ca, path: str, *options: str, h2: bool = False) -> dict[str, str]:
    text = curl(server.port, path, *options, ca=ca.file, h2=h2).text
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_always_there(server, ca):
    got = environment(server, ca, "/cgi/env", "--tlsv1.3")
    assert (got["HTTPS"], got["SSL_TLS_SNI"]) == ("on", "a.test")
    assert got["REQUEST_SCHEME"] == "https" and got["SERVER_PORT"] == str(server.port)


@pytest.mark.parametrize("options,expected", [
    (["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "--curves", "X25519:P-256"],
     {"SSL_PROTOCOL": "TLSv1.2", "SSL_CIPHER": "ECDHE-ECDSA-AES128-GCM-SHA256", "SSL_CIPHER_USEKEYSIZE": "128",
      "SSL_CIPHER_ALGKEYSIZE": "128"}),
    (["--tlsv1.3", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384", "--curves", "P-256:X25519"],
     {"SSL_PROTOCOL": "TLSv1.3", "SSL_CIPHER": "TLS_AES_256_GCM_SHA384", "SSL_CIPHER_USEKEYSIZE": "256"}),
    (["--tlsv1.3", "--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"],
     {"SSL_CIPHER": "TLS_CHACHA20_POLY1305_SHA256", "SSL_CIPHER_USEKEYSIZE": "256"}),
])
def test_session_variables(server, ca, options, expected):
    got = environment(server, ca, "/cgi/std", *options)
    assert {name: got.get(name) for name in expected} == expected
    assert (got["HTTPS"], got["SSL_SECURE_RENEG"], got["SSL_COMPRESS_METHOD"]) == ("on", "true", "NULL")
    assert got["SSL_SERVER_S_DN_CN"] == "a.test" and got["SSL_SERVER_I_DN_CN"] == "mod_tls Test Root"
    assert got["SSL_VERSION_INTERFACE"].startswith("mod_") and "rustls" in got["SSL_VERSION_LIBRARY"].lower()


def test_new_variables(server, ca):
    got = environment(server, ca, "/cgi/std", "--tlsv1.3", "--curves", "P-384")
    assert got["SSL_GROUP"] == "P-384"
    assert got["SSL_SIGALG"] == "ecdsa_secp256r1_sha256"
    assert got.get("SSL_ALPN") == "http/1.1"


def test_post_quantum_group_is_reported(server, ca):
    lines = rustls_client(server.port, "--path", "/cgi/std", "--body", "--expect-group", "X25519MLKEM768", ca=ca.file)
    assert any("SSL_GROUP=X25519MLKEM768" in str(line) for line in lines), lines


def test_variables_over_h2(server, ca):
    if server.mpm == "prefork":
        pytest.skip("mod_http2 declines under prefork")
    got = environment(server, ca, "/cgi/std", h2=True)
    assert (got["SERVER_PROTOCOL"], got["HTTPS"], got["SSL_TLS_SNI"], got["SSL_ALPN"]) == \
        ("HTTP/2.0", "on", "a.test", "h2")
    assert got["SSL_PROTOCOL"] == "TLSv1.3"


def test_without_sni_there_is_no_variable(server, ca):
    with tls.connect(server.port, None, using=tls.context()) as connection:
        body = tls.get(connection, "/cgi/env")[2].decode()
    assert "HTTPS=on" in body and "SSL_TLS_SNI" not in body


def test_headers_of_mod_headers(server, ca):
    answer = curl(server.port, "/", "--tls-max", "1.2", ca=ca.file)
    assert answer.headers["x-protocol"] == "TLSv1.2" and answer.headers["x-cipher"].startswith("ECDHE-ECDSA-")


@pytest.mark.parametrize("path", ["/rewrite-https", "/rewrite-13", "/rewrite-scheme"])
def test_mod_rewrite(server, ca, path):
    assert curl(server.port, path, "--tlsv1.3", ca=ca.file).body == b"a.test\n"
    assert curl(server.plain_port, path, name="plain.test", scheme="http").status == 404


def test_redirects_name_the_scheme_and_port(server, ca):
    for path, target in (("/old", "/new"), ("/external", "/elsewhere")):
        got = curl(server.port, path, ca=ca.file).headers["location"]
        assert got == f"https://a.test:{server.port}{target}"
    assert curl(server.plain_port, "/old", name="plain.test", scheme="http").headers["location"].startswith("http://")


def test_use_canonical_name(server, ca):
    """The scheme's default port is that of https: it is left out of self-references where it is meant."""
    got = curl(server.port, "/old", "-H", "Host: canon.test", name="canon.test", ca=ca.file)
    assert got.headers["location"].startswith("https://canon.test")


def test_log_formats_and_expressions(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=(
        'CustomLog "@HOME@/tls.log" "%{SSL_PROTOCOL}x %{SSL_TLS_SNI}x %{version}c %{SSL_CLIENT_S_DN}x"\n'
        "Header always set X-Is \"yes\" \"expr=%{HTTPS} == 'on' && %{SSL_PROTOCOL} == 'TLSv1.3'\"\n"
        "<Location /only-13>\nRequire expr %{SSL_PROTOCOL} == 'TLSv1.3'\n</Location>\n"
        "<Location /tls>\nRequire ssl\n</Location>"))
    assert curl(server.port, ca=ca.file).headers["x-is"] == "yes"
    assert curl(server.port, "/only-13", ca=ca.file).status == 404
    assert curl(server.port, "/only-13", "--tls-max", "1.2", ca=ca.file).status == 403
    assert curl(server.port, "/tls", ca=ca.file).status == 404
    assert curl(server.plain_port, "/tls", scheme="http").status == 403
    server.log.allow("AH01630")
    first = (server.home / "tls.log").read_text().splitlines()[0].split()
    assert first[:2] == ["TLSv1.3", "a.test"]


def test_s_client_sees_the_same(server, ca):
    assert s_client(server.port, "-tls1_3", ca=ca.file).verified
