# SPDX-License-Identifier: Apache-2.0
"""Mistakes that would show with the first request, or never: each is told under -t and at a start, and its remedy works."""
import re

import pytest
from harness.config import Vhost
from harness.mistakes import Mistake, told_and_put_right

PROXY = ("proxy", "proxy_http", "rewrite")
TO_BACKEND = r'TLS0114: virtual host a\.test:\d+: {} names https://127\.0\.0\.1:1/, but TLS to backends is off here, .*write "{} on" beside it \(@CONF@:\d+\)'
RSA = "SSLCertificateFile @HOME@/rsa.pem\nSSLProtocol TLSv1.2"
MUTUAL = "SSLVerifyClient require\nSSLCACertificateFile @HOME@/ca.pem"

MISTAKES = {
    "backend without TLS": Mistake("mod_tls", "ProxyPass /x https://127.0.0.1:1/", "TLSProxyEngine on\nProxyPass /x https://127.0.0.1:1/",
                                   TO_BACKEND.format("ProxyPass", "TLSProxyEngine"), modules=PROXY),
    "backend without TLS, SSL words": Mistake("mod_tls-ssl", 'RewriteEngine on\nRewriteRule ^/x https://127.0.0.1:1/ [L,P]',
                                              "SSLProxyEngine on\nRewriteEngine on\nRewriteRule ^/x https://127.0.0.1:1/ [L,P]",
                                              TO_BACKEND.format("RewriteRule", "SSLProxyEngine"), modules=PROXY),
    "variable of a log": Mistake("mod_tls", 'CustomLog @HOME@/x.log "%h %{SSL_CIPHER_SUITE}x"', 'CustomLog @HOME@/x.log "%h %{SSL_CIPHER}x"',
                                 r'TLS0124: virtual host a\.test:\d+: there is no variable "SSL_CIPHER_SUITE", .*\(@CONF@:\d+\)',
                                 modules=PROXY),
    "variable of a field": Mistake("mod_tls-ssl", "RequestHeader set X-DN %{SSL_CLIENT_DN}s", "RequestHeader set X-DN %{SSL_CLIENT_S_DN}s",
                                   'TLS0124: .*"SSL_CLIENT_DN"'),
    "variable of an expression": Mistake("mod_tls-ssl", '<Location /x>\nRequire expr "%{SSL_CLIENT_CN} == \'x\'"\n</Location>',
                                         '<Location /x>\nRequire expr "%{SSL_CLIENT_S_DN_CN} == \'x\'"\n</Location>', 'TLS0124: .*"SSL_CLIENT_CN"'),
    "suites of other keys": Mistake("mod_tls-ssl", f"{RSA}\nSSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256",
                                    f"{RSA}\nSSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256",
                                    r"TLS0201: .*its key \(RSA-2048\) fits none of the cipher suites.*nobody could connect, since TLS 1\.3 is off; "
                                    r"allow ECDHE-RSA-AES128-GCM-SHA256, .*@CONF@:\d+\)", stops=True, own_certificate=False),
    "lists of nobody": Mistake("mod_tls-ssl", f"{MUTUAL}\nSSLCARevocationFile @HOME@/list.pem",
                               f"{MUTUAL}\nSSLCARevocationFile @HOME@/list.pem\nSSLCARevocationCheck chain",
                               "TLS0114: .*revocation lists are named, but nobody looks into them"),
    "user of nobody": Mistake("mod_tls", "<Location /x>\nTLSUserName SSL_CLIENT_S_DN_CN\n</Location>",
                              "TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\n<Location /x>\nTLSUserName SSL_CLIENT_S_DN_CN\n</Location>",
                              "TLS0114: .*users are to be named by clients' certificates, but nobody is asked"),
    "FakeBasicAuth of nobody": Mistake("mod_tls-ssl", "<Location /x>\nSSLOptions +FakeBasicAuth\n</Location>",
                                       f"{MUTUAL}\n<Location /x>\nSSLOptions +FakeBasicAuth\n</Location>",
                                       "TLS0114: .*users are to be named by clients' certificates, but nobody is asked"),
    "verified clients of nobody": Mistake("mod_tls-ssl", "<Location /x>\nRequire ssl-verify-client\n</Location>",
                                          f"{MUTUAL}\n<Location /x>\nRequire ssl-verify-client\n</Location>",
                                          'TLS0114: .*Require ssl-verify-client lets nobody in, .*write "SSLVerifyClient optional"'),
    "HTTP to the port of HTTPS": Mistake("mod_tls", "ProxyPass /x http://127.0.0.1:443/", "ProxyPass /x http://127.0.0.1/",
                                         "TLS0114: .*ProxyPass sends plain HTTP to http://127.0.0.1:443/, the port of HTTPS", modules=PROXY),
    "backend of a handler": Mistake("mod_tls", "<Location /x>\nSetHandler proxy:https://127.0.0.1:1/\n</Location>",
                                    "TLSProxyEngine on\n<Location /x>\nSetHandler proxy:https://127.0.0.1:1/\n</Location>",
                                    TO_BACKEND.format("SetHandler", "TLSProxyEngine"), modules=PROXY),
    "backend that nobody verifies": Mistake("mod_tls-ssl", "SSLProxyEngine on\nProxyPass /x https://127.0.0.1:1/",
                                            "SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile @HOME@/ca.pem\n"
                                            "ProxyPass /x https://127.0.0.1:1/",
                                            r"TLS0703: backends are trusted without verifying their certificates: https://127\.0\.0\.1:1/", modules=PROXY),
    "a suite that is misspelled": Mistake("mod_tls-ssl", "SSLCipherSuite HIGH:ECDHE-RSA-AES128-GCM-SHA265", "SSLCipherSuite HIGH:ECDHE-RSA-AES128-GCM-SHA256",
                                          r'TLS0110: SSLCipherSuite: "ECDHE-RSA-AES128-GCM-SHA265" names no suite and is left out; did you mean '
                                          r'"ECDHE-RSA-AES128-GCM-SHA256"\? \(@CONF@:\d+\)'),
    "list as a CA": Mistake("mod_tls", "TLSClientCertificate required\nTLSClientCA @HOME@/list.pem",
                            "TLSClientCertificate required\nTLSClientCA @HOME@/ca.pem",
                            r'TLS0501: .*@HOME@/list\.pem: holds no certificate, but "X509 CRL"; name a file with certificates of CAs here', stops=True),
    "CA as a list": Mistake("mod_tls-ssl", f"{MUTUAL}\nSSLCARevocationCheck chain\nSSLCARevocationFile @HOME@/ca.pem",
                            f"{MUTUAL}\nSSLCARevocationCheck chain\nSSLCARevocationFile @HOME@/list.pem",
                            'TLS0501: .*holds no revocation list, but "CERTIFICATE"; name the CA\'s revocation list here', stops=True),
    "file as a directory": Mistake("mod_tls-ssl", "SSLVerifyClient require\nSSLCACertificatePath @HOME@/ca.pem", MUTUAL,
                                   r"TLS0501: .*@HOME@/ca\.pem: is a file, where a directory is to be: name it by the word that ends with File",
                                   stops=True),
    "a server's certificate as a CA": Mistake("mod_tls-ssl", "SSLVerifyClient require\nSSLCACertificateFile @HOME@/extra/b.crt", MUTUAL,
                                              "TLS0502: .*is no CA's and did not sign itself: list the one of the CA that issued it"),
    "everybody as a proxy": Mistake("mod_tls", "TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSTrustedProxy 0.0.0.0/0",
                                    "TLSClientCertificate optional\nTLSClientCA @HOME@/ca.pem\nTLSTrustedProxy 127.0.0.1",
                                    'TLSTrustedProxy: "0.0.0.0/0" would take everybody\'s word', stops=True),
    "a word of mod_ssl's with TLS before it": Mistake("mod_tls", "TLSVerifyClient none", "TLSClientCertificate none",
                                                      "TLSVerifyClient: there is no such word; write TLSClientCertificate", stops=True),
    "a word that is half known": Mistake("mod_tls-ssl", "SSLProtocols TLSv1.3", "SSLProtocol TLSv1.3",
                                         "SSLProtocols: there is no such word; write SSLProtocol", stops=True),
    "a secret that is not there": Mistake("mod_tls-ssl", "SSLSessionTicketKeyFile @HOME@/missing", "",
                                          r'TLS0601: .*missing: No such file or directory; check the path, or make one with "openssl rand -out FILE 80"',
                                          globally=True, stops=True),
    "a variable that is not defined": Mistake("mod_tls", "TLSCertificate ${CERTIFICATES}/a.crt", "", r"TLS0201: .*the variable in its name is not defined",
                                              stops=True),
    "the home of a shell": Mistake("mod_tls", "TLSCertificate ~/a.crt", "", "TLS0201: .*~ is no home directory here", stops=True),
    "two names in one": Mistake("mod_tls", 'TLSCertificate "/a.crt /a.key"', "", "TLS0201: .*two names in one pair of quotation marks", stops=True),
    "a backslash": Mistake("mod_tls", r"TLSCertificate C:\a.crt", "", r"TLS0201: .*write / in the place of \\", stops=True),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_and_its_remedy_works(httpd, ca, name):
    told_and_put_right(httpd, ca, MISTAKES[name])


GOOD = {  # what looks like a mistake, and is none
    "TLS to backends in a section": ("mod_tls-ssl", "<Proxy https://127.0.0.1:1/>\nSSLProxyEngine on\nSSLProxyVerify require\n"
                                     "SSLProxyCACertificateFile @HOME@/ca.pem\n</Proxy>\nProxyPass /x https://127.0.0.1:1/"),
    "a redirection": ("mod_tls", "RewriteEngine on\nRewriteRule ^/x https://127.0.0.1:1/ [L,R=302]\nProxyPassReverse /y https://127.0.0.1:1/"),
    "variables": ("mod_tls-ssl", 'CustomLog @HOME@/x.log "%{SSL_PROTOCOL}x %{SSL_CLIENT_SAN_DNS_0}x %{SSL_CLIENT_S_DN_OU_1_RAW}x %{ssl_cipher}x %{SSL_MINE}e"\n'
                  "SetEnv SSL_OWN 1\nHeader set X %{SSL_OWN}s\nHeader set Y %{SSL_CLIENT_CERT_CHAIN_0}s"),
    "a user whom no certificate names": ("mod_tls", "<Location /x>\nTLSUserName SSL_TLS_SNI\n</Location>"),
    "FakeBasicAuth that is off": ("mod_tls-ssl", "SSLOptions +StdEnvVars -FakeBasicAuth"),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_said_of_what_is_right(httpd, ca, name):
    engine, words = GOOD[name]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine=engine, modules=PROXY, start=False)
    server.put("ca.pem", ca.pem())
    said = server.run("-t")
    assert said.returncode == 0 and not re.search(":(warn|error|emerg)", said.stderr), said.stderr


def test_a_backend_of_all_virtual_hosts_has_tls_where_one_of_them_has(httpd, ca):
    """What stands outside of virtual hosts is inherited."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], modules=PROXY, config="ProxyPass /x https://127.0.0.1:1/", start=False)
    assert "TLS to backends is off here" in server.run("-t").stderr
    server.write([Vhost("a.test", [ca.issue("a.test")], extra="TLSProxyEngine on\nTLSProxyCA @HOME@/ca.pem")])
    server.put("ca.pem", ca.pem())
    assert "TLS to backends is off here" not in server.run("-t").stderr


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_a_file_without_a_key_is_not_told_to_be_an_open_one(httpd, ca, engine):
    """That it holds none is the fault; that of others it can be read is none."""
    word = "TLSCertificate" if engine == "mod_tls" else "SSLEngine on\nSSLCertificateFile"
    server = httpd([Vhost("a.test", tls=False, extra=f"{word} @HOME@/a.crt")], engine=engine, start=False)
    file = server.put("a.crt", ca.issue("a.test").certificate_pem(), 0o644)
    said = server.run("-t").stderr
    assert f"{file} holds a certificate but no private key" in said and "TLS0114" not in said, said


def test_one_port_of_two_modules(httpd, ca):
    words = "SSLEngine on\nSSLCertificateFile @HOME@/a.pem"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], modules=("ssl",), start=False)
    server.put("a.pem", ca.issue("a.test").combined_pem())
    told = re.search(r"TLS0113: .*SSLEngine turns TLS on by mod_ssl where TLSEngine turns it on .*nobody could connect; [^\n]*", server.run("-t").stderr)
    assert told and told[0] in server.start_fails()
    server.write([Vhost("a.test", [ca.issue("a.test")])])
    assert server.run("-t").returncode == 0


def test_a_virtual_host_beside_one_with_tls(httpd, ca):
    """mod_ssl serves it by the certificate of the first; so it is done here, and said."""
    from harness.clients import curl

    hosts = [Vhost("a.test", [ca.issue("a.test")]), Vhost("b.test", tls=False)]
    for engine in ("mod_ssl", "mod_tls-ssl"):
        server = httpd(hosts, engine=engine, allow=("AH0", "TLS0114"))
        for name, status in (("a.test", 200), ("b.test", 200)):
            assert curl(server.port, "/", "-k", name=name).status == status, engine
        server.stop()
    assert re.search(r"TLS0114: .*b\.test:\d+: has no TLS of its own: .*a\.test:\d+ \(\S+:\d+\), which speaks TLS", server.run("-t").stderr)


def test_a_file_that_is_included_twice(httpd, ca):
    server = httpd([], start=False, config="Include @HOME@/site.conf\nInclude @HOME@/site.conf")
    crt, key = ca.issue("a.test").write(server.home / "certs", "a")
    server.put("site.conf", f"<VirtualHost *:{server.port}>\nServerName a.test\nTLSCertificate {crt} {key}\n</VirtualHost>\n")
    told = rf"TLS0114: .*is read twice from this line, .*take out one Include.*\({server.home}/site\.conf:1\)"
    assert re.search(told, server.run("-t").stderr)
    server.write(config="Include @HOME@/site.conf")
    assert "TLS0114" not in server.run("-t").stderr


def test_a_chain_of_another_certificate_is_told_once_and_of_its_own_file(httpd, ca):
    below = ca.intermediate("Right CA")
    pair = below.issue("a.test")
    pair.chain = []
    server = httpd([Vhost("a.test", [pair], extra="SSLCertificateChainFile @HOME@/chain.pem")], engine="mod_tls-ssl", start=False)
    file = server.put("chain.pem", ca.intermediate("Wrong CA").pem())
    line = next(n for n, text in enumerate(server.written().splitlines(), 1) if "ChainFile" in text)
    said = [text for text in server.run("-t").stderr.splitlines() if "TLS0202" in text]
    assert len(said) == 1 and re.search(rf"{file}: certificate 2 \(Wrong CA\) issued none of those before it.*{server.conf}:{line}\)", said[0]), said
    file.write_bytes(below.pem())
    assert "TLS0202" not in server.run("-t").stderr


def test_a_virtual_host_for_mod_ssl_alone_is_not_read(httpd, ca):
    """Debian's default-ssl.conf has such a section."""
    server = httpd([], start=False)
    crt, key = ca.issue("a.test").write(server.home / "certs", "a")
    site = f"<VirtualHost *:{server.port}>\nServerName a.test\nTLSCertificate {crt} {key}\n</VirtualHost>"
    server.write(config=f"<IfModule mod_ssl.c>\n{site}\n</IfModule>")
    assert re.search(r"TLS0204: .*main server.*in <IfModule mod_ssl\.c> is not read, write <IfModule tls_module>", server.run("-t").stderr)
    server.write(config=f"<IfModule tls_module>\n{site}\n</IfModule>")
    assert server.run("-t").returncode == 0
