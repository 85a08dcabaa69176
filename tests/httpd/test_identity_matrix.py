# SPDX-License-Identifier: Apache-2.0
"""Verified clients over everything that carries them: TLS 1.2 and 1.3, h1 and h2, tickets and session ids, all MPMs."""
from itertools import product

import pytest
from harness import h2, tls
from harness.clientauth import Clients, authority, verify
from harness.config import Vhost
from harness.waiting import wait_until

PAGES = ["/page", "/verified", "/other"]
# Which vocabulary each MPM is tried with.
ENGINE = {"event": "mod_tls", "worker": "mod_tls-ssl", "prefork": "mod_tls-ssl"}


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module", params=list(ENGINE))
def server(request, shared_httpd, ca, clients):
    engine = ENGINE[request.param]
    words = "TLS" if engine == "mod_tls" else "SSL"
    vhosts = [Vhost(f"{how}.test", [ca.issue(f"{how}.test")], extra=f"""{verify(engine, "optional")}
{authority(engine, "@HOME@/ca.pem")}
{words}SessionTickets {"on" if how == "tickets" else "off"}
<Location /other>
{verify(engine, "require")}
{authority(engine, "@HOME@/other.pem")}
</Location>
<Location /verified>
Require ssl-verify-client
</Location>""") for how in ("tickets", "ids")]
    made = shared_httpd(vhosts, engine=engine, mpm=request.param, modules=("http2", "socache_shmcb"), start=False, config=f"""
{words}SessionCache shmcb:@HOME@/run/sessions(512000)
Protocols h2 http/1.1
H2Push off
CustomLog @HOME@/who.log "%U %s %{{SSL_CLIENT_VERIFY}}x %{{SSL_CLIENT_S_DN_CN}}x %{{SSL_SESSION_RESUMED}}x %H %{{SSL_PROTOCOL}}x"
""", allow=("AH01630", "TLS0514", "TLS0517", "AH10034"))
    made.put("ca.pem", clients.ca.pem())
    made.put("other.pem", clients.other.pem())
    for how in ("tickets", "ids"):
        for page in PAGES:
            made.put(f"docs/{how}.test{page}", "page")
    return made.start()


def visit(server, name, context, session):
    """Asks for all pages on one connection; statuses and the session that it left."""
    with tls.connect(server.port, name, using=context, session=session) as connection:
        over_h2 = connection.selected_alpn_protocol() == "h2"
        statuses = [h2.get(connection, path, name, 2 * i + 1) if over_h2 else tls.get(connection, path, name)[0]
                    for i, path in enumerate(PAGES)]
        return statuses, connection.session


REFUSED = "FAILED:unable to get local issuer certificate -"


@pytest.mark.parametrize("who, statuses, verdicts", [("good", [200, 200, 403], ["SUCCESS good", "SUCCESS good", REFUSED]),
                                                     (None, [200, 403, 403], ["NONE -"] * 3)])
def test_a_verdict_lives_with_its_session(server, ca, clients, who, statuses, verdicts):
    protocols = ["http/1.1"] if server.mpm == "prefork" else ["http/1.1", "h2"]
    for name, version, protocol in product(["tickets.test", "ids.test"], ["1.2", "1.3"], protocols):
        context = tls.context(ca=ca.file, version=version, alpn=[protocol])
        if who:
            context.load_cert_chain(getattr(clients, who)[1], getattr(clients, who)[3])
        log = server.home / "who.log"
        before = len(log.read_text().splitlines()) if log.exists() else 0
        session = None
        for _ in range(2):
            got, session = visit(server, name, context, session)
            assert got == statuses, (name, version, protocol)
        lines = wait_until(lambda: (found := log.read_text().splitlines()[before:]) and len(found) >= 6 and found, "six lines")
        spoken = "HTTP/2.0" if protocol == "h2" else "HTTP/1.1"
        assert sorted(lines) == sorted(
            f"{path} {status} {verdict} {resumed} {spoken} TLSv{version}"
            for path, status, verdict in zip(PAGES, statuses, verdicts) for resumed in ("Initial", "Resumed"))
