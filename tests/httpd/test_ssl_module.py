# SPDX-License-Identifier: Apache-2.0
"""Loaded as ssl_module: everything that knows mod_ssl by name finds it, and its directives stand where mod_ssl's stand."""
import re
from pathlib import Path

import pytest
from harness.clients import curl
from harness.config import Vhost
from harness.paths import mod_tls_so

DOCUMENT = Path(__file__).parents[2] / "docs/directives.md"
# Where a word may stand, as `apache2 -L` says it: in files, and in .htaccess under which AllowOverride.
PLACES = re.compile(r"^(SSL\w+) \(mod_ssl\.c\)\n\t(?!No word;).*\n\t(Allowed in .*)(?:\n\t(when AllowOverride.*))?", re.M)


# What httpd's trunk has, and its stable branch has not.
TRUNK = {"SSLECHKeyDir", "SSLClientCertHeader", "SSLPostQuantum", "SSLProxyPostQuantum", "SSLTrustedProxy"}


def places(server) -> dict[str, tuple[str, str]]:
    listed = server.run("-L")
    assert listed.returncode == 0, listed.stderr
    return {name: (allowed, override) for name, allowed, override in PLACES.findall(listed.stdout)}


def test_every_directive_of_mod_ssl_stands_where_mod_ssl_has_it(httpd):
    theirs = places(httpd([], engine="mod_ssl", start=False))
    ours = places(httpd([], engine="mod_tls-ssl", start=False))
    assert len(theirs) == 74
    assert {name: ours.get(name) for name in theirs} == theirs
    assert set(ours) == set(theirs) | TRUNK


def test_the_document_gives_an_answer_for_every_directive_of_mod_ssl(httpd):
    answers = dict(re.findall(r"^\| `(SSL\w+)[^|]*(?:\\\|[^|]*)*` \|(?:[^|]|\\\|)*\|(?:[^|]|\\\|)*\| (\w+) \|", DOCUMENT.read_text(), re.M))
    theirs = places(httpd([], engine="mod_ssl", start=False))
    assert set(answers) == set(theirs) | TRUNK
    assert set(answers.values()) <= {"works", "notice", "error"}
    restricting = {"SSLVerifyClient", "SSLVerifyDepth", "SSLRequire", "SSLRequireSSL", "SSLCARevocationCheck", "SSLOCSPEnable",
                   "SSLStrictSNIVHostCheck", "SSLVHostSNIPolicy", "SSLProtocol", "SSLCipherSuite", "SSLFIPS", "SSLUserName",
                   "SSLProxyVerify", "SSLProxyVerifyDepth", "SSLProxyCARevocationCheck", "SSLProxyCheckPeerName",
                   "SSLProxyCheckPeerCN", "SSLProxyCheckPeerExpire", "SSLSRPVerifierFile", "SSLOptions"}
    assert {name for name in restricting if answers[name] == "notice"} == set()


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    named = """<IfModule mod_ssl.c>
Header always set X-By-File yes
</IfModule>
<IfModule ssl_module>
Header always set X-By-Symbol yes
</IfModule>
<IfModule !mod_ssl.c>
Header always set X-Absent yes
</IfModule>
<IfDirective SSLEngine>
Header always set X-By-Directive yes
</IfDirective>"""
    mutexes = "\n".join(f"Mutex file:@HOME@/run {name}" for name in ("ssl-cache", "ssl-stapling", "ssl-stapling-refresh"))
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")])], engine="mod_tls-ssl",
                        config=named + "\n" + mutexes, log_level="warn ssl:debug")


def test_configurations_find_it_by_all_its_names(server, ca):
    headers = curl(server.port, ca=ca.file).headers
    assert [headers.get(f"x-by-{by}") for by in ("file", "symbol", "directive")] == ["yes"] * 3
    assert "x-absent" not in headers
    assert "ssl_module (shared)" in server.run("-M").stdout
    assert "mod_ssl.c" in server.run("-L").stdout


def test_its_log_level_is_the_one_of_ssl(server, ca):
    """LogLevel ssl:debug shows what is below the server's level, under the name that mod_ssl's lines have."""
    assert curl(server.port, scheme="http").status == 400
    server.log.expect(r"\[ssl:info\].*HTTP spoken on HTTPS port")
    assert not [line for line in server.log.lines() if line.module == "tls"]


def test_certificates_are_listed_as_by_mod_ssl(server):
    done = server.run("-t", "-D", "DUMP_CERTS")
    files = re.findall(r"^  (\S+)$", done.stdout, re.M)
    assert done.stdout.startswith("Server certificates:\n"), done
    assert sorted(files) == [f"{server.home}/certs/{name}.test-0.crt" for name in "ab"]


def test_the_same_list_as_mod_ssl_prints(httpd, ca):
    hosts = [Vhost("a.test", [ca.issue("a.test", kind="rsa2048"), ca.issue("a.test")]), Vhost("b.test", [ca.issue("b.test")])]

    def listed(engine):
        server = httpd(hosts, engine=engine, start=False)
        return server.run("-t", "-D", "DUMP_CERTS").stdout.replace(str(server.home), "")

    assert listed("mod_tls-ssl") == listed("mod_ssl")


def test_an_unknown_mutex_is_still_an_error(httpd):
    server = httpd([], engine="mod_tls-ssl", config="Mutex file:@HOME@/run ssl-nonsense", start=False)
    assert "ssl-nonsense" in server.run("-t").stderr


def test_access_files_may_do_what_allow_override_says(httpd, ca):
    """SSLRequireSSL and SSLRequire need AuthConfig, SSLOptions needs Options, SSLProtocol never stands there."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra='<Directory "@HOME@/docs/a.test">\nAllowOverride @OVERRIDE@\n</Directory>')],
                   engine="mod_tls-ssl", start=False)
    hosts = server.vhosts

    def status(override: str, words: str) -> int:
        server.put("docs/a.test/.htaccess", words + "\n")
        if override != status.override:
            hosts[0].extra = re.sub(r"AllowOverride .*", f"AllowOverride {override}", hosts[0].extra)
            server.write(hosts)
            server.restart() if server.running() else server.start()
            status.override = override
        answer = curl(server.port, ca=ca.file).status
        server.log.allow("AH00526|not allowed here|SSL requirement")
        return answer

    status.override = ""
    for words in ("SSLRequireSSL", "SSLRequire %{HTTPS} == \"on\"", "SSLVerifyDepth 2", "SSLUserName SSL_CIPHER"):
        assert (status("AuthConfig", words), words) == (200, words)
    assert status("AuthConfig", 'SSLRequire %{SSL_CIPHER} == "none"') == 403
    for words in ("SSLOptions +StdEnvVars", "SSLProtocol all", "SSLEngine off", "SSLProxyEngine on"):
        assert (status("AuthConfig", words), words) == (500, words)
    assert status("Options", "SSLOptions +StdEnvVars") == 200
    assert status("Options", "SSLRequireSSL") == 500


def test_both_modules_beside_each_other_are_one_engine(httpd, ca):
    """The same object may be loaded under both names; a second ssl_module is skipped, as httpd always does."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine="mod_tls-ssl",
                   config=f"LoadModule tls_module {mod_tls_so()}\nLoadModule ssl_module /nowhere/mod_ssl.so")
    server.log.allow("AH01574")
    assert curl(server.port, ca=ca.file).status == 200


def test_differences_of_a_tree_for_mod_ssl_are_listed_without_touching_it(httpd, ca):
    """The configuration still loads mod_ssl; ours comes first by -C, so that its own line is skipped."""
    words = "SSLProtocol all -SSLv3\nSSLCryptoDevice nonsense\nSSLCipherSuite HIGH:!aNULL\nSSLRandomSeed startup builtin"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLUseStapling on\nSSLProxyEngine on\nSSLProxyProtocol all")],
                   engine="mod_ssl", config=words, start=False)
    before = server.conf.read_text()
    done = server.run("-t", "-D", "DUMP_TLS_MIGRATION", "-C", f"LoadModule ssl_module {mod_tls_so()}")
    listed = re.findall(rf"^{server.conf}:(\d+): (?:stops the start: )?(\w+): ", done.stdout, re.M)
    lines = before.splitlines()
    assert {word for _, word in listed} >= {"SSLProtocol", "SSLCryptoDevice", "SSLCipherSuite", "SSLRandomSeed", "SSLProxyProtocol"}
    assert all(lines[int(number) - 1].startswith(word) for number, word in listed), done.stdout
    assert ": stops the start: SSLCryptoDevice: engines are not supported" in done.stdout
    assert server.conf.read_text() == before and "AH01574" in done.stderr
