# SPDX-License-Identifier: Apache-2.0
"""Every module that makes outgoing connections, beside the real mod_ssl too."""
import socket
import ssl
import struct
import subprocess

import pytest
from harness import tls
from harness.backend import Backend, accept_websocket, read_head, upgrade_request
from harness.certs import Authority
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.paths import MODULES as DIRECTORY, passable
from harness.proxies import FAILURES, MODULES, PLAIN, get
from harness.waiting import wait_until


def front(httpd, config, *modules, **options):
    return httpd([], config=config, modules=(*MODULES, *modules), mpm_settings=ONE_CHILD,
                 **{"log_level": "warn tls:debug", **PLAIN} | options)


# -- balancers and health checks -------------------------------------------------------------------------------------
BALANCER = ("proxy_balancer", "lbmethod_byrequests", "slotmem_shm")


def balancer(members, words="", options=""):
    lines = [f"BalancerMember https://{host}:{far.port} {options}" for host, far in members]
    return "\n".join(["<Proxy balancer://far/>", *lines, words, "</Proxy>", "ProxyPass / balancer://far/"])


def test_members_resume_their_own_sessions(httpd, ca, backend):
    """Behind one name there are two servers, each of which can resume only what it began itself."""
    far = [backend(ca.issue("www.far.test")) for _ in range(2)]
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPreserveHost on\nSetEnv proxy-nokeepalive 1\n" +
                   balancer([("127.0.0.1", one) for one in far]), *BALANCER)
    for _ in range(8):
        assert get(server, "/page", "-H", "Host: www.far.test").status == 200
    for one in far:
        assert [seen["resumed"] for seen in one.seen] == [False, True, True, True]


def test_section_of_a_balancer_rules_its_members(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    good = front(httpd, "TLSProxyEngine on\n" + balancer([("localhost", far)], f"TLSProxyCA {ca.file}"), *BALANCER)
    assert get(good).status == 200
    strict = front(httpd, "TLSProxyEngine on\n" + balancer([("localhost", far)]), *BALANCER, allow=(*FAILURES, "AH10"))
    assert get(strict).status >= 500


def test_health_checks(httpd, ca, backend):
    """mod_proxy_hcheck tells no name, so that its checks look at the authority alone, and send no SNI."""
    good, bad = backend(ca.issue("localhost")), backend(Authority("Somebody").issue("localhost"))
    words = f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyHCExpr ok {{%{{REQUEST_STATUS}} =~ /^2/}}\n"
    server = front(httpd, words + balancer([("localhost", good), ("localhost", bad)],
                                           options="hcmethod=GET hcuri=/health hcinterval=1 hcfails=1 hcexpr=ok"),
                   *BALANCER, "proxy_hcheck", allow=FAILURES)
    wait_until(lambda: server.log.matching(rf"TLS0704: TLS to backend 127\.0\.0\.1:{bad.port} .*local issuer"),
               "the bad member to be found out")
    wait_until(lambda: good.seen, "a check of the good member")
    assert good.named[0] is None
    wait_until(lambda: all(get(server).status == 200 for _ in range(4)), "the bad member to be left alone")


# -- upgraded connections ----------------------------------------------------------------------------------------------
def frame(payload: bytes, mask: bool) -> bytes:
    head = struct.pack("!BBQ", 0x82, 127 | 128 * mask, len(payload))  # RFC 6455 5.2: one binary frame
    return head + (bytes(4) if mask else b"") + payload  # a mask of zeros changes nothing


def echo(context, connection):
    with context.wrap_socket(connection, server_side=True) as secure:
        data = accept_websocket(secure)
        while True:
            if data:
                secure.sendall(data)
            data = secure.recv(65536)
            if not data:
                return


@pytest.mark.parametrize("scheme,words", [("wss", ""), ("https", "upgrade=websocket")])
@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_websocket_frames_of_a_mebibyte(httpd, ca, tmp_path, scheme, words, engine):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ca.issue("localhost").write(tmp_path, "far"))
    far = Backend(lambda connection: echo(context, connection))
    proxy = {"mod_tls": f"TLSProxyEngine on\nTLSProxyCA {ca.file}",
             "mod_tls-ssl": f"SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca.file}"}[engine]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{proxy}\nProxyPass / {scheme}://localhost:{far.port}/ {words}")],
                   modules=(*MODULES, "proxy_wstunnel"), engine=engine)
    with tls.connect(server.port, ca=ca.file) as connection:
        connection.sendall(upgrade_request("/"))
        assert tls.Reader(connection).until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        for size in (1, 1 << 20, 1 << 20):
            sent = frame(bytes(size), mask=True)
            assert tls.duplex(connection, sent, len(sent)) == sent
    far.close()


# -- http/2 --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("h2_backend", [True, False])
@pytest.mark.parametrize("h2_client", [True, False])
def test_each_version_of_http_on_either_side(httpd, ca, h2_backend, h2_client):
    far = httpd([Vhost("localhost", [ca.issue("localhost")], extra="Protocols h2 http/1.1\n"
                       'Header always set X-Far "%{SSL_PROTOCOL}s"')], modules=("http2",), engine="mod_ssl")
    body = bytes(range(256)) * 4096
    far.put("docs/localhost/large", body)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="Protocols h2 http/1.1\n"
                          f"TLSProxyEngine on\nTLSProxyCA {ca.file}\n"
                          f"ProxyPass / {'h2' if h2_backend else 'https'}://localhost:{far.port}/")],
                   modules=MODULES, log_level="warn tls:debug")
    answer = curl(server.port, "/large", ca=ca.file, h2=h2_client)
    assert (answer.version, answer.body) == ("2" if h2_client else "1.1", body)
    assert answer.headers["x-far"] == "TLSv1.3"
    assert server.log.matching(f"TLS0705: .*ALPN {'h2' if h2_backend else 'none'}")


# -- what speaks no TLS -------------------------------------------------------------------------------------------------
def test_fastcgi_is_left_alone(httpd, ca):
    def responder(connection):
        first, kind, length = True, 0, 1
        while kind != 5 or length:  # up to the end of FCGI_STDIN
            head = connection.recv(8, socket.MSG_WAITALL)
            assert not first or head[:2] == b"\x01\x01", "a FastCGI request in the clear"
            _, kind, _, length, padding, _ = struct.unpack("!BBHHBB", head)
            if length + padding:
                connection.recv(length + padding, socket.MSG_WAITALL)
            first = False
        text = b"Content-Type: text/plain\r\n\r\nfast"
        connection.sendall(struct.pack("!BBHHBB", 1, 6, 1, len(text), 0, 0) + text +
                           struct.pack("!BBHHBB", 1, 3, 1, 8, 0, 0) + bytes(8))

    far = Backend(responder)
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / fcgi://127.0.0.1:{far.port}/", "proxy_fcgi")
    for _ in range(5):
        assert get(server).body == b"fast"
    far.close()


def test_plain_backend_beside_a_secure_one(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    plain = Backend(lambda c: (read_head(c), c.sendall(b"HTTP/1.0 200 OK\r\n\r\nplain")))
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass /plain/ http://localhost:{plain.port}/\n"
                   f"ProxyPass / https://localhost:{far.port}/")
    assert get(server, "/plain/x").body == b"plain"
    assert get(server).status == 200
    plain.close()


def test_connect_makes_a_tunnel_and_no_tls_of_its_own(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyRequests on\nAllowCONNECT {far.port}", "proxy_connect")
    done = subprocess.run(["curl", "-sS", "--cacert", str(ca.file), "-p", "-x", f"http://127.0.0.1:{server.ports['PLAIN']}",
                           f"https://localhost:{far.port}/page"], capture_output=True, timeout=60)
    assert done.stdout.startswith(b"/page/page"), done.stderr
    assert not server.log.matching("TLS0705")


def test_ftp_stays_in_the_clear(httpd, ca):
    said = []

    def ftp(connection):
        connection.sendall(b"220 here\r\n")
        said.append(connection.recv(1000))
        connection.sendall(b"530 not for you\r\n")

    far = Backend(ftp)
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyRequests on", "proxy_ftp")
    subprocess.run(["curl", "-sS", "-x", f"http://127.0.0.1:{server.ports['PLAIN']}", f"ftp://127.0.0.1:{far.port}/file"],
                   capture_output=True, timeout=60)
    assert said and said[0].startswith(b"USER anonymous")
    far.close()


# -- the real mod_ssl beside us -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("first", ["mod_ssl", "mod_tls"])
def test_each_engine_has_its_own_connections(httpd, ca, backend, tmp_path, first):
    """Virtual hosts of either engine that proxy by either, whichever is loaded first, and after a restart."""
    far = backend(ca.issue("localhost"))
    crt, key = ca.issue("b.test").write(tmp_path, "b")
    ours = f"TLSProxyEngine on\nTLSProxyCA {ca.file}\n"
    theirs = f"SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca.file}\n"
    target = f"ProxyPass / https://localhost:{far.port}/"

    def host(name, port, tls_words, proxy_words):
        secure = f"SSLEngine on\nSSLCertificateFile {crt}\nSSLCertificateKeyFile {key}\n" if tls_words else ""
        return f"<VirtualHost *:@{port}@>\nServerName {name}\n{secure}{proxy_words}{target}\n</VirtualHost>"

    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=ours + target)], modules=(*MODULES, "socache_shmcb", *(["ssl"] if first == "mod_ssl" else [])),
                   log_level="warn tls:debug ssl:warn", ports=("TLS", "PLAIN", "SSL", "THEIRS"),
                   config="\n".join([f"LoadModule ssl_module {DIRECTORY}/mod_ssl.so" if first == "mod_tls" else "",
                                     host("b.test", "SSL", True, ours), host("c.test", "PLAIN", False, ours),
                                     host("d.test", "THEIRS", False, theirs)]),
                   allow=("AH01882", "AH01873"))
    for restarted in (False, True):
        for port, scheme, name, by_us in [("TLS", "https", "a.test", True), ("SSL", "https", "b.test", True),
                                          ("PLAIN", "http", "c.test", True), ("THEIRS", "http", "d.test", False)]:
            before, made = len(server.log.matching("TLS0705")), len(far.seen)
            assert curl(server.ports[port], "/page", name=name, scheme=scheme).status == 200, name
            assert len(server.log.matching("TLS0705")) == before + by_us, name
            assert len(far.seen) == made + 1
        if not restarted:
            server.graceful()


def test_connection_of_no_module_is_refused(httpd, ca, backend):
    """Without words for TLS to backends neither engine connects, and nothing goes out in the clear."""
    far = backend(ca.issue("localhost"))
    server = front(httpd, f"ProxyPass / https://localhost:{far.port}/",
                   "socache_shmcb", "ssl", allow=(*FAILURES, "AH01882", "AH01873"))
    assert get(server).status >= 500
    assert not far.named


def test_connections_that_the_backend_closed_are_replaced(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / https://localhost:{far.port}/")
    for round_ in range(5):
        assert get(server).status == 200
        assert len(far.seen) == round_ + 1
        far.hang_up()


# -- ways to a backend ---------------------------------------------------------------------------------------------------
def test_through_another_proxy(httpd, ca, backend):
    """ProxyRemote: a tunnel first, in the clear, then TLS inside it with the backend's name."""
    far, stranger = backend(ca.issue("localhost")), backend(Authority("Somebody").issue("localhost"))
    between = front(httpd, f"ProxyRequests on\nAllowCONNECT {far.port} {stranger.port}", "proxy_connect")
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyRemote * http://127.0.0.1:{between.ports['PLAIN']}\n"
                   f"ProxyPass /stranger/ https://localhost:{stranger.port}/\nProxyPass / https://localhost:{far.port}/",
                   allow=FAILURES)
    for number in range(3):
        assert get(server, f"/page{number}").body == b"/page%d" % number * 100
    assert {seen["sni"] for seen in far.seen} == {"localhost"}
    assert get(server, "/stranger/page").status == 500
    server.stop()  # its tunnels end with it, which the other one would wait for


def test_over_a_socket_of_the_file_system(httpd, ca, backend, tmp_path):
    far = backend(ca.issue("localhost"), address=str(tmp_path / "far.sock"))
    (passable(tmp_path) / "far.sock").chmod(0o777)
    server = front(httpd, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / unix:{tmp_path}/far.sock|https://localhost/")
    for number in range(3):
        assert get(server, f"/page{number}").body == b"/page%d" % number * 100
    assert far.seen[0]["sni"] == "localhost"
    assert server.log.matching("TLS0705: ")
