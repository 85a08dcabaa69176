# SPDX-License-Identifier: Apache-2.0
"""The virtual host by SNI: names, aliases, wildcards, addresses, ports, strict or not."""
import pytest
from harness import tls, wire
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.ports import free_port
from harness.wire import Hello


def leaf(ca, mark: str):
    """A certificate whose common name tells the virtual host."""
    return [ca.issue(mark)]

MARKED = ("TLS0202: .* covers",)  # certificates here name the virtual host by a mark, not by what clients ask for


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    return shared_httpd([
        Vhost("a.test", leaf(ca, "a.test"), extra="TLSStrictSNI off"),
        Vhost("b.test", leaf(ca, "b.test"), aliases=("alias.test", "www.alias.test")),
        Vhost("early.test", leaf(ca, "early.test"), aliases=("*.wild.test",)),
        Vhost("www.wild.test", leaf(ca, "www.wild.test")),
        Vhost("x.late.test", leaf(ca, "x.late.test")),
        Vhost("late.test", leaf(ca, "late.test"), aliases=("*.late.test", "f?o.test")),
        Vhost("Upper.Test", leaf(ca, "upper.test")),
    ], allow=(*MARKED, "TLS0114: .*www.wild.test.* is covered by ServerAlias"))


@pytest.mark.parametrize("name,host", [
    ("a.test", "a.test"), ("b.test", "b.test"), ("alias.test", "b.test"), ("www.alias.test", "b.test"),
    ("one.wild.test", "early.test"), ("a.b.wild.test", "early.test"), ("www.wild.test", "early.test"),
    ("x.late.test", "x.late.test"), ("y.late.test", "late.test"), ("foo.test", "late.test"), ("fuo.test", "late.test"),
    ("upper.test", "upper.test"), ("UPPER.TEST", "upper.test"), ("B.Test", "b.test"),
    ("unknown.test", "a.test"), ("wild.test", "a.test"), (None, "a.test"),
])
def test_names(server, name, host):
    assert s_client(server.port, name=name).subject == host


def test_host_and_sni_agree_on_every_name(server):
    for name in ("b.test", "alias.test", "one.wild.test", "www.wild.test", "x.late.test", "y.late.test", "upper.test"):
        with tls.connect(server.port, name) as connection:
            status, headers, _ = tls.get(connection, host=name)
            expected = s_client(server.port, name=name).subject
            assert (status, headers["x-vhost"].lower()) == (200, expected)


def test_no_sni_gets_the_host_that_the_request_names(server):
    """The first virtual host shakes hands; the request is served there."""
    with tls.connect(server.port, None) as connection:
        assert tls.get(connection, host="a.test")[1]["x-vhost"] == "a.test"


@pytest.fixture(scope="module")
def strict(shared_httpd, ca):
    return shared_httpd([Vhost("a.test", leaf(ca, "a.test")), Vhost("b.test", leaf(ca, "b.test"), extra="TLSStrictSNI on")],
                        allow=("the client closed the connection",))


def test_strict_is_the_default_and_an_unknown_name_gets_an_alert(strict):
    for versions in ([0x0304], None):
        reply = wire.exchange(strict.port, Hello("unknown.test", versions=versions).record())
        assert reply.alerts == ["unrecognized_name"]
        strict.log.expect("unknown.test")


def test_strict_serves_known_names_and_clients_without_sni(strict):
    assert s_client(strict.port, name="b.test").subject == "b.test"
    assert s_client(strict.port, name=None).subject == "a.test"


def test_strict_is_inherited_and_overridden(httpd, ca):
    """The setting of the base server counts for a virtual host that does not say otherwise."""
    server = httpd([Vhost("a.test", leaf(ca, "a.test"))], config="TLSStrictSNI off")
    assert s_client(server.port, name="unknown.test").subject == "a.test"
    server.write([Vhost("a.test", leaf(ca, "a.test"), extra="TLSStrictSNI on")])
    server.graceful()
    assert wire.exchange(server.port, Hello("unknown.test").record()).alerts == ["unrecognized_name"]
    server.log.expect("unknown.test")


def test_an_address_in_sni_is_no_name(strict):
    """RFC 6066 section 3: literal addresses are not permitted; such a client is one without SNI."""
    reply = wire.first_flight(strict.port, Hello("127.0.0.1").record())
    assert reply.server_hello and not reply.alerts
    strict.log.allow("TLS04")


def test_ports_and_addresses_have_hosts_of_their_own(httpd, ca):
    other = free_port()
    server = httpd([
        Vhost("a.test", leaf(ca, "any-a.test"), address="*:@TLS@"),
        Vhost("a.test", leaf(ca, "other-a.test"), address="*:@OTHER@"),
        Vhost("a.test", leaf(ca, "addr-a.test"), address=f"127.0.0.2:{other}"),
        Vhost("b.test", leaf(ca, "addr-b.test"), address=f"127.0.0.2:{other}"),
        Vhost("b.test", leaf(ca, "star-b.test"), address=f"*:{other}"),
    ], ports=("TLS", "OTHER", "PLAIN"), listen=(f"127.0.0.2:{other}", f"127.0.0.3:{other}"), tls_engine=None,
        config=f"TLSEngine @TLS@\nTLSEngine @OTHER@\nTLSEngine {other}", allow=MARKED)
    for vhost, number in [(0, "TLS"), (1, "OTHER")]:
        assert s_client(server.ports[number]).subject == ["any-a.test", "other-a.test"][vhost]
    for address, name, subject in [("127.0.0.2", "a.test", "addr-a.test"), ("127.0.0.2", "b.test", "addr-b.test"),
                                   ("127.0.0.3", "b.test", "star-b.test")]:
        assert s_client(other, "-connect", f"{address}:{other}", name=name).subject == subject
    assert curl(server.plain_port, scheme="http").status == 200


def test_the_address_of_tls_engine_counts(httpd, ca):
    port = free_port("127.0.0.2")
    server = httpd([Vhost("a.test", leaf(ca, "a.test"), address=f"127.0.0.2:{port}"),
                    Vhost("p.test", tls=False, address=f"127.0.0.3:{port}")],
                   listen=(f"127.0.0.2:{port}", f"127.0.0.3:{port}"), ports=("PLAIN",), tls_engine=f"127.0.0.2:{port}")
    assert s_client(port, "-connect", f"127.0.0.2:{port}").subject == "a.test"
    assert curl(port, "/", "-H", "Host: p.test", name="127.0.0.3", scheme="http").body == b"p.test\n"


def test_addresses_of_version_6_and_those_mapped_into_it(httpd, ca):
    """A socket for all addresses takes IPv4 too and shows it in the form ::ffff:127.0.0.1; TLSEngine means the same."""
    both, split = free_port(), free_port()
    server = httpd([Vhost("a.test", leaf(ca, "a.test"), address=f"127.0.0.1:{both} [::1]:{both}"),
                    Vhost("six.test", leaf(ca, "six.test"), address=f"[::1]:{split}"),
                    Vhost("plain.test", tls=False, address=f"127.0.0.1:{split}")],
                   listen=(f"[::]:{both}", f"[::]:{split}"), ports=("PLAIN",), tls_engine=f"127.0.0.1:{both}",
                   config=f"TLSEngine [::1]:{both} [::1]:{split}")
    for address, name in ((f"127.0.0.1:{both}", "a.test"), (f"[::1]:{both}", "a.test"), (f"[::1]:{split}", "six.test")):
        assert s_client(both, "-connect", address, name=name).subject == name
    assert curl(split, "/", name="127.0.0.1", scheme="http").body == b"plain.test\n"


def test_tls_engine_on_and_off_in_a_virtual_host(httpd, ca):
    server = httpd([Vhost("a.test", leaf(ca, "a.test"), extra="TLSEngine on"),
                    Vhost("p.test", tls=False, address="*:@PLAIN@", extra="TLSEngine off")], tls_engine=None)
    assert s_client(server.port).subject == "a.test"
    assert curl(server.plain_port, name="p.test", scheme="http").body == b"p.test\n"


def test_virtual_hosts_without_words_of_their_own_are_told_apart(httpd, ca):
    """All they have is inherited, and yet one speaks TLS and the other, on another port, does not."""
    server = httpd([], start=False)
    ca.issue("a.test", "base.test").write(server.home / "certs", "all")
    hosts = [Vhost("a.test"), Vhost("p.test", tls=False, address="*:@PLAIN@")]
    for order in (hosts, hosts[::-1]):
        server.write(order, config="TLSCertificate certs/all.crt certs/all.key")
        server.restart() if server.running() else server.start()
        assert curl(server.port, ca=ca.file).body == b"a.test\n"
        assert curl(server.plain_port, name="p.test", scheme="http").body == b"p.test\n"


@pytest.mark.parametrize("asks,status", [("", 200), ("SSLVerifyClient require", 421), ("SSLVerifyClient optional_no_ca", 421)])
def test_a_host_without_tls_beside_one_with_it_is_served_where_it_asks_for_no_certificate(httpd, ca, asks, status):
    """mod_ssl serves it in all three cases, and asks nobody."""
    hosts = [Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", tls=False, extra=f"SSLCACertificateFile {ca.file}\n{asks}")]
    server = httpd(hosts, engine="mod_tls-ssl", allow=("TLS0114", "AH02032"))
    assert curl(server.port, "/", "-k", name="b.test").status == status
