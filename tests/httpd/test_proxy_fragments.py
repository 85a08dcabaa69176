# SPDX-License-Identifier: Apache-2.0
"""Every SSLProxy* directive: what mod_ssl makes of it, and that mod_tls makes the same."""
import datetime
import ssl
import subprocess

import pytest
from harness.certs import Authority, Pair, now
from harness.clientauth import revocation_list
from harness.https_backend import HttpsBackend
from harness.paths import passable
from harness.proxies import FAILURES, MODULES, PLAIN, Case, get, sections

REQUIRE = "SSLProxyVerify require\nSSLProxyCACertificateFile {ca}\n"
REVOCATION = REQUIRE + "SSLProxyCARevocationFile {crl}\nSSLProxyCARevocationCheck "
TLS12 = "SSLProxyProtocol TLSv1.2\n"

CASES = {
    "nothing said": Case("good", "", 200),
    "nothing said, unknown authority": Case("stranger", "", 200),
    "none": Case("stranger", "SSLProxyVerify none", 200),
    "require": Case("good", REQUIRE, 200),
    "require, unknown authority": Case("stranger", REQUIRE, 500),
    "optional": Case("good", REQUIRE.replace("require", "optional"), 200),
    "optional, unknown authority": Case("stranger", REQUIRE.replace("require", "optional"), 500),
    "optional_no_ca, unknown authority": Case("stranger", REQUIRE.replace("require", "optional_no_ca"), 200),
    "optional_no_ca, expired": Case("expired", REQUIRE.replace("require", "optional_no_ca"), 500),
    "directory of authorities": Case("good", "SSLProxyVerify require\nSSLProxyCACertificatePath {ca_dir}", 200),
    "self-signed, listed": Case("self-signed", "SSLProxyVerify require\nSSLProxyCACertificateFile {self_signed}", 200),
    "self-signed, not listed": Case("self-signed", REQUIRE, 500),
    "depth 1, one authority": Case("good", REQUIRE + "SSLProxyVerifyDepth 1", 200),
    "depth 1, two authorities": Case("deep", REQUIRE + "SSLProxyVerifyDepth 1", 500),
    "depth 2, two authorities": Case("deep", REQUIRE + "SSLProxyVerifyDepth 2", 200),
    "list, not revoked": Case("good", REVOCATION + "chain", 200),
    "list, revoked": Case("revoked", REVOCATION + "chain", 500),
    "list, revoked, leaf": Case("revoked", REVOCATION + "leaf", 500),
    "list, revoked, not looked up": Case("revoked", REVOCATION + "none", 200),
    "no list for the issuer": Case("deep", REVOCATION + "leaf\nSSLProxyVerifyDepth 2", 500),
    "no list for the issuer, which may be": Case("deep", REVOCATION + "leaf no_crl_for_cert_ok\nSSLProxyVerifyDepth 2",
                                                 200),
    "directory of lists": Case("revoked", REQUIRE + "SSLProxyCARevocationPath {crl_dir}\n"
                               "SSLProxyCARevocationCheck leaf", 500),
    "expired": Case("expired", "", 500),
    "expired, not asked": Case("expired", "SSLProxyCheckPeerExpire off", 200),
    "expired, not asked, but verified": Case("expired", REQUIRE + "SSLProxyCheckPeerExpire off", 500),
    "not yet valid": Case("early", "", 500),
    "other name": Case("wrong", "", 500),
    "other name, not asked": Case("wrong", "SSLProxyCheckPeerName off", 200),
    "other name, not asked of old": Case("wrong", "SSLProxyCheckPeerCN off", 200),
    "other name, asked of old": Case("wrong", "SSLProxyCheckPeerName off\nSSLProxyCheckPeerCN on", 500),
    "other name, both asked and not": Case("wrong", "SSLProxyCheckPeerName on\nSSLProxyCheckPeerCN off", 500),
    "common name alone": Case("common", REQUIRE, 200),
    "address in the certificate": Case("good", REQUIRE, 500, host="127.0.0.1", ours=200),
    "address as common name": Case("address", REQUIRE, 200, host="127.0.0.1"),
    "address not in the certificate": Case("wrong", REQUIRE, 500, host="127.0.0.1"),
    "TLS 1.2": Case("good", TLS12, 200),
    "TLS 1.3": Case("good", "SSLProxyProtocol TLSv1.3", 200),
    "TLS 1.3 with a backend of TLS 1.2": Case("old", "SSLProxyProtocol TLSv1.3", 500),
    "TLS 1.2 taken away": Case("old", "SSLProxyProtocol all -TLSv1.2", 500),
    "backend of TLS 1.2": Case("old", REQUIRE, 200),
    "one suite": Case("good", TLS12 + "SSLProxyCipherSuite ECDHE-ECDSA-AES256-GCM-SHA384", 200),
    "one suite that does not fit": Case("good", TLS12 + "SSLProxyCipherSuite ECDHE-RSA-AES256-GCM-SHA384", 500),
    "one suite of TLS 1.3": Case("good", "SSLProxyCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256", 200),
    "client certificate": Case("demanding", "SSLProxyMachineCertificateFile {client}", 200),
    "client certificate of a directory": Case("demanding", "SSLProxyMachineCertificatePath {client_dir}", 200),
    "client certificate of an intermediate": Case(
        "demanding", "SSLProxyMachineCertificateFile {deep_client}\nSSLProxyMachineCertificateChainFile {client_chain}",
        200),
    "client certificate, wrong authority": Case("demanding", "SSLProxyMachineCertificateFile {other_client}", 502),
    "no client certificate": Case("demanding", "", 502),
    "off": Case("good", "SSLProxyEngine off", 500),
}


def write(path, *parts: bytes):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture(scope="module")
def clients():
    return Authority("Clients")


@pytest.fixture(scope="module")
def backends(ca, clients, tmp_path_factory):
    directory = tmp_path_factory.mktemp("backends")
    day = datetime.timedelta(1)
    pairs = {
        "good": ca.issue("localhost", "127.0.0.1"),
        "stranger": Authority("Somebody").issue("localhost"),
        "self-signed": Authority("localhost").pair(),
        "deep": ca.intermediate("Between").issue("localhost"),
        "revoked": ca.issue("localhost"),
        "expired": ca.issue("localhost", start=now() - 9 * day, end=now() - day),
        "early": ca.issue("localhost", start=now() + day, end=now() + 9 * day),
        "wrong": ca.issue("other.test"),
        "common": ca.issue("localhost", san=False),
        "address": ca.issue("127.0.0.1", san=False),
        "old": ca.issue("localhost"),
        "demanding": ca.issue("localhost"),
    }
    options = {"old": {"version": ssl.TLSVersion.TLSv1_2}, "demanding": {"clients": clients}}
    made = {name: HttpsBackend(pair, directory, **options.get(name, {})) for name, pair in pairs.items()}
    made["pairs"] = pairs
    yield made
    del made["pairs"]
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def files(ca, clients, backends, tmp_path_factory):
    home = tmp_path_factory.mktemp("files")
    pairs = backends["pairs"]
    crl = revocation_list(ca, pairs["revoked"].certificate)
    between = clients.intermediate("Clients below")
    deep = between.issue("deep client", client=True)
    good = clients.issue("good client", client=True).combined_pem()
    write(home / "crls/list.pem", crl)
    write(home / "crls/list.r0", crl)
    # mod_ssl finds files of a directory by the hash of the issuer's name in theirs.
    write(home / "cas/ca.pem", ca.pem())
    for name in ("crls", "cas"):
        subprocess.run(["openssl", "rehash", str(home / name)], check=True, capture_output=True)
    passable(home)  # mod_ssl reads them in its children
    return {
        "ca": ca.file, "ca_dir": home / "cas", "crl": home / "crls/list.pem", "crl_dir": home / "crls",
        "self_signed": write(home / "self.pem", pairs["self-signed"].certificate_pem()),
        "client": write(home / "client.pem", good), "client_dir": write(home / "clients/one.pem", good).parent,
        "other_client": write(home / "other.pem", Authority("Other").issue("x", client=True).combined_pem()),
        "deep_client": write(home / "deep.pem", Pair(deep.certificate, deep.key).combined_pem()),
        "client_chain": write(home / "chain.pem", between.pem(), clients.pem()),
    }


@pytest.fixture(scope="module", params=["mod_ssl", "mod_tls-ssl"])
def front(request, shared_httpd, backends, files):
    config = "SSLProxyEngine on\n" + sections(CASES, backends, files, request.param)
    return shared_httpd([], config=config, engine=request.param, modules=MODULES,
                        allow=(*FAILURES, "TLS0703"), **PLAIN)


@pytest.mark.parametrize("name", CASES)
def test_fragment(front, name):
    case = CASES[name]
    number = list(CASES).index(name)
    assert get(front, f"/{number}/page").status == case.expected(front.engine)
