# SPDX-License-Identifier: Apache-2.0
"""Responders and certificates that lead astray: whatever is answered, the client about whom it was is refused, nobody else
is, nothing reaches where it must not, and the process that fetches goes on."""
import socket
import struct
import threading

from harness.agent import named
from harness.certs import Authority
from harness.clients import curl
from harness.config import Vhost
from harness.ocsp import names_responder, response
from harness.waiting import wait_until


class Raw:
    """Answers each question with the octets, or the function of a connection, that `answers` has for its path."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.answers, self.asked, self.ending = {}, [], threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.ending.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                connection.settimeout(10)
                got = b""
                while b"\r\n\r\n" not in got:
                    more = connection.recv(4096)
                    if not more:
                        return
                    got += more
                path = got.split(b" ")[1].decode().split("/")[1]
                self.asked.append(path)
                answer = self.answers.get(path, b"")
                connection.sendall(answer) if isinstance(answer, bytes) else answer(self, connection)
            except OSError:
                pass

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def end(self):
        self.ending.set()
        self.socket.close()


def moved(to: str, status: int = 307) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")


def without_end(piece: bytes, pause: float = 0):
    def serve(raw, connection):
        while not raw.ending.is_set():
            connection.sendall(piece)
            if pause:
                raw.ending.wait(pause)
    return serve


def begun(head: bytes, piece: bytes, pause: float = 0):
    def serve(raw, connection):
        connection.sendall(head)
        without_end(piece, pause)(raw, connection)
    return serve


def reset(_raw, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


HEAD = b"HTTP/1.1 200 OK\r\n"


def answers(good: bytes, canary: int) -> dict:
    """By what is wrong with each; `good` is a response that would be believed."""
    length = f"Content-Length: {len(good)}\r\n".encode()
    chunk = f"{len(good):x}\r\n".encode() + good
    inside = f"127.0.0.1:{canary}"
    return {
        "to-a-file": moved("file:/etc/passwd"), "to-a-file-there": moved("file:///etc/passwd"),
        "to-mapped": moved(f"http://[::ffff:127.0.0.1]:{canary}/"), "to-loopback": moved(f"http://{inside}/"),
        "to-metadata": moved("http://169.254.169.254/"), "to-decimal": moved(f"http://2130706433:{canary}/"),
        "to-octal": moved(f"http://0177.0.0.1:{canary}/"), "to-hex": moved(f"http://0x7f.0x0.0x0.0x1:{canary}/"),
        "to-short": moved(f"http://127.1:{canary}/"), "to-localhost": moved(f"http://localhost.:{canary}/"),
        "to-six": moved(f"http://[::1]:{canary}/"), "to-nobody": moved(f"http://0.0.0.0:{canary}/"),
        "to-user": moved(f"http://a@{inside}/"), "to-slashes": moved(f"//{inside}/"), "to-https": moved(f"https://{inside}/"),
        "to-gopher": moved(f"gopher://{inside}/_x"), "to-percent": moved(f"http://%31%32%37.0.0.1:{canary}/"),
        "to-backslash": moved(f"http:\\\\{inside}/"), "to-nothing": moved(""), "to-far": moved("/" + "x" * 10000),
        "to-octets": moved("http://\xe9/"),
        "interim-flood": without_end(b"HTTP/1.1 100 Continue\r\n\r\n"), "head-flood": begun(HEAD, b"X: " + b"a" * 4000 + b"\r\n"),
        "head-without-lines": begun(HEAD, b"a" * 4000), "drip": begun(HEAD + b"\r\n", b"0", 0.2),
        "drip-of-head": begun(HEAD, b"X", 0.2), "silence": lambda raw, _: raw.ending.wait(20), "reset": reset, "closed": b"",
        "gzip": HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0",
        "chunks-negative": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + good,
        "chunks-huge": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + good,
        "chunks-hex": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x10\r\n" + good,
        "chunks-cut": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk,
        "chunks-of-one": begun(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 240 + b"\r\n0\r\n"),
        "both": HEAD + length + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"\r\n0\r\n\r\n",
        "twice-chunked": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk + b"\r\n0\r\n\r\n",
        "length-negative": HEAD + b"Content-Length: -1\r\n\r\n" + good, "length-long": HEAD + b"Content-Length: 9999\r\n\r\n" + good,
        "length-short": HEAD + b"Content-Length: 10\r\n\r\n" + good, "two-lengths": HEAD + length + b"Content-Length: 3\r\n\r\n" + good,
        "length-of-many-digits": HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + good,
        "huge": begun(HEAD + b"\r\n", b"\x30" * 65536), "http-2": b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18,
        "http-09": good, "ftp": b"220 ready\r\n", "switching": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + good,
        "not-200": b"HTTP/1.1 203 OK\r\n" + length + b"\r\n" + good, "behind-it": HEAD + b"\r\n" + good + b"\0",
        "zeros": HEAD + b"\r\n" + b"\0" * 60000, "nested": HEAD + b"\r\n" + b"\x30\x80" * 30000,
    }


def entered() -> tuple[socket.socket, list]:
    """A listener on this machine, and who has come to it."""
    canary, hit = socket.create_server(("0.0.0.0", 0)), []

    def listen():
        while True:
            try:
                hit.append(canary.accept()[1])
            except OSError:
                return
    threading.Thread(target=listen, daemon=True).start()
    return canary, hit


def test_a_hostile_responder_gets_nothing(httpd, ca, tmp_path):
    # One each: who is silent three times in a row is left alone.
    raws, (canary, hit) = {}, entered()
    try:
        clients = Authority("Client CA")
        (tmp_path / "ca.pem").write_bytes(clients.pem())
        template = clients.issue("template", client=True)
        hows = answers(response(clients, template), canary.getsockname()[1])
        files = {}
        for how in [*hows, "good"]:
            pair = clients.issue(how, client=True)
            good = response(clients, pair)
            made = answers(good, canary.getsockname()[1]).get(how)
            raws[how] = Raw()
            raws[how].answers[how] = made if made is not None else HEAD + f"Content-Length: {len(good)}\r\n\r\n".encode() + good
            crt, key = pair.write(tmp_path, how)
            files[how] = ("--cert", str(crt), "--key", str(key))
        words = (f"SSLVerifyClient require\nSSLCACertificateFile {tmp_path}/ca.pem\nSSLOCSPEnable leaf\nSSLOCSPUseRequestNonce off\n"
                 "SSLOCSPResponderTimeout 3\nSSLOCSPOverrideResponder on\n")
        hosts = [Vhost(f"{how}.test", [ca.issue(f"{how}.test")], extra=f"{words}SSLOCSPDefaultResponder {raws[how].url(how)}")
                 for how in files]
        server = httpd(hosts, engine="mod_tls-ssl", allow=("TLS0",))
        fetcher = wait_until(lambda: named(server.pid, "tls-fetch"), "a process that fetches")
        for how, client in files.items():
            let_in = curl(server.port, "/", *client, name=f"{how}.test").status == 200
            assert let_in == (how == "good"), how
            assert how in raws[how].asked, how
        assert hit == [], "nobody was led inside"
        assert named(server.pid, "tls-fetch") == fetcher and not server.log.matching("TLS0817")
    finally:
        for raw in raws.values():
            raw.end()
        canary.close()


def test_certificates_lead_nowhere_inside(httpd, ca, tmp_path):
    canary, hit = entered()
    port = canary.getsockname()[1]
    own = socket.gethostname()
    try:
        clients = Authority("Client CA")
        (tmp_path / "ca.pem").write_bytes(clients.pem())
        words = (f"SSLVerifyClient require\nSSLCACertificateFile {tmp_path}/ca.pem\nSSLOCSPEnable leaf\nSSLOCSPResponderTimeout 3")
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words), Vhost("b.test", [ca.issue("b.test")])],
                       engine="mod_tls-ssl", allow=("TLS0",))
        for number, host in enumerate((
                "127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "[::]", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1",
                "localhost", "localhost.", "x.localhost", "user@127.0.0.1", "0.0.0.0", "0", "%31.0.0.1", own,
                socket.gethostbyname(own), "[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "127.0.0.1.")):
            pair = clients.issue(f"c{number}", client=True, extensions=[names_responder(f"http://{host}:{port}/")])
            crt, key = pair.write(tmp_path, f"c{number}")
            assert curl(server.port, "/", "--cert", str(crt), "--key", str(key), name="a.test").status != 200, host
            assert curl(server.port, "/", name="b.test").status == 200
        assert hit == []
        assert not server.log.matching("TLS0817")
    finally:
        canary.close()
