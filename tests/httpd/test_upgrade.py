# SPDX-License-Identifier: Apache-2.0
"""An upgrade of the package: another build at a graceful restart, under load. The library that httpd loads is the package's stub."""
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from harness import process, sanitizers
from harness.agent import SIGNER, SUPERVISOR, named
from harness.config import Vhost
from harness.paths import ROOT, mod_tls_so
from harness.tls import Reader, connect, context, request
from harness.waiting import wait_until

pytestmark = pytest.mark.skipif(sanitizers.PRESENT, reason="two builds with a sanitizer do not go into one process")
CLIENTS = 6


def install(home: Path, build: str) -> Path:
    """What the package installs, of a build of this name; replaces what is there, as dpkg does. Gives what httpd loads."""
    code, stub = home / f"mod_tls-{build}.so", home / "mod_tls.so"
    shutil.copy(mod_tls_so(), f"{code}.new")
    os.rename(f"{code}.new", code)
    subprocess.run([str(ROOT / "tools" / "stub.sh"), str(code), f"{stub}.new"], check=True)
    os.rename(f"{stub}.new", stub)
    return stub


def agents(server) -> set[int]:
    """Processes of key agents: supervisors and signers."""
    supervisors = named(server.pid, SUPERVISOR)
    return {*supervisors, *(signer for supervisor in supervisors for signer in named(supervisor, SIGNER))}


def ended(pids: set[int]) -> bool:
    return not any(process.alive(pid) for pid in pids)


def mapped(pid: int) -> set[str]:
    return {line.split()[5] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "mod_tls-" in line}


class Load:
    """Clients that connect, ask once and come back, until they are told to end."""

    def __init__(self, server, ca):
        self.asked, self.lost, self._end = 0, [], threading.Event()
        self._clients = [threading.Thread(target=self._ask, args=(server.port, context(ca.file))) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def _ask(self, port: int, using) -> None:
        while not self._end.is_set():
            try:
                with connect(port, using=using) as connection:
                    connection.sendall(request(headers=("Connection: close",)))
                    status, _, body = Reader(connection).response()
                    assert (status, body) == (200, b"a.test\n")
                self.asked += 1
            except Exception as error:  # noqa: BLE001 - whatever it was, the request is lost
                self.lost.append(repr(error))

    def end(self) -> None:
        self._end.set()
        for client in self._clients:
            client.join()


@pytest.fixture
def server(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    text = server.conf.read_text()
    loaded = next(line.split()[2] for line in text.splitlines() if line.startswith("LoadModule tls_module"))
    server.conf.write_text(text.replace(loaded, str(install(server.home, "one"))))
    return server.start()


def test_an_upgrade_under_load_loses_no_request(server, ca):
    before = agents(server)
    assert len(before) == 2
    load = Load(server, ca)
    try:
        wait_until(lambda: load.asked > 20, "the load to begin")
        for number, build in enumerate(("two", "three"), 1):
            install(server.home, build)
            server.graceful()
            at = load.asked
            wait_until(lambda at=at: load.asked > at + 40, "requests after the upgrade")
            assert any(f"mod_tls-{build}.so" in name for child in server.children for name in mapped(child)), number
    finally:
        load.end()
    assert load.lost == []
    wait_until(lambda: ended(before), "the first agent to end", 60)
    wait_until(lambda: len(agents(server)) == 2, "the last one to be alone", 60)


def test_children_of_before_sign_until_they_end(server, ca):
    """Who connected before the upgrade and speaks after it is served by the child, and so by the agent, of before."""
    before = agents(server)
    assert len(before) == 2
    late = socket.create_connection(("127.0.0.1", server.port), 15)
    busy = connect(server.port, ca=ca.file)
    busy.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    children = set(server.children)
    install(server.home, "two")
    server.graceful()
    wait_until(lambda: len(agents(server) - before) == 2, "the agent of the new build")
    with context(ca.file).wrap_socket(late, server_hostname="a.test") as connection:
        connection.sendall(request())
        assert Reader(connection).response()[0] == 200
    assert before < agents(server) and children & set(server.children), "somebody still needs it"
    busy.sendall(b"\r\n")
    assert Reader(busy).response()[0] == 200
    busy.close()
    wait_until(lambda: ended(before), "the agent of before to end", 60)


def test_a_build_that_comes_back_goes_on(server, ca):
    """Back to the build of before while its agent still signs for children that end."""
    busy = connect(server.port, ca=ca.file)
    busy.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    for build in ("two", "one"):
        install(server.home, build)
        server.graceful()
        with connect(server.port, ca=ca.file) as connection:
            connection.sendall(request())
            assert Reader(connection).response()[0] == 200
    busy.sendall(b"\r\n")
    assert Reader(busy).response()[0] == 200
    busy.close()


def test_isolation_turned_off_lets_children_of_before_finish(server, ca):
    before = agents(server)
    assert len(before) == 2
    late = connect(server.port, ca=ca.file)
    late.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    server.conf.write_text(server.conf.read_text() + "\nTLSKeyIsolation off\n")
    server.graceful()
    assert before == agents(server)
    late.sendall(b"\r\n")
    assert Reader(late).response()[0] == 200
    late.close()
    wait_until(lambda: ended(before), "the agent to end", 60)
