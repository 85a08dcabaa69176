# SPDX-License-Identifier: Apache-2.0
"""Connections from a worker's pool: what a backend knows us by is not lent to a section that would not be known so."""
import ssl

import pytest
from harness.certs import Authority
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.https_backend import HttpsBackend

MODULES = ("proxy", "proxy_http")
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
WORDS = {"mod_tls": {"engine": "TLSProxyEngine on", "trust": "TLSProxyCA", "machine": "TLSProxyMachineCertificate",
                     "new": "TLSProxyProtocol TLSv1.3+", "suite": "TLSProxyCiphersSuppress"},
         "mod_tls-ssl": {"engine": "SSLProxyEngine on\nSSLProxyVerify require", "trust": "SSLProxyCACertificateFile",
                         "machine": "SSLProxyMachineCertificateFile", "new": "SSLProxyProtocol TLSv1.3"}}


@pytest.fixture
def backend(ca, tmp_path):
    """Makes a backend that takes clients of `ca`, and those without a certificate."""
    made = []

    def make(version, **manner):
        one = HttpsBackend(ca.issue("localhost"), tmp_path, version=VERSIONS[version], **manner)
        one.context.verify_mode = ssl.CERT_OPTIONAL
        one.context.load_verify_locations(ca.file)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def server_of(httpd, engine, ca, port, admin, public, everywhere=""):
    words = WORDS[engine]
    made = httpd([], engine=engine, modules=MODULES, tls_engine=None, mpm_settings=ONE_CHILD, log_level="warn proxy:crit proxy_http:crit",
                 allow=("TLS0706", "AH0108[45]", "AH01097"), config=f"""{words["engine"]}
{words["trust"]} {ca.file}
{everywhere}
<Proxy "https://localhost:{port}/admin*">
{admin}
</Proxy>
<Proxy "https://localhost:{port}/public*">
{public}
</Proxy>
ProxyPass / https://localhost:{port}/ max=1
""")
    return made


def ask(server, path):
    return curl(server.plain_port, path, scheme="http").status


@pytest.mark.parametrize("engine", WORDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_stands_for_what_was_shown_when_it_was_made(httpd, ca, tmp_path, backend, engine, version):
    crt, key = ca.issue("machine", client=True).write(tmp_path, "machine")
    both = tmp_path / "machine.pem"
    both.write_bytes(crt.read_bytes() + key.read_bytes())
    both.chmod(0o644)
    there = backend(version)
    server = server_of(httpd, engine, ca, there.port, f"{WORDS[engine]['machine']} {both}",
                       "TLSProxyVerifyDepth 5" if engine == "mod_tls" else "SSLProxyVerifyDepth 5")
    assert ask(server, "/admin/a") == 200
    assert ask(server, "/public/b") >= 500
    server.log.expect("TLS0706.*another client certificate")
    assert ask(server, "/admin/c") == 200
    assert len(there.seen) == 2 and there.seen[-1]["resumed"], there.seen
    # The second connection has shown nothing, and the backend knows it by the certificate all the same.
    assert ask(server, "/public/d") >= 500
    server.log.expect("TLS0706.*another client certificate")
    assert ask(server, "/public/e") == 200


@pytest.mark.parametrize("engine, weaker, stronger", [
    ("mod_tls", "TLSProxyProtocol TLSv1.2+", "TLSProxyProtocol TLSv1.3+"),
    ("mod_tls-ssl", "SSLProxyProtocol TLSv1.2", "SSLProxyProtocol TLSv1.3"),
    ("mod_tls", "TLSProxyVerifyDepth 5", "TLSProxyCiphersSuppress TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:"
     "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("mod_tls-ssl", "SSLProxyVerifyDepth 5", "SSLProxyCipherSuite ECDHE+CHACHA20"),
])
def test_version_and_suites_of_a_section_count_for_pooled_connections(httpd, ca, backend, engine, weaker, stronger):
    """A connection that was made under weaker words serves no section that would not have it so."""
    there = backend("1.2")
    there.context.set_ciphers("ECDHE+AES256+AESGCM")
    server = server_of(httpd, engine, ca, there.port, weaker, stronger)
    assert ask(server, "/admin/a") == 200
    assert ask(server, "/public/b") >= 500
    server.log.expect("TLS0706.*settings are weaker")
    assert ask(server, "/admin/c") == 200


@pytest.mark.parametrize("engine", WORDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_groups_of_a_section_count_for_pooled_connections(httpd, ca, backend, engine, version):
    """And for those that were resumed: TLS 1.2 makes no new key then."""
    there = backend(version)
    server = server_of(httpd, engine, ca, there.port, "TLSProxyGroups X25519:P-256", "TLSProxyGroups P-256")
    for _ in range(2):
        assert ask(server, "/admin/a") == 200
        assert ask(server, "/public/b") >= 500
        server.log.expect("TLS0706.*settings are weaker")
    assert [seen["resumed"] for seen in there.seen] == [False, True], there.seen
    there.hang_up()
    assert ask(server, "/public/c") == 200
    assert there.seen[-1]["resumed"] is False, "another section's sessions are not resumed"
    assert ask(server, "/admin/d") == 200, "a group that is allowed there too"
    assert len(there.seen) == 3


@pytest.mark.parametrize("engine", WORDS)
def test_equal_groups_do_not_keep_a_resumed_connection_from_another_section(httpd, ca, backend, engine):
    there = backend("1.2")
    depth = "TLSProxyVerifyDepth" if engine == "mod_tls" else "SSLProxyVerifyDepth"
    server = server_of(httpd, engine, ca, there.port, f"{depth} 5", f"{depth} 6")
    assert ask(server, "/admin/a") == 200
    there.hang_up()
    assert ask(server, "/admin/b") == 200
    assert [seen["resumed"] for seen in there.seen] == [False, True]
    assert ask(server, "/public/c") == 200
    assert len(there.seen) == 2, "the same connection"


@pytest.mark.parametrize("engine", WORDS)
def test_a_section_that_demands_a_post_quantum_group_takes_no_connection_without(httpd, ca, engine):
    there = httpd([Vhost("localhost", [ca.issue("localhost")])])
    post_quantum = "TLSProxyPostQuantum" if engine == "mod_tls" else "SSLProxyPostQuantum"
    server = server_of(httpd, engine, ca, there.port, f"{post_quantum} off", f"{post_quantum} require")
    assert ask(server, "/admin/") == 404
    assert ask(server, "/public/") >= 500
    server.log.expect("TLS0706.*settings are weaker")
    assert ask(server, "/public/") == 404
    assert ask(server, "/admin/") >= 500, "nor the other way round: a group that is off there"
    server.log.expect("TLS0706.*settings are weaker")


@pytest.mark.parametrize("engine", WORDS)
def test_the_way_back_to_the_pool_is_silent(httpd, ca, backend, engine):
    """The worker's own section says nothing of TLS: mod_proxy binds the connection to it, and gets OK as from mod_ssl."""
    there = backend("1.3")
    words = WORDS[engine]
    server = httpd([], engine=engine, modules=MODULES, tls_engine=None, mpm_settings=ONE_CHILD, config=f"""
<Proxy "https://localhost:{there.port}/*">
{words["engine"]}
{words["trust"]} {ca.file}
</Proxy>
ProxyPass / https://localhost:{there.port}/ max=1
""")
    assert [ask(server, f"/{n}") for n in range(4)] == [200] * 4
    assert len(there.seen) == 1
    assert not server.log.matching("AH01961|AH00961|failed to enable")
