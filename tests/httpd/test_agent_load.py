# SPDX-License-Identifier: Apache-2.0
"""Under load: keys are swapped, the agent dies; no handshake and no open connection notices."""
import os
import signal
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from harness import process, tls
from harness.agent import agent
from harness.clients import curl
from harness.config import Vhost
from harness.rustls_client import rustls_client
from harness.threads import Threads
from harness.waiting import wait_until

HOSTS, ROUNDS = 50, 4
NAMES = [f"h{n}.test" for n in range(HOSTS)]


class Handshakes(Threads):
    """Full handshakes with a request each, by the rustls client, until the block ends."""

    def __init__(self, server, ca, names, clients: int = 2):
        super().__init__(self._run, clients)
        self.done, self.faults = 0, []
        self._server, self._ca, self._names = server, ca, names

    def _run(self, first: int):
        turn = first
        while not self.stopping:
            try:
                rustls_client(self._server.port, "--connections", "40", "--path", "/", "--expect-status", "200", "--quiet",
                              "--expect-resumed", "0", name=self._names[turn % len(self._names)], ca=self._ca.file)
            except AssertionError as fault:
                self.faults.append(str(fault))
            self.done += 40
            turn += 7


def write_pairs(server, ca, turn: int) -> list[bytes]:
    """A new certificate with a new key for every virtual host, each file complete at once."""
    made = []
    for n, name in enumerate(NAMES):
        pair = ca.issue(name, kind="rsa2048" if (n + turn) % 12 == 0 else "p256")
        new = server.put(f"certs/{n}.new", pair.combined_pem(), 0o600)
        os.rename(new, server.home / f"certs/{n}.pem")
        made.append(pair.certificate.public_bytes(Encoding.DER))
    return made


def served(server, name: str) -> bytes:
    with tls.connect(server.port, name) as connection:
        return connection.getpeercert(True)


def test_two_hundred_swaps(httpd, ca):
    server = httpd([], config="TLSReload 1\nKeepAliveTimeout 60", start=False, log_level="notice")
    write_pairs(server, ca, 0)
    server.write([Vhost(name, extra=f"TLSCertificate certs/{n}.pem") for n, name in enumerate(NAMES)])
    server.start()
    children = server.children
    kept = tls.connect(server.port, NAMES[0], ca=ca.file)
    with Handshakes(server, ca, NAMES) as load:
        for turn in range(1, ROUNDS + 1):
            write_pairs(server, ca, turn)
            server.log.expect("TLS0801", count=HOSTS * turn)
            assert tls.get(kept, host=NAMES[0])[0] == 200
    assert load.faults == [] and load.done > HOSTS
    assert set(children) <= set(server.children)
    server.log.expect("TLS0801", count=HOSTS * ROUNDS)


@pytest.mark.parametrize("victim", ["signer", "supervisor", "both"])
def test_deaths_under_load(httpd, ca, victim):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], 
                   allow=("TLS0304", "TLS0306", *(["TLS0402"] if victim == "both" else [])))
    kept = [tls.connect(server.port, "a.test", ca=ca.file) for _ in range(3)]
    stop, faults, answered = threading.Event(), [], [0] * len(kept)

    def keep(n: int) -> None:
        while not stop.is_set():
            if tls.get(kept[n])[0] != 200:
                faults.append("a request on an open connection")
            answered[n] += 1

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(len(kept))]
    for thread in threads:
        thread.start()
    try:
        with Handshakes(server, ca, ["a.test"], clients=1) as load:
            for _ in range(3):
                before, done, had = agent(server), load.done, list(answered)
                for pid in {"signer": [before.signer], "supervisor": [before.supervisor]}.get(
                        victim, [before.supervisor, before.signer]):
                    os.kill(pid, signal.SIGKILL)
                if victim != "both":
                    assert curl(server.port, ca=ca.file).status == 200, "the first new handshake"
                wait_until(lambda: agent(server) != before and load.done > done, "an agent, and handshakes", 30)
                wait_until(lambda: all(now > then + 1 for now, then in zip(answered, had)), "answers on all open connections", 30)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    # With nobody left, a handshake may meet its second's end before httpd has made another agent.
    assert victim == "both" or load.faults == []


def test_open_connections_need_no_agent(httpd, ca):
    """Whoever waited for one here would wait for ever."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])])
    with tls.connect(server.port, "a.test", ca=ca.file) as kept:
        stopped = agent(server)
        process.pause(stopped.supervisor, stopped.signer)
        try:
            for _ in range(3):
                assert tls.get(kept)[0] == 200
        finally:
            for pid in (stopped.signer, stopped.supervisor):
                os.kill(pid, signal.SIGCONT)
