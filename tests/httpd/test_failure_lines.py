# SPDX-License-Identifier: Apache-2.0
"""The line that a failed handshake leaves at the default log level: fixed fields, equal ones counted, noise left out."""
import re
import ssl

import pytest
from harness import tls, wire
from harness.clients import s_client
from harness.config import ONE_CHILD, Vhost
from harness.faketime import Clock
from harness.wire import AES256, Hello

LINE = re.compile(r"\[client 127\.0\.0\.1:(?P<port>\d+)\] (?P<id>TLS\d{4}): handshake failed (?P<stage>[^:]+): (?P<cause>.+?) "
                  r"\(name asked for: (?P<name>[^;]*); offered: (?P<offered>.*?); virtual host (?P<host>[^;)]*)"
                  r"(; (?P<more>\d+) more like it since it was last logged)?\)(\. (?P<remedy>.+))?$")


def fields(server, pattern: str) -> dict[str, str]:
    lines = server.log.expect(pattern)
    assert len(lines) == 1, lines
    assert lines[0].level == "warn"
    found = LINE.search(lines[0].raw)
    assert found, lines[0].raw
    return found.groupdict()


def test_fields(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSProtocol TLSv1.3+"),
                    Vhost("b.test", [ca.issue("b.test")], extra="TLSCiphersSuppress TLS_AES_256_GCM_SHA384")])
    reply = wire.exchange(server.port, Hello("nobody.test").record())
    said = fields(server, "nobody.test")
    assert (said["port"], said["id"], said["stage"]) == (str(reply.client), "TLS0402", "at the ClientHello")
    assert said["name"] == "nobody.test" and "TLS1.3,TLS1.2" in said["offered"]
    assert said["host"] == f"a.test:{server.port}" and "ServerAlias" in said["remedy"]

    wire.exchange(server.port, Hello("a.test", versions=None).record())
    said = fields(server, "name asked for: a.test")
    assert said["stage"] == "after the ClientHello" and "version" in said["cause"] and said["host"].startswith("a.test:")
    assert "TLSProtocol" in said["remedy"]

    wire.exchange(server.port, Hello("b.test", versions=[0x0304], suites=[AES256]).record())
    said = fields(server, "name asked for: b.test")
    assert "suite" in said["cause"] and said["host"].startswith("b.test:") and "TLSCiphersSuppress" in said["remedy"]

    with pytest.raises(ssl.SSLCertVerificationError):  # it does not trust us, and says so by an alert of its own
        tls.connect(server.port, "a.test", using=ssl.create_default_context())
    said = fields(server, "unknown_ca")
    assert said["cause"] == "the client gave up with alert unknown_ca" and "chain" in said["remedy"]


@pytest.mark.parametrize("name,hello,newest,oldest", [
    ("a.test", {"legacy_version": 0x0302, "versions": None}, "TLS 1.1", "TLS 1.2"),
    ("a.test", {"legacy_version": 0x0301, "versions": None}, "TLS 1.0", "TLS 1.2"),
    ("a.test", {"versions": [0x0A0A, 0x0302, 0x0301]}, "TLS 1.1", "TLS 1.2"),
    ("b.test", {"versions": None}, "TLS 1.2", "TLS 1.3"), ("b.test", {"versions": [0x0303]}, "TLS 1.2", "TLS 1.3"),
])
def test_old_clients(httpd, ca, name, hello, newest, oldest):
    """They send no signature algorithms, which rustls misses before it looks at versions."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")], extra="TLSProtocol TLSv1.3+")])
    for schemes in (None, [0x0403, 0x0804]):
        reply = wire.exchange(server.port, Hello(name, schemes=schemes, **hello).record())
        assert reply.alerts == ["protocol_version"]
    said = fields(server, "handshake failed")
    assert said["cause"] == f"the client offers at most {newest}, and the oldest version that is enabled here is {oldest}"
    assert "TLSProtocol" in said["remedy"]


def test_clients_without_signature_algorithms(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])])
    assert wire.exchange(server.port, Hello(versions=None, schemes=None).record()).alerts == ["handshake_failure"]
    assert fields(server, "handshake failed")["cause"].startswith("the client names no signature algorithms")


def test_equal_failures_are_counted(httpd, ca):
    clock = Clock(monotonic=True)
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm_settings=ONE_CHILD, environment=clock.environment)
    for _ in range(8):
        wire.exchange(server.port, Hello("nobody.test").record())
    assert fields(server, "TLS040[23]")["more"] is None
    clock.set(61)
    wire.exchange(server.port, Hello("other.test").record())
    said = fields(server, "TLS0403")
    assert (said["more"], said["name"]) == ("7", "other.test")
    assert len(server.log.matching("handshake failed")) == 2


def test_noise_is_left_out(httpd, ca):
    """Scanners and health checks are no failures of anybody's clients: nothing at the default level."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config="AcceptFilter https none\nAcceptFilter http none")
    for opening in (b"", b"SSH-2.0-OpenSSH_9.2\r\n", bytes(64), Hello().record()[:50], b"GET / HTTP/1.0\r\n\r\n"):
        wire.exchange(server.port, opening)
    assert s_client(server.port).done
    assert server.log.matching(r"TLS04") == []
