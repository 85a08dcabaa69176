# SPDX-License-Identifier: Apache-2.0
"""Limits for floods: who asks for more handshakes than there may be is turned away before any of it costs something."""
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest
from harness import ech, metrics, process, tls
from harness.clients import s_client
from harness.config import ONE_CHILD, Vhost
from harness.metrics import from_json, get, prometheus, series, wait_for
from harness.resumption import TWO_CHILDREN
from harness.waiting import wait_until
from harness.wire import Hello

# A server hello begins like this, and a refusal is this.
SERVER_HELLO, REFUSAL = b"\x16\x03\x03", b"\x15\x03\x03\x00\x02\x02\x50"
MODULES = ("status", "authz_host")
OTHER = "127.0.0.2"


@pytest.fixture
def make(httpd, ca):
    def make(config: str, *, pairs=None, **options):
        server = httpd([Vhost("a.test", pairs or [ca.issue("a.test")])], config=f"{metrics.LOCATIONS}\n{config}",
                       **{"modules": MODULES, "mpm_settings": ONE_CHILD, **options})
        server.log.allow("TLS0402|TLS0403|TLS0415|AH00484|AH00286|AH00161")
        return server
    return make


def connect(server, source: str = "127.0.0.1", port: int | None = None) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port or server.port), 30, source_address=(source, 0))


def answers(server, hellos: list[bytes], source: str = "127.0.0.1") -> list[bytes]:
    """What all of these get, sent at once: the first octets of each answer."""
    with contextlib.ExitStack() as stack:
        open_ = [stack.enter_context(connect(server, source)) for _ in hellos]
        for connection, hello in zip(open_, hellos):
            connection.sendall(hello)
        return [connection.recv(len(REFUSAL)) for connection in open_]


def refused(server, count: int = 40, source: str = "127.0.0.1", name: str = "a.test") -> int:
    """Empties the bucket of an address by a burst of full handshakes; how many were refused."""
    said = answers(server, [Hello(name).record() for _ in range(count)], source)
    assert all(answer == REFUSAL or answer.startswith(SERVER_HELLO) for answer in said), said
    return said.count(REFUSAL)


def begin(stack: contextlib.ExitStack, server, source: str = "127.0.0.1", before: bytes = b"") -> socket.socket:
    """A client that has said half a hello: httpd's listener waits for the first octet (AcceptFilter)."""
    connection = stack.enter_context(connect(server, source))
    connection.sendall(before + Hello().record()[:20])
    return connection


def is_refused(connection: socket.socket) -> bool:
    connection.settimeout(2)
    try:
        return connection.recv(16) == REFUSAL
    except TimeoutError:
        return False


def is_turned_away(server, source: str = "127.0.0.1") -> bool:
    """Whether a handshake cannot begin."""
    with contextlib.ExitStack() as stack:
        return is_refused(begin(stack, server, source))


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
@pytest.mark.parametrize("scope", ["address", "child", "server"])
def test_full_handshakes_a_second(make, scope, engine):
    server = make(f"TLSHandshakeRate {scope}:2", engine=engine)
    none = refused(server)
    assert 0 < none <= 38
    if scope == "address":
        assert answers(server, [Hello().record()], OTHER)[0].startswith(SERVER_HELLO), "another address has its own"
    found = wait_for(server, "handshakes_limited_total", none, limit=f"{scope}_rate")
    assert found[series("handshakes_limited_total", limit=f"{scope}_rate")] == none
    assert found[series("handshake_failures_total", reason="limit")] == none
    assert found[series("alerts_sent_total", alert="internal_error")] == none
    signed = found[series("signatures_total", key="ecdsa", result="made")]
    assert signed == 40 - none + (scope == "address"), "nothing was signed for those that were refused"
    [line] = server.log.expect(f"TLS0415: .*: {none} by TLSHandshakeRate {scope} since")
    assert line.level == "warn"


def test_a_hello_that_is_refused_takes_nobodys_place(make):
    server = make("TLSHandshakeRate server:1")
    time.sleep(1.1)                                             # the bucket is full
    too_many = Hello(more=[(0x7000 + number, b"") for number in range(200)]).record()
    assert {answer[5:] for answer in answers(server, [too_many] * 40)} == {b"\x02\x2f"}, "illegal_parameter"
    assert answers(server, [Hello().record()])[0].startswith(SERVER_HELLO)


def test_whoever_comes_again_with_a_session_is_let_in(make, mpm):
    server = make("TLSHandshakeRate server:1", mpm=mpm,
                  mpm_settings=ONE_CHILD if mpm != "prefork" else "ServerLimit 1\nStartServers 1\nMaxRequestWorkers 1")
    for version in ("1.2", "1.3"):
        using = tls.context(version=version)
        while True:
            with contextlib.suppress(ssl.SSLError), tls.connect(server.port, using=using) as first:
                tls.get(first)
                session = first.session
                break
        if mpm != "prefork":
            assert refused(server)
        for _ in range(8):  # of ten a second
            with tls.connect(server.port, using=using, session=session) as again:
                assert tls.get(again)[0] == 200 and again.session_reused
                session = again.session


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tickets_of_others_open_no_door(make, version):
    """A client may say that it resumes: its ticket has to open, and what it opens has to be a session of this host."""
    stranger = make("")
    server = make("TLSHandshakeRate address:2")
    using = tls.context(version=version)
    with tls.connect(stranger.port, using=using) as connection:
        tls.get(connection)
        session = connection.session
    refusals = 0
    for _ in range(40):
        try:
            with tls.connect(server.port, using=using, session=session) as connection:
                assert not connection.session_reused
        except ssl.SSLError as error:
            refusals += "INTERNAL_ERROR" in str(error)
    assert refusals


def test_a_session_that_is_resumed_nowhere_is_believed_a_few_times_only(make, ca):
    """One policy's ticket under another: it opens for nobody there."""
    server = make("TLSHandshakeRate address:2")
    server.write([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")])])
    server.graceful()
    using = tls.context(version="1.3")
    while True:
        with contextlib.suppress(ssl.SSLError), tls.connect(server.port, using=using) as first:
            tls.get(first)
            session = first.session
            break
    full = 0
    for _ in range(40):
        with contextlib.suppress(ssl.SSLError), tls.connect(server.port, "b.test", using=using, session=session) as again:
            full += not again.session_reused
    found = wait_for(server, "handshakes_limited_total", 1, limit="address_rate")
    assert full + found[series("handshakes_limited_total", limit="address_rate")] >= 40


def ticket(server, tmp_path, *options: str) -> bytes:
    """The ticket of a session."""
    kept = tmp_path / "session"
    while not kept.exists():
        s_client(server.port, *options, "-sess_out", str(kept), "-ign_eof", send=tls.request(headers=("Connection: close",)))
    said = subprocess.run(["openssl", "sess_id", "-in", str(kept), "-text", "-noout"], capture_output=True, text=True,
                          check=True).stdout
    lines = re.findall(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)", said, re.MULTILINE)
    return bytes.fromhex("".join(lines).replace("-", " "))


@pytest.mark.parametrize("scope", ["address", "child", "server"])
def test_a_session_that_is_not_resumed_opens_no_door(make, tmp_path, scope):
    """Whoever has a ticket can have it opened and still not be resumed: with TLS 1.3 after a key exchange, which counts as
    that of a resumption does. Anybody else's sessions are resumed as if these had been."""
    server = make(f"TLSHandshakeRate {scope}:1", log_level="tls:debug")
    using = tls.context(version="1.3")
    session = None
    while session is None:
        with contextlib.suppress(ssl.SSLError), tls.connect(server.port, using=using) as first:
            tls.get(first)
            session = first.session
    shared = ticket(server, tmp_path, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    none = refused(server)
    begun, said = time.monotonic(), []
    for hello in (Hello(versions=None, suites=[0xC02C], more=[(35, shared)]), Hello(more=[(35, shared)])):
        said += answers(server, [hello.record() for _ in range(60)])
    took = time.monotonic() - begun
    assert all(answer in (REFUSAL, SERVER_HELLO + answer[3:]) for answer in said), said
    # One of TLS 1.3 is refused under the keys that it was given, after a ServerHello.
    wait_for(server, "handshakes_limited_total", none + 120 - (2 + int(took)), limit=f"{scope}_rate")
    tried = len(server.log.matching("TLS040[234].*after the ClientHello"))
    assert 5 <= tried <= 10 + 10 * took + 1, "as many as are resumed, no more"
    time.sleep(1.1)
    for _ in range(5):
        with tls.connect(server.port, using=using, session=session) as again:
            assert tls.get(again)[0] == 200 and again.session_reused
            session = again.session
    server.log.expect(f"TLS0415: .*by TLSHandshakeRate {scope} since")


ECH_HOSTS = ("public.test", "secret.test")


@pytest.fixture
def hidden(httpd, ca):
    """A server with Encrypted ClientHello that asks for a second hello of clients that begin with P-256."""
    def make(config: str):
        server = httpd([Vhost(name, [ca.issue(name)], extra=ech.SAYS) for name in ECH_HOSTS], mpm_settings=ONE_CHILD,
                       config=f'{metrics.LOCATIONS}\nTLSGroups P-384\nTLSECH public.test "@HOME@/ech"\n{config}', modules=MODULES)
        server.log.allow("TLS0402|TLS0403")
        return server
    return make


@pytest.mark.parametrize("words", [("p384",), ("none", "p384")])
def test_who_resumes_is_not_charged_hidden_or_asked_for_a_second_hello(hidden, words):
    server = hidden("TLSHandshakeRate server:2")
    keys = ech.keys_in_dns(server)
    time.sleep(1.1)                                             # the bucket is full
    first, *others = ech.visits(server.port, "secret.test", keys, *words, count=20)
    assert first.kind == "retried" and {visit.kind for visit in others} == {"resumed"}
    assert {visit.ech for visit in (first, *others)} == {"notoffered" if "none" in words else "accepted"}
    assert ech.visit(server.port, "secret.test", keys, *words).kind == "retried", "there is a place left"


def test_beyond_the_rate_nothing_hidden_is_decrypted(hidden):
    server = hidden("TLSHandshakeRate server:1")
    keys = ech.keys_in_dns(server)
    assert refused(server, name="public.test")
    got = ech.visit(server.port, "secret.test", keys, "p384")
    while got.ech == "accepted":                                # a second has passed
        assert refused(server, name="public.test")
        got = ech.visit(server.port, "secret.test", keys, "p384")
    assert got.ech == "failed" and "nternal" in got.last, got
    time.sleep(1.1)
    assert ech.visit(server.port, "secret.test", keys, "p384").ech == "accepted"


@pytest.mark.parametrize("scope", ["address", "child", "server"])
def test_handshakes_under_way(make, scope):
    server = make(f"TLSHandshakesUnderWay {scope}:3")
    with contextlib.ExitStack() as stack:
        begun = [begin(stack, server) for _ in range(3)]
        wait_for(server, "handshakes_in_progress", 3)
        assert is_turned_away(server) and is_turned_away(server)
        assert is_turned_away(server, OTHER) == (scope != "address")
        begun[0].close()
        wait_until(lambda: not is_turned_away(server), "a place to be free")
    wait_until(lambda: not is_turned_away(server), "all to be free")
    with contextlib.ExitStack() as stack:                      # what is open is not under way
        for _ in range(12):
            connection = stack.enter_context(tls.connect(server.port))
            assert tls.get(connection)[0] == 200
    server.log.expect(f"TLS0415: .*by TLSHandshakesUnderWay {scope} since")
    found = prometheus(server)
    assert found[series("handshakes_limited_total", limit=f"{scope}_under_way")] >= 2, "both that were turned away at least"


def test_whoever_comes_by_a_proxy_is_not_counted_by_the_proxy_s_address(make):
    """mod_remoteip tells the address of a PROXY header with the request only; the other limits hold."""
    server = make("TLSHandshakesUnderWay address:2 child:6\nRemoteIPProxyProtocol On", modules=(*MODULES, "remoteip"))
    header = b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 443\r\n"
    with contextlib.ExitStack() as stack:
        assert [is_refused(begin(stack, server, before=header)) for _ in range(7)] == [False] * 6 + [True]


def test_no_limit_is_the_default(make):
    server = make("")
    assert refused(server, 200) == 0
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            begin(stack, server)
        assert not is_turned_away(server)
    dump = server.run("-t", "-D", "DUMP_TLS").stdout
    assert "handshakes a second" in dump and dump.count("no limit") >= 2


PREFORK = {"mpm": "prefork", "mpm_settings": "ServerLimit 2\nStartServers 1\nMaxRequestWorkers 2"}


@pytest.mark.parametrize("config,options,said", [
    ("TLSHandshakeRate address:5", PREFORK, "TLS0412"), ("TLSHandshakeRate server:5", PREFORK, None),
    ("TLSHandshakesUnderWay server:1", PREFORK, "TLS0413"), ("TLSHandshakesUnderWay address:9", PREFORK, "TLS0413"),
    ("TLSHandshakesUnderWay server:1", {"mpm_settings": TWO_CHILDREN}, "TLS0414"),
    ("TLSHandshakesUnderWay server:2 address:1", {"mpm_settings": TWO_CHILDREN}, None)])
def test_a_start_says_where_a_limit_is_worth_less_than_it_seems(make, config, options, said):
    server = make(config, log_level="notice", **options)
    found = {line.raw.split("TLS041")[1][0] for line in server.log.matching("TLS041[234]")}
    assert found == ({said[-1]} if said else set())
    server.log.allow("TLS041[34]")
    if said == "TLS0414":
        assert server.log.matching("up to 2 processes, .*Write at least server:2")


def test_what_a_killed_child_had_under_way_is_free(make):
    server = make("TLSHandshakesUnderWay server:2")
    server.log.allow("AH00051|AH00052")
    [child] = [pid for pid in process.children(server.pid) if process.name(pid) == "apache2"]
    with contextlib.ExitStack() as stack:
        begun = [begin(stack, server) for _ in range(2)]
        wait_for(server, "handshakes_in_progress", 2)
        assert is_turned_away(server)
        os.kill(child, signal.SIGKILL)
        for connection in begun:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    wait_until(lambda: not is_turned_away(server), "its places to be free")


def test_the_server_s_share_is_by_children_that_live(make):
    """With two children and room for four handshakes each has room for two."""
    server = make("TLSHandshakesUnderWay server:4", mpm_settings="ServerLimit 2\nStartServers 2\nThreadsPerChild 8\n"
                  "MinSpareThreads 1\nMaxSpareThreads 16\nMaxRequestWorkers 16")
    assert wait_for(server, "serving_processes", 2)
    with contextlib.ExitStack() as stack:
        said = [is_refused(begin(stack, server)) for _ in range(12)]
        assert 2 <= said.count(False) <= 4 and said[-1], said


def test_noise_does_not_use_up_the_line_of_a_flood(httpd, ca):
    """Clients that make every line that a process may write leave that of a flood alone; it is one for the whole server."""
    hosts = [Vhost(f"h{number}.test", [ca.issue(f"h{number}.test")]) for number in range(25)]
    server = httpd(hosts, config=f"{metrics.LOCATIONS}\nTLSHandshakeRate address:1", modules=MODULES, mpm_settings=TWO_CHILDREN)
    server.log.allow("TLS0402|TLS0403|TLS0410|TLS0415|AH00484|AH00286|AH00161")
    answers(server, [Hello(host.name, alpn=[b"smtp"]).record() for host in hosts * 2])
    none = sum(refused(server, 10, name=host.name) for host in hosts[:3])
    wait_for(server, "handshakes_limited_total", none, limit="address_rate")
    server.log.expect("TLS0415: .* by TLSHandshakeRate address since")
    assert len(server.log.matching("TLS0415")) == 1


def test_one_ticket_shown_again_and_again_is_limited_too(make):
    server = make("TLSHandshakeRate address:1")
    using = tls.context(version="1.3")
    with tls.connect(server.port, using=using) as first:
        tls.get(first)
        session = first.session
    begun, resumed = time.monotonic(), 0
    for _ in range(60):
        with contextlib.suppress(ssl.SSLError, OSError), tls.connect(server.port, using=using, session=session) as again:
            resumed += again.session_reused
    most = 12 + 11 * (time.monotonic() - begun)
    assert 10 <= resumed <= most
    assert wait_for(server, "handshakes_limited_total", 60 - resumed, limit="address_rate")


def test_children_that_end_have_no_share(make):
    """A download over a graceful restart keeps its child; those of the new configuration share the whole number."""
    server = make("TLSHandshakesUnderWay server:4")
    big = server.home / "docs" / "a.test" / "big"
    big.write_bytes(bytes(60_000_000))
    big.chmod(0o644)
    with contextlib.ExitStack() as stack:
        slow = stack.enter_context(tls.connect(server.port))
        slow.sendall(tls.request("/big"))
        assert slow.recv(1000)
        before = server.children
        server.graceful()
        wait_until(lambda: set(server.children) - set(before), "a child of the new configuration")
        found = wait_for(server, "serving_processes", 2)
        assert (found[series("serving_processes")], found[series("current_processes")]) == (2, 1)
        begun = [begin(stack, server) for _ in range(4)]
        wait_for(server, "handshakes_in_progress", len(begun))
        assert is_turned_away(server)
