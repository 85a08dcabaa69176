# SPDX-License-Identifier: Apache-2.0
"""Backends that others wrote: what is negotiated with them, resumed, and shown to them."""
import re

import pytest
from harness.agent import holds, secrets
from harness.certs import Authority
from harness.config import ONE_CHILD, Vhost
from harness.foreign import Foreign
from harness.proxies import FAILURES, MODULES, PLAIN, get

KINDS = ("nginx", "node", "openssl", "gnutls")
ENGINES = {"mod_tls": "TLSProxyEngine on\nTLSProxyCA {ca}\n",
           "mod_tls-ssl": "SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile {ca}\n"}


@pytest.fixture
def foreign(tmp_path):
    made = []

    def make(*words, **options):
        made.append(Foreign(*words, home=tmp_path, **options))
        return made[-1]
    yield make
    for one in made:
        one.close()


def front(httpd, config, **options):
    ours = "tls" if options.get("engine", "mod_tls") == "mod_tls" else "ssl"
    return httpd([], config=config, modules=MODULES, mpm_settings=ONE_CHILD,
                 **{"log_level": f"warn {ours}:debug", **PLAIN} | options)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["rsa2048", "p256"])
def test_requests_and_resumption(httpd, ca, foreign, kind, version, key):
    far = foreign(kind, ca.issue("localhost", kind=key), version=version)
    server = front(httpd, ENGINES["mod_tls"].format(ca=ca.file) + "SetEnv proxy-nokeepalive 1\n"
                   f"ProxyPass / https://localhost:{far.port}/")
    answers = [get(server, "/") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    if kind in ("nginx", "node"):
        said = [answer.text.split("|") for answer in answers]
        assert said[0][1] == "localhost"
        assert [(one[0], one[2]) for one in said] == [(f"TLSv{version}", reused) for reused in (".", "r", "r")]
    else:
        assert f"TLSv{version}" in answers[0].text or f"TLS{version}" in answers[0].text
    made = server.log.matching(rf"TLS0705: .*TLSv{version}.*(full handshake|resumed)")
    assert len(made) == 3 and "full handshake" in made[0].text and "resumed" in made[-1].text


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("http2", [True, False])
def test_alpn_with_nginx(httpd, ca, foreign, http2, engine):
    """h2 by mod_proxy_http2 where nginx speaks it; otherwise that module goes on in HTTP/1.1 or says why not."""
    far = foreign("nginx", ca.issue("localhost"), http2=http2)
    server = front(httpd, ENGINES[engine].format(ca=ca.file) + f"ProxyPass /h2/ h2://localhost:{far.port}/\n"
                   f"ProxyPass / https://localhost:{far.port}/", engine=engine, allow=(*FAILURES, "AH03371", "AH10053"))
    assert get(server, "/").text.split("|")[3] == "HTTP/1.1"
    if http2:
        assert get(server, "/h2/").text.split("|")[3] == "HTTP/2.0"
        assert server.log.matching("TLS0705: .*ALPN h2")


# -- client certificates -------------------------------------------------------------------------------------------------
@pytest.fixture
def machine(tmp_path):
    """Two pairs of different authorities, of which backends know the second."""
    class Machine:
        wrong, right = Authority("Wrong"), Authority("Right")
        pairs = [wrong.issue("wrong", client=True, kind="rsa2048", index=7), right.issue("right", client=True)]
        trusted = tmp_path / "right.pem"
        files = [pair.write(tmp_path, f"machine{number}") for number, pair in enumerate(pairs)]
        combined = tmp_path / "machine.pem"
    Machine.trusted.write_bytes(Machine.right.pem())
    Machine.combined.write_bytes(b"".join(pair.combined_pem() for pair in Machine.pairs))
    return Machine


def machine_words(engine, machine):
    if engine == "mod_tls":
        return "".join(f"TLSProxyMachineCertificate {crt} {key}\n" for crt, key in machine.files)
    return f"SSLProxyMachineCertificateFile {machine.combined}\n"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("engine", ENGINES)
def test_authorities_of_the_backend_choose_and_the_agent_signs(httpd, ca, foreign, machine, engine, version):
    far = foreign("nginx", ca.issue("localhost"), version=version,
                  extra=f"ssl_verify_client on; ssl_client_certificate {machine.trusted};")
    isolated = "TLSKeyIsolation on\n"
    server = front(httpd, isolated + ENGINES[engine].format(ca=ca.file) + machine_words(engine, machine) +
                   f"ProxyPass / https://localhost:{far.port}/", engine=engine)
    assert re.search(r"\|SUCCESS\|.*CN=right", get(server, "/").text)
    for pair in machine.pairs:
        needles = secrets(pair.key)
        for process in (server.pid, *server.children):
            assert not holds(process, needles)
    server.graceful()
    assert re.search(r"\|SUCCESS\|.*CN=right", get(server, "/").text)


@pytest.mark.parametrize("engine", ENGINES)
def test_backend_that_knows_none_of_them(httpd, ca, foreign, machine, engine):
    """It gets none, and says what it thinks of that."""
    machine.trusted.write_bytes(Authority("Third").pem())
    far = foreign("nginx", ca.issue("localhost"), extra=f"ssl_verify_client on; ssl_client_certificate {machine.trusted};")
    server = front(httpd, ENGINES[engine].format(ca=ca.file) + machine_words(engine, machine) +
                   f"ProxyPass / https://localhost:{far.port}/", engine=engine)
    answer = get(server, "/")
    assert answer.status == 400 and "No required SSL certificate" in answer.text


BAD_PAIRS = {
    "encrypted": (lambda pair: pair.certificate_pem() + pair.key_pem(passphrase=b"secret"), "is encrypted, and nobody can be asked"),
    "no key": (lambda pair: pair.certificate_pem(), r"a certificate, but not its private key; add what is missing to this file, in PEM \(cat KEY >> .*\(@CONF@:@LINE@\)"),
    "other key": (lambda pair: pair.certificate_pem() + Authority("x").issue("x").key_pem(),
                  "no certificate in this file belongs to"),
    "nothing": (lambda pair: b"", "is empty"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", BAD_PAIRS)
def test_bad_pair_stops_the_start(httpd, tmp_path, engine, bad):
    """In a section, where mod_proxy alone knows it, and under -t."""
    content, reason = BAD_PAIRS[bad]
    file = tmp_path / "bad.pem"
    file.write_bytes(content(Authority("a").issue("a", client=True)))
    word = {"mod_tls": "TLSProxyMachineCertificate", "mod_tls-ssl": "SSLProxyMachineCertificateFile"}[engine]
    server = front(httpd, f"{word[:3]}ProxyEngine on\n<Proxy https://localhost/>\n{word} {file}\n</Proxy>", engine=engine, start=False)
    tested = server.run("-t")
    line = next(n for n, text in enumerate(server.conf.read_text().splitlines(), 1) if f"{word} " in text)
    reason = reason.replace("@CONF@", str(server.conf)).replace("@LINE@", str(line))
    assert tested.returncode != 0 and re.search(f"TLS0701: .*{file}.*{reason}", tested.stderr)
    assert re.search(f"TLS0701: .*{file}.*{reason}", server.start_fails())


def test_encrypted_pair_with_mod_ssl(httpd, tmp_path):
    """What the words above are compared with."""
    pair = Authority("a").issue("a", client=True)
    file = tmp_path / "bad.pem"
    file.write_bytes(pair.certificate_pem() + pair.key_pem(passphrase=b"secret"))
    server = front(httpd, f"SSLProxyEngine on\nSSLProxyMachineCertificateFile {file}", engine="mod_ssl", start=False)
    assert "missing or encrypted private key" in server.start_fails()


def test_all_that_is_wrong_is_found_at_once(httpd, tmp_path):
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    server = front(httpd, f"""TLSProxyEngine on
TLSProxyCA {tmp_path}/missing.pem
<Proxy https://one/>
TLSProxyCA {tmp_path}/broken.pem
</Proxy>
<Proxy https://two/>
TLSProxyCRL {tmp_path}/no.crl
TLSProxyCA default
</Proxy>""", start=False)
    said = server.run("-t").stderr
    assert all(re.search(f"TLS0701: .*{name}", said) for name in ("missing.pem", "broken.pem", "no.crl")), said
