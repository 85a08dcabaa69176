# SPDX-License-Identifier: Apache-2.0
"""Revocation lists that are fetched from distribution points: TLSClientCRL auto, TLSProxyCRL auto."""
import datetime
import resource
from pathlib import Path

import pytest
from cryptography import x509
from harness import h2, tls
from harness.agent import named
from harness.certs import Authority
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.faketime import Clock
from harness.points import BAD_ANSWERS, BAD_LISTS, HOUR, Point, distribution_point, revocation_list
from harness.process import status
from harness.proxies import MODULES
from harness.waiting import wait_until

LOCAL = "TLSFetchLocal on"
REFUSED = ("TLS0704", "TLS0820", "AH0")
ENDLESS = ("silent", "drip")
SECOND = datetime.timedelta(seconds=1)


class World:
    """An authority whose own certificate names its list, as those of many companies do, and two of its clients."""

    def __init__(self, directory, name="/ca.crl"):
        self.directory, self.point, self.path = directory, Point(), name
        self.ca = Authority("Client CA", extensions=[distribution_point(self.point.url(name))])
        (directory / "ca.pem").write_bytes(self.ca.pem())
        self.pairs, self.clients = {}, {}
        for client in ("good", "revoked"):
            self.client(client)
        self.publish()

    def client(self, name):
        pair = self.ca.issue(name, client=True)
        crt, key = pair.write(self.directory, name)
        self.pairs[name], self.clients[name] = pair, ("--cert", str(crt), "--key", str(key))

    def publish(self, *names, **times):
        revoked = [self.pairs[name] for name in names or ("revoked",)]
        self.point.lists[self.path] = revocation_list(self.ca, *revoked, **times)

    def words(self, crl="auto", more=""):
        return f"TLSClientCertificate required\nTLSClientCA {self.directory}/ca.pem\nTLSClientCRL {crl}\n{more}"

    def is_let_in(self, server, client, name="a.test"):
        return curl(server.port, "/", *self.clients[client], name=name).status == 200

    def wait(self, server, client="good", name="a.test", seconds=30):
        wait_until(lambda: self.is_let_in(server, client, name), f"{client} is let in", seconds)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.point.end()


def test_a_list_is_fetched_and_decides(httpd, ca, world):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words())], config=LOCAL, log_level="tls:debug",
                   mpm_settings="StartServers 3\nMinSpareThreads 75\nMaxSpareThreads 200", allow=("TLS0",))
    world.wait(server)
    line = server.log.expect("TLS0819")[0]
    assert world.point.url("/ca.crl") in str(line) and "1 certificates" in str(line)
    for _ in range(20):
        assert world.is_let_in(server, "good") and not world.is_let_in(server, "revoked")
    server.log.expect("certificate is refused: certificate revoked")
    server.graceful()
    for _ in range(5):
        assert world.is_let_in(server, "good") and not world.is_let_in(server, "revoked"), "there from the first one on"
    assert world.point.asked == ["/ca.crl"], "once for all children and for a restart"


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_lists_outlive_a_stop(httpd, ca, world, engine):
    words = world.words()
    if engine == "mod_tls-ssl":
        words = f"SSLVerifyClient require\nSSLCACertificateFile {world.directory}/ca.pem\nTLSClientCRL auto"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine=engine, config=LOCAL, allow=("TLS0",))
    world.wait(server)
    assert not world.is_let_in(server, "revoked")
    kept = wait_until(lambda: list(server.home.rglob("tls-fetched/*.crl")), "a file", 30)
    assert kept[0].read_bytes() == world.point.lists["/ca.crl"] and kept[0].stat().st_mode & 0o077 == 0
    server.stop()
    world.point.how["/ca.crl"] = "status_500"
    server.start()
    assert world.is_let_in(server, "good") and not world.is_let_in(server, "revoked"), "from the first handshake on"
    server.stop()
    kept[0].write_bytes(kept[0].read_bytes()[:-1] + b"\x00")
    server.start()
    assert not world.is_let_in(server, "good") and not world.is_let_in(server, "revoked"), "nobody signed that one"


def test_what_happens_while_none_can_be_had_is_said(httpd, ca, world):
    world.point.how["/ca.crl"] = "status_500"
    hosts = {"a.test": "auto", "deny.test": "auto deny", "allow.test": "auto allow"}
    server = httpd([Vhost(name, [ca.issue(name)], extra=world.words(crl)) for name, crl in hosts.items()], config=LOCAL,
                   allow=("TLS0",))
    server.log.expect("TLS0820.*status 500")
    for name in ("a.test", "deny.test"):
        assert not world.is_let_in(server, "good", name)
    assert world.is_let_in(server, "good", "allow.test") and world.is_let_in(server, "revoked", "allow.test")
    del world.point.how["/ca.crl"]
    world.wait(server, seconds=60)
    for name in hosts:
        assert world.is_let_in(server, "good", name) and not world.is_let_in(server, "revoked", name)


def test_whom_an_old_list_names_stays_out(httpd, ca, world):
    world.publish(end=SECOND * 8)
    world.client("of later")
    server = httpd([Vhost("deny.test", [ca.issue("deny.test")], extra=world.words()),
                    Vhost("allow.test", [ca.issue("allow.test")], extra=world.words("auto allow"))],
                   config=LOCAL, log_level="tls:debug", allow=("TLS0",))
    world.wait(server, name="deny.test")
    world.point.how["/ca.crl"] = "status_500"
    wait_until(lambda: not world.is_let_in(server, "good", "deny.test"), "the end of the list", 30)
    server.log.expect("CRL has expired")
    assert world.is_let_in(server, "good", "allow.test") and not world.is_let_in(server, "revoked", "allow.test")


def test_no_bad_list_is_ever_in_force(httpd, ca, world):
    hows = [*BAD_LISTS, *(how for how in BAD_ANSWERS if how not in ENDLESS), *ENDLESS]
    for how in hows:
        contents = BAD_LISTS.get(how)
        path = f"/{how}.crl"
        world.point.how[path] = how
        if contents is not None:
            is_list = isinstance(contents, dict)
            world.point.lists[path] = revocation_list(world.ca, world.pairs["good"], **contents) if is_list else contents
    plain = Authority("Client CA without a list")
    (world.directory / "plain.pem").write_bytes(plain.pem() + world.ca.pem())
    host = {how: f"{how.replace('_', '-')}.test" for how in hows}
    words = ("TLSClientCertificate required\nTLSClientCA {0}/ca.pem\nTLSClientCRL auto allow {1}")
    # The list that the authority itself names is good: what another address sends changes nothing.
    server = httpd([Vhost(host[how], [ca.issue(host[how])],
                          extra=words.format(world.directory, world.point.url(f"/{how}.crl"))) for how in hows],
                   config=LOCAL, allow=("TLS0",))
    for how in hows:
        world.wait(server, name=host[how])
    wait_until(lambda: {f"/{how}.crl" for how in hows} <= set(world.point.asked), "every question", 60)
    # Those that never end are only given up after a minute.
    for how in hows[:-len(ENDLESS)]:
        server.log.expect(rf"TLS0820.*/{how}\.crl")
    for how in hows:
        assert world.is_let_in(server, "good", host[how]), how
        assert not world.is_let_in(server, "revoked", host[how]), how


def test_the_latest_of_all_counts(httpd, ca, world):
    (world.directory / "old.crl").write_bytes(revocation_list(world.ca, world.pairs["good"], start=-9 * HOUR))
    (world.directory / "new.crl").write_bytes(revocation_list(world.ca, world.pairs["good"], start=HOUR * 0))
    server = httpd([Vhost("old.test", [ca.issue("old.test")], extra=world.words(f"{world.directory}/old.crl auto")),
                    Vhost("new.test", [ca.issue("new.test")], extra=world.words(f"{world.directory}/new.crl auto"))],
                   config=LOCAL, allow=("TLS0",))
    world.wait(server, name="old.test")
    assert not world.is_let_in(server, "revoked", "old.test")
    assert world.is_let_in(server, "revoked", "new.test") and not world.is_let_in(server, "good", "new.test")


@pytest.mark.parametrize("sent", ["another authority's", "a delta", "for authorities only"])
def test_an_address_that_an_authority_names_sends_its_list_alone(httpd, ca, world, sent):
    other = Authority("Another client CA")
    (world.directory / "ca.pem").write_bytes(world.ca.pem() + other.pem())
    scope = dict.fromkeys(("full_name", "relative_name", "only_some_reasons"))
    scope |= dict.fromkeys(("only_contains_user_certs", "indirect_crl", "only_contains_attribute_certs"), False)
    right = world.point.lists["/ca.crl"]
    world.point.lists["/ca.crl"] = {
        "another authority's": lambda: revocation_list(other),
        "a delta": lambda: revocation_list(world.ca, extensions=[x509.CRLNumber(2), x509.DeltaCRLIndicator(1)]),
        "for authorities only": lambda: revocation_list(
            world.ca, extensions=[x509.IssuingDistributionPoint(only_contains_ca_certs=True, **scope)]),
    }[sent]()
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words())], config=LOCAL, allow=("TLS0",))
    server.log.expect("TLS0820.*/ca.crl")
    assert not server.log.matching("TLS0819")
    world.point.lists["/ca.crl"] = right
    world.wait(server, seconds=60)
    assert not world.is_let_in(server, "revoked")


def test_no_list_of_another_authority_takes_the_place_of_one_in_force(httpd, ca, world):
    """Where the administrator names the address, any authority's list may come first, and no other replaces it."""
    other = Authority("Another client CA")
    plain = Authority("Plain client CA")
    (world.directory / "both.pem").write_bytes(plain.pem() + other.pem())
    pairs = {name: plain.issue(name, client=True) for name in ("good", "revoked")}
    for name, pair in pairs.items():
        crt, key = pair.write(world.directory, name)
        world.clients[name] = ("--cert", str(crt), "--key", str(key))
    # It is at half of its life: then it is fetched anew within half a minute.
    world.point.lists["/plain.crl"] = revocation_list(plain, pairs["revoked"], start=-SECOND * 100, end=SECOND * 100)
    words = (f"TLSClientCertificate required\nTLSClientCA {world.directory}/both.pem\n"
             f"TLSClientCRL auto {world.point.url('/plain.crl')}")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], config=LOCAL, allow=("TLS0",))
    world.wait(server)
    world.point.lists["/plain.crl"] = revocation_list(other, start=HOUR * 0)
    server.log.expect("TLS0820.*/plain.crl.*of another issuer", seconds=60)
    assert world.is_let_in(server, "good") and not world.is_let_in(server, "revoked")


def test_where_the_administrator_alone_names_an_address_the_first_list_decides(httpd, ca, world):
    """Of which of the configured authorities lists come from there, until it ends; a stranger's never is in force."""
    plain, other = Authority("Plain client CA"), Authority("Another client CA")
    (world.directory / "both.pem").write_bytes(plain.pem() + other.pem())
    pairs = {name: plain.issue(name, client=True) for name in ("good", "revoked")}
    for name, pair in pairs.items():
        crt, key = pair.write(world.directory, name)
        world.clients[name] = ("--cert", str(crt), "--key", str(key))
    world.point.lists["/plain.crl"] = revocation_list(other, start=-SECOND * 100, end=SECOND * 10)
    words = (f"TLSClientCertificate required\nTLSClientCA {world.directory}/both.pem\n"
             f"TLSClientCRL auto {world.point.url('/plain.crl')}")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], config=LOCAL, log_level="tls:info", allow=("TLS0",))
    server.log.expect("TLS0819.*/plain.crl")
    assert not world.is_let_in(server, "good"), "there is no list of its authority"
    world.point.lists["/plain.crl"] = revocation_list(plain, pairs["revoked"], start=HOUR * 0)
    world.wait(server, seconds=90)
    assert not world.is_let_in(server, "revoked")


def later_world(world):
    """Another authority, whose certificate names another list, and two of its clients."""
    other = Authority("Later client CA", extensions=[distribution_point(world.point.url("/later.crl"))])
    pairs = {name: other.issue(name, client=True) for name in ("later", "later revoked")}
    world.point.lists["/later.crl"] = revocation_list(other, pairs["later revoked"])
    for name, pair in pairs.items():
        crt, key = pair.write(world.directory, name.replace(" ", "-"))
        world.clients[name] = ("--cert", str(crt), "--key", str(key))
    return other


RELOADED = "TLSClientCertificate required\nTLSClientCA certs/clients.pem\nTLSClientCRL auto allow"


def test_lists_of_reloaded_authorities_are_fetched(httpd, ca, world):
    """The parent orders what changed files want, and children judge by those only then."""
    other = later_world(world)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=RELOADED)], config=f"{LOCAL}\nTLSReload 1 all", start=False,
                   mpm_settings=ONE_CHILD, allow=("TLS0",))
    server.put("certs/clients.pem", world.ca.pem())
    server.start()
    wait_until(lambda: not world.is_let_in(server, "revoked"), "the list", 30)
    server.put("certs/clients.pem", world.ca.pem() + other.pem())
    world.wait(server, "later", seconds=60)
    wait_until(lambda: not world.is_let_in(server, "later revoked"), "the other list", 30)
    assert world.is_let_in(server, "good") and not world.is_let_in(server, "revoked")
    server.log.expect("TLS0505.*clients.pem")
    assert not server.log.matching("TLS0508") and world.point.asked.count("/later.crl") == 1
    # The same list from another address.
    moved = Authority("Later client CA", key=other.key, extensions=[distribution_point(world.point.url("/moved.crl"))])
    world.point.lists["/moved.crl"] = world.point.lists["/later.crl"]
    server.put("certs/clients.pem", moved.pem())
    wait_until(lambda: "/moved.crl" in world.point.asked, "the other address to be asked", 60)
    wait_until(lambda: not world.is_let_in(server, "good"), "the other authorities to judge", 60)
    wait_until(lambda: world.is_let_in(server, "later") and not world.is_let_in(server, "later revoked"), "its list", 30)


def test_reloaded_authorities_that_nobody_orders_lists_for_are_judged_without_allow(httpd, ca, world):
    """There is no room for so many lists as changed files name: whoever has none is refused, and a line says so."""
    many = [Authority(f"CA {n}", extensions=[distribution_point(world.point.url(f"/{n}.crl"))]) for n in range(40)]
    crt, key = many[0].issue("of many", client=True).write(world.directory, "of-many")
    world.clients["of many"] = ("--cert", str(crt), "--key", str(key))
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=RELOADED)], config=f"{LOCAL}\nTLSReload 1 all", start=False,
                   mpm_settings=ONE_CHILD, allow=("TLS0",))
    server.put("certs/clients.pem", world.ca.pem())
    server.start()
    wait_until(lambda: not world.is_let_in(server, "revoked"), "the list", 30)
    server.put("certs/clients.pem", world.ca.pem() + b"".join(one.pem() for one in many))
    server.log.expect("TLS0816.*no room for the revocation lists", seconds=60)
    server.log.expect("TLS0508.*clients.pem", seconds=100)
    assert not world.is_let_in(server, "of many") and world.is_let_in(server, "good")


def test_address_space_for_lists_is_taken_only_where_there_is_some(httpd, ca, world):
    """httpd starts with the address space that it needs without lists, and goes without their memory then."""
    words = world.words("none").replace("TLSClientCRL none\n", "")
    plain = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], config=LOCAL)
    assert world.is_let_in(plain, "revoked")
    size = max(status(pid, "VmPeak") for pid in (plain.pid, *plain.children)) << 10
    plain.stop()
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words()), Vhost("free.test", [ca.issue("free.test")])],
                   config=LOCAL, start=False, allow=("TLS0",))
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + (16 << 20), before[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert curl(server.port, "/", name="free.test").status == 200
    server.log.expect("TLS0816.*no memory for revocation lists")
    server.log.expect("TLS0820.*no room")
    assert not world.is_let_in(server, "good")


def test_lists_have_a_memory_only_where_they_are_wanted(httpd, ca, world):
    plain = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words("none").replace("TLSClientCRL none\n", ""))],
                  config=LOCAL)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words())], config=LOCAL, allow=("TLS0",))
    world.wait(server)
    for made, wants in ((plain, False), (server, True)):
        for pid in (made.pid, *made.children):
            assert ("mod_tls lists" in Path(f"/proc/{pid}/maps").read_text()) == wants, pid


def test_a_clock_that_goes_back_keeps_no_file_from_being_looked_at(httpd, ca, world):
    """By a day, while files of lists are looked at every two seconds beside lists that are fetched."""
    clock = Clock()
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words("certs/file.crl auto"))], config=LOCAL, start=False,
                   environment=clock.environment, mpm_settings=ONE_CHILD, allow=("TLS0",))
    del world.point.lists["/ca.crl"]
    server.put("certs/file.crl", revocation_list(world.ca, start=-48 * HOUR, end=48 * HOUR))
    server.start()
    assert world.is_let_in(server, "good") and world.is_let_in(server, "revoked")
    clock.set(-23 * 3600)
    server.put("certs/file.crl", revocation_list(world.ca, world.pairs["revoked"], start=-47 * HOUR, end=48 * HOUR))
    wait_until(lambda: not world.is_let_in(server, "revoked"), "the file to be looked at", 30)
    assert world.is_let_in(server, "good")


def test_an_address_leads_inside_only_where_it_is_allowed(httpd, ca, world):
    plain = Authority("Plain CA")
    (world.directory / "plain.pem").write_bytes(plain.pem())
    world.point.lists["/plain.crl"] = revocation_list(plain)
    crt, key = plain.issue("plain", client=True).write(world.directory, "plain")
    client = ("--cert", str(crt), "--key", str(key))
    words = (f"TLSClientCertificate required\nTLSClientCA {world.directory}/plain.pem\n"
             f"TLSClientCRL auto {world.point.url('/plain.crl')}")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words()),
                    Vhost("named.test", [ca.issue("named.test")], extra=words)], allow=("TLS0",))
    server.log.expect("TLS0820.*TLSFetchLocal on")
    wait_until(lambda: curl(server.port, "/", *client, name="named.test").status == 200, "what is written is asked", 30)
    assert not world.is_let_in(server, "good") and world.point.asked == ["/plain.crl"]


def test_a_list_is_renewed_before_it_ends_and_sessions_of_before_end(httpd, ca, world):
    # It is at half of its life: then it is fetched anew within half a minute.
    world.publish(start=-SECOND * 100, end=SECOND * 100)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words())], config=LOCAL, allow=("TLS0",))
    world.wait(server)
    both = world.directory / "good.both"
    both.write_bytes(world.pairs["good"].combined_pem())
    context = tls.context(version="1.2")
    context.load_cert_chain(both)
    with tls.connect(server.port, "a.test", using=context) as connection:
        session = connection.session
    with tls.connect(server.port, "a.test", using=context, session=session) as connection:
        assert connection.session_reused
    world.publish("good", start=HOUR * 0)
    wait_until(lambda: not world.is_let_in(server, "good"), "the new list", 60)
    with pytest.raises((OSError, EOFError)):
        with tls.connect(server.port, "a.test", using=context, session=session) as connection:
            tls.get(connection, host="a.test")


@pytest.mark.parametrize("word", ["on", "off"])
def test_an_open_connection_of_the_revoked_ends_where_asked(httpd, ca, world, word):
    # It is at half of its life: then it is fetched anew within half a minute.
    world.publish(start=-SECOND * 100, end=SECOND * 100)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words(more=f"TLSClientRecheck {word}"))],
                   config=f"{LOCAL}\nKeepAliveTimeout 100", allow=("TLS0",))
    world.wait(server)
    both = world.directory / "good.both"
    both.write_bytes(world.pairs["good"].combined_pem())
    context = tls.context()
    context.load_cert_chain(both)
    with tls.connect(server.port, "a.test", using=context) as connection:
        assert tls.get(connection, host="a.test")[0] == 200
        world.publish("good", start=HOUR * 0)
        wait_until(lambda: not world.is_let_in(server, "good"), "the new list", 60)
        assert tls.get(connection, host="a.test")[0] == (403 if word == "on" else 200)
        if word == "on":
            server.log.expect("TLS0517.*certificate revoked")
            with pytest.raises((OSError, EOFError)):
                tls.get(connection, host="a.test")


def test_every_stream_of_the_revoked_is_refused_where_asked(httpd, ca, world):
    """HTTP/2: what is under way ends well, and each request that begins later is answered with 403."""
    world.publish(start=-SECOND * 100, end=SECOND * 100)
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=world.words(more="TLSClientRecheck on"))], modules=("http2",),
                   config=f"{LOCAL}\nProtocols h2 http/1.1\nKeepAliveTimeout 100", mpm="event", allow=("TLS0",))
    world.wait(server)
    both = world.directory / "good.both"
    both.write_bytes(world.pairs["good"].combined_pem())
    context = tls.context(alpn=["h2"])
    context.load_cert_chain(both)
    with tls.connect(server.port, "a.test", using=context) as connection:
        assert [h2.get(connection, stream=stream) for stream in (1, 3)] == [200, 200]
        world.publish("good", start=HOUR * 0)
        wait_until(lambda: not world.is_let_in(server, "good"), "the new list", 60)
        assert [h2.get(connection, stream=stream) for stream in (5, 7, 9)] == [403] * 3
    server.log.expect("TLS0517.*certificate revoked")


def test_authorities_without_an_address_are_told(httpd, ca, tmp_path):
    (tmp_path / "plain.pem").write_bytes(Authority("Plain CA").pem())
    words = f"TLSClientCertificate required\nTLSClientCA {tmp_path}/plain.pem\nTLSClientCRL auto"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], allow=("TLS0507",))
    server.log.expect("TLS0507.*names a distribution point")
    assert not named(server.pid, "tls-fetch")


def test_backends_are_looked_up_too(httpd, ca, world, backend):
    far = {}
    for name in ("good", "revoked", "section"):
        world.pairs[name] = world.ca.issue("localhost")
        far[name] = backend(world.pairs[name])
    world.publish("revoked", "section")
    # What a section of mod_proxy wants is known later than all else.
    words = [f"TLSProxyEngine on\nTLSProxyCA {world.directory}/ca.pem\nTLSProxyCRL auto",
             *(f"ProxyPass /{name}/ https://localhost:{one.port}/ retry=0" for name, one in far.items())]
    front = httpd([], config="\n".join([LOCAL, *words]), modules=MODULES, tls_engine=None, ports=("PLAIN",), log_level="tls:debug", allow=REFUSED)
    def status(server, name):
        return curl(server.ports["PLAIN"], f"/{name}/page", scheme="http").status
    assert status(front, "good") == 500, "refused until there is a list"
    wait_until(lambda: status(front, "good") == 200, "a list", 30)
    assert status(front, "revoked") == 500
    front.log.expect("TLS0704.*certificate revoked")
    front.stop()
    words[0] = (f"TLSProxyEngine on\nTLSProxyCA {world.directory}/ca.pem\n<Proxy https://localhost:{far['section'].port}/>\n"
                "TLSProxyEngine on\nTLSProxyCRL auto\n</Proxy>")
    front = httpd([], config="\n".join([LOCAL, *words]), modules=MODULES, tls_engine=None, ports=("PLAIN",), log_level="tls:debug", allow=REFUSED)
    assert status(front, "revoked") == 200, "nothing is looked up there"
    wait_until(lambda: front.log.matching("certificate revoked") or not status(front, "section"), "a list", 30)
    assert status(front, "section") == 500
