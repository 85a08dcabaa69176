# SPDX-License-Identifier: Apache-2.0
"""What the TLSProxy* directives ask of backends, and what is negotiated by them."""
import datetime
import re
import ssl

import pytest
from harness.certs import Authority, now
from harness.clientauth import revocation_list
from harness.config import ONE_CHILD
from harness.https_backend import HttpsBackend
from harness.proxies import FAILURES, MODULES, PLAIN, Case, get, sections

TRUST = "TLSProxyCA {ca}\n"

CASES = {
    "authority": Case("good", TRUST, 200),
    "authorities of a directory": Case("good", "TLSProxyCA {ca_dir}", 200),
    "authorities of the system": Case("good", "", 200),
    "authorities of the system in a word": Case("good", "TLSProxyCA default", 200),
    "unknown to the system": Case("stranger", "", 500),
    "other authority": Case("stranger", TRUST, 500),
    "believed": Case("stranger", "TLSProxyVerify none", 200),
    "believed, other name": Case("wrong", "TLSProxyVerify none", 500),
    "believed, any name": Case("wrong", "TLSProxyVerify none\nTLSProxyVerifyName off", 200),
    "any name": Case("wrong", TRUST + "TLSProxyVerifyName off", 200),
    "any name, other authority": Case("stranger", TRUST + "TLSProxyVerifyName off", 500),
    "expired": Case("expired", TRUST, 500),
    "expired, believed": Case("expired", "TLSProxyVerify none", 500),
    "self-signed, listed": Case("self-signed", "TLSProxyCA {self_signed}\nTLSProxyVerifyName off", 200),
    "two authorities": Case("deep", TRUST, 200),
    "two authorities, depth 1": Case("deep", TRUST + "TLSProxyVerifyDepth 1", 500),
    "not revoked": Case("good", TRUST + "TLSProxyCRL {crl}", 200),
    "revoked": Case("revoked", TRUST + "TLSProxyCRL {crl}", 500),
    "revoked, directory": Case("revoked", TRUST + "TLSProxyCRL {crl_dir}", 500),
    "no list of the issuer": Case("deep", TRUST + "TLSProxyCRL {crl}", 500),
    "TLS 1.3 alone, backend of TLS 1.2": Case("old", TRUST + "TLSProxyProtocol TLSv1.3+", 500),
    "either version, backend of TLS 1.2": Case("old", TRUST + "TLSProxyProtocol TLSv1.2+", 200),
}

# Words, and what the line of the connection then says.
NEGOTIATED = {
    "TLSProxyVerifyDepth 3": "TLSv1.3, TLS_AES_256_GCM_SHA384, X25519, ALPN none, full handshake, certificate verified by CN=mod_tls Test Root",
    "TLSProxyCiphersPrefer TLS_CHACHA20_POLY1305_SHA256": "TLSv1.3, TLS_",
    "TLSProxyCiphersSuppress TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256": "TLSv1.3, TLS_AES_128_GCM_SHA256, ",
    "TLSProxyGroups P-384": "TLSv1.3, .*, (P-384|secp384r1), ",
    "TLSProxyVerify none": "certificate not verified",
}


def write(path, content: bytes):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def world(ca, tmp_path_factory):
    """Backends by name, and files for the words."""
    home = tmp_path_factory.mktemp("words")
    day = datetime.timedelta(1)
    lone = Authority("localhost")
    pairs = {
        "good": ca.issue("localhost"), "stranger": Authority("Somebody").issue("localhost"), "self-signed": lone.pair(),
        "deep": ca.intermediate("Between").issue("localhost"), "revoked": ca.issue("localhost"),
        "expired": ca.issue("localhost", start=now() - 9 * day, end=now() - day), "wrong": ca.issue("other.test"),
        "old": ca.issue("localhost"),
    }
    crl = revocation_list(ca, pairs["revoked"].certificate)
    files = {"ca": ca.file, "ca_dir": write(home / "cas/one.pem", ca.pem()).parent, "crl": write(home / "list.pem", crl),
             "crl_dir": write(home / "lists/one.pem", crl).parent, "self_signed": write(home / "self.pem", lone.pem())}
    made = {name: HttpsBackend(pair, home, version=ssl.TLSVersion.TLSv1_2 if name == "old" else None)
            for name, pair in pairs.items()}
    yield made, files
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def front(shared_httpd, world, ca):
    backends, files = world
    lines = ["TLSProxyEngine on", sections(CASES, backends, files, "mod_tls")]
    for number, words in enumerate(NEGOTIATED):
        url = f"https://localhost:{backends['good'].port}/n{number}/"
        lines += [f"ProxyPass /n{number}/ {url}", f"<Proxy {url}>\n{TRUST.format(**files)}{words}\n</Proxy>"]
    # What the system trusts is told to it by the environment.
    return shared_httpd([], config="\n".join(lines), modules=MODULES, mpm_settings=ONE_CHILD, log_level="warn tls:debug",
                        environment={"SSL_CERT_FILE": str(ca.file)}, allow=(*FAILURES, "TLS0703"), **PLAIN)


@pytest.mark.parametrize("name", CASES)
def test_demands(front, name):
    assert get(front, f"/{list(CASES).index(name)}/page").status == CASES[name].status


@pytest.mark.parametrize("words", NEGOTIATED)
def test_negotiation(front, words):
    before = len(front.log.matching("TLS0705"))
    assert get(front, f"/n{list(NEGOTIATED).index(words)}/page").status == 200
    line, = front.log.matching("TLS0705")[before:]
    assert re.search(NEGOTIATED[words], line.text), line.text


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_other_mpms(httpd, world, mpm):
    backends, files = world
    server = httpd([], config=f"TLSProxyEngine on\n{TRUST.format(**files)}ProxyPass / https://localhost:{backends['good'].port}/",
                   modules=("proxy", "proxy_http"), mpm=mpm, **PLAIN)
    for number in range(8):
        assert get(server, f"/page{number}").body == b"/page%d" % number * 100


def test_system_without_authorities_is_told_of(httpd, tmp_path):
    (tmp_path / "none.pem").write_bytes(b"")
    server = httpd([], config="TLSProxyEngine on", modules=MODULES, environment={"SSL_CERT_FILE": str(tmp_path / "none.pem")},
                   allow=("TLS0702",), **PLAIN)
    assert server.log.matching("TLS0702: .*no authorities.*ca-certificates.*TLSProxyCA")
