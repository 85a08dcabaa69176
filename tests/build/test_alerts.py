# SPDX-License-Identifier: Apache-2.0
"""Each alert rule fires when it should, with a text that says what is so, and stays silent when not."""
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
RULES = TOP / "examples" / "monitoring" / "alerts.yml"
DAY = 24 * 60  # in minutes: promtool's clock begins at 0
CERTIFICATE = {"subject": "www.example.org", "key": "ECDSA P-256", "serial": "01", "source": "file"}


@dataclass(frozen=True)
class Case:
    """A rule, what it sees each minute, and what it says in the end; nothing where it stays silent."""

    alert: str
    why: str
    series: dict[str, str]
    says: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    minutes: int = 180

    def __str__(self) -> str:
        return f"{self.alert}: {self.why}"


def metric(name: str, **labels: str) -> str:
    return f"mod_tls_{name}{{" + ",".join(f'{label}="{value}"' for label, value in {**labels, "instance": "a"}.items()) + "}"


def certificate(minutes: int) -> dict[str, str]:
    return {metric("certificate_not_after_timestamp_seconds", **CERTIFICATE): f"{minutes * 60}x200"}


def staple(source: str, minutes: int) -> dict[str, str]:
    return {metric("certificate_staple_end_timestamp_seconds", **CERTIFICATE, staple=source): f"{minutes * 60}x200"}


def missing(value: int) -> dict[str, str]:
    return {metric("certificate_staple_missing", **CERTIFICATE): f"{value}x200"}


def handshakes(completed: str, **reasons: str) -> dict[str, str]:
    return {metric("handshakes_total", version="TLSv1.3", kind="full"): completed,
            **{metric("handshake_failures_total", reason=reason): values for reason, values in reasons.items()}}


def asked(answered: str, **outcomes: str) -> dict[str, str]:
    return {metric("fetch_requests_total", responder="r.test", outcome=outcome): values
            for outcome, values in {"answered": answered, **outcomes}.items()}


def backends(completed: str, failed: str) -> dict[str, str]:
    return {metric("backend_handshakes_total", kind="full"): completed, metric("backend_handshake_failures_total", reason="timeout"): failed}


def tickets(accepted: str, unknown: str) -> dict[str, str]:
    return {metric("tickets_accepted_total"): accepted, metric("tickets_refused_total", reason="unknown_key"): unknown}


def one(name: str, values: str, **labels: str) -> dict[str, str]:
    return {metric(name, **labels): values}


REJECTED = "certificate_rejected_by_client"
CASES = [
    Case("CertificateEndsSoon", "20 days left", certificate(20 * DAY + 180), "The certificate of www.example.org expires in 20d 0h 0m 0s", CERTIFICATE),
    Case("CertificateEndsSoon", "22 days left", certificate(22 * DAY)),
    Case("CertificateEnds", "6 days left", certificate(6 * DAY + 180), "The certificate of www.example.org expires in 6d 0h 0m 0s", CERTIFICATE),
    Case("CertificateEnds", "8 days left", certificate(8 * DAY)),
    Case("OcspResponseEnds", "a file of yesterday", staple("file", DAY), "The OCSP response for www.example.org (file) expires in 21h 0m 0s", CERTIFICATE | {"staple": "file"}),
    Case("OcspResponseEnds", "a file of a week", staple("file", 7 * DAY)),
    Case("OcspResponseEnds", "fetched, and not anew", staple("fetched", 240), "The OCSP response for www.example.org (fetched) expires in 1h 0m 0s", CERTIFICATE | {"staple": "fetched"}),
    Case("OcspResponseEnds", "fetched, half a day left", staple("fetched", 900)),
    Case("OcspResponseMissing", "none", missing(1), "Clients get no OCSP response with the certificate of www.example.org: the error log says why, TLS0814 or TLS0810", CERTIFICATE),
    Case("OcspResponseMissing", "there", missing(0)),
    Case("OcspResponseMissing", "none for a quarter of an hour", {metric("certificate_staple_missing", **CERTIFICATE): "0x100 1x15 0x100"}, minutes=115),
    Case("RevocationListMissing", "none", one("revocation_list_missing", "1x200", list="http://l.test/"),
         "There is no revocation list in force from http://l.test/: the error log says why, TLS0820", {"list": "http://l.test/"}),
    Case("RevocationListMissing", "there", one("revocation_list_missing", "0x200", list="http://l.test/")),
    Case("ResponderFails", "three of four", asked("0+2x200", late="0+6x200"),
         "r.test does not answer 75% of the requests for OCSP responses and lists", {"responder": "r.test"}),
    Case("ResponderFails", "one of ten", asked("0+9x200", late="0+1x200")),
    Case("ResponderFails", "one, and it is the only one", asked("0x200", late="0x170 1x60")),
    Case("ClientsWithoutAnswer", "some", one("client_ocsp_total", "0+1x200", verdict="without_answer"),
         "Clients are refused because OCSP responders do not answer: the error log says why, TLS0815", {"verdict": "without_answer"}),
    Case("ClientsWithoutAnswer", "of last week", one("client_ocsp_total", "5x200", verdict="without_answer")),
    Case("FetcherRestarts", "two", one("fetcher_restarts_total", "0x130 1x9 2x60"),
         "The process that fetches was replaced 2 times within an hour: the error log says why, TLS0817"),
    Case("FetcherRestarts", "one", one("fetcher_restarts_total", "0x130 1x60")),
    Case("HandshakesFail", "a tenth fails", handshakes("0+90x200", timeout="0+10x200"), "10% of the TLS handshakes at a fail"),
    Case("HandshakesFail", "more fail than do not", handshakes("0+10x200", timeout="0+30x200"), "75% of the TLS handshakes at a fail"),
    Case("HandshakesFail", "one in fifty", handshakes("0+98x200", timeout="0+2x200")),
    Case("HandshakesFail", "scanners, and floods that were refused",
         handshakes("0+10x200", timeout="0x200", **dict.fromkeys(("not_tls", "plain_http", "ssl_2", "unknown_server_name", "closed_before_hello", "server_stops", "limit"), "0+90x200"))),
    Case("HandshakesFail", "a quiet night and somebody with an old client", handshakes("0+1x200", no_common_version="0x150 2x9 4x60"), minutes=165),
    Case("CertificateNotBelieved", "one now and then", handshakes("0+50x200", **{REJECTED: "0x9 1x19 2x19 3x19 4x19 5x19 6x19 7x19 8x19 9x100"}),
         "For an hour clients have not believed a certificate of a: is its chain complete?", {"reason": REJECTED}),
    Case("CertificateNotBelieved", "one, once", handshakes("0+50x200", **{REJECTED: "0x99 1x100"}), minutes=120),
    Case("KeyAgentDown", "down", one("agent_up", "0x200"), "The key agent of a does not run"),
    Case("KeyAgentDown", "up", one("agent_up", "1x200")),
    Case("KeyAgentDown", "TLSKeyIsolation off", {}),
    Case("KeyAgentRestarts", "two", one("agent_signer_restarts_total", "0x130 1x9 2x60"), "The signer of a ended 2 times within an hour"),
    Case("KeyAgentRestarts", "one", one("agent_signer_restarts_total", "0x130 1x60")),
    Case("KeyAgentRefusesChild", "one", one("agent_refusals_total", "0x175 1x60"), "A child of httpd at a asked the key agent for what none asks: look for a break-in"),
    Case("KeyAgentRefusesChild", "none", one("agent_refusals_total", "3x200")),
    Case("SignaturesFail", "some", one("signatures_total", "0+1x200", key="rsa", result="failed"), "Handshakes at a fail since rsa keys do not sign", {"key": "rsa"}),
    Case("SignaturesFail", "none", one("signatures_total", "7x200", key="rsa", result="failed") | one("signatures_total", "0+9x200", key="rsa", result="made")),
    Case("CertificateNotTakenUp", "refused", one("certificate_reloads_total", "0x170 1x60", result="refused"),
         "A changed certificate at a cannot be used: the error log has TLS0802", {"result": "refused"}),
    Case("CertificateNotTakenUp", "taken", one("certificate_reloads_total", "0x170 1x60", result="taken")),
    Case("ClientListNotTakenUp", "refused", one("client_list_reloads_total", "0x170 1x60", result="refused"),
         "Changed CAs or revocation lists for clients at a cannot be used: the error log has TLS0504", {"result": "refused"}),
    Case("ClientListNotTakenUp", "taken", one("client_list_reloads_total", "0x170 1x60", result="taken")),
    Case("BackendHandshakesFail", "half", backends("0+5x200", "0+5x200"), "50% of the handshakes of a with backends fail"),
    Case("BackendHandshakesFail", "one in a hundred", backends("0+99x200", "0+1x200")),
    Case("BackendHandshakesFail", "one of two, once", backends("0x175 1x60", "0x160 1x60")),
    Case("TicketsOfUnknownKeys", "every other machine", tickets("0+4x200", "0+5x200"),
         "More tickets come to a from other keys than from its own: do all machines of this name have the same secret?"),
    Case("TicketsOfUnknownKeys", "clients of last week", tickets("0+5x200", "0+1x200")),
    Case("TicketsOfUnknownKeys", "nobody comes", tickets("0x200", "0x170 2x60")),
    Case("SessionCacheFails", "errors", one("session_cache_total", "0+2x200", result="error"), "Calls to the session cache at a fail: the error log has TLS0605"),
    Case("SessionCacheFails", "misses", one("session_cache_total", "0+2x200", result="miss") | one("session_cache_total", "3x200", result="error")),
    Case("HandshakesLimited", "a flood", one("handshakes_limited_total", "0+100x200", limit="address_rate"),
         "a turns 1.7 handshakes a second away by the limit address_rate: a flood, or a limit that is too low", {"limit": "address_rate"}),
    Case("HandshakesLimited", "one of last week", one("handshakes_limited_total", "100x200", limit="address_rate")),
    Case("InternalErrors", "one", one("internal_errors_total", "0x170 1x60", kind="panic"), "mod_tls at a caught an error of its own: please report the line TLS0102", {"kind": "panic"}),
    Case("InternalErrors", "none", one("internal_errors_total", "0x200", kind="panic")),
]


def severities() -> dict[str, str]:
    return dict(re.findall(r"alert: (\w+)$.*?severity: (\w+)", RULES.read_text(), re.DOTALL | re.MULTILINE))


def test_each_rule_has_both_kinds_of_cases():
    rules = set(severities())
    assert {case.alert for case in CASES if case.says} == rules == {case.alert for case in CASES if not case.says}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_says_what_is_so(case, tmp_path):
    fired = {"exp_labels": {"instance": "a", "severity": severities()[case.alert], **case.labels}, "exp_annotations": {"summary": case.says}}
    test = {"interval": "1m", "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
            "alert_rule_test": [{"eval_time": f"{case.minutes}m", "alertname": case.alert, "exp_alerts": [fired] if case.says else []}]}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_document_has_each_rule_in_its_table():
    rows = re.findall(r"^\|.*\| (\w+(?:, \w+)*) \|$", (TOP / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert set(", ".join(rows).split(", ")) - {"rule"} == set(severities())
