# SPDX-License-Identifier: Apache-2.0
"""Backends that close, reset, stall, cut and mistake: what clients get, what the log says, and that the next works."""
import contextlib
import os
import select
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from harness import process
from harness.agent import agent
from harness.backend import Backend
from harness.certs import Authority
from harness.config import ONE_CHILD
from harness.https_backend import HttpsBackend
from harness.ports import free_port
from harness.proxies import FAILURES, MODULES, PLAIN, get
from harness.waiting import wait_until

ENGINES = {"mod_tls": "TLSProxyEngine on\nTLSProxyCA {ca}",
           "mod_tls-ssl": "SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca}"}
BROKEN = (*FAILURES, "AH01110", "AH10265", "AH03092", "AH01995", "AH02280", "AH01099")

# Manner of the backend, statuses that may come of it, words of the log.
HANDSHAKES = {
    "hang-up": "it closed the connection; it said nothing before: .*TLSProxyGroups X25519:P-256:P-384",
    "reset": "it closed the connection; it said nothing before",
    "http": "what the backend sent is not TLS; is it a port of TLS.",
    "mute": "it did not answer in time; ProxyTimeout",
    "drip": "it did not answer in time; ProxyTimeout",
}
# Answers that were cut. Without a length only the missing close_notify tells.
CUT = ("cut", "cut-chunked", "cut-unbounded")


@pytest.fixture(scope="module")
def backends(ca, tmp_path_factory):
    directory = tmp_path_factory.mktemp("bad")
    pair = ca.issue("localhost")
    made = {manner: HttpsBackend(pair, directory, manner=manner)
            for manner in (*HANDSHAKES, *CUT, "polite", "once", "fragile", "plain")}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(scope="module", params=ENGINES)
def front(request, shared_httpd, ca, backends):
    lines = [ENGINES[request.param].format(ca=ca.file), "ProxyTimeout 2"]
    for manner, far in backends.items():
        lines.append(f"ProxyPass /{manner}/ https://localhost:{far.port}/ retry=0")
    lines.append(f"<Proxy https://localhost:{backends['fragile'].port}/small>\nTLSProxyGroups X25519:P-256:P-384\n</Proxy>")
    lines.insert(2, f"ProxyPass /fragile/small https://localhost:{backends['fragile'].port}/small")
    return shared_httpd([], config="\n".join(lines), engine=request.param, modules=MODULES, mpm_settings=ONE_CHILD,
                        allow=BROKEN, **PLAIN)


@pytest.mark.parametrize("manner", HANDSHAKES)
def test_handshake_that_fails(front, backends, manner):
    answer = get(front, f"/{manner}/page")
    assert answer.status == 500
    said = front.log.matching(rf"TLS0704: TLS to backend 127\.0\.0\.1:{backends[manner].port} \(localhost\) failed: ")
    assert len(said) == 1, "one line for one failure"
    assert front.log.matching(rf"{backends[manner].port} .localhost. failed: {HANDSHAKES[manner]}")
    assert get(front, "/plain/page").status == 200


def test_the_whole_handshake_has_a_deadline(front, backends):
    """Each byte comes well within ProxyTimeout."""
    get(front, "/drip/page")
    front.log.expect(rf"{backends['drip'].port} .localhost. failed: it did not answer in time")
    assert backends["drip"].hellos[-1] < 10, "bytes that were awaited, a second apart, where two seconds are allowed"


def test_a_backend_that_asks_again_is_named(shared_httpd, ca, tmp_path):
    """It wants to renegotiate on an open connection, as for a client certificate for one URL."""
    crt, key = ca.issue("localhost").write(tmp_path, "again")
    port = free_port()
    far = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", crt, "-key", key, "-tls1_2"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    late = threading.Timer(60, far.kill)  # ends whoever waits for it below
    late.start()
    try:
        server = shared_httpd([], config=f"TLSProxyEngine on\nTLSProxyVerify none\nProxyTimeout 4\nProxyPass / "
                              f"https://localhost:{port}/ retry=0", modules=MODULES, allow=BROKEN + ("TLS0703",), **PLAIN)
        assert any(b"ACCEPT" in line for line in far.stdout)
        asked = threading.Thread(target=get, args=(server, "/page"))
        asked.start()
        assert any(b"GET" in line for line in far.stdout)
        far.stdin.write(b"r\n")
        far.stdin.flush()
        server.log.expect(r"TLS0707: backend 127\.0\.0\.1:%d .* asks for another handshake" % port)
        asked.join()
    finally:
        late.cancel()
        far.kill()
        far.wait()


@pytest.mark.parametrize("manner", CUT)
def test_answer_that_is_cut_is_never_complete(front, manner):
    answer = get(front, f"/{manner}/page")
    whole = len("/page") * 100
    assert answer.exit != 0 or answer.status >= 500, f"{answer.status} with {len(answer.body)} of {whole} bytes"
    assert get(front, "/plain/page").status == 200


def test_answer_that_ends_with_the_connection(front):
    answer = get(front, "/polite/page")
    assert (answer.status, answer.body, answer.exit) == (200, b"/page" * 100, 0)


def test_backend_that_never_says_goodbye(front):
    """An answer of known length is complete whatever comes after it."""
    for _ in range(5):
        assert get(front, "/once/page").body == b"/page" * 100


def test_backend_that_breaks_on_a_large_hello(front, backends):
    assert get(front, "/fragile/page").status >= 500
    assert backends["fragile"].hellos[-1] > 1400
    assert get(front, "/fragile/small").status == 200
    assert backends["fragile"].hellos[-1] < 600


def dribble(port):
    """Passes bytes on one by one, in both directions, as far as the first 6,000 of each."""
    def handler(connection):
        with socket.create_connection(("127.0.0.1", port)) as far:
            far.settimeout(10)
            pair = {connection: far, far: connection}
            for one in pair:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                for one in select.select(list(pair), [], [], 10)[0]:
                    data = one.recv(1)
                    if not data:
                        return
                    pair[one].sendall(data)
    return handler


def test_slow_backend(httpd, ca, backends):
    """The handshake and the answer in records that come byte by byte."""
    slow = Backend(dribble(backends["plain"].port))
    front = httpd([], config=ENGINES["mod_tls"].format(ca=ca.file) + f"\nProxyPass / https://localhost:{slow.port}/",
                  modules=MODULES, **PLAIN)
    for number in range(2):
        assert get(front, f"/page{number}").body == b"/page%d" % number * 100
    slow.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_backend_without_forward_secrecy_or_with_old_curves(httpd, ca, tmp_path, version):
    """P-521 alone is offered by nobody here; the handshake fails in words."""
    far = HttpsBackend(ca.issue("localhost"), tmp_path, version=version)
    far.context.set_ecdh_curve("secp521r1")
    front = httpd([], config=ENGINES["mod_tls"].format(ca=ca.file) + f"\nProxyPass / https://localhost:{far.port}/",
                  modules=MODULES, allow=BROKEN, **PLAIN)
    assert get(front).status == 500
    assert front.log.matching("TLS0704: .*alert (handshake_failure|illegal_parameter)")
    far.close()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_backend_is_told_that_nobody_signs(httpd, ca, tmp_path, version):
    """By an alert, which only whoever has the keys of the handshake can send with TLS 1.3; and what it says then is not heard."""
    machines = Authority("Machines")
    far = HttpsBackend(ca.issue("localhost"), tmp_path, clients=machines, version=ssl.TLSVersion[version])
    server = httpd([], start=False, modules=MODULES, mpm_settings=ONE_CHILD, allow=(*BROKEN, "TLS030"), **PLAIN,
                   config=f"""{ENGINES["mod_tls"].format(ca=ca.file)}
TLSProxyMachineCertificate machine.pem
ProxyPass /far/ https://localhost:{far.port}/ retry=0""")
    own = machines.issue("machine", client=True)
    server.put("machine.pem", own.certificate_pem() + own.key_pem(), 0o600)
    server.start()
    both = agent(server)
    process.pause(both.supervisor, both.signer)
    try:
        assert get(server, "/far/page").status == 500
        wait_until(lambda: far.faults, "its end")
    finally:
        for pid in (both.signer, both.supervisor):
            with contextlib.suppress(ProcessLookupError):  # it was replaced meanwhile
                os.kill(pid, signal.SIGCONT)
    assert "alert internal error" in far.faults[0]
    assert not far.seen and server.log.matching("TLS0704: TLS to backend")
    wait_until(lambda: get(server, "/far/page").status == 200, "handshakes again")
    assert far.seen[-1]["client"]
    far.close()
