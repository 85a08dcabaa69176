# SPDX-License-Identifier: Apache-2.0
"""Sessions resumed by tickets: all of them, by every kind of client, over children and restarts."""
import pytest
from harness.clients import s_client
from harness.config import Vhost
from harness.libssl import CallbackClient
from harness.resumption import TWO_CHILDREN, resumed, visit
from harness.tls import context

VERSIONS = ("1.2", "1.3")


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    return shared_httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], mpm_settings=TWO_CHILDREN)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("keep", ["first", "newest"])
def test_every_connection_is_resumed(server, ca, version, keep):
    assert resumed(server.port, context(ca.file, version=version), 1000, keep) == 1000


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_that_collect_sessions_by_callback(server, version):
    # A new ticket in a TLS 1.2 resumption makes OpenSSL give up the session it has, without calling back for the new
    # one: every second connection would be a full handshake.
    client = CallbackClient(version)
    assert [client.visit(server.port) for _ in range(1001)] == [False] + [True] * 1000
    client.close()


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_survive_restarts(httpd, ca, mpm, version):
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], mpm=mpm)
    using = context(ca.file, version=version)
    _, session = visit(server.port, using)
    for again in (server.graceful, server.restart, server.graceful, server.graceful):
        again()
        reused, session = visit(server.port, using, session)
        assert reused, f"after {again.__name__}"


def test_every_connection_is_resumed_while_the_server_restarts(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], mpm_settings=TWO_CHILDREN)
    using = context(ca.file, version="1.3")
    _, session = visit(server.port, using)
    count = 0
    for _ in range(4):
        for _ in range(50):
            reused, session = visit(server.port, using, session)
            count += reused
        server.graceful()
    assert count == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stop_forgets_all_sessions(httpd, ca, version):
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])])
    using = context(ca.file, version=version)
    _, session = visit(server.port, using)
    server.stop()
    server.start()
    reused, session = visit(server.port, using, session)
    assert not reused
    assert visit(server.port, using, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_can_be_turned_off(httpd, ca, version):
    vhosts = [Vhost(f"{name}.test", [ca.issue(f"{name}.test", kind="p256")], extra=extra)
              for name, extra in (("a", ""), ("b", "TLSSessionTickets on"))]
    server = httpd(vhosts, config="TLSSessionTickets off")
    for name, expected in (("a", False), ("b", True)):
        using = context(ca.file, version=version)
        _, session = visit(server.port, using, name=f"{name}.test")
        assert (session is not None and session.has_ticket) == expected
        assert visit(server.port, using, session, name=f"{name}.test")[0] == expected


@pytest.mark.parametrize("count", [0, 1, 2, 8])
def test_number_of_tickets(httpd, ca, count):
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], config=f"TLSSessionTicketCount {count}")
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    said = s_client(server.port, "-tls1_3", "-ign_eof", send=request, ca=ca.file).text
    assert said.count("Post-Handshake New Session Ticket arrived") == count


@pytest.mark.parametrize("version, expected", [("1.3", 7200), ("1.2", 1800)])
def test_lifetime_is_told_to_the_client(httpd, ca, version, expected):
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], config="TLSSessionLifetime 2h 30min")
    _, session = visit(server.port, context(ca.file, version=version))
    assert session.ticket_lifetime_hint == expected


def test_defaults_of_lifetimes(server, ca):
    for version, expected in (("1.3", 43_200), ("1.2", 3_600)):
        _, session = visit(server.port, context(ca.file, version=version))
        assert session.ticket_lifetime_hint == expected


def test_lifetime_where_tls13_is_on_and_has_no_suite(httpd, ca):
    """The client offers TLS 1.3 and gets 1.2: its session lives as one of TLS 1.2."""
    suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], config=f"TLSCiphersSuppress {suites}",
                   allow=("no cipher suite is left for TLSv1.3",))
    _, session = visit(server.port, context(ca.file))
    assert session.ticket_lifetime_hint == 3_600


def test_no_early_data(server, ca, tmp_path):
    # A recorded request could be sent again by anybody: tickets do not invite clients to send any early.
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(request)
    said = s_client(server.port, "-tls1_3", "-ign_eof", "-sess_out", str(session), send=request, ca=ca.file).text
    assert "Max Early Data: 0" in said
    said = s_client(server.port, "-tls1_3", "-ign_eof", "-sess_in", str(session), "-early_data", str(early), ca=ca.file,
                    send=request).text
    assert "Reused, TLSv1.3" in said and "Early data was accepted" not in said
