# SPDX-License-Identifier: Apache-2.0
"""Names that are none of DNS, in server_name: their virtual host or the first one answers, as with mod_ssl."""
import ssl
import subprocess

import pytest
from harness import tls, wire
from harness.clients import s_client
from harness.config import Vhost
from harness.paths import passable

NAMED = ["joe-.shop.test", "-joe.shop.test", "007", "_x.test", "a..b"]
# Its virtual host asks for a certificate.
ASKING = "member-.shop.test"


@pytest.fixture(scope="module", params=["mod_ssl", "mod_tls-ssl", "mod_tls"])
def server(request, shared_httpd, ca, tmp_path_factory):
    """Each certificate tells the virtual host by its name, which is none that a client would verify."""
    ours = request.param == "mod_tls"
    strict = "TLSStrictSNI off" if ours else ""
    asking = "TLSClientCertificate required\nTLSClientCA" if ours else "SSLVerifyClient require\nSSLCACertificateFile"
    authority, _ = ca.pair().write(passable(tmp_path_factory.mktemp("authority")), "ca")
    hosts = [Vhost("first.test", [ca.issue("first.test")], extra=strict)]
    hosts += [Vhost(name, [ca.issue(f"n{number}.test")]) for number, name in enumerate(NAMED)]
    hosts.append(Vhost(ASKING, [ca.issue("asking.test")], extra=f"""{asking} {authority}
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s\""""))
    return shared_httpd(hosts, engine=request.param, allow=(".*",))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name,subject", [*((name, f"n{number}.test") for number, name in enumerate(NAMED)),
                                          ("JOE-.shop.TEST", "n0.test"), ("other-.shop.test", "first.test"),
                                          ("host:443", "first.test"), ("1234", "first.test"), ("a b", "first.test")])
def test_the_virtual_host_of_such_a_name_answers(server, name, subject, version):
    assert s_client(server.port, version, name=name).subject == subject


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(server, version, tmp_path):
    session = tmp_path / "session"
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", NAMED[0], version, "-ign_eof"]
    request = b"GET / HTTP/1.1\r\nHost: joe-.shop.test\r\nConnection: close\r\n\r\n"
    for more, word in ((["-sess_out", session], b"New, "), (["-sess_in", session], b"Reused, ")):
        done = subprocess.run([*command, *map(str, more)], input=request, capture_output=True, timeout=30, check=False)
        assert word in done.stdout, done.stdout[-2000:]
        assert b"HTTP/1.1 200" in done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_a_client_proves_who_it_is(server, ca, kind, version, tmp_path):
    """It signs its own hello: in TLS 1.2 the message, in TLS 1.3 the hash."""
    crt, key = ca.issue("joe", kind=kind, client=True).write(tmp_path, "joe")
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", ASKING, version,
                           "-cert", crt, "-key", key, "-ign_eof"], capture_output=True, timeout=30, check=False,
                          input=f"GET / HTTP/1.1\r\nHost: {ASKING}\r\nConnection: close\r\n\r\n".encode())
    assert b"X-Verify: SUCCESS" in done.stdout, (done.stdout + done.stderr)[-2000:]


def test_after_a_second_hello(server):
    """The server asks for another group: both hellos hide the name."""
    context = tls.context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", NAMED[0], "-tls1_3",
                           "-groups", "P-521:P-384" if server.engine == "mod_ssl" else "P-384:P-256"], input=b"",
                          capture_output=True, timeout=30, check=False)
    assert b"n0.test" in done.stdout and b"Verify return code" in done.stdout


def test_the_line_says_what_was_sent(server):
    if server.engine == "mod_ssl":
        pytest.skip("its lines have no names")
    wire.exchange(server.port, wire.Hello("joe-.shop.test", suites=[0x0005]).record())
    assert "name asked for: joe-.shop.test" in server.log.expect("TLS0402")[0].raw
