# SPDX-License-Identifier: Apache-2.0
"""The process that fetches: what it may do, what it leaves in files, and that it is replaced."""
import os
import re
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from harness import process
from harness.agent import agent, holds, named, secrets, status
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.ocsp import Responder, names_responder, response
from harness.waiting import wait_until

FETCHER = "tls-fetch"
LOCAL = "TLSFetchLocal on\nTLSKeyIsolation on"
# Lines of the kernel's table of processes (proc(5)).
NOTHING = "0000000000000000"


@pytest.fixture
def responder():
    made = Responder()
    yield made
    made.end()


@pytest.fixture(scope="module")
def below(ca):
    return ca.intermediate("An authority in between")


def fetcher(server) -> int:
    return wait_until(lambda: named(server.pid, FETCHER), "a process that fetches")[0]


def stapled(server, name="a.test") -> str:
    found = re.search(r"Cert Status: (\w+)", s_client(server.port, "-status", name=name).text)
    return found[1] if found else ""


def pair_of(below, responder, name="a.test"):
    """A certificate that names the responder, which finds it good."""
    pair = below.issue(name, extensions=[names_responder(responder.url)])
    responder.answers[pair.certificate.serial_number] = lambda: response(below, pair)
    return pair


@pytest.fixture
def server(httpd, below, responder):
    made = httpd([Vhost("a.test", [pair_of(below, responder)])], config=LOCAL)
    wait_until(lambda: stapled(made) == "good", "a response", 60)
    return made


def test_what_it_has_given_up(server, responder):
    pid = fetcher(server)
    now = status(pid)
    user = set(now["Uid"].split()) | set(now["Gid"].split())
    assert len(user) == 1 and not user & {"0", str(os.getuid())}
    assert user != set(status(agent(server).signer)["Uid"].split()), "nor the key agent's"
    assert {now[name] for name in ("CapPrm", "CapEff", "CapInh", "CapBnd")} == {NOTHING}
    assert (now["NoNewPrivs"], now["Seccomp"], now["Groups"]) == ("1", "2", "")
    limits = Path(f"/proc/{pid}/limits").read_text()
    for limit in ("Max core file size", "Max file size"):
        assert re.search(rf"{limit} +0 +0 ", limits), limit
    assert not re.search("Max data size +unlimited", limits)
    opened = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    kinds = ("socket:", "anon_inode:", "/dev/null", "/memfd:mod_tls-requests", "pidfd")
    assert all(link.startswith(kinds) for link in opened), opened
    key = server.vhosts[0].pairs[0].key
    assert not holds(pid, secrets(key))
    assert holds(agent(server).signer, secrets(key)), "the search finds it where it is"


def test_it_runs_only_where_something_is_fetched(httpd, below, ca):
    server = httpd([Vhost("a.test", [below.issue("a.test")])])
    assert curl(server.port, ca=ca.file).status == 200
    wait_until(lambda: not named(server.pid, FETCHER), "it to be gone")


def test_one_response_is_asked_for_once(server, responder, below):
    asked = len(responder.asked)
    for _ in range(5):
        assert stapled(server) == "good"
    server.graceful()
    assert stapled(server) == "good", "a graceful restart keeps it"
    assert len(responder.asked) == asked == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_it_is_replaced(server, responder, how):
    before = fetcher(server)
    os.kill(before, how)
    assert stapled(server) == "good", "nobody waits for it"
    server.log.expect("TLS0817: the process that fetches .* (died|had been stopped)", seconds=60)
    wait_until(lambda: fetcher(server) != before, "another one")
    assert not process.alive(before)
    wait_until(lambda: stapled(server) == "good", "what the one before had")
    assert len(responder.asked) == 1, "nothing is asked again for that"


def test_responses_outlive_a_stop(server, responder):
    files = wait_until(lambda: list((server.home / "run" / "tls-fetched").glob("*.ocsp")), "the file", 60)
    assert [file.suffix for file in files] == [".ocsp"] and files[0].stat().st_mode & 0o777 == 0o600
    kept = ocsp.load_der_ocsp_response(files[0].read_bytes())
    assert kept.certificate_status is ocsp.OCSPCertStatus.GOOD
    server.stop()
    responder.end()
    server.start()
    wait_until(lambda: stapled(server) == "good", "what was kept, without a responder")
    assert len(responder.asked) == 1


def test_a_file_that_somebody_spoiled_is_not_sent(server, responder, below):
    (path,) = wait_until(lambda: list((server.home / "run" / "tls-fetched").glob("*.ocsp")), "the file", 60)
    server.stop()
    other = below.issue("other.test")
    path.write_bytes(response(below, other))
    del responder.answers[server.vhosts[0].pairs[0].certificate.serial_number]
    server.log.allow("TLS0814")
    server.start()
    server.log.expect("TLS0814: stapling: no OCSP response could be had for CN=a.test", seconds=60)
    assert stapled(server) == ""


def test_a_certificates_address_does_not_reach_inside(httpd, below, responder):
    server = httpd([Vhost("a.test", [pair_of(below, responder)])])
    server.log.expect("TLS0814: .*CN=a.test.*it leads to a loopback address", seconds=60)
    assert stapled(server) == "" and not responder.asked


def test_of_two_servers_neither_can_signal_the_others(httpd, below, responder):
    servers = [httpd([Vhost("a.test", [pair_of(below, responder)])], config=LOCAL) for _ in range(2)]
    users = {status(fetcher(server))["Uid"].split()[0] for server in servers}
    users |= {status(agent(server).signer)["Uid"].split()[0] for server in servers}
    assert len(users) == 4
