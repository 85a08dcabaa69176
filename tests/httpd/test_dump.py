# SPDX-License-Identifier: Apache-2.0
"""`httpd -t -D DUMP_TLS`: what holds in every virtual host, and where it was written."""
import json

from harness.certs import DAY, now
from harness.config import Vhost


def hosts_of(text: str) -> dict[str, list[str]]:
    """The lines of each virtual host, by the first word of its heading."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("  "):
            lines.append(" ".join(line.split()))
        else:
            lines = found.setdefault(line.split(" ")[0], [line])
    return found


def test_settings_with_their_places_and_certificates_with_days_left(httpd, ca):
    pair = ca.intermediate("Lower").issue("a.test", "*.a.test", end=now() + 30 * DAY + DAY / 2)
    server = httpd([Vhost("a.test", [pair], extra="TLSProtocol TLSv1.3+"), Vhost("b.test", [ca.issue("b.test")])],
                   config="TLSGroups P-256:X25519", start=False)
    done = server.run("-t", "-D", "DUMP_TLS")
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done.stderr
    hosts = hosts_of(done.stdout)
    conf = server.conf.read_text().splitlines()

    def at(text: str) -> str:
        return f"({server.conf}:{next(i for i, line in enumerate(conf, 1) if text in line)})"

    a, b = hosts[f"a.test:{server.port}"], hosts[f"b.test:{server.port}"]
    assert a[0].endswith("TLS* words") and str(server.conf) in a[0]
    assert f"engine *:{server.port} {at('TLSEngine')}" in a
    assert f"protocol TLSv1.3 {at('TLSProtocol')}" in a
    assert "protocol TLSv1.2 TLSv1.3 (default)" in b
    assert f"groups P-256:X25519 {at('TLSGroups')}" in b
    assert any(line.startswith("suites TLS_AES_128_GCM_SHA256:") and line.endswith("(default)") for line in a)
    home = server.home / "certs"
    assert f"certificate {home}/a.test-0.crt, key {home}/a.test-0.key {at('TLSCertificate')}" in a
    serves = [line for line in a if line.startswith("serves ")]
    assert len(serves) == 1
    assert serves[0].startswith("serves a.test (ECDSA P-256) for a.test, *.a.test; 30 days left, until ")
    assert serves[0].endswith("; 2 in the chain")


def test_the_same_as_json(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSProtocol TLSv1.3+"), Vhost("b.test", [ca.issue("b.test")])],
                   start=False, modules=("reqtimeout",), config="RequestReadTimeout handshake=5")
    done = server.run("-t", "-D", "DUMP_TLS_JSON")
    assert done.returncode == 0, done.stderr
    hosts = {host["host"].split(":")[0]: host for host in json.loads(done.stdout)}
    first, second = hosts["a.test"], hosts["b.test"]
    assert first["host"].startswith(f"a.test:{server.port} ({server.conf}:") and first["words"] == "TLS*"
    told = {setting["name"]: setting for setting in first["settings"]}
    line = next(i for i, line in enumerate(server.conf.read_text().splitlines(), 1) if "TLSProtocol" in line)
    assert told["protocol"] == {"name": "protocol", "value": "TLSv1.3", "file": str(server.conf), "line": line}
    assert told["groups"]["file"] is None and told["groups"]["line"] is None
    [served] = second["certificates"]
    assert served["subject"] == "b.test" and served["chain_length"] == 1 and first["read_limit"] == "5"


def test_the_words_of_mod_ssl_are_told_apart(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLVerifyClient optional\nSSLVerifyDepth 3")],
                   engine="mod_tls-ssl", start=False)
    done = server.run("-t", "-D", "DUMP_TLS")
    lines = hosts_of(done.stdout)[f"a.test:{server.port}"]
    assert lines[0].endswith("SSL* words")
    assert any(line.startswith("client certificates optional (") for line in lines)
    assert any(line.startswith("depth 3 (") for line in lines)


def test_nothing_is_printed_unless_asked_for(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    assert server.run("-t").stdout == ""
