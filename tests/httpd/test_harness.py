# SPDX-License-Identifier: Apache-2.0
"""The harness against Debian's mod_ssl and plain httpd: what it reports must be so, whatever our module does."""
import os
import signal

import pytest
from harness import crash, tls, wire
from harness.clients import curl, gnutls, s_client
from harness.config import Vhost
from harness.waiting import wait_until


@pytest.fixture(scope="module")
def peer(shared_httpd, ca):
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test", kind="rsa2048")])],
                        engine="mod_ssl", modules=("http2",), config="Protocols h2 http/1.1")


def test_curl_reports_status_version_and_body(peer, ca):
    answer = curl(peer.port, ca=ca.file)
    assert (answer.status, answer.version, answer.body) == (200, "1.1", b"a.test\n")
    assert answer.headers["x-vhost"] == "a.test"
    assert curl(peer.port, "/missing", ca=ca.file, h2=True).status == 404
    assert curl(peer.port, ca=ca.file, h2=True).version == "2"


def test_a_certificate_for_another_name_is_noticed(peer, ca):
    assert curl(peer.port, name="c.test", ca=ca.file).exit == 60


def test_s_client_reports_the_handshake(peer, ca):
    got = s_client(peer.port, "-tls1_2", "-alpn", "h2", name="b.test", ca=ca.file)
    assert (got.protocol, got.cipher, got.group) == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "X25519")
    assert (got.alpn, got.subject, got.key, got.verified, got.done) == ("h2", "b.test", "2048 bit", True, True)
    assert s_client(peer.port, "-tls1_3").protocol == "TLSv1.3"
    assert not s_client(peer.port, "-tls1_2", "-cipher", "PSK").done


def test_gnutls_reports_the_handshake(peer, ca):
    assert b"TLS1.3" in gnutls(peer.port, ca=ca.file).stdout


def test_python_reads_responses(peer, ca):
    with tls.connect(peer.port, "a.test", ca.file) as connection:
        for _ in range(2):
            status, headers, body = tls.get(connection)
            assert (status, headers["x-vhost"], body) == (200, "a.test", b"a.test\n")


def test_an_error_line_is_found(httpd, mpm):
    server = httpd([], engine="plain", mpm=mpm, config='<Directory "@HOME@/docs">\nAllowOverride All\n</Directory>')
    server.put("docs/.htaccess", "Nonsense on\n")
    assert curl(server.plain_port, scheme="http").status == 500
    faults = server.judge()
    assert len(faults) == 1 and "Nonsense" in faults[0]
    assert server.judge() == []
    assert curl(server.plain_port, scheme="http").status == 500
    server.log.expect("Nonsense")
    assert server.judge() == []


def test_a_killed_child_is_found(httpd):
    server = httpd([], engine="plain")
    os.kill(server.children[0], signal.SIGSEGV)
    assert wait_until(lambda: server.log.matching("exit signal Segmentation fault"), "the child's end to be noticed")
    assert "exit signal Segmentation fault" in server.judge()[0]
    for core in (server.home / "core").iterdir():
        assert crash.backtrace(core)  # of whichever thread the signal came to
        core.unlink()


def test_a_crash_of_the_event_mpm_is_no_crash_of_ours():
    """The frames are those of a plain httpd that died so."""
    own = ["#0  0x00007fe8c7c9a180 in apr_os_sock_get () from /lib/x86_64-linux-gnu/libapr-1.so.0",
           "#1  0x00007fe8c79d906c in ?? () from /usr/lib/apache2/modules/mod_mpm_event.so",
           "#2  0x00007fe8c79da507 in ?? () from /usr/lib/apache2/modules/mod_mpm_event.so",
           "#3  0x0000555bfb27d850 in ap_run_mpm ()", "#4  0x0000555bfb2751c2 in main ()"]
    ours = "#1  0x00007fe8c743fa71 in tls::conn::Stream::send_ciphertext () at ../../src/conn/output.cpp:227"
    assert crash.of_event_mpm(own)
    assert not crash.of_event_mpm([own[0], ours, *own[2:]])
    assert not crash.of_event_mpm(own[1:]) and not crash.of_event_mpm(own[:3]) and not crash.of_event_mpm([])


def test_graceful_and_restart_take_the_new_configuration(httpd, mpm):
    server = httpd([], engine="plain", mpm=mpm)
    server.write(config="Header always set X-Round 2")
    server.graceful()
    wait_until(lambda: curl(server.plain_port, scheme="http").headers.get("x-round") == "2", "the graceful restart")
    server.write(config="Header always set X-Round 3")
    server.restart()
    wait_until(lambda: curl(server.plain_port, scheme="http").headers.get("x-round") == "3", "the restart")


def test_a_refused_configuration_says_why(httpd):
    server = httpd([], engine="plain", config="NoSuchDirective on", start=False)
    assert "NoSuchDirective" in server.run("-t").stderr
    assert "NoSuchDirective" in server.start_fails()


def test_a_port_names_one_client():
    """Whatever the kernel gives."""
    class Given:
        def __init__(self, port: int):
            self.port, self.open = port, True

        def getsockname(self):
            return "127.0.0.1", self.port

        def close(self):
            self.open = False

    given = [Given(port) for port in (70_001, 70_001, 70_001, 70_002)]
    waiting = iter(given)
    got = [wire.fresh(lambda: next(waiting)) for _ in range(2)]
    assert got == [given[0], given[3]] and [one.open for one in given] == [True, False, False, True]
