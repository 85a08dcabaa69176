# SPDX-License-Identifier: Apache-2.0
"""What is fetched, where one looks: ages and ends of lists, of responses and of what is known of clients, and who answered."""
import json
import os
import signal
import time
from pathlib import Path

import pytest
from harness import metrics
from harness.agent import named
from harness.certs import Authority
from harness.clients import curl, s_client
from harness.config import ONE_CHILD, Vhost
from harness.metrics import get, prometheus, series, wait_for
from harness.points import Point, distribution_point, revocation_list
from harness.responder import Responder
from harness.waiting import wait_until

LOCAL = "TLSFetchLocal on\n" + metrics.LOCATIONS
MODULES = ("status", "authz_host")
SCHEMA = Path(__file__).parents[2] / "docs" / "status.schema.json"


@pytest.fixture
def point():
    made = Point()
    yield made
    made.end()


@pytest.fixture
def responder(ca):
    made = Responder(ca.intermediate("An authority that answers"))
    yield made
    made.end()


def said(server) -> dict:
    jsonschema = pytest.importorskip("jsonschema", reason="Debian's python3-jsonschema; ./dev setup test installs it")
    found = json.loads(get(server, "?format=json"))
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    return found


def is_recent(moment: float, ago: float) -> bool:
    """Whether it is so many seconds ago, give or take some minutes."""
    return abs(time.time() - ago - moment) < 300


def test_lists_with_their_times(httpd, ca, tmp_path, point):
    good = Authority("Good CA", extensions=[distribution_point(point.url("/good.crl"))])
    lost = Authority("Lost CA", extensions=[distribution_point(point.url("/lost.crl"))])
    (tmp_path / "ca.pem").write_bytes(good.pem() + lost.pem())
    point.lists["/good.crl"] = revocation_list(good, good.issue("revoked", client=True))
    words = f"TLSClientCertificate required\nTLSClientCA {tmp_path}/ca.pem\nTLSClientCRL auto"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], config=LOCAL, modules=MODULES,
                   mpm_settings=ONE_CHILD, allow=("TLS0820",))
    url, lost_url = point.url("/good.crl"), point.url("/lost.crl")
    wait_until(lambda: not prometheus(server)[series("revocation_list_missing", list=url)], "the list", 30)
    found = prometheus(server)
    assert is_recent(found[series("revocation_list_made_timestamp_seconds", list=url)], 3600)
    assert is_recent(found[series("revocation_list_next_timestamp_seconds", list=url)], -24 * 3600)
    assert found[series("revocation_list_missing", list=lost_url)] == 1
    assert series("revocation_list_made_timestamp_seconds", list=lost_url) not in found
    lists = {one["url"]: one for one in said(server)["lists"]}
    assert lists[lost_url] == {"url": lost_url, "made": None, "next": None, "certificates": 0, "missing": True}
    assert lists[url]["certificates"] == 1 and not lists[url]["missing"] and is_recent(lists[url]["made"], 3600)
    page = get(server)
    assert url in page and ">in force<" in page and ">not there<" in page
    host = f"127.0.0.1:{point.port}"
    # What came of the two addresses: one answer, and status 500 again and again.
    counted = wait_for(server, "fetch_requests_total", 1, responder=host, outcome="garbage")
    assert counted[series("fetch_requests_total", responder=host, outcome="answered")] == 1
    assert f">{host}<" in get(server)


def test_responses_and_what_is_known_of_clients(httpd, ca, tmp_path, responder):
    clients = Responder(Authority("Client CA"))
    try:
        (tmp_path / "ca.pem").write_bytes(clients.authority.pem())
        pairs = {}
        for how in ("good", "revoked", "unknown", "garbage"):
            crt, key = clients.issue(how, how, client=True).write(tmp_path, how)
            pairs[how] = ("--cert", str(crt), "--key", str(key))
        words = f"TLSClientCertificate required\nTLSClientCA {tmp_path}/ca.pem\nTLSClientOCSP leaf"
        server = httpd([Vhost("a.test", [responder.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")], extra=words)],
                       config=LOCAL, modules=MODULES, mpm_settings=ONE_CHILD, allow=("TLS0",))
        wait_until(lambda: "Cert Status: good" in s_client(server.port, "-status", name="a.test").text, "a response", 30)
        before = prometheus(server)
        assert series("client_ocsp_oldest_verdict_timestamp_seconds") not in before
        assert before[series("client_ocsp_verdicts", verdict="good")] == 0
        for how, client in pairs.items():
            assert (curl(server.port, "/", *client, name="b.test").status == 200) == (how == "good"), how
        found = prometheus(server)
        for kind, how in (("good", "good"), ("revoked", "revoked"), ("unknown", "unknown"), ("without_answer", "garbage")):
            assert found[series("client_ocsp_verdicts", verdict=kind)] == 1, how
        assert is_recent(found[series("client_ocsp_oldest_verdict_timestamp_seconds")], 3600)
        assert found[series("client_ocsp_next_end_timestamp_seconds")] > time.time() - 5
        held = said(server)["client_verdicts"]
        assert (held["good"], held["revoked"], held["unknown"]) == (1, 1, 1) and is_recent(held["oldest"], 3600)
        made = {labels["subject"]: value for one, value in found.items()
                if one.name == "mod_tls_certificate_staple_made_timestamp_seconds" for labels in [dict(one.labels)]}
        assert set(made) == {"a.test"} and is_recent(made["a.test"], 3600)
        certificates = {one["subject"]: one for one in said(server)["certificates"]}
        assert certificates["a.test"]["staple_made"] == made["a.test"] and certificates["b.test"]["staple_made"] is None
        assert "Clients known as good" in get(server) and "<small>fetched, of " in get(server)
        # The server's own certificate names the one, the clients' alone name the other.
        own, theirs = (f"127.0.0.1:{one.port}" for one in (responder, clients))
        hosts = {dict(one.labels)["responder"] for one in found if one.name == "mod_tls_fetch_requests_total"}
        assert hosts == {own, "other"} and theirs not in get(server)
        assert found[series("fetch_requests_total", responder=own, outcome="answered")] == 1
        assert found[series("fetch_requests_total", responder="other", outcome="answered")] == 3
        assert found[series("fetch_requests_total", responder="other", outcome="garbage")] == 1
    finally:
        clients.end()


def test_processes_that_were_replaced_are_counted(httpd, responder):
    server = httpd([Vhost("a.test", [responder.issue("a.test")])], config=LOCAL, modules=MODULES, mpm_settings=ONE_CHILD)
    before = wait_until(lambda: named(server.pid, "tls-fetch"), "a process that fetches")
    os.kill(before[0], signal.SIGKILL)
    server.log.expect("TLS0817", seconds=60)
    wait_for(server, "fetcher_restarts_total", 1)
    assert "Process that fetches replaced</th><td class=\"number\">1<" in get(server)


def test_servers_that_fetch_nothing_say_nothing_of_it(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=MODULES,
                   mpm_settings=ONE_CHILD)
    found = {one.name for one in prometheus(server)}
    assert not {name for name in found if "revocation_list" in name or "client_ocsp_verdicts" in name}
    assert said(server)["lists"] == [] and "Revocation lists" not in get(server)
