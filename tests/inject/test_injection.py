# SPDX-License-Identifier: Apache-2.0
"""Every place where an allocation of the module, a call over the bridge, or a call of ours into APR, httpd or the system can
fail is made to fail once: at start, in handshakes and requests, at restarts. What is lost is at most that start, that
connection or that request; a line says why; the processes live on.

A share of the places each time; all of them with ./dev inject (MOD_TLS_INJECT_ALL)."""
import os
import re
import socket
import ssl
import subprocess

import pytest
from harness import tls
from harness.clientauth import Clients, revocation_list
from harness.config import ONE_CHILD, Vhost
from harness.inject import Faults
from harness.paths import mod_tls_so, passable
from harness.waiting import wait_until

ALL = "MOD_TLS_INJECT_ALL" in os.environ
NAME = "www.a-name-that-fits-no-buffer-of-a-string.test"  # so that copies of it allocate
FATAL = re.compile(r"exit signal|Segmentation|core dumped|terminate called|SIGABRT")
WHY = re.compile(r"TLS0\d\d\d: |\[(tls|ssl):|AH\d{5}|Syntax error|panicked at|bad_alloc|apache2: ")


@pytest.fixture(scope="module", autouse=True)
def injecting():
    symbols = subprocess.run(["nm", mod_tls_so()], capture_output=True, text=True, check=True).stdout
    assert "__wrap_ap_get_brigade" in symbols, "build the preset inject, and name it by MOD_TLS_SO"


def share(sites, most: int):
    """All of them, or evenly some that are not the same on each machine's day but the same in each run of a build."""
    ordered = sorted(sites)
    return ordered if ALL else ordered[::max(1, len(ordered) // most)]


class Served:
    """A server with a bit of everything, and clients that use all of it."""

    def __init__(self, httpd, ca, directory):
        passable(directory)
        self.faults = Faults(directory)
        self.fired = self.lost = 0
        self.clients = Clients(directory)
        authority = self.clients.pem(self.clients.ca, "ca")
        self.lists = directory / "lists.pem"
        self.replace_lists(30)
        extra = f"""TLSClientCertificate optional
TLSClientCA {authority}
TLSClientCRL {self.lists}
TLSClientCRLCheck leaf
TLSOptions +StdEnvVars +ExportCertData
TLSProxyEngine on
TLSProxyVerify none
TLSProxyVerifyName off
ProxyPass /back/ https://127.0.0.1:@TLS@/
CustomLog @HOME@/tls.log "%{{SSL_PROTOCOL}}x %{{SSL_CLIENT_S_DN}}x %{{version}}c"
<Location /secret>
TLSClientCertificate required
TLSUserName SSL_CLIENT_S_DN_CN
AuthType ClientCert
AuthName secret
Require valid-user
</Location>
<Location /any>
TLSClientCertificate required
Satisfy any
Require ssl-verify-client
</Location>
<Location /expr>
Require expr %{{SSL_PROTOCOL}} =~ /^TLSv1/ && %{{SSL:SSL_CIPHER}} != ""
</Location>"""
        self.server = httpd([Vhost(NAME, [ca.issue(NAME)], extra=extra), Vhost("b.test", [ca.issue("b.test")])],
                            modules=("proxy", "proxy_http", "socache_shmcb", "authn_core", "authz_user", "access_compat",
                                     "reqtimeout"),
                            mpm_settings=ONE_CHILD, config="TLSSessionCache shmcb:@HOME@/cache(512000)\n"
                            "RequestReadTimeout handshake=20-40,MinRate=500\nTLSReload 10 all",
                            environment=self.faults.environment, start=False, allow=(".*",))
        for path in ("secret", "any", "expr"):
            self.server.put(f"docs/{NAME}/{path}/index.html", "found\n")
        self.server.put(f"docs/{NAME}/large.bin", bytes(300_000))

    def replace_lists(self, days: int) -> None:
        fresh = self.lists.with_suffix(".new")
        fresh.write_bytes(revocation_list(self.clients.ca, days=days))
        fresh.rename(self.lists)

    def places(self, what: str, run) -> list:
        """Where something can fail in what `run` does; a share of them."""
        self.faults.record()
        run()
        self.faults.off()
        sites = self.faults.sites()
        print(f"{len(sites)} places {what}")
        return share(sites, SHARES[what])

    def each(self, sites):
        """Has one after the other fail once. Who goes through them says when the fault is off again."""
        for site in sites:
            self.faults.fail(site)
            yield site
            self.faults.off()
            self.fired += self.faults.fired()
            self.lived()
        print(f"{self.fired} faults, {self.lost} lost")

    def lived(self) -> None:
        """No process of the server has ended by a signal, whatever else went wrong."""
        fatal = [line.raw for line in self.server.log.lines() if FATAL.search(line.raw)]
        assert not fatal and not list((self.server.home / "core").iterdir()), "\n".join(fatal)

    def get(self, path: str, *, known: bool = False, version: str | None = None, kept: dict | None = None) -> int | None:
        """The status of one request; None where no whole answer came. `kept` carries a session from one to the next."""
        using = kept["using"] if kept else tls.context(version=version)
        if known:
            using.load_cert_chain(self.clients.good[1], self.clients.good[3])
        try:
            with tls.connect(self.server.port, NAME, using=using, session=kept and kept.get("session")) as connection:
                connection.sendall(tls.request(path, NAME, headers=("Connection: close",)))
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
                if kept:
                    kept["session"] = connection.session
                whole = answer.startswith(b"HTTP/1.1 ") and (path != "/large.bin" or len(answer) > 300_000)
                return int(answer[9:12]) if whole else None
        except (OSError, ssl.SSLError, ValueError):
            return None

    def plain(self) -> int | None:
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), 15) as connection:
                connection.sendall(tls.request(host=NAME))
                return int(connection.recv(65536)[9:12])
        except (OSError, ValueError):
            return None

    def is_gone(self) -> bool:
        """Nobody listens any more."""
        try:
            socket.create_connection(("127.0.0.1", self.server.port), 15).close()
        except ConnectionRefusedError:
            return True
        return False

    def visit(self) -> dict[str, int | None]:
        """What clients of every kind get."""
        kept13, kept12 = ({"using": tls.context(version=version)} for version in ("1.3", "1.2"))
        got = {
            "known": self.get("/", known=True), "expr": self.get("/expr/", version="1.2"),
            "secret": self.get("/secret/", known=True), "any": self.get("/any/", known=True),
            "stranger": self.get("/secret/"), "any stranger": self.get("/any/"),
            "first 1.3": self.get("/", kept=kept13), "again 1.3": self.get("/", kept=kept13),
            "first 1.2": self.get("/", kept=kept12), "again 1.2": self.get("/", kept=kept12),
            "large": self.get("/large.bin"), "back": self.get("/back/"), "plain": self.plain(),
        }
        assert got["stranger"] != 200 and got["any stranger"] != 200, f"let in: {got}"
        return got


SHARES = {"at start": 40, "in handshakes and requests": 60, "at restarts": 30, "at reloads": 4}
EXPECTED = {"known": 200, "expr": 200, "secret": 200, "any": 200, "stranger": 403, "any stranger": 403, "first 1.3": 200,
            "again 1.3": 200, "first 1.2": 200, "again 1.2": 200, "large": 200, "back": 200, "plain": 400}


@pytest.fixture
def served(httpd, ca, tmp_path):
    made = Served(httpd, ca, tmp_path)
    yield made
    made.faults.off()
    made.lived()
    made.server.expected_exit = None


def test_a_start_is_lost_at_most(served):
    server, faults = served.server, served.faults
    sites = served.places("at start", server.start)
    assert {site.kind for site in faults.sites()} == {"allocation", "bridge", "call"} and len(faults.sites()) > 100
    assert served.visit() == EXPECTED
    server.stop()

    def forget():
        server.log.path.write_text("")
        (server.home / "stderr").write_text("")

    forget()
    for site in served.each(sites):
        try:
            server.start()
            faults.off()
            assert served.get("/") == 200, (site, server.said())
            server.stop()
        except AssertionError as fault:
            faults.off()
            assert server.process is not None, (site, fault)
            # Without one child that serves httpd ends by itself, after it has begun.
            wait_until(lambda: server.process.poll() is not None, f"httpd to end, which serves nothing: {site}, {fault}")
            assert server.process.returncode >= 0, f"{site}: ended by signal {-server.process.returncode}\n{server.said()}"
            assert server.process.returncode > 0 or "AH02324" in server.said(), f"{site}\n{server.said()}"
            assert WHY.search(server.said()), f"{site}: a start was lost without a word\n{server.said()}"
            server.process = None
            served.lost += 1
        served.lived()
        forget()
    assert served.fired > 0 and served.lost > 0


def test_a_connection_or_a_request_is_lost_at_most(served):
    server, faults = served.server, served.faults
    server.start()
    assert served.visit() == EXPECTED
    sites = served.places("in handshakes and requests", served.visit)
    assert {site.kind for site in faults.sites()} == {"allocation", "bridge", "call"} and len(faults.sites()) > 40
    children = server.children
    for site in served.each(sites):
        before = len(server.log.lines())
        got = served.visit()
        faults.off()
        wrong = {what: answer for what, answer in got.items() if answer != EXPECTED[what]}
        if wrong:
            served.lost += 1
            assert faults.fired(), f"{site}: {wrong} without a fault"
            assert len(wrong) == 1, f"{site}: {wrong}"
            said = [line.raw for line in server.log.lines()[before:]]
            assert any(WHY.search(line) for line in said), f"{site}: {wrong} without a word"
        assert served.get("/") == 200 and server.children == children, f"{site}\n{server.log.text()[-3000:]}"
    assert served.fired > 10 and served.lost > 0


def test_a_restart_is_lost_at_most(served):
    server, faults = served.server, served.faults
    server.start()

    def restart():
        server.graceful()
        assert served.visit() == EXPECTED

    for site in served.each(served.places("at restarts", restart)):
        try:
            server.graceful()
        except AssertionError as fault:
            wait_until(lambda: server.process.poll() is not None, f"httpd to end: {fault}")
        faults.off()
        if server.process.poll() is not None:
            assert server.process.returncode > 0, f"{site}: ended by signal {-server.process.returncode}"
            assert WHY.search(server.log.text()[-4000:]), site
            server.process = None
            served.lost += 1
            wait_until(served.is_gone, "children of before to leave the address")
            server.start()
        # A child that lacks what its parent was to give it ends, and httpd starts another; what the signer lacks of one it
        # asks for again.
        wait_until(lambda: served.get("/") == 200, f"an answer: {site}\n{server.log.text()[-3000:]}")
    assert served.fired > 0


def test_a_reload_is_lost_at_most(served):
    """Revocation lists that change: those of before stay in force, until the next look."""
    server, faults = served.server, served.faults
    server.start()
    assert served.visit() == EXPECTED
    children, days = server.children, 31

    def reload():
        nonlocal days
        days += 1
        before = len(server.log.matching("TLS0506|TLS0504|TLS0102"))
        served.replace_lists(days)
        wait_until(lambda: len(server.log.matching("TLS0506|TLS0504|TLS0102")) > before or faults.fired(),
                   "the lists to be read again")

    for site in served.each(served.places("at reloads", reload)):
        reload()
        faults.off()
        assert served.visit() == EXPECTED and server.children == children, site
    assert served.fired > 0
