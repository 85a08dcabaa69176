# SPDX-License-Identifier: Apache-2.0
"""What is counted, and that every output says the same of it."""
import html
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from harness import metrics, tls, wire
from harness.agent import agent
from harness.clientauth import Clients
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.metrics import from_json, get, prometheus, series, wait_for
from harness.sanitizers import needs_agent
from harness.waiting import wait_until
from harness.wire import Hello

SCHEMA = Path(__file__).parents[2] / "docs" / "status.schema.json"


def handshake(port: int, name: str = "a.test", **options) -> ssl.SSLSession:
    """A request on a connection of its own."""
    with tls.connect(port, name, **options) as connection:
        connection.sendall(tls.request(host=name, headers=("Connection: close",)))
        status = tls.Reader(connection).response()[0]
        assert status == 200
        return connection.session


def counted(found: dict, *without: str) -> dict[str, float]:
    """What is not nought, without some families."""
    left_out = re.compile("mod_tls_(" + "|".join((*without, "build_info", "start_time", "certificate_", ".*_bucket", ".*_sum",
                                                     ".*bytes", ".*records", "agent_up", "serving_processes", "current_processes",
                                                     "tickets_issued")) + ")")
    return {str(s)[8:]: value for s, value in found.items() if value and not left_out.match(s.name)}


# What the first test makes happen, besides failures.
EVENTS = {
    "handshakes_total kind=full version=TLSv1.3": 3, "handshakes_total kind=resumed version=TLSv1.3": 1,
    "handshakes_total kind=full version=TLSv1.2": 1, "handshakes_total kind=resumed version=TLSv1.2": 1,
    "handshake_groups_total group=X25519": 5, "handshake_groups_total group=none": 1,
    "handshake_cipher_suites_total suite=TLS_AES_128_GCM_SHA256": 4,
    "handshake_cipher_suites_total suite=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 2,
    "handshake_protocols_total alpn=http/1.1": 5, "handshake_protocols_total alpn=none": 1,
    "handshake_signatures_total scheme=ecdsa_secp256r1_sha256": 3, "handshake_signatures_total scheme=rsa_pss_rsae_sha512": 1,
    "client_certificates_total verdict=none": 5, "client_certificates_total verdict=success": 1,
    "alerts_sent_total alert=handshake_failure": 2, "alerts_sent_total alert=unknown_ca": 1,
    "alerts_sent_total alert=protocol_version": 2, "alerts_sent_total alert=unrecognized_name": 1,
    "alerts_sent_total alert=no_application_protocol": 1, "alerts_received_total alert=unknown_ca": 1,
    "tickets_accepted_total": 2, "misdirected_requests_total": 1,
    "backend_handshakes_total kind=full": 1, "backend_handshake_failures_total reason=certificate": 1,
    "signatures_total key=ecdsa result=made": 4, "signatures_total key=rsa result=made": 2,
    "handshake_duration_seconds_count": 6, "signature_duration_seconds_count": 6,
}


@pytest.fixture
def clients(tmp_path):
    return Clients(tmp_path)


def test_each_kind_of_event_is_counted_once_and_found_in_all_outputs(httpd, ca, clients, backend):
    good = backend(ca.issue("localhost"))
    bad = backend(clients.other.issue("bad.test"))
    proxy = "\n".join([f"ProxyPass /good https://localhost:{good.port}/ disablereuse=on", f"ProxyPass /bad https://127.0.0.1:{bad.port}/ disablereuse=on",
                       f'<Proxy "https://localhost:{good.port}/">', "TLSProxyEngine on", f"TLSProxyCA {ca.file}", "</Proxy>",
                       f'<Proxy "https://127.0.0.1:{bad.port}/">', "TLSProxyEngine on", f"TLSProxyCA {ca.file}", "</Proxy>"])
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")]),
                    Vhost("b.test", [ca.issue("b.test", kind="rsa2048")],
                          extra=f"TLSClientCertificate optional\nTLSClientCA {clients.pem(clients.ca, 'clients')}\nTLSProtocol TLSv1.3+")],
                   config=metrics.LOCATIONS + "\nTLSHandshakeTimeout 2\n" + proxy,
                   modules=("status", "authz_host", "proxy", "proxy_http"), mpm_settings=ONE_CHILD)
    server.log.allow(r"TLS0402|TLS0704|AH0|AH1")
    port = server.port
    before = prometheus(server)
    assert counted(before) == {}

    for version in ("1.3", "1.2"):
        using = tls.context(version=version, alpn=["http/1.1"])
        session = handshake(port, using=using)
        handshake(port, using=using, session=session)
    assert curl(port, "/", *clients.good, name="b.test").status == 200        # with a client certificate
    assert curl(port, "/", *clients.stranger, name="b.test").exit != 0        # refused
    wire.exchange(port, Hello("nobody.test").record())
    wire.exchange(port, Hello("b.test", versions=None).record())
    wire.exchange(port, Hello("a.test", suites=[0x1304], versions=[0x0304]).record())
    wire.exchange(port, Hello("a.test", groups=[0x001E], versions=[0x0304]).record())
    wire.exchange(port, Hello("a.test", alpn=[b"smtp"]).record())
    with pytest.raises(ssl.SSLCertVerificationError):
        tls.connect(port, using=ssl.create_default_context())
    curl(port, "/", scheme="http")
    for first_bytes in (b"\0garbage of a scanner\r\n\r\n", b"\x80\x2e\x01\x00\x02" + bytes(41), b""):
        with socket.create_connection(("127.0.0.1", port), 10) as raw:
            raw.sendall(first_bytes)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    with socket.create_connection(("127.0.0.1", port), 10) as slow:           # says nothing in time
        slow.sendall(Hello("a.test").record()[:20])
        while slow.recv(4096):
            pass
    with tls.connect(port, "a.test") as connection:                           # 421
        connection.sendall(tls.request(host="b.test", headers=("Connection: close",)))
        assert tls.Reader(connection).response()[0] == 421
    assert curl(server.plain_port, "/good/x", scheme="http").status == 200
    assert curl(server.plain_port, "/bad/x", scheme="http").status >= 500

    found = wait_for(server, "backend_handshake_failures_total", 1, reason="certificate")
    failures = ["client_certificate_refused", "unknown_server_name", "no_common_version", "no_certificate_fits", "no_common_group",
                "no_common_protocol", "certificate_rejected_by_client", "plain_http", "not_tls", "ssl_2",
                "closed_before_hello", "timeout"]
    expected = {f"handshake_failures_total reason={reason}": 1 for reason in failures} | EVENTS
    assert counted(found) == expected
    said = from_json(server)
    assert counted(said) == expected and set(said) == set(found)
    page = get(server)
    for reason in failures:
        assert f"<th scope=\"row\">{reason}</th>" in page.replace("<wbr>", "")
    automatic = dict(line.split(": ", 1) for line in get(server, "?auto", "/server-status").splitlines() if ": " in line)
    assert automatic["TLSFullHandshakes"] == "4" and automatic["TLSResumedHandshakes"] == "2"
    assert automatic["TLSFailedHandshakes"] == "7" and automatic["TLSTurnedAway"] == "5" and automatic["TLSBackendHandshakes"] == "1"
    assert "<dt>Failed handshakes: 7</dt>" in get(server, "", "/server-status")


def test_the_json_is_what_its_schema_says(httpd, ca):
    jsonschema = pytest.importorskip("jsonschema", reason="Debian's python3-jsonschema; ./dev setup test installs it")
    server = httpd([Vhost("a.test", [ca.issue("a.test", "*.a.test")]), Vhost("b.test", [ca.issue("b.test")])],
                   config=metrics.LOCATIONS, modules=("status", "authz_host"))
    handshake(server.port)
    said = json.loads(get(server, "?format=json"))
    jsonschema.validate(said, json.loads(SCHEMA.read_text()))
    first, second = sorted(said["certificates"], key=lambda served: served["subject"])
    assert (first["subject"], first["source"], first["chain_length"]) == ("a.test", "file", 1)
    assert first["hosts"] == [{"host": f"a.test:{server.port}", "place": first["hosts"][0]["place"]}]
    assert first["hosts"][0]["place"].startswith(f"{server.conf}:") and second["subject"] == "b.test"
    crt = (server.home / "certs" / "a.test-0.crt").read_bytes()
    serial = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=crt, capture_output=True, check=True)
    assert serial.stdout.decode().strip() == f"serial={first['serial']}"


def test_promtool_finds_nothing_wrong(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=("status", "authz_host"))
    done = subprocess.run(["promtool", "check", "metrics"], input=get(server, "?format=prometheus"), text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stdout + done.stderr


def test_what_a_killed_child_counted_is_kept_and_what_it_had_under_way_is_not(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=("status", "authz_host"),
                   mpm_settings=ONE_CHILD)
    server.log.allow("AH00052")
    kind = {"version": "TLSv1.3", "kind": "full"}
    for _ in range(5):
        handshake(server.port)
    with socket.create_connection(("127.0.0.1", server.port), 10) as waits:
        waits.sendall(Hello("a.test").record()[:20])
        found = wait_for(server, "handshakes_in_progress", 1)
        assert found[series("handshakes_waiting")] == 1
        before = found[series("handshakes_total", **kind)]
        handshake(server.port)
        [child] = server.children
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: child not in server.children and server.children, "another child")
        found = wait_for(server, "handshakes_total", before + 1, **kind)
    assert found[series("handshakes_total", **kind)] == 6 and found[series("handshakes_in_progress")] == 0


def test_a_captured_child_says_nothing_of_what_the_parent_counts(httpd, ca):
    needs_agent()
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=("status", "authz_host"), mpm_settings=ONE_CHILD)
    server.log.allow("TLS0415")  # what it says of itself
    [child] = server.children
    [line] = [line for line in Path(f"/proc/{child}/maps").read_text().splitlines() if "mod_tls counts" in line]
    first, last = (int(end, 16) for end in line.split()[0].split("-"))
    with open(f"/proc/{child}/mem", "r+b") as memory:
        memory.seek(first)
        memory.write(struct.pack("=Q", 1 << 63) * ((last - first) // 8))
    found = wait_for(server, "internal_errors_total", 1, kind="panic")
    assert found[series("internal_errors_total", kind="panic")] == 1 << 40, "it spoils what children count, in bounds"
    for name in ("agent_refusals_total", "agent_troubles_total", "agent_signer_restarts_total"):
        assert found[series(name)] == 0, name
    assert found[series("certificate_reloads_total", result="refused")] == found[series("ocsp_requests_total", outcome="refused")] == 0
    assert found[series("agent_up")] == found[series("serving_processes")] == 1


def test_counts_outlive_restarts_and_never_go_back(httpd, ca, mpm):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=("status", "authz_host"), mpm=mpm)
    kind = {"version": "TLSv1.3", "kind": "full"}
    handshake(server.port)
    wait_for(server, "handshakes_total", 1, **kind)
    server.graceful()
    handshake(server.port)
    assert prometheus(server)[series("handshakes_total", **kind)] >= 1
    wait_for(server, "handshakes_total", 2, **kind)
    server.restart()
    highest = 0.0
    for _ in range(20):
        handshake(server.port)
        now = prometheus(server)[series("handshakes_total", **kind)]
        assert now >= max(highest, 2), "a counter went back"
        highest = now
    assert wait_for(server, "handshakes_total", 22, **kind)[series("handshakes_total", **kind)] == 22


def test_the_agent_and_reloads_are_counted(httpd, ca):
    needs_agent()
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], modules=("status", "authz_host"),
                   config=metrics.LOCATIONS + "\nTLSReload 1")
    server.log.allow("TLS0304|TLS0801")
    assert prometheus(server)[series("agent_up")] == 1
    os.kill(agent(server).signer, signal.SIGKILL)
    handshake(server.port)
    ca.issue("a.test").write(server.home / "certs", "a.test-0")
    found = wait_for(server, "certificate_reloads_total", 1, result="taken")
    assert found[series("agent_signer_restarts_total")] == 1
    ends = {s: v for s, v in found.items() if s.name == "mod_tls_certificate_not_after_timestamp_seconds"}
    assert len(ends) == 1


def test_virtual_hosts_are_told_apart_where_that_is_wanted(httpd, ca):
    hosts = [Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")])]
    server = httpd(hosts, config=metrics.LOCATIONS + "\nTLSMetrics hosts", modules=("status", "authz_host"))
    server.log.allow("TLS0402")
    of = {name: f"{name}:{server.port}" for name in ("a.test", "b.test", "c.test")}
    handshake(server.port, "b.test")
    wire.exchange(server.port, Hello("b.test", versions=None).record())
    wait_for(server, "host_handshakes_total", 1, host=of["b.test"], result="completed")
    server.write([Vhost("c.test", [ca.issue("c.test")]), hosts[1]])
    server.graceful()
    handshake(server.port, "b.test")
    handshake(server.port, "c.test")
    found = wait_for(server, "host_handshakes_total", 1, host=of["c.test"], result="completed")
    found = {s: v for s, v in found.items() if s.name == "mod_tls_host_handshakes_total"}
    assert found[series("host_handshakes_total", host=of["b.test"], result="completed")] == 2, "counted on over a restart"
    assert found[series("host_handshakes_total", host=of["b.test"], result="failed")] == 1
    names = {dict(s.labels)["host"] for s in found}
    assert of["c.test"] in names and of["a.test"] not in names, "none of a virtual host that there is not any more"


def test_one_process_says_what_it_counts_at_once(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=metrics.LOCATIONS, modules=("status", "authz_host"), start=False)
    server.log.allow("TLS0302")
    server.start(arguments=("-X",))
    handshake(server.port)
    assert prometheus(server)[series("handshakes_total", version="TLSv1.3", kind="full")] >= 1
    assert series("agent_up") not in prometheus(server), "none is missed where there is to be none"


def test_without_isolation_no_agent_is_missed(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], modules=("status", "authz_host"), config=metrics.LOCATIONS + "\nTLSKeyIsolation off")
    server.log.allow("TLS0302")
    assert series("agent_up") not in prometheus(server)


def test_who_may_see_it_and_what_else_is_asked(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], modules=("status", "authz_host"),
                   config=metrics.LOCATIONS + '\n<Location "/closed">\nSetHandler tls-status\nRequire all denied\n</Location>')
    server.log.allow("AH01630")
    plain = dict(scheme="http")
    assert curl(server.plain_port, "/closed", **plain).status == 403
    assert curl(server.plain_port, "/tls-status?format=xml", **plain).status == 400
    assert curl(server.plain_port, "/tls-status", "-X", "POST", **plain).status == 405
    answer = curl(server.plain_port, "/tls-status?refresh=7", **plain)
    assert '<meta http-equiv="refresh" content="7">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert int(curl(server.plain_port, "/tls-status", "-I", **plain).headers["content-length"]) > 1000


def test_the_log_formats_of_the_document(httpd, ca):
    text = (SCHEMA.parent / "operations.md").read_text()
    formats = [line for line in text.splitlines() if line.startswith("LogFormat")]
    assert len(formats) == 2
    lines = [*formats, 'CustomLog "@HOME@/people.log" tls', 'CustomLog "@HOME@/tls.json" tls_json']
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config="\n".join(lines))
    handshake(server.port, version="1.3")
    said = json.loads(wait_until((server.home / "tls.json").read_text, "a line"))
    assert (said["status"], said["protocol"], said["session"], said["verify"]) == (200, "TLSv1.3", "Initial", "NONE")
    assert said["group"] and said["uri"].startswith("/") and said["sni"] == "a.test"
    assert re.fullmatch(r"t13d\d{4}(h2|h1|00)_[0-9a-f]{12}_[0-9a-f]{12}", said["ja4"])
    assert "TLSv1.3" in (server.home / "people.log").read_text()


def test_letters_of_a_certificate_move_nobodys_cursor(httpd, ca):
    """Whoever made a certificate chose its names: they are text on every output, whatever octets they have."""
    odd = "\x1b[2J\x9b31m<b>\u202e\"{}'&\n"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, odd)])
    server = httpd([Vhost("a.test", [ca.issue("a.test", subject=subject)])], config=metrics.LOCATIONS, modules=("status", "authz_host"))
    handshake(server.port)
    said = r"\1B[2J\u{9b}31m<b>\u{202e}" + "\"{}'&" + r"\0A"
    outputs = {query: get(server, query) for query in ("", "?format=json", "?format=prometheus")}
    outputs["block"], outputs["auto"] = get(server, "", "/server-status"), get(server, "?auto", "/server-status")
    for form in ("DUMP_TLS", "DUMP_TLS_JSON"):
        outputs[form] = server.run("-t", "-D", form).stdout
    for name, text in outputs.items():
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), name
    assert json.loads(outputs["?format=json"])["certificates"][0]["subject"] == said
    [served] = [served for host in json.loads(outputs["DUMP_TLS_JSON"])["hosts"] for served in host["certificates"]]
    assert served["subject"] == said
    assert said in outputs["DUMP_TLS"] and "m<b>" not in outputs[""] and html.unescape(outputs[""]).count(said) == 1
    assert {dict(one.labels).get("subject") for one in prometheus(server)} == {None, said}
