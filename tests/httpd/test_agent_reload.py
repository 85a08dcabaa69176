# SPDX-License-Identifier: Apache-2.0
"""Certificates that change on disk are taken up without a restart, whole and checked."""
import os
import threading
from pathlib import Path

import pytest
from cryptography import x509
from harness.agent import agent, holds, key_id, secrets
from harness.captured import DONE, UNKNOWN_KEY, Child
from harness.certs import DAY, now
from harness.clients import curl, s_client
from harness.config import ONE_CHILD, Vhost
from harness.faketime import Clock
from harness.waiting import wait_until

ON = "TLSKeyIsolation on\nTLSReload 1"


@pytest.fixture
def server(httpd, ca):
    server = httpd([Vhost("a.test", extra="TLSCertificate certs/a.crt certs/a.key")], config=ON, start=False,
                   log_level="notice", mpm_settings=ONE_CHILD)
    swap(server, ca.issue("a.test"))
    return server.start()


def swap(server, pair, stem="a"):
    """As certbot does it: each file complete at once, one after the other."""
    for suffix, content in ((".crt", pair.certificate_pem()), (".key", pair.key_pem())):
        new = server.put(f"certs/{stem}{suffix}.new", content, 0o600)
        os.rename(new, server.home / f"certs/{stem}{suffix}")


def serial(server, name="a.test") -> int:
    text = s_client(server.port, name=name).text

    pem = text[text.index("-----BEGIN"):text.index("-----END CERTIFICATE-----") + 26]
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_new_pair_is_served(server, ca):
    """With the children that there are: they stay the same where the MPM makes none for want of idle threads."""
    children = server.children
    for kind in ("p256", "rsa2048", "ed25519"):
        pair = ca.issue("a.test", kind=kind)
        swap(server, pair)
        wait_until(lambda: serial(server) == pair.certificate.serial_number, f"the new {kind} certificate", 60)
        assert curl(server.port, ca=ca.file).status == 200
        for pid in [server.pid, *server.children]:
            assert holds(pid, secrets(pair.key)) == []
    assert server.children == children
    server.log.expect(r"TLS0801.*a\.test: valid until .*, the one before until", count=3)
    server.graceful()
    assert serial(server) == pair.certificate.serial_number


def test_a_symlink_swap_is_noticed(httpd, ca):
    server = httpd([Vhost("a.test", extra="TLSCertificate live/tls.crt live/tls.key")], config=ON, start=False)
    first, second = ca.issue("a.test"), ca.issue("a.test")
    for directory, pair in (("one", first), ("two", second)):
        server.put(f"{directory}/tls.crt", pair.certificate_pem())
        server.put(f"{directory}/tls.key", pair.key_pem(), 0o600)
    os.symlink("one", server.home / "live")
    server.start()
    assert serial(server) == first.certificate.serial_number
    os.symlink("two", server.home / "next")
    os.rename(server.home / "next", server.home / "live")
    wait_until(lambda: serial(server) == second.certificate.serial_number, "the certificate behind the link", 60)


BAD = {
    "empty": (lambda s, ca: (s.home / "certs/a.crt").write_bytes(b""), r"certs/a\.crt is empty"),
    "gone": (lambda s, ca: (s.home / "certs/a.key").unlink(), r"certs/a\.key cannot be read"),
    "half": (lambda s, ca: (s.home / "certs/a.crt").write_bytes(ca.issue("a.test").certificate_pem()[:300]), "no END"),
    "mismatch": (lambda s, ca: (s.home / "certs/a.crt").write_bytes(ca.issue("a.test").certificate_pem()),
                 "does not fit the certificate"),
    "name": (lambda s, ca: swap(s, ca.issue("b.test")), r"but not a\.test, which the one in use covers"),
    "early": (lambda s, ca: swap(s, ca.issue("a.test", start=now() + DAY)), "not valid before"),
    "late": (lambda s, ca: swap(s, ca.issue("a.test", start=now() - 9 * DAY, end=now() - DAY)), "expired on"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot_be_served_leaves_the_old_one(server, ca, fault):
    spoil, said = BAD[fault]
    before = serial(server)
    spoil(server, ca)
    server.log.expect(f"TLS0802.*{said}")
    assert serial(server) == before
    assert curl(server.port, ca=ca.file).status == 200
    swap(server, pair := ca.issue("a.test"))
    wait_until(lambda: serial(server) == pair.certificate.serial_number, "a good pair again", 60)


def test_an_earlier_expiry_is_said(server, ca):
    swap(server, ca.issue("a.test", end=now() + 3 * DAY))
    server.log.expect("TLS0801.*earlier than before")


def test_swaps_under_load_lose_no_handshake(server, ca):
    stop, failures, done = threading.Event(), [], [0]

    def knock():
        while not stop.is_set():
            answer = s_client(server.port, "-verify_return_error", "-CAfile", str(ca.file), name="a.test")
            done[0] += 1
            if answer.exit != 0:
                failures.append(answer.text)

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(6):
            pair = ca.issue("a.test", kind=("p256", "rsa2048")[number % 2])
            swap(server, pair)
            wait_until(lambda: serial(server) == pair.certificate.serial_number, "the new certificate", 20)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert done[0] > 20 and failures == []


def test_off_waits_for_a_restart(httpd, ca):
    server = httpd([Vhost("a.test", extra="TLSCertificate certs/a.crt certs/a.key")],
                   config="TLSKeyIsolation on\nTLSReload off", start=False)
    swap(server, ca.issue("a.test"))
    server.start()
    before = serial(server)
    swap(server, pair := ca.issue("a.test"))
    wait_until(lambda: Path(f"/proc/{agent(server).supervisor}").exists(), "the agent")
    assert serial(server) == before
    server.graceful()
    assert serial(server) == pair.certificate.serial_number


def test_under_mod_ssls_words_a_restart_takes_certificates_up(httpd, ca):
    """Keys are isolated all the same. One notice says how to have changes taken up, unless the configuration decided."""
    for words, said in (("", True), ("TLSReload off", False), ("TLSReload 1", False)):
        server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine="mod_tls-ssl", config=words, log_level="notice")
        agent(server)
        assert len(server.log.matching("TLS0803.*TLSReload 10 takes them up without one")) == said
        assert curl(server.port, ca=ca.file).status == 200
        server.stop()


@pytest.mark.parametrize("file", ["crt", "key", "chain"])
def test_a_restart_with_a_broken_file_serves_what_was_loaded_before(httpd, ca, file):
    """Certificate, key or chain: clients see the same certificates, and the restart of a repaired one takes it up."""
    server = httpd([Vhost("a.test", tls=False, extra="SSLEngine on\nSSLCertificateFile certs/crt.pem\n"
                          "SSLCertificateKeyFile certs/key.pem\nSSLCertificateChainFile certs/chain.pem")],
                   engine="mod_tls-ssl", start=False, allow=("TLS0209",))
    pair = ca.issue("a.test")
    files = {"crt": pair.certificate_pem(), "key": pair.key_pem(), "chain": ca.pem()}
    for name, content in files.items():
        server.put(f"certs/{name}.pem", content, 0o600)
    server.start()

    def sent():
        return s_client(server.port, "-showcerts").text.count("BEGIN CERTIFICATE")

    whole = sent()
    for content in (b"junk\n", None):
        path = server.home / f"certs/{file}.pem"
        path.unlink() if content is None else path.write_bytes(content)
        server.graceful()
        server.log.expect(f"TLS0209.*certs/{file}.pem.*what was loaded from it before is still served")
        assert curl(server.port, ca=ca.file).status == 200 and sent() == whole
    server.put(f"certs/{file}.pem", files[file], 0o600)
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200 and sent() == whole


def test_a_removed_key_signs_for_ten_minutes_at_most(httpd, ca):
    """A captured child asks on with the key of a virtual host that is gone: the clock is moved on, nobody waits."""
    clock = Clock(monotonic=True)
    stays, goes = ca.issue("a.test"), ca.issue("b.test")
    mpm = "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64"
    server = httpd([Vhost("a.test", [stays]), Vhost("b.test", [goes])], mpm_settings=mpm, environment=clock.environment)
    server.vhosts.pop()
    server.write()
    server.graceful()

    def asked():
        for pid in server.children:
            try:
                child = Child(pid, agent(server).signer, key_id(goes))
            except (OSError, StopIteration):
                continue  # the one or the other is about to end
            return child.answer(child.request())[0]
        return None

    wait_until(lambda: asked() == DONE, "a signature: handshakes under way are finished")
    clock.set(9 * 60)
    wait_until(lambda: asked() == DONE, "a signature still")
    clock.set(10 * 60)
    wait_until(lambda: asked() == UNKNOWN_KEY, "the key to be gone")
    assert curl(server.port, ca=ca.file).status == 200
