# SPDX-License-Identifier: Apache-2.0
"""Ways round the rules of Client-Cert: PROXY headers, hop-by-hop fields, bodies read early, other sections, strangers."""
import socket
import ssl

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from harness import ajp, fastcgi, third_party, tls
from harness.backend import Backend, upgrade_request
from harness.client_cert import byte_sequence, echo, fields, sent, word
from harness.clientauth import ENGINES, Clients, authority, verify
from harness.clients import curl
from harness.config import Vhost

REMOVED = "TLS0519"
FORGED = ":Zm9yZ2Vk:"


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


def context(ca, client):
    made = tls.context(ca.file)
    made.load_cert_chain(client[1], client[3])
    return made


@pytest.fixture(scope="module")
def backend():
    made = Backend(echo)
    yield made
    made.close()


# PROXY protocol ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=ENGINES)
def balanced(request, shared_httpd, ca, clients):
    """One port that a balancer speaks PROXY to, and one that it does not; the list covers the balancer."""
    engine = request.param
    extra = (f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{word(engine, 'TrustedProxy')} 127.0.0.1 192.0.2.1\n"
             f"<Location /secret>\n{verify(engine, 'require')}\n</Location>\n"
             'Header always set X-Subject "expr=%{SSL:SSL_CLIENT_S_DN}"\nHeader always set X-Address "expr=%{REMOTE_ADDR}"')
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, modules=("remoteip", "http2"), start=False,
                        config="Protocols h2 http/1.1\nRemoteIPProxyProtocol On", allow=(REMOVED, "TLS0514", "AH02227", "AH03507"))
    made.put("ca.pem", clients.ca.pem())
    for path in ("page", "secret"):
        made.put(f"docs/a.test/{path}", "content")
    return made.start()


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1", "198.51.100.1"])
def test_nobody_is_believed_who_comes_through_a_balancer(balanced, ca, clients, address):
    """Anybody may come that way, with a certificate that everybody has seen."""
    with socket.create_connection(("127.0.0.1", balanced.port), 15) as raw:
        raw.sendall(f"PROXY TCP4 {address} 127.0.0.1 4711 443\r\n".encode())
        with tls.context(ca.file).wrap_socket(raw, server_hostname="a.test") as connection:
            field = sent(clients.ca.issue("public", client=True))[1]
            for path, status in (("/page", 200), ("/secret", 403)):
                connection.sendall(tls.request(path, headers=(field,)))
                got, headers, _ = tls.Reader(connection).response()
                assert (got, headers.get("x-subject", "")) == (status, ""), headers
                assert headers["x-address"] == address, "mod_remoteip did read the header"
    assert REMOVED in balanced.said()


def test_nor_over_h2(balanced, ca, clients):
    field = sent(clients.ca.issue("public", client=True))
    answer = curl(balanced.port, "/page", "--haproxy-protocol", *field, ca=ca.file, h2=True)
    assert (answer.status, answer.version, answer.headers.get("x-subject", "")) == (200, "2", ""), answer
    assert curl(balanced.port, "/secret", "--haproxy-protocol", *field, ca=ca.file, h2=True).status == 403


def test_those_without_the_header_are(httpd, ca, clients):
    """RemoteIPProxyProtocolExceptions: that address is the connection's own."""
    extra = f"TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSTrustedProxy 127.0.0.1\nHeader always set X-S \"expr=%{{SSL:SSL_CLIENT_S_DN}}\""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], modules=("remoteip",), start=False, allow=("AH03507",),
                   config="RemoteIPProxyProtocol On\nRemoteIPProxyProtocolExceptions 127.0.0.1")
    server.put("ca.pem", clients.ca.pem())
    server.start()
    assert curl(server.port, "/", *sent(clients.ca.issue("somebody", client=True)), ca=ca.file).headers["x-s"] == "CN=somebody"


# Addresses -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("written, believed", [("::ffff:127.0.0.0/104", True), ("::ffff:7f00:1", True), ("::ffff:126.0.0.0/103", True),
                                               ("::ffff:10.0.0.0/104", False), ("::ffff:10.0.0.1", False)])
def test_ipv4_as_ipv6_has_it(httpd, ca, clients, written, believed):
    extra = f"TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSTrustedProxy {written}\nHeader always set X-S \"expr=%{{SSL:SSL_CLIENT_S_DN}}\""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], start=False, allow=(REMOVED,))
    server.put("ca.pem", clients.ca.pem())
    server.start()
    answer = curl(server.port, "/", *sent(clients.ca.issue("somebody", client=True)), ca=ca.file)
    assert answer.headers.get("x-s", "") == ("CN=somebody" if believed else "")


@pytest.mark.parametrize("bad", ["::ffff:10.0.0.0/8", "::ffff:10.0.0.0/96", "::ffff:10.0.0.0/129", "::ffff:10.0.0.1/104", "::ffff:0:0/96"])
def test_networks_of_mapped_addresses_are_refused_where_they_are_wrong(httpd, ca, bad):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"TLSTrustedProxy {bad}")], start=False)
    assert "TLSTrustedProxy: expected an address or a network" in server.start_fails()


# Hop-by-hop fields ---------------------------------------------------------------------------------------------------

HOPS = ("close;Client-Cert", "x Client-Cert", "close;Client-Cert-Chain;Client-Cert", "close, x\tClient-Cert", '"Client-Cert"',
        ",;, Client-Cert ;,", '"close, Client-Cert', "close;client-cert;q=1", "Client-Cert; Client-Cert")


@pytest.fixture(scope="module", params=ENGINES)
def proxies(request, shared_httpd, ca, clients, backend):
    engine = request.param
    h2c = shared_httpd([], engine="plain", modules=("http2",), ports=("PLAIN",), tls_engine=None,
                       config='Protocols h2c\nHeader always set X-Own "expr=%{HTTP:Client-Cert}"')
    with fastcgi.Responder() as fcgi, ajp.Responder() as tomcat:
        urls = {"http": f"http://127.0.0.1:{backend.port}/", "ws": f"ws://127.0.0.1:{backend.port}/",
                "fcgi": f"fcgi://127.0.0.1:{fcgi.port}/", "ajp": f"ajp://127.0.0.1:{tomcat.port}/",
                "h2": f"h2c://127.0.0.1:{h2c.ports['PLAIN']}/"}
        lines = [f"ProxyPass /{name} {url}" for name, url in urls.items()]
        extra = (f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{word(engine, 'ClientCertHeader')} on\n"
                 + "\n".join(lines))
        made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False, allow=(REMOVED,),
                            modules=("proxy", "proxy_http", "proxy_wstunnel", "proxy_fcgi", "proxy_ajp", "http2", "proxy_http2"))
        made.put("ca.pem", clients.ca.pem())
        yield made.start()


@pytest.mark.parametrize("name", ["http", "ws", "fcgi", "ajp", "h2"])
def test_no_visitor_has_the_field_left_out_or_keeps_his_own(proxies, ca, clients, name):
    using = tls.context(ca.file)
    using.load_cert_chain(clients.good[1], clients.good[3])
    with open(clients.good[1]) as pem:
        mine = ssl.PEM_cert_to_DER_cert(pem.read())
    for listed in HOPS:
        head = upgrade_request("/ws").decode() if name == "ws" else f"GET /{name} HTTP/1.1\r\nHost: a.test\r\n\r\n"
        more = f"Connection: {listed}\r\nProxy-Connection: {listed}\r\nKeep-Alive: {listed}\r\nClient-Cert: {FORGED}\r\nTE: Client-Cert\r\n"
        with tls.connect(proxies.port, using=using) as connection:
            connection.sendall((head[:-2] + more + "\r\n").encode("latin-1"))
            if name == "ws":
                data = b""
                while data.count(b"\r\n\r\n") < 2:
                    more = connection.recv(65536)
                    assert more, (listed, data)
                    data += more
                found = fields(data.split(b"\r\n\r\n")[1])["CLIENT_CERT"]
            else:
                status, headers, body = tls.Reader(connection).response()
                assert status == 200, (listed, status)
                found = [headers.get("x-own", "")] if name == "h2" else fields(body)["CLIENT_CERT"]
        assert [byte_sequence(value) for value in found] == [mine], (listed, found)


# Bodies that are read early ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_that_is_read_for_access_brings_no_field(httpd, ca, backend, engine):
    """mod_auth_form reads the form before anybody has put in a filter, and MergeTrailers makes headers of its trailers."""
    extra = f"{FORM}\nProxyPass /form http://127.0.0.1:{backend.port}/"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, allow=(REMOVED,), start=False,
                   modules=("proxy", "proxy_http", *FORM_MODULES))
    server.put("users", "u:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")  # "test"
    server.start()
    body = b"httpd_username=u&httpd_password=test"
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(b"POST /form HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                           b"Content-Type: application/x-www-form-urlencoded\r\nTrailer: Client-Cert\r\n\r\n"
                           + b"%x\r\n%s\r\n0\r\n" % (len(body), body)
                           + f"Client-Cert: {FORGED}\r\nclient_cert_chain: {FORGED}\r\nX-Other: told\r\n\r\n".encode())
        status, _, answer = tls.Reader(connection).response()
    assert status == 200, answer
    assert b"X-Other: told" in answer, "trailers were merged"
    assert fields(answer) == {}


FORM = """<Location /form>
AuthType form
AuthName form
AuthFormProvider file
AuthUserFile @HOME@/users
Session On
SessionCookieName session path=/
Require valid-user
KeptBodySize 4096
</Location>
MergeTrailers on"""
FORM_MODULES = ("auth_form", "request", "session", "session_cookie", "authn_core", "authn_file", "authz_user")


@pytest.mark.parametrize("engine", ENGINES)
def test_no_trailer_has_the_field_left_out(httpd, ca, clients, backend, engine):
    """Connection comes once more, behind the body, and is merged with the one that came before."""
    extra = (f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{word(engine, 'ClientCertHeader')} on\n"
             f"{FORM}\nProxyPass /form http://127.0.0.1:{backend.port}/")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False,
                   modules=("proxy", "proxy_http", *FORM_MODULES))
    server.put("ca.pem", clients.ca.pem())
    server.put("users", "u:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")
    server.start()
    body = b"httpd_username=u&httpd_password=test"
    for before in ("", "Connection: keep-alive\r\n"):
        for listed in HOPS:
            with tls.connect(server.port, using=context(ca, clients.good)) as connection:
                connection.sendall(f"POST /form HTTP/1.1\r\nHost: a.test\r\n{before}Transfer-Encoding: chunked\r\n"
                                   "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
                                   f"{len(body):x}\r\n{body.decode()}\r\n0\r\nConnection: {listed}\r\nX-Other: told\r\n\r\n".encode())
                status, _, answer = tls.Reader(connection).response()
            assert status == 200 and b"X-Other: told" in answer, (listed, answer)
            assert list(fields(answer)) == ["CLIENT_CERT"], (before, listed, answer)


def test_nor_at_the_next_member_of_a_balancer(httpd, ca, clients, backend):
    """The first one has taken the whole body before it turns out to be gone."""
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))  # and does not listen
        extra = f"""TLSClientCertificate optional
TLSClientCA @HOME@/ca.pem
TLSClientCertHeader on
MergeTrailers on
<Proxy balancer://members>
BalancerMember http://127.0.0.1:{gone.getsockname()[1]}
BalancerMember http://127.0.0.1:{backend.port}
</Proxy>
ProxyPass / balancer://members/"""
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], start=False, allow=("AH00957", "AH01114", "AH00959"),
                       modules=("proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests", "slotmem_shm"))
        server.put("ca.pem", clients.ca.pem())
        server.start()
        with tls.connect(server.port, using=context(ca, clients.good)) as connection:
            connection.sendall(b"POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                               b"3\r\nabc\r\n0\r\nConnection: Client-Cert\r\nX-Other: told\r\n\r\n")
            status, _, answer = tls.Reader(connection).response()
    assert status == 200 and b"X-Other: told" in answer, answer
    assert list(fields(answer)) == ["CLIENT_CERT"], answer


# Other sections ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("engine", ENGINES)
def test_the_next_section_does_not_see_the_field_of_the_one_before(httpd, ca, clients, engine):
    """Neither an internal redirect's nor a subrequest's access checks do."""
    header = word(engine, "ClientCertHeader")
    extra = f"""{verify(engine, 'optional')}
{authority(engine, '@HOME@/ca.pem')}
<Location /on>
{header} on
ErrorDocument 404 /next/page
Options +Includes
SetOutputFilter INCLUDES
</Location>
<Location /next>
Require expr "%{{HTTP:Client-Cert}} == ''"
</Location>"""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False, modules=("include",))
    server.put("ca.pem", clients.ca.pem())
    server.put("docs/a.test/next/page", "told nothing")
    server.put("docs/a.test/on/page", '<!--#include virtual="/next/page" -->')
    server.start()
    answer = curl(server.port, "/on/nothing", *clients.good, ca=ca.file)
    assert answer.body == b"told nothing", answer
    answer = curl(server.port, "/on/page", *clients.good, ca=ca.file)
    assert answer.body == b"told nothing", answer


@pytest.mark.parametrize("engine", ENGINES)
def test_nor_what_mod_include_and_gateways_have_made_of_it(httpd, ca, clients, engine):
    """Variables of CGI, which a subrequest begins with a copy of, and an internal redirect with names of its own for."""
    with fastcgi.Responder() as fcgi:
        extra = f"""{verify(engine, 'optional')}
{authority(engine, '@HOME@/ca.pem')}
{word(engine, 'ClientDepth' if engine == 'mod_tls' else 'VerifyDepth')} 3
<Location /on>
{word(engine, 'ClientCertHeader')} chain
Options +Includes +ExecCGI
</Location>
<Location /on/page>
SetOutputFilter INCLUDES
</Location>
<Location /on/script>
SetHandler cgi-script
</Location>
ProxyPass /on/fcgi fcgi://127.0.0.1:{fcgi.port}/
ProxyPass /next fcgi://127.0.0.1:{fcgi.port}/"""
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False,
                       config="ScriptSock @HOME@/run/cgid", modules=("include", "cgid", "proxy", "proxy_fcgi"))
        server.put("ca.pem", clients.ca.pem())
        server.put("docs/a.test/on/page", '<!--#include virtual="/next/page" -->')
        server.put("docs/a.test/on/script", '#!/bin/sh\ntest -n "$HTTP_CLIENT_CERT_CHAIN" && printf "Location: /next/page\\n\\n"\n', mode=0o755)
        server.start()
        deep = clients.write("deeper", clients.ca.intermediate("Deeper").issue("deeper", client=True))
        for path in ("/on/page", "/on/script"):
            answer = curl(server.port, path, *deep, ca=ca.file)
            assert answer.status == 200 and b"REQUEST_URI=" in answer.body, answer
            assert b"CLIENT_CERT" not in answer.body, (path, answer.body)
        assert set(fields(curl(server.port, "/on/fcgi", *deep, ca=ca.file).body)) == {"CLIENT_CERT", "CLIENT_CERT_CHAIN"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", ["Require valid-user", "Require ssl-verify-client", "Require all granted"])
def test_error_documents_do_not_have_another_hosts_verdict(httpd, ca, clients, backend, engine, rule):
    """A request refused by 421, or before its Host was known, is answered by a redirect within a host that knows no CA."""
    b = f"""{word(engine, 'ClientCertHeader')} on
{word(engine, 'UserName')} SSL_CLIENT_S_DN_CN
ErrorDocument 421 /errors/421
ErrorDocument 400 /errors/400
<Location /errors>
AuthType basic
AuthName nobody
{rule}
RequestHeader set X-User "expr=user:%{{REMOTE_USER}}"
RequestHeader set X-Verdict "expr=verdict:%{{SSL:SSL_CLIENT_VERIFY}}"
</Location>
ProxyPass /errors http://127.0.0.1:{backend.port}/"""
    a = f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}"
    server = httpd([Vhost("b.test", [ca.issue("b.test")], extra=b), Vhost("a.test", [ca.issue("a.test")], extra=a)], engine=engine,
                   modules=("proxy", "proxy_http", "authn_core", "authz_user", "auth_basic"), start=False,
                   allow=("TLS05", "TLS0114", "AH0", r"\[ssl:"))
    server.put("ca.pem", clients.ca.pem())
    server.start()
    for status, host in ((421, "Host: b.test\r\n"), (400, "")):
        with tls.connect(server.port, "a.test", using=context(ca, clients.good)) as connection:
            connection.sendall(f"GET /x HTTP/1.1\r\n{host}Connection: close\r\n\r\n".encode())
            got, _, answer = tls.Reader(connection).response()
        assert fields(answer) == {} and b"user:good" not in answer and b"SUCCESS" not in answer, answer
        if rule == "Require all granted":
            assert got == 200 and b"X-Verdict: verdict:FAILED" in answer and b"/%d HTTP/1.1" % status in answer, (got, answer)
        else:
            assert got == status and b"X-Verdict" not in answer, (got, answer)


def test_lookups_by_connection_tell_nothing_of_a_trusted_proxy(httpd, ca, clients, tmp_path):
    extra = "TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSTrustedProxy 127.0.0.1\n<Location /asks>\nSetHandler asks\n</Location>"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], start=False,
                   config=f"LoadModule asks_module {third_party.asks(tmp_path)}")
    server.put("ca.pem", clients.ca.pem())
    server.start()
    query = "/asks?@SSL_CLIENT_S_DN&@SSL_CLIENT_VERIFY&SSL_CLIENT_S_DN&@SSL_PROTOCOL"
    for options in ([], sent(clients.ca.issue("visitor", client=True))):
        answer = curl(server.port, query, *clients.good, *options, ca=ca.file)
        dn, verdict, own, protocol = answer.headers["x-asked"].lstrip("=").split(",=")
        assert (dn, verdict, protocol) == ("", "NONE", "TLSv1.3"), answer.headers
        assert own == ("CN=visitor" if options else "")


@pytest.mark.parametrize("engine", ENGINES)
def test_backends_are_told_no_certificates_that_are_not_the_clients_issuers(httpd, ca, clients, backend, tmp_path, engine):
    """A verified client may send whatever it likes behind its own."""
    extra = (f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{word(engine, 'ClientCertHeader')} chain\n"
             f"{word(engine, 'ClientDepth' if engine == 'mod_tls' else 'VerifyDepth')} 3\n"
             f"ProxyPass / http://127.0.0.1:{backend.port}/")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False, modules=("proxy", "proxy_http"))
    server.put("ca.pem", clients.ca.pem())
    server.start()
    pair = clients.ca.intermediate("Between").issue("client", client=True)
    own, between = (certificate.public_bytes(Encoding.PEM) for certificate in (pair.certificate, *pair.chain))
    root, other = clients.ca.pem(), clients.other.pem()
    _, key = pair.write(tmp_path, "client")
    for behind, told in (([between, other], [between]), ([between, root, other], [between, root]), ([between, root], [between, root])):
        sending = tmp_path / "sending.crt"
        sending.write_bytes(own + b"".join(behind))
        answer = curl(server.port, "/", "--cert", str(sending), "--key", str(key), ca=ca.file)
        [listed] = fields(answer.body)["CLIENT_CERT_CHAIN"]
        expected = [ssl.PEM_cert_to_DER_cert(pem.decode()) for pem in told]
        assert [byte_sequence(value) for value in listed.split(", ")] == expected, behind
    sending, key = tmp_path / "direct.crt", clients.good[3]
    with open(clients.good[1], "rb") as good:
        sending.write_bytes(good.read() + other)
    answer = curl(server.port, "/", "--cert", str(sending), "--key", str(key), ca=ca.file)
    assert list(fields(answer.body)) == ["CLIENT_CERT"], answer


@pytest.mark.parametrize("engine", ENGINES)
def test_a_proxy_keeps_its_connection_when_its_visitor_is_refused(httpd, ca, clients, engine):
    """TLSClientRecheck ends connections of those who came themselves, not one that carries the requests of many."""
    extra = (f"{verify(engine, 'optional')}\n{authority(engine, '@HOME@/ca.pem')}\n{word(engine, 'TrustedProxy')} 127.0.0.1\n"
             f"TLSClientRecheck on\n<Location /secret>\n{verify(engine, 'require')}\n</Location>")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False, allow=("TLS051[47]", "AH02039"))
    server.put("ca.pem", clients.ca.pem())
    server.put("docs/a.test/secret", "content")
    server.start()
    with tls.connect(server.port, ca=ca.file) as connection:
        reader = tls.Reader(connection)
        for authority_of, status in ((clients.other, 403), (clients.other, 403), (clients.ca, 200)):
            connection.sendall(tls.request("/secret", headers=(sent(authority_of.issue("visitor", client=True))[1],)))
            got, headers, _ = reader.response()
            assert (got, headers.get("connection", "")) == (status, ""), headers
    server.log.expect("TLS0517")


def test_forward_proxies_tell_strangers_nothing(httpd, ca, clients, backend):
    extra = "TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSClientCertHeader chain\nProxyRequests On"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], start=False, modules=("proxy", "proxy_http"), allow=(REMOVED,))
    server.put("ca.pem", clients.ca.pem())
    server.start()
    using = tls.context(ca.file)
    using.load_cert_chain(clients.good[1], clients.good[3])
    with tls.connect(server.port, using=using) as connection:
        connection.sendall(f"GET http://127.0.0.1:{backend.port}/x HTTP/1.1\r\nHost: 127.0.0.1:{backend.port}\r\nConnection: close\r\n"
                           f"Client-Cert: {FORGED}\r\n\r\n".encode())
        status, _, body = tls.Reader(connection).response()
    assert status == 200 and b"GET /x" in body
    assert fields(body) == {}
