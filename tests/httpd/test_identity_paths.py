# SPDX-License-Identifier: Apache-2.0
"""Requests that come by odd ways: subrequests, internal redirects, other virtual hosts, and before sections are known. A verdict
goes no way along with them that their own section has not come to."""
import base64

import pytest
from harness import tls
from harness.clientauth import Clients
from harness.clients import curl
from harness.config import Vhost
from harness.https_backend import HttpsBackend

MODULES = ("http2", "rewrite", "include", "auth_basic", "authn_core", "authn_file", "authz_user", "dir", "proxy", "proxy_http")
BASIC = "AuthType Basic\nAuthName x\nAuthUserFile @HOME@/users\nRequire valid-user"
PRINT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv | grep SSL_CLIENT | sort\necho user=$REMOTE_USER\n"


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


def server_of(httpd, clients, vhosts, config="", **more):
    made = httpd(vhosts, engine="mod_tls-ssl", modules=(*MODULES, "cgid"), start=False, config=f"""ScriptSock @HOME@/run/cgid
Protocols h2 http/1.1
{config}""", allow=("AH0161[78]", "AH02035", "AH01630", "AH02227", "AH02039", "TLS051[478]", "TLS0114: .*users are to be named"), **more)
    made.put("ca.pem", clients.ca.pem())
    made.put("other.pem", clients.other.pem())
    made.put("users", "/CN=good:xxj31ZMTZzkVA\n/CN=stranger:xxj31ZMTZzkVA\njoe:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    made.put("print.sh", PRINT, mode=0o755)
    return made


@pytest.mark.parametrize("h2", [False, True])
def test_subrequests_and_redirects_take_no_verdict_along(httpd, ca, clients, h2):
    """/partner knows the other CA; a page of it includes, redirects to and is replaced by pages that do not."""
    server = server_of(httpd, clients, [Vhost("a.test", [ca.issue("a.test")], extra="""SSLCACertificateFile @HOME@/ca.pem
ScriptAlias /print @HOME@/print.sh
ScriptAlias /partner/print @HOME@/print.sh
ScriptAlias /fields @HOME@/print.sh
<Location /partner>
SSLVerifyClient require
SSLCACertificateFile @HOME@/other.pem
SSLOptions +StdEnvVars +ExportCertData
SSLUserName SSL_CLIENT_S_DN_CN
Options +Includes
ErrorDocument 404 /print
</Location>
<Location /fields>
SSLOptions +StdEnvVars
</Location>
<Files *.shtml>
SetOutputFilter INCLUDES
</Files>
<Directory "@HOME@/docs/a.test/partner/index">
DirectoryIndex index.txt
Header always set X-Said "%{SSL_CLIENT_S_DN_CN}e %{SSL_CLIENT_VERIFY}e"
</Directory>
<Location /partner/index/index.txt>
SSLVerifyClient none
SSLCACertificateFile @HOME@/ca.pem
</Location>
RewriteEngine on
RewriteRule ^/partner/moved /print [PT]
<Directory "@HOME@/docs/a.test/partner/inside">
RewriteEngine on
RewriteRule .* /print [L]
</Directory>
""")], log_level="warn authz_core:crit")
    for path, text in {"page.shtml": '<!--#include virtual="/print" -->', "fields.shtml": '<!--#include virtual="/fields" -->',
                       "own.shtml": '<!--#include virtual="/partner/print" -->', "index/index.txt": "x",
                       "inside/page": "x"}.items():
        server.put(f"docs/a.test/partner/{path}", text)
    server.start()

    def ask(path):
        return curl(server.port, path, *clients.stranger, ca=ca.file, h2=h2)

    assert "SSL_CLIENT_S_DN_CN=stranger" in ask("/partner/own.shtml").text
    for path in ("/partner/page.shtml", "/partner/fields.shtml", "/partner/missing", "/partner/moved", "/partner/inside/page"):
        # httpd itself tells whom the request before has proven to be.
        said = "\n".join(line for line in ask(path).text.splitlines() if not line.startswith(("REDIRECT_", "user=stranger")))
        assert "SSL_CLIENT" not in said or "fields" in path, (path, said)
        assert "stranger" not in said and "SUCCESS" not in said, (path, said)
        assert "CERTIFICATE" not in said, path
    assert "SSL_CLIENT_VERIFY=FAILED" in ask("/partner/fields.shtml").text
    assert ask("/partner/index/").headers["x-said"] == "(null) FAILED:unable to get local issuer certificate"


@pytest.mark.parametrize("policy", ["secure", "insecure"])
def test_another_virtual_host_judges_by_its_own_words(httpd, ca, clients, policy):
    """b.test asks nobody and is as a.test in all but its sections: what a section of a.test lets in is nobody there."""
    pair = ca.issue("a.test", "b.test")
    server = server_of(httpd, clients, [], config=f"SSLVHostSNIPolicy {policy}")
    crt, key = pair.write(server.home / "certs", "both")
    words = f"""SSLEngine on
SSLCertificateFile {crt}
SSLCertificateKeyFile {key}
SSLCACertificateFile @HOME@/ca.pem
SSLUserName SSL_CLIENT_S_DN_CN
Header always set X-Said "expr=%{{REMOTE_USER}} %{{SSL_CLIENT_VERIFY}} %{{SSL_CLIENT_S_DN_CN}}"
"""
    sections = """<Location /partner>
SSLVerifyClient require
SSLCACertificateFile @HOME@/other.pem
</Location>
<Location /any>
SSLVerifyClient optional_no_ca
</Location>"""
    third = words.replace("SSLCACertificateFile @HOME@/ca.pem\n", "")
    server.log.allow("TLS0202")
    server.write([Vhost("a.test", extra=words + sections), Vhost("b.test", extra=words), Vhost("c.test", extra=third)])
    server.start()
    for h2 in (False, True):
        def said(host, who):
            answer = curl(server.port, "/", "-H", f"Host: {host}", *who, ca=ca.file, h2=h2)
            return answer.headers.get("x-said", answer.status)

        nobody = "FAILED:unable to get local issuer certificate"
        assert said("a.test", clients.stranger) == nobody
        assert said("b.test", clients.stranger) == nobody
        assert said("b.test", clients.good) == "good SUCCESS good"
        if policy == "insecure":
            assert said("c.test", clients.good)== "FAILED:the CA certificates named here are not known"


def test_before_sections_are_known_the_virtual_host_speaks(httpd, ca, clients):
    """mod_rewrite of the server runs before directories are looked at."""
    server = server_of(httpd, clients, [Vhost("a.test", [ca.issue("a.test")], extra="""SSLCACertificateFile @HOME@/ca.pem
RewriteEngine on
RewriteRule .* - [E=EARLY:%{SSL:SSL_CLIENT_VERIFY}-%{SSL:SSL_CLIENT_S_DN_CN}]
Header always set X-Said "%{EARLY}e %{SSL_CLIENT_VERIFY}s"
<Directory "@HOME@/docs/a.test/partner">
SSLVerifyClient require
SSLCACertificateFile @HOME@/other.pem
</Directory>""")])
    server.put("docs/a.test/partner/page", "x")
    server.start()
    unknown = "FAILED:unable to get local issuer certificate"
    assert curl(server.port, "/partner/page", *clients.stranger, ca=ca.file).headers["x-said"] == f"{unknown}- SUCCESS"
    assert curl(server.port, "/partner/page", *clients.good, ca=ca.file).headers["x-said"] == f"SUCCESS-good {unknown}"


def basic(user, password):
    return "-H", "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def fakes(httpd, ca, clients, tmp_path):
    """FakeBasicAuth by one CA, by another, in a backend's stead, and behind redirects of open pages."""
    backend = HttpsBackend(ca.issue("backend.test"), tmp_path)
    try:
        server = server_of(httpd, clients, [Vhost("a.test", [ca.issue("a.test")], extra=f"""SSLCACertificateFile @HOME@/ca.pem
SSLVerifyClient optional_no_ca
SSLProxyEngine on
ProxyPass /backend https://127.0.0.1:{backend.port}/
ScriptAlias /print @HOME@/print.sh
RewriteEngine on
RewriteRule ^/elsewhere /fake/page [PT]
<Location /fake>
SSLOptions +FakeBasicAuth
{BASIC}
ErrorDocument 404 /partner/page
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
<Location /partner>
SSLVerifyClient none
SSLCACertificateFile @HOME@/other.pem
SSLOptions +FakeBasicAuth
{BASIC}
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
<Location /plain>
{BASIC}
Header always set X-User "expr=%{{REMOTE_USER}}"
</Location>
<Location /backend>
SSLOptions +FakeBasicAuth
</Location>
<Directory "@HOME@/docs/a.test/open">
RewriteEngine on
RewriteRule .* /fake/page [L]
</Directory>
""")], log_level="warn")
        server.log.allow("TLS0703")
        for path in ("fake", "partner", "plain", "open"):
            server.put(f"docs/a.test/{path}/page", "content")
        server.colon = clients.write("colon", clients.ca.issue("good:password", client=True))
        server.spoofing = clients.write("spoof", clients.other.issue("good", client=True))
        yield server.start()
    finally:
        backend.close()


@pytest.mark.parametrize("h2", [False, True])
def test_fake_basic_auth_has_no_way_round(fakes, ca, clients, h2):
    def ask(path, *options):
        answer = curl(fakes.port, path, *options, ca=ca.file, h2=h2)
        return answer.status, answer.headers.get("x-user", "")

    assert ask("/fake/page", *clients.good) == (200, "/CN=good")
    assert ask("/fake/page", *basic("joe", "secret")) == (200, "joe")
    assert ask("/fake/page", *clients.good, *basic("joe", "secret")) == (200, "/CN=good")
    # Whoever types a subject, with whatever password, by whichever way.
    for path in ("/fake/page", "/open/page", "/elsewhere", "/partner/page", "/plain/page", "/backend/"):
        for password in ("password", "password1", "password:x"):
            assert ask(path, *basic("/CN=good", password))[0] == 403, (path, password)
            assert ask(path, *clients.stranger, *basic("/CN=good", password))[0] == 403, (path, password)
    assert ask("/fake/page", *basic("/CN=good", "other"))[0] == 403
    # A colon would make a password of the client's own choice.
    assert ask("/fake/page", *fakes.colon)[0] == 403
    assert ask("/fake/page", *fakes.colon, *basic("joe", "secret"))[0] == 403
    fakes.log.expect("TLS0518.*good:password")
    # Neither another CA nor no CA at all is proof.
    assert ask("/fake/page", *fakes.spoofing)[0] == 401
    assert ask("/partner/page", *fakes.spoofing) == (200, "/CN=good")
    # What one section has made is not another's: /fake knows this client, /partner does not.
    missing = curl(fakes.port, "/fake/missing", *clients.good, ca=ca.file, h2=h2)
    assert missing.status == 404 and b"content" not in missing.body and "www-authenticate" in missing.headers
    assert ask("/partner/page", *clients.good)[0] == 401


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_client_cert_takes_proof_alone(httpd, ca, clients, engine):
    words = "TLS" if engine == "mod_tls" else "SSL"
    mode = "TLSClientCertificate any" if engine == "mod_tls" else "SSLVerifyClient optional_no_ca"
    authority = "TLSClientCA" if engine == "mod_tls" else "SSLCACertificateFile"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""{mode}
{authority} {clients.pem(clients.ca, "ca")}
<Location />
AuthType ClientCert
AuthName x
Require valid-user
</Location>
<Location /named>
{words}UserName SSL_CLIENT_S_DN_CN
</Location>
<Location /server>
{words}UserName SSL_SERVER_S_DN_CN
</Location>""")], engine=engine, modules=("http2", "authn_core", "authz_user"), config="Protocols h2 http/1.1",
                   allow=("AH02227",))
    for path in ("page", "named", "server"):
        server.put(f"docs/a.test/{path}", "content")
        for h2 in (False, True):
            status = [curl(server.port, f"/{path}", "--tlsv1.2", *most, *who, ca=ca.file, h2=h2).status
                      for most in ((), ("--tls-max", "1.2")) for who in (clients.good, clients.stranger, ())]
            assert status == [200, 403, 403] * 2, (path, h2)


def test_plain_connections_are_no_way_round_either(fakes):
    assert curl(fakes.plain_port, "/", *basic("/CN=good", "password1"), scheme="http").status == 403
    with tls.connect(fakes.port, using=tls.context()) as connection:
        assert tls.get(connection, "/fake/page", headers=(basic("/CN=good", "password")[1],))[0] == 403
