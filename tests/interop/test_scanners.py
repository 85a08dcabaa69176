# SPDX-License-Identifier: Apache-2.0
"""Scanners find nothing: Mozilla's profiles by sslyze; by testssl.sh nothing that findings.txt gives no reason for."""
from pathlib import Path

import pytest
from cryptography import x509
from harness.certs import DAY, now
from harness.config import Vhost
from harness.scanners import accepted, run_testssl, sslyze

FINDINGS = Path(__file__).with_name("findings.txt")
NOISE = ("TLS040[0-9]", "AH02008")  # scanners send what no client should


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    revocation = x509.CRLDistributionPoints([x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://a.test/ca.crl")], None, None, None)])

    def pair(name, kind="p256"):
        return ca.issue(name, kind=kind, end=now() + 88 * DAY, extensions=[(revocation, False)])

    return shared_httpd([
        Vhost("a.test", [pair("a.test"), pair("a.test", "rsa2048")], extra="TLSStrictSNI off"),
        Vhost("rsa.test", [pair("rsa.test", "rsa2048")]),
        Vhost("modern.test", [pair("modern.test")], extra="TLSProtocol TLSv1.3+"),
    ], modules=("http2",), config="Protocols h2 http/1.1\nHeader always set Strict-Transport-Security max-age=63072000",
        allow=NOISE)


@pytest.mark.parametrize("name,profile", [("a.test", "intermediate"), ("rsa.test", "intermediate"), ("modern.test", "modern")])
def test_profiles_of_mozilla(server, ca, name, profile):
    assert sslyze(server.port, name, ca.file, profile) == []


def test_a_profile_that_is_not_met_is_noticed(server, ca):
    assert any("TLSv1.2" in finding for finding in sslyze(server.port, "a.test", ca.file, "modern"))


@pytest.mark.slow
def test_testssl(server, ca, tmp_path):
    reasons = accepted(FINDINGS)
    found = {finding["id"]: finding for finding in run_testssl(server.port, "a.test", ca.file, tmp_path / "report.json")}
    assert [finding for name, finding in found.items() if name not in reasons] == []
    assert [name for name, reason in reasons.items() if reason.always and name not in found] == []
