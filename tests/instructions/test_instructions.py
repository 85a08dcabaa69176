# SPDX-License-Identifier: Apache-2.0
"""What operations cost in instructions, which no other program on the machine changes: the guard of bench/'s figures.

httpd -X runs under valgrind, once with a few operations of each kind and once for each kind with more of it: what is
between the two is that kind's. Instructions of the whole process count, httpd's own included; keys are in that process,
so that signatures count. limits.json has the most that each operation may take, some eight per cent above what it took
when that was written: who makes one dearer sees it here, who makes one cheaper lowers its limit.

What counting for the metrics takes of each is told apart, by the sources that its instructions are of (`counting` in
limits.json): 3,000 of them are at most a microsecond.
"""
import base64
import json
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest
from harness import paths, tls
from harness.clientauth import Clients
from harness.config import Vhost
from harness.ech import keys_in_dns
from harness.rustls_client import rustls_client
from harness.waiting import wait_until

LIMITS = json.loads(Path(__file__).with_name("limits.json").read_text())
KIB, MIB = 1024, 1024 * 1024
PREFORK = "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\nMaxRequestWorkers 1"
WARM = 3
# So many more of each: lives of httpd differ by some 100,000 for other reasons, which must be little beside it. What GREASE
# adds is the difference of two handshakes, and one in 256 names a key of ours by chance and is tried, so that it takes the most.
MORE = {"full": 20, "resumed": 20, "mutual": 12, "request": 2000, "mebibyte": 8, "bare": 600, "grease": 600, "ech": 60}
# Handshakes of one client, whose hellos differ in what they offer of Encrypted ClientHello: what an offer adds counts.
OFFERS = {"bare": "notoffered", "grease": "grease", "ech": "accepted"}
ABOVE = {"grease": "bare", "ech": "bare"}


class Client:
    """Does what is counted."""

    def __init__(self, server, clients: Clients):
        self.keys = base64.b64decode(keys_in_dns(server)).hex()
        self.port, self.using, self.session = server.port, tls.context(version="1.3"), None
        self.mutual_using = tls.context(version="1.3")
        _, certificate, _, key = clients.good
        self.mutual_using.load_cert_chain(certificate, key)

    def full(self, count: int) -> None:
        for _ in range(count):
            self._ask(1, "/small", tls.connect(self.port, using=tls.context(version="1.3")))

    def mutual(self, count: int) -> None:
        for _ in range(count):
            self._ask(1, "/small", tls.connect(self.port, "mutual.test", using=self.mutual_using), "mutual.test")

    def resumed(self, count: int) -> None:
        for _ in range(count):
            connection = tls.connect(self.port, using=self.using, session=self.session)
            assert connection.session_reused == (self.session is not None)
            self.session = self._ask(1, "/small", connection)

    def request(self, count: int) -> None:
        self._ask(count, "/small", tls.connect(self.port, using=self.using))

    def mebibyte(self, count: int) -> None:
        self._ask(count, "/large", tls.connect(self.port, using=self.using))

    def bare(self, count: int) -> None:
        self._offer(count, "bare")

    def grease(self, count: int) -> None:
        self._offer(count, "grease", "--ech", "grease")

    def ech(self, count: int) -> None:
        self._offer(count, "ech", "--ech", self.keys)

    def _offer(self, count: int, name: str, *words: str) -> None:
        """Handshakes, each of them full, and nothing more."""
        rustls_client(self.port, "--versions", "1.3", "--groups", "X25519", "--requests", "0", "--connections", str(count), "--quiet",
                      "--expect-resumed", "0", "--expect-ech", OFFERS[name], *words)

    @staticmethod
    def _ask(count: int, path: str, connection, host: str = "a.test"):
        with connection:
            for _ in range(count):
                status, _, body = tls.get(connection, path, host)
                assert status == 200 and len(body) == (KIB if path == "/small" else MIB)
            return connection.session


# Where the module counts, as source or as function.
COUNTING = re.compile(r"rust/core/src/metrics/|session/counting\.rs|mod_tls_core7metrics|mod_tls_core::metrics")


def of_counting(out: Path) -> int:
    """Instructions in a file of cachegrind's: after a line of a file and one of a function come those of its lines."""
    total, file, counts = 0, "", False
    for line in out.read_text(errors="replace").splitlines():
        if line.startswith("fl="):
            file = line
        elif line.startswith("fn="):
            counts = bool(COUNTING.search(file) or COUNTING.search(line))
        elif counts and line[:1].isdigit():
            total += int(line.split()[1])
    return total


def run(server, clients: Clients, more: str | None) -> tuple[int, int]:
    """Instructions of a whole life of httpd, with more of one kind in it, and those of them that count for the metrics."""
    log, out = server.home / f"valgrind.{more}", server.home / "counted" / f"cachegrind.{more}"
    out.parent.mkdir(exist_ok=True)
    out.parent.chmod(0o777)  # httpd's own user writes it, at its end
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}", paths.HTTPD, "-X", "-f", str(server.conf)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=server.environment())
    try:
        wait_until(server._listens, "httpd under valgrind", 120)
        client = Client(server, clients)
        for name in MORE:
            getattr(client, name)(WARM + (MORE[name] if name == more else 0))
    finally:
        process.terminate()
        process.wait(120)
    return int(re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())[1].replace(",", "")), of_counting(out)


@pytest.fixture(scope="module")
def counted(tmp_path_factory, shared_httpd, ca):
    """Of a few operations, and of a few more for each kind; two at a time."""
    clients = Clients(tmp_path_factory.mktemp("clients"))
    asks = f"TLSClientCertificate required\nTLSClientCA {clients.pem(clients.ca, 'clients')}"
    hosts = [Vhost("a.test", [ca.issue("a.test")]), Vhost("public.test", [ca.issue("public.test")]), Vhost("mutual.test", [ca.issue("mutual.test")], extra=asks)]
    found: dict[str | None, tuple[int, int]] = {}
    todo = [None, *MORE]

    def work(server) -> None:
        run(server, clients, None)  # the first life of a server makes its keys of ECH, which later ones read
        while todo:
            more = todo.pop()
            found[more] = run(server, clients, more)

    servers = []
    for _ in range(2):
        server = shared_httpd(hosts, start=False, mpm="prefork", mpm_settings=PREFORK, allow=("TLS0302",),
                              config='KeepAliveTimeout 60\nTLSECH public.test "@HOME@/ech"')
        for name in ("a.test", "mutual.test"):
            server.put(f"docs/{name}/small", b"x" * KIB)
            server.put(f"docs/{name}/large", b"x" * MIB)
        servers.append(server)
    threads = [threading.Thread(target=work, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def each(counted, name: str, which: int = 0) -> float:
    return (counted[name][which] - counted[None][which]) / MORE[name]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MORE)
def test_an_operation_takes_no_more_than_it_may(counted, name):
    assert set(counted) == {None, *MORE}, "a run failed: see what its thread said"
    found, limit = each(counted, name), LIMITS[name]
    if name in ABOVE:
        found -= each(counted, ABOVE[name])
    print(f"{name}: {found:,.0f} instructions, limit {limit:,}")
    if "MOD_TLS_INSTRUCTIONS" in os.environ:          # a file that gets what was found, for limits.json
        with open(os.environ["MOD_TLS_INSTRUCTIONS"], "a") as out:
            out.write(f"{name} {found:.0f}\n")
    assert found <= limit, f"{name} takes {found:,.0f} instructions, {found / limit - 1:.0%} above its limit: make it cheaper, " \
                           "or say in limits.json and in the commit why it has to be dearer"
    # What is added to a handshake is little beside what lives of httpd differ by.
    assert found > limit * (0.3 if name in ABOVE else 0.7), f"{name} takes {found:,.0f} instructions: lower its limit, or look whether it still does anything"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LIMITS["counting"])
def test_counting_for_the_metrics_takes_no_more_than_it_may(counted, name):
    assert set(counted) == {None, *MORE}, "a run failed: see what its thread said"
    found, limit = each(counted, name, 1), LIMITS["counting"][name]
    print(f"counting of {name}: {found:,.0f} instructions, limit {limit:,}")
    assert 0 < found <= limit, f"counting takes {found:,.0f} instructions of {name}, its limit is {limit:,}"
