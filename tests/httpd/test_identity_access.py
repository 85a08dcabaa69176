# SPDX-License-Identifier: Apache-2.0
"""Client certificates: who is let in, by virtual hosts and by sections, in both vocabularies, over h1 and h2."""
import pytest
from harness.clientauth import ENGINES, Clients, authority, options, revocation_list, verify
from harness.clients import curl, gnutls, s_client
from harness.config import Vhost
from harness.waiting import wait_until

VERSIONS = {"1.2": ("--tls-max", "1.2"), "1.3": ("--tlsv1.3",)}


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def vhost(ca, name: str, extra: str) -> Vhost:
    return Vhost(name, [ca.issue(name)], extra=extra)


def serve(httpd, ca, engine, clients, extra, *more, modules=("http2",), **form):
    client_ca = clients.pem(clients.ca, "client-ca")
    server = httpd([vhost(ca, "a.test", extra.replace("@CA@", str(client_ca))), *more], engine=engine, modules=modules,
                   config="Protocols h2 http/1.1\n" + form.pop("config", ""), **form)
    return server


def refused(server) -> None:
    server.log.allow("TLS040[23]")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("h2", [False, True])
def test_a_virtual_host_that_requires_a_certificate(httpd, ca, clients, engine, version, h2):
    server = serve(httpd, ca, engine, clients, verify(engine, "require") + "\n" + authority(engine, "@CA@"))
    refused(server)

    def status(*presented):
        return curl(server.port, "/", *VERSIONS[version], *presented, ca=ca.file, h2=h2).status

    assert status(*clients.good) == 200
    assert status() == 0
    assert status(*clients.stranger) == 0
    assert status(*clients.expired) == 0


def test_optional_certificates_must_verify(httpd, ca, clients, engine):
    server = serve(httpd, ca, engine, clients, verify(engine, "optional") + "\n" + authority(engine, "@CA@") +
                   '\nHeader always set X-Verify "%{SSL_CLIENT_VERIFY}s"')
    refused(server)
    assert curl(server.port, ca=ca.file).headers["x-verify"] == "NONE"
    assert curl(server.port, "/", *clients.good, ca=ca.file).headers["x-verify"] == "SUCCESS"
    assert curl(server.port, "/", *clients.stranger, ca=ca.file).status == 0


def test_anybody_may_come_with_a_certificate_of_any_kind(httpd, ca, clients, engine):
    server = serve(httpd, ca, engine, clients, verify(engine, "optional_no_ca") + "\n" + authority(engine, "@CA@") +
                   '\nHeader always set X-Verify "%{SSL_CLIENT_VERIFY}s"\nHeader always set X-Name "%{SSL_CLIENT_S_DN_CN}s"')
    refused(server)
    answer = curl(server.port, "/", *clients.stranger, ca=ca.file)
    assert answer.headers["x-verify"] == "FAILED:unable to verify the first certificate"
    assert answer.headers["x-name"] == "stranger"
    assert curl(server.port, "/", *clients.expired, ca=ca.file).status == 0


BASIC = ("auth_basic", "authn_core", "authn_file", "authz_user", "http2")
SECTIONS = """<Location /secure>
{require}
{authority}
</Location>
<Location /optional>
{optional}
{authority}
</Location>"""


def sections(engine):
    return SECTIONS.format(require=verify(engine, "require"), optional=verify(engine, "optional"),
                           authority=authority(engine, "@CA@"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("h2", [False, True])
def test_sections_enforce_what_they_ask_cve_2016_4979(httpd, ca, clients, engine, version, h2):
    server = serve(httpd, ca, engine, clients, sections(engine))
    for path in ("secure", "optional", "open"):
        server.put(f"docs/a.test/{path}", path)

    def status(path, *presented):
        return curl(server.port, path, *VERSIONS[version], *presented, ca=ca.file, h2=h2).status

    assert status("/open") == 200
    assert status("/optional") == 200
    assert status("/secure", *clients.good) == 200
    assert status("/optional", *clients.good) == 200
    assert status("/secure") == 403
    server.log.expect("TLS0514")
    assert status("/secure", *clients.stranger) == 403
    server.log.expect("TLS0517.*unable to get local issuer certificate")
    assert status("/secure", *clients.expired) == 403
    server.log.expect("TLS0517.*certificate has expired")
    assert status("/optional", *clients.stranger) == 403
    server.log.expect("TLS0517")
    assert status("/open", *clients.stranger) == 200


def test_the_start_says_which_section_makes_the_handshake_ask(httpd, ca, clients, engine):
    server = serve(httpd, ca, engine, clients, sections(engine), start=False)
    server.write(log_level="notice")
    server.start()
    line = 1 + server.conf.read_text().splitlines().index(verify(engine, "require"))
    [said] = [found for found in server.log.matching("TLS0503")][-1:]
    assert f"{server.conf}:{line})" in said.text and f"a.test:{server.port} is asked" in said.text


def test_no_authentication_after_the_handshake_cve_2019_0215(httpd, ca, clients, engine, tmp_path):
    """A client that offers post-handshake authentication gets no further than any other."""
    from harness import tls

    server = serve(httpd, ca, engine, clients, sections(engine))
    server.put("docs/a.test/secure", "secret")
    for offered in (False, True):
        context = tls.context(ca=ca.file, version="1.3")
        context.post_handshake_auth = offered
        with tls.connect(server.port, using=context) as connection:
            for _ in range(2):
                status, _, body = tls.get(connection, "/secure")
                assert (status, b"secret" in body) == (403, False)
                server.log.expect("TLS0514")


def test_sections_judge_by_their_own_authorities(httpd, ca, clients, engine):
    other = clients.pem(clients.other, "other-ca")
    server = serve(httpd, ca, engine, clients, f"""{verify(engine, "optional")}
{authority(engine, "@CA@")}
<Location /other>
{verify(engine, "require")}
{authority(engine, str(other))}
</Location>""")
    server.put("docs/a.test/other", "other")
    assert curl(server.port, "/", *clients.good, ca=ca.file).status == 200
    assert curl(server.port, "/other", *clients.stranger, ca=ca.file).status == 200
    assert curl(server.port, "/other", *clients.good, ca=ca.file).status == 403
    server.log.expect("TLS0517")
    assert curl(server.port, "/", *clients.stranger, ca=ca.file).status == 403
    server.log.expect("TLS0517")


def test_htaccess_files_are_denied_with_a_remedy(httpd, ca, clients, engine):
    server = serve(httpd, ca, engine, clients, '<Directory "@HOME@/docs">\nAllowOverride AuthConfig\n</Directory>')
    server.put("docs/a.test/sub/.htaccess", verify(engine, "require") + "\n")
    server.put("docs/a.test/sub/page", "secret")
    answer = curl(server.port, "/sub/page", *clients.good, ca=ca.file)
    assert (answer.status, b"secret" in answer.body) == (403, False)
    server.log.expect("TLS0515.*a.test")


@pytest.mark.parametrize("words", ["SSLRequire file('/etc/passwd') =~ /root/", "SSLRequire filesize('/etc/passwd') > 0"])
def test_expressions_of_htaccess_read_no_files_cve_2026_59797(httpd, ca, clients, words):
    server = serve(httpd, ca, "mod_tls-ssl", clients, '<Directory "@HOME@/docs">\nAllowOverride AuthConfig\n</Directory>')
    server.put("docs/a.test/sub/.htaccess", words + "\n")
    server.put("docs/a.test/sub/page", "secret")
    assert curl(server.port, "/sub/page", ca=ca.file).status == 500
    server.log.expect("Cannot parse expression")


def test_requirements(httpd, ca, clients):
    server = serve(httpd, ca, "mod_tls-ssl", clients, """SSLVerifyClient optional
SSLCACertificateFile @CA@
<Location /good>
SSLRequire %{SSL_CLIENT_S_DN_CN} eq "good" and %{SSL_PROTOCOL} ne "SSLv3"
</Location>
<Location /purpose>
SSLRequire "TLS Web Client Authentication" in PeerExtList("2.5.29.37")
</Location>
<Location /expr>
Require expr %{SSL_CLIENT_S_DN_CN} == 'good' && SSL('SSL_CLIENT_VERIFY') == 'SUCCESS'
</Location>
<Location /verified>
Require ssl-verify-client
</Location>
<Location /tls>
Require ssl
</Location>""")
    for path in ("good", "purpose", "expr", "verified", "tls"):
        server.put(f"docs/a.test/{path}", path)
        for h2 in (False, True):
            assert curl(server.port, f"/{path}", *clients.good, ca=ca.file, h2=h2).status == 200, path
            assert curl(server.port, f"/{path}", ca=ca.file, h2=h2).status == (200 if path == "tls" else 403), path
    server.log.allow("AH02229|AH01630|AH01626")


def test_plain_connections_need_tls_where_sections_say_so(httpd, ca, clients):
    server = serve(httpd, ca, "mod_tls-ssl", clients, "", Vhost("a.test", address="*:@PLAIN@", tls=False, extra="""
<Location />
SSLRequireSSL
</Location>
<Location /anyway>
AuthType Basic
AuthName users
AuthUserFile @HOME@/users
Require valid-user
Satisfy any
</Location>
<Location /anyway/strict>
SSLOptions +StrictRequire
</Location>"""), modules=(*BASIC, "access_compat"), start=False)
    server.put("users", "joe:xxj31ZMTZzkVA\n")
    server.put("docs/a.test/anyway/page", "page")
    server.put("docs/a.test/anyway/strict/page", "page")
    server.start()
    assert curl(server.plain_port, scheme="http").status == 403
    server.log.expect("AH02219.*SSL connection required")
    as_joe = ("-u", "joe:password")
    assert curl(server.plain_port, "/anyway/page", *as_joe, scheme="http").status == 200
    assert curl(server.plain_port, "/anyway/strict/page", *as_joe, scheme="http").status == 403
    server.log.expect("AH02219", 2)
    assert curl(server.port, ca=ca.file).status == 200


def test_certificates_as_basic_users(httpd, ca, clients, engine):
    server = serve(httpd, ca, engine, clients, f"""{verify(engine, "optional")}
{authority(engine, "@CA@")}
<Location />
{options(engine, "+FakeBasicAuth")}
AuthType Basic
AuthName clients
AuthBasicProvider file
AuthUserFile @HOME@/users
Require valid-user
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>""", modules=BASIC, start=False)
    server.put("users", "/CN=good:xxj31ZMTZzkVA\n")
    server.start()
    assert curl(server.port, "/", *clients.good, ca=ca.file).headers["x-user"] == "/CN=good"
    assert curl(server.port, ca=ca.file).status == 401
    assert curl(server.port, "/", "-u", "/CN=good:password", ca=ca.file).status == 403
    server.log.expect("FakeBasicAuth spoof")


def test_user_names_from_certificates(httpd, ca, clients, engine):
    word = "TLSUserName" if engine == "mod_tls" else "SSLUserName"
    server = serve(httpd, ca, engine, clients, f"""{verify(engine, "optional")}
{authority(engine, "@CA@")}
<Location />
{word} SSL_CLIENT_S_DN_CN
AuthType ClientCert
AuthName clients
Require user good
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>""", modules=BASIC)
    server.log.allow("AH02227")
    assert curl(server.port, "/", *clients.good, ca=ca.file).headers["x-user"] == "good"
    assert curl(server.port, ca=ca.file).status == 403


def test_user_names_stand_where_nobody_asks_for_a_user(httpd, ca, clients, engine):
    word = "TLSUserName" if engine == "mod_tls" else "SSLUserName"
    server = serve(httpd, ca, engine, clients, f"""{verify(engine, "optional")}
{authority(engine, "@CA@")}
<Location />
{word} SSL_CLIENT_S_DN_CN
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>""")
    server.log.allow("AH02227")
    assert curl(server.port, "/", *clients.good, ca=ca.file).headers["x-user"] == "good"
    assert curl(server.port, ca=ca.file).headers["x-user"] == ""


def test_revoked_clients_are_refused(httpd, ca, clients, engine, tmp_path):
    revoked = clients.ca.issue("revoked", client=True)
    presented = clients.write("revoked", revoked)
    lists = tmp_path / "crl.pem"
    words = (f"TLSClientCRL {lists}" if engine == "mod_tls" else
             f"SSLCARevocationFile {lists}\nSSLCARevocationCheck chain")
    lists.write_bytes(revocation_list(clients.ca, revoked.certificate))
    server = serve(httpd, ca, engine, clients, f'{verify(engine, "require")}\n{authority(engine, "@CA@")}\n{words}')
    refused(server)
    assert curl(server.port, "/", *clients.good, ca=ca.file).status == 200
    assert curl(server.port, "/", *presented, ca=ca.file).status == 0
    lists.write_bytes(revocation_list(clients.ca, days=-1))
    server.log.allow("TLS0502.*expired")
    server.restart()
    assert curl(server.port, "/", *clients.good, ca=ca.file).status == 0
    server.log.expect("CRL has expired")


def test_lists_are_read_again_when_they_change(httpd, ca, clients, engine):
    leaving = clients.ca.issue("leaving", client=True)
    presented = clients.write("leaving", leaving)
    words = ("TLSClientCRL @HOME@/crl.pem" if engine == "mod_tls" else
             "SSLCARevocationFile @HOME@/crl.pem\nSSLCARevocationCheck leaf")
    server = serve(httpd, ca, engine, clients, f'{verify(engine, "require")}\n{authority(engine, "@CA@")}\n{words}',
                   modules=(), start=False)
    lists = server.put("crl.pem", revocation_list(clients.ca))  # where children may look
    server.start()
    refused(server)

    def status(who):
        return curl(server.port, "/", *who, ca=ca.file).status

    assert status(presented) == 200
    lists.write_text("-----BEGIN X509 CRL-----\nbroken\n-----END X509 CRL-----\n")
    wait_until(lambda: status(presented) == 200 and server.log.matching("TLS0504"), "the broken list to be noticed")
    server.log.expect("TLS0504.*crl.pem")
    lists.write_bytes(revocation_list(clients.ca, leaving.certificate))
    wait_until(lambda: status(presented) == 0, "the new list to be used")
    assert status(clients.good) == 200


def test_a_broken_list_is_named_at_the_start(httpd, ca, clients, engine, tmp_path):
    lists = tmp_path / "crl.pem"
    lists.write_text("no list\n")
    words = f"TLSClientCRL {lists}" if engine == "mod_tls" else f"SSLCARevocationFile {lists}"
    server = serve(httpd, ca, engine, clients, f'{verify(engine, "require")}\n{authority(engine, "@CA@")}\n{words}',
                   start=False)
    for said in (server.run("-t").stderr, server.start_fails()):
        assert "TLS0501" in said and str(lists) in said and "revocation list" in said


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_other_mpms_and_clients(httpd, ca, clients, engine, mpm):
    """The rest of the clients, and the MPMs that wait for a handshake in the thread that runs it."""
    server = serve(httpd, ca, engine, clients, sections(engine), modules=(), mpm=mpm)
    server.put("docs/a.test/secure", "secret")
    crt, key = clients.good[1], clients.good[3]
    request = b"GET /secure HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    for version in ("-tls1_2", "-tls1_3"):
        got = s_client(server.port, version, "-cert", crt, "-key", key, "-quiet", "-ign_eof", send=request, ca=ca.file)
        assert "secret" in got.text
    assert b"secret" in gnutls(server.port, "--x509certfile", crt, "--x509keyfile", key, send=request, ca=ca.file).stdout
    assert curl(server.port, "/secure", ca=ca.file).status == 403
    server.log.expect("TLS0514")


def test_the_depth_is_counted_as_by_mod_ssl(httpd, ca, clients, tmp_path):
    middle = clients.ca.intermediate("Client Intermediate")
    presented = clients.write("deep", middle.issue("deep", client=True))
    for engine in ("mod_ssl", "mod_tls-ssl"):
        for depth, status in ((1, 0), (2, 200)):
            server = serve(httpd, ca, engine, clients,
                           f"SSLVerifyClient require\nSSLCACertificateFile @CA@\nSSLVerifyDepth {depth}")
            server.log.allow("TLS040[23]|AH02039|AH02040|AH02276|AH02008|SSL Library")
            assert curl(server.port, "/", *presented, "--tls-max", "1.2", ca=ca.file).status == status, (engine, depth)
            server.stop()
