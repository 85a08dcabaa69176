# SPDX-License-Identifier: Apache-2.0
"""OCSP responses that clients get are shown, wherever they came from; what is missing is told from what nobody wants."""
import json

import pytest
from cryptography.x509 import ocsp
from harness import metrics
from harness.clients import s_client
from harness.config import ONE_CHILD, Vhost
from harness.metrics import get, prometheus
from harness.ocsp import Responder as Answers, names_responder, response
from harness.responder import Responder
from harness.waiting import wait_until

MODULES = ("status", "authz_host")
END, MISSING = "mod_tls_certificate_staple_end_timestamp_seconds", "mod_tls_certificate_staple_missing"


@pytest.fixture
def responder(ca):
    made = Responder(ca.intermediate("An authority that answers"))
    yield made
    made.end()


def wait_for_staple(server, name: str) -> None:
    wait_until(lambda: "Cert Status: good" in s_client(server.port, "-status", name=name).text, f"a response about {name}", 30)


def said(server) -> dict[str, tuple[str | None, float | None]]:
    """By subject: where the response came from that clients get, and whether one is missing."""
    found = prometheus(server)
    labels = {s: dict(s.labels) for s in found}
    source = {labels[s]["subject"]: labels[s]["staple"] for s in found if s.name == END}
    missing = {labels[s]["subject"]: value for s, value in found.items() if s.name == MISSING}
    ends = {labels[s]["subject"]: value for s, value in found.items() if s.name == END}
    certificates = {one["subject"]: one for one in json.loads(get(server, "?format=json"))["certificates"]}
    for subject, one in certificates.items():
        assert one["staple_source"] == source.get(subject) and one["staple_end"] == ends.get(subject)
        assert one["staple_missing"] == bool(missing.get(subject))
    return {subject: (source.get(subject), missing.get(subject)) for subject in certificates}


def test_fetched_ones_and_those_that_are_missing_or_not_wanted(httpd, ca, responder):
    hosts = [Vhost("a.test", [responder.issue("a.test")]),
             Vhost("silent.test", [responder.issue("silent.test", named=False, extensions=[names_responder("http://127.0.0.1:1/")])]),
             Vhost("nobody.test", [ca.issue("nobody.test")]),
             Vhost("off.test", [responder.issue("off.test")], extra="TLSStapling off")]
    server = httpd(hosts, config="TLSFetchLocal on\n" + metrics.LOCATIONS, modules=MODULES, mpm_settings=ONE_CHILD)
    server.log.allow("TLS0814")
    wait_for_staple(server, "a.test")
    assert said(server) == {"a.test": ("fetched", 0), "silent.test": (None, 1), "nobody.test": (None, None), "off.test": (None, None)}
    page = get(server)
    assert "<small>fetched, of " in page and ">missing<" in page and page.count("none wanted") == 2


def test_those_of_mod_md(httpd, ca):
    below = ca.intermediate("An authority")
    responder = Answers()
    try:
        pairs = [below.issue(name, extensions=[names_responder(responder.url)]) for name in ("a.test", "b.test")]
        for pair, status in zip(pairs, (ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED)):
            responder.answers[pair.certificate.serial_number] = lambda p=pair, s=status: response(below, p, status=s)
        server = httpd([Vhost("a.test", pairs[:1]), Vhost("b.test", pairs[1:])], modules=(*MODULES, "md"),
                       config="MDStapling on\nMDStapleOthers on\nMDStoreDir @HOME@/md\n" + metrics.LOCATIONS)
        server.log.allow(r"\[md:")
        wait_for_staple(server, "a.test")
        assert said(server) == {"a.test": ("module", 0), "b.test": (None, 1)}
        assert "<small>from another module, of " in get(server)
    finally:
        responder.end()
