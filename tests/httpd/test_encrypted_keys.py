# SPDX-License-Identifier: Apache-2.0
"""Encrypted keys: who is asked for the pass phrase, with which words, and how often."""
import os
import pty
import select
import signal
import time

import pytest
from harness.clients import curl
from harness.config import Vhost
from harness.paths import HTTPD
from harness.waiting import wait_until

PHRASE = b"a test phrase"
TLS_WORDS = "TLSCertificate {0} {1}"
SSL_WORDS = "SSLEngine on\nSSLCertificateFile {0}\nSSLCertificateKeyFile {1}"


def program(server, name: str, text: str) -> str:
    return str(server.put(name, f"#!/bin/sh\n{text}\n", 0o755))


def locked(server, ca, name: str, kind: str = "p256", form: str = "pkcs8", words: str = TLS_WORDS,
           phrase: bytes = PHRASE) -> Vhost:
    pair = ca.issue(f"{name}.test", kind=kind)
    server.put(f"certs/{name}.crt", pair.certificate_pem(), 0o600)
    server.put(f"certs/{name}.key", pair.key_pem(form, phrase), 0o600)
    return Vhost(f"{name}.test", extra=words.format(f"certs/{name}.crt", f"certs/{name}.key"))


def serves(server, ca, name: str) -> bool:
    return curl(server.port, name=f"{name}.test", ca=ca.file).body == f"{name}.test\n".encode()


def test_a_program_is_asked_once_for_all_keys_and_restarts(httpd, ca, mpm):
    server = httpd([], mpm=mpm, start=False)
    ask = program(server, "ask", f'echo "$*" >> {server.home}/asked; echo "{PHRASE.decode()}"')
    server.write([locked(server, ca, "a"), locked(server, ca, "b", "rsa2048", "traditional")],
                 config=f"TLSKeyPassphrase exec:{ask}")
    server.start()
    assert serves(server, ca, "a") and serves(server, ca, "b")
    server.graceful()
    server.restart()
    assert serves(server, ca, "a") and serves(server, ca, "b")
    assert (server.home / "asked").read_text() == f"a.test:{server.port} RSA\n"


def test_a_key_that_changes_is_asked_for_where_no_known_phrase_opens_it(httpd, ca):
    """After the start the key agent asks, without httpd's rights: the program must be one that everybody may run."""
    server = httpd([], start=False)
    server.put("asked", "").chmod(0o666)
    phrase = server.put("phrase", PHRASE + b"\n")
    ask = program(server, "ask", f'echo "$*" >> {server.home}/asked; cat {phrase}')
    server.write([locked(server, ca, "a")], config=f"TLSKeyPassphrase exec:{ask}")
    server.start()
    locked(server, ca, "a", "p384")
    server.graceful()
    assert wait_until(lambda: serves(server, ca, "a"), "the new key")
    assert (server.home / "asked").read_text().count("a.test") == 1
    server.put("phrase", "another one\n")
    locked(server, ca, "a", "p521", phrase=b"another one")
    server.graceful()
    assert wait_until(lambda: serves(server, ca, "a"), "the key with another phrase")
    assert (server.home / "asked").read_text().count("a.test") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="httpd has no rights to give up")
def test_a_program_that_root_alone_may_run_needs_a_start(httpd, ca):
    """A configuration that -t takes, and a graceful restart cannot: the line says what to do, and a start does it."""
    server = httpd([], start=False)
    first = locked(server, ca, "a")
    ask = program(server, "ask", f'echo "{PHRASE.decode()}"')
    server.write([first], config=f"TLSKeyPassphrase exec:{ask}")
    server.start()
    other = server.put("other", "#!/bin/sh\necho another one\n", 0o700)
    server.write([first, locked(server, ca, "b", phrase=b"another one")], config=f"TLSKeyPassphrase exec:{other}")
    assert server.run("-t").returncode == 0
    os.kill(server.pid, signal.SIGUSR1)
    server.expected_exit = None
    assert server.process.wait(30) == 1
    server.log.allow("AH00020")
    server.log.expect("TLS0201.*other cannot be started: Permission denied, for since httpd has started it runs without root's rights: "
                      "stop and start httpd, or let everybody run it")
    locked(server, ca, "a", phrase=b"another one")
    server.start()
    assert serves(server, ca, "a") and serves(server, ca, "b")


def test_a_file_gives_the_phrase_also_for_one_virtual_host(httpd, ca):
    server = httpd([], start=False)
    server.put("phrase", PHRASE + b"\n", 0o600)
    words = "TLSCertificate {0} {1}\nTLSKeyPassphrase file:phrase"
    server.write([locked(server, ca, "a", words=words)])
    assert serves(server.start(), ca, "a")


@pytest.mark.parametrize("source,said", [
    ("exec:@HOME@/wrong", "what {home}/wrong printed is not its pass phrase"),
    ("exec:@HOME@/silent", "{home}/silent printed no pass phrase (exit status: 3)"),
    ("exec:@HOME@/none", "{home}/none cannot be started: No such file or directory"),
    ("file:@HOME@/none", "{home}/none cannot be read: No such file or directory"),
    ("builtin", "httpd has no terminal to ask at"),
])
def test_without_the_phrase_the_start_is_refused(httpd, ca, source, said):
    server = httpd([], start=False)
    program(server, "wrong", "echo nonsense")
    program(server, "silent", "exit 3")
    server.write([locked(server, ca, "a")], config=f"TLSKeyPassphrase {source}")
    message = f"certs/a.key is encrypted and no pass phrase opens it: {said.format(home=server.home)}"
    assert message in server.start_fails()


@pytest.mark.parametrize("word,said", [
    ("none", '"none"'), ("file:", "a file name must follow"), ("|prog", '"|prog"'),
])
def test_bad_words(httpd, word, said):
    server = httpd([], config=f"TLSKeyPassphrase {word}", start=False)
    done = server.run("-t")
    assert done.returncode == 1 and "TLSKeyPassphrase" in done.stderr and said in done.stderr, done.stderr


def test_the_words_of_mod_ssl(httpd, ca):
    """mod_ssl calls an exec: program with the server and RSA, DSA, ECC for the first three keys; | is started once."""
    server = httpd([], engine="mod_tls-ssl", start=False)
    ask = program(server, "ask", f'echo "$*" >> {server.home}/asked; echo "{PHRASE.decode()}"')
    hosts = [locked(server, ca, "a", "rsa2048", words=SSL_WORDS)]
    server.write(hosts, config=f"SSLPassPhraseDialog exec:{ask}")
    server.start()
    assert serves(server, ca, "a")
    assert (server.home / "asked").read_text() == "a.test:443 RSA\n", "the port of ServerName, else 443"
    server.stop()
    pipe = program(server, "pipe", f'echo start >> {server.home}/started; echo wrong; echo "{PHRASE.decode()}"; cat')
    server.write(hosts, config=f"SSLPassPhraseDialog |{pipe}")
    server.start()
    assert serves(server, ca, "a")
    assert (server.home / "started").read_text() == "start\n"


class Terminal:
    """httpd in the foreground on a terminal of its own, as an administrator starts it."""

    def __init__(self, server):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(HTTPD, [HTTPD, "-f", str(server.conf), "-DFOREGROUND"], server.environment())
        self.shown = ""

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + 20
        while text not in self.shown:
            ready = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))[0]
            assert ready, f"{text!r} is not in {self.shown!r}"
            try:
                self.shown += os.read(self.fd, 4096).decode()
            except OSError as end:
                raise AssertionError(f"httpd ended; it showed {self.shown!r}") from end

    def type(self, text: str) -> None:
        self.shown = ""
        os.write(self.fd, text.encode() + b"\n")

    def end(self, number: int) -> int:
        os.kill(self.pid, number)
        return os.waitpid(self.pid, 0)[1]


def test_the_terminal_is_asked_and_shows_nothing(httpd, ca):
    server = httpd([], start=False)
    server.write([locked(server, ca, "a"), locked(server, ca, "b")])
    terminal = Terminal(server)
    terminal.expect("Enter pass phrase:")
    assert f"Private key a.test:{server.port} ({server.home}/certs/a.key)" in terminal.shown
    terminal.type("wrong")
    terminal.expect("Pass phrase incorrect (2 more tries permitted).\r\nEnter pass phrase:")
    assert "wrong" not in terminal.shown
    terminal.type(PHRASE.decode())
    wait_until(lambda: "resuming normal operations" in server.log.text(), "the start")
    assert serves(server, ca, "a") and serves(server, ca, "b")
    os.kill(terminal.pid, signal.SIGUSR1)
    wait_until(lambda: server.log.text().count("resuming normal operations") == 2, "the graceful restart")
    assert serves(server, ca, "a")
    assert terminal.end(signal.SIGTERM) == 0


def test_three_wrong_answers_end_the_start(httpd, ca):
    server = httpd([], start=False)
    server.write([locked(server, ca, "a")])
    terminal = Terminal(server)
    for _ in range(3):
        terminal.expect("Enter pass phrase:")
        terminal.type("wrong")
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 1
    server.log.expect("certs/a.key is encrypted and no pass phrase opens it: the pass phrase was wrong three times")
    server.log.allow("AH00016", "AH00020")
