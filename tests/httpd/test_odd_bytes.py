# SPDX-License-Identifier: Apache-2.0
"""Octets that are no UTF-8 in configurations: names serve, file names are refused where they stand, nothing ends a process."""
import re

import pytest
from harness import tls
from harness.config import Vhost

ODD = b"b\xfccher.example"  # ISO 8859-1
ALL = bytes(range(0x80, 0x100))  # no octet of these begins or continues UTF-8 where it stands


def rewrite(server, **replacements: bytes) -> None:
    """Puts octets in the place of @@name@@ in httpd.conf."""
    text = server.conf.read_bytes()
    for name, octets in replacements.items():
        assert f"@@{name}@@".encode() in text
        text = text.replace(f"@@{name}@@".encode(), octets)
    server.conf.write_bytes(text)


def visit(port: int, name: str | None, host: bytes, **options) -> tuple[bytes, tls.ssl.SSLSession, bool]:
    """All that the server says to a request over a connection with this SNI; the session, and whether it was resumed."""
    with tls.connect(port, name, **options) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return answer, connection.session, connection.session_reused


def answer_of(port: int, name: str | None, host: bytes) -> bytes:
    return visit(port, name, host)[0]


def odd_host(ca, mark: str = "odd", **more) -> Vhost:
    return Vhost(f"@@{mark}@@", [ca.issue("alias.test")], aliases=("alias.test", "@@alias@@"), **more)


ALLOW = ("TLS0202: .* covers",)


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl", "mod_ssl"])
def test_a_server_name_that_is_no_utf8_serves(httpd, ca, engine):
    """By its address, by an alias and, in the clear, by its very octets, as with mod_ssl."""
    server = httpd([Vhost("first.test", [ca.issue("first.test")]), odd_host(ca)], engine=engine, start=False, allow=ALLOW,
                   config="HttpProtocolOptions Unsafe")
    rewrite(server, odd=ODD, alias=b"\xff*.other")
    server.start()
    children = server.children
    for name, asked, host in ((None, b"first.test", b"first.test"), ("alias.test", b"alias.test", ODD), ("alias.test", ODD, ODD)):
        answer = answer_of(server.port, name, asked)
        assert answer.startswith(b"HTTP/1.1 200") and b"X-Vhost: " + host in answer
    assert server.children == children


def test_the_first_host_of_an_address_may_be_it(httpd, ca):
    server = httpd([odd_host(ca)], start=False, allow=ALLOW)
    rewrite(server, odd=ODD, alias=b"\x80")
    server.start()
    children = server.children
    for name in (None, "alias.test", None):
        assert answer_of(server.port, name, b"alias.test").startswith(b"HTTP/1.1 200")
    assert server.children == children
    server.graceful()
    assert answer_of(server.port, "alias.test", b"alias.test").startswith(b"HTTP/1.1 200")


def test_hosts_that_differ_in_one_octet_are_two_for_sessions(httpd, ca):
    """Were both names printed with the same replacement, a session of one would be one of the other."""
    pair = ca.issue("alias.test")
    server = httpd([Vhost("@@one@@", [pair], aliases=("one.test",)), Vhost("@@two@@", [pair], aliases=("two.test",))],
                   start=False, allow=ALLOW)
    rewrite(server, one=b"b\xfccher.example", two=b"b\xfdcher.example")
    server.start()
    using = tls.context()
    session = visit(server.port, "one.test", b"one.test", using=using)[1]
    assert visit(server.port, "one.test", b"one.test", using=using, session=session)[2]
    assert not visit(server.port, "two.test", b"two.test", using=using, session=session)[2]


# Every directive that names a file, with what stands around the name.
PATHS = {
    "mod_tls": [
        "TLSCertificate @@", 'TLSCertificate "@HOME@/certs/a.test-0.crt" @@', "TLSKeyPassphrase file:@@",
        "TLSKeyPassphrase exec:@@", "TLSSessionTickets file:@@", "TLSClientCA @@", "TLSClientCANames @@", "TLSClientCRL @@",
        "TLSProxyCA @@", "TLSProxyCRL @@", "TLSProxyMachineCertificate @@",
    ],
    "mod_tls-ssl": [
        "SSLCertificateFile @@", "SSLCertificateKeyFile @@", "SSLCertificateChainFile @@", "SSLPassPhraseDialog exec:@@",
        "SSLPassPhraseDialog |@@", "SSLSessionTicketKeyFile @@", "SSLCACertificateFile @@", "SSLCACertificatePath @@",
        "SSLCADNRequestFile @@", "SSLCADNRequestPath @@", "SSLCARevocationFile @@", "SSLCARevocationPath @@",
        "SSLProxyCACertificateFile @@", "SSLProxyCACertificatePath @@", "SSLProxyCARevocationFile @@",
        "SSLProxyCARevocationPath @@", "SSLProxyMachineCertificateFile @@", "SSLProxyMachineCertificatePath @@",
        "SSLProxyMachineCertificateChainFile @@",
    ],
}


@pytest.mark.parametrize("engine,line", [(engine, line) for engine, lines in PATHS.items() for line in lines])
def test_a_file_name_that_is_no_utf8_is_refused_where_it_stands(httpd, ca, engine, line):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine=engine, start=False, config=line.replace("@@", "@@path@@"))
    for octets in (b"/etc/b\xfccher.pem", b"rel/" + ALL, b"/tmp/\xc3\x28", b"/tmp/\xed\xa0\x80", b"/tmp/\xf4\x90\x80\x80"):
        server.write()
        rewrite(server, path=octets)
        number = server.conf.read_bytes().split(b"\n").index(server.fill(line).encode().replace(b"@@", octets)) + 1
        said = server.run("-t")
        assert said.returncode != 0
        assert f"on line {number} of {server.conf}" in said.stderr and "is not UTF-8" in said.stderr, said.stderr


def test_a_file_name_in_utf8_works(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    moved = {}
    for suffix in ("crt", "key"):
        old = next((server.home / "certs").glob(f"a.test-0.{suffix}"))
        moved[old] = old.rename(old.with_name(f"b\u00fccher-\U0001f511.{suffix}"))
    text = server.conf.read_text()
    for old, new in moved.items():
        text = text.replace(str(old), str(new))
    server.conf.write_text(text)
    server.start()
    with tls.connect(server.port, "a.test") as connection:
        assert tls.get(connection, host="a.test")[0] == 200


# Words that name no file: refused with file and line, or taken; never a process that ends by a signal.
WORDS = {
    "mod_tls": [
        "TLSEngine @@", "TLSProtocol @@", "TLSCiphersPrefer @@", "TLSCiphersSuppress @@", "TLSGroups @@",
        "TLSSignatureAlgorithms @@", "TLSHonorClientOrder @@", "TLSStrictSNI @@", "TLSHandshakeTimeout @@",
        "TLSSessionTicketCount @@", "TLSSessionLifetime @@", "TLSSessionCache @@", "TLSSessionCache dbm:@@",
        "TLSCertCompression @@", "TLSStapling @@", "TLSFallback @@", "TLSKeyIsolation @@", "TLSReload @@",
        "TLSClientCertificate @@", "TLSClientDepth @@", "TLSClientCRLCheck @@", "TLSClientSignatureAlgorithms @@",
        "TLSHostPolicy @@", "TLSOptions @@", "TLSUserName @@", "TLSProxyEngine @@", "TLSProxyProtocol @@",
        "TLSProxyCiphersPrefer @@", "TLSProxyGroups @@", "TLSProxyVerify @@", "TLSProxyVerifyName @@",
        "TLSProxyVerifyDepth @@", "TLSKeyPassphrase @@", "Protocols @@ http/1.1", '<Location "/@@">\nTLSUserName @@\n</Location>',
        'SetEnv @@ "@@"', "ServerName @@", 'LogFormat "%{@@}x %{@@}c" odd',
    ],
    "mod_tls-ssl": [
        "SSLEngine @@", "SSLCipherSuite @@", "SSLCipherSuite TLSv1.3 @@", "SSLProtocol @@", "SSLHonorCipherOrder @@",
        "SSLOpenSSLConfCmd @@ @@", "SSLOpenSSLConfCmd Curves @@", "SSLVerifyClient @@", "SSLVerifyDepth @@",
        "SSLCARevocationCheck @@", "SSLSessionCache @@", "SSLSessionCache shmcb:@@", "SSLOptions @@", "SSLUserName @@",
        "SSLVHostSNIPolicy @@", "SSLProxyCipherSuite @@", "SSLProxyVerify @@", "SSLRandomSeed startup file:@@",
        "SSLStaplingForceURL @@", "SSLPassPhraseDialog @@",
        '<Location "/">\nSSLRequire %{SSL_CLIENT_S_DN_CN} eq "@@" or %{HTTPS} eq "on"\n</Location>',
        '<Location "/">\nRequire expr %{SSL_CLIENT_S_DN_CN} == "@@" || %{HTTPS} == "on"\n</Location>',
    ],
}


@pytest.mark.parametrize("engine", WORDS)
def test_other_words_with_odd_octets_end_nothing(httpd, ca, engine):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], aliases=("@@alias@@",))], engine=engine, start=False)
    for line in WORDS[engine]:
        server.write(config=line.replace("@@", "@@word@@"))
        rewrite(server, word=ALL[:40], alias=ALL)
        said = server.run("-t")
        assert said.returncode in (0, 1), (line, said.returncode, said.stderr)
        if said.returncode == 1:
            assert re.search(rf"on line \d+ of {server.conf}|{server.conf}:\d+|:\d+\)", said.stderr) or "TLS0" in said.stderr, \
                (line, said.stderr)


TAKEN = {
    "mod_tls": ["TLSUserName @@", 'SetEnv X "@@"', '<Location "/@@">\nTLSUserName @@\n</Location>', 'LogFormat "%{@@}x %{@@}c" odd\nCustomLog "@HOME@/odd.log" odd'],
    "mod_tls-ssl": ["SSLUserName @@", '<Location "/">\nSSLRequire %{SSL_CLIENT_S_DN_CN} eq "@@" or %{HTTPS} eq "on"\n</Location>'],
}


@pytest.mark.parametrize("engine", TAKEN)
def test_what_is_taken_serves(httpd, ca, engine):
    """All of them in one server: a request passes through each, over a connection by name and by address."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], aliases=("@@alias@@",))], engine=engine, start=False, config="\n".join(TAKEN[engine]).replace("@@", "@@word@@"),
                   allow=("Failed to set r->user", "TLS0119: .* there is no variable", *ALLOW))
    rewrite(server, word=ALL[:40], alias=ALL)
    server.start()
    children = server.children
    for name in ("a.test", None):
        with tls.connect(server.port, name) as connection:
            for path in ("/", "/%80%ff"):
                status, _, _ = tls.get(connection, path, host="a.test")
                assert status == (200 if path == "/" else 404)
    assert server.children == children


def test_a_backend_named_by_odd_octets_costs_that_request(httpd, ca, backend):
    """ProxyPreserveHost hands a visitor's Host to the handshake with the backend."""
    behind = backend(ca.issue("a.test"))
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""TLSProxyEngine on
TLSProxyVerify none
ProxyPreserveHost on
ProxyPass / https://127.0.0.1:{behind.port}/""")], modules=("proxy", "proxy_http"),
                   config="HttpProtocolOptions Unsafe", allow=("TLS070[34]", "AH01097", "AH01084", "AH00898"))
    children = server.children
    assert answer_of(server.port, "a.test", ODD).startswith(b"HTTP/1.1 500")
    with tls.connect(server.port, "a.test") as connection:
        assert tls.get(connection, host="a.test")[0] == 200
    assert server.children == children
