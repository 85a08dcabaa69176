# SPDX-License-Identifier: Apache-2.0
"""Client-Cert and Client-Cert-Chain (RFC 9440): what backends are told of a client, and whose word is taken for it."""
import re
import ssl

import pytest
from cryptography import x509
from harness import ajp, fastcgi, tls
from harness.backend import Backend, upgrade_request
from harness.client_cert import byte_sequence, der, echo, fields, sent, word
from harness.clientauth import ENGINES, Clients, authority, verify
from harness.clients import curl
from harness.config import Vhost
from harness.responder import Responder

MODULES = ("proxy", "proxy_http", "proxy_wstunnel", "proxy_fcgi", "proxy_ajp", "http2", "proxy_http2")
REMOVED = "TLS0519"
# What visitors may try: names of either field that some backend could take for one of them.
SPELLINGS = ("Client-Cert", "client-cert", "CLIENT-CERT", "Client_Cert", "client.cert", "Client-Cert-Chain",
             "CLIENT_CERT_CHAIN", "client_cert-chain")


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    made = Clients(tmp_path_factory.mktemp("clients"))
    made.pair = made.ca.intermediate("Client Intermediate").issue("deep", client=True)
    made.deep = made.write("deep", made.pair)
    return made


@pytest.fixture(scope="module")
def backends():
    plain, upgrading = Backend(echo), Backend(echo)
    with fastcgi.Responder() as fcgi, ajp.Responder() as tomcat:
        yield {"http": plain.port, "up": upgrading.port, "fcgi": fcgi.port, "ajp": tomcat.port}
    plain.close()
    upgrading.close()


@pytest.fixture(scope="module")
def h2_backend(shared_httpd):
    return shared_httpd([], engine="plain", modules=("http2",), ports=("PLAIN",), tls_engine=None,
                        config='Protocols h2c\nHeader always set X-Own "expr=%{HTTP:Client-Cert}"\n'
                               'Header always set X-Chain "expr=%{HTTP:Client-Cert-Chain}"')


@pytest.fixture(scope="module", params=ENGINES)
def server(request, shared_httpd, ca, clients, backends, h2_backend):
    """Backends of every kind; sections that verify by the clients' CA, by another's, and not at all."""
    engine = request.param
    proxies = {"http": f"http://127.0.0.1:{backends['http']}/", "ws": f"ws://127.0.0.1:{backends['http']}/",
               "up": f"http://127.0.0.1:{backends['up']}/ upgrade=websocket", "fcgi": f"fcgi://127.0.0.1:{backends['fcgi']}/",
               "ajp": f"ajp://127.0.0.1:{backends['ajp']}/", "h2": f"h2c://127.0.0.1:{h2_backend.ports['PLAIN']}/"}
    header = word(engine, "ClientCertHeader")
    lines = [f"ProxyPass /{mode}/{name} {url}" for mode in ("on", "chain", "off", "strange", "any", "own", "spool")
             for name, url in proxies.items()]
    lines += [f"<Location /on>\n{header} on\n</Location>", f"<Location /chain>\n{header} chain\n</Location>",
              f"<Location /strange>\n{header} chain\n{authority(engine, '@HOME@/other.pem')}\n{verify(engine, 'none')}\n</Location>",
              f"<Location /any>\n{header} chain\n{authority(engine, '@HOME@/other.pem')}\n{verify(engine, 'optional_no_ca')}\n</Location>",
              "<Location /own>\nRequestHeader set Client-Cert administrator\n</Location>",
              f"<Location /spool>\n{header} on\nSetEnv proxy-sendcl 1\n</Location>",
              f"ProxyPass /errors http://127.0.0.1:{backends['http']}/\nErrorDocument 400 /errors/400\nErrorDocument 404 /on/http/404",
              "ProxyErrorOverride Off", "MergeTrailers on", "Protocols h2 http/1.1"]
    extra = "\n".join([verify(engine, "optional"), authority(engine, "@HOME@/ca.pem"), *lines])
    depth = f"{word(engine, 'ClientDepth' if engine == 'mod_tls' else 'VerifyDepth')} 3"
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{depth}\n{extra}")], engine=engine, modules=MODULES, start=False,
                        allow=(REMOVED,), ports=("TLS", "PLAIN"))
    made.put("ca.pem", clients.ca.pem())
    made.put("other.pem", clients.other.pem())
    return made.start()


def context(ca, client: tuple[str, ...]) -> ssl.SSLContext:
    made = tls.context(ca.file)
    if client:
        made.load_cert_chain(client[1], client[3])
    return made


def told(server, ca, path: str, *options: str, h2: bool = False) -> dict[str, list[str]]:
    answer = curl(server.port, path, *options, ca=ca.file, h2=h2)
    assert answer.status == 200, answer
    if path.split("/")[2] == "h2":
        of = {"CLIENT_CERT": answer.headers.get("x-own", ""), "CLIENT_CERT_CHAIN": answer.headers.get("x-chain", "")}
        return {name: [value] for name, value in of.items() if value}
    return fields(answer.body)


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("backend", ["http", "up", "h2", "fcgi", "ajp"])
def test_backends_are_told_of_a_verified_client(server, ca, clients, backend, h2):
    own, *chain = der(clients.pair)
    on = told(server, ca, f"/on/{backend}", *clients.deep, h2=h2)
    assert list(on) == ["CLIENT_CERT"]
    assert [byte_sequence(value) for value in on["CLIENT_CERT"]] == [own]
    both = told(server, ca, f"/chain/{backend}", *clients.deep, h2=h2)
    assert [byte_sequence(value) for value in both["CLIENT_CERT"]] == [own]
    [listed] = both["CLIENT_CERT_CHAIN"]
    assert [byte_sequence(value) for value in listed.split(", ")] == chain
    assert x509.load_der_x509_certificate(chain[0]).subject == clients.pair.certificate.issuer


@pytest.mark.parametrize("backend", ["http", "h2", "fcgi", "ajp"])
def test_nothing_is_told_of_others(server, ca, clients, backend):
    for path, client in (("off", clients.deep), ("on", ()), ("chain", ()), ("strange", clients.deep), ("any", clients.deep),
                         ("strange", clients.good)):
        assert told(server, ca, f"/{path}/{backend}", *client) == {}, (path, client)


@pytest.mark.parametrize("path", ["/chain/ws", "/chain/up"])
def test_websockets(server, ca, clients, path):
    with tls.connect(server.port, using=context(ca, clients.deep)) as connection:
        request = upgrade_request(path).replace(b"\r\n\r\n", b"\r\nClient-Cert: :Zm9yZ2Vk:\r\n\r\n")
        connection.sendall(request)
        data = b""
        while data.count(b"\r\n\r\n") < 2:
            more = connection.recv(65536)
            assert more, data
            data += more
    found = fields(data.split(b"\r\n\r\n")[1])
    assert [byte_sequence(value) for value in found["CLIENT_CERT"]] == der(clients.pair)[:1]


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("backend", ["http", "fcgi", "ajp"])
@pytest.mark.parametrize("mode", ["off", "on", "chain", "own"])
def test_what_a_visitor_sends_is_removed(server, ca, clients, backend, mode, h2):
    forged = [option for name in SPELLINGS for option in ("-H", f"{name}: :Zm9yZ2Vk:")] * 2
    for client in ((), clients.deep):
        found = told(server, ca, f"/{mode}/{backend}", *forged, *client, h2=h2)
        assert "Zm9yZ2Vk" not in str(found)
        proven = {"on": {"CLIENT_CERT"}, "chain": {"CLIENT_CERT", "CLIENT_CERT_CHAIN"}}.get(mode, set())
        assert set(found) == ({"CLIENT_CERT"} if mode == "own" else proven if client else set())
        assert mode != "own" or found["CLIENT_CERT"] == ["administrator"]
    assert REMOVED in server.said()


def test_plain_http_is_no_way_round(server):
    forged = [option for name in SPELLINGS for option in ("-H", f"{name}: :Zm9yZ2Vk:")]
    for path in ("/off/http", "/on/http", "/chain/fcgi"):
        answer = curl(server.ports["PLAIN"], path, *forged, scheme="http")
        assert answer.status == 404 or fields(answer.body) == {}, answer


def test_a_visitor_cannot_have_them_left_out(server, ca, clients):
    for listed in ("Client-Cert", "close, client-cert", "CLIENT_CERT, Client-Cert-Chain, close"):
        found = told(server, ca, "/chain/http", *clients.deep, "-H", f"Connection: {listed}")
        assert set(found) == {"CLIENT_CERT", "CLIENT_CERT_CHAIN"}, listed
    assert told(server, ca, "/own/http", "-H", "Connection: Client-Cert") == {"CLIENT_CERT": ["administrator"]}


@pytest.mark.parametrize("path", ["/off/http", "/on/http", "/own/http", "/off/fcgi", "/on/fcgi", "/own/fcgi", "/spool/fcgi", "/nothing"])
def test_trailers_do_not_become_fields(server, ca, clients, path):
    """MergeTrailers makes headers of them, when a body is read before the backend is told anything: for its length
    (proxy-sendcl), or since what it was sent for does not exist and an error document is asked for."""
    for client in ((), clients.deep):
        with tls.connect(server.port, using=context(ca, client)) as connection:
            head = (f"POST {path} HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
                    "Trailer: Client-Cert\r\n\r\n3\r\nabc\r\n0\r\nClient-Cert: :Zm9yZ2Vk:\r\nclient_cert: :Zm9yZ2Vk:\r\n"
                    "Client-Cert-Chain: :Zm9yZ2Vk:\r\nConnection: Client-Cert\r\nX-Other: merged\r\n\r\n")
            connection.sendall(head.encode())
            data = b""
            while more := connection.recv(65536):
                data += more
        assert b" 200 " in data.split(b"\r\n")[0], data
        answer = data.split(b"\r\n\r\n", 1)[1]
        if path in ("/spool/fcgi", "/nothing"):
            assert re.search(rb"(X-Other: |HTTP_X_OTHER=)merged", answer), answer
        found = fields(answer)
        assert "Zm9yZ2Vk" not in str(found)
        assert ("CLIENT_CERT" in found) == ("own" in path or bool(client and "off" not in path)), answer


def test_error_documents_are_no_way_round(server, ca, clients):
    """A request that httpd refuses before it has looked at its headers is answered by a backend all the same."""
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nClient-Cert: :Zm9yZ2Vk:\r\nConnection: close\r\n\r\n")  # no Host
        data = b""
        while more := connection.recv(65536):
            data += more
    assert b"/400 HTTP/1.1" in data and fields(data.partition(b"/400 HTTP/1.1")[2]) == {}
    answer = curl(server.port, "/nothing", *clients.deep, "-H", "Client-Cert: :Zm9yZ2Vk:", ca=ca.file)
    assert [byte_sequence(value) for value in fields(answer.body)["CLIENT_CERT"]] == der(clients.pair)[:1]


# What a trusted proxy says -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=ENGINES)
def behind(request, shared_httpd, ca, clients, backends):
    """Behind proxies of 127.0.0.1: sections that ask for nothing, for a client of ours, of somebody else's; and a virtual
    host that believes only proxies elsewhere."""
    engine = request.param
    show = "\n".join(f'Header always set X-{name} "expr=%{{SSL:{variable}}}"' for name, variable in (
        ("Verify", "SSL_CLIENT_VERIFY"), ("Subject", "SSL_CLIENT_S_DN"),
        ("Protocol", "SSL_PROTOCOL"), ("Server", "SSL_SERVER_S_DN")))
    require = verify(engine, "require")
    sections = (f"<Location /open>\n{verify(engine, 'none')}\n</Location>\n<Location /secret>\n{require}\n</Location>\n"
                f"<Location /strange>\n{require}\n{authority(engine, '@HOME@/other.pem')}\n</Location>\n"
                f"<Location /any>\n{verify(engine, 'optional_no_ca')}\n</Location>\n"
                f"<Location /require>\nRequire ssl-verify-client\n</Location>\n"
                f"<Location /on>\n{word(engine, 'ClientCertHeader')} chain\n</Location>\n"
                f"ProxyPass /on http://127.0.0.1:{backends['http']}/")
    depth = f"{word(engine, 'ClientDepth' if engine == 'mod_tls' else 'VerifyDepth')} 3"
    common = f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{depth}\n{show}\n{sections}"
    trusted = word(engine, "TrustedProxy")
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{common}\n{trusted} 192.0.2.1 127.0.0.0/8"),
                         Vhost("far.test", [ca.issue("far.test")], extra=f"{common}\n{trusted} 192.0.2.0/24 2001:db8::/32")],
                        engine=engine, modules=("proxy", "proxy_http", "http2"), start=False, config="Protocols h2 http/1.1",
                        allow=(REMOVED, "TLS0520", "TLS051[47]", "AH0(1617|2039)", "AH10158", "AH01630"))
    made.put("ca.pem", clients.ca.pem())
    made.put("other.pem", clients.other.pem())
    for host in ("a.test", "far.test"):
        for path in ("page", "open", "secret", "strange", "any", "require"):
            made.put(f"docs/{host}/{path}", "content")
    return made.start()


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_a_trusted_proxy_speaks_for_its_client(behind, ca, clients, h2):
    answer = curl(behind.port, "/page", *sent(clients.pair), ca=ca.file, h2=h2)
    assert answer.status == 200, answer
    assert (answer.headers["x-verify"], answer.headers["x-subject"]) == ("SUCCESS", "CN=deep")
    assert answer.headers["x-server"] == "CN=a.test" and answer.headers["x-protocol"] == "TLSv1.3"
    for path, status in (("/secret", 200), ("/strange", 403), ("/any", 200), ("/require", 200)):
        assert curl(behind.port, path, *sent(clients.pair), ca=ca.file, h2=h2).status == status, path
    stranger = clients.other.issue("stranger", client=True)
    for path, status in (("/secret", 403), ("/strange", 200), ("/any", 200), ("/require", 403)):
        assert curl(behind.port, path, *sent(stranger), ca=ca.file, h2=h2).status == status, path
    assert curl(behind.port, "/page", *sent(stranger), ca=ca.file, h2=h2).status == 403, "as the handshake would refuse it"
    answer = curl(behind.port, "/open", *sent(stranger), ca=ca.file, h2=h2)
    assert answer.headers["x-verify"].startswith("FAILED:") and not answer.headers.get("x-subject")
    assert curl(behind.port, "/secret", *sent(clients.pair, chain=False), ca=ca.file, h2=h2).status == 403, "nobody knows its issuer"


def test_our_own_authorities_judge(behind, ca, clients):
    """What the proxy thinks of a certificate counts for nothing: expired ones, and those that are for servers."""
    from datetime import timedelta

    from harness.certs import now
    expired = clients.ca.issue("old", client=True, start=now() - timedelta(days=9), end=now() - timedelta(days=1))
    for pair in (expired, clients.ca.issue("a.server")):
        assert curl(behind.port, "/secret", *sent(pair), ca=ca.file).status == 403


def test_the_proxys_own_certificate_is_not_its_clients(behind, ca, clients):
    """A visitor without one does not become the proxy."""
    answer = curl(behind.port, "/page", *clients.good, ca=ca.file)
    assert (answer.headers["x-verify"], answer.headers.get("x-subject", "")) == ("NONE", "")
    assert curl(behind.port, "/secret", *clients.good, ca=ca.file).status == 403
    answer = curl(behind.port, "/page", *clients.good, *sent(clients.pair), ca=ca.file)
    assert answer.headers["x-subject"] == "CN=deep"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("where", ["host", "section"])
def test_responders_are_asked_about_forwarded_clients(httpd, ca, clients, engine, where):
    """As about those who come themselves: without a good answer nobody is verified, whatever the proxy thinks."""
    ocsp = "TLSClientOCSP leaf" if engine == "mod_tls" else "SSLOCSPEnable leaf\nSSLOCSPResponderTimeout 1"
    asked = f"<Location /in>\n{verify(engine, 'require')}\n</Location>"
    host = verify(engine, "optional") if where == "host" else verify(engine, "none")
    extra = (f"{host}\n{authority(engine, '@HOME@/ca.pem')}\n{ocsp}\n{word(engine, 'TrustedProxy')} 127.0.0.1\n{asked}\n"
             'Header always set X-Verify "expr=%{SSL:SSL_CLIENT_VERIFY}"')
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, config="TLSFetchLocal on", start=False,
                   allow=("TLS0", "AH02008", r"\[ssl:"))
    responder = Responder(clients.ca)
    server.put("ca.pem", clients.ca.pem())
    server.put("docs/a.test/in/index.html", "in")
    server.start()
    try:
        for how, verified in (("good", True), ("revoked", False), ("unknown", False), ("garbage", False), ("good", True)):
            pair = responder.issue(f"of {how}", how, client=True)
            for _ in range(2):  # while the responder is asked, and once its answer is known
                answer = curl(server.port, "/in/", *sent(pair), ca=ca.file)
                assert answer.status == (200 if verified else 403), (how, answer)
                assert (answer.headers["x-verify"] == "SUCCESS") == verified, (how, answer.headers)
            assert responder.count(pair) >= 1
        nameless = clients.ca.issue("nameless", client=True)
        assert curl(server.port, "/in/", *sent(nameless), ca=ca.file).status == 403, "nobody can be asked"
    finally:
        responder.end()
    server.log.expect("TLS0517.*certificate revoked")
    server.log.expect("TLS0517.*names no OCSP responder")


def test_clients_are_told_on(behind, ca, clients):
    answer = curl(behind.port, "/on", *sent(clients.pair), ca=ca.file)
    found = fields(answer.body)
    assert byte_sequence(found["CLIENT_CERT"][0]) == der(clients.pair)[0]
    assert byte_sequence(found["CLIENT_CERT_CHAIN"][0]) == der(clients.pair)[1]
    assert fields(curl(behind.port, "/on", *sent(clients.other.issue("x", client=True)), ca=ca.file).body) == {}


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_nobody_else_is_believed(behind, ca, clients, h2):
    def get(path, *options):
        return curl(behind.port, path, *options, ca=ca.file, name="far.test", h2=h2)
    answer = get("/page", *sent(clients.pair))
    assert (answer.headers["x-verify"], answer.headers.get("x-subject", "")) == ("NONE", "")
    assert get("/secret", *sent(clients.pair)).status == 403
    answer = get("/secret", *sent(clients.pair), *clients.good)
    assert answer.status == 200 and answer.headers["x-subject"] == "CN=good"
    # Of an address that somebody else tells of nothing is believed either.
    assert get("/secret", *sent(clients.pair), "-H", "X-Forwarded-For: 192.0.2.1", "-H", "Forwarded: for=192.0.2.1").status == 403
    assert REMOVED in behind.said()


@pytest.mark.parametrize("h2", [False, True], ids=["h1", "h2"])
def test_fields_that_cannot_be_read_are_answered_400(behind, ca, clients, h2):
    good = sent(clients.pair)[1].partition(": ")[2]
    for bad in (good[1:], good[:-1], good + ";a=1", f"{good}, {good}", "::", ":%%%:", '"x"', ":AAAA=A:"):
        assert curl(behind.port, "/page", "-H", f"Client-Cert: {bad}", ca=ca.file, h2=h2).status == 400, bad
    assert curl(behind.port, "/page", "-H", f"Client-Cert-Chain: {good}", ca=ca.file, h2=h2).status == 400
    assert curl(behind.port, "/page", "-H", f"Client-Cert: {good}", "-H", f"client-cert: {good}", ca=ca.file, h2=h2).status == 400
    assert re.search(r"TLS0520.*127\.0\.0\.1", behind.said())
    # Byte sequences that hold no certificate are one that nobody believes.
    answer = curl(behind.port, "/open", "-H", "Client-Cert: :AAAA:", ca=ca.file, h2=h2)
    assert answer.status == 200 and answer.headers["x-verify"].startswith("FAILED:")
    # Other spellings are nobody's.
    assert curl(behind.port, "/secret", "-H", f"Client_Cert: {good}", ca=ca.file, h2=h2).status == 403


def test_networks_are_refused_where_they_are_wrong(httpd, ca):
    for bad in ("localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0.0/", "[::1]", "*"):
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"TLSTrustedProxy 192.0.2.1 {bad}")], start=False)
        assert re.search("TLSTrustedProxy: (expected an address or a network|.* would take everybody's word)", server.start_fails()), bad


def test_a_trusted_proxy_without_anything_to_judge_is_warned_of(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSTrustedProxy 192.0.2.1")])
    server.log.expect("TLS0114.*TLSClientCertificate optional")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_field_that_nobody_can_fill_is_warned_of(httpd, ca, clients, engine):
    header, ask = f"{word(engine, 'ClientCertHeader')} on", verify(engine, "optional")
    said = "TLS0114.*backends are to be told of clients' certificates, but nobody is asked"
    section = f"<Location /in>\n{header}\n</Location>"
    for everywhere, extra, more, warned in (
            ("", header, "", True), ("", section, "", True), (header, "", "", True),
            ("", f"{header}\n{ask}\n{authority(engine, '@HOME@/ca.pem')}", "", False),
            ("", f"{section}\n<Location /ask>\n{ask}\n{authority(engine, '@HOME@/ca.pem')}\n</Location>", "", False),
            ("", header.replace(" on", " off"), "", False),
            (header, "", f"{ask}\n{authority(engine, '@HOME@/ca.pem')}", False),  # inherited, and of use in one of them
            (header, header, f"{ask}\n{authority(engine, '@HOME@/ca.pem')}", True)):
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra), Vhost("b.test", [ca.issue("b.test")], extra=more)],
                       engine=engine, config=everywhere, start=False)
        server.put("ca.pem", clients.ca.pem())
        server.start()
        assert len(server.log.matching(said)) == (1 if warned else 0), (everywhere, extra, more, server.said())
        if warned:
            server.log.expect(said)


def test_a_field_of_a_proxys_client_is_not_warned_of(httpd, ca, clients):
    """Where proxies are trusted and nothing is asked, that is said, and once."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSTrustedProxy 192.0.2.1\nTLSClientCertHeader on")])
    server.log.expect("TLS0114.*proxies are trusted")
    assert "backends are to be told" not in server.said()
