# SPDX-License-Identifier: Apache-2.0
"""TLSKeyLogFile: secrets as a real client logs them, in a file that nobody else reads, and never without a warning."""
import os
import re
from pathlib import Path

import pytest
from harness import process, tls
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.proxies import MODULES as PROXY_MODULES

# RFC 9850 2: a label, the random of the ClientHello, a secret of the suite's hash (TLS 1.2: the master secret).
LINE = re.compile(r"([A-Z0-9_]+) ([0-9a-f]{64}) ([0-9a-f]{64}|[0-9a-f]{96})")
TLS13 = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
         "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"}
ON = "TLSKeyLogFile @HOME@/keys.log"
WARNS = "TLS0120"


def secrets(path: Path) -> dict[tuple[str, str], str]:
    """By label and random; each line is one of the format, or the file is none."""
    found = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            label, random, secret = LINE.fullmatch(line).groups()
            found[label, random] = secret
    return found


def shake(server, tmp_path, *options: str, name: str = "a.test") -> dict[tuple[str, str], str]:
    """A connection by openssl; the secrets that it logs itself."""
    log = tmp_path / "client.log"
    log.unlink(missing_ok=True)
    answer = s_client(server.port, "-keylogfile", str(log), "-ign_eof", *options, name=name,
                      send=tls.request(host=name, headers=("Connection: close",)))
    assert answer.done, answer.text
    return secrets(log)


def is_part_of(client: dict, server: dict) -> bool:
    return all(server.get(key) == secret for key, secret in client.items())


@pytest.fixture
def make(httpd, ca):
    def make(config: str = ON, names=("a.test",), **options):
        server = httpd([Vhost(name, [ca.issue(name)]) for name in names], config=config, start=False, **options)
        server.log.allow(WARNS)
        return server
    return make


@pytest.mark.parametrize("mpm,engine", [("event", "mod_tls"), ("worker", "mod_tls"), ("prefork", "mod_tls"), ("event", "mod_tls-ssl")])
@pytest.mark.parametrize("options,labels", [(("-tls1_3",), TLS13), (("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"), TLS13),
                                            (("-tls1_2",), {"CLIENT_RANDOM"})])
def test_it_says_what_a_real_client_logs(make, tmp_path, mpm, engine, options, labels):
    server = make(mpm=mpm, engine=engine).start()
    first = shake(server, tmp_path, *options, "-sess_out", str(tmp_path / "session"))
    log = server.home / "keys.log"
    assert {label for label, _ in first} == labels
    assert is_part_of(first, secrets(log)) and {label for label, _ in secrets(log)} == labels
    again = shake(server, tmp_path, *options, "-sess_in", str(tmp_path / "session"))
    assert not again.keys() & first.keys() and is_part_of(again, secrets(log))
    assert log.stat().st_mode & 0o777 == 0o600 and log.stat().st_uid == os.geteuid()


def test_it_is_off_and_silent_by_default(make, tmp_path):
    server = make("")
    server.extra_environment["SSLKEYLOGFILE"] = str(server.home / "keys.log")
    server.start()
    shake(server, tmp_path)
    assert not (server.home / "keys.log").exists() and not server.log.matching(WARNS)


def test_each_start_warns_and_a_restart_opens_the_file_anew(make, tmp_path):
    server = make().start()
    assert len(server.log.matching(WARNS)) == 1
    [line] = server.log.matching(WARNS)
    assert line.level == "warn" and f"{server.home}/keys.log" in line.raw and f"{server.conf}:" in line.raw
    shake(server, tmp_path)
    (server.home / "keys.log").rename(server.home / "old.log")
    server.graceful()
    assert len(server.log.matching(WARNS)) == 2
    said = shake(server, tmp_path)
    assert is_part_of(said, secrets(server.home / "keys.log")) and not said.keys() & secrets(server.home / "old.log").keys()
    server.write(config="")
    server.graceful()
    before = secrets(server.home / "keys.log")
    shake(server, tmp_path)
    assert secrets(server.home / "keys.log") == before and len(server.log.matching(WARNS)) == 2


def test_a_virtual_host_can_have_it_for_itself(httpd, ca, tmp_path):
    server = httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")], extra=ON)])
    server.log.allow(WARNS)
    other = shake(server, tmp_path, name="a.test")
    own = shake(server, tmp_path, name="b.test")
    said = secrets(server.home / "keys.log")
    assert is_part_of(own, said) and not other.keys() & said.keys()
    server.write([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")], extra="TLSKeyLogFile off")], config=ON)
    server.graceful()
    own, other = shake(server, tmp_path, name="b.test"), shake(server, tmp_path, name="a.test")
    said = secrets(server.home / "keys.log")
    assert is_part_of(other, said) and not own.keys() & said.keys()


@pytest.mark.parametrize("words", ["TLSProxyEngine on\nTLSProxyCA {ca}", "SSLProxyEngine on\nSSLProxyCACertificateFile {ca}\nSSLProxyVerify require"])
def test_connections_to_backends_are_in_it(httpd, ca, backend, tmp_path, words):
    far = backend(ca.issue("localhost"))
    far.context.keylog_filename = str(tmp_path / "backend.log")
    engine = "mod_tls" if words.startswith("TLS") else "mod_tls-ssl"
    front = httpd([], config=f"{words.format(ca=ca.file)}\n{ON}\nProxyPass / https://localhost:{far.port}/\n", modules=PROXY_MODULES,
                  engine=engine, tls_engine=None, ports=("PLAIN",))
    front.log.allow(WARNS)
    assert curl(front.plain_port, "/page", scheme="http").status == 200
    theirs, ours = secrets(tmp_path / "backend.log"), secrets(front.home / "keys.log")
    assert {label for label, _ in theirs} == TLS13 and is_part_of(theirs, ours)


def test_children_need_no_right_and_nobody_else_has_a_hand_on_it(make, tmp_path):
    server = make("TLSKeyLogFile @HOME@/closed/keys.log\nScriptAlias /cgi/ @HOME@/cgi/", modules=("cgid",))
    (server.home / "closed").mkdir(mode=0o700)
    server.put("cgi/look", "#!/bin/sh\necho; ls -l /proc/self/fd /proc/$PPID/fd\n", 0o755)
    server.start()
    said = shake(server, tmp_path)
    log = server.home / "closed" / "keys.log"
    assert is_part_of(said, secrets(log))

    def holds(pid: int) -> bool:
        return any(os.path.realpath(link) == str(log) for link in Path(f"/proc/{pid}/fd").iterdir())

    daemons = [pid for pid in process.children(server.pid) if not holds(pid)]
    serving = [pid for pid in process.children(server.pid) if holds(pid)]
    assert serving and holds(server.pid)
    # mod_cgid's daemon is a fork of httpd's parent, and its programs are forks of it; the key agent is no child of httpd's.
    assert daemons and all(process.name(pid) in ("tls-keys", "apache2") for pid in daemons)
    with tls.connect(server.port) as connection:
        connection.sendall(tls.request("/cgi/look", headers=("Connection: close",)))
        status, _, body = tls.Reader(connection).response()
    assert status == 200 and b"keys.log" not in body and b"/proc" in body


def damage(path: Path, how: str) -> None:
    path.unlink(missing_ok=True)
    if how == "open to others":
        path.write_text("")
        path.chmod(0o644)
    elif how == "somebody else's":
        path.write_text("")
        path.chmod(0o600)
        os.chown(path, 33, 33)
    elif how == "a symbolic link":
        (path.parent / "target").write_text("")
        (path.parent / "target").chmod(0o600)
        path.symlink_to(path.parent / "target")
    elif how == "a hard link":
        (path.parent / "target").write_text("")
        (path.parent / "target").chmod(0o600)
        path.hardlink_to(path.parent / "target")
    elif how == "a pipe":
        os.mkfifo(path, 0o600)
    elif how == "a directory":
        path.mkdir()


FAULTS = {"open to others": "chmod 600 {0}", "somebody else's": "another user (uid 33)", "a symbolic link": "a symbolic link",
          "a hard link": "hard links",
          "a pipe": "but a pipe", "a directory": "a directory"}


@pytest.mark.parametrize("how", FAULTS)
def test_what_others_could_read_or_put_there_stops_a_start_and_no_restart(make, tmp_path, how):
    if how == "somebody else's" and os.geteuid() != 0:
        pytest.skip("root alone gives files away")
    server = make()
    log = server.home / "keys.log"
    damage(log, how)
    reason = FAULTS[how].format(log)
    checked = server.run("-t")
    assert checked.returncode != 0 and "TLS0121" in checked.stderr and reason in checked.stderr
    assert reason in server.start_fails()
    if how == "a directory":
        log.rmdir()
    else:
        log.unlink()
    assert server.run("-t").returncode == 0 and not log.exists(), "a check makes no file"
    server = make()
    log = server.home / "keys.log"
    server.start()
    damage(log, how)
    server.graceful()
    [line] = server.log.expect("TLS0122")
    assert FAULTS[how].format(log) in line.raw
    shake(server, tmp_path)
    assert how == "a directory" or log.is_fifo() or not log.read_text(), "and nothing is written"


def test_a_server_has_one(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=ON),
                    Vhost("b.test", [ca.issue("b.test")], extra="TLSKeyLogFile @HOME@/other.log")], start=False)
    for said in (server.run("-t").stderr, server.start_fails()):
        assert "TLS0121" in said and "name the same file everywhere" in said


def test_the_environment_s_word_counts_for_one_process(make, tmp_path):
    server = make("")
    server.extra_environment["SSLKEYLOGFILE"] = str(server.home / "keys.log")
    server.log.allow("TLS0302")
    server.start(arguments=("-X",))
    assert is_part_of(shake(server, tmp_path), secrets(server.home / "keys.log"))
    [line] = server.log.matching(WARNS)
    assert "(SSLKEYLOGFILE)" in line.raw


def test_what_the_environment_names_badly_does_not_stop_one_process(make, tmp_path):
    server = make("")
    log = server.put("keys.log", "")
    server.extra_environment["SSLKEYLOGFILE"] = str(log)
    server.log.allow("TLS0302|TLS0122")
    server.start(arguments=("-X",))
    shake(server, tmp_path)
    assert not log.read_text() and server.log.matching("TLS0122: .*chmod 600")


def test_the_dump_says_so(make):
    server = make()
    said = server.run("-t", "-D", "DUMP_TLS").stdout
    assert re.search(rf"key log\s.*{server.home}/keys\.log", said)
