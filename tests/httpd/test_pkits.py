# SPDX-License-Identifier: Apache-2.0
"""NIST's suite of certificate paths, by real handshakes: as certificates of clients and of backends, TLS 1.2 and 1.3."""
import time

import pytest
from harness import admission, pkits
from harness.faketime import Clock
from harness.paths import passable
from harness.proxies import MODULES

# Tests in which ours refuses what NIST accepts, as mod_ssl does too. Nothing is let in that NIST refuses.
REFUSED = {
    "4.1.4": "signed with DSA, which is in no list of TLS 1.3 and not in AWS-LC",
}
UNSAID = {"4.1.5": "the client's OpenSSL cannot use a DSA key whose parameters are inherited"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    made = passable(tmp_path_factory.mktemp("pkits"))
    (made / "anchor.pem").write_bytes(pkits.anchor())
    return made


@pytest.fixture(scope="module")
def suite(directory):
    """Each test that can be said with what its peer sends, in a file."""
    said = {test: test.client_file(directory) for test in pkits.tests() if test.number not in UNSAID}
    assert len(said) == 223
    return said


@pytest.fixture(scope="module")
def clock():
    """Nothing, or what a server needs when the suite has expired."""
    late = time.time() - pkits.EXPIRES.timestamp()
    if late < 0:
        yield {}
        return
    made = Clock()
    made.set(-round(late))
    yield made.environment


@pytest.fixture(scope="module")
def guarded(shared_httpd, ca, suite, directory, clock):
    """Servers with a virtual host for each test."""
    def make(engine):
        return shared_httpd([test.vhost(ca.issue("pkits.test"), directory) for test in suite], engine=engine, ports=("TLS",),
                            environment=clock, log_level=admission.QUIET, modules=MODULES)
    return make("mod_ssl"), make("mod_tls-ssl")


def judge(verdicts: dict) -> None:
    """Verdicts of mod_ssl and of ours for each test and version, against NIST's."""
    rows = [(test.number, version, test.leaf, f"NIST {test.valid}", f"mod_ssl {theirs}", f"ours {ours}")
            for (test, version), (theirs, ours) in verdicts.items()
            if ours != test.valid and not (test.number in REFUSED and not ours and not theirs)]
    assert not rows, f"{len(rows)} verdicts are not NIST's:\n{admission.table(rows)}"
    stale = set(REFUSED) - {test.number for (test, _), (_, ours) in verdicts.items() if ours != test.valid}
    assert not stale, f"these are no longer refused: {stale}"


def test_clients(guarded, suite):
    verdicts = {}
    for version in admission.VERSIONS:
        for test, file in suite.items():
            context = admission.client_context(file, version)
            assert context, f"{test.number} cannot be sent"
            verdicts[test, version] = [admission.admitted(server, test.host, context) for server in guarded]
    judge(verdicts)


def test_backends(shared_httpd, suite, directory, clock):
    """The same certificates shown by backends, whose names nobody looks at."""
    backends = admission.Backends()
    sections = []
    for number, (test, file) in enumerate(suite.items()):
        assert backends.add(test.number, file)
        sections.append(test.section(number, backends.ports[test.number], directory))
    config = "\n".join(["SSLProxyEngine on", *sections])
    fronts = [shared_httpd([], engine=engine, config=config, modules=MODULES, environment=clock, log_level=admission.QUIET_FRONT,
                           tls_engine=None, ports=("PLAIN",)) for engine in ("mod_ssl", "mod_tls-ssl")]
    verdicts = {}
    try:
        for backends.version in admission.VERSIONS:
            for number, test in enumerate(suite):
                verdicts[test, backends.version] = [admission.fetched(front, f"/{number}/", "a.test") for front in fronts]
    finally:
        backends.close()
    judge(verdicts)
