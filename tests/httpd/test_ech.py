# SPDX-License-Identifier: Apache-2.0
"""Encrypted ClientHello: the name that nobody on the way reads."""
import base64
import contextlib
import json
import os
import re
import socket
import threading
from pathlib import Path

import pytest
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.ech import SAYS, keys_in_dns, records, visit, visits
from harness.paths import ROOT
from harness.sanitizers import unfit
from harness.waiting import wait_until

HIDDEN = ("secret.test", "other.test")


def hosts(ca) -> list[Vhost]:
    return [Vhost(name, [ca.issue(name, kind="p256")], extra=SAYS) for name in ("public.test", *HIDDEN)]


@pytest.fixture
def server(httpd, ca):
    """A server with keys of its own making."""
    return httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"')


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_names_are_hidden(httpd, ca, mpm):
    server = httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"', mpm=mpm)
    keys = keys_in_dns(server)
    for name in HIDDEN:
        first, *rest = visits(server.port, name, keys, count=4)
        assert (first.ech, first.kind, first.status) == ("accepted", "full", "404"), first
        assert first.last == f"success|{name}|public.test|{name}"
        assert all((v.ech, v.kind, v.last) == ("accepted", "resumed", first.last) for v in rest), rest


def test_other_clients_are_served_as_ever(server):
    for word, said in (("none", "not attempted|NONE|NONE|secret.test"), ("grease", "grease|NONE|secret.test|secret.test")):
        got = visit(server.port, "secret.test", "", word)
        assert (got.status, got.last) == ("404", said), got


def test_h2_and_a_retried_hello(httpd, ca):
    server = httpd(hosts(ca), modules=("http2",), config='Protocols h2 http/1.1\nTLSGroups P-384\nTLSECH public.test "@HOME@/ech"')
    keys = keys_in_dns(server)
    got = visit(server.port, "secret.test", keys, "p384", "h2")
    assert (got.ech, got.kind, got.alpn) == ("accepted", "retried", "h2"), got
    first, second = visits(server.port, "secret.test", keys, "p384", count=2)
    assert (first.kind, second.kind, second.ech) == ("retried", "resumed", "accepted")


def test_a_stale_key_is_replaced(httpd, ca, server):
    stale = keys_in_dns(httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"'))
    keys = keys_in_dns(server)
    server.log.allow("TLS0402.*ech_required|TLS0402.*not loaded here")
    refused = visit(server.port, "secret.test", stale)
    assert (refused.ech, refused.retry) == ("rejected", keys)
    assert visit(server.port, "secret.test", refused.retry).last == "success|secret.test|public.test|secret.test"
    line = server.log.expect("encrypted its hello for a key that is not loaded here")
    assert "name asked for: public.test" in str(line) and "DUMP_TLS_ECH" in str(line)
    assert "secret.test" not in server.log.text()


def of_another_key(keys: str, number: int) -> str:
    """The same list, with the name that the key has there, for a key that nobody has (RFC 9849 4: behind the lengths of
    list and configuration, its version, the key's id, its kind and length)."""
    octets = bytearray(base64.b64decode(keys))
    octets[11:15] = number.to_bytes(4)
    return base64.b64encode(octets).decode()


def test_a_stranger_who_tries_keys_gets_refusals_alone(httpd, ca):
    server = httpd(hosts(ca), config=f'TLSECH public.test "@HOME@/ech"\n{ONE_CHILD}')
    keys, child = keys_in_dns(server), server.children
    server.log.allow("TLS0402.*ech_required|TLS0402.*not loaded here")
    for number in range(50):
        tried = visits(server.port, "secret.test", of_another_key(keys, number), count=20)
        assert all((v.ech, v.retry) == ("rejected", keys) for v in tried), tried
    assert server.children == child and len(server.log.matching("TLS0402")) < 50
    assert visit(server.port, "secret.test", keys).ech == "accepted"


def first_flight(server, keys: str) -> tuple[bytes, bytes]:
    """What a client sends first, and what it gets for that."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=visit, args=(listener.getsockname()[1], "secret.test", keys))
    thread.start()
    client, _ = listener.accept()
    with listener, client:
        hello = client.recv(65536)
        answer = asked(server, hello)
    thread.join()
    return hello, answer


def asked(server, hello: bytes) -> bytes:
    """The server's whole flight: it waits for the client then."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as replayed:
        replayed.sendall(hello)
        replayed.settimeout(1)
        got = b""
        with contextlib.suppress(TimeoutError):
            while data := replayed.recv(65536):
                got += data
        return got


def test_a_flight_that_is_sent_again_tells_nothing(server):
    keys = keys_in_dns(server)
    server.log.allow("TLS0402.*handshake failed")
    hello, first = first_flight(server, keys)
    again = [asked(server, hello) for _ in range(3)]
    assert b"secret.test" not in hello + first and b"public.test" in hello
    assert first[0] == 22 and all(len(answer) == len(first) for answer in again), [len(answer) for answer in (first, *again)]
    # The server's key share and random are new each time, so that nobody who listened can read on.
    assert len({answer[11:43] for answer in (first, *again)}) == 4
    assert visit(server.port, "secret.test", keys).ech == "accepted"


class Listening:
    """Somebody on the way to a server, who notes each client's first octets and hands on everything."""

    def __init__(self, server):
        self.server, self.hellos = server, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def hand_on(self, count: int) -> None:
        for _ in range(count):
            client, _ = self.listener.accept()
            with client, socket.create_connection(("127.0.0.1", self.server.port)) as server:
                self.hellos.append(client.recv(65536))
                server.sendall(self.hellos[-1])
                back = threading.Thread(target=self._copy, args=(server, client))
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def extensions(hello: bytes) -> dict[int, bytes]:
    """Those of a ClientHello in one record, by type (RFC 8446 4.1.2)."""
    rest = hello[9 + 34:]
    rest = rest[1 + rest[0]:]
    rest = rest[2 + int.from_bytes(rest[:2]):]
    rest = rest[1 + rest[0] + 2:]
    found = {}
    while rest:
        kind, length = int.from_bytes(rest[:2]), int.from_bytes(rest[2:4])
        found[kind], rest = rest[4:4 + length], rest[4 + length:]
    return found


def test_the_length_of_a_ticket_tells_no_name(httpd, ca):
    """A client that resumes inside shows an identity of the same length outside (RFC 9849 6.1.2)."""
    names = ("s.test", "a-name-of-quite-another-length.test")
    server = httpd([Vhost(name, [ca.issue(name, kind="p256")], extra=SAYS) for name in ("public.test", *names)],
                   config='TLSECH public.test "@HOME@/ech"')
    keys, lengths = keys_in_dns(server), set()
    for name in names:
        between = Listening(server)
        thread = threading.Thread(target=between.hand_on, args=(2,))
        thread.start()
        first, second = visits(between.port, name, keys, count=2)
        thread.join()
        between.listener.close()
        assert (first.kind, second.kind, second.ech) == ("full", "resumed", "accepted"), second
        shown = extensions(between.hellos[1])
        lengths.add((int.from_bytes(shown[41][2:4]), len(shown[0xfe0d]), len(between.hellos[1])))
    assert len(lengths) == 1, lengths


def test_keys_outlive_restarts_and_only_root_reads_them(server):
    keys = keys_in_dns(server)
    directory = server.home / "ech"
    assert directory.stat().st_mode & 0o777 == 0o700
    files = list(directory.iterdir())
    assert len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600
    for again in (server.graceful, server.restart):
        again()
        assert keys_in_dns(server) == keys
        assert visit(server.port, "secret.test", keys).ech == "accepted"


def test_an_old_key_is_replaced_and_accepted_until_it_is_erased(server):
    def a_month_later():
        for file in sorted((server.home / "ech").iterdir()):
            file.rename(file.with_name(f"{int(file.stem) - 31 * 86_400}.ech"))
        server.graceful()
        return keys_in_dns(server)

    old = keys_in_dns(server)
    for _ in range(2):
        new = a_month_later()
        assert new != old
        assert [visit(server.port, "secret.test", keys).ech for keys in (old, new)] == ["accepted", "accepted"]
    last = a_month_later()
    server.log.allow("TLS0402.*not loaded here")
    assert len(list((server.home / "ech").iterdir())) == 3
    assert visit(server.port, "secret.test", old).retry == last


def private_part(server) -> bytes:
    """The inside of the only private key of X25519 that the server made, as RFC 7748 has it."""
    text = next((server.home / "ech").iterdir()).read_text()
    body = re.search("BEGIN PRIVATE KEY-----(.*?)-----END", text, re.S)[1]
    return base64.b64decode("".join(body.split()))[-32:][1:31]  # the ends are changed before use


def found_in(pid: int, needle: bytes) -> tuple[int, int]:
    """How often it stands in memory of a process that a core dump has, and in memory that it has not."""
    dumped = hidden = 0
    maps = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{pid}/smaps").read_text(), flags=re.M)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for one in maps:
            place = re.match("([0-9a-f]+)-([0-9a-f]+) r", one)
            if not place or "[v" in one.splitlines()[0]:
                continue
            first, last = (int(end, 16) for end in place.groups())
            try:
                memory.seek(first)
                count = memory.read(last - first).count(needle)
            except OSError:
                continue
            if re.search("^VmFlags:.* dd", one, re.M):
                hidden += count
            else:
                dumped += count
    return dumped, hidden


def test_private_keys_are_in_no_core_dump_and_go_when_they_are_replaced(httpd, ca):
    unfit("all memory is read, their shadow too")
    server = httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"', mpm_settings=ONE_CHILD)
    keys, private = keys_in_dns(server), private_part(server)
    assert visit(server.port, "secret.test", keys).ech == "accepted"
    child, = server.children
    assert found_in(child, private) == (0, 1)
    assert found_in(server.pid, private) == (0, 1)
    # Others come in its place, and no hello with them.
    key = next((server.home / "ech").iterdir())
    key.unlink()
    server.graceful()
    assert keys_in_dns(server) != keys
    wait_until(lambda: server.children and child not in server.children, "the old child to end")
    child, = server.children
    assert found_in(child, private) == found_in(server.pid, private) == (0, 0)


def test_an_odd_file_keeps_no_key_from_being_made_or_erased(server):
    kept = server.home / "ech"
    old = keys_in_dns(server)
    (kept / "odd.ech").write_text("nothing")
    server.log.allow("TLS0402.*not loaded here")
    for _ in range(3):
        for file in sorted(file for file in kept.iterdir() if file.stem.isdigit()):
            file.rename(file.with_name(f"{int(file.stem) - 31 * 86_400}.ech"))
        server.graceful()
        server.log.expect("TLS0902.*odd.ech is no key file of .*move it elsewhere")
    assert len(list(kept.iterdir())) == 4, "three keys, and what is none"
    refused = visit(server.port, "secret.test", old)
    assert refused.ech == "rejected" and refused.retry not in ("-", old), "erased, and there is a new one"
    assert visit(server.port, "secret.test", refused.retry).ech == "accepted"


def key_file(httpd, ca, server, public_name: str = "public.test") -> bytes:
    """The file of another server's key."""
    other = httpd(hosts(ca), config=f'TLSECH {public_name} "@HOME@/ech"', allow=("TLS0905",))
    return next((other.home / "ech").iterdir()).read_bytes()


@pytest.mark.parametrize("words, mpm", [('TLSECHKeys "@HOME@/keys/*.ech"', "event"), ('SSLECHKeyDir "@HOME@/keys"', "event"),
                                        ('TLSECHKeys "@HOME@/keys/*.ech"', "worker"), ('TLSECHKeys "@HOME@/keys/*.ech"', "prefork")])
def test_keys_in_files_are_taken_up_without_a_failed_connection(httpd, ca, server, words, mpm):
    engine = "mod_tls-ssl" if words.startswith("SSL") else "mod_tls"
    if engine == "mod_tls-ssl":
        words += "\nTLSReload 1"
    files = httpd([Vhost(h.name, h.pairs, extra=h.extra) for h in hosts(ca)], config=words, engine=engine, mpm=mpm, start=False)
    files.put("keys/one.ech", key_file(httpd, ca, server), 0o600)
    files.start()
    old = keys_in_dns(files)
    assert visit(files.port, "secret.test", old).ech == "accepted"
    seen, done = [], threading.Event()

    def load():
        while not done.is_set():
            seen.extend(visits(files.port, "secret.test", old, count=20))

    thread = threading.Thread(target=load)
    thread.start()
    files.put("keys/two.ech", key_file(httpd, ca, server), 0o600)
    files.log.allow("TLS0402.*not loaded here")
    new = keys_in_dns(files)
    wait_until(lambda: visit(files.port, "secret.test", new).ech == "accepted", "the new key to be taken up", 60)
    files.graceful()
    done.set()
    thread.join()
    assert visit(files.port, "secret.test", new).ech == "accepted"
    assert {v.ech for v in seen} == {"accepted"}, [v for v in seen if v.ech != "accepted"]


def test_records_for_dns(httpd, ca):
    server = httpd(hosts(ca), modules=("http2",), config='Protocols h2 http/1.1\nTLSECH public.test "@HOME@/ech"')
    found = records(server)
    record = found[f"_{server.port}._https.secret.test."]
    assert record.startswith(f'_{server.port}._https.secret.test. 300 IN HTTPS 1 secret.test. alpn="h2,http/1.1" ech="A')


SVCB = "<Location /.well-known/origin-svcb>\nSetHandler tls-origin-svcb\n</Location>"


def example(word: str) -> str:
    """The configuration in docs/ech.md that has this word, with files in the test's own directory."""
    text = next(block for block in re.findall(r"^```apache\n(.*?)^```$", (ROOT / "docs/ech.md").read_text(), re.M | re.S) if word in block)
    for shown, own in (("/etc/tls/", "@HOME@/tls/"), ("/var/www/html", "@HOME@/docs"), ("*:443", "*:@TLS@"), ("TLSEngine 443", "TLSEngine @TLS@")):
        text = text.replace(shown, own)
    return text


def test_the_handler_as_the_documentation_shows_it(httpd, ca):
    server = httpd([], config=example("tls-origin-svcb"), tls_engine=None, start=False)
    pair = ca.issue("public.example", "www.example.org")
    server.put("tls/ech.pem", pair.certificate_pem())
    server.put("tls/ech.key", pair.key_pem(), 0o600)
    server.start()
    answer = curl(server.port, "/.well-known/origin-svcb", name="www.example.org", ca=ca.file)
    assert json.loads(answer.body)["endpoints"][0]["params"] == {"alpn": ["http/1.1"], "ech": keys_in_dns(server)}
    assert visit(server.port, "www.example.org", keys_in_dns(server)).ech == "accepted"


def test_who_keeps_the_zone_asks_the_server(httpd, ca):
    """What the handler says is what the dump prints, and new keys show without a restart."""
    made = hosts(ca)
    made[1].extra += f"\n{SVCB}"
    made.append(Vhost("old.test", [ca.issue("old.test")], extra=f"SSLProtocol TLSv1.2\n{SVCB}"))
    server = httpd(made, engine="mod_tls-ssl", modules=("http2",), config='Protocols h2 http/1.1\nTLSReload 1\nTLSECH public.test "@HOME@/ech"\n'
                   + SVCB.replace("/.well", "/plain/.well"), allow=("TLS0906",), ports=("TLS", "PLAIN"))
    path = "/.well-known/origin-svcb"

    def told(name: str) -> dict:
        answer = curl(server.port, path, name=name, ca=ca.file)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer
        return json.loads(answer.body)

    before = told("secret.test")
    assert before == {"regeninterval": 3600, "endpoints": [{"priority": 1, "params": {"alpn": ["h2", "http/1.1"], "ech": keys_in_dns(server)}}]}
    assert curl(server.port, path, name="other.test", ca=ca.file).status == 404, "off where nobody has set it"
    assert curl(server.port, path, "-X", "POST", name="secret.test", ca=ca.file).status == 405
    assert curl(server.port, path, "-I", name="secret.test", ca=ca.file).headers["content-length"]
    assert curl(server.ports["PLAIN"], f"/plain{path}", name="secret.test", scheme="http").status == 404, "over https alone"
    assert told("old.test")["endpoints"] == [{"priority": 1, "params": {"alpn": ["h2", "http/1.1"]}}], "no client hides a name in TLS 1.2"
    # What is told works.
    assert visit(server.port, "secret.test", before["endpoints"][0]["params"]["ech"]).ech == "accepted"


def test_a_new_key_is_told_without_a_restart(httpd, ca, server):
    made = hosts(ca)
    made[1].extra += f"\n{SVCB}"
    files = httpd(made, config='TLSReload 1\nTLSECHKeys "@HOME@/keys/*.ech"', start=False)
    files.put("keys/one.ech", key_file(httpd, ca, server), 0o600)
    files.start()

    def told() -> str:
        answer = curl(files.port, "/.well-known/origin-svcb", name="secret.test", ca=ca.file)
        return json.loads(answer.body)["endpoints"][0]["params"]["ech"]

    old = told()
    assert old == keys_in_dns(files)
    files.put("keys/two.ech", key_file(httpd, ca, server), 0o600)
    wait_until(lambda: told() != old, "the new key to be told")
    assert told() == keys_in_dns(files)


def test_machines_that_share_files_serve_each_other_s_clients(httpd, ca, server):
    """The guide's example, twice: what DNS says of either is accepted by both, and a key that comes to both is taken up."""
    text, pair = example("TLSECHKeys"), ca.issue("public.example", "www.example.org")
    first, second = (httpd([], config=f"TLSReload 1\n{SAYS}\n{text}", tls_engine=None, start=False) for _ in range(2))
    key = key_file(httpd, ca, server, "public.example")
    for machine in (first, second):
        for name, content in (("ech.pem", pair.certificate_pem()), ("ech.key", pair.key_pem()), ("ech/1.ech", key)):
            machine.put(f"tls/{name}", content, 0o600)
        os.utime(machine.home / "tls/ech/1.ech", (1_700_000_000, 1_700_000_000))
        machine.start()
        machine.log.allow("TLS0402.*not loaded here")
    old = keys_in_dns(first)
    assert old == keys_in_dns(second)
    assert [visit(machine.port, "www.example.org", old).ech for machine in (first, second)] == ["accepted", "accepted"]
    newer = key_file(httpd, ca, server, "public.example")
    for machine in (first, second):
        machine.put("tls/ech/2.ech", newer, 0o600)
    new = keys_in_dns(first)
    assert new == keys_in_dns(second) != old
    for machine in (first, second):
        wait_until(lambda machine=machine: visit(machine.port, "www.example.org", new).ech == "accepted", "the new key to be taken up")
        assert visit(machine.port, "www.example.org", old).ech == "accepted", "until its file is deleted"
    for machine in (first, second):
        (machine.home / "tls/ech/1.ech").unlink()
        wait_until(lambda machine=machine: visit(machine.port, "www.example.org", old).ech == "rejected", "the old key to go")
        assert visit(machine.port, "www.example.org", old).retry == new


def test_what_to_mend_before_dns_tells_the_world(httpd, ca):
    server = httpd([Vhost("secret.test", [ca.issue("secret.test")]), Vhost("old.test", [ca.issue("old.test")])],
                   config='TLSECH public.test "@HOME@/ech"', allow=("TLS0905",))
    server.log.expect("TLS0905.*no virtual host with TLS is called public.test")


def test_the_public_name_is_covered_and_answered_at_each_address(httpd, ca):
    """Each warning, under -t and at the start, ends when what it says is done."""
    def write(names, pattern, addresses, config='TLSECH public.test "@HOME@/ech"'):
        server.write([Vhost("front.test", [ca.issue("front.test", *names)], extra=f"ServerAlias {pattern}", address=addresses),
                      Vhost("secret.test", [ca.issue("secret.test", "other.test")], extra="ServerAlias other.test", address="127.0.0.1:@TLS@"),
                      Vhost("there.test", [ca.issue("there.test", "more.test")], extra="ServerAlias more.test", address="127.0.0.2:@TLS@")],
                     config=f"Listen 127.0.0.2:@TLS@\n{config}")

    server = httpd([], start=False, allow=("TLS0202", "TLS0909"), ports=("TLS",))
    for first in ("-t", "start"):
        write((), "*blic.test", "127.0.0.1:@TLS@")
        if first == "-t":
            said = server.run("-t").stderr
        else:
            server.start()
            said = server.said()
        assert re.search(r"TLS0202: .*front\.test.*covers front\.test, but not public\.test; .*have a certificate issued", said), said
        found = re.search(r"TLS0909: .*at (\S+) no virtual host with TLS is called public\.test.*: add (\S+) to its <VirtualHost> \(\S+:\d+\)", said)
        assert found and found[1] == found[2] == f"127.0.0.2:{server.port}", said
        assert not re.search(r"TLS0909: .*at 127\.0\.0\.1", said)
        write(("public.test",), "public.test", f"127.0.0.1:@TLS@ {found[2]}")
        said = server.run("-t").stderr
        assert "TLS0202" not in said and "TLS0909" not in said, said


@pytest.mark.parametrize("words, said", [
    ("TLSECH 192.0.2.1", "TLSECH: expected the name of a host"),
    ("TLSECH *.a.test", "TLSECH: expected the name of a host"),
    ('TLSECHKeys "@HOME@/none.ech"', "none.ech cannot be read: No such file"),
    ('TLSECHKeys "@HOME@/open.ech"', "others may read the ECH key file"),
    ('SSLECHKeyDir "@HOME@/nothing"', "cannot be read: No such file"),
    ('SSLECHKeyDir "@HOME@/empty"', "empty has no file of a key (*.ech)"),
    ("TLSECHPadding 5", "TLSECHPadding: expected off or a number"),
])
def test_faults_stop_the_start_and_the_test(httpd, ca, words, said):
    engine = "mod_tls-ssl" if words.startswith("SSL") else "mod_tls"
    server = httpd(hosts(ca), config=words, engine=engine, start=False)
    server.put("open.ech", "x", 0o644)
    server.put("empty/one.pem", "x", 0o600)
    done = server.run("-t")
    assert done.returncode != 0 and said in done.stderr + server.said(), done.stderr
    assert said in server.start_fails()


@pytest.mark.parametrize("words", ['TLSECHKeys "@HOME@/keys/*.ech"', 'SSLECHKeyDir "@HOME@/keys"'])
def test_a_directory_that_is_emptied_takes_away_no_key(httpd, ca, server, words):
    """Without keys clients would be told that names are hidden no longer, and ask in the clear."""
    engine = "mod_tls-ssl" if words.startswith("SSL") else "mod_tls"
    files = httpd(hosts(ca), config=f"{words}\nTLSReload 1", engine=engine, start=False, allow=("TLS0902", "TLS0402.*not loaded here"))
    key = key_file(httpd, ca, server)
    files.put("keys/one.ech", key, 0o600)
    files.put("keys/copy.ech", key, 0o600)
    files.start()
    keys = keys_in_dns(files)
    for file in (files.home / "keys").iterdir():
        file.unlink()
    files.log.expect("TLS0902", seconds=60)
    for again in (lambda: None, files.graceful):
        again()
        assert visit(files.port, "secret.test", keys).ech == "accepted"
        assert visit(files.port, "secret.test", of_another_key(keys, 1)).retry == keys


def test_keys_that_turn_bad_leave_those_of_before(httpd, ca, server):
    files = httpd(hosts(ca), config='TLSECHKeys "@HOME@/one.ech"', start=False)
    files.put("one.ech", key_file(httpd, ca, server), 0o600)
    files.start()
    keys = keys_in_dns(files)
    files.log.allow("TLS0902")
    files.put("one.ech", "broken", 0o600)
    files.graceful()
    files.log.expect("TLS0902.*holds no private key; .*earlier keys stay in use")
    assert visit(files.port, "secret.test", keys).ech == "accepted"
