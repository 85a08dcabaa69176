# SPDX-License-Identifier: Apache-2.0
"""Variables of the connection wherever they can be asked for, and that nothing raw gets out."""
import re
import socket
import ssl
import struct

import pytest
from harness import der
from harness.clientauth import Clients, authority, options, verify
from harness.clients import curl
from harness.config import Vhost
from harness.corpus import CN, Corpus, Entry, certificate
from harness.variables import PRINTER, ask

CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")
LOG = ('%{SSL_TLS_SNI}x|%{SSL_PROTOCOL}x|%{SSL_CIPHER}x|%{version}c|%{cipher}c|%{subjectdn}c|%{issuerdn}c|%{errcode}c|'
       '%{SSL_CLIENT_S_DN}x|%{SSL_CLIENT_SAN_DNS_0}x|%{SSL_GROUP}x|%{SSL_ALPN}x|%{errstr}c')


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


def server_for(httpd, ca, client_ca, engine="mod_tls", extra=""):
    made = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""{verify(engine, "optional_no_ca")}
{authority(engine, "@HOME@/client-ca.pem")}
ScriptAlias /print @HOME@/print.sh
<Location /print>
{options(engine, "+StdEnvVars")}
</Location>
{extra}""")], engine=engine, modules=("http2", "cgid", "rewrite"),
                 config=f'Protocols h2 http/1.1\nCustomLog "@HOME@/tls.log" "{LOG}"\nScriptSock @HOME@/run/cgid', start=False,
                 allow=("TLS0124: .*SSL_NONSENSE",))
    made.put("print.sh", PRINTER, mode=0o755)
    made.put("client-ca.pem", client_ca)
    return made.start()


@pytest.mark.parametrize("h2", [False, True])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_session_variables(httpd, ca, clients, h2, version):
    server = server_for(httpd, ca, clients.ca.pem(), extra="""
Header always set X-Values "%{SSL_PROTOCOL}s %{SSL_CIPHER}s %{SSL_GROUP}s %{SSL_SIGALG}s %{SSL_ALPN}s %{HTTPS}s"
Header always set X-Missing "%{SSL_NONSENSE}s"
<If "%{SSL_PROTOCOL} == 'TLSv1.3' && %{HTTPS} == 'on' && SSL('SSL_SESSION_RESUMED') == 'Initial'">
Header always set X-If modern
</If>
RewriteEngine on
RewriteCond %{HTTPS} =on
RewriteCond %{SSL:SSL_CIPHER_USEKEYSIZE} >=128
RewriteRule ^/rewritten$ /index.html""")
    pinned = ("--tls-max", "1.2") if version == "1.2" else ("--tlsv1.3",)
    answer = curl(server.port, "/rewritten", *pinned, "--curves", "X25519:P-256", ca=ca.file, h2=h2)
    assert answer.status == 200
    protocol, cipher, group, scheme, *rest = answer.headers["x-values"].split(" ")
    suite = "ECDHE-ECDSA-AES(128|256)-GCM-SHA(256|384)" if version == "1.2" else "TLS_AES_(128|256)_GCM_SHA(256|384)"
    assert protocol == f"TLSv{version}" and re.fullmatch(suite, cipher)
    assert (group, scheme) == ("X25519", "ecdsa_secp256r1_sha256")
    assert rest[-2:] == [("h2" if h2 else "http/1.1"), "on"]
    assert answer.headers["x-missing"] == "(null)"
    assert (answer.headers.get("x-if") == "modern") == (version == "1.3")


def test_plain_requests_have_no_variables(httpd, ca, clients):
    server = server_for(httpd, ca, clients.ca.pem())
    assert curl(server.plain_port, scheme="http").status == 200
    assert "|-|-|" in (server.home / "tls.log").read_text()


EVIL = {"escape": "\x1b[31mred", "line": "a\r\nInjected: 1", "nul": "a\0b", "quote": 'a"b\\c', "latin": "ä€",
        "delete": "a\x7fb"}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_nothing_raw_reaches_a_sink_cve_2024_47252(httpd, ca, tmp_path, version):
    corpus = Corpus()
    server = server_for(httpd, ca, der_pem(corpus.ca), extra='Header always set X-DN "%{SSL_CLIENT_S_DN}s"\n'
                        '<Location /refused>\n' + verify("mod_tls", "require") + '\nTLSClientDepth 0\n</Location>')
    server.log.allow("TLS0517")
    for name, text in EVIL.items():
        subject = der.name([(CN, der.utf8(text))])
        alternative = der.extension("2.5.29.17", der.sequence(der.tlv(0x82, text.encode())))
        entry = Entry(name, certificate(subject, corpus.key, corpus.ca_key, issuer=corpus.issuer, extensions=(alternative,)),
                      corpus.key)
        variables = ask(server.port, entry, tmp_path, version=version)
        for variable, value in variables.items():
            if not variable.startswith("SSL_SERVER_CERT"):
                assert not CONTROL.search(value) and b"\n" not in value, (variable, value)
    logged = b"".join(path.read_bytes() for path in (server.home / "tls.log", server.home / "error.log"))
    assert not CONTROL.search(logged)
    assert b"Injected: 1" not in re.sub(rb"[^\n]*\\\\[^\n]*", b"", logged)
    assert logged.count(b"\n") >= len(EVIL)


def der_pem(content: bytes) -> str:
    return ssl.DER_cert_to_PEM_cert(content)


def test_a_hostile_server_name_or_protocol_is_not_logged_raw(httpd, ca, clients):
    """Names that a TLS library would not send: the bytes are written by hand."""
    server = server_for(httpd, ca, clients.ca.pem())
    server.log.allow("TLS040")
    for evil in (b"\x1b[31ma.test", b"a\r\nb.test", b"a\0b.test", b'a"b.test', b"\xe4.test"):
        raw_hello(server.port, evil)
    logged = b"".join(path.read_bytes() for path in (server.home / "tls.log", server.home / "error.log") if path.exists())
    assert not CONTROL.search(logged)


def raw_hello(port: int, name: bytes) -> None:
    def block(size: int, content: bytes) -> bytes:
        return len(content).to_bytes(size, "big") + content

    sni = struct.pack("!H", 0) + block(2, block(2, b"\0" + block(2, name)))
    alpn = struct.pack("!H", 16) + block(2, block(2, block(1, name)))
    groups = struct.pack("!H", 10) + block(2, block(2, b"\x00\x1d"))
    schemes = struct.pack("!H", 13) + block(2, block(2, b"\x04\x03"))
    body = b"\x03\x03" + bytes(32) + b"\0" + block(2, b"\xc0\x2b") + b"\x01\0" + block(2, sni + alpn + groups + schemes)
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"\x16\x03\x01" + block(2, b"\x01" + block(3, body)))
        connection.settimeout(10)
        try:
            while connection.recv(4096):
                pass
        except OSError:
            pass
