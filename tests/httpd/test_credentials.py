# SPDX-License-Identifier: Apache-2.0
"""Faults of certificates and keys: what `-t` and the start say of them, and that they keep no server from stopping."""
import datetime
import os

import pytest
from harness.certs import DAY, now
from harness.clients import curl, s_client
from harness.config import Vhost

WORDS = "certs/{0}.crt certs/{0}.key"


def broken_host(server, ca, name: str, spoil) -> Vhost:
    """A virtual host with the files that `spoil` makes of a good pair; it may return other words for TLSCertificate."""
    pair = ca.issue(f"{name}.test")
    server.put(f"certs/{name}.crt", pair.certificate_pem(), 0o600)
    server.put(f"certs/{name}.key", pair.key_pem(), 0o600)
    words = spoil(server, name, ca) or WORDS.format(name)
    return Vhost(f"{name}.test", extra=f"TLSCertificate {words}")


def remove(path: str):
    return lambda server, name, ca: (server.home / f"certs/{path.format(name)}").unlink()


def replace(path: str, make):
    return lambda server, name, ca: server.put(f"certs/{path.format(name)}", make(ca), 0o600) and None


# name -> (what is done to the files, what must be said of it; {} is the virtual host's file name)
FAULTS = {
    "pipe": (lambda server, name, ca: os.mkfifo(server.home / "certs/pipe.pem") or "certs/pipe.crt certs/pipe.pem",
             "certs/{}.pem cannot be read: it is no regular file"),
    "gone": (remove("{}.crt"), "certs/{}.crt cannot be read: No such file or directory; check the path"),
    "keyless": (remove("{}.key"), "certs/{}.key cannot be read: No such file or directory; check the path"),
    "empty": (replace("{}.crt", lambda ca: b""), "certs/{}.crt is empty; put the PEM text"),
    "text": (replace("{}.crt", lambda ca: b"hello\n"), "certs/{}.crt holds no PEM block"),
    "cut": (replace("{}.crt", lambda ca: ca.issue("x").certificate_pem()[:200]),
            "certs/{}.crt: the block that begins in line 1 has no END line that fits"),
    "mismatch": (replace("{}.key", lambda ca: ca.issue("x").key_pem()), "certs/{}.key does not fit the certificate in"),
    "swapped": (lambda server, name, ca: f"certs/{name}.key certs/{name}.crt", 'certs/{}.key holds no certificate, but '
                '"PRIVATE KEY"; name a file with certificates in PEM here'),
    "nokey": (lambda server, name, ca: f"certs/{name}.crt", "certs/{}.crt holds a certificate but no private key"),
    "small": (replace("{}.key", lambda ca: ca.issue("x", kind="rsa1024").key_pem()), "has 1024 bits, usable are 2048"),
    "curve": (replace("{}.key", lambda ca: ca.issue("x", kind="secp256k1").key_pem()),
              "certs/{}.key is of a kind that TLS cannot use here (secp256k1)"),
    "locked": (replace("{}.key", lambda ca: ca.issue("x").key_pem(passphrase=b"secret")), None),
}


def faulty_hosts(server, ca) -> list[Vhost]:
    hosts = [broken_host(server, ca, name, spoil) for name, (spoil, _) in FAULTS.items()]
    return [*hosts, Vhost("none.test"), Vhost("good.test", [ca.issue("good.test")])]


@pytest.fixture
def faulty(httpd, ca):
    server = httpd([], start=False)
    server.write(faulty_hosts(server, ca))
    return server


def line_of(server, text: str) -> int:
    return next(i for i, line in enumerate(server.conf.read_text().splitlines(), 1) if text in line)


def check(server, said: str, name: str, expected: str, level: str = "emerg") -> None:
    """One line names the fault, the virtual host, and file:line of the directive."""
    place = f"{server.conf}:{line_of(server, f'TLSCertificate certs/{name}.')}"
    host = f"(virtual host {name}.test:{server.port}, {place})"
    lines = [line for line in said.splitlines() if expected.format(name) in line]
    assert len(lines) == 1 and lines[0].endswith(host) and f":{level}]" in lines[0], f"{name}: {lines}\n{said}"


def test_a_test_run_names_all_faults_at_once(faulty):
    done = faulty.run("-t")
    assert done.returncode == 1 and "Syntax OK" not in done.stderr
    for name, (_, expected) in FAULTS.items():
        if expected is not None:
            check(faulty, done.stderr, name, expected)
    check(faulty, done.stderr, "locked", "certs/{}.key is encrypted, so it is not checked here", "notice")
    place = f"{faulty.conf}:{line_of(faulty, 'ServerName none.test') - 1}"
    assert f"virtual host none.test:{faulty.port} ({place}) speaks TLS but has no certificate; name one" in done.stderr
    assert not [line for line in done.stderr.splitlines() if "good.test" in line and ":notice]" not in line]


def test_a_start_is_refused_with_the_same_words(faulty):
    said = faulty.start_fails()
    for name, (_, expected) in FAULTS.items():
        check(faulty, said, name, expected or "certs/{}.key is encrypted and no pass phrase opens it: httpd "
              "has no terminal to ask at; say where")
    assert "none.test" in said and "good.test" not in said


def test_virtual_hosts_are_listed_in_spite_of_faults(faulty):
    done = faulty.run("-S")
    assert done.returncode == 0 and "mismatch.test" in done.stdout, done.stderr
    assert "TLS02" not in done.stdout + done.stderr


@pytest.mark.parametrize("signal_name", ["stop", "graceful-stop"])
def test_a_server_can_be_stopped_whatever_is_wrong(httpd, ca, signal_name):
    """Every fault of this file at once: each alone would already keep the server from starting."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])])
    assert curl(server.port, ca=ca.file).status == 200
    old = ca.issue("old.test", start=now() - 20 * DAY, end=now() - 10 * DAY)
    server.write([*faulty_hosts(server, ca), Vhost("order.test", [chain_out_of_order(ca)]),
                  Vhost("old.test", [old]), Vhost("named.test", [ca.issue("x.test")])])
    assert server.run("-t").returncode == 1
    listed = server.run("-S")
    assert listed.returncode == 0 and "order.test" in listed.stdout
    done = server.run("-k", signal_name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    server.process.wait(20)
    server.expected_exit = None


def test_a_file_that_may_not_be_read_is_named(httpd, ca):
    """As root everything can be read; who runs httpd -t as somebody else learns which files that is not so for."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    said = server.run("-t", user=65534).stderr
    assert "certs/a.test-0.key cannot be read: Permission denied" in said and "(virtual host a.test:" in said


def chain_out_of_order(ca):
    root = ca.intermediate("Upper")
    below = root.intermediate("Lower")
    leaf = below.issue("order.test")
    leaf.chain.reverse()
    return leaf


def test_a_chain_out_of_order_is_an_error(httpd, ca):
    server = httpd([Vhost("order.test", [chain_out_of_order(ca)])], start=False)
    said = server.run("-t").stderr
    assert "order.test-0.crt: the chain is out of order at certificate 2" in said and "order them" in said


def test_expiry_and_names_are_warnings(httpd, ca):
    old = ca.issue("old.test", start=now() - 20 * DAY, end=now() - 10 * DAY - datetime.timedelta(hours=1))
    early = ca.issue("early.test", start=now() + DAY)
    other = ca.issue("x.test", "*.wild.test", "192.0.2.7")
    named = Vhost("named.test", [other], aliases=("a.wild.test", "b.a.wild.test", "*.pattern.test"))
    server = httpd([Vhost("old.test", [old]), Vhost("early.test", [early]), named], start=False)
    warnings = [
        r"old.test-0.crt: the certificate expired on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, 10 days ago; clients",
        r"early.test-0.crt: the certificate is not valid before .*; check the clock",
        r"named.test-0.crt: the certificate covers x.test, \*.wild.test, 192.0.2.7, but not named.test, b.a.wild",
    ]
    done = server.run("-t")
    assert done.returncode == 0 and "Syntax OK" in done.stderr and done.stderr.count(":warn]") == 3, done.stderr
    server.start()
    for warning in warnings:
        server.log.expect(warning)
    assert len(server.log.matching("TLS0202")) == 3, "each is said once, though the configuration is read twice"
    assert s_client(server.port, name="old.test").subject == "old.test"


def test_the_main_server_needs_a_certificate_only_where_it_answers(httpd, ca):
    server = httpd([], start=False)
    assert "virtual host base.test (the main server)" in server.run("-t").stderr
    server.write([Vhost("a.test", [ca.issue("a.test")])])
    assert server.run("-t").returncode == 0


def test_mod_md_may_bring_the_certificate_later(httpd):
    server = httpd([Vhost("a.test")], modules=("md",), start=False)
    done = server.run("-t")
    assert "mod_md may have one for it, or shows a placeholder" in done.stderr, done.stderr
    assert "speaks TLS but has no certificate" not in done.stderr
