# SPDX-License-Identifier: Apache-2.0
"""Hundreds of small worlds of certificates and lists, each odd in one way, beside mod_ssl: the same clients are let in, or there is a reason."""
import re

import pytest
from harness import admission, keys
from harness.config import Vhost
from harness.paths import passable
from harness.pkits import pem
from harness.variations import all_cases, key

ENGINES = ("mod_ssl", "mod_tls-ssl")
# Differences that are meant to be: name of the case, whether ours lets in, and the reason. What ours lets in beyond mod_ssl is what RFC 5280 says.
REASONS = [
    (r"lists .*old R, old 9 G", True, "of two lists of one second the higher number is the later one (5.2.3)"),
    (r"lists old G, old 9 R", False, "of two lists of one second the higher number is the later one (5.2.3)"),
    (r"lists (new|endless|old|old 9) G, (new|endless|old|old 9) R", False, "of lists that are equally late each counts"),
    (r"lists (of another key without identifier|broken R, (new|endless) G)", True, "a list that the CA did not sign is none of its lists (6.3.3 g)"),
    (r"lists (bad|no|good|newer by number) one and a delta", False, "deltas count beside a full list, and alone they say nothing (5.2.4)"),
    (r"part .* / indirect 9", True, "a list for several CAs is one of its own too (5.2.5), which mod_ssl does not use"),
    (r"part 1 of reasons / (users|empty) 9", True, "a list without a name is for all points and reasons (6.3.3, the last paragraph)"),
    (r"part by the CA / ", False, "the name of the list is none that the point means (6.3.3 b 2)"),
    (r"constraint (82|86) not .*('a.test.'|u@a.test)", False, "what is odd of the name does not lead around an exclusion"),
    (r"path (new by old|old by new|both trusted|list of the new key 9|with room|twin of another key)", True,
     "there is a path, and OpenSSL does not look for a second one"),
]


@pytest.fixture(scope="module")
def cases():
    return all_cases()


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, cases, tmp_path_factory):
    """Both, with a virtual host for each case, and the directory of what clients send."""
    home = passable(tmp_path_factory.mktemp("variations"))
    pair = ca.issue("*.variations.test")
    hosts = []
    for number, case in enumerate(cases):
        (home / f"{number}.ca").write_bytes(b"".join(pem("CERTIFICATE", one) for one in case.trusted))
        (home / f"{number}.pem").write_bytes(b"".join(pem("CERTIFICATE", one) for one in case.sent) + keys.pem(key("client")))
        words = ["SSLVerifyClient require", f"SSLCACertificateFile {home}/{number}.ca", case.words]
        if case.lists is not None:
            (home / f"{number}.crl").write_bytes(b"".join(pem("X509 CRL", one) for one in case.lists))
            words += [f"SSLCARevocationFile {home}/{number}.crl", f"SSLCARevocationCheck {case.check}"]
        hosts.append(Vhost(f"v{number}.variations.test", [pair], extra="\n".join(words)))
    made = [shared_httpd(hosts, engine=engine, ports=("TLS",), log_level=admission.TELLING, allow=(".",)) for engine in ENGINES]
    return made, home


@pytest.mark.timeout(900)
def test_the_same_clients_are_let_in(servers, cases):
    made, home = servers
    rows, asked, used = [], 0, set()
    for number, case in enumerate(cases):
        context = admission.client_context(home / f"{number}.pem", "1.3")
        if context is None:
            continue  # OpenSSL, the client's and mod_ssl's, cannot read it
        asked += 1
        host = f"v{number}.variations.test"
        theirs, ours = (admission.admitted(server, host, context) for server in made)
        if theirs == ours:
            continue
        reason = next((place for place, (name, let_in, _) in enumerate(REASONS) if let_in == ours and re.match(name, case.name)), None)
        used.add(reason)
        if reason is None:
            said = [admission.reason(server, lambda server=server: admission.admitted(server, host, context)) for server in made]
            rows.append((case.name, f"mod_ssl: {said[0]}", f"ours: {said[1]}"))
    assert asked > 600
    assert not rows, f"{len(rows)} of {asked} differ without a reason:\n{admission.table(rows)}"
    assert used >= set(range(len(REASONS))), f"no longer met: {[REASONS[place] for place in set(range(len(REASONS))) - used]}"
