# SPDX-License-Identifier: Apache-2.0
"""Sessions kept by the server, through httpd's socache providers: on one machine and shared by two."""
import os
import threading

import pytest
from harness.caches import SERVERS, Redis, secret_file
from harness.config import Vhost
from harness.libssl import CallbackClient
from harness.resumption import TWO_CHILDREN, resumed, visit
from harness.threads import Threads
from harness.tls import connect, context, get
from harness.waiting import wait_until

VERSIONS = ("1.2", "1.3")
SHMCB = "TLSSessionTickets off\nTLSSessionCache shmcb:@HOME@/run/sessions(512000)"


@pytest.fixture
def pair(ca):
    return ca.issue("a.test", kind="p256")


def host(pair, name: str = "a.test") -> Vhost:
    """The same virtual host on every machine: clients reach it on port 443, whatever the test's port is."""
    return Vhost(name, [pair], extra=f"ServerName {name}:443")


@pytest.fixture(params=SERVERS)
def cache(request):
    server = SERVERS[request.param]().start()
    yield server
    server.end()


@pytest.fixture
def redis():
    server = Redis().start()
    yield server
    server.end()


def machine(httpd, vhosts, cache, secret, **options):
    return httpd(vhosts, config=f"TLSSessionTickets file:{secret}\nTLSSessionTickets off\n{cache.directive}",
                 modules=(f"socache_{cache.provider}",), **options)


def test_every_tls12_connection_is_resumed(httpd, ca, pair):
    server = httpd([host(pair)], config=SHMCB, modules=("socache_shmcb",), mpm_settings=TWO_CHILDREN)
    for keep in ("first", "newest"):
        assert resumed(server.port, context(ca.file, version="1.2"), 1000, keep) == 1000


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_that_collect_sessions_by_callback(httpd, pair, version):
    server = httpd([host(pair)], config=SHMCB, modules=("socache_shmcb",), mpm_settings=TWO_CHILDREN)
    client = CallbackClient(version)
    assert [client.visit(server.port) for _ in range(1001)] == [False] + [True] * 1000
    client.close()


def test_every_tls13_connection_is_resumed_with_the_newest_session(httpd, ca, pair):
    server = httpd([host(pair)], config=SHMCB, modules=("socache_shmcb",), mpm_settings=TWO_CHILDREN)
    assert resumed(server.port, context(ca.file, version="1.3"), 1000, "newest") == 1000


def test_a_tls13_session_is_taken_once(httpd, ca, pair):
    server = httpd([host(pair)], config=SHMCB, modules=("socache_shmcb",), mpm_settings=TWO_CHILDREN)
    using = context(ca.file, version="1.3")
    _, session = visit(server.port, using)
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(visit(server.port, using, session)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]


@pytest.mark.parametrize("version", VERSIONS)
def test_dbm(httpd, ca, pair, version):
    server = httpd([host(pair)], config="TLSSessionTickets off\nTLSSessionCache dbm:@HOME@/run/sessions",
                   modules=("socache_dbm",), mpm_settings=TWO_CHILDREN)
    os.chmod(server.home / "run", 0o777)
    assert resumed(server.port, context(ca.file, version=version), 20, "newest") == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_two_machines_share_a_cache(httpd, ca, pair, cache, tmp_path, version):
    secret = secret_file(tmp_path, bytes(range(80)))
    here, there = (machine(httpd, [host(pair)], cache, secret) for _ in range(2))
    using = context(ca.file, version=version)
    _, session = visit(here.port, using)
    for server in (there, here, there, there, here):
        reused, session = visit(server.port, using, session)
        assert reused


@pytest.mark.parametrize("version", VERSIONS)
def test_another_secret_is_another_cluster(httpd, ca, pair, redis, tmp_path, version):
    using = context(ca.file, version=version)
    servers = []
    for seed in (1, 2):
        home = tmp_path / str(seed)
        home.mkdir()
        servers.append(machine(httpd, [host(pair)], redis, secret_file(home, bytes(n ^ seed for n in range(48)))))
    _, session = visit(servers[0].port, using)
    reused, session = visit(servers[1].port, using, session)
    assert not reused
    assert visit(servers[1].port, using, session)[0]


class Load(Threads):
    """Clients that come one after the other, in several threads; every one of them must be served."""

    def __init__(self, ports, using, threads: int = 3):
        super().__init__(self._run, threads)
        self._ports, self._using = ports, using
        self.failures, self.count = [], 0

    def _run(self, number: int):
        port, session = self._ports[number % len(self._ports)], None
        while not self.stopping:
            try:
                _, session = visit(port, self._using, session)
                self.count += 1
            except OSError as fault:
                self.failures.append(fault)

    def more(self, count: int) -> None:
        before = self.count
        wait_until(lambda: self.count >= before + count, f"{count} more connections; failed: {self.failures}", 60)


def test_a_cache_that_dies_and_comes_back_under_load(httpd, ca, pair, cache, tmp_path):
    secret = secret_file(tmp_path, bytes(range(80)))
    servers = [machine(httpd, [host(pair)], cache, secret) for _ in range(2)]
    for server in servers:
        server.log.allow("TLS0605")
    using = context(ca.file, version="1.2")
    with Load([server.port for server in servers], using) as load:
        load.more(50)
        cache.kill()
        load.more(50)
        cache.start()
        load.more(50)

    def back() -> bool:
        _, session = visit(servers[0].port, using)
        return session is not None and visit(servers[1].port, using, session)[0]
    wait_until(back, "sessions to be resumed again", 60, pause=0.3)
    assert load.failures == []
    for server in servers:
        assert len(server.log.matching("TLS0605")) <= 2, "said once a minute"
        assert "socache" not in server.log.text(), "and by nobody else"


def test_a_cache_that_does_not_answer(httpd, ca, pair, cache, tmp_path):
    server = machine(httpd, [host(pair)], cache, secret_file(tmp_path, bytes(range(80))))
    server.log.allow("TLS0605")
    using = context(ca.file, version="1.2")
    visit(server.port, using)
    cache.freeze()
    with Load([server.port], using) as load:
        load.more(50)
    cache.thaw()
    assert load.failures == []


POISONS = {
    "empty": lambda entry: b"", "garbage": lambda entry: os.urandom(200), "long": lambda entry: bytes(60_000),
    "truncated": lambda entry: entry[:-1], "longer": lambda entry: entry + b"\0", "one bit": lambda entry:
    entry[:40] + bytes([entry[40] ^ 1]) + entry[41:], "another expiry": lambda entry: b"\xff" * 8 + entry[8:],
}


@pytest.mark.parametrize("version", VERSIONS)
def test_forged_entries_are_not_believed(httpd, ca, pair, redis, tmp_path, version):
    server = machine(httpd, [host(pair)], redis, secret_file(tmp_path, bytes(range(80))))
    using = context(ca.file, version=version)
    for what, poison in POISONS.items():
        _, session = visit(server.port, using)
        for key in redis.keys():
            redis.write(key, poison(redis.read(key)))
        assert not visit(server.port, using, session)[0], what
        redis._do(b"FLUSHALL")
    _, session = visit(server.port, using)
    assert visit(server.port, using, session)[0]


def test_copied_entries_are_not_believed(httpd, ca, pair, redis, tmp_path):
    server = machine(httpd, [host(pair), host(ca.issue("b.test", kind="p256"), "b.test")], redis,
                     secret_file(tmp_path, bytes(range(80))))
    using = context(ca.file, version="1.2")
    _, first = visit(server.port, using)
    [key] = redis.keys()
    entry = redis.read(key)
    _, second = visit(server.port, using)
    for other in redis.keys():
        redis.write(other, entry)
    assert visit(server.port, using, first)[0], "the entry itself is good"
    assert not visit(server.port, using, second)[0], "under another id"


def test_entries_tell_nothing(httpd, ca, pair, redis, tmp_path):
    server = machine(httpd, [host(pair)], redis, secret_file(tmp_path, bytes(range(80))))
    _, session = visit(server.port, context(ca.file, version="1.2"))
    [key] = redis.keys()
    entry = redis.read(key)
    assert b"a.test" not in entry and session.id.hex().upper() in key.decode().upper()


@pytest.mark.parametrize("provider", SERVERS)
def test_a_shared_cache_needs_a_shared_secret(httpd, pair, provider):
    server = httpd([host(pair)], config=f"TLSSessionCache {provider}:127.0.0.1:1", modules=(f"socache_{provider}",),
                   start=False)
    for said in (server.start_fails(), server.run("-t").stderr):
        assert 'add "TLSSessionTickets file:PATH" with the same file on each of them' in said


def test_a_missing_provider_is_named(httpd, pair):
    server = httpd([host(pair)], config="TLSSessionCache shmcb:@HOME@/run/sessions", start=False)
    for said in (server.start_fails(), server.run("-t").stderr):
        assert "load mod_socache_shmcb" in said
    assert server.run("-S").returncode == 0


def test_arguments_of_the_provider_are_its_own_matter(httpd, pair):
    server = httpd([host(pair)], config="TLSSessionCache shmcb:@HOME@/run/sessions(12)", modules=("socache_shmcb",),
                   start=False)
    assert "Invalid argument: size has to be >=" in server.start_fails()


@pytest.mark.parametrize("how", ["ticket", "id"])
@pytest.mark.parametrize("version", VERSIONS)
def test_variables(httpd, ca, pair, version, how):
    vhost = Vhost("a.test", [pair], extra='Header set X-Session "%{SSL_SESSION_RESUMED}s %{SSL_SESSION_ID}s"')
    server = httpd([vhost], config=SHMCB if how == "id" else "", modules=("socache_shmcb",))
    using, session, said = context(ca.file, version=version), None, []
    for _ in range(2):
        with connect(server.port, using=using, session=session) as tls:
            said.append(get(tls)[1]["x-session"].lower())
            session = tls.session
    if version == "1.3":
        assert said == ["initial (null)", "resumed (null)"]
    elif how == "id":
        assert said == [f"initial {session.id.hex()}", f"resumed {session.id.hex()}"]
    else:
        # an id that the client made up, to know a resumption by its echo
        assert said == ["initial (null)", f"resumed {session.id.hex()}"]


@pytest.mark.parametrize("version", VERSIONS)
def test_entries_are_no_larger_than_mod_ssls(httpd, ca, pair, tmp_path, version):
    sizes = {}
    for engine in ("mod_ssl", "mod_tls"):
        redis = Redis().start()
        try:
            if engine == "mod_tls":
                server = machine(httpd, [host(pair)], redis, secret_file(tmp_path, bytes(range(80))))
            else:
                server = httpd([host(pair)], config=f"SSLSessionTickets off\nSSLSessionCache redis:127.0.0.1:{redis.port}",
                               modules=("socache_redis",), engine=engine)
            visit(server.port, context(ca.file, version=version))
            sizes[engine] = max(len(redis.read(key)) for key in redis.keys())
        finally:
            redis.end()
    assert sizes["mod_tls"] <= sizes["mod_ssl"]
