"""TLS to backends: what is asked of them, what is shown to them, and what comes of it."""
import ssl

import pytest
from harness.https_backend import HttpsBackend
from harness.certs import Authority
from harness.clients import curl
from harness.config import Vhost

# What a failed handshake makes the module and mod_proxy say.
HANDSHAKE_FAILED = ("TLS0704", "AH01084", "AH01097", "AH01114", "AH00898")
MODULES = ("proxy", "proxy_http", "http2", "proxy_http2")


@pytest.fixture
def backend(tmp_path):
    made = []

    def make(pair, **options):
        made.append(HttpsBackend(pair, tmp_path, **options))
        return made[-1]
    yield make
    for one in made:
        one.close()


def proxy(httpd, port, words, *, engine="mod_tls", scheme="https", host="localhost", **options):
    """A plain front whose path / leads to the backend."""
    config = f"{words}\nProxyPass / {scheme}://{host}:{port}/\n"
    return httpd([], config=config, engine=engine, modules=MODULES, tls_engine=None, log_level="warn tls:debug"
                 if engine == "mod_tls" else "warn", ports=("PLAIN",), **options)


def get(front, path="/page", *options):
    return curl(front.ports["PLAIN"], path, *options, scheme="http")


def test_verified_backend_and_reused_connection(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}")
    for number in range(20):
        answer = get(front, f"/page{number}")
        assert (answer.status, answer.body) == (200, b"/page%d" % number * 100)
    assert len(far.seen) <= 4, "connections are kept, one for each child at most"
    assert front.log.matching(r"TLS0705: .*TLSv1.3.*certificate verified")


def test_tls12_only_rsa_backend(httpd, ca, backend):
    far = backend(ca.issue("localhost", kind="rsa2048"), version=ssl.TLSVersion.TLSv1_2)
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}")
    assert get(front).status == 200
    assert far.seen[0]["version"] == "TLSv1.2"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(httpd, ca, backend, version):
    far = backend(ca.issue("localhost"), version=version)
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nSetEnv proxy-nokeepalive 1",
                  mpm_settings="ServerLimit 1\nStartServers 1\nThreadsPerChild 16\nMinSpareThreads 1\nMaxSpareThreads 16\nMaxRequestWorkers 16")
    for _ in range(5):
        assert get(front).status == 200
    assert [seen["resumed"] for seen in far.seen] == [False, True, True, True, True]


@pytest.mark.parametrize("flaw,reason", [
    ("name", r"its certificate is for other\.test, not for localhost"),
    ("authority", "unable to get local issuer certificate"),
    ("expired", "certificate has expired"),
])
def test_backend_that_is_not_who_it_should_be(httpd, ca, backend, flaw, reason):
    import datetime
    now = datetime.datetime.now(datetime.timezone.utc)
    pair = {
        "name": lambda: ca.issue("other.test"),
        "authority": lambda: Authority("Somebody").issue("localhost"),
        "expired": lambda: ca.issue("localhost", start=now - datetime.timedelta(9), end=now - datetime.timedelta(2)),
    }[flaw]()
    far = backend(pair)
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}")
    front.log.allow(*HANDSHAKE_FAILED)
    answer = get(front)
    assert answer.status == 500 and b"/page/page" not in answer.body
    assert front.log.matching(rf"TLS0704: TLS to backend 127\.0\.0\.1:{far.port}.*{reason}")
    assert not far.seen or not far.seen[0]["resumed"]


def test_self_signed_backend_listed_as_authority(httpd, backend, tmp_path):
    lone = Authority("localhost").issue("localhost")
    listed = tmp_path / "listed.pem"
    self_signed = Authority("localhost")
    pair = self_signed.issue("localhost")
    listed.write_bytes(self_signed.pem())
    listed.chmod(0o644)
    tmp_path.chmod(0o755)
    far, stranger = backend(pair), backend(lone)
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {listed}")
    assert get(front).status == 200
    other = proxy(httpd, stranger.port, f"TLSProxyEngine on\nTLSProxyCA {listed}")
    other.log.allow(*HANDSHAKE_FAILED)
    assert get(other).status == 500


def test_client_certificate_is_shown_where_the_backend_asks(httpd, ca, backend, tmp_path):
    wrong, right = Authority("Wrong"), Authority("Right")
    words = ["TLSProxyEngine on", f"TLSProxyCA {ca.file}"]
    for number, authority in enumerate((wrong, right)):
        crt, key = authority.issue(f"client{number}.test", client=True).write(tmp_path, f"client{number}")
        words.append(f"TLSProxyMachineCertificate {crt} {key}")
    trusted = tmp_path / "right.pem"
    trusted.write_bytes(right.pem())
    tmp_path.chmod(0o755)
    extra = ["SSLVerifyClient require", f"SSLCACertificateFile {trusted}",
             'Header always set X-Client "%{SSL_CLIENT_S_DN_CN}s"']
    far = httpd([Vhost("localhost", [ca.issue("localhost")], extra="\n".join(extra))], engine="mod_ssl")
    front = proxy(httpd, far.port, "\n".join(words))
    answer = get(front, "/")
    assert (answer.status, answer.headers["x-client"]) == (200, "client1.test")


def test_answer_cut_short_is_no_complete_answer(httpd, ca, backend):
    far = backend(ca.issue("localhost"), manner="cut")
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}")
    front.log.allow(r"AH01110", r"AH01102", r"TLS0706", r"AH10265")
    answer = get(front)
    assert answer.status != 200 or len(answer.body) < 500 or answer.exit != 0


def test_mute_backend_ends_with_the_timeout(httpd, ca, backend):
    far = backend(ca.issue("localhost"), manner="mute")
    front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyTimeout 2")
    front.log.allow(*HANDSHAKE_FAILED, "AH03092")
    assert get(front).status in (500, 504)
    assert front.log.matching("TLS0704: .*did not answer in time")


def test_connection_without_tls_words_is_refused_as_by_mod_ssl(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    front = proxy(httpd, far.port, "")
    front.log.allow("AH01961", "AH00961", "AH01102", "AH01144", "AH00898")
    assert get(front).status >= 500
    assert not far.seen


def test_section_has_settings_of_its_own(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    stranger = backend(Authority("Somebody").issue("localhost"))
    words = f"""TLSProxyEngine on
TLSProxyCA {ca.file}
<Proxy https://localhost:{stranger.port}/>
TLSProxyVerify none
</Proxy>
ProxyPass /loose/ https://localhost:{stranger.port}/"""
    front = proxy(httpd, far.port, words)
    front.log.allow("TLS0703")
    assert get(front).status == 200
    assert get(front, "/loose/page").status == 200


def test_h2_and_large_bodies_between_two_httpds(httpd, ca):
    far = httpd([Vhost("localhost", [ca.issue("localhost")], extra="Protocols h2 http/1.1")], modules=("http2",),
                engine="mod_ssl")
    body = bytes(range(256)) * 4096 * 8
    far.put("docs/localhost/large", body)
    for scheme in ("https", "h2"):
        front = proxy(httpd, far.port, f"TLSProxyEngine on\nTLSProxyCA {ca.file}", scheme=scheme)
        assert get(front, "/large").body == body


FRAGMENTS = {
    "default": ("", 200),
    "require": ("SSLProxyVerify require\nSSLProxyCACertificateFile {ca}", 200),
    "require, other CA": ("SSLProxyVerify require\nSSLProxyCACertificateFile {other}", 500),
    "optional_no_ca": ("SSLProxyVerify optional_no_ca\nSSLProxyCACertificateFile {other}", 200),
    "TLS 1.2": ("SSLProxyProtocol TLSv1.2", 200),
    "one suite": ("SSLProxyProtocol TLSv1.2\nSSLProxyCipherSuite ECDHE-ECDSA-AES256-GCM-SHA384", 200),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_mod_ssl_words_do_what_they_do_with_mod_ssl(httpd, ca, backend, tmp_path, name):
    words, expected = FRAGMENTS[name]
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("Other").pem())
    tmp_path.chmod(0o755)
    far = backend(ca.issue("localhost"))
    outcome = {}
    for engine in ("mod_ssl", "mod_tls-ssl"):
        front = proxy(httpd, far.port, "SSLProxyEngine on\n" + words.format(ca=ca.file, other=other), engine=engine)
        front.log.allow("TLS0703", "TLS0704", "AH01084", "AH01097", "AH02039", "AH01114", "AH00898", "AH02411", "AH01112")
        outcome[engine] = get(front).status
    assert outcome == {"mod_ssl": expected, "mod_tls-ssl": expected}


@pytest.mark.parametrize("words", [
    "", "SSLProxyCheckPeerName off", "SSLProxyCheckPeerCN off", "SSLProxyCheckPeerName off\nSSLProxyCheckPeerCN off",
    "SSLProxyCheckPeerName on\nSSLProxyCheckPeerCN off", "SSLProxyCheckPeerName off\nSSLProxyCheckPeerCN on",
])
def test_wrong_name_with_and_without_verification_as_with_mod_ssl(httpd, ca, backend, words):
    far = backend(ca.issue("other.test"))
    outcome = {}
    for engine in ("mod_ssl", "mod_tls-ssl"):
        front = proxy(httpd, far.port, "SSLProxyEngine on\n" + words, engine=engine)
        front.log.allow("TLS0703", "TLS0704", "AH01084", "AH01097", "AH02411", "AH02005", "AH00898", "AH01114", "AH01112")
        outcome[engine] = get(front).status
    assert outcome["mod_tls-ssl"] == outcome["mod_ssl"]
