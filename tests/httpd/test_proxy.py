# SPDX-License-Identifier: Apache-2.0
"""TLS to backends: what is asked of them, what is shown to them, and what comes of it."""
import ssl

import pytest
from harness.certs import Authority
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.proxies import MODULES

# What a failed handshake makes the module and mod_proxy say.
HANDSHAKE_FAILED = ("TLS0704", "AH01084", "AH01097", "AH01114", "AH00898")
BALANCER = ("proxy_balancer", "lbmethod_byrequests", "slotmem_shm")


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
    assert far.seen == [], "no handshake was completed"


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


def test_connection_without_tls_words_is_refused_as_by_mod_ssl(httpd, ca, backend):
    far = backend(ca.issue("localhost"))
    front = proxy(httpd, far.port, "")
    front.log.allow("TLS0114", "AH01961", "AH00961", "AH01102", "AH01144", "AH00898")
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


# A worker of the main server that two virtual hosts use, each with settings of its own.
SHARED_WORKER = """TLSProxyEngine on
ProxyPass / https://localhost:{port}/
<VirtualHost *:@PLAIN@>
ServerName first.test
{first}
</VirtualHost>
<VirtualHost *:@PLAIN@>
ServerName second.test
{second}
</VirtualHost>"""


@pytest.mark.parametrize("first,second,status", [
    ("TLSProxyVerify none", "TLSProxyCA {ca}", 200),
    ("TLSProxyVerify none", "TLSProxyCA {other}", 502),
    ("TLSProxyVerify none\nTLSProxyVerifyName off", "TLSProxyVerify none", 502),
    ("TLSProxyCA {ca}\nTLSProxyVerifyName off\nTLSProxyMachineCertificate {client}", "TLSProxyCA {ca}\nTLSProxyVerifyName off", 502),
    ("TLSProxyCA {ca}\nTLSProxyVerifyName off\nTLSProxyMachineCertificate {client}",
     "TLSProxyVerify none\nTLSProxyVerifyName off\nTLSProxyMachineCertificate {client}", 200),
])
def test_connection_that_was_made_for_another_section(httpd, ca, backend, tmp_path, first, second, status):
    """It serves a section whose settings it meets; another that asks for more is not served over it."""
    clients = Authority("Clients")
    named = "VerifyName off" not in second
    far = backend(ca.issue("localhost" if status == 200 and named else "other.test"),
                  clients=clients if "{client}" in first else None)
    files = {"ca": ca.file, "other": tmp_path / "other.pem", "client": tmp_path / "client.pem"}
    files["other"].write_bytes(Authority("Other").pem())
    files["client"].write_bytes(clients.issue("we", client=True).combined_pem())
    if status == 502 and "{other}" in second:
        far = backend(ca.issue("localhost"))
    text = SHARED_WORKER.format(port=far.port, first=first.format(**files), second=second.format(**files))
    front = httpd([], config=text, modules=MODULES, tls_engine=None, ports=("PLAIN",), mpm_settings=ONE_CHILD,
                  allow=("TLS0703", "TLS0706", *HANDSHAKE_FAILED))
    assert curl(front.ports["PLAIN"], "/page", name="first.test", scheme="http").status == 200
    assert curl(front.ports["PLAIN"], "/page", name="second.test", scheme="http").status == status
    assert len(far.seen) == 1, "the connection of the first request"
    if status != 200:
        assert front.log.matching("TLS0706: .* it was connected to for another section")


def test_belief_is_warned_of_once_a_worker(httpd, ca):
    text = f"""SSLProxyEngine on
<Proxy https://localhost:4433/safe>
SSLProxyVerify require
SSLProxyCACertificateFile {ca.file}
</Proxy>
<Proxy balancer://far/>
BalancerMember https://localhost:4434
BalancerMember wss://localhost:4435
</Proxy>
ProxyPass /one https://localhost:4433/one
ProxyPass /safe https://localhost:4433/safe
ProxyPass /plain http://localhost:4433/plain
ProxyPass /far balancer://far/"""
    front = httpd([], config=text, engine="mod_tls-ssl", modules=(*MODULES, "proxy_wstunnel", *BALANCER), tls_engine=None,
                  ports=("PLAIN",), allow=("TLS0703",))
    warned = sorted(line.text.split("certificates: ")[1].split(". Whoever")[0] for line in front.log.matching("TLS0703"))
    assert warned == ["https://localhost:4433/one", "https://localhost:4434", "wss://localhost:4435"]


def test_belief_is_warned_of_without_a_worker(httpd):
    front = httpd([], config="SSLProxyEngine on", engine="mod_tls-ssl", modules=MODULES, tls_engine=None,
                  ports=("PLAIN",), allow=("TLS0703",))
    assert len(front.log.matching(r"TLS0703: .*certificates: where .*httpd\.conf:\d+ turns TLS to backends on")) == 1


@pytest.mark.parametrize("order", [("strict", "lax"), ("lax", "strict")])
@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_a_section_that_several_hosts_inherit_is_each_ones_own(httpd, ca, backend, engine, order):
    """What one virtual host believes of backends no other does, on a connection that they share either."""
    far = backend(ca.issue("localhost"))
    words = {"mod_tls": ("TLSProxyEngine on", "TLSProxyVerify none", "TLSProxyVerify require"),
             "mod_tls-ssl": ("SSLProxyEngine on", "SSLProxyVerify none", "SSLProxyVerify require")}[engine]
    hosts = {"lax": Vhost("lax.test", address="*:@PLAIN@", tls=False, extra=words[1]),
             "strict": Vhost("strict.test", address="*:@PLAIN@", tls=False, extra=words[2])}
    front = httpd([hosts[name] for name in order], engine=engine, tls_engine=None, ports=("PLAIN",), modules=MODULES, mpm_settings=ONE_CHILD,
                  config=f"ProxyPass / https://localhost:{far.port}/\n<Proxy https://localhost:{far.port}/>\n{words[0]}\n</Proxy>",
                  allow=("TLS0703", "TLS0706", *HANDSHAKE_FAILED))
    for name, expected in (("lax", 200), ("strict", 500), ("lax", 200), ("strict", 500)):
        status = curl(front.ports["PLAIN"], "/page", name=f"{name}.test", scheme="http").status
        assert status == expected or (expected != 200 and status >= 500), f"{name}: {status}"
