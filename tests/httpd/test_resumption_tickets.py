"""Sessions resumed by tickets: all of them, by every kind of client, over children and restarts."""
from pathlib import Path

import pytest
from harness.clients import s_client
from harness.config import Vhost
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
def test_clients_that_collect_sessions_by_callback(server, ca, tmp_path: Path, version):
    # s_client writes every session that OpenSSL's new-session callback brings, as curl and others do: a ticket that is
    # renewed in a TLS 1.2 resumption arrives there in a session that cannot be resumed.
    option, kept = {"1.2": "-tls1_2", "1.3": "-tls1_3"}[version], tmp_path / "session"
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"

    def again(*options: str) -> bool:
        return "Reused, TLS" in s_client(server.port, option, "-ign_eof", "-sess_out", str(kept), *options,
                                         send=request, ca=ca.file).text

    assert not again()
    assert [n for n in range(1000) if not again("-sess_in", str(kept))] == []


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
        assert session is None or session.has_ticket == expected
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
