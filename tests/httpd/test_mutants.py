# SPDX-License-Identifier: Apache-2.0
"""Certificates and revocation lists with faults of every kind: the verdict is mod_ssl's, or it differs for a reason that is known.

A few hundred of the 10,000 that test_judges.py shows to both validators; MOD_TLS_MUTANTS says how many, and -s prints what was found."""
import os
from pathlib import Path

import pytest
from harness import admission, differences, keys, mutants
from harness.config import Vhost
from harness.libcrypto import reads_list
from harness.paths import passable
from harness.pkits import pem

COUNT = int(os.environ.get("MOD_TLS_MUTANTS", "400"))
SEED = int(os.environ.get("MOD_TLS_SEED", "1"))
# A fifth are lists, a virtual host each.
LISTS, HOSTS = COUNT // 5, 400
ENGINES = ("mod_ssl", "mod_tls-ssl")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    made = passable(tmp_path_factory.mktemp("mutants"))
    (made / "root.pem").write_bytes(pem("CERTIFICATE", mutants.root()))
    return made


def client_file(directory: Path, chain: list[bytes]) -> Path:
    file = directory / "client.pem"
    file.write_bytes(b"".join(pem("CERTIFICATE", one) for one in chain) + keys.pem(mutants.KEYS[mutants.LEAF]))
    return file


def vhost(ca, name: str, directory: Path, extra: str = "") -> Vhost:
    return Vhost(name, [ca.issue(name)], extra=f"""SSLVerifyClient require
SSLVerifyDepth 10
SSLCACertificateFile {directory}/root.pem
{extra}""")


def processor_nanoseconds(server) -> int:
    """What the children have used so far."""
    files = (file for pid in server.children for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(file.read_text().split()[0]) for file in files)


class Comparison:
    """Asks both servers, and collects what differs without a reason."""

    def __init__(self, servers):
        self.servers, self.rows, self.costs, self.counts = servers, [], [], {}

    def ask(self, mutant, host, context) -> None:
        verdicts, spent = [], []
        for server in self.servers:
            before = processor_nanoseconds(server)
            verdicts.append(admission.admitted(server, host, context))
            spent.append(processor_nanoseconds(server) - before)
        self.costs.append((*spent, mutant))
        self.counts[tuple(verdicts)] = self.counts.get(tuple(verdicts), 0) + 1
        if verdicts[0] != verdicts[1]:
            said = [admission.reason(server, lambda: admission.admitted(server, host, context)) for server in self.servers]
            changes = " ".join(mutant.changes)
            if differences.of(changes, *said) is None:
                self.rows.append((mutant.number, changes, f"mod_ssl: {said[0]}", f"ours: {said[1]}"))

    def judge(self, what: str) -> None:
        theirs, ours = (sum(cost[side] for cost in self.costs) for side in (0, 1))
        worst = sorted(self.costs, key=lambda cost: cost[1] / max(cost[0], 1), reverse=True)[:5]
        print(f"{what}: {self.counts} (mod_ssl, ours); processor: {ours / theirs:.2f} of mod_ssl's; worst: "
              + "; ".join(f"{cost[1] / 1e6:.1f} against {cost[0] / 1e6:.1f} ms, {' '.join(cost[2].changes)}" for cost in worst))
        assert not self.rows, f"{len(self.rows)} of {len(self.costs)} differ without a reason:\n{admission.table(self.rows)}"


def test_certificates(shared_httpd, ca, directory):
    servers = [shared_httpd([vhost(ca, "a.test", directory)], engine=engine, ports=("TLS",), log_level=admission.TELLING, allow=(".",))
               for engine in ENGINES]
    comparison, unsent = Comparison(servers), 0
    good = admission.client_context(client_file(directory, mutants.good_chain()), "1.3")
    assert all(admission.admitted(server, "a.test", good) for server in servers), "the good certificate"
    for mutant, chain in mutants.chains(COUNT - LISTS, SEED):
        context = admission.client_context(client_file(directory, chain), "1.3")
        if context is None:
            unsent += 1  # OpenSSL, the client's and mod_ssl's, cannot read it
        else:
            comparison.ask(mutant, "a.test", context)
    print(f"{unsent} could not be sent")
    assert len(comparison.costs) > COUNT // 4
    comparison.judge("certificates")


def test_lists(httpd, ca, directory):
    """A list that mod_ssl's OpenSSL cannot read keeps it from starting; such lists are not compared."""
    readable = [mutant for mutant in mutants.lists(LISTS, SEED) if reads_list(mutant.der)]
    assert len(readable) > LISTS // 4
    context = admission.client_context(client_file(directory, mutants.good_chain()), "1.3")
    for begin in range(0, len(readable), HOSTS):
        part = readable[begin:begin + HOSTS]
        vhosts = []
        for mutant in part:
            file = directory / f"{mutant.number}.crl"
            file.write_bytes(pem("X509 CRL", mutant.der))
            vhosts.append(vhost(ca, f"l{mutant.number}.test", directory, f"""SSLCARevocationFile {file}
SSLCARevocationCheck leaf"""))
        servers = [httpd(vhosts, engine=engine, ports=("TLS",), log_level=admission.TELLING, allow=(".",)) for engine in ENGINES]
        comparison = Comparison(servers)
        for mutant in part:
            comparison.ask(mutant, f"l{mutant.number}.test", context)
        comparison.judge("lists")
        for server in servers:
            server.stop()
