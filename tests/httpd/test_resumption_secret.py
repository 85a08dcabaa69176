# SPDX-License-Identifier: Apache-2.0
"""Machines that share nothing but a secret file."""
import os
import re
import signal

import pytest
from harness.caches import secret_file
from harness.config import Vhost
from harness.faketime import Clock
from harness.resumption import visit
from harness.tls import context

VERSIONS = ("1.2", "1.3")
ONE, TWO = bytes(range(80)), bytes(range(100, 180))


@pytest.fixture
def pair(ca):
    return ca.issue("a.test", kind="p256")


def machine(httpd, pair, secret, interval: str = "", **options):
    """The same virtual host on every machine: clients reach it on port 443, whatever the test's port is."""
    return httpd([Vhost("a.test", [pair], extra="ServerName a.test:443")],
                 config=f"TLSSessionTickets file:{secret} {interval}", **options)


@pytest.mark.parametrize("version", VERSIONS)
def test_machines_resume_each_others_sessions(httpd, ca, pair, tmp_path, version):
    secret = secret_file(tmp_path, ONE)
    servers = [machine(httpd, pair, secret) for _ in range(3)]
    using = context(ca.file, version=version)
    _, session = visit(servers[0].port, using)
    for n in (1, 2, 0, 2, 1):
        reused, session = visit(servers[n].port, using, session)
        assert reused


@pytest.mark.parametrize("skew", [-55, 55])
def test_clocks_within_a_minute(httpd, ca, pair, tmp_path, skew):
    clock = Clock()
    clock.set(skew)
    secret = secret_file(tmp_path, ONE)
    short = "60s\nTLSSessionLifetime 30min"
    here, there = machine(httpd, pair, secret, short), machine(httpd, pair, secret, short, environment=clock.environment)
    using = context(ca.file, version="1.3")
    _, session = visit(here.port, using)
    for server in (there, here, there, here):
        reused, session = visit(server.port, using, session)
        assert reused


def test_another_secret_another_interval(httpd, ca, pair, tmp_path):
    (tmp_path / "other").mkdir()
    here = machine(httpd, pair, secret_file(tmp_path, ONE))
    others = [machine(httpd, pair, secret_file(tmp_path / "other", TWO)),
              machine(httpd, pair, secret_file(tmp_path, ONE), "2h")]
    using = context(ca.file, version="1.3")
    _, session = visit(here.port, using)
    for other in others:
        assert not visit(other.port, using, session)[0]
    assert visit(here.port, using, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_survive_a_stop(httpd, ca, pair, tmp_path, version):
    server = machine(httpd, pair, secret_file(tmp_path, ONE))
    using = context(ca.file, version=version)
    _, session = visit(server.port, using)
    server.stop()
    server.start()
    assert visit(server.port, using, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_replaced_secret_takes_effect_without_a_restart(httpd, ca, pair, tmp_path, version):
    server = machine(httpd, pair, secret_file(tmp_path, ONE))
    using = context(ca.file, version=version)
    _, old = visit(server.port, using)
    secret = secret_file(tmp_path, TWO)
    server.log.expect("TLS0603", seconds=40)
    assert visit(server.port, using, old)[0], "the secret before"
    _, new = visit(server.port, using)
    fresh = machine(httpd, pair, secret)
    assert visit(fresh.port, using, new)[0]
    assert not visit(fresh.port, using, old)[0]


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_secret_replaced_before_a_restart(httpd, ca, pair, tmp_path, how):
    server = machine(httpd, pair, secret_file(tmp_path, ONE))
    using = context(ca.file, version="1.3")
    _, old = visit(server.port, using)
    secret_file(tmp_path, TWO)
    getattr(server, how)()
    assert visit(server.port, using, old)[0]


FAULTS = {
    "has 31 octets, 32 at least are needed": (ONE[:31], 0o600),
    "is open to everybody (mode 0604): chmod 600 it": (ONE, 0o604),
    "repeats one octet": (bytes(48), 0o600),
    "No such file or directory": (None, 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_secret_is_an_error_at_start(httpd, pair, tmp_path, fault):
    octets, mode = FAULTS[fault]
    secret = tmp_path / "secret"
    if octets is not None:
        secret_file(tmp_path, octets).chmod(mode)
    server = machine(httpd, pair, secret, start=False)
    for said in (server.start_fails(), server.run("-t").stderr):
        assert re.search(rf"ticket secret {re.escape(str(secret))}[: ]", said), said
        assert fault in said
    assert server.run("-S").returncode == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_replacement_is_a_warning(httpd, ca, pair, tmp_path, fault):
    octets, mode = FAULTS[fault]
    secret = secret_file(tmp_path, ONE)
    server = machine(httpd, pair, secret)
    using = context(ca.file, version="1.3")
    _, session = visit(server.port, using)
    if octets is None:
        os.unlink(secret)
    else:
        fresh = tmp_path / "fresh"
        fresh.write_bytes(octets)
        fresh.chmod(mode)
        fresh.rename(secret)
    [line] = server.log.expect("TLS0604", seconds=40)
    assert fault in line.text and "the secret read before stays in force" in line.text
    assert visit(server.port, using, session)[0]


def spoil(secret, octets: bytes | None, mode: int) -> None:
    fresh = secret.parent / "fresh"
    if octets is not None:
        fresh.write_bytes(octets)
        fresh.chmod(mode)
        fresh.rename(secret)
    elif mode:
        os.mkfifo(fresh, mode)
        fresh.rename(secret)
    else:
        os.unlink(secret)


AT_RESTART = {**FAULTS, "has 5 octets": (b"junk\n", 0o600), "no regular file, but a pipe": (None, 0o600)}
RESTART, RESUMED = "AH0049[34]", "resuming normal operations"


@pytest.mark.parametrize("how, fault", [("graceful", fault) for fault in AT_RESTART] + [("restart", "has 5 octets")])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_restart_with_a_faulty_secret_goes_on_with_the_one_before(httpd, ca, pair, tmp_path, how, fault, version):
    """Sessions of before are resumed, new ones are made, and a start with the same file is refused."""
    secret = secret_file(tmp_path, ONE)
    server, other = [machine(httpd, pair, secret, allow=("TLS0604",)) for _ in range(2)]
    using = context(ca.file, version=version)
    _, old = visit(server.port, using)
    spoil(secret, *AT_RESTART[fault])
    getattr(server, how)()
    # The parent may have noticed the file before it was told to restart, but tells of it once from then on.
    told = [line.raw for line in server.log.matching(f"TLS0604|{RESTART}|{RESUMED}")]
    while not re.search(RESTART, told.pop(0)):
        pass
    assert len(told) == 2 and "TLS0604" in told[0] and fault in told[0] and RESUMED in told[1], server.log.text()
    assert visit(server.port, using, old)[0]
    reused, new = visit(server.port, using)
    assert not reused
    assert visit(other.port, using, new)[0], "made of the same secret"
    server.graceful()
    assert visit(server.port, using, new)[0], "a second restart"
    secret.unlink(missing_ok=True)
    secret_file(tmp_path, TWO)
    server.graceful()
    assert visit(server.port, using, old)[0], "the secret before a repaired file"
    spoil(secret, *AT_RESTART[fault])
    server.stop()
    assert fault in server.start_fails()


def test_a_restart_with_another_path_needs_a_secret_there(httpd, pair, tmp_path):
    """What was read from one file stands in for no other: the configuration asks for another secret."""
    server = machine(httpd, pair, secret_file(tmp_path, ONE))
    server.conf.write_text(server.conf.read_text().replace(f"file:{tmp_path}/secret", f"file:{tmp_path}/elsewhere"))
    os.kill(server.pid, signal.SIGUSR1)
    server.expected_exit = None
    assert server.process.wait(30) == 1
    [line] = server.log.expect("TLS0601")
    server.log.allow("AH00020")
    assert f"{tmp_path}/elsewhere" in line.text and f"{server.conf}:" in line.text


@pytest.mark.parametrize("length", [32, 48, 80])
def test_lengths_that_others_use(httpd, ca, pair, tmp_path, length):
    server = machine(httpd, pair, secret_file(tmp_path, ONE[:length]))
    using = context(ca.file, version="1.3")
    _, session = visit(server.port, using)
    assert visit(server.port, using, session)[0]


def test_an_interval_too_short_for_the_lifetime(httpd, pair, tmp_path):
    server = machine(httpd, pair, secret_file(tmp_path, ONE), "60s", start=False)
    assert "with sessions that live 43200 s, use 255 to 604800" in server.start_fails()
