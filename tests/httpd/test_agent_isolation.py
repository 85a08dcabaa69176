# SPDX-License-Identifier: Apache-2.0
"""Private keys are in the key agent's memory and nowhere else, and the agent has as few rights as it can."""
import os
import re
import platform
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from harness import process
from harness.agent import agent, holds, named, secrets, status
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.paths import HTTPD
from harness.waiting import wait_until

ON = "TLSKeyIsolation on"
KINDS = ("p256", "rsa2048", "ed25519")
PHRASE = b"open-sesame-4711"


def keys_of(pairs) -> dict[str, bytes]:
    return {f"{kind}: {what}": secret for kind, pair in pairs.items() for what, secret in secrets(pair.key).items()}


def assert_clean(server, needles):
    looked = 0
    for pid in [server.pid, *server.children]:
        try:
            found = holds(pid, needles)
        except (FileNotFoundError, ProcessLookupError):
            assert pid not in server.children, f"{pid} lives, and cannot be looked at"
            continue  # a child of before a restart, or one that prefork had no more use for
        assert found == [], f"process {pid} of {server.pid}"
        looked += 1
    assert looked >= 2, "the parent and a child at least"


@pytest.fixture
def kept(httpd, ca):
    """A server with one virtual host for each kind of key, one of them in a combined file, one encrypted."""
    pairs = {kind: ca.issue(f"{kind}.test", kind=kind) for kind in KINDS}
    combined, locked = ca.issue("combined.test", kind="p384"), ca.issue("locked.test", kind="p256")
    server = httpd([Vhost(f"{kind}.test", [pair]) for kind, pair in pairs.items()], config=ON, start=False)
    server.put("certs/combined.pem", combined.combined_pem(), 0o600)
    server.put("certs/locked.crt", locked.certificate_pem())
    server.put("certs/locked.key", locked.key_pem(passphrase=PHRASE), 0o600)
    ask = server.put("ask", f"#!/bin/sh\necho once >> {server.home}/asked\necho {PHRASE.decode()}\n", 0o755)
    extra = [Vhost("combined.test", extra="TLSCertificate certs/combined.pem"),
             Vhost("locked.test", extra=f"TLSCertificate certs/locked.crt certs/locked.key\nTLSKeyPassphrase exec:{ask}")]
    server.write([*server.vhosts, *extra])
    server.pairs = pairs | {"combined": combined, "locked": locked}
    return server


def needles_of(server) -> dict[str, bytes]:
    return keys_of(server.pairs) | {"pass phrase": PHRASE}


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_keys_are_in_the_agent_only(kept, ca, mpm):
    kept.write(mpm=mpm, mpm_settings=None)
    assert kept.run("-t").returncode == 0
    kept.start()
    needles = needles_of(kept)
    for name in kept.pairs:
        assert curl(kept.port, name=f"{name}.test", ca=ca.file).status == 200
    assert_clean(kept, needles)
    found = holds(agent(kept).signer, needles)
    for name in ("p256: scalar", "combined: scalar", "locked: scalar", "rsa2048: p,", "pass phrase"):
        assert any(one.startswith(name) for one in found), f"the search finds {name} where it is"
    kept.graceful()
    for name in kept.pairs:
        assert curl(kept.port, name=f"{name}.test", ca=ca.file).status == 200
    assert_clean(kept, needles)


def test_the_supervisor_asks_once(kept, ca):
    kept.start()
    for _ in range(2):
        kept.graceful()
        assert curl(kept.port, name="locked.test", ca=ca.file).status == 200
    assert (kept.home / "asked").read_text() == "once\n"


def test_a_test_of_the_configuration_leaves_no_key(kept, ca):
    """`httpd -t` is held in its last breath: the pipe into which it says `Syntax OK` is full."""
    kept.write([vhost for vhost in kept.vhosts if vhost.name != "locked.test"])  # its notice would fill the pipe first
    for path in (kept.home / "certs").iterdir():  # so would one that their issuer is missing
        if "-----BEGIN CERTIFICATE" in path.read_text():
            path.write_text(path.read_text() + ca.file.read_text())
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    testing = subprocess.Popen([HTTPD, "-f", str(kept.conf), "-t"], stderr=writer, env=kept.environment())
    os.close(writer)
    try:
        speaks = ["1", "0x2"]  # write(2, ...), see proc(5)
        call = Path(f"/proc/{testing.pid}/syscall")
        wait_until(lambda: platform.machine() != "x86_64" or call.read_text().split()[:2] == speaks, "its last words")
        assert process.children(testing.pid) == [] and holds(testing.pid, needles_of(kept)) == []
        with open(reader, "rb") as rest:
            assert rest.read().endswith(b"Syntax OK\n")
        assert testing.wait(20) == 0
    finally:
        testing.kill()
        testing.wait(20)


def test_off_has_keys_in_the_children(httpd, ca):
    pair = ca.issue("a.test")
    server = httpd([Vhost("a.test", [pair])], config="TLSKeyIsolation off")
    assert curl(server.port, ca=ca.file).status == 200
    assert holds(server.pid, secrets(pair.key)), "the search finds keys where they are"
    assert named(server.pid, "tls-keys") == []


def test_switched_on_by_a_graceful_restart(httpd, ca):
    pair = ca.issue("a.test")
    server = httpd([Vhost("a.test", [pair])], config="TLSKeyIsolation off")
    server.write(config=ON)
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    agent(server)
    server.write(config="TLSKeyIsolation off")
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200


def test_privileges(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON)
    both = agent(server)
    www = {status(pid)["Uid"].split()[0] for pid in server.children}
    for pid, capabilities in ((both.signer, {0}), (both.supervisor, {0, 1 << 2})):
        said = status(pid)
        assert {int(said[name], 16) for name in ("CapEff", "CapPrm")} <= capabilities, said
        assert int(said["CapInh"], 16) == 0 and int(said["CapBnd"], 16) in (0, 1 << 24), said
        assert said["NoNewPrivs"] == "1"
        uids = set(said["Uid"].split())
        assert len(uids) == 1 and not uids & (www | {"0"}), f"{uids} beside {www}"
        assert said["Groups"] == ""
        # What is not dumpable belongs to root in /proc, and its memory is closed to its own uid (ptrace(2)).
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        assert os.getsid(pid) != os.getsid(server.pid)
    assert status(both.signer)["Seccomp"] == "2"
    files = next(line for line in Path(f"/proc/{both.signer}/limits").read_text().splitlines() if "open files" in line)
    # One connection for each thread of old and new children, and what it needs itself.
    assert 4 * 16 <= int(files.split()[3]) <= 4 * 2 * (2 * 16 + 16) + 64, files


def proc_hides_others() -> bool:
    """Whether /proc shows a user nothing of others' processes (proc(5), hidepid): there memory is even farther away."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return any(point == "/proc" and re.search(r"hidepid=(2|4|invisible|ptraceable)", options)
               for _, point, _, options, *_ in mounts)


def test_the_childrens_user_reaches_neither(httpd, ca):
    """Neither memory nor signals: what a captured child would try first."""
    both = agent(httpd([Vhost("a.test", [ca.issue("a.test")])]))
    for pid in (both.signer, both.supervisor):
        for attempt in (f"open('/proc/{pid}/mem', 'rb')", f"import os; os.kill({pid}, 9)"):
            done = subprocess.run(["/usr/bin/python3", "-c", attempt], user=33, group=33, extra_groups=[], capture_output=True,
                                  text=True, timeout=20)
            refusals = ["Permission"] + ["No such file"] * (proc_hides_others() and "/proc" in attempt)
            assert any(refusal in done.stderr for refusal in refusals) and done.returncode == 1, done
        assert process.alive(pid)


def test_descriptors(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON)
    for pid in vars(agent(server)).values():
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(entry)
            assert target == "/dev/null" or target.startswith(("socket:", "pipe:", "anon_inode:", "/memfd:mod_tls")) \
                or target == f"/proc/{server.pid}/task/{server.pid}/children", f"{pid}: {target}"
    listening = [line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    for pid in vars(agent(server)).values():
        sockets = {os.readlink(entry)[8:-1] for entry in Path(f"/proc/{pid}/fd").iterdir()
                   if stat.S_ISSOCK(os.stat(entry).st_mode)}
        assert not sockets & set(listening), "a listening socket"


def test_every_version_and_kind_of_key(kept):
    kept.start()
    for kind in KINDS:
        for version in ("-tls1_2", "-tls1_3"):
            assert s_client(kept.port, version, name=f"{kind}.test").exit == 0, f"{kind} {version}"


def test_another_user_than_root(httpd, ca):
    """As a whole under www-data: works, and one line says what is less separate."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON, start=False, environment={})
    for path in [server.home, *server.home.rglob("*")]:
        os.chown(path, 33, 33)
    server.start(user=33)
    server.log.expect(r"TLS0303.*runs under httpd's own uid")
    assert curl(server.port, ca=ca.file).status == 200
    said = status(agent(server).signer)
    assert said["NoNewPrivs"] == "1" and said["Seccomp"] == "2"
    assert os.stat(f"/proc/{agent(server).signer}/mem").st_uid == 0


def test_debugging_in_one_process(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON, start=False, log_level="notice")
    server.start(arguments=("-X",))
    server.log.expect(r"TLS0302.*httpd -X is one process")
    assert curl(server.port, ca=ca.file).status == 200
    assert named(server.pid, "tls-keys") == []


def test_the_agent_ends_with_httpd(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=ON)
    both = agent(server)
    children = server.children
    server.expected_exit = None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not process.alive(both.supervisor) and not process.alive(both.signer), "the agent to end", 5)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
