# SPDX-License-Identifier: Apache-2.0
"""What a captured child can do to the signer, and what not: it asks for handshakes' signatures, nothing else works."""
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from harness import process, tls
from harness.agent import agent, key_id
from harness.captured import (DONE, MALFORMED, REQUEST, REQUESTS, RSA_PSS, UNKNOWN_KEY, WAITS, WRONG_MESSAGE,
                              WRONG_SCHEME, Child)
from harness.clients import curl
from harness.config import Vhost
from harness.paths import HTTPD
from harness.sanitizers import room
from harness.threads import Threads
from harness.waiting import wait_until

CAPTURED = Path(__file__).parents[1] / "harness" / "captured.py"
NONE = -1


@pytest.fixture
def besieged(httpd, ca):
    """Makes a server, and a child of it that serves nobody any more but one slow client."""
    slow = []

    def make(pair, **settings):
        mpm = "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64"
        server = httpd([Vhost("a.test", [pair])], allow=(r"TLS0305", "AH00052"), mpm_settings=mpm, **settings)
        slow.append(tls.connect(server.port, ca=ca.file))
        victim = server.children[0]
        slow[0].sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
        server.graceful()
        assert curl(server.port, ca=ca.file).status == 200
        return server, victim

    yield make
    for connection in slow:
        connection.close()


@pytest.fixture
def captured(besieged, ca):
    """A server with a captured child, after what that one did; with what others saw meanwhile."""
    pair = ca.issue("a.test")
    server, victim = besieged(pair)
    before = agent(server)
    size = process.resident_kib(before.signer)
    came = server.home / "came"
    program = subprocess.Popen(["/usr/bin/python3", CAPTURED, str(victim), str(before.signer), came, key_id(pair).hex()])
    served = 0
    while program.poll() is None and served < 2000:
        assert curl(server.port, ca=ca.file).status == 200, "others are served meanwhile"
        served += 1
    assert program.wait(60) == 0
    results = json.loads(came.read_text())
    server.before, server.grown = before, process.resident_kib(before.signer) - size
    return server, pair, results


def verify(pair, signature: str):
    message = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32
    try:
        pair.key.public_key().verify(bytes.fromhex(signature), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        pytest.fail("what a child may ask for is signed")


def test_a_captured_child(captured, ca):
    server, pair, results = captured
    for honest in ("honest", "honest again"):
        status, signature = results[honest]
        assert status == DONE, results
        verify(pair, signature)
    assert results["random_bytes"] == [MALFORMED] and results["lengths"] == [MALFORMED]
    assert results["wrong"] == {"key": UNKNOWN_KEY, "role": UNKNOWN_KEY, "scheme": WRONG_SCHEME, "message": WRONG_MESSAGE,
                                "version": MALFORMED, "number": MALFORMED}
    assert (results["flood"], results["scribble"], results["bell_storm"]) == ("asked", "written", "rung")
    assert results["resize"] == ["EPERM"] * 3
    assert results["reopen"] == {"open requests": "EACCES", "open replies": "EACCES", "map": "EACCES", "write": "EBADF",
                                 "punch": "EBADF"}
    assert results["lock"] == "locked" and results["sockets"] == []
    assert results["death"] == [16, NONE], "what a dead child left behind gets nothing"
    assert agent(server) == server.before, "nothing of this ends it"
    assert server.grown < room(4096), f"the signer grew by {server.grown} KiB"
    lines = wait_until(lambda: server.log.matching("TLS0305"), "a line for the administrator", 30)
    assert "look for a break-in" in lines[0].raw and len(lines) < 200, "bounded"
    for _ in range(8):
        assert curl(server.port, ca=ca.file).status == 200


def test_who_gets_the_number_of_a_dead_child_gets_nothing_else_of_it(besieged, ca):
    """Numbers come round again. The signer, one that takes its place and a restarted parent go by processes, not by them."""
    pair = ca.issue("a.test")
    server, victim = besieged(pair)
    server.log.allow("TLS0304", "TLS0306")
    before, came = agent(server), server.home / "came"
    command = ["/usr/bin/python3", CAPTURED, str(victim), str(before.signer), came, key_id(pair).hex(), "honest", "death", "number"]
    with subprocess.Popen(command) as program:
        wait_until(lambda: process.parent_of(victim) == program.pid, "the number is in other hands", 30)
        assert curl(server.port, ca=ca.file).status == 200
        server.graceful()
        assert curl(server.port, ca=ca.file).status == 200
        os.kill(before.signer, signal.SIGKILL)
        wait_until(lambda: agent(server).signer != before.signer, "a new signer")
        for _ in range(4):
            assert curl(server.port, ca=ca.file).status == 200
        assert process.alive(victim), "it has asked all the time"
        assert program.wait(60) == 0
    results = json.loads(came.read_text())
    assert results["honest"][0] == DONE, results
    assert results["number"] == [victim, [NONE]], results


def test_holes_in_memory_hold_nobody_up(besieged, ca):
    """A child frees the pages that it can write, all the time: signer, supervisor and parent go on, as do new ones."""
    pair = ca.issue("a.test")
    server, victim = besieged(pair)
    before = agent(server)
    command = ["/usr/bin/python3", CAPTURED, str(victim), str(before.signer), server.home / "came", key_id(pair).hex(), "holes"]
    with subprocess.Popen(command) as program:
        try:
            for _ in range(10):
                assert curl(server.port, ca=ca.file).status == 200
            server.log.allow("TLS0304", "TLS0306")
            for name in ("signer", "supervisor"):
                os.kill(getattr(agent(server), name), signal.SIGKILL)
                wait_until(lambda: agent(server).signer != before.signer, "a new signer")
                for _ in range(5):
                    assert curl(server.port, ca=ca.file).status == 200
            server.graceful()
            for _ in range(5):
                assert curl(server.port, ca=ca.file).status == 200
            assert program.poll() is None, "it punches still"
        finally:
            program.kill()


def test_a_child_that_asks_without_end_delays_no_other(besieged, ca):
    """Every slot full of dear signatures, all the time: others get their share, and its death takes its requests along."""
    pair = ca.issue("a.test", kind="rsa4096")
    server, victim = besieged(pair)
    child = Child(victim, agent(server).signer, key_id(pair))
    slots, over, asked = range(32), threading.Event(), []

    def ask_again(_):
        while not over.is_set():
            for slot in filter(child.is_idle, slots):
                asked.append(child.ask(child.request(scheme=RSA_PSS), slot))

    with Threads(ask_again, 1):
        for _ in range(40):
            assert curl(server.port, ca=ca.file).status == 200
        over.set()
    assert len(asked) > 100, "it had its share too"
    for slot in slots:
        child.ask(child.request(scheme=RSA_PSS), slot)
    os.kill(victim, signal.SIGKILL)
    for _ in range(5):
        assert curl(server.port, ca=ca.file).status == 200


def test_httpd_as_pid_1(httpd, ca):
    """In a container: what orphans do there is no matter, since a child is what the MPM forked."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    command = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", HTTPD, "-f", str(server.conf), "-DFOREGROUND"]
    with subprocess.Popen(command, env=server.environment()) as outer:
        try:
            wait_until(lambda: "resuming normal operations" in server.log.text(), "the start")
            for _ in range(4):
                assert curl(server.port, ca=ca.file).status == 200
        finally:
            os.kill(process.children(outer.pid)[0], signal.SIGTERM)
            assert outer.wait(30) == 0


def test_a_child_that_is_stopped_in_the_middle_holds_nobody_up(besieged, ca):
    """Thousands of requests for keys that there are not, then half a request in each slot, and nothing more: neither its
    death nor its answer comes. Others are served, by the same signer, and after a restart by the next."""
    pair = ca.issue("a.test")
    server, victim = besieged(pair)
    before = agent(server)
    child = Child(victim, before.signer, key_id(pair))
    os.kill(victim, signal.SIGSTOP)
    try:
        refused = [child.answer(child.request(key=number.to_bytes(32, "big")), number % 32)[0] for number in range(2000)]
        assert set(refused) == {UNKNOWN_KEY}
        for slot in range(32):
            child.word(slot * 4, child.word(slot * 4) // 2 * 2 + 2 | WAITS)
            child.word(REQUESTS + slot * REQUEST, 0xFFFF)
            child.ring()
        for _ in range(20):
            assert curl(server.port, ca=ca.file).status == 200
        assert agent(server).signer == before.signer
        assert child.answer(child.request())[0] == DONE, "and what is whole is answered still"
        server.graceful()
        assert curl(server.port, ca=ca.file).status == 200
    finally:
        os.kill(victim, signal.SIGCONT)
