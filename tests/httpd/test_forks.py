# SPDX-License-Identifier: Apache-2.0
"""What the processes of a server have of ours, and what they can do with it: every process that httpd, an MPM, a module
or a child forks, whether it then calls exec or not."""
import contextlib
import ctypes
import fcntl
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness import process, third_party
from harness.agent import SIGNER, SUPERVISOR, agent, named, status
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.ocsp import Responder, names_responder, response
from harness.paths import HTTPD
from harness.resumption import visit
from harness.sanitizers import unfit
from harness.tls import context
from harness.waiting import wait_until

PIDFD_GETFD = 438
F_ADD_SEALS, F_GET_SEALS = 1033, 1034
SEAL, SHRINK, GROW, WRITE, FUTURE_WRITE = 1, 2, 4, 8, 16
LIBC = ctypes.CDLL(None, use_errno=True)

READ, WRITTEN = "r--s", "rw-s"
OURS = {SUPERVISOR: "supervisor", SIGNER: "signer", "tls-fetch": "fetcher"}
SESSIONS, COUNTS, CERTIFICATES = "mod_tls sessions", "mod_tls counts", "mod_tls certificates"
SUMS, NAMES, FETCHED = "mod_tls sums", "mod_tls names", "mod_tls fetched"

REQUESTS, REPLIES = "mod_tls-requests", "mod_tls-replies"

# Mappings of ours by process, each name with its protection. What a child can write nobody else has mapped. The supervisor
# asks the signer over a channel, as a child does.
TABLE = {
    "parent": {(SESSIONS, WRITTEN), (NAMES, WRITTEN), (SUMS, WRITTEN), (CERTIFICATES, WRITTEN), (CERTIFICATES, READ), (FETCHED, WRITTEN), (FETCHED, READ)},
    "supervisor": {(CERTIFICATES, WRITTEN), (CERTIFICATES, READ), (REQUESTS, WRITTEN), (REPLIES, READ)},
    "signer": {(CERTIFICATES, READ), (REPLIES, WRITTEN)},
    "fetcher": {(FETCHED, WRITTEN), (FETCHED, READ), (CERTIFICATES, READ), (REPLIES, WRITTEN)},
    "child": {(SESSIONS, READ), (FETCHED, READ), (NAMES, READ), (SUMS, READ), (COUNTS, WRITTEN), (CERTIFICATES, READ), (REQUESTS, WRITTEN), (REPLIES, READ)},
    "daemon": {(CERTIFICATES, READ), (FETCHED, READ)},
    "program": set(),
}
# Descriptors of such memory: the parent and the supervisor pass channels on to signers to come. What a child writes is read
# through a descriptor for reading.
DESCRIPTORS = {
    "parent": [COUNTS, NAMES, SESSIONS, SUMS, REPLIES, REPLIES, REQUESTS, REQUESTS],
    "fetcher": [REQUESTS],
    "supervisor": [REPLIES, REPLIES, REQUESTS, REQUESTS],
    "signer": [REQUESTS, REQUESTS],
}
# A descriptor of the sessions' memory gives nothing but reading.
FOR_TWO = SEAL | SHRINK | GROW
SECRET = b"0123456789abcdef-of-this-test-alone-0123456789abcdef"

DAEMONS = """ScriptSock @HOME@/run/cgid
LoadModule fcgid_module /usr/lib/apache2/modules/mod_fcgid.so
FcgidIPCDir @HOME@/run
FcgidProcessTableFile @HOME@/run/fcgid-table
LoadModule wsgi_module /usr/lib/apache2/modules/mod_wsgi.so
WSGISocketPrefix @HOME@/run/wsgi
WSGIDaemonProcess site processes=1 threads=1 user=www-data group=www-data
WSGIScriptAlias /wsgi @HOME@/site.wsgi process-group=site
<Location "/wsgi">
  Require all granted
</Location>
ScriptAlias /cgi @HOME@/cgi.sh
<Location "/cgi">
  Require all granted
</Location>
TLSSessionTickets file:@HOME@/secret
TLSECH a.test @HOME@/ech
TLSFetchLocal on
CustomLog "|/usr/bin/python3 @HOME@/logger.py" "%v"
"""
WSGI = "def application(environ, start):\n    start('200 OK', [])\n    return [b'wsgi']\n"
CGI = "#!/bin/sh\nsleep 300 </dev/null >/dev/null 2>&1 &\nprintf 'Content-Type: text/plain\\n\\n%s\\n' $!\n"
LOGGER = "import sys\nfor line in sys.stdin:\n    pass\n"


@dataclass
class Owned:
    """A process and what it has of ours."""
    pid: int
    kind: str
    mappings: set[tuple[str, str]] = field(default_factory=set)
    descriptors: list[str] = field(default_factory=list)


def mappings_of(pid: int) -> list[tuple[str, str]]:
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if match := re.match(r"\S+ (\S+) \S+ \S+ \S+ +/memfd:(mod_tls.*?)(?: \(deleted\))?$", line):
            found.append((match[2], match[1]))
    return found


def memories_of(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = os.readlink(entry)
        except OSError:
            continue
        if match := re.match(r"/memfd:(mod_tls.*?)(?: \(deleted\))?$", link):
            found.append(match[1])
    return sorted(found)


def copies(pid: int) -> list[tuple[int, str]]:
    """Copies of all descriptors of a process, with what they are."""
    handle, found = os.pidfd_open(pid), []
    for entry in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
        copy = LIBC.syscall(PIDFD_GETFD, handle, int(entry), 0)
        if copy >= 0:
            found.append((copy, link))
    os.close(handle)
    return found


def kind_of(pid: int, server) -> str:
    name, parent = process.name(pid), process.parent_of(pid)
    if pid == server.pid:
        return "parent"
    if name in OURS:
        return OURS[name]
    if name != "apache2":
        return "program"
    # Daemons have a few threads.
    return "child" if parent == server.pid and len(os.listdir(f"/proc/{pid}/task")) > 10 else "daemon"


def closing(found):
    for copy, link in found:
        yield copy, link
        os.close(copy)


def listening(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def tree(pid: int) -> list[int]:
    return [pid, *(p for child in process.children(pid) for p in tree(child))]


def look(server) -> list[Owned]:
    return [Owned(pid, kind_of(pid, server), set(mappings_of(pid)), memories_of(pid)) for pid in (*tree(server.pid), server.program)]


@pytest.fixture
def server(httpd, ca):
    """A server with every kind of process; a CGI program runs."""
    responder = Responder()
    below = ca.intermediate("An authority in between")
    pair = below.issue("a.test", extensions=[names_responder(responder.url)])
    responder.answers[pair.certificate.serial_number] = lambda: response(below, pair)
    made = httpd([Vhost("a.test", [pair])], modules=("cgid",), mpm_settings=ONE_CHILD, config=DAEMONS, start=False)
    made.put("secret", SECRET, 0o600)
    made.put("site.wsgi", WSGI)
    made.put("cgi.sh", CGI, 0o755)
    made.put("logger.py", LOGGER)
    made.start()
    agent(made)
    wait_until(lambda: named(made.pid, "tls-fetch"), "a process that fetches")
    assert curl(made.port, path="/wsgi", ca=ca.file).text == "wsgi"
    made.program = int(curl(made.port, path="/cgi", ca=ca.file).text)
    wait_until(lambda: process.name(made.program) == "sleep", "the CGI program")
    yield made
    os.kill(made.program, signal.SIGKILL)
    responder.end()


def again(server) -> None:
    """Twice, and the daemon of mod_cgid gets another socket."""
    for number in range(2):
        text = server.conf.read_text()
        server.conf.write_text(re.sub("ScriptSock .*", f"ScriptSock {server.home}/run/cgid{number}", text))
        server.graceful()

        def are_gone() -> bool:
            with contextlib.suppress(OSError):  # some end meanwhile
                kinds = [one.kind for one in look(server)]
                return kinds.count("child") == 1 and kinds.count("daemon") == 3
            return False
        wait_until(are_gone, "those of before to end", 30)


def killed(server) -> None:
    """Daemons that httpd replaces are forked when the parent has all that it ever has."""
    server.log.allow("AH0", "wsgi", "fcgid")
    before = {one.pid for one in look(server) if one.kind == "daemon"}
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    def are_new() -> bool:
        with contextlib.suppress(OSError):  # some end meanwhile
            kinds = [one.kind for one in look(server) if one.pid not in before]
            return kinds.count("daemon") >= 2 and kinds.count("child") == 1  # a restart's, which mod_fcgid asks for
        return False
    wait_until(are_new, "new daemons", 30)


@pytest.mark.parametrize("happens", [None, again, killed], ids=lambda what: what.__name__ if what else "start")
def test_who_has_what(server, happens):
    if happens:
        happens(server)
    found = look(server)
    kinds = [one.kind for one in found]
    assert kinds.count("child") == 1 and kinds.count("supervisor") == 1 and kinds.count("signer") == 1 and kinds.count("fetcher") == 1
    assert kinds.count("daemon") == 3 or happens == killed, "of mod_cgid, mod_fcgid and mod_wsgi"
    assert kinds.count("program") >= 2, "the logger and the CGI program"
    for one in found:
        what = f"{one.kind} {one.pid} ({process.name(one.pid)})"
        assert one.mappings == TABLE[one.kind], what
        assert one.descriptors == DESCRIPTORS.get(one.kind, []), what


def test_every_memory_is_sealed(server):
    for copy, link in closing(copies(server.pid)):
        if "/memfd:mod_tls" in link:
            wanted = FOR_TWO | FUTURE_WRITE if SESSIONS in link else FOR_TWO
            assert fcntl.fcntl(copy, F_GET_SEALS) & wanted == wanted, link


def test_what_is_shared_is_written_by_nobody_else(server):
    """Not even with root's rights over the process, which the kernel grants for private memory."""
    for one in look(server):
        for line in Path(f"/proc/{one.pid}/maps").read_text().splitlines():
            if "/memfd:mod_tls" not in line or line.split()[1] != READ:
                continue
            start = int(line.split("-")[0], 16)
            with open(f"/proc/{one.pid}/mem", "r+b", buffering=0) as memory, pytest.raises(OSError):
                os.pwrite(memory.fileno(), b"\xff" * 8, start)


def test_the_secret_is_the_parents(server):
    """Nobody that was forked has the ticket secret in memory."""
    unfit("all memory is read, their shadow too")

    def has(pid):
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                area, rights, *rest = line.split()
                if rights[:2] != "rw" or rest[-1].startswith(("[v", "/memfd:")):
                    continue
                start, end = (int(number, 16) for number in area.split("-"))
                try:
                    if SECRET in os.pread(memory.fileno(), end - start, start):
                        return True
                except OSError:
                    continue
        return False
    assert has(server.pid), "the search finds it where it is"
    for one in look(server):
        assert one.kind == "parent" or not has(one.pid), f"{one.kind} {one.pid}"


def abuse(copy: int, link: str) -> None:
    """All that somebody might try with a descriptor."""
    tries = [
        lambda: os.ftruncate(copy, 0),
        lambda: os.ftruncate(copy, 1 << 30),
        lambda: os.pwrite(copy, b"\xff" * 4096, 0),
        lambda: mmap.mmap(copy, 4096).write(b"\xff" * 4096),
        lambda: fcntl.fcntl(copy, F_ADD_SEALS, SEAL | WRITE),
        lambda: fcntl.flock(copy, fcntl.LOCK_EX | fcntl.LOCK_NB),
        lambda: fcntl.lockf(copy, fcntl.LOCK_EX | fcntl.LOCK_NB),
        lambda: os.posix_fallocate(copy, 0, 1 << 22),
    ]
    if "socket:" in link:
        sock = socket.socket(fileno=os.dup(copy))
        sock.setblocking(False)
        if sock.family == socket.AF_UNIX and not listening(sock):
            tries = [
                *(lambda octets=octets: sock.send(octets) for octets in
                  (b"O\0\0\0\4abcd", b"M\0\0\0\4abcd", b"A", b"C", b"P", b"\0" * 4096, b"\1\0\0\0")),
                lambda: socket.send_fds(sock, [b"C"], [copy]),
                lambda: sock.shutdown(socket.SHUT_RDWR),
            ]
        else:
            tries = []
    elif not link.startswith("/memfd:mod_tls"):
        tries = []
    for attempt in tries:
        try:
            attempt()
        except (OSError, ValueError):
            continue


def test_what_a_daemon_can_do(server, ca):
    """A process that another module forked uses whatever it has: everybody else is served as before."""
    using = context(ca.file, version="1.3")
    before, (_, session) = agent(server), visit(server.port, using)
    for one in look(server):
        if one.kind != "daemon":
            continue
        for copy, link in closing(copies(one.pid)):
            abuse(copy, link)
    assert server.running() and curl(server.port, ca=ca.file).status == 200
    assert visit(server.port, using, session)[0], "tickets are still taken"
    assert agent(server) == before, "the agent is the one of before"
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200


def test_orders_are_the_parents(server, ca):
    """Somebody who holds the very line on which the parent gives its orders is not heard: no key is loaded, no program
    runs, nothing is answered."""
    machine = ca.issue("machine.test")
    crt, key = machine.write(server.home / "root-only", "machine")
    both = server.put("root-only/both.pem", crt.read_bytes() + key.read_bytes(), 0o600)
    before, number = agent(server), lambda n: struct.pack(">I", n)
    text = number(len(str(both))) + str(both).encode()
    order = number(3) + number(1) + text + number(0) + number(0)
    heard = 0
    for copy, link in closing(copies(server.pid)):
        if not link.startswith("socket:"):
            continue
        with socket.socket(fileno=os.dup(copy)) as line:
            if line.family != socket.AF_UNIX or line.type != socket.SOCK_STREAM or listening(line):
                continue
            heard += 1
            flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
            for octets in (b"M" + number(len(order)) + order, b"O" + number(len(order)) + order, b"\xff" * 4096):
                line.send(octets, flags)
            time.sleep(2)  # it answers within milliseconds
            with pytest.raises(BlockingIOError):
                line.recv(4096, flags)
    assert heard > 0, "the line is among the parent's"
    assert agent(server) == before
    assert curl(server.port, ca=ca.file).status == 200
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    assert agent(server).supervisor == before.supervisor, "which still hears the parent"


def test_who_is_forked_while_a_configuration_is_read_has_nothing(httpd, ca, tmp_path):
    """In both readings of a start, with httpd in the background, and in that of a restart."""
    module = third_party.build(tmp_path, "mod_daemon")
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config=f"LoadModule daemon_module {module}", start=False)
    listed = server.home / "run" / "daemons"
    subprocess.run([HTTPD, "-f", server.conf, "-k", "start"], env=server.environment() | {"DAEMONS": str(listed)}, check=True)
    daemons = lambda: [int(line) for line in listed.read_text().split()] if listed.exists() else []
    try:
        wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "the start")
        parent = int((server.home / "httpd.pid").read_text())
        os.kill(parent, signal.SIGUSR1)
        wait_until(lambda: len(daemons()) == 3, "three readings")
        for number, pid in enumerate(daemons()):
            assert memories_of(pid) == [], f"daemon {number}"
            assert set(mappings_of(pid)) <= TABLE["daemon"], f"daemon {number}"
    finally:
        subprocess.run([HTTPD, "-f", server.conf, "-k", "stop"], env=server.environment() | {"DAEMONS": str(listed)}, check=True)
        for pid in daemons():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not (server.home / "httpd.pid").exists(), "the end")


def test_what_a_child_can_do_to_the_others(server, ca):
    """Memory that a child can write is nobody's but its own: it fills it, stops and dies, and others go on."""
    using = context(ca.file, version="1.3")
    _, session = visit(server.port, using)
    [child] = [one for one in look(server) if one.kind == "child"]
    for line in Path(f"/proc/{child.pid}/maps").read_text().splitlines():
        if "/memfd:mod_tls" in line and line.split()[1] == WRITTEN:
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            with open(f"/proc/{child.pid}/mem", "r+b", buffering=0) as memory:
                os.pwrite(memory.fileno(), b"\xff" * (end - start), start)
    server.log.allow("TLS0415")  # what it says of itself
    time.sleep(11)  # the parent has looked at it
    assert visit(server.port, using, session)[0]
    os.kill(child.pid, signal.SIGKILL)
    server.log.allow("AH00052")
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "another child")
    assert visit(server.port, using, session)[0]
    assert server.running()


def test_programs_have_nothing(server):
    """What calls exec has no socket, pipe or memory of ours: only what httpd gave it."""
    ours = {os.stat(f"/proc/{pid}/fd/{entry}").st_ino
            for pid in (agent(server).supervisor, agent(server).signer) for entry in os.listdir(f"/proc/{pid}/fd")
            if os.readlink(f"/proc/{pid}/fd/{entry}").startswith(("socket:", "pipe:", "/memfd:"))}
    for one in look(server):
        if one.kind in ("program", "daemon"):
            theirs = {os.stat(f"/proc/{one.pid}/fd/{entry}").st_ino for entry in os.listdir(f"/proc/{one.pid}/fd")}
            assert not ours & theirs, f"{one.kind} {one.pid}"


def test_a_process_for_each_connection(httpd, ca):
    """mpm_itk forks a process for each connection from a child of the MPM, which then takes the user of the virtual
    host: it has keys signed, and resumes sessions, as the child would."""
    names = ("a.test", "b.test")
    hosts = [Vhost(name, [ca.issue(name)], extra=f"AssignUserID {user}") for name, user in
             zip(names, ("nobody nogroup", "www-data www-data"))]
    module = "LoadModule mpm_itk_module /usr/lib/apache2/modules/mpm_itk.so\nAssignUserID www-data www-data"
    server = httpd(hosts, mpm="prefork", config=module)
    agent(server)
    for version in ("1.2", "1.3"):
        using = context(ca.file, version=version)
        for name in names:
            _, session = visit(server.port, using, name=name)
            for _ in range(3):
                assert visit(server.port, using, session, name=name)[0], f"{name}, {version}"
                assert not visit(server.port, using, name=name)[0]


def test_two_servers_have_agents_of_different_users(httpd, ca):
    pair = ca.issue("a.test")
    uids = []
    for _ in range(2):
        server = httpd([Vhost("a.test", [pair])])
        both = agent(server)
        own = {status(pid)["Uid"].split()[0] for pid in (both.supervisor, both.signer)}
        assert len(own) == 1
        uids += own
        server.graceful()
        assert status(agent(server).signer)["Uid"].split()[0] == uids[-1], "for the life of the server"
    assert uids[0] != uids[1]


def test_what_another_library_maps_at_a_fork_stays_its_own(httpd, ca, tmp_path_factory):
    """Memory that a process goes without leaves no gap that others get before zeros are put there."""
    library = third_party.build(tmp_path_factory.mktemp("at_fork"), "at_fork")
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], environment={"LD_PRELOAD": str(library)})
    for _ in range(3):
        assert curl(server.port).status == 200
        server.graceful()
    assert not server.log.matching("exit signal")
