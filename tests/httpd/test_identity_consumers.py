# SPDX-License-Identifier: Apache-2.0
"""Whoever answers a request and asks who the client is gets the verdict of the request's own section: every consumer, every kind
of client, over h1 and h2, in full handshakes and resumed by ticket and by cache."""
from itertools import product

import pytest
from harness import h2, third_party, tls
from harness.certs import Authority
from harness.clientauth import revocation_list
from harness.config import Vhost
from harness.waiting import wait_until

MODULES = ("http2", "socache_shmcb", "rewrite", "auth_basic", "authn_core", "authn_file", "authz_user", "proxy", "proxy_fcgi",
           "include", "actions")
CN = "SSL_CLIENT_S_DN_CN"


def said(text):
    return f'Header always set X-Said "{text}"'


# Consumer: its section, and what its log line says of a client that is proven, and of everybody else: status, user, X-Said.
BASIC = 'AuthType Basic\nAuthName x\nAuthUserFile @HOME@/users\nRequire valid-user'
CONSUMERS = {
    "user": (f'SSLUserName {CN}\n{said("expr=%{REMOTE_USER}")}', "200|admin|admin", "200|-|"),
    "fake": (f"SSLOptions +FakeBasicAuth\n{BASIC}", "200|/CN=admin|-", "401|-|-"),
    "cert": ("AuthType ClientCert\nAuthName x\nRequire valid-user", "200|CN=admin|-", "403|-|-"),
    "named": (f"SSLUserName {CN}\nAuthType ClientCert\nAuthName x\nRequire user admin", "200|admin|-", "403|-|-"),
    "verified": ("Require ssl-verify-client", "200|-|-", "403|-|-"),
    "requires": (f"Require expr %{{{CN}}} == 'admin'", "200|-|-", "403|-|-"),
    "function": (f"Require expr SSL('{CN}') == 'admin'", "200|-|-", "403|-|-"),
    "extension": ("Require expr 'TLS Web Client Authentication' in PeerExtList('2.5.29.37')", "200|-|-", "403|-|-"),
    "sslrequire": (f'SSLRequire %{{{CN}}} eq "admin"', "200|-|-", "403|-|-"),
    "if": (f"<If \"%{{{CN}}} == 'admin'\">\n{said('in')}\n</If>", "200|-|in", "200|-|-"),
    "environment": (f'SSLOptions +StdEnvVars +ExportCertData\n{said(f"%{{{CN}}}e")}\n'
                    'Header always set X-Cert "%{SSL_CLIENT_CERT}e"\n', "200|-|admin", "200|-|(null)"),
    "header": (said(f"%{{{CN}}}s"), "200|-|admin", "200|-|(null)"),
    "proxied": (f'RequestHeader set X-CN "%{{{CN}}}s"\n{said("expr=%{HTTP:X-CN}")}', "200|-|admin", "200|-|(null)"),
    "rewrite": (f'RewriteEngine on\nRewriteRule .* - [E=CN:%{{SSL:{CN}}}]\n{said("%{CN}e")}', "200|-|admin", "200|-|"),
    "asks": (f'SetHandler asks\n{said("expr=%{resp:X-Asked}")}', "200|-|=admin,=admin,=admin", "200|-|=,=,="),
}
VARIABLES = f"{CN}&@{CN}&~{CN}"


def path(consumer):
    return f"/{consumer}/page" + (f"?{VARIABLES}" if consumer == "asks" else "")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """All of them are called admin."""
    from datetime import timedelta

    from harness.certs import Pair, common_name, now

    directory = tmp_path_factory.mktemp("people")
    made = {}
    ours, others = Authority("Client CA"), Authority("Other CA")
    made["good"] = ours.issue("admin", client=True)
    made["other"] = others.issue("admin", client=True)
    made["expired"] = ours.issue("admin", client=True, start=now() - timedelta(days=9), end=now() - timedelta(days=1))
    made["revoked"] = ours.issue("admin", client=True)
    alone = Authority("admin")
    made["self-signed"] = Pair(alone.certificate, alone.key)
    assert alone.name == common_name("admin")
    files = {who: pair.write(directory, who) for who, pair in made.items()}
    files["none"] = None
    lists = revocation_list(ours, made["revoked"].certificate) + revocation_list(others)
    return files, {"ca.pem": ours.pem(), "other.pem": others.pem(), "lists.pem": lists}


def hosts(ca, sections, host_words, names=("tickets.test", "ids.test")):
    return [Vhost(name, [ca.issue(name)], extra=f"""SSLCACertificateFile @HOME@/ca.pem
SSLCARevocationFile @HOME@/lists.pem
SSLCARevocationCheck chain no_crl_for_cert_ok
SSLSessionTickets {"on" if name == "tickets.test" else "off"}
{host_words}
{sections}
""") for name in names]


def rows(consumers):
    return "\n".join(f"<Location /{name}>\n{words}\n</Location>" for name, (words, _, _) in consumers.items())


def serve(make, ca, people, engine, module, vhosts, **more):
    _, files = people
    server = make(vhosts, engine=engine, modules=MODULES, start=False, mpm="event", config=f"""
LoadModule asks_module {module}
SSLSessionCache shmcb:@HOME@/run/sessions(512000)
Protocols h2 http/1.1
H2Push off
CustomLog @HOME@/who.log "%U|%>s|%u|%{{X-Said}}o|%{{SSL_CLIENT_VERIFY}}x|%{{{CN}}}x|%{{subjectdn}}c|%{{X-Cert}}o"
""", allow=("AH01630", "AH01631", "AH0161[78]", "AH02229", "AH02227", "AH02039", "TLS051[47]", "AH01807"), **more)
    for name, content in files.items():
        server.put(name, content)
    server.put("users", "/CN=admin:xxj31ZMTZzkVA\n")
    return server


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return third_party.asks(tmp_path_factory.mktemp("module"))


@pytest.fixture(scope="module")
def server(shared_httpd, ca, people, module):
    """No word at the host; sections elsewhere have the handshake take everybody."""
    others = """<Location /other>
SSLVerifyClient require
SSLCACertificateFile @HOME@/other.pem
</Location>
<Location /any>
SSLVerifyClient optional_no_ca
</Location>"""
    made = serve(shared_httpd, ca, people, "mod_tls-ssl", module, hosts(ca, f"{others}\n{rows(CONSUMERS)}", ""))
    for host, consumer in product(("tickets.test", "ids.test"), (*CONSUMERS, "other", "any")):
        made.put(f"docs/{host}/{consumer}/page", "page")
    return made.start()


def visit(connection, name, consumers):
    """Asks for a page of each consumer."""
    if connection.selected_alpn_protocol() == "h2":
        for i, consumer in enumerate(consumers):
            h2.get(connection, path(consumer), name, 2 * i + 1)
    else:
        for consumer in consumers:
            tls.get(connection, path(consumer), name)


def lines_since(server, before, count):
    log = server.home / "who.log"
    found = wait_until(lambda: (all_ := log.read_text().splitlines()[before:]) and len(all_) >= count and all_, f"{count} lines")
    return {line.split("/")[1].split("|")[0].split("/")[0]: line.split("|", 1)[1] for line in found}


def count_lines(server):
    log = server.home / "who.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


VERDICTS = {"good": "SUCCESS", "none": "NONE", "other": "FAILED:unable to get local issuer certificate",
            "self-signed": "FAILED:self-signed certificate", "expired": "FAILED:certificate has expired",
            "revoked": "FAILED:certificate revoked"}


@pytest.mark.parametrize("who", VERDICTS)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_every_consumer_gets_the_verdict_of_its_section(server, people, ca, who, version):
    files, _ = people
    for name, protocol in product(["tickets.test", "ids.test"], ["http/1.1", "h2"]):
        context = tls.context(ca=ca.file, version=version, alpn=[protocol])
        if files[who]:
            context.load_cert_chain(*files[who])
        session, reused = None, []
        for _ in range(2):
            before = count_lines(server)
            with tls.connect(server.port, name, using=context, session=session) as connection:
                visit(connection, name, CONSUMERS)
                session = connection.session
                reused.append(connection.session_reused)
            got = lines_since(server, before, len(CONSUMERS))
            for consumer, (_, proven, otherwise) in CONSUMERS.items():
                row = got[consumer].split("|")
                status, user, words = row[:3]
                wanted = (proven if who == "good" else otherwise).split("|")
                assert [status, user, words] == wanted, (consumer, who, name, protocol, reused)
                assert row[3] == VERDICTS[who], (consumer, row)
                known = ["admin", "CN=admin"] if who == "good" else ["-", "-"]
                assert row[4:6] == known, (consumer, who, row)
                assert ("CERTIFICATE" in row[6]) == (who == "good" and consumer == "environment"), (consumer, row)
        assert reused == [False, True], (who, name, protocol)


def test_where_mod_ssl_can_judge_so_the_answers_are_its_own(httpd, ca, people, module):
    """One CA for all: clients that are proven, and none."""
    files, _ = people
    # AuthType ClientCert is ours alone.
    consumers = {name: row for name, row in CONSUMERS.items() if name not in ("cert", "named")}
    answers = {}
    for engine in ("mod_ssl", "mod_tls-ssl"):
        made = serve(httpd, ca, people, engine, module, hosts(ca, rows(consumers), "SSLVerifyClient optional", ("ids.test",)))
        for consumer in consumers:
            made.put(f"docs/ids.test/{consumer}/page", "page")
        made.start()
        for who, protocol in product(("good", "none"), ("http/1.1", "h2")):
            context = tls.context(ca=ca.file, version="1.3", alpn=[protocol])
            if files[who]:
                context.load_cert_chain(*files[who])
            before = count_lines(made)
            with tls.connect(made.port, "ids.test", using=context) as connection:
                visit(connection, "ids.test", consumers)
            answers[engine, who, protocol] = lines_since(made, before, len(consumers))
    for (engine, who, protocol), got in answers.items():
        if protocol == "h2":  # mod_ssl asks the stream, which has no certificate, in place of its connection
            got.pop("verified")
        assert got == answers["mod_ssl", who, protocol], (engine, who, protocol)
