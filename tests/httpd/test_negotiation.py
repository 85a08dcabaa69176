# SPDX-License-Identifier: Apache-2.0
"""Protocol versions, cipher suites and groups: what is negotiated by default and by each directive."""
import subprocess

import pytest
from harness import wire
from harness.clients import curl, gnutls, s_client
from harness.config import Vhost
from harness.rustls_client import rustls_client
from harness.wire import AES128, AES256, CHACHA, MLKEM, P256, P384, X25519, Hello

GONE = "the client closed the connection"  # what clients that only send a hello leave in the log


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    """Virtual hosts of one server, one per setting."""
    def host(name, extra=""):
        return Vhost(name, [ca.issue(name), ca.issue(name, kind="rsa2048")], extra=extra)

    return shared_httpd([
        host("a.test"), host("only13.test", "TLSProtocol TLSv1.3+"), host("both.test", "TLSProtocol TLSv1.2+"),
        host("default.test", "TLSProtocol default"),
        host("p384.test", "TLSGroups P-384"), host("two.test", "TLSGroups P-256:X25519"),
        host("prefer.test", "TLSCiphersPrefer TLS_CHACHA20_POLY1305_SHA256\nTLSHonorClientOrder off"),
        host("openssl.test", "TLSCiphersPrefer ECDHE-ECDSA-AES256-GCM-SHA384\nTLSHonorClientOrder off"),
        host("hex.test", "TLSCiphersPrefer 0xC02F\nTLSHonorClientOrder off"),
        host("no256.test", "TLSCiphersSuppress TLS_AES_256_GCM_SHA384:0xc02c:ECDHE-RSA-AES256-GCM-SHA384"),
        host("clientorder.test", "TLSHonorClientOrder on"),
    ], allow=(GONE,))


@pytest.mark.parametrize("name,version,agreed", [
    ("a.test", "-tls1_2", "TLSv1.2"), ("a.test", "-tls1_3", "TLSv1.3"),
    ("default.test", "-tls1_2", "TLSv1.2"), ("default.test", "-tls1_3", "TLSv1.3"),
    ("both.test", "-tls1_2", "TLSv1.2"), ("both.test", "-tls1_3", "TLSv1.3"),
    ("only13.test", "-tls1_3", "TLSv1.3"), ("only13.test", "-tls1_2", ""),
])
def test_protocol_versions(server, ca, name, version, agreed):
    got = s_client(server.port, version, name=name, ca=ca.file)
    assert (got.protocol, got.done) == (agreed, bool(agreed))
    assert got.verified or not agreed
    server.log.allow("TLS04")


def test_tls12_where_only_13_is_allowed_gets_protocol_version(server):
    server.log.allow("TLS04")
    reply = wire.exchange(server.port, Hello("only13.test", versions=None).record())
    assert reply.alerts == ["protocol_version"]


@pytest.mark.parametrize("legacy,versions", [(0x0301, None), (0x0302, None), (0x0303, [0x0302, 0x0301])])
def test_older_versions_get_protocol_version(server, legacy, versions):
    server.log.allow("TLS04")
    reply = wire.exchange(server.port, Hello(versions=versions, legacy_version=legacy).record())
    assert reply.alerts == ["protocol_version"]


# Client's suites -> suite chosen, TLS 1.3. ChaCha20 wins only where the client has it before every AES suite.
@pytest.mark.parametrize("name,offered,chosen", [
    ("a.test", [AES128, AES256, CHACHA], AES128), ("a.test", [AES256, AES128, CHACHA], AES128),
    ("a.test", [CHACHA, AES256, AES128], CHACHA), ("a.test", [AES256, CHACHA, AES128], AES128),
    ("a.test", [CHACHA], CHACHA), ("a.test", [0x1304, AES256], AES256), ("a.test", [AES256, CHACHA], AES256),
    ("a.test", [0x0A0A, CHACHA, AES128], CHACHA),
    ("clientorder.test", [AES128, CHACHA, AES256], AES128), ("clientorder.test", [CHACHA, AES128], CHACHA),
    ("clientorder.test", [AES256, AES128, CHACHA], AES256),
    ("prefer.test", [AES256, AES128, CHACHA], CHACHA), ("prefer.test", [AES128], AES128),
    ("no256.test", [AES256, CHACHA, AES128], AES128),
    ("no256.test", [AES256, CHACHA], CHACHA),
])
def test_suites_of_tls13(server, name, offered, chosen):
    hello = wire.first_flight(server.port, Hello(name, suites=offered, versions=[0x0304]).record()).server_hello
    assert (hello.version, hello.suite) == (0x0304, chosen)


@pytest.mark.parametrize("name,offered,chosen", [
    ("a.test", [0xC02B, 0xC02C], 0xC02B), ("a.test", [0xC02C, 0xC02B], 0xC02B), ("a.test", [0xCCA9, 0xC02B], 0xCCA9),
    ("clientorder.test", [0xC02C, 0xC02B], 0xC02C), ("clientorder.test", [0xC02B, 0xC02C], 0xC02B),
    ("a.test", [0xC02F, 0xC030], 0xC02F), ("a.test", [0x009C, 0xC030], 0xC030),
    ("openssl.test", [0xC02B, 0xC02C], 0xC02C), ("hex.test", [0xC030, 0xC02F], 0xC02F),
    ("no256.test", [0xC02C, 0xC02B], 0xC02B), ("no256.test", [0xC030, 0xC02F], 0xC02F),
])
def test_suites_of_tls12(server, name, offered, chosen):
    hello = wire.first_flight(server.port, Hello(name, suites=offered, versions=None).record()).server_hello
    assert (hello.version, hello.suite) == (0x0303, chosen)


@pytest.mark.parametrize("name,versions,offered", [
    ("a.test", None, [0x009C, 0x002F, 0xC013]), ("a.test", [0x0304], [0x1304, 0x1305]),
    ("no256.test", [0x0304], [AES256]), ("no256.test", None, [0xC02C, 0xC030]),
])
def test_no_suite_in_common_is_a_handshake_failure(server, name, versions, offered):
    server.log.allow("TLS04")
    assert wire.exchange(server.port, Hello(name, versions=versions, suites=offered).record()).alerts \
        == ["handshake_failure"]


# Groups offered, groups with a share -> group chosen, and whether by a HelloRetryRequest.
@pytest.mark.parametrize("name,offered,shares,chosen,retry", [
    ("a.test", [MLKEM, X25519], [MLKEM, X25519], MLKEM, False),
    ("a.test", [X25519, P256], [X25519], X25519, False),
    ("a.test", [P256], [P256], P256, False), ("a.test", [P384], [P384], P384, False),
    ("a.test", [X25519, P256], [], X25519, True), ("a.test", [P256, P384], [], P256, True),
    ("p384.test", [X25519, P384], [X25519], P384, True), ("p384.test", [MLKEM, P384], [P384], P384, False),
    # The server's list says which; among those the client's order decides (rustls).
    ("two.test", [X25519, P256], [X25519, P256], X25519, False), ("two.test", [P256, X25519], [P256], P256, False),
    ("two.test", [MLKEM, P384, P256], [MLKEM], P256, True),
])
def test_groups(server, name, offered, shares, chosen, retry):
    flight = Hello(name, groups=offered, shares=shares, versions=[0x0304]).record()
    hello = wire.first_flight(server.port, flight).server_hello
    assert (hello.group, hello.retry) == (chosen, retry)


def test_no_group_in_common_is_a_handshake_failure(server):
    server.log.allow("TLS04")
    hello = Hello("p384.test", groups=[X25519, P256], versions=[0x0304])
    assert wire.exchange(server.port, hello.record()).alerts == ["handshake_failure"]


# RFC 8446 9.2, by extension types: supported_groups, signature_algorithms, key_share.
@pytest.mark.parametrize("missing", [{51}, {10}, {13}, {10, 51}, {10, 13, 51}], ids=str)
@pytest.mark.parametrize("name", ["both.test", "only13.test"])
def test_a_hello_of_tls13_that_is_not_whole_gets_missing_extension(server, name, missing):
    server.log.allow("TLS04")
    hello = Hello(name)
    kept = [(kind, body) for kind, body in hello.extensions() if kind not in missing]
    hello.extensions = lambda: kept
    assert wire.exchange(server.port, hello.record()).alerts == ["missing_extension"]


def test_a_hello_of_tls12_needs_no_key_share(server):
    hello = Hello("both.test", versions=None)
    assert 51 not in dict(hello.extensions()) and wire.first_flight(server.port, hello.record()).server_hello


def test_post_quantum_is_the_choice_of_a_rustls_client(server, ca):
    for line in rustls_client(server.port, "--expect-group", "X25519MLKEM768", "--expect-status", "200", ca=ca.file):
        assert line


@pytest.mark.parametrize("options", [["--nagle"], ["--segment", "100"], ["--max-fragment", "64"]])
def test_a_rustls_client_with_other_manners(server, ca, options):
    rustls_client(server.port, *options, "--connections", "3", "--requests", "3", "--expect-status", "200", ca=ca.file)


def test_s_client_agrees_on_x25519_by_default(server):
    hybrid = "X25519MLKEM768" in subprocess.run(["openssl", "list", "-kem-algorithms"], capture_output=True, text=True).stdout
    assert s_client(server.port, "-tls1_3").group == ("X25519MLKEM768" if hybrid else "X25519")
    assert s_client(server.port, "-tls1_2").group == "X25519"
    assert s_client(server.port, "-tls1_2", "-groups", "P-384", "-cipher", "aRSA").group == "ECDH, secp384r1"


@pytest.mark.parametrize("priority,said", [
    ("NORMAL:-VERS-ALL:+VERS-TLS1.3", b"(TLS1.3-X.509)-(ECDHE-SECP256R1)-(ECDSA-SECP256R1-SHA256)"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2", b"(TLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)"),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1", b"(TLS1.3-X.509)-(ECDHE-SECP384R1)"),
])
def test_gnutls(server, ca, priority, said):
    got = gnutls(server.port, ca=ca.file, priority=priority)
    assert got.returncode == 0 and said in got.stdout, got.stdout.decode() + got.stderr.decode()


def test_curl_with_each_version(server, ca):
    for bound in ("1.2", "1.3"):
        assert curl(server.port, "/", f"--tlsv{bound}", "--tls-max", bound, ca=ca.file).status == 200
