# SPDX-License-Identifier: Apache-2.0
"""`httpd -t -D DUMP_TLS`: what holds in every virtual host, and where it was written."""
import json

from harness.certs import DAY, now
from harness.config import Vhost


def hosts_of(text: str) -> dict[str, list[str]]:
    """The lines of each virtual host, by the first word of its heading."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("  "):
            lines.append(" ".join(line.split()))
        else:
            lines = found.setdefault(line.split(" ")[0], [line])
    return found


def test_settings_with_their_places_and_certificates_with_days_left(httpd, ca):
    pair = ca.intermediate("Lower").issue("a.test", "*.a.test", end=now() + 30 * DAY + DAY / 2)
    server = httpd([Vhost("a.test", [pair], extra="TLSProtocol TLSv1.3+"), Vhost("b.test", [ca.issue("b.test")])],
                   config="TLSGroups P-256:X25519", start=False)
    done = server.run("-t", "-D", "DUMP_TLS")
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done.stderr
    hosts = hosts_of(done.stdout)
    conf = server.conf.read_text().splitlines()

    def at(text: str) -> str:
        return f"({server.conf}:{next(i for i, line in enumerate(conf, 1) if text in line)})"

    a, b = hosts[f"a.test:{server.port}"], hosts[f"b.test:{server.port}"]
    assert a[0].endswith("TLS* words") and str(server.conf) in a[0]
    assert f"engine *:{server.port} {at('TLSEngine')}" in a
    assert f"protocol TLSv1.3 {at('TLSProtocol')}" in a
    assert "protocol TLSv1.2 TLSv1.3 (default)" in b
    assert f"groups P-256:X25519 {at('TLSGroups')}" in b
    assert any(line.startswith("suites TLS_AES_128_GCM_SHA256:") and line.endswith("(default)") for line in a)
    home = server.home / "certs"
    assert f"certificate {home}/a.test-0.crt, key {home}/a.test-0.key {at('TLSCertificate')}" in a
    serves = [line for line in a if line.startswith("serves ")]
    assert len(serves) == 1
    assert serves[0].startswith("serves a.test (ECDSA P-256) for a.test, *.a.test; 30 days left, until ")
    assert serves[0].endswith("; 2 in the chain")


def test_the_same_as_json(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSProtocol TLSv1.3+"), Vhost("b.test", [ca.issue("b.test")])],
                   start=False, modules=("reqtimeout",), config="RequestReadTimeout handshake=5")
    done = server.run("-t", "-D", "DUMP_TLS_JSON")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["backends"] == []
    hosts = {host["host"].split(":")[0]: host for host in said["hosts"]}
    first, second = hosts["a.test"], hosts["b.test"]
    assert first["host"].startswith(f"a.test:{server.port} ({server.conf}:") and first["words"] == "TLS*"
    told = {setting["name"]: setting for setting in first["settings"]}
    line = next(i for i, line in enumerate(server.conf.read_text().splitlines(), 1) if "TLSProtocol" in line)
    assert told["protocol"] == {"name": "protocol", "value": "TLSv1.3", "file": str(server.conf), "line": line}
    assert told["groups"]["file"] is None and told["groups"]["line"] is None
    [served] = second["certificates"]
    assert served["subject"] == "b.test" and served["chain_length"] == 1 and first["read_limit"] == "5"


def test_the_words_of_mod_ssl_are_told_apart(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLVerifyClient optional\nSSLVerifyDepth 3")],
                   engine="mod_tls-ssl", start=False)
    done = server.run("-t", "-D", "DUMP_TLS")
    lines = hosts_of(done.stdout)[f"a.test:{server.port}"]
    assert lines[0].endswith("SSL* words")
    assert any(line.startswith("client certificates optional (") for line in lines)
    assert any(line.startswith("depth 3 (") for line in lines)


def test_nothing_is_printed_unless_asked_for(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    assert server.run("-t").stdout == ""


BACKENDS = """TLSFetchProxy http://proxy.test:3128/
TLSProxyCA @HOME@/certs/a.test-0.crt
<Proxy https://localhost:4433/one>
TLSProxyEngine on
TLSProxyVerifyDepth 2
TLSProxyCRL auto allow http://lists.test/ca.crl
</Proxy>
<ProxyMatch ^https://other>
TLSProxyEngine on
TLSProxyVerify none
TLSProxyVerifyName off
</ProxyMatch>
ProxyPass /one https://localhost:4433/one"""


def test_what_holds_for_backends_and_where_it_was_written(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")]),
                    Vhost("b.test", [ca.issue("b.test")], extra="TLSProxyEngine on\nTLSProxyProtocol TLSv1.3+\nTLSProxyGroups X25519:P-256")],
                   modules=("proxy", "proxy_http"), config=BACKENDS, start=False, allow=("TLS0",))
    done = server.run("-t", "-D", "DUMP_TLS")
    assert done.returncode == 0, done.stderr
    conf = server.conf.read_text().splitlines()

    def at(text: str) -> str:
        return f"({server.conf}:{next(i for i, line in enumerate(conf, 1) if text in line)})"

    found: dict[str, list[str]] = {}
    heads: list[str] = []
    for line in done.stdout.splitlines():
        if line.startswith("backends of "):
            heads = heads if heads and not found[heads[-1]] else []
            heads.append(line.removeprefix("backends of "))
            found[line.removeprefix("backends of ")] = []
        elif heads and line.startswith("  "):
            for head in heads:
                found[head].append(" ".join(line.split()))
    one = {head.split(" ")[0].split(":")[0]: lines for head, lines in found.items() if "<Proxy https" in head}
    assert one.keys() == {"base.test", "a.test", "b.test"}
    for host in ("base.test", "a.test"):
        assert f"engine on {at('TLSProxyEngine on')}" in one[host] and f"depth 2 {at('VerifyDepth')}" in one[host]
        assert f"authorities {server.home}/certs/a.test-0.crt {at('TLSProxyCA')}" in one[host]
        assert "protocol TLSv1.2 TLSv1.3 (default)" in one[host] and "verified yes (default)" in one[host] and "name checked (default)" in one[host]
        lists = "of the authorities, http://lists.test/ca.crl; by http://proxy.test:3128/; allow while one is missing"
        assert f"fetched lists {lists} {at('TLSProxyCRL')}" in one[host] and f"revocation chain {at('TLSProxyCRL')}" in one[host]
    assert f"protocol TLSv1.3 {at('TLSProxyProtocol')}" in one["b.test"], "what the section does not say is its virtual host's"
    assert f"groups X25519:P-256 {at('TLSProxyGroups')}" in one["b.test"] and f"post-quantum off {at('TLSProxyGroups')}" in one["b.test"]
    match = next(lines for head, lines in found.items() if head.startswith("a.test") and "<ProxyMatch ^https://other>" in head)
    assert f"verified NOT {at('TLSProxyVerify none')}" in match and f"name NOT CHECKED {at('VerifyName')}" in match
    outside = [lines for head, lines in found.items() if "<Proxy" not in head]
    assert len(outside) == 1 and outside[0][0].startswith("engine on (") and f"protocol TLSv1.3 {at('TLSProxyProtocol')}" in outside[0]

    said = json.loads(server.run("-t", "-D", "DUMP_TLS_JSON").stdout)["backends"]
    assert {name for one in said for name in one["of"]} == found.keys()
    told = {setting["name"]: setting for setting in next(one for one in said if "<Proxy https" in one["of"][0])["settings"]}
    assert told["depth"]["value"] == "2" and told["depth"]["file"] == str(server.conf) and told["suites"]["file"] is None


def test_the_words_of_mod_ssl_for_backends(httpd, ca):
    server = httpd([], engine="mod_tls-ssl", modules=("proxy", "proxy_http"), start=False, ports=("PLAIN",), allow=("TLS0",), config=f"""SSLProxyEngine on
SSLProxyCACertificateFile {ca.file}
SSLProxyCheckPeerCN off
SSLProxyVerify optional""")
    text = server.run("-t", "-D", "DUMP_TLS").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("backends of base.test") for line in lines)
    for begin in ("verified yes (", f"authorities {ca.file} (", "name NOT CHECKED (", "depth 1 (default)", "revocation none (default)", "dates checked (default)"):
        assert any(line.startswith(begin) for line in lines), (begin, lines)


def test_what_is_the_whole_server_s_and_stapling(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLUseStapling on\nSSLStaplingResponderTimeout 3\nSSLStaplingForceURL http://ocsp.test/\n"
                                                               "SSLStaplingResponseMaxAge 7200")],
                   engine="mod_tls-ssl", start=False, allow=("TLS0",), config="SSLStaplingCache shmcb:@HOME@/x(32768)\nSSLStaplingStandardCacheTimeout 60\n"
                   "TLSFetchProxy http://proxy.test:3128/\nTLSFetchLocal on\nTLSKeyIsolation on\nTLSReload 30 all\nTLSECH a.test \"@HOME@/ech\"\nTLSECHPadding 512")
    done = server.run("-t", "-D", "DUMP_TLS")
    conf = server.conf.read_text().splitlines()
    lines = hosts_of(done.stdout)[f"a.test:{server.port}"]
    for said, word in {"stapling on": "SSLUseStapling", "responder http://ocsp.test/": "ForceURL", "responder timeout 3 s": "ResponderTimeout",
                       "age of responses 7200 s": "MaxAge", "responses fetched after 60 s": "StandardCache", "fetches by http://proxy.test:3128/": "FetchProxy",
                       "own addresses fetched on": "FetchLocal", "key isolation on": "KeyIsolation", "reload every 30 s, authorities of clients too": "TLSReload",
                       f"encrypted hello public name a.test, keys in {server.home}/ech": "TLSECH ", "its padding 512": "ECHPadding"}.items():
        line = next(i for i, text in enumerate(conf, 1) if word in text)
        assert f"{said} ({server.conf}:{line})" in lines, (said, lines)
    plain = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False)
    lines = hosts_of(plain.run("-t", "-D", "DUMP_TLS").stdout)[f"a.test:{plain.port}"]
    for said in ("stapling on (default)", "responder whom certificates name (default)", "key isolation on (default)", "reload every 10 s (default)",
                 "fetches by no proxy (default)", "own addresses fetched off (default)", "encrypted hello off (default)"):
        assert said in lines, (said, lines)


SECTIONS = """TLSClientCertHeader on
TLSOptions +StdEnvVars
<Location "/told">
TLSClientCertHeader Chain
TLSOptions -StdEnvVars +ExportCertData
TLSUserName SSL_CLIENT_S_DN_CN
</Location>
<LocationMatch "^/(one|other)">
TLSClientCertHeader off
</LocationMatch>
<Directory "@HOME@/">
<Files "x.html">
TLSClientCertificate required
TLSClientDepth 3
TLSClientCA "@HOME@/certs/a.test-0.crt"
</Files>
</Directory>
<Location "/said/nothing">
Require all granted
</Location>"""


def test_what_sections_say_and_where(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=SECTIONS), Vhost("b.test", [ca.issue("b.test")])],
                   config='<Location "/everywhere">\nTLSClientCertHeader chain\n</Location>', start=False, allow=("TLS0",))
    done = server.run("-t", "-D", "DUMP_TLS")
    assert done.returncode == 0, done.stderr
    conf = server.conf.read_text().splitlines()

    def at(text: str) -> str:
        return f"({server.conf}:{next(i for i, line in enumerate(conf, 1) if text in line)})"

    def sections(host: str) -> dict[str, list[str]]:
        """The lines of each section, which stand deeper than what the host has."""
        found: dict[str, list[str]] = {}
        lines: list[str] = []
        of = ""
        for line in done.stdout.splitlines():
            of = of if line.startswith(" ") else line
            if line.startswith("  in "):
                lines = found.setdefault(line[5:], []) if of.startswith(host) else []
            elif line.startswith("    "):
                lines.append(" ".join(line.split()))
        return found

    everywhere = {"<Location /everywhere>": [f"client certificate header chain {at('TLSClientCertHeader chain')}"]}
    assert sections("b.test") == everywhere
    assert sections("a.test") == everywhere | {
        "all sections": [f"client certificate header on {at('TLSClientCertHeader on')}", f"options +StdEnvVars {at('TLSOptions +StdEnvVars')}"],
        "<Location /told>": [f"client certificate header chain {at('TLSClientCertHeader Chain')}",
                             f"user name SSL_CLIENT_S_DN_CN {at('TLSUserName')}", f"options -StdEnvVars +ExportCertData {at('TLSOptions -')}"],
        "<LocationMatch ^/(one|other)>": [f"client certificate header off {at('TLSClientCertHeader off')}"],
        f"<Directory {server.home}/> <Files x.html>": [f"client certificates require {at('TLSClientCertificate required')}", f"depth 3 {at('TLSClientDepth')}",
                                                       f"authorities {server.home}/certs/a.test-0.crt {at('TLSClientCA')}"],
    }
    said = json.loads(server.run("-t", "-D", "DUMP_TLS_JSON").stdout)["hosts"]
    told = {section["section"]: section["settings"] for section in next(host for host in said if host["host"].startswith("a.test"))["sections"]}
    assert told.keys() == sections("a.test").keys() - {"all sections"} | {""}
    line = int(at("TLSClientCertHeader off").rsplit(":", 1)[1][:-1])
    assert told["<LocationMatch ^/(one|other)>"] == [{"name": "client certificate header", "value": "off", "file": str(server.conf), "line": line}]


def test_what_mod_ssl_s_words_say_in_sections(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="""<Location "/x">
SSLRequireSSL
SSLRequire %{SSL_CIPHER_USEKEYSIZE} >= 128
SSLVerifyClient optional
SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256
</Location>""")], engine="mod_tls-ssl", start=False, allow=("TLS0", "AH"))
    lines = hosts_of(server.run("-t", "-D", "DUMP_TLS").stdout)[f"a.test:{server.port}"]
    section = lines[lines.index("in <Location /x>") + 1:]
    for begin in ("client certificates optional (", "TLS required on (", "requires %{SSL_CIPHER_USEKEYSIZE} >= 128 (",
                  "suites of TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ("):
        assert any(line.startswith(begin) and str(server.conf) in line for line in section), (begin, lines)
