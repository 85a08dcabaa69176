# SPDX-License-Identifier: Apache-2.0
"""OCSP of clients: Debian's mod_ssl and ours asked the same, answers of every kind, and what is only ours."""
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import tls
from harness.certs import Authority, certificate_pem
from harness.clients import curl, s_client
from harness.config import ONE_CHILD, Vhost
from harness.metrics import series, wait_for
from harness.ocsp import names_responder
from harness.responder import BYTES, CONTENTS, Responder
from harness.waiting import wait_until

LOCAL = "TLSFetchLocal on"
# Virtual hosts by their words, and the answers that tell their words apart from others.
WORDS = {
    "on": ("SSLOCSPEnable on", (*CONTENTS, *BYTES, "try_later", "redirect_loop", "slow")),
    "leaf": ("SSLOCSPEnable leaf", ("good", "revoked", "unknown")),
    "off": ("SSLOCSPEnable off", ("good", "revoked")),
    "nonce-off": ("SSLOCSPEnable on\nSSLOCSPUseRequestNonce off", ("good", "no_nonce", "revoked", "stranger")),
    "no-verify": ("SSLOCSPEnable on\nSSLOCSPNoVerify on", ("good", "stranger", "revoked", "expired", "foreign")),
    "age": ("SSLOCSPEnable on\nSSLOCSPResponseMaxAge 7200", ("good", "old")),
    "skew": ("SSLOCSPEnable on\nSSLOCSPResponseTimeSkew 7200", ("good", "future", "expired")),
    "timeout": ("SSLOCSPEnable on\nSSLOCSPResponderTimeout 1", ("good", "silent")),
}


class World:
    """A CA with a responder, and a client for each way in which that answers."""

    def __init__(self, directory):
        self.ca, self.directory = Authority("Client CA"), directory
        self.responder = Responder(self.ca)
        (directory / "ca.pem").write_bytes(self.ca.pem())
        certificate, _, _ = self.responder.signers["stranger"]
        (directory / "stranger.pem").write_bytes(certificate_pem(certificate))
        self.clients, self.pairs = {}, {}
        for how in {how for _, hows in WORDS.values() for how in hows}:
            self.client(how, how)
        self.client("nameless", "good", named=False)
        self.client("nameless-revoked", "revoked", named=False)

    def client(self, name: str, how: str, **options) -> tuple[str, ...]:
        pair = self.responder.issue(name, how, client=True, **options)
        crt, key = pair.write(self.directory, name)
        self.pairs[name], self.clients[name] = pair, ("--cert", str(crt), "--key", str(key))
        return self.clients[name]

    def combined(self, name: str) -> str:
        file = self.directory / f"{name}.both"
        file.write_bytes(self.pairs[name].combined_pem())
        return str(file)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("clients"))
    yield made
    made.responder.end()


def verified(world: World, words: str, mode: str = "require") -> str:
    return f"SSLVerifyClient {mode}\nSSLCACertificateFile {world.directory}/ca.pem\n{words}"


def is_let_in(server, name: str, client: tuple[str, ...], *more: str) -> bool:
    return curl(server.port, "/", *client, *more, name=name).status == 200


def hosts(world: World, ca: Authority) -> tuple[list[Vhost], list[tuple[str, str]]]:
    url = world.responder.url
    table = {name: words for name, (words, _) in WORDS.items()}
    asked = [(name, how) for name, (_, hows) in WORDS.items() for how in hows]
    table |= {
        "no-ocsp-ok": "SSLOCSPEnable on no_ocsp_for_cert_ok",
        "default": f"SSLOCSPEnable on\nSSLOCSPDefaultResponder {url}",
        "override": f"SSLOCSPEnable on\nSSLOCSPDefaultResponder http://127.0.0.1:1/\nSSLOCSPOverrideResponder on\n"
                    "SSLOCSPResponderTimeout 2",
        "responder": f"SSLOCSPEnable on\nSSLOCSPResponderCertificateFile {world.directory}/stranger.pem",
        "proxy": f"SSLOCSPEnable on\nSSLOCSPProxyURL http://127.0.0.1:1/\nSSLOCSPResponderTimeout 2",
    }
    asked += [(name, how) for name in ("on", "no-ocsp-ok", "default") for how in ("nameless", "nameless-revoked")]
    asked += [("no-ocsp-ok", "revoked"), ("default", "good"), ("override", "good"), ("responder", "stranger"),
              ("responder", "good"), ("proxy", "good")]
    return [Vhost(f"{name}.test", [ca.issue(f"{name}.test")], extra=verified(world, words))
            for name, words in table.items()], asked


def test_each_word_decides_as_in_mod_ssl(httpd, ca, world):
    made, asked = hosts(world, ca)
    both = {}
    for engine in ("mod_ssl", "mod_tls-ssl"):
        server = httpd(made, engine=engine, config=LOCAL if engine == "mod_tls-ssl" else "",
                       allow=(r"AH\d+|\[ssl:", r"TLS0"))
        with ThreadPoolExecutor(4) as pool:
            outcome = pool.map(lambda case: is_let_in(server, f"{case[0]}.test", world.clients[case[1]]), asked)
            both[engine] = dict(zip(asked, outcome))
        server.stop()
    theirs, ours = both["mod_ssl"], both["mod_tls-ssl"]
    differing = {case: (theirs[case], ours[case]) for case in asked if theirs[case] != ours[case]}
    # A response as mod_ssl cannot read it, of a responder that closes the connection, is read by length here.
    assert differing == {}
    assert ours["on", "good"] and not ours["on", "revoked"] and ours["off", "revoked"] and ours["no-ocsp-ok", "nameless"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mpm_name", ["event", "worker", "prefork"])
def test_who_is_refused_is_told_why(httpd, ca, world, version, mpm_name):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=verified(world, "SSLOCSPEnable on"))],
                   engine="mod_tls-ssl", mpm=mpm_name, config=LOCAL, allow=("TLS0",))
    option = f"-tls{version.replace('.', '_')}"
    # Both ways: the first waits for the responder, the second finds the verdict.
    for _ in range(2):
        name = f"revoked{version}{mpm_name}"
        if name not in world.pairs:
            world.client(name, "revoked")
        crt, key = world.clients[name][1], world.clients[name][3]
        text = s_client(server.port, option, "-cert", crt, "-key", key, "-ign_eof", send=b"GET / HTTP/1.0\r\n\r\n").text
        assert "certificate revoked" in text and "200 OK" not in text
    assert world.responder.count(world.pairs[name]) == 1
    server.log.expect("certificate is refused: certificate revoked", count=1)
    assert server.log.matching(rf'{re.escape(world.responder.url)} says that "CN={name}" .* was revoked at')
    crt, key = world.clients["good"][1], world.clients["good"][3]
    assert "200 OK" in s_client(server.port, option, "-cert", crt, "-key", key, "-ign_eof",
                                send=b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").text


def test_a_responder_is_asked_once_for_the_life_of_its_answer(httpd, ca, world):
    world.client("often", "slow")
    server = httpd([Vhost(name, [ca.issue(name)], extra=verified(world, "SSLOCSPEnable on"))
                    for name in ("a.test", "b.test")], engine="mod_tls-ssl", config=LOCAL)
    with ThreadPoolExecutor(8) as pool:
        outcome = list(pool.map(lambda i: is_let_in(server, "ab"[i % 2] + ".test", world.clients["often"]), range(24)))
    assert all(outcome)
    server.graceful()
    assert is_let_in(server, "a.test", world.clients["often"])
    assert world.responder.count(world.pairs["often"]) == 1


def test_who_waits_longer_is_answered_whom_others_asked_in_vain(httpd, ca, world):
    """A responder that is too slow for one virtual host, or has a dead proxy before it there, is asked for another one."""
    words = {"hasty": "SSLOCSPEnable leaf\nSSLOCSPResponderTimeout 1", "patient": "SSLOCSPEnable leaf",
             "elsewhere": "SSLOCSPEnable leaf\nSSLOCSPProxyURL http://127.0.0.1:1/"}
    made = [Vhost(f"{name}.test", [ca.issue(f"{name}.test")], extra=verified(world, more)) for name, more in words.items()]
    server = httpd(made, engine="mod_tls-ssl", config=f"{LOCAL}\n{ONE_CHILD}", allow=("TLS0",))
    for name in ("hasty", "elsewhere"):
        for number in range(3):
            assert not is_let_in(server, f"{name}.test", world.client(f"{name}{number}", "silent" if name == "hasty" else "good"))
    assert is_let_in(server, "patient.test", world.client("after silence", "good"))


def test_soft_lets_in_whose_responder_is_silent_and_nobody_else(httpd, ca, world):
    words = "TLSClientCertificate required\nTLSClientCA @HOME@/ca.pem\nTLSClientOCSP chain soft"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)],
                   config=f"{LOCAL}\n<Location /tls-status>\nSetHandler tls-status\n</Location>", start=False,
                   allow=("TLS0",))
    server.put("ca.pem", world.ca.pem())
    server.start()
    for name, how in (("soft-garbage", "garbage"), ("soft-later", "try_later"), ("soft-stranger", "stranger")):
        assert is_let_in(server, "a.test", world.client(name, how)), how
    for name in ("revoked", "unknown", "nameless"):
        assert not is_let_in(server, "a.test", world.clients[name]), name
    counted = wait_for(server, "client_ocsp_total", 3, verdict="let_in")
    assert counted[series("client_ocsp_total", verdict="revoked")] == 1


def test_every_certificate_of_the_path_is_asked_about(httpd, ca, tmp_path):
    root = Authority("Root")
    responder = Responder(root)
    try:
        middle = root.intermediate("Middle")
        # The CA's certificate again, with an address of its responder.
        middle.certificate = root._sign(middle.name, middle.key.public_key(), root, middle.certificate.not_valid_before,
                                        middle.certificate.not_valid_after,
                                        [*((e.value, e.critical) for e in middle.certificate.extensions
                                           if e.oid.dotted_string in ("2.5.29.19", "2.5.29.15")),
                                         names_responder(responder.url)])
        below = Responder(middle)
        pair = below.issue("client", client=True)
        responder.certificates[middle.certificate.serial_number] = middle.certificate
        crt, key = pair.write(tmp_path, "client")
        (tmp_path / "ca.pem").write_bytes(root.pem())
        words = f"SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {tmp_path}/ca.pem"
        made = [Vhost(name, [ca.issue(name)], extra=f"{words}\nSSLOCSPEnable {value}\nSSLOCSPResponseTimeSkew {skew}")
                for name, value, skew in (("chain.test", "on", 300), ("leaf.test", "leaf", 300), ("again.test", "on", 299))]
        server = httpd(made, engine="mod_tls-ssl", config=LOCAL, allow=("TLS0",))
        client = ("--cert", str(crt), "--key", str(key))
        responder.how[middle.certificate.serial_number] = "revoked"
        assert not is_let_in(server, "chain.test", client)
        assert is_let_in(server, "leaf.test", client)
        server.log.expect('says that "CN=Middle" .* was revoked')
        responder.how[middle.certificate.serial_number] = "good"
        assert is_let_in(server, "again.test", client)  # another rule, so that it is asked about anew
    finally:
        responder.end()
        below.end()


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_sections_ask_too(httpd, ca, world, engine):
    verify = {"mod_tls": "TLSClientCertificate required", "mod_tls-ssl": "SSLVerifyClient require"}[engine]
    words = {"mod_tls": "TLSClientCA @HOME@/ca.pem\nTLSClientOCSP leaf",
             "mod_tls-ssl": "SSLCACertificateFile @HOME@/ca.pem\nSSLOCSPEnable leaf"}[engine]
    extra = f"{words}\n<Location /in>\n{verify}\n</Location>"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, config=LOCAL, start=False,
                   allow=("TLS0",))
    server.put("ca.pem", world.ca.pem())
    server.put("docs/a.test/in/index.html", "in")
    server.start()
    for name, inside in (("good", 200), ("revoked", 403), ("unknown", 403)):
        assert curl(server.port, "/", *world.clients[name]).status == 200, "nobody asks there"
        assert curl(server.port, "/in/", *world.clients[name]).status == inside, name


def test_what_sections_will_want_is_asked_ahead(httpd, ca, world):
    world.client("ahead", "good")
    extra = (f"SSLCACertificateFile {world.directory}/ca.pem\nSSLOCSPEnable leaf\n"
             "<Location /in>\nSSLVerifyClient require\n</Location>")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine="mod_tls-ssl", config=LOCAL,
                   allow=("TLS0",))
    server.put("docs/a.test/in/index.html", "in")
    context = tls.context()
    context.load_cert_chain(world.combined("ahead"))
    with tls.connect(server.port, "a.test", using=context) as connection:
        wait_until(lambda: world.responder.count(world.pairs["ahead"]), "a question that no request has put yet", 20)
        assert tls.get(connection, host="a.test")[0] == 200
        assert tls.get(connection, path="/in/", host="a.test")[0] == 200
    assert world.responder.count(world.pairs["ahead"]) == 1


def test_responders_that_are_believed_change_without_a_restart(httpd, ca, world):
    world.client("pinned", "stranger")
    extra = "SSLVerifyClient require\nSSLCACertificateFile @HOME@/ca.pem\nSSLOCSPEnable on\nSSLOCSPResponderCertificateFile @HOME@/pinned.pem"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine="mod_tls-ssl", start=False,
                   config=f"{LOCAL}\nTLSReload 1 all", allow=("TLS0",))
    server.put("ca.pem", world.ca.pem())
    server.put("pinned.pem", Authority("Somebody else").pem())
    server.start()
    assert not is_let_in(server, "a.test", world.clients["pinned"]) and is_let_in(server, "a.test", world.clients["good"])
    server.put("pinned.pem", (world.directory / "stranger.pem").read_bytes())
    wait_until(lambda: is_let_in(server, "a.test", world.clients["pinned"]), "the one that signs to be believed", 60, pause=0.5)
    server.put("pinned.pem", Authority("Somebody else").pem())
    wait_until(lambda: not is_let_in(server, "a.test", world.clients["pinned"]), "it to be believed no longer", 60, pause=0.5)
    assert is_let_in(server, "a.test", world.clients["good"])
    assert not server.log.matching("TLS0508")


def test_a_thousand_clients_are_one_question_for_each_certificate(httpd, ca, world):
    names = [f"one-of-many-{number}" for number in range(10)]
    for name in names:
        world.client(name, "good")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=verified(world, "SSLOCSPEnable on"))],
                   engine="mod_tls-ssl", config=LOCAL)
    contexts = {}
    for name in names:
        contexts[name] = tls.context()
        contexts[name].load_cert_chain(world.combined(name))

    def comes(number: int) -> bool:
        with tls.connect(server.port, "a.test", using=contexts[names[number % len(names)]]) as connection:
            return tls.get(connection, host="a.test")[0] == 200
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(comes, range(1000)))
    assert [world.responder.count(world.pairs[name]) for name in names] == [1] * len(names)


@pytest.mark.parametrize("word", ["on", "off"])
def test_an_open_connection_of_the_revoked_ends_where_asked(httpd, ca, world, word):
    name = f"open-{word}"
    world.client(name, "short")
    extra = verified(world, f"SSLOCSPEnable on\nTLSClientRecheck {word}")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine="mod_tls-ssl", config=LOCAL,
                   allow=("TLS0", r"AH\d+"))
    context = tls.context()
    context.load_cert_chain(world.combined(name))
    with tls.connect(server.port, "a.test", using=context) as connection:
        assert tls.get(connection, host="a.test")[0] == 200
        world.responder.say(world.pairs[name], "revoked")
        wait_until(lambda: not is_let_in(server, "a.test", world.clients[name]), "the end of the answer of before", 40)
        assert tls.get(connection, host="a.test")[0] == (403 if word == "on" else 200)
        if word == "on":
            server.log.expect("TLS0517.*certificate revoked")
            with pytest.raises((OSError, EOFError)):
                tls.get(connection, host="a.test")


def test_who_is_revoked_meanwhile_resumes_no_session(httpd, ca, world):
    world.client("later", "short")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=verified(world, "SSLOCSPEnable on"))],
                   engine="mod_tls-ssl", config=LOCAL, allow=("TLS0",))
    context = tls.context(version="1.2")
    context.load_cert_chain(world.combined("later"))
    assert is_let_in(server, "a.test", world.clients["later"])  # no ticket is made while the responder is asked
    with tls.connect(server.port, "a.test", using=context) as connection:
        assert tls.get(connection, host="a.test")[0] == 200
        session = connection.session
    with tls.connect(server.port, "a.test", using=context, session=session) as connection:
        assert connection.session_reused
    world.responder.say(world.pairs["later"], "revoked")

    def is_refused() -> bool:
        try:
            with tls.connect(server.port, "a.test", using=context, session=session) as connection:
                tls.get(connection, host="a.test")
            return False
        except (OSError, EOFError):
            return True
    wait_until(is_refused, "the end of the answer of before", 40)
    server.log.expect("certificate is refused: certificate revoked")


def test_a_responder_that_is_silent_holds_no_thread_of_others(httpd, ca, world):
    world.client("held", "silent")
    extra = verified(world, "SSLOCSPEnable on\nSSLOCSPResponderTimeout 6")
    few = "ServerLimit 1\nStartServers 1\nThreadsPerChild 2\nMinSpareThreads 1\nMaxSpareThreads 2\nMaxRequestWorkers 2"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra), Vhost("b.test", [ca.issue("b.test")])],
                   engine="mod_tls-ssl", config=f"{LOCAL}\nAsyncRequestWorkerFactor 20", mpm_settings=few, allow=("TLS0",))
    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(is_let_in, server, "a.test", world.clients["held"]) for _ in range(4)]
        wait_until(lambda: world.responder.count(world.pairs["held"]), "the question", 20)
        assert curl(server.port, "/", name="b.test").status == 200
        assert not any(one.done() for one in held), "b.test was answered while they waited"
        assert not any(one.result() for one in held)
