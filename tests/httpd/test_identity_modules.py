# SPDX-License-Identifier: Apache-2.0
"""Variables wherever httpd's modules hand them out: every one of them is the same everywhere, and the same as mod_ssl's."""
import re

import pytest
from harness import der, third_party, tls
from harness.clients import curl
from harness.config import Vhost
from harness.corpus import CN, EMAIL, OU, UNKNOWN, UPN, Corpus, certificate, dns, email, other, san
from harness.fastcgi import Responder
from harness.migration import is_listed
from harness.variables import PRINTER
from harness.variables import context as client_context

# Of the connection, of both certificates, and names that StdEnvVars does not export.
NAMES = """HTTPS SSL_PROTOCOL SSL_CIPHER SSL_CIPHER_EXPORT SSL_CIPHER_USEKEYSIZE SSL_CIPHER_ALGKEYSIZE SSL_SESSION_RESUMED
SSL_SECURE_RENEG SSL_COMPRESS_METHOD SSL_TLS_SNI SSL_CLIENT_VERIFY SSL_CLIENT_M_VERSION SSL_CLIENT_M_SERIAL SSL_CLIENT_S_DN
SSL_CLIENT_I_DN SSL_CLIENT_S_DN_CN SSL_CLIENT_S_DN_OU SSL_CLIENT_S_DN_OU_1 SSL_CLIENT_S_DN_Email SSL_CLIENT_SAN_Email_0
SSL_CLIENT_SAN_DNS_0 SSL_CLIENT_SAN_DNS_1 SSL_CLIENT_SAN_OTHER_msUPN_0 SSL_CLIENT_V_START SSL_CLIENT_V_END SSL_CLIENT_V_REMAIN
SSL_CLIENT_A_SIG SSL_CLIENT_A_KEY SSL_CLIENT_CERT_RFC4523_CEA SSL_SERVER_M_VERSION SSL_SERVER_S_DN SSL_SERVER_S_DN_CN
SSL_SERVER_I_DN SSL_SERVER_SAN_DNS_0 SSL_SERVER_A_SIG SSL_SERVER_A_KEY""".split()
OURS = ["SSL_GROUP", "SSL_SIGALG", "SSL_ALPN"]
WORDS = {"mod_ssl": "SSL", "mod_tls-ssl": "SSL", "mod_tls": "TLS"}


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def presented(corpus, tmp_path_factory):
    """A client whose certificate has something of everything, as options of curl."""
    import ssl

    from cryptography.hazmat.primitives import serialization

    subject = der.name([(OU, der.utf8("Büro")), (OU, der.utf8('a "b", c'))], [(CN, der.utf8("Jürgen"))], [(EMAIL, der.ia5("j@x.test"))])
    purpose = der.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.2")))
    names = san(dns("one.test"), dns("two.test"), email("j@x.test"), other(UPN, der.utf8("j@corp")))
    made = certificate(subject, corpus.key, corpus.ca_key, issuer=corpus.issuer, extensions=(names, purpose),
                       start=der.utc_time("240101000000Z"))
    file = tmp_path_factory.mktemp("client") / "client.pem"
    file.write_bytes(ssl.DER_cert_to_PEM_cert(made).encode() + corpus.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return "--cert", str(file)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """The third-party module, compiled as apxs would."""
    return third_party.asks(tmp_path_factory.mktemp("module"))


@pytest.fixture(scope="module")
def responder():
    with Responder() as running:
        yield running


@pytest.fixture(scope="module")
def servers(shared_httpd, ca, corpus, module, responder):
    import ssl

    def make(engine):
        word = WORDS[engine]
        names = NAMES + (OURS if engine != "mod_ssl" else [])
        headers = "\n".join(f'Header always set S-{n} "%{{{n}}}s"\nHeader always set E-{n} "expr=%{{{n}}}"\n'
                            f"Header always set F-{n} \"expr=%{{SSL:{n}}}\"" for n in names if n != "HTTPS")
        rewrite = "\n".join(f"RewriteRule .* - [E=R_{n}:%{{SSL:{n}}}]" for n in names)
        conditions = "\n".join(f"""<If "%{{SSL_CLIENT_S_DN_CN}} == 'Jürgen' && SSL('SSL_CLIENT_VERIFY') == 'SUCCESS' && {test}">
Header always set If-{number} yes
</If>""" for number, test in enumerate(["'TLS Web Client Authentication' in PeerExtList('2.5.29.37')", "%{HTTPS} == 'on'",
                                        "%{SSL_PROTOCOL} =~ /^TLSv1/", "-n %{SSL_CLIENT_SAN_DNS_1}"]))
        made = shared_httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""
{word + "ClientCertificate optional" if word == "TLS" else "SSLVerifyClient optional"}
{"TLSClientCA" if word == "TLS" else "SSLCACertificateFile"} @HOME@/ca.pem
ScriptAlias /print @HOME@/print.sh
ProxyPass /fcgi fcgi://127.0.0.1:{responder.port}/
RewriteEngine on
{rewrite}
{conditions}
<Location /fcgi>
{word}Options +StdEnvVars +ExportCertData
</Location>
<Location /print>
{word}Options +StdEnvVars +ExportCertData
{headers}
</Location>
<Location /legacy>
{word}Options +LegacyDNStringFormat
Header always set X-DN "%{{SSL_CLIENT_S_DN}}s"
</Location>
<Location /asks>
SetHandler asks
</Location>
<Files *.shtml>
SetOutputFilter INCLUDES
Options +Includes
{word}Options +StdEnvVars
</Files>
LuaMapHandler /lua @HOME@/ask.lua
<Location /expr>
Require expr %{{SSL_CLIENT_S_DN_OU_1}} == 'a "b", c' && %{{SSL_SERVER_S_DN_CN}} == 'a.test'
</Location>""")], engine=engine, modules=("http2", "cgid", "rewrite", "proxy", "proxy_fcgi", "include", "lua"), start=False,
            allow=("AH01630",), config=f"""Protocols h2 http/1.1
LoadModule asks_module {module}
ScriptSock @HOME@/run/cgid
CustomLog @HOME@/x.log "%U|{"|".join(f"%{{{n}}}x" for n in names)}"
CustomLog @HOME@/c.log "%U|%{{version}}c|%{{cipher}}c|%{{subjectdn}}c|%{{issuerdn}}c|%{{clientcert}}c|%{{cacert}}c|%{{errcode}}c|%{{errstr}}c\"""")
        made.put("ca.pem", ssl.DER_cert_to_PEM_cert(corpus.ca))
        made.put("print.sh", PRINTER, mode=0o755)
        made.put("docs/a.test/page.shtml", "".join(f'{n}=<!--#echo encoding="none" var="{n}" -->\n' for n in NAMES) +
                 """<!--#if expr="%{SSL_CLIENT_VERIFY} == 'SUCCESS'" -->verified<!--#endif -->\n""")
        made.put("docs/a.test/expr", "page")
        made.put("ask.lua", "function handle(r)\n  r.content_type = 'text/plain'\n" + "".join(
            f"  r:puts('{n}=' .. tostring(r:ssl_var_lookup('{n}')) .. '\\n')\n" for n in names) + "  return apache2.OK\nend\n")
        return made.start()
    return {engine: make(engine) for engine in ("mod_ssl", "mod_tls-ssl")}


def pairs(text: bytes, separator: bytes) -> dict[str, str]:
    items = (item.split(b"=", 1) for item in text.split(separator) if b"=" in item)
    return {name.decode(): value.decode() for name, value in items}


VERSIONS = {"1.2": ("--tls-max", "1.2"), "1.3": ("--tlsv1.3",)}


@pytest.fixture(params=[(version, h2) for version in VERSIONS for h2 in (False, True)],
                ids=lambda p: f"{p[0]}-{'h2' if p[1] else 'h1'}")
def ask(request, ca, presented):
    version, h2 = request.param

    def get(server, path):
        answer = curl(server.port, path, *VERSIONS[version], *presented, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256",
                      "--tls13-ciphers", "TLS_AES_128_GCM_SHA256", ca=ca.file, h2=h2)
        assert answer.status == 200, (path, answer.status)
        return answer
    return get


def values_of(server, ask) -> dict[str, dict[str, str]]:
    """What each way of asking says, by the names of NAMES."""
    answer = ask(server, "/print")
    environment = pairs(answer.body, b"\0")
    headers = {way: {n: value for n in NAMES if (value := answer.headers.get(f"{way}-{n}".lower())) is not None}
               for way in ("s", "e", "f")}
    lua = pairs(ask(server, "/lua").body, b"\n")
    asks = pairs(ask(server, "/asks?" + "&".join(NAMES)).body, b"\n")
    included = pairs(ask(server, "/page.shtml").body, b"\n")
    return {"environment": environment, "rewrite": {n: environment.get(f"R_{n}", "") for n in NAMES},
            "headers": headers["s"], "expressions": headers["e"], "functions": headers["f"], "lua": lua, "asks": asks,
            "included": included, "fastcgi": pairs(ask(server, "/fcgi/x").body, b"\0")}


def test_all_ways_of_asking_agree_with_each_other_and_with_mod_ssl(servers, ask):
    said = {engine: values_of(server, ask) for engine, server in servers.items()}
    wrong = []
    for way, theirs in said["mod_ssl"].items():
        ours = said["mod_tls-ssl"][way]
        wrong += [f"{way} {name}: {theirs.get(name)!r} {ours.get(name)!r}" for name in NAMES
                  if not name.startswith("SSL_SERVER") and theirs.get(name) != ours.get(name)]
    assert not wrong, "mod_ssl's and ours:\n" + "\n".join(wrong)
    ours = said["mod_tls-ssl"]
    for name in NAMES:
        for way in ("fastcgi", "included", "lua", "asks", "rewrite"):
            assert ours[way][name] == ours["environment"][name], (way, name)
    assert ours["asks"]["is_https"] == "1"
    assert ours["fastcgi"]["SSL_CLIENT_CERT"] == ours["environment"]["SSL_CLIENT_CERT"]
    assert ours["fastcgi"]["SSL_CLIENT_CERT"].startswith("-----BEGIN CERTIFICATE-----\n")


def test_certificate_extensions_by_optional_function(servers, ask):
    query = "/asks?2.5.29.37&2.5.29.17&1.2.3.4.5&!2.5.29.37&!2.5.29.19"
    theirs, ours = (pairs(ask(server, query).body, b"\n") for server in servers.values())
    assert theirs == ours
    assert ours["2.5.29.37"] == "[TLS Web Client Authentication]"


KINDS = ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37", UNKNOWN, "2.16.840.1.113730.1.1",
         "2.16.840.1.113730.1.13"]


def test_every_extension_of_the_corpus_reads_as_with_mod_ssl(servers, corpus, tmp_path):
    different, compared = [], 0
    for entry in corpus.entries:
        try:
            context = client_context(entry, tmp_path, "1.3")
            said = []
            for server in servers.values():
                with tls.connect(server.port, using=context) as connection:
                    said.append(tls.get(connection, "/asks?" + "&".join(KINDS))[2])
        except OSError:
            continue  # OpenSSL cannot load it, or it is refused: other tests compare who is let in
        compared += 1
        theirs = said[0].replace(b"\x1b", b"." if is_listed("extension-text") else b"\x1b")
        if theirs != said[1]:
            different.append(f"{entry.name}: {said[0]!r} {said[1]!r}")
    assert not different, "mod_ssl's and ours:\n" + "\n".join(different)
    assert compared > 120
    for server in servers.values():
        server.log.allow("AH02039", "TLS0402")


def test_sections_includes_and_requirements_see_them(servers, ask):
    for server in servers.values():
        assert b"verified" in ask(server, "/page.shtml").body
        answer = ask(server, "/expr")
        assert [answer.headers.get(f"if-{number}") for number in range(4)] == ["yes"] * 4
    theirs, ours = (ask(server, "/legacy/../print").body for server in servers.values())
    assert theirs and ours


def test_log_formats_say_the_same(servers, ask):
    for server in servers.values():
        ask(server, "/expr")

    def line(server, name):
        found = [text for text in (server.home / name).read_text().splitlines() if text.startswith("/expr|")]
        return found[-1].split("|")

    x_theirs, x_ours = (line(server, "x.log")[:len(NAMES)] for server in servers.values())
    different = [NAMES[i - 1] for i, (a, b) in enumerate(zip(x_theirs, x_ours)) if a != b and not NAMES[i - 1].startswith("SSL_SERVER")]
    assert not different
    c_theirs, c_ours = (line(server, "c.log") for server in servers.values())
    assert c_theirs == c_ours


def test_new_variables(servers, ask):
    server = servers["mod_tls-ssl"]
    environment = pairs(ask(server, "/print").body, b"\0")
    assert environment["SSL_SIGALG"] == "ecdsa_secp256r1_sha256" and environment["SSL_GROUP"]
    assert environment["SSL_ALPN"] == ("h2" if environment["SERVER_PROTOCOL"] == "HTTP/2.0" else "http/1.1")
    assert pairs(ask(server, "/lua").body, b"\n")["SSL_ALPN"] == environment["SSL_ALPN"]
    took = pairs(ask(server, "/asks?SSL_HANDSHAKE_MS").body, b"\n")["SSL_HANDSHAKE_MS"]
    assert re.fullmatch(r"\d+", took) and int(took) < 60000
