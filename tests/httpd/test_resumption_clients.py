# SPDX-License-Identifier: Apache-2.0
"""Sessions of clients with certificates: resumed while the judgement holds, and no longer."""
import ssl
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from cryptography import x509
from harness.certs import now
from harness.clientauth import ENGINES, Clients, authority, revocation_list, verify
from harness.config import ONE_CHILD, Vhost
from harness.faketime import Clock
from harness.resumption import visit
from harness.tls import context
from harness.waiting import wait_until

FULL, RESUMED, REFUSED = False, True, "refused"
CACHES = {("mod_tls", "ticket"): "", ("mod_tls-ssl", "ticket"): "",
          ("mod_tls", "id"): "TLSSessionTickets off\nTLSSessionCache shmcb:@HOME@/run/sessions(512000)",
          ("mod_tls-ssl", "id"): "SSLSessionTickets off\nSSLSessionCache shmcb:@HOME@/run/sessions(512000)"}


@dataclass
class Case:
    """What the virtual host on the port OTHER asks for, where a session of the port TLS is offered."""

    what: str
    expected: bool | str
    ca: str = "first"
    mode: str = "require"
    crl: bool = False
    port: str = "OTHER"


CASES = [
    Case("same virtual host", RESUMED, port="TLS"),
    Case("another authority", REFUSED, ca="second"),
    Case("both authorities", FULL, ca="both"),
    Case("the same, but optional", FULL, mode="optional"),
    Case("no certificate asked for", FULL, mode="none"),
    Case("a revocation list with the client", REFUSED, crl=True),
]


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


def client(ca, pair_files, version: str, alpn: str) -> ssl.SSLContext:
    using = context(ca.file, alpn=["h2"] if alpn == "h2" else ["http/1.1"], version=version)
    using.load_cert_chain(pair_files[1], pair_files[3])
    return using


def asks(engine: str, case: Case, home, clients) -> str:
    """Directives of a virtual host; the files they name are written to `home`."""
    pems = {"first": clients.ca.pem(), "second": clients.other.pem(), "both": clients.ca.pem() + clients.other.pem()}
    file = home / f"ca-{case.ca}.pem"
    file.write_bytes(pems[case.ca])
    lines = [verify(engine, case.mode), authority(engine, str(file))]
    if case.crl:
        revoked = home / "list.pem"
        good = clients.directory / "good.crt"
        revoked.write_bytes(revocation_list(clients.ca, x509.load_pem_x509_certificate(good.read_bytes())))
        prefix = "TLSClientCRL" if engine == "mod_tls" else "SSLCARevocationCheck leaf\nSSLCARevocationFile"
        lines.append(f"{prefix} {revoked}")
    return "\n".join(lines)


def outcome(port: int, using: ssl.SSLContext, session) -> bool | str:
    try:
        return visit(port, using, session)[0]
    except OSError:
        return REFUSED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
@pytest.mark.parametrize("how", ["ticket", "id"])
@pytest.mark.parametrize("engine", ENGINES)
def test_judgements_are_not_carried_over(httpd, ca, clients, tmp_path, engine, how, case):
    pair = ca.issue("a.test", kind="p256")
    here = asks(engine, CASES[0], tmp_path, clients)
    vhosts = [Vhost("a.test", [pair], extra=here),
              Vhost("a.test", [pair], address="*:@OTHER@", extra=asks(engine, case, tmp_path, clients))]
    server = httpd(vhosts, engine=engine, config=CACHES[engine, how] + "\nProtocols h2 http/1.1",
                   modules=("http2", "socache_shmcb"), ports=("TLS", "OTHER"), tls_engine="@TLS@ @OTHER@")
    server.log.allow("TLS040[23]", "TLS0114: .* authorities of clients are named, but nobody is asked")
    for version, alpn in product(["1.2", "1.3"], ["h1", "h2"]):
        using = client(ca, clients.good, version, alpn)
        _, session = visit(server.port, using)
        assert outcome(server.ports[case.port], using, session) == case.expected, f"{version} {alpn}"


@pytest.mark.parametrize("change", ["another authority in the same file", "a revocation list"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_changes_of_files_count_after_a_graceful_restart(httpd, ca, clients, tmp_path, version, change):
    pair = ca.issue("a.test", kind="p256")
    server = httpd([Vhost("a.test", [pair], extra=asks("mod_tls", CASES[0], tmp_path, clients))])
    server.log.allow("TLS040[23]")
    using = client(ca, clients.good, version, "h1")
    _, session = visit(server.port, using)
    server.graceful()
    assert visit(server.port, using, session)[0] == RESUMED, "nothing changed"
    if change == "a revocation list":
        server.write([Vhost("a.test", [pair], extra=asks("mod_tls", CASES[-1], tmp_path, clients))])
    else:
        (tmp_path / "ca-first.pem").write_bytes(clients.other.pem())
    server.graceful()
    assert outcome(server.port, using, session) == REFUSED


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_certificate_revoked_while_the_server_runs(httpd, ca, clients, version):
    good = x509.load_pem_x509_certificate((clients.directory / "good.crt").read_bytes())
    extra = (f"{verify('mod_tls', 'require')}\n{authority('mod_tls', str(clients.pem(clients.ca, 'live')))}\n"
             "TLSClientCRL @HOME@/list.pem")
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")], extra=extra)], mpm_settings=ONE_CHILD, start=False)
    lists = server.put("list.pem", revocation_list(clients.ca))
    server.start()
    server.log.allow("TLS040[23]", "AH02039", "AH02008")
    using = client(ca, clients.good, version, "h1")
    _, session = visit(server.port, using)
    assert outcome(server.port, using, session) == RESUMED
    lists.write_bytes(revocation_list(clients.ca, good))
    wait_until(lambda: outcome(server.port, using, None) == REFUSED, "the new list to be read")
    assert outcome(server.port, using, session) == REFUSED


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_certificate_that_expires(httpd, ca, clients, tmp_path, version):
    clock = Clock()
    soon = clients.write("soon", clients.ca.issue("soon", client=True, end=now() + timedelta(seconds=120)))
    pair = ca.issue("a.test", kind="p256")
    server = httpd([Vhost("a.test", [pair], extra=asks("mod_tls", CASES[0], tmp_path, clients))],
                   environment=clock.environment)
    server.log.allow("TLS040[23]")
    using = client(ca, soon, version, "h1")
    _, session = visit(server.port, using)
    assert visit(server.port, using, session)[0] == RESUMED
    clock.set(180)
    assert outcome(server.port, using, session) == REFUSED


@pytest.mark.parametrize("words, seconds", [("", 300), ("TLSSessionLifetime 1h", 3600)])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_sessions_are_short_unless_written_otherwise(httpd, ca, clients, tmp_path, version, words, seconds):
    clock = Clock()
    pair = ca.issue("a.test", kind="p256")
    extra = asks("mod_tls", CASES[0], tmp_path, clients) + "\n" + words
    server = httpd([Vhost("a.test", [pair], extra=extra)], environment=clock.environment)
    using = client(ca, clients.good, version, "h1")
    _, session = visit(server.port, using)
    assert session.ticket_lifetime_hint == seconds
    clock.set(seconds - 30)
    assert visit(server.port, using, session)[0] == RESUMED
    clock.set(seconds)
    assert visit(server.port, using, session)[0] == FULL
