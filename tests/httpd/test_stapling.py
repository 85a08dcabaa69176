# SPDX-License-Identifier: Apache-2.0
"""OCSP responses that go with certificates: from files, and from mod_md."""
import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from harness.certs import Authority
from harness.clients import s_client
from harness.config import Vhost
from harness.httpd import Httpd
from harness.ocsp import HOUR, MUST_STAPLE, Responder, names_responder, now, response
from harness.rustls_client import rustls_client
from harness.waiting import wait_until

KINDS = {"a.test": "p256", "rsa.test": "rsa2048"}
BAD = {
    "revoked": (dict(status=ocsp.OCSPCertStatus.REVOKED), "says that the certificate is revoked"),
    "unknown": (dict(status=ocsp.OCSPCertStatus.UNKNOWN), "responder does not know the certificate"),
    "late": (dict(start=now() - 9 * HOUR, end=now() - HOUR), "it was valid until"),
    "early": (dict(start=now() + HOUR), "is not valid before"),
    "stranger": (dict(by=Authority("A stranger")), "is not signed by the issuer"),
    "foreign": (dict(about="other"), "about another certificate"),
    "garbage": (None, "no OCSP response in DER"),
}


@pytest.fixture(scope="module")
def below(ca) -> Authority:
    return ca.intermediate("An authority in between")


def stapled(server: Httpd, name: str = "a.test", *options: str) -> str:
    """What openssl finds stapled: "good", "revoked", or nothing."""
    text = s_client(server.port, "-status", *options, name=name).text
    assert "OCSP response: no response sent" in text or "OCSP Response Status: successful" in text, text
    found = re.search(r"Cert Status: (\w+)", text)
    return found[1] if found else ""


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_the_file_beside_a_certificate_is_sent(httpd, below, engine):
    extra = "SSLUseStapling on" if engine == "mod_tls-ssl" else ""
    hosts = [Vhost(name, [below.issue(name, kind=kind)], extra=extra) for name, kind in KINDS.items()]
    server = httpd([*hosts, Vhost("off.test", [below.issue("off.test")],
                                  extra="SSLUseStapling off" if extra else "TLSStapling off")],
                   engine=engine, start=False)
    for vhost in server.vhosts:
        server.put(f"certs/{vhost.name}-0.crt.ocsp", response(below, vhost.pairs[0]))
    server.start()
    for name in KINDS:
        assert stapled(server, name, "-tls1_3") == stapled(server, name, "-tls1_2") == "good"
    assert stapled(server, "off.test") == ""
    assert "OCSP response" not in s_client(server.port).text, "only to those who ask"


def test_a_response_is_part_of_what_goes_compressed(httpd, below):
    server = httpd([Vhost("a.test", [below.issue("a.test")])], start=False)
    server.put("certs/a.test-0.crt.ocsp", response(below, server.vhosts[0].pairs[0]))
    server.start()
    said = rustls_client(server.port, "--compression", "brotli")
    (form,) = [line["compression"] for line in said if line["event"] == "connection"]
    whole = int(form.split("/")[1])
    chain = server.vhosts[0].pairs[0]
    assert whole > sum(len(c.public_bytes(Encoding.DER)) for c in [chain.certificate, *chain.chain]) + 150


def test_what_clients_would_not_believe_is_never_sent(httpd, below):
    other = below.issue("other.test")
    hosts = [Vhost(f"{name}.test", [below.issue(f"{name}.test")]) for name in BAD]
    server = httpd(hosts, start=False)
    for vhost, (how, _) in zip(hosts, BAD.values()):
        how = how if how is None or "about" not in how else {"about": other}
        bytes_ = b"nothing" if how is None else response(below, vhost.pairs[0], **how)
        server.put(f"certs/{vhost.name}-0.crt.ocsp", bytes_)
    server.start()
    for name, (_, why) in BAD.items():
        server.log.expect(f"TLS0202.*certs/{name}.test-0.crt.ocsp is not sent to clients: .*{why}")
        assert stapled(server, f"{name}.test") == ""


def test_a_new_file_is_taken_up_and_a_bad_one_is_not(httpd, below):
    server = httpd([Vhost("a.test", [below.issue("a.test")])], config="TLSKeyIsolation on\nTLSReload 1")
    pair, path = server.vhosts[0].pairs[0], "certs/a.test-0.crt.ocsp"
    assert stapled(server) == ""
    server.put(path, response(below, pair))
    wait_until(lambda: stapled(server) == "good", "the new file to be taken up", 30)
    server.put(path, response(below, pair, status=ocsp.OCSPCertStatus.REVOKED))
    server.log.expect("TLS0802.*says that the certificate is revoked")
    assert stapled(server) == "good", "the one of before is still of use"
    assert server.log.matching("TLS0801.*a.test: the certificate of before, with an OCSP response valid until")
    (server.home / path).unlink()
    server.log.expect("TLS0802.*the OCSP response for a.test is gone")
    assert stapled(server) == "good"
    server.graceful()
    assert stapled(server) == "", "a restart takes things as they are"


def test_a_certificate_that_demands_a_response_warns_without_one(httpd, below):
    hosts = [Vhost(name, [below.issue(name, extensions=[MUST_STAPLE])]) for name in ("a.test", "b.test")]
    server = httpd(hosts, start=False)
    server.put("certs/b.test-0.crt.ocsp", response(below, hosts[1].pairs[0]))
    server.start()
    server.log.expect("TLS0810: the certificate for a.test demands an OCSP response")
    assert not server.log.matching("TLS0810.*b.test")


def test_mod_ssls_word_says_why_there_is_nothing(httpd, below):
    url = names_responder("http://127.0.0.1:1/")
    server = httpd([Vhost("a.test", [below.issue("a.test", extensions=[url])]), Vhost("b.test", [below.issue("b.test")])],
                   engine="mod_tls-ssl", config="SSLUseStapling on\nSSLStaplingCache shmcb:@HOME@/x(32768)",
                   log_level="notice")
    server.log.expect("TLS0814: stapling: no OCSP response could be had for CN=a.test: http://127.0.0.1:1/: .*loopback")
    server.log.expect("TLS0812: SSLUseStapling: the certificate for b.test names no OCSP responder")


def test_mod_md_fetches_for_certificates_of_others(httpd, below):
    responder = Responder()
    try:
        pairs = [below.issue(name, extensions=[names_responder(responder.url)]) for name in ("a.test", "b.test")]
        good, revoked = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
        for pair, status in zip(pairs, (good, revoked)):
            responder.answers[pair.certificate.serial_number] = lambda p=pair, s=status: response(below, p, status=s)
        server = httpd([Vhost("a.test", pairs[:1]), Vhost("b.test", pairs[1:])], modules=("md",),
                       config="MDStapling on\nMDStapleOthers on\nMDStoreDir @HOME@/md")
        server.log.allow(r"\[md:")
        wait_until(lambda: stapled(server) == "good", "a response of mod_md", 30)
        assert stapled(server, "a.test", "-tls1_2") == "good"
        wait_until(lambda: pairs[1].certificate.serial_number in responder.asked, "the question about the other", 30)
        assert stapled(server, "b.test") == "", "nobody is told that a certificate is revoked"
    finally:
        responder.end()
