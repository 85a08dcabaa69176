# SPDX-License-Identifier: Apache-2.0
"""What a captured child can do to the process that fetches, and to the verdicts that other children wait for."""
import mmap
import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from harness import process, tls
from harness.agent import named
from harness.captured import REQUESTS, SLOTS, WAITS, Child, bell_of
from harness.certs import Authority
from harness.clients import curl
from harness.config import Vhost
from harness.responder import Responder
from harness.waiting import wait_until

# As rust/core/src/agent/channel/layout.rs lays out what is long, for a child of 16 threads.
LONG_AREAS, LONG, REQUEST = 20480, 65600, 576
MPM = "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64"


def areas(pid: int, name: str) -> list[str]:
    return [line.split()[0] for line in open(f"/proc/{pid}/maps") if f"memfd:{name} " in line]


def der(pair) -> bytes:
    return pair.certificate.public_bytes(Encoding.DER)


class Asking(Child):
    """A child's channel to the process that fetches, which has stood a question in it before."""

    def __init__(self, pid: int, fetcher: int):
        self.pid, self.bell = pid, bell_of(pid, fetcher)
        for area in areas(pid, "mod_tls-requests"):
            file = os.open(f"/proc/{pid}/map_files/{area}", os.O_RDWR)
            start, end = (int(number, 16) for number in area.split("-"))
            self.size = min(end - start, os.fstat(file).st_size)
            self.memory = mmap.mmap(file, self.size)
            stood = [at for at in range(LONG_AREAS, LONG_AREAS + SLOTS * LONG, LONG) if self.memory[at:at + 1] == b"Q"]
            if stood:
                self.question = self.memory[stood[0]:stood[0] + LONG]
                return
        pytest.fail("it asked nothing")

    def ask_about(self, leaf: bytes, issuer: bytes, slot: int) -> None:
        """By the rule of the question that stood there."""
        frame = self.question[:33] + len(leaf).to_bytes(4, "big") + leaf + issuer
        number = (self.word(slot * 4) >> 1) + 1
        self.word(slot * 4, number << 1)
        self.memory[LONG_AREAS + slot * LONG:LONG_AREAS + slot * LONG + len(frame)] = frame
        self.word(REQUESTS + slot * REQUEST, len(frame))
        self.word(slot * 4, number << 1 | WAITS)
        self.ring()


@pytest.fixture
def world(tmp_path):
    authority = Authority("Client CA")
    made = Responder(authority)
    made.directory = tmp_path
    (tmp_path / "ca.pem").write_bytes(authority.pem())
    yield made
    made.end()


def test_one_child_keeps_no_verdict_from_others(httpd, ca, world):
    """All of its questions are about a responder that is silent about them, one about a client of another child's; then it
    writes anything. What others ask the same responder, that client too, is answered meanwhile, by the same process."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""SSLVerifyClient require
SSLCACertificateFile {world.directory}/ca.pem
SSLOCSPEnable on
SSLOCSPResponderTimeout 20""")], engine="mod_tls-ssl", config="TLSFetchLocal on", mpm_settings=MPM, allow=("TLS0",))

    def client(name: str):
        pair = world.issue(name, client=True)
        return pair, tuple(str(file) for file in pair.write(world.directory, name))

    first, (crt, key) = client("first")
    using = tls.context()
    using.load_cert_chain(crt, key)
    with tls.connect(server.port, "a.test", using=using) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
        victim = server.children[0]
        server.graceful()
        [fetcher] = named(server.pid, "tls-fetch")
        captured, issuer = Asking(victim, fetcher), der(world.authority)
        for slot in range(SLOTS - 1):
            captured.ask_about(der(world.issue(f"x{slot}", "silent", client=True)), issuer, slot)
        wait_until(lambda: len(world.asked) >= 4, "its questions to be put")
        both, (crt, key) = client("both")
        captured.ask_about(der(both), issuer, SLOTS - 1)
        assert curl(server.port, "/", "--cert", crt, "--key", key, name="a.test").status == 200
        captured.scribble()
        _, (crt, key) = client("later")
        assert curl(server.port, "/", "--cert", crt, "--key", key, name="a.test").status == 200
        assert named(server.pid, "tls-fetch") == [fetcher] and process.resident_kib(fetcher) < 100_000
