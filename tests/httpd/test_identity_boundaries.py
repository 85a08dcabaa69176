# SPDX-License-Identifier: Apache-2.0
"""Between virtual hosts: sessions and connections that were made for one must not open another."""
import ssl

import pytest
from harness import tls
from harness.clientauth import ENGINES, Clients, authority, verify
from harness.clients import curl
from harness.config import Vhost


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def tickets(engine, on):
    return f"{'TLS' if engine == 'mod_tls' else 'SSL'}SessionTickets {'on' if on else 'off'}"


def cache(engine):
    return f"{'TLS' if engine == 'mod_tls' else 'SSL'}SessionCache shmcb:@HOME@/run/sessions(512000)"


def policy(engine, word):
    return f"TLSHostPolicy {word}" if engine == "mod_tls" else f"SSLVHostSNIPolicy {word}"


def two_hosts(httpd, ca, engine, clients, config="", second="require", pairs=None):
    """a.test trusts one CA, b.test another."""
    first, other = clients.pem(clients.ca, "ca-a"), clients.pem(clients.other, "ca-b")
    pair = ca.issue("a.test", "b.test")
    return httpd([
        Vhost("a.test", [pair], extra=f'{verify(engine, "optional")}\n{authority(engine, str(first))}'),
        Vhost("b.test", [pair], extra=f'{verify(engine, second)}\n{authority(engine, str(other))}'),
    ], engine=engine, modules=("http2", "socache_shmcb"), config="Protocols h2 http/1.1\n" + config)


def presenting(clients, ca, who, version):
    context = tls.context(ca=ca.file, version=version)
    options = getattr(clients, who)
    context.load_cert_chain(options[1], options[3])
    return context


@pytest.mark.parametrize("by", ["tickets", "cache"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_of_one_host_opens_no_other_cve_2025_23048(httpd, ca, clients, engine, version, by):
    server = two_hosts(httpd, ca, engine, clients, cache(engine) + "\n" + tickets(engine, by == "tickets"))
    server.log.allow("TLS040[23]")
    context = presenting(clients, ca, "good", version)
    with tls.connect(server.port, using=context) as connection:
        assert tls.get(connection)[0] == 200
        session = connection.session
    with tls.connect(server.port, using=context, session=session) as connection:
        assert connection.session_reused
        assert tls.get(connection)[0] == 200
    # b.test's CA does not know this client: the full handshake must say so.
    with pytest.raises(OSError):
        with tls.connect(server.port, "b.test", using=context, session=session) as connection:
            tls.get(connection, host="b.test")


@pytest.mark.parametrize("h2", [False, True])
def test_a_connection_of_one_host_serves_no_other_cve_2025_23048(httpd, ca, clients, engine, h2):
    server = two_hosts(httpd, ca, engine, clients)
    answer = curl(server.port, "/", "-H", "Host: b.test", *clients.good, ca=ca.file, h2=h2)
    assert answer.status == 421
    server.log.expect("AH02032.*a.test.*b.test")


@pytest.mark.parametrize("word, same, files, other", [("strict", 421, 421, 421), ("secure", 200, 421, 421),
                                                      ("authonly", 200, 200, 421), ("insecure", 200, 200, 403)])
def test_host_policies(httpd, ca, clients, engine, word, same, files, other):
    """Equal virtual hosts, those that differ in their certificate's file, and those that differ in their clients' CA."""
    server = two_hosts(httpd, ca, engine, clients, policy(engine, word))
    server.log.allow("AH02032|TLS0517")

    def status():
        h1, h2 = (curl(server.port, "/", "-H", "Host: b.test", *clients.good, ca=ca.file, h2=h2) for h2 in (False, True))
        assert (h1.version, h2.version, h1.status) == ("1.1", "2", h2.status)
        return h1.status

    assert status() == other
    first, second = server.vhosts
    second.extra = first.extra
    server.write(vhosts=[first, second])
    server.restart()
    assert status() == files
    names = [server.home / "certs" / f"a.test-0.{kind}" for kind in ("crt", "key")]
    lines = (f"TLSCertificate {names[0]} {names[1]}" if engine == "mod_tls" else
             f"SSLEngine on\nSSLCertificateFile {names[0]}\nSSLCertificateKeyFile {names[1]}")
    second.pairs, second.extra = [], second.extra + "\n" + lines
    server.write(vhosts=[first, second])
    server.restart()
    assert status() == same


def test_a_host_without_sni_is_judged_too(httpd, ca, clients, engine):
    server = two_hosts(httpd, ca, engine, clients)
    context = tls.context()
    with tls.connect(server.port, None, using=context) as connection:
        assert tls.get(connection, host="b.test")[0] == 421
    server.log.expect("AH02032")


def test_a_request_without_host_under_sni_is_bad(httpd, ca, clients, engine):
    server = two_hosts(httpd, ca, engine, clients)
    with tls.connect(server.port, using=tls.context(ca=ca.file)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 400 " in connection.recv(100)
    server.log.expect("AH02031")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_resumed_client_keeps_its_verdict_until_the_rules_change(httpd, ca, clients, engine, version):
    server = two_hosts(httpd, ca, engine, clients)
    server.log.allow("TLS040[23]")
    file = server.home / "docs/a.test/index.html"
    assert file.exists()
    vhosts = server.vhosts
    vhosts[0].extra += '\nHeader always set X-Verify "%{SSL_CLIENT_VERIFY}s"\nHeader always set X-Resumed "%{SSL_SESSION_RESUMED}s"\n' \
                       'Header always set X-Name "%{SSL_CLIENT_S_DN_CN}s"'
    server.write(vhosts=vhosts)
    server.restart()
    context = presenting(clients, ca, "good", version)

    def ask(session=None):
        with tls.connect(server.port, using=context, session=session) as connection:
            _, headers, _ = tls.get(connection)
            return headers["x-resumed"], headers["x-verify"], headers["x-name"], connection.session

    resumed, verdict, name, session = ask()
    assert (resumed, verdict, name) == ("Initial", "SUCCESS", "good")
    resumed, verdict, name, session = ask(session)
    assert (resumed, verdict, name) == ("Resumed", "SUCCESS", "good")
    # Another CA: the old session says nothing any more.
    vhosts[0].extra = vhosts[0].extra.replace("ca-a.pem", "ca-b.pem")
    server.write(vhosts=vhosts)
    server.graceful()
    with pytest.raises((OSError, ssl.SSLError)):
        for _ in range(40):
            if ask(session)[0] == "Initial":
                break
