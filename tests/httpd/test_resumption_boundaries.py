# SPDX-License-Identifier: Apache-2.0
"""What a session may be resumed for, and what not."""
from dataclasses import dataclass
from itertools import product

import pytest
from harness.config import Vhost
from harness.resumption import visit
from harness.tls import context

FULL, RESUMED = False, True
TICKETS = {"ticket": "TLSSessionTickets on\nTLSSessionCache none",
           "id": "TLSSessionTickets off\nTLSSessionCache shmcb:@HOME@/run/sessions(512000)"}


@dataclass
class Case:
    """A session of a.test on the port TLS is offered to `name` on `port`, perhaps after the server was changed."""

    what: str
    expected: bool
    port: str = "TLS"
    first: str | None = "a.test"
    name: str | None = "a.test"
    b: str = ""                  # configuration of the virtual hosts on the port OTHER
    change: str | None = None    # added to a.test before a graceful restart
    other_certificate: bool = False
    by_id: bool | None = None    # what is expected of session ids, where that is another answer


CASES = [
    Case("same virtual host", RESUMED),
    Case("another name, same policy", FULL, name="b.test"),
    Case("a session of another name", FULL, first="b.test"),
    Case("same name, same policy, another port", FULL, port="OTHER"),
    Case("same name, another policy: groups", FULL, port="OTHER", b="TLSGroups X25519"),
    Case("same name, another policy: suites", FULL, port="OTHER", b="TLSCiphersSuppress TLS_CHACHA20_POLY1305_SHA256"),
    Case("same name, another policy: lifetime", FULL, port="OTHER", b="TLSSessionLifetime 600"),
    Case("no SNI, same virtual host", RESUMED, first=None, name=None),
    Case("no SNI, two addresses, same policy, other certificates", FULL, first=None, name=None, port="OTHER"),
    Case("SNI first, none then", FULL, name=None),
    Case("no SNI first, then one", FULL, first=None),
    # httpd makes a cache anew with each configuration, so no id survives a restart; as with mod_ssl
    Case("graceful restart, nothing changed", RESUMED, change="", by_id=FULL),
    Case("graceful restart, another certificate", RESUMED, change="", other_certificate=True, by_id=FULL),
    Case("graceful restart, groups changed", FULL, change="TLSGroups X25519 P-256"),
    Case("graceful restart, suites changed", FULL, change="TLSHonorClientOrder on"),
    Case("graceful restart, shorter lifetime", FULL, change="TLSSessionLifetime 60"),
    Case("graceful restart, resumption turned off", FULL, change="TLSSessionTickets off"),
]


@pytest.fixture(scope="module")
def pairs(ca):
    return {(name, kind): ca.issue(name, kind=kind) for name, kind in
            product(["a.test", "b.test", "c.test"], ["p256", "p384"])}


def hosts(pairs, case: Case, change: str = "", kind: str = "p256") -> list[Vhost]:
    on_other = {"address": "*:@OTHER@", "extra": case.b}
    return [Vhost("a.test", [pairs["a.test", kind]], extra=change), Vhost("b.test", [pairs["b.test", "p256"]]),
            Vhost("c.test", [pairs["c.test", "p256"]], **on_other)
            if case.first is None else Vhost("a.test", [pairs["a.test", "p384"]], **on_other)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
@pytest.mark.parametrize("how", TICKETS)
def test_boundaries(httpd, ca, pairs, how, case):
    server = httpd(hosts(pairs, case), config=TICKETS[how] + "\nProtocols h2 http/1.1",
                   modules=("http2", "socache_shmcb"), ports=("TLS", "OTHER"), tls_engine="@TLS@ @OTHER@")
    expected = case.expected if how == "ticket" or case.by_id is None else case.by_id
    offers = {}
    for version, alpn in product(["1.2", "1.3"], ["h1", "h2"]):
        using = context(None, alpn=["h2"] if alpn == "h2" else ["http/1.1"], version=version)
        _, session = visit(server.port, using, name=case.first)
        assert session is not None, f"{version} {alpn}: the server gave a session"
        offers[version, alpn] = using, session
    if case.change is not None:
        server.write(hosts(pairs, case, case.change, "p384" if case.other_certificate else "p256"))
        server.graceful()
    for (version, alpn), (using, session) in offers.items():
        reused, _ = visit(server.ports[case.port], using, session, name=case.name)
        assert reused == expected, f"{version} {alpn}"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_without_a_name_the_address_counts(httpd, ca, pairs, version):
    # Two virtual hosts of one name on two addresses: nothing but the address tells them apart.
    vhosts = [Vhost("a.test", [pairs["a.test", kind]], address=f"{address}:@TLS@")
              for address, kind in (("127.0.0.1", "p256"), ("127.0.0.2", "p384"))]
    server = httpd(vhosts, ports=("TLS",), listen=("127.0.0.2:@TLS@",))
    using = context(version=version)
    _, session = visit(server.port, using, name=None)
    assert visit(server.port, using, session, name=None)[0] == RESUMED
    assert visit(server.port, using, session, name=None, address="127.0.0.2")[0] == FULL
