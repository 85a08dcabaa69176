# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all front-door tests: servers that are judged after each test, and certificates."""
import pytest
from harness.certs import Authority
from harness.httpd import Httpd
from harness.https_backend import HttpsBackend


class Servers:
    """Makes servers of one scope and ends them together."""

    def __init__(self, live: list[Httpd]):
        self._live = live
        self._own: list[Httpd] = []

    def __call__(self, vhosts, *, start: bool = True, **options) -> Httpd:
        server = Httpd(vhosts, **options)
        self._own.append(server)
        self._live.append(server)
        return server.start() if start else server

    def end(self) -> None:
        faults = []
        for server in self._own:
            try:
                server.stop()
            except AssertionError as fault:
                faults.append(str(fault))
            faults += server.judge()
            self._live.remove(server)
            server.remove()
        assert not faults, "at the end of the server:\n" + "\n".join(faults)


@pytest.fixture(scope="session")
def live_servers() -> list[Httpd]:
    return []


@pytest.fixture(autouse=True)
def judged(request, live_servers):
    """Fails a test after which a server has said or done what the test did not announce."""
    yield
    faults = []
    for server in live_servers:
        faults += server.judge()
        if faults or getattr(request.node, "failed", False):
            print(f"--- {server.conf}\n{server.written()}\n--- error log\n{server.said()}")
    assert not faults, "httpd reported:\n" + "\n".join(faults)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        item.failed = True


@pytest.fixture
def httpd(live_servers, judged):
    """Starts servers that end with the test: httpd([Vhost(...)], config=..., mpm=..., modules=...)."""
    servers = Servers(live_servers)
    yield servers
    servers.end()


@pytest.fixture(scope="module")
def shared_httpd(live_servers):
    """As `httpd`, for servers that the tests of one module share and only read."""
    servers = Servers(live_servers)
    yield servers
    servers.end()


@pytest.fixture(scope="session")
def ca(tmp_path_factory) -> Authority:
    """A root with `ca.file`, the PEM that clients trust."""
    authority = Authority("mod_tls Test Root")
    authority.file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.file.write_bytes(authority.pem())
    return authority


@pytest.fixture(params=["event", "worker", "prefork"])
def mpm(request) -> str:
    return request.param


@pytest.fixture
def backend(tmp_path):
    """Starts https backends that end with the test: backend(pair, ...)."""
    made = []

    def make(pair, **options):
        made.append(HttpsBackend(pair, tmp_path, **options))
        return made[-1]
    yield make
    for one in made:
        one.close()
