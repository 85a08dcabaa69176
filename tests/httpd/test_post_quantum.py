# SPDX-License-Identifier: Apache-2.0
"""TLSPostQuantum and its kin: who gets in with which group, what is said of those who do not, and hybrids with OpenSSL 3.5."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from harness import metrics, openssl35, wire
from harness.config import ONE_CHILD, Vhost
from harness.paths import ROOT
from harness.ports import free_port
from harness.proxies import FAILURES, MODULES, PLAIN, get
from harness.resumption import visit
from harness.tls import context
from harness.wire import MLKEM, P256, X25519, Hello

ENGINES = ("mod_tls", "mod_tls-ssl")
HYBRIDS = {"X25519MLKEM768": "4588", "SecP256r1MLKEM768": "4587", "SecP384r1MLKEM1024": "4589"}
SUITES13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
SAID = ("TLS040[1-4]", "AH02008", "TLS0123")


def word(engine: str) -> str:
    return "TLSPostQuantum" if engine == "mod_tls" else "SSLPostQuantum"


def groups(engine: str, listed: str) -> str:
    return f"TLSGroups {listed}" if engine == "mod_tls" else f"SSLOpenSSLConfCmd Curves {listed}"


@pytest.fixture(scope="module", params=ENGINES)
def server(request, shared_httpd, ca):
    engine = request.param
    hosts = {"prefer": f"{word(engine)} prefer\n{groups(engine, 'X25519:P-256')}",
             "require": f"{word(engine)} require\n{groups(engine, 'X25519:P-256')}",
             "off": f"{word(engine)} off", "copied": groups(engine, "X25519:P-256"), "a": ""}
    made = shared_httpd([Vhost(f"{name}.test", [ca.issue(f"{name}.test")], extra=extra) for name, extra in hosts.items()],
                        engine=engine, modules=(*metrics.MODULES, "authz_host"), config=metrics.LOCATIONS, allow=SAID)
    made.engine = engine
    return made


def chosen(server, name: str, *offered: int) -> int | str:
    """The group that is chosen of these, of which the first has a share; or the alert."""
    hello = Hello(f"{name}.test", groups=list(offered), versions=[0x0304, 0x0303])
    flight = wire.first_flight(server.port, hello.record())
    return flight.server_hello.group if flight.server_hello else flight.alerts[0]


def test_prefer_serves_everybody_and_adds_a_group_to_an_old_list(server):
    assert chosen(server, "prefer", MLKEM, X25519) == MLKEM
    assert chosen(server, "prefer", X25519, P256) == X25519


def test_prefer_does_not_go_by_the_client_s_order(server):
    """As OpenSSL 3.5 does; where a list alone says which groups there are, the client's order counts."""
    assert chosen(server, "prefer", X25519, MLKEM) == MLKEM, "asked for by HelloRetryRequest"
    assert chosen(server, "a", X25519, MLKEM) == X25519


def test_require_turns_others_away(server):
    before = metrics.prometheus(server)[metrics.series("handshake_failures_total", reason="no_post_quantum_group")]
    assert chosen(server, "require", MLKEM, X25519) == MLKEM
    assert chosen(server, "require", X25519, P256) == "handshake_failure"
    old = Hello("require.test", groups=[X25519], versions=None)
    assert wire.exchange(server.port, old.record()).alerts == ["handshake_failure"], "TLS 1.2 has no such groups"
    line = server.log.expect("TLS040[23].*the client offers no post-quantum group, and one is demanded here")
    assert re.search(r"TLSPostQuantum prefer \(SSLPostQuantum prefer\)", str(line))
    metrics.wait_for(server, "handshake_failures_total", before + 2, reason="no_post_quantum_group")


def test_off_and_the_list_alone(server):
    for name in ("off", "copied"):
        assert chosen(server, name, MLKEM, X25519) == X25519, "asked for by HelloRetryRequest"
    assert chosen(server, "a", MLKEM, X25519) == MLKEM


def test_a_copied_list_is_noticed_with_the_line_to_write(server):
    name = "TLS" if server.engine == "mod_tls" else "SSL"
    command = "TLSGroups" if server.engine == "mod_tls" else "SSLOpenSSLConfCmd Groups"
    said = [line for line in server.said().splitlines() if "TLS0123" in line]
    assert len(said) == 1, said
    assert "copied.test" in said[0] and f'"{command} X25519MLKEM768:X25519:P-256"' in said[0]
    assert f'"{name}PostQuantum prefer"' in said[0] and f'"{name}PostQuantum off"' in said[0]


@pytest.mark.parametrize("engine, extra", [
    ("mod_tls-ssl", "SSLPostQuantum require\nSSLProtocol TLSv1.2"),
    ("mod_tls", f"TLSPostQuantum require\nTLSCiphersSuppress {SUITES13}")])
def test_a_start_that_could_serve_nobody_is_refused(httpd, ca, engine, extra):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=extra)], engine=engine, start=False)
    said = server.start_fails()
    assert re.search(r"nobody could connect: post-quantum groups are TLS 1.3's", said), said


@pytest.mark.parametrize("engine, words", [
    ("mod_tls", f"TLSProxyEngine on\nTLSProxyPostQuantum require\nTLSProxyCiphersSuppress {SUITES13}"),
    ("mod_tls-ssl", "SSLProxyEngine on\nSSLProxyPostQuantum require\nSSLProxyProtocol TLSv1.2")])
def test_and_one_that_could_reach_no_backend(httpd, engine, words):
    server = httpd([], engine=engine, config=words, modules=MODULES, start=False, **PLAIN)
    said = server.start_fails()
    assert re.search(r"TLSProxyPostQuantum require .* leaves no handshake: post-quantum groups are TLS 1.3's", said), said


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumption_does_not_go_round_it(httpd, ca, version, tmp_path):
    """Sessions of before are not resumed once a group is demanded: the secret keeps tickets over the change."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(48)))
    secret.chmod(0o600)

    def hosts(extra):
        return [Vhost("a.test", [pair], extra=extra)]
    pair = ca.issue("a.test")
    server = httpd(hosts(""), config=f"TLSSessionTickets file:{secret}", mpm_settings=ONE_CHILD, allow=SAID)
    using = context(ca.file, version=version)

    session = visit(server.port, using)[1]
    reused, session = visit(server.port, using, session)
    assert reused, "resumed while nothing is demanded"
    server.write(hosts("TLSPostQuantum require"))
    server.restart()
    with pytest.raises(OSError):
        visit(server.port, using, session)
    server.log.expect("no post-quantum group")


@pytest.mark.parametrize("group", HYBRIDS)
def test_hybrids_with_openssl(httpd, ca, group, tmp_path):
    """Both directions: OpenSSL 3.5 as a client, and as a backend."""
    openssl35.command()
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"TLSGroups {group}")])
    said = openssl35.openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "a.test", "-CAfile", ca.file,
                             "-groups", group, "-brief")
    assert f"Negotiated TLS1.3 group: {group}" in said and "Verification: OK" in said, said
    crt, key = ca.issue("localhost").write(tmp_path, "far")
    port = free_port()
    far = subprocess.Popen([*openssl35.command(), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", crt, "-key", key,
                            "-groups", group, "-www", "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        front = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nTLSProxyPostQuantum require\nTLSProxyGroups {group}\n"
                                 f"ProxyPass / https://localhost:{port}/ retry=0", modules=MODULES, log_level="warn tls:debug",
                      allow=FAILURES, **PLAIN)
        end = time.monotonic() + 30
        while (answer := get(front, "/")).status != 200 and time.monotonic() < end:
            time.sleep(0.2)
        assert answer.status == 200
        front.log.expect(f"TLS0705.*{group}")
    finally:
        far.kill()
        far.wait()


@pytest.fixture(scope="module")
def go_client(tmp_path_factory):
    if shutil.which("go") is None:
        pytest.skip("Go is not installed (apt install golang-go; it has the hybrid groups from 1.26 on)")
    made = tmp_path_factory.mktemp("go") / "client"
    subprocess.run(["go", "build", "-o", made, Path(__file__).parent.parent / "harness/groups_client.go"], check=True, timeout=300,
                   env={**os.environ, "GOCACHE": str(ROOT / "build" / "go")})
    return made


@pytest.mark.parametrize("group", HYBRIDS)
def test_hybrids_with_go(httpd, ca, go_client, group):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"TLSGroups {group}")])
    done = subprocess.run([go_client, f"127.0.0.1:{server.port}", HYBRIDS[group]], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == HYBRIDS[group], done.stdout + done.stderr


@pytest.mark.parametrize("group", HYBRIDS)
def test_hybrids_between_front_and_back(httpd, ca, group):
    """Both roles of ours."""
    back = httpd([Vhost("localhost", [ca.issue("localhost")], extra=f"TLSPostQuantum require\nTLSGroups {group}")], log_level="info")
    front = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nTLSProxyPostQuantum require\nTLSProxyGroups {group}\n"
                             f"ProxyPass / https://localhost:{back.port}/", modules=MODULES, log_level="warn tls:debug", **PLAIN)
    assert get(front, "/").status == 200
    front.log.expect(f"TLS0705.*{group}")


# Backends ------------------------------------------------------------------------------------------------------------

@pytest.fixture(params=ENGINES)
def front(request, httpd, ca, backend):
    """A front before a backend without post-quantum groups, that wants one on one path and none on the other."""
    engine = request.param
    far = backend(ca.issue("localhost"))
    name = "TLSProxy" if engine == "mod_tls" else "SSLProxy"
    trust = f"TLSProxyCA {ca.file}" if engine == "mod_tls" else f"SSLProxyCACertificateFile {ca.file}\nSSLProxyVerify require"
    url = f"https://localhost:{far.port}"
    config = (f"{name}Engine on\n{trust}\nProxyPass /strict/ {url}/strict/\nProxyPass /loose/ {url}/loose/\n"
              f'<Proxy "{url}/strict/">\n{name}PostQuantum require\n</Proxy>\n<Proxy "{url}/loose/">\n{name}PostQuantum prefer\n</Proxy>')
    return httpd([], engine=engine, config=f"{config}\n{metrics.LOCATIONS}".replace("ProxyPass /strict/", "ProxyPass /tls-status !\nProxyPass /strict/", 1),
                 modules=(*MODULES, *metrics.MODULES, "authz_host"), allow=FAILURES, mpm_settings=ONE_CHILD, **PLAIN)


def test_backends_without_one_are_not_spoken_to(front):
    assert get(front, "/loose/page").status == 200
    assert get(front, "/strict/page").status == 500
    assert get(front, "/loose/page").status == 200
    line = front.log.expect("TLS0704.*post-quantum groups alone")
    assert "PostQuantum prefer" in str(line)
