# SPDX-License-Identifier: Apache-2.0
"""What sections and .htaccess files demand of a connection, over h1 and h2: client certificates, cipher suites, users."""
import pytest
from harness import h2, tls
from harness.clientauth import ENGINES, Clients, authority, options, verify
from harness.clients import curl, s_client
from harness.config import Vhost

DENIED = 403
BASIC = ("auth_basic", "authn_core", "authn_file", "authz_user", "access_compat")


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module", params=ENGINES)
def server(request, shared_httpd, ca, clients):
    """Sections of every kind; `asking.test` asks for a certificate itself, `quiet.test` has no section that does."""
    engine = request.param
    middle = clients.ca.intermediate("Client Intermediate")
    clients.deep = clients.write("deep", middle.issue("deep", client=True))
    depth = "TLSClientDepth" if engine == "mod_tls" else "SSLVerifyDepth"
    require = verify(engine, "require")
    sections = f"""
<Directory "@HOME@/docs/asking.test/directory">
{require}
</Directory>
<Files "secret.*">
{require}
</Files>
<Directory "@HOME@/docs/asking.test">
<Files "nested.*">
{require}
</Files>
</Directory>
<If "%{{QUERY_STRING}} == 'require'">
{require}
</If>
<Location /loose>
{depth} 2
</Location>
<Location /strict>
{require}
{depth} 1
</Location>
<LocationMatch "^/(a|b)/match">
{require}
</LocationMatch>
<Location /strict/open>
{verify(engine, "none")}
</Location>
<Location /satisfy>
{require}
AuthType Basic
AuthName users
AuthUserFile @HOME@/users
Require valid-user
Satisfy any
</Location>
<Location /satisfy/anyway>
{options(engine, "+StrictRequire")}
</Location>
<Location /fake>
{options(engine, "+FakeBasicAuth")}
AuthType Basic
AuthName clients
AuthUserFile @HOME@/users
Require valid-user
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
<Location /user>
AuthType ClientCert
AuthName clients
Require valid-user
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
<Location /named>
{"TLS" if engine == "mod_tls" else "SSL"}UserName SSL_CLIENT_M_SERIAL
AuthType ClientCert
AuthName clients
Require valid-user
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>"""
    allow = '<Directory "@HOME@/docs">\nAllowOverride AuthConfig\n</Directory>'
    ca_words = authority(engine, "@HOME@/ca.pem")
    made = shared_httpd([
        Vhost("asking.test", [ca.issue("asking.test")], extra=f"{verify(engine, 'optional')}\n{ca_words}\n{depth} 1\n{sections}"),
        Vhost("quiet.test", [ca.issue("quiet.test")], extra=ca_words)],
        engine=engine, modules=("http2", *BASIC), config=f"Protocols h2 http/1.1\nH2Push off\n{allow}", start=False,
        allow=("TLS0114.*nobody is asked", "TLS051[4567]", "AH0(1617|1618|2039|2227)"))
    made.put("ca.pem", clients.ca.pem())
    made.put("other.pem", clients.other.pem())
    made.put("users", "joe:xxj31ZMTZzkVA\n/CN=good:xxj31ZMTZzkVA\n")
    for path in ("directory/page", "secret.txt", "sub/secret.txt", "nested.txt", "page", "loose", "strict/page", "a/match",
                 "strict/open", "satisfy/page", "satisfy/anyway/page", "fake", "user", "named", "required/page", "shallow/page",
                 "foreign/page"):
        made.put(f"docs/asking.test/{path}", "content")
    for host in ("asking.test", "quiet.test"):
        made.put(f"docs/{host}/required/.htaccess", require + "\n")
        made.put(f"docs/{host}/required/page", "content")
    made.put("docs/asking.test/shallow/.htaccess", f"{require}\n{depth} 0\n")
    made.put("docs/asking.test/foreign/.htaccess", f"{require}\n{authority(engine, str(made.home / 'other.pem'))}\n")
    return made.start()


@pytest.fixture(params=[False, True], ids=["h1", "h2"])
def ask(request, server, ca):
    def get(path, *presented, name="asking.test"):
        answer = curl(server.port, path, *presented, name=name, ca=ca.file, h2=request.param)
        assert answer.status != 200 or b"content" in answer.body or path == "/"
        assert answer.status == 200 or b"content" not in answer.body
        return answer
    return get


@pytest.mark.parametrize("path", ["/directory/page", "/secret.txt", "/sub/secret.txt", "/nested.txt", "/page?require",
                                  "/strict/page", "/a/match", "/required/page"])
def test_sections_of_every_kind_demand_a_certificate(ask, clients, path):
    assert (ask(path, *clients.good).status, ask(path).status) == (200, DENIED)


def test_what_no_section_protects_is_open(ask, clients):
    assert [ask(path).status for path in ("/page", "/strict/open", "/loose")] == [200, 200, 200]


def test_depths_of_sections(ask, clients):
    """The virtual host allows one certificate above the client's, one section two, an .htaccess file none."""
    assert ask("/loose", *clients.deep).status == 200
    assert ask("/page", *clients.deep).status == DENIED
    assert ask("/strict/page", *clients.deep).status == DENIED
    assert ask("/shallow/page", *clients.good).status == DENIED


def test_authorities_of_an_htaccess_file_are_unknown(server, ask, clients):
    assert ask("/foreign/page", *clients.good).status == DENIED
    server.log.expect("TLS0516.*not in .htaccess")


def test_where_the_handshake_did_not_ask_there_is_no_way_in(server, ask, clients):
    assert ask("/required/page", *clients.good, name="quiet.test").status == DENIED
    server.log.expect("TLS0515.*quiet.test")


def test_satisfy_any(ask, clients):
    as_joe = ("-u", "joe:password")
    assert ask("/satisfy/page", *clients.good).status == 200
    assert ask("/satisfy/page", *as_joe).status == 200
    assert ask("/satisfy/page").status == 401
    assert ask("/satisfy/anyway/page", *as_joe).status == DENIED
    assert ask("/satisfy/anyway/page", *clients.good).status == 200


def test_users(ask, clients):
    assert ask("/fake", *clients.good).headers["x-user"] == "/CN=good"
    assert ask("/fake").status == 401
    assert ask("/user", *clients.good).headers["x-user"] == "CN=good"
    assert ask("/user").status == DENIED
    assert ask("/named", *clients.good).headers["x-user"].isalnum()
    assert ask("/named").status == DENIED


def test_a_connection_is_judged_request_by_request(server, ca, clients):
    """Over one connection, h1 and h2: what one section refuses is no harm to the next request."""
    paths = ["/directory/page", "/page", "/strict/page", "/loose", "/secret.txt", "/page"]
    for protocol in ("http/1.1", "h2"):
        with tls.connect(server.port, "asking.test", ca.file, alpn=[protocol]) as connection:
            statuses = [h2.get(connection, path, "asking.test", 2 * i + 1) if protocol == "h2" else
                        tls.get(connection, path, "asking.test")[0] for i, path in enumerate(paths)]
        assert statuses == [DENIED, 200, DENIED, 200, DENIED, 200]


def test_a_client_of_one_section_is_not_verified_in_another(httpd, ca, clients):
    """The handshake knows the CAs of all sections; what a request is told, and what counts, is its own section's verdict."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""SSLCACertificateFile @HOME@/ca.pem
Header always set X-Who "%{{SSL_CLIENT_VERIFY}}s %{{SSL_CLIENT_S_DN_CN}}s"
<Location /partner>
SSLVerifyClient require
SSLCACertificateFile @HOME@/other.pem
</Location>
<Location /any>
SSLVerifyClient optional_no_ca
</Location>
<Location /any/expr>
Require expr %{{SSL_CLIENT_VERIFY}} == 'SUCCESS'
</Location>
<Location /any/provider>
Require ssl-verify-client
</Location>
<Location /extension>
Require expr "TLS Web Client Authentication" in PeerExtList("2.5.29.37")
</Location>
<Location /environment>
SSLOptions +StdEnvVars +ExportCertData
Header always set X-Env "%{{SSL_CLIENT_S_DN}}e %{{SSL_CLIENT_CERT}}e %{{SSL_CLIENT_VERIFY}}e"
</Location>""")], engine="mod_tls-ssl", modules=("http2",), config="Protocols h2 http/1.1", start=False,
                   allow=("AH01630", "TLS0517", "AH02039"))
    server.put("ca.pem", clients.ca.pem())
    server.put("other.pem", clients.other.pem())
    for path in ("partner", "any/page", "any/expr", "any/provider", "open", "extension", "environment"):
        server.put(f"docs/a.test/{path}", "content")
    server.start()
    unproven = "FAILED:unable to verify the first certificate"
    for h2 in (False, True):
        def ask(path, *presented):
            answer = curl(server.port, path, "--tlsv1.3", *presented, ca=ca.file, h2=h2)
            return answer.status, answer.headers["x-who"]

        assert ask("/partner", *clients.stranger) == (200, "SUCCESS stranger")
        assert ask("/partner", *clients.good)[0] == DENIED
        assert ask("/any/page", *clients.stranger) == (200, f"{unproven} stranger")
        assert ask("/any/page", *clients.good) == (200, "SUCCESS good")
        for path in ("/any/expr", "/any/provider"):
            assert ask(path, *clients.stranger) == (DENIED, f"{unproven} stranger")
            assert ask(path, *clients.good) == (200, "SUCCESS good")
        assert ask("/open", *clients.good) == (200, "SUCCESS good")
        assert ask("/open", *clients.stranger) == (200, "FAILED:unable to get local issuer certificate (null)")
        assert ask("/open") == (200, "NONE (null)")
        # What a certificate says that was refused is not said, whoever asks.
        assert [ask("/extension", *who)[0] for who in (clients.good, clients.stranger, ())] == [200, DENIED, DENIED]
        said = curl(server.port, "/environment", *clients.stranger, ca=ca.file, h2=h2).headers["x-env"]
        assert said.split(" ")[0] == "(null)" and "CERTIFICATE" not in said and "FAILED:unable" in said


SUITES = {"128": "ECDHE-ECDSA-AES128-GCM-SHA256", "256": "ECDHE-ECDSA-AES256-GCM-SHA384"}


@pytest.mark.parametrize("over_h2", [False, True])
def test_suites_of_sections(httpd, ca, over_h2):
    """There is no renegotiation: 403 where the connection's suite is not one of the section's."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""
<Location /strong>
SSLCipherSuite {SUITES["256"]}
SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384
</Location>
<Location /any12>
SSLCipherSuite HIGH
</Location>""")], engine="mod_tls-ssl", modules=("http2",), config="""Protocols h2 http/1.1
<Directory "@HOME@/docs">
AllowOverride AuthConfig
</Directory>""", allow=("AH02264",))
    for path in ("strong", "any12", "sub/page"):
        server.put(f"docs/a.test/{path}", "content")
    server.put("docs/a.test/sub/.htaccess", f"SSLCipherSuite {SUITES['256']}\n")

    def status(path, *chosen):
        answer = curl(server.port, path, *chosen, ca=ca.file, h2=over_h2)
        assert (answer.status == 200) == (b"content" in answer.body)
        return answer.status

    for bits, expected in (("128", DENIED), ("256", 200)):
        tls12 = ("--tls-max", "1.2", "--ciphers", SUITES[bits])
        tls13 = ("--tlsv1.3", "--tls13-ciphers", f"TLS_AES_{bits}_GCM_SHA{'256' if bits == '128' else '384'}")
        assert (status("/strong", *tls12), status("/strong", *tls13)) == (expected, expected)
        assert (status("/any12", *tls12), status("/any12", *tls13)) == (200, 200)
        assert (status("/sub/page", *tls12), status("/sub/page", *tls13)) == (expected, 200)
    server.log.expect(f"AH02264.*{SUITES['128']}")


@pytest.mark.parametrize("engine", ENGINES)
def test_names_of_authorities_are_sent(httpd, ca, clients, engine):
    """Those of the CAs; those of a file or directory of names where there is one; all of a virtual host's sections."""
    names = {"mod_tls": ("", ""), "mod_tls-ssl": ("SSLCADNRequestFile @HOME@/other.pem", "SSLCADNRequestPath @HOME@/names")}[engine]
    server = httpd([
        Vhost(f"{label}.test", [ca.issue(f"{label}.test")], extra=f"""{verify(engine, "optional")}
{authority(engine, "@HOME@/ca.pem")}
{more}""") for label, more in (("plain", ""), ("file", names[0]), ("path", names[1]), ("section", f"""<Location /x>
{authority(engine, "@HOME@/other.pem")}
{verify(engine, "require")}
</Location>"""))], engine=engine, start=False)
    server.put("ca.pem", clients.ca.pem())
    server.put("other.pem", clients.other.pem())
    server.put("names/x.0", clients.other.pem() + clients.ca.pem())
    server.start()

    def sent(label):
        for version in ("-tls1_2", "-tls1_3"):
            text = s_client(server.port, version, name=f"{label}.test", ca=ca.file).text
            block = text.partition("Acceptable client certificate CA names\n")[2].partition("\nRequested")[0]
            yield sorted(line.strip() for line in block.splitlines() if line.startswith("CN"))

    ours, others = "CN = Client CA", "CN = Other CA"
    assert list(sent("plain")) == [[ours]] * 2
    assert list(sent("section")) == [[ours, others]] * 2
    if engine == "mod_tls-ssl":
        assert list(sent("file")) == [[others]] * 2
        assert list(sent("path")) == [[ours, others]] * 2


def test_an_empty_directory_of_names_stops_the_start(httpd, ca, clients):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""SSLVerifyClient require
SSLCACertificateFile {clients.pem(clients.ca, "client-ca")}
SSLCADNRequestPath @HOME@/names""")], engine="mod_tls-ssl", start=False)
    (server.home / "names").mkdir()
    assert f"{server.home}/names" in server.run("-t").stderr
    assert f"{server.home}/names" in server.start_fails()
