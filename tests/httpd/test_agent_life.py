# SPDX-License-Identifier: Apache-2.0
"""Death, arrest and renewal of the key agent: new handshakes may wait a moment, open connections never notice."""
import os
import resource
import shutil
import signal
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from harness import process
from harness.agent import agent, named
from harness.clients import curl, s_client
from harness.config import ONE_CHILD, Vhost
from harness.paths import HTTPD
from harness.tls import connect
from harness.waiting import wait_until

ON = "TLSKeyIsolation on"


@pytest.fixture
def server(httpd, ca):
    return httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON)


def get(connection) -> bytes:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    answer = b""
    while not answer.endswith(b"a.test\n"):
        part = connection.recv(4096)
        assert part, answer
        answer += part
    return answer


def open_connection(server, ca):
    return connect(server.port, "a.test", ca=ca.file)


def test_a_killed_signer_is_replaced(server, ca):
    kept = open_connection(server, ca)
    for _ in range(3):
        before = agent(server)
        os.kill(before.signer, signal.SIGKILL)
        assert curl(server.port, ca=ca.file).status == 200, "the first handshake waits for the new signer"
        assert get(kept)
        after = wait_until(lambda: (now := agent(server)).signer != before.signer and now, "a new signer")
        assert after.supervisor == before.supervisor
    server.log.expect(r"TLS0304.*signal 9", count=3)


def test_a_killed_supervisor_is_replaced(server, ca):
    kept = open_connection(server, ca)
    before = agent(server)
    os.kill(before.supervisor, signal.SIGKILL)
    assert curl(server.port, ca=ca.file).status == 200, "the signer goes on alone"
    server.log.expect(r"TLS0306.*supervisor of the key agent had died; a new one runs")
    wait_until(lambda: agent(server).supervisor != before.supervisor, "a new supervisor")
    wait_until(lambda: not process.alive(before.signer), "the old signer to go")
    assert curl(server.port, ca=ca.file).status == 200
    assert get(kept)
    os.kill(agent(server).signer, signal.SIGKILL)
    server.log.expect("TLS0304")
    assert curl(server.port, ca=ca.file).status == 200


def test_both_killed(server, ca):
    before = agent(server)
    os.kill(before.supervisor, signal.SIGKILL)
    os.kill(before.signer, signal.SIGKILL)
    server.log.allow("TLS0306", "TLS0402")
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "a new agent")
    assert agent(server) != before


def test_a_stopped_signer_is_replaced(server, ca):
    before = agent(server)
    assert curl(server.port, ca=ca.file).status == 200
    os.kill(before.signer, signal.SIGSTOP)
    server.log.allow("TLS0402")
    server.log.expect(r"TLS0304.*stopped")
    assert curl(server.port, ca=ca.file).status == 200
    assert agent(server).signer != before.signer


def test_a_signer_whose_threads_hang_is_replaced(server, ca):
    """A deadlock, a descriptor whose close(2) waits: the process lives, but answers nobody."""
    before = agent(server)
    assert curl(server.port, ca=ca.file).status == 200
    hang = Path(__file__).parents[1] / "harness" / "hang.py"
    with subprocess.Popen(["/usr/bin/python3", hang, str(before.signer)], stdout=subprocess.PIPE) as hanging:
        assert hanging.stdout.readline() == b"hangs\n"
        server.log.allow("TLS0402")
        server.log.expect(r"TLS0304.*did not answer within a second")
        wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "handshakes again")
        assert agent(server).signer != before.signer and agent(server).supervisor == before.supervisor
        assert hanging.wait(20) == 0


def test_children_ask_new_agents_over_their_old_channels(httpd, ca):
    """What a child shares with the signer outlives both of the agent's processes, and each new child gets its own."""
    settings = "StartServers 3\nServerLimit 4\nThreadsPerChild 4\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16"
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm_settings=settings, allow=("TLS0304", "TLS0306", "TLS0402"))
    channels = {channel(pid) for pid in server.children}
    assert len(channels) == len(server.children) == 3 and all(len(one) == 1 for one in channels), channels
    assert channel(agent(server).signer) == frozenset().union(*channels, channel(agent(server).supervisor))
    for victims in ("signer", "supervisor", "both"):
        before = agent(server)
        for name in ("supervisor", "signer"):
            if victims in (name, "both"):
                os.kill(getattr(before, name), signal.SIGKILL)
        wait_until(lambda: curl(server.port, ca=ca.file).status == 200 and agent(server) != before, "a new agent")
        assert {channel(pid) for pid in server.children} == channels
        for _ in range(12):
            assert curl(server.port, ca=ca.file).status == 200
    gone = server.children[0]
    lost = channel(gone)
    os.kill(gone, signal.SIGKILL)
    server.log.allow("AH00052")
    wait_until(lambda: not lost & channel(agent(server).signer), "its channel to go with it")


def channel(pid: int) -> frozenset[str]:
    """The channels that a process has mapped, by the memory's number."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return frozenset(line.split()[4] for line in lines if "memfd:mod_tls-replies" in line)


def test_a_child_without_a_way_is_replaced(httpd, ca):
    """The parent has no descriptor left for a new child's channel: that child ends, and so do others until there is one."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], mpm_settings=ONE_CHILD)
    before = agent(server)
    kept = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    highest = max(int(fd) for fd in os.listdir(f"/proc/{server.pid}/fd"))
    server.log.allow("AH00052", "TLS0306", "TLS0608")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (highest + 1, kept[1]))
    os.kill(server.children[0], signal.SIGKILL)
    server.log.expect("TLS0307.*no way to the key agent")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, kept)
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "a child that has a way")
    assert agent(server) == before


def test_a_stopped_supervisor_is_replaced(server, ca):
    """Handshakes do not need it, and a restart does not wait for it."""
    kept, before = open_connection(server, ca), agent(server)
    os.kill(before.supervisor, signal.SIGSTOP)
    assert curl(server.port, ca=ca.file).status == 200 and get(kept)
    server.log.allow("TLS0306.*been stopped")  # where httpd notices before the restart
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    assert agent(server).supervisor != before.supervisor
    wait_until(lambda: not process.alive(before.supervisor) and not process.alive(before.signer), "the old agent to end")
    os.kill(agent(server).supervisor, signal.SIGSTOP)
    server.log.expect("TLS0306.*had been stopped; a new one runs")
    assert curl(server.port, ca=ca.file).status == 200


def test_a_stopped_agent_costs_handshakes_but_no_connection(server, ca):
    """Both stopped: nobody replaces anybody. Handshakes fail within their second, requests on open connections go on."""
    kept = [open_connection(server, ca) for _ in range(3)]
    both = agent(server)
    server.log.allow("TLS0402", "TLS0403")
    process.pause(both.supervisor, both.signer)
    stop = threading.Event()
    failed = []

    def knock():
        while not stop.is_set():
            if s_client(server.port, name="a.test").exit != 0:
                failed.append(time.monotonic())

    knocking = [threading.Thread(target=knock) for _ in range(12)]
    for thread in knocking:
        thread.start()
    try:
        def served():
            return all(get(connection) for connection in kept) and len(failed) >= 12
        wait_until(served, "handshakes to fail while requests are answered", pause=0.05)
    finally:
        stop.set()
        for pid in (both.signer, both.supervisor):
            os.kill(pid, signal.SIGCONT)
        for thread in knocking:
            thread.join()
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "handshakes again")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_who_gets_no_signature_is_told_so(server, ca, version):
    """An alert, encrypted where the handshake is by then; not a connection that ends without a word."""
    both = agent(server)
    server.log.allow("TLS0402", "TLS0403")
    process.pause(both.supervisor, both.signer)
    try:
        with pytest.raises(ssl.SSLError, match="alert internal error"):
            connect(server.port, ca=ca.file, version=version)
    finally:
        for pid in (both.signer, both.supervisor):
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "handshakes again")


def test_signals_of_the_group_do_not_reach_it(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON, mpm="prefork")
    before = agent(server)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        for pid in (before.supervisor, before.signer):
            os.kill(pid, number)
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    assert agent(server).supervisor == before.supervisor, "it outlives a graceful restart"
    server.restart()
    assert curl(server.port, ca=ca.file).status == 200
    assert agent(server).supervisor == before.supervisor


def test_detached(httpd, ca):
    """Started as a daemon: the agent of the first pass of post_config serves the httpd that detached."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON, start=False)
    subprocess.run([HTTPD, "-f", str(server.conf)], check=True, timeout=60, env=server.environment())
    pidfile = server.home / "httpd.pid"
    try:
        wait_until(pidfile.exists, "a pid file")
        pid = int(pidfile.read_text())
        wait_until(lambda: "resuming normal operations" in server.log.text(), "the start")
        assert curl(server.port, ca=ca.file).status == 200
        supervisors = [p for p in processes_named("tls-keys") if shares_update_log(p, pid)]
        assert len(supervisors) == 1, "the first pass leaves no second one"
        os.kill(named(supervisors[0], "tls-signer")[0], signal.SIGKILL)
        assert curl(server.port, ca=ca.file).status == 200
        server.run("-k", "graceful")
        wait_until(lambda: server.log.text().count("resuming normal operations") == 2, "the restart")
        assert curl(server.port, ca=ca.file).status == 200
        server.log.allow("TLS0304")
    finally:
        server.run("-k", "stop")
        wait_until(lambda: not process.alive(pid), "httpd to end")
    wait_until(lambda: not any(process.alive(p) for p in supervisors), "the agent to end", 5)


def test_an_upgrade_replaces_the_agent(httpd, ca):
    """Another build of the module at a graceful restart does not talk to the agent of the one before."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    text = server.conf.read_text()
    module = next(line.split()[2] for line in text.splitlines() if line.startswith("LoadModule tls_module"))
    shutil.copy(module, server.home / "mod_tls-next.so")
    server.start()
    kept, before = open_connection(server, ca), agent(server)
    server.conf.write_text(text.replace(module, str(server.home / "mod_tls-next.so")))
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    # It goes on for the children that it signs for, whose last one ends with this connection.
    kept.close()
    wait_until(lambda: not process.alive(before.supervisor) and not process.alive(before.signer), "the old agent to end", 20)
    assert agent(server).supervisor != before.supervisor


def processes_named(name: str) -> list[int]:
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and process.name(int(p)) == name]


def shares_update_log(one: int, other: int) -> bool:
    def update_logs(pid):
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
        return {line.split()[4] for line in lines if "/memfd:mod_tls certificates" in line}
    return bool(update_logs(one) & update_logs(other))


def test_a_key_that_turned_bad_stops_the_start_only_where_it_was_never_loaded(server, ca):
    key = next((server.home / "certs").glob("a.test-*.key"))
    key.write_text("nothing")
    server.graceful()
    server.log.expect(r"TLS0209.*what was loaded from it before is still served")
    assert curl(server.port, ca=ca.file).status == 200
    server.stop()
    assert "holds no PEM block" in server.start_fails()


def test_a_restart_without_a_change_keeps_the_signer(httpd, ca):
    """Nothing is loaded again, and what changes afterwards is taken up as ever."""
    server = httpd([Vhost("a.test", extra="TLSCertificate a.pem")], config=f"{ON}\nTLSReload 1", start=False)

    def write(pair):
        server.put("a.pem.new", pair.certificate_pem() + pair.key_pem(), 0o600)
        os.rename(server.home / "a.pem.new", server.home / "a.pem")

    def served():
        with open_connection(server, ca) as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number

    write(ca.issue("a.test"))
    server.start()
    before, children = agent(server), set(server.children)
    server.graceful()
    assert agent(server) == before
    wait_until(lambda: not children & set(server.children), "children of the new generation alone")
    renewed = ca.issue("a.test")
    write(renewed)
    wait_until(lambda: served() == renewed.certificate.serial_number, "the new certificate", 10)
    server.log.expect("TLS0801")
    before = agent(server)
    for _ in range(2):
        server.graceful()
        assert served() == renewed.certificate.serial_number
    assert agent(server) == before
    last = ca.issue("a.test")
    write(last)
    server.graceful()
    assert served() == last.certificate.serial_number, "a restart does not wait until a file has settled"
    assert agent(server).signer != before.signer and agent(server).supervisor == before.supervisor
