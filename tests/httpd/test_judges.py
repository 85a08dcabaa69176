# SPDX-License-Identifier: Apache-2.0
"""10,000 certificates and revocation lists, mutated from good ones: our validator's verdict is OpenSSL's, as mod_ssl uses it, or the difference is
in the table of reasons (harness/differences.py). Without handshakes; test_mutants.py shows a share of them to real servers."""
import os
import re
from collections import Counter

import pytest
from harness import admission, differences, faults, judges, keys, mutants
from harness.config import Vhost
from harness.paths import ROOT, passable
from harness.pkits import pem
from harness.variations import key

SEED = int(os.environ.get("MOD_TLS_SEED", "1"))
DOCUMENT = ROOT / "docs" / "robustness.md"
# Where both refuse a client of two ordinary faults and tell another one first.
OTHER_WORDS = [
    (r"", "certificate signature failure", "what nobody signed is nobody's word, whatever else it says"),
    ("key usage does not include CRL signing", "CRL (has expired|is not yet valid)", "a list that is not in force is looked at no further"),
]


@pytest.fixture(scope="module")
def mutated():
    cases = list(mutants.worlds(10_000, SEED))
    return cases, judges.both([case.world for case in cases])


def test_verdicts_are_openssls_or_there_is_a_reason(mutated):
    cases, verdicts = mutated
    rows, met = [], Counter()
    for case, (theirs, ours) in zip(cases, verdicts):
        if theirs.let_in != ours.let_in:
            reason = differences.of(case.changes, theirs.said, ours.said)
            met[reason] += 1
            if reason is None:
                rows.append((case.changes, f"OpenSSL: {theirs.said}", f"ours: {ours.said}"))
    assert not rows, f"{len(rows)} of {len(cases)} differ without a reason:\n{admission.table(rows)}"
    # A pair that agrees by accident shows nothing: enough get past the reading, and enough are let in.
    let_in = sum(ours.let_in for _, ours in verdicts)
    judged = sum(ours.units >= 100 for _, ours in verdicts)
    assert let_in > 2000 and judged > 5000, (let_in, judged)
    if SEED == 1:
        stale = [row.kind for row in differences.TABLE if not met[row]]
        assert not stale, f"reasons that nothing needs: {stale}"


def test_no_mutant_costs_more_than_a_good_one_does(mutated):
    """In units of work: nothing that is odd makes it work harder. Two signatures, and a third for a list."""
    cases, verdicts = mutated
    [good, listed] = (ours.units for _, ours in judges.both([mutants.good_world(), mutants.good_world(listed=True)]))
    dearest = max((ours.units, case.changes) for case, (_, ours) in zip(cases, verdicts))
    assert good < listed and dearest[0] <= listed + 10, (good, listed, dearest)


def test_of_two_faults_the_one_is_told_that_mod_ssl_tells():
    cases = list(faults.all_cases())
    rows, used = [], set()
    for case, (theirs, ours) in zip(cases, judges.both([judges.world(c.sent, c.trusted, c.lists, c.check) for c in cases])):
        if (theirs.let_in, theirs.number) == (ours.let_in, ours.number):
            continue
        reason = next((why for told, other, why in OTHER_WORDS if not theirs.let_in and re.match(told, theirs.said) and re.match(other, ours.said)), None)
        used.add(reason)
        if reason is None:
            rows.append((case.name, f"OpenSSL: {theirs.said}", f"ours: {ours.said}"))
    assert not rows, f"{len(rows)} of {len(cases)} are told otherwise:\n{admission.table(rows)}"
    assert len(cases) > 1000 and used == {why for _, _, why in OTHER_WORDS}


def test_the_lines_of_real_servers_tell_the_same(shared_httpd, ca, tmp_path_factory):
    """Of ordinary pairs, as both servers log them: number and words."""
    home = passable(tmp_path_factory.mktemp("faults"))
    wanted = ("expired and revoked, leaf", "CA expired and revoked, leaf", "not yet valid and unknown root, none", "expired and unknown root, none",
              "expired and list expired, leaf", "expired and for servers, none", "revoked and for servers, leaf", "expired and no list, chain",
              "revoked, leaf", "expired, none", "CA revoked and name excluded, chain")
    cases = [case for case in faults.all_cases() if case.name in wanted]
    assert len(cases) == len(wanted)
    hosts = []
    for number, case in enumerate(cases):
        (home / f"{number}.ca").write_bytes(b"".join(pem("CERTIFICATE", one) for one in case.trusted))
        (home / f"{number}.crl").write_bytes(b"".join(pem("X509 CRL", one) for one in case.lists))
        (home / f"{number}.pem").write_bytes(b"".join(pem("CERTIFICATE", one) for one in case.sent) + keys.pem(key("client")))
        hosts.append(Vhost(f"f{number}.test", [ca.issue(f"f{number}.test")], extra=f"""SSLVerifyClient require
SSLVerifyDepth 10
SSLCACertificateFile {home}/{number}.ca
SSLCARevocationFile {home}/{number}.crl
SSLCARevocationCheck {case.check}"""))
    servers = [shared_httpd(hosts, engine=engine, ports=("TLS",), log_level=admission.TELLING, allow=(".",)) for engine in ("mod_ssl", "mod_tls-ssl")]
    for number, case in enumerate(cases):
        context = admission.client_context(home / f"{number}.pem", "1.3")
        theirs, ours = (admission.reason(server, lambda server=server: admission.admitted(server, f"f{number}.test", context)) for server in servers)
        assert theirs == ours and "let in" not in ours, (case.name, theirs, ours)


def test_the_document_has_the_reasons():
    text = DOCUMENT.read_text()
    for line in differences.table(Counter()).splitlines()[2:]:
        kind, theirs, ours, _, why = line.strip("| ").split(" | ")
        assert re.search(rf"^\| {re.escape(kind)} \| {theirs} \| {ours} \| [\d,]+ \| {re.escape(why)} \|$", text, re.M), f"run bench/judges.py: {kind}"
