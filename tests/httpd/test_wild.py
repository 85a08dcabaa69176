# SPDX-License-Identifier: Apache-2.0
"""Configurations of the wild behave with this module as they do with mod_ssl, but for what the documents list."""
import re

import pytest
from harness.materials import Materials
from harness.wild import all_configurations, listed_differences, read
from harness.wild_compare import compare, differences, refusal

# Differences of every configuration: id, the fields that show it, and the option that a request needs for it.
EVERYWHERE = [
    ("library-name", r"(env|log.*) SSL_VERSION_.*|header server|(env|log.*) SSL_SESSION_ID", None),
    ("new-variables", r"env SSL_(GROUP|SIGALG|ALPN)", None),
    ("resumed-sni", r"(env|log) SSL_TLS_SNI", "resume"),
    ("old-versions", "alert", "old"),
    ("resumed-chain", r"(env|log) SSL_CLIENT_CERT_CHAIN_\d", "resume"),
    ("plain-http-page", "body", "plain"),
]
# Differences that a directive brings: -t -D DUMP_TLS_MIGRATION names its line.
FORETOLD = {"old-suites": "SSLCipherSuite", "old-versions": "SSLProtocol", "per-directory-verify": "SSLVerifyClient"}


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    return Materials(tmp_path_factory.mktemp("materials"))


CONFIGURATIONS = [read(path) for path in all_configurations()]


@pytest.mark.parametrize("wild", [wild for wild in CONFIGURATIONS if not wild.stops and not wild.fails], ids=lambda wild: wild.name)
def test_as_with_mod_ssl(wild, materials):
    assert wild.family and len(wild.requests) >= 10
    allowed = [(identity, re.compile(fields), option) for identity, fields, option in EVERYWHERE]
    allowed += [(identity, fields, None) for identity, fields in wild.differs + wild.may]
    named = {identity for identity, _, _ in allowed} | {request.difference for request in wild.requests if request.difference}
    assert named <= listed_differences(), "every difference has its row in the document"
    met, wrong = set(), []
    compared = compare(wild, materials)
    for request, theirs, ours in compared.answers:
        expected = request.outcome, request.our_outcome or request.outcome
        outcomes = theirs["outcome"], ours["outcome"]
        if outcomes != expected:
            wrong.append(f"{request.line}\n    mod_ssl {outcomes[0]} {theirs.get('alert', '')}, ours {outcomes[1]} {ours.get('alert', '')}")
        if outcomes[0] != outcomes[1]:
            continue
        for name, (there, here) in differences(theirs, ours).items():
            reasons = [identity for identity, fields, option in allowed
                       if fields.fullmatch(name) and (option is None or option in request.options)]
            met.update(reasons)
            if not reasons:
                wrong.append(f"{request.line}\n    {name}: mod_ssl {there!r}, ours {here!r}")
    shown = {request.difference for request in wild.requests} | {identity for identity, _ in wild.differs}
    for identity in shown & FORETOLD.keys():
        if FORETOLD[identity] in wild.text + "".join(wild.texts.values()) and f": {FORETOLD[identity]}: " not in compared.foretold:
            wrong.append(f"not foretold: {identity}\n{compared.foretold}")
    theirs, ours = compared.refusals
    if theirs != ours and not any(request.difference for request in wild.requests):
        wrong.append(f"numbers in error logs: mod_ssl {theirs}, ours {ours}")
    unmet = {identity for identity, _ in wild.differs} - met
    assert not wrong and not compared.faults, "\n".join(wrong + compared.faults)
    assert not unmet, f"no request shows the difference {unmet}"


@pytest.mark.parametrize("wild", [wild for wild in CONFIGURATIONS if wild.stops], ids=lambda wild: wild.name)
def test_what_cannot_be_honoured_stops_the_start(wild, materials):
    said = refusal(wild, materials)
    assert {identity for identity, _ in wild.stops} <= listed_differences()
    for _, text in wild.stops:
        assert text in said


@pytest.mark.parametrize("wild", [wild for wild in CONFIGURATIONS if wild.fails], ids=lambda wild: wild.name)
def test_what_mod_ssl_refuses_is_refused(wild, materials):
    assert wild.fails in refusal(wild, materials)


def test_the_corpus():
    assert len({wild.family for wild in CONFIGURATIONS if wild.requests}) >= 40
    refused = [request for wild in CONFIGURATIONS for request in wild.requests
               if request.outcome in ("refused", "400", "401", "403", "421")]
    assert len(refused) >= 100
