# SPDX-License-Identifier: Apache-2.0
"""Sessions and their keys over weeks."""
import pytest
from harness.config import Vhost
from harness.faketime import Clock
from harness.resumption import TWO_CHILDREN, visit
from harness.tls import context

HOUR = 3600
VERSIONS = ("1.2", "1.3")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(httpd, ca, clock):
    # one year, so that the certificate holds
    pair = ca.issue("a.test", kind="p256")
    return httpd([Vhost("a.test", [pair])], mpm_settings=TWO_CHILDREN, environment=clock.environment)


def test_three_weeks(server, ca, clock):
    using = context(ca.file, version="1.3")
    visits = []  # hour, hour of the full handshake that it goes back to, session
    for hour in range(0, 21 * 24, 7):
        clock.set(hour * HOUR)
        server.graceful()  # the parent looks after its keys; else it does so every ten seconds
        reused, session = visit(server.port, using, visits[-1][2] if visits else None)
        # A chain of resumptions ends a week after its full handshake (RFC 8446 section 4.6.1).
        assert reused == (hour not in (0, 168, 336)), f"hour {hour}"
        visits.append((hour, visits[-1][1] if reused else hour, session))
        for then, origin, old in visits[-5:-1]:
            young = hour - then < 12 and hour - origin < 7 * 24
            assert visit(server.port, using, old)[0] == young, f"a session of hour {then} in hour {hour}"


@pytest.mark.parametrize("version, lifetime", [("1.2", HOUR), ("1.3", 12 * HOUR)])
def test_lifetime(server, ca, clock, version, lifetime):
    using = context(ca.file, version=version)
    _, session = visit(server.port, using)
    clock.set(lifetime - 60)
    assert visit(server.port, using, session)[0]
    clock.set(lifetime)
    assert not visit(server.port, using, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_from_the_future(server, ca, clock, version):
    using = context(ca.file, version=version)
    clock.set(600)
    _, session = visit(server.port, using)
    clock.set(0)
    assert not visit(server.port, using, session)[0]
    clock.set(660)
    assert visit(server.port, using, session)[0]
