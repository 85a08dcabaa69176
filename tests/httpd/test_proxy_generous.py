# SPDX-License-Identifier: Apache-2.0
"""`SSLProxyVerify optional_no_ca`: what it forgives a backend, asked of mod_ssl and of our module as the front."""
import pytest
from cryptography import x509
from harness.certs import DAY, Authority, Pair
from harness.chains import CLIENT, SERVER, below, make
from harness.config import ONE_CHILD
from harness.https_backend import HttpsBackend
from harness.keys import key
from harness.proxies import FAILURES, MODULES, PLAIN, get

ENGINES = ("mod_ssl", "mod_tls-ssl")
WORDS = "SSLProxyVerify optional_no_ca\nSSLProxyCACertificateFile {ca}\nSSLProxyCheckPeerName off\nSSLProxyCheckPeerExpire off\nSSLProxyVerifyDepth 5"
PAST = {"start": -9 * DAY, "end": -DAY}
FUTURE = {"start": DAY, "end": 9 * DAY}


def backends_of(ca) -> dict[str, Pair]:
    """Certificates of backends with what they send behind them."""
    other = Authority("Somebody")
    link = other.intermediate("Somebody Else")
    serial = iter(range(3000, 4000))

    def leaf(issuer: Authority | None, *above: x509.Certificate, purposes=SERVER, **options) -> Pair:
        own = key("p256", next(serial))
        return Pair(make("localhost", own, issuer, purposes=purposes, **options), own, list(above))

    old, fresh = below(other, "Old", **PAST), below(other, "Fresh", **FUTURE)
    no_authority = below(other, "No Authority", authority=False)
    own_old = below(ca, "Own Old", **PAST)
    impostor = Authority("mod_tls Test Root")
    return {
        "good": leaf(ca), "expired": leaf(ca, **PAST), "not yet": leaf(ca, **FUTURE), "purpose": leaf(ca, purposes=CLIENT),
        "below expired": leaf(own_old, own_old.certificate),
        "stranger": leaf(other), "stranger with root": leaf(other, other.certificate), "stranger with link": leaf(link, link.certificate),
        "stranger with all": leaf(link, link.certificate, other.certificate),
        "stranger expired": leaf(other, **PAST), "stranger not yet": leaf(other, **FUTURE),
        "stranger with root, expired": leaf(other, other.certificate, **PAST),
        "stranger purpose": leaf(other, purposes=CLIENT), "stranger below expired": leaf(old, old.certificate),
        "stranger below expired, with root": leaf(old, old.certificate, other.certificate),
        "stranger below not yet, with root": leaf(fresh, fresh.certificate, other.certificate),
        "stranger below leaf": leaf(no_authority, no_authority.certificate, other.certificate),
        "self-signed": leaf(None), "self-signed expired": leaf(None, **PAST), "self-signed not yet": leaf(None, **FUTURE),
        "self-signed purpose": leaf(None, purposes=CLIENT), "impostor": leaf(impostor),
        "impostor with root": leaf(impostor, impostor.certificate), "impostor expired": leaf(impostor, **PAST),
    }


@pytest.fixture(scope="module")
def answers(shared_httpd, ca, tmp_path_factory):
    """Statuses by backend, those of mod_ssl first."""
    home = tmp_path_factory.mktemp("generous")
    backends = {name: HttpsBackend(pair, home) for name, pair in backends_of(ca).items()}
    lines = ["SSLProxyEngine on", WORDS.format(ca=ca.file)]
    lines += [f"ProxyPass /{number}/ https://localhost:{far.port}/ retry=0" for number, far in enumerate(backends.values())]
    found = {name: [] for name in backends}
    for engine in ENGINES:
        front = shared_httpd([], config="\n".join(lines), engine=engine, modules=MODULES, mpm_settings=ONE_CHILD, allow=FAILURES, **PLAIN)
        for number, name in enumerate(backends):
            found[name].append(get(front, f"/{number}/page").status)
    yield found
    for far in backends.values():
        far.close()


def test_the_same_is_forgiven(answers):
    differences = {name: both for name, both in answers.items() if both[0] != both[1]}
    assert differences == {}
    passed = {name for name, both in answers.items() if both[1] == 200}
    assert {"good", "stranger", "self-signed"} <= passed < set(answers)
