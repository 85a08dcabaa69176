# SPDX-License-Identifier: Apache-2.0
"""x509-limbo and cases of our own, by real handshakes: certificates of clients and of backends, TLS 1.2 and 1.3."""
from fnmatch import fnmatch

import pytest
from harness import admission, limbo
from harness.faketime import Clock
from harness.paths import passable
from harness.proxies import MODULES

# Where ours and mod_ssl's OpenSSL agree with each other and not with the suite. Most are rules for those who issue, and
# section 6 of RFC 5280, which is for those who verify, does not ask for them.
REASONS = {
    "webpki::*": "rules of the CA/Browser Forum for public servers, which bind no private CA",
    "crl::crlnumber-missing": "a list is found by its dates; its number is for those who issue (5.2.3)",
    "cve::cve-2024-0567": "what is trusted did not sign itself, and no path ends at such a certificate",
    "pathlen::max-chain-depth-1-self-issued": "VerifyDepth counts certificates, self-issued ones too",
    "pathlen::validation-ignores-pathlen-in-leaf": "a CA's certificate is not taken for a server's",
    "rfc5280::ca-as-leaf": "a CA's certificate is not taken for a server's",
    "rfc5280::leaf-ku-keycertsign": "key usage of a leaf may say more than it needs",
    "rfc5280::[as]ki::*": "key identifiers help to find a path, and may be missing (6.1)",
    "rfc5280::nc::*": "constraints bind whether critical or not, and say nothing in a leaf",
    "rfc5280::pc::ica-noncritical-pc": "constraints bind whether critical or not",
    "rfc5280::root-*": "an anchor is a name and a key (6.1.1 d)",
    "rfc5280::san::*": "criticality and underscores are matters of those who issue",
    "rfc5280::serial::*": "serial numbers only have to be told apart",
}
# Where ours lets in what both refuse.
BETTER = {
    "webpki::cn::ipv[46]-*": "mod_ssl compares host names alone; the address asked for is in the certificate (RFC 6125)",
}
UNSAID = {"rfc5280::san::malformed", "rfc5280::serial::negative", "rfc5280::duplicate-extensions",
          "rfc5280::mismatching-signature-algorithm", "webpki::explicit-curve", "webpki::cryptographydotio-chain",
          "webpki::cryptographydotio-chain-missing-intermediate"}  # no key, or one that the peer's OpenSSL cannot use


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return passable(tmp_path_factory.mktemp("limbo"))


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def backends():
    made = admission.Backends()
    yield made
    made.close()


@pytest.fixture(scope="module")
def said(directory, backends):
    """How each case is asked: by a client's contexts of both versions, or by the number of a backend."""
    asked, unsaid = {}, set()
    for number, case in enumerate(limbo.cases()):
        file = case.write(directory)
        if case.client:
            contexts = {version: admission.client_context(file, version) for version in admission.VERSIONS}
            usable, asked[case] = all(contexts.values()), contexts
        else:
            usable, asked[case] = backends.add(case.id, file), number
        if not usable:
            unsaid.add(case.id)
            del asked[case]
    assert unsaid == UNSAID
    return asked


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, said, directory, backends, clock):
    vhosts = [case.vhost(ca.issue("limbo.test"), directory) for case in said if case.client]
    sections = [case.section(number, backends.ports[case.id], directory) for case, number in said.items() if not case.client]
    config = "\n".join(["SSLProxyEngine on", "ProxyPreserveHost on", *sections])
    return [shared_httpd(vhosts, engine=engine, config=config, modules=MODULES, environment=clock.environment,
                         log_level=admission.QUIET_FRONT) for engine in ("mod_ssl", "mod_tls-ssl")]


def ask(server, case, how, version) -> bool:
    if case.client:
        return admission.admitted(server, case.host, how[version])
    return admission.fetched(server, f"/{how}/", case.asked)


def test_limbo(servers, said, backends, clock):
    verdicts, moment = {}, None
    for case, how in sorted(said.items(), key=lambda item: item[0].time or 0):
        if case.time != moment:
            moment = case.time
            clock.hold(moment)  # verdicts change from one second to the next
        for backends.version in admission.VERSIONS:
            verdicts[case, backends.version] = [ask(server, case, how, backends.version) for server in servers]
    used, rows = set(), []
    for (case, version), (theirs, ours) in verdicts.items():
        if ours == case.valid:
            continue
        reasons = REASONS if theirs == ours else BETTER
        reason = next((pattern for pattern in reasons if fnmatch(case.id, pattern)), None)
        used.add(reason)
        if not reason:
            rows.append((case.id, version, f"limbo {case.valid}", f"mod_ssl {theirs}", f"ours {ours}"))
    assert not rows, f"{len(rows)} verdicts without a reason:\n{admission.table(rows)}"
    stale = {*REASONS, *BETTER} - used
    assert not stale, f"reasons that nothing needs: {stale}"
