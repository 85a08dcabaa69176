# SPDX-License-Identifier: Apache-2.0
"""What SSL* words come to, asked of Debian's mod_ssl and of our module with the same configuration and the same clients."""
import itertools
import re

import pytest
from harness import tls
from harness.certs import Authority
from harness.clientauth import revocation_list
from harness.clients import s_client
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")
MODERN = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
# Words of virtual hosts. SSLCipherSuite is named where the default of the two differs on purpose (no CBC, no DHE here).
WORDS = [
    "SSLProtocol all", "SSLProtocol all -SSLv3", "SSLProtocol ALL -SSLV2 -SSLv3", "SSLProtocol -all +TLSv1.2", "SSLProtocol +TLSv1.2",
    "SSLProtocol TLSv1.2", "SSLProtocol TLSv1.3", "SSLProtocol TLSv1.2 TLSv1.3", "SSLProtocol TLSv1.2 +TLSv1.3",
    "SSLProtocol all -TLSv1.3", "SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1", "SSLProtocol -SSLv3 +TLSv1.2", "SSLProtocol all -TLSv1.2",
    "SSLProtocol all -TLSv1 -TLSv1.1 -TLSv1.2", "SSLProtocol +TLSv1.1 +TLSv1.2", "SSLProtocol TLSv1.1 +TLSv1.3", "SSLProtocol -all all -TLSv1.3",
    "SSLProtocol all\nSSLProtocol -all +TLSv1.3", "SSLOpenSSLConfCmd Protocol ALL,-TLSv1.2", "SSLOpenSSLConfCmd Protocol -ALL,TLSv1.2",
    "SSLOpenSSLConfCmd MinProtocol TLSv1.3", "SSLOpenSSLConfCmd MaxProtocol TLSv1.2", "SSLOpenSSLConfCmd MinProtocol TLSv1",
    "SSLProtocol TLSv1.3\nSSLOpenSSLConfCmd MinProtocol TLSv1.2",
    f"SSLCipherSuite {MODERN}", f"SSLCipherSuite {MODERN}\nSSLHonorCipherOrder on", "SSLCipherSuite ECDHE+AESGCM:ECDHE+CHACHA20",
    "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384\nSSLHonorCipherOrder on",
    "SSLCipherSuite SSL ECDHE-RSA-AES128-GCM-SHA256", "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256",
    "SSLCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384\nSSLHonorCipherOrder on",
    "SSLOpenSSLConfCmd CipherString ECDHE-ECDSA-AES256-GCM-SHA384", "SSLOpenSSLConfCmd Ciphersuites TLS_AES_256_GCM_SHA384",
    "SSLOpenSSLConfCmd Curves P-384", "SSLOpenSSLConfCmd Curves X25519:prime256v1:secp384r1", "SSLOpenSSLConfCmd Groups P-256:X25519",
    "SSLOpenSSLConfCmd Options ServerPreference\nSSLCipherSuite ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
    "SSLOpenSSLConfCmd ECDHParameters P-384",
]
# Words that mod_ssl takes from the address's first virtual host whatever the name asked for: each has an address of its own.
ALONE = re.compile(r"SSLOpenSSLConfCmd (MinProtocol|MaxProtocol|Curves|Groups|ECDHParameters|Options)")
HELLOS = [
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"),
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384", "-groups", "X25519:P-256"), ("-tls1_3",),
    ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256", "-groups", "P-384:P-256:X25519"),
]


@pytest.fixture(scope="module")
def servers(shared_httpd, ca):
    """Where the server's order counts there is one certificate: of two, this module shows ECDSA, mod_ssl asks the suites."""
    both = [ca.issue("x.test", kind="p256"), ca.issue("x.test", kind="rsa2048")]
    made = {}
    for engine in ENGINES:
        hosts = [Vhost(f"v{i}.test", both if "Order on" not in words else both[:1], extra=words,
                       address=f"*:@P{i}@" if ALONE.match(words) else "*:@TLS@") for i, words in enumerate(WORDS)]
        alone = [f"P{i}" for i, words in enumerate(WORDS) if ALONE.match(words)]
        made[engine] = shared_httpd(hosts, engine=engine, allow=(".*",), ports=("TLS", "PLAIN", *alone))
    return made


@pytest.mark.parametrize("index", range(len(WORDS)), ids=[words.replace("\n", " / ")[:70] for words in WORDS])
def test_the_same_is_negotiated(servers, index):
    def negotiated(engine, hello):
        ports = servers[engine].ports
        got = s_client(ports.get(f"P{index}", ports["TLS"]), *hello, name=f"v{index}.test")
        return (got.protocol, got.cipher, got.group) if got.done else None

    differences = [f"{' '.join(hello)}: {theirs} there, {ours} here" for hello in HELLOS
                   for theirs, ours in [[negotiated(engine, hello) for engine in ENGINES]] if theirs != ours]
    assert not differences, "\n" + "\n".join(differences)


# In what b.test may differ from a.test, whose connection asks for it.
POLICIES = ("strict", "secure", "authonly", "insecure")
TRAITS = {
    "nothing": "", "certificate": "", "protocol": "SSLProtocol all -TLSv1.3", "cipher": "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256",
    "cipher13": "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256", "order": "SSLHonorCipherOrder on",
    "verify": "SSLVerifyClient optional", "require": "SSLVerifyClient require", "depth": "SSLVerifyDepth 4", "ca": "SSLCACertificateFile @HOME@/other.pem",
    "names": "SSLCADNRequestFile @HOME@/other.pem", "crlcheck": "SSLCARevocationFile @HOME@/list.pem\nSSLCARevocationCheck leaf",
    "tickets": "SSLSessionTickets off", "strictsni": "SSLStrictSNIVHostCheck on", "compression": "SSLCompression off", "options": "SSLOptions +StdEnvVars",
    "curves": "SSLOpenSSLConfCmd Curves P-256", "sigalgs": "SSLOpenSSLConfCmd SignatureAlgorithms ECDSA+SHA256:RSA+SHA256",
    "clientsigalgs": "SSLOpenSSLConfCmd ClientSignatureAlgorithms ECDSA+SHA256", "proxy": "SSLProxyEngine on", "plain": None,
}


# Answers that are better here, each listed in the document for those who come from mod_ssl.
BETTER = {("authonly", "curves"): (421, 200),    # groups authenticate nobody
          ("insecure", "verify"): (403, 200)}    # an optional certificate that nobody sent; mod_ssl cannot ask for it any more


@pytest.fixture(scope="module", params=POLICIES)
def hosts(request, shared_httpd, ca):
    other = Authority("Other")
    made = {}
    for engine in ENGINES:
        server = shared_httpd([], engine=engine, start=False, allow=(".*",))
        ca.issue("shared.test").write(server.home / "certs", "shared")
        server.put("other.pem", other.pem())
        server.put("list.pem", revocation_list(other))
        server.put("some.pem", ca.pem())
        common = "SSLEngine on\nSSLCertificateFile certs/shared.crt\nSSLCertificateKeyFile certs/shared.key\nSSLCACertificateFile @HOME@/some.pem"
        vhosts = [Vhost("a.test", tls=False, extra=common)]
        for trait, words in TRAITS.items():
            if trait == "certificate":
                ca.issue("own.test").write(server.home / "certs", "own")
                words = "SSLCertificateFile certs/own.crt\nSSLCertificateKeyFile certs/own.key"
                extra = f"SSLEngine on\n{words}\nSSLCACertificateFile @HOME@/some.pem"
            else:
                extra = "SSLEngine off" if words is None else f"{common}\n{words}"
            vhosts.append(Vhost(f"{trait}.test", tls=False, extra=extra))
        server.write(vhosts, config=f"SSLVHostSNIPolicy {request.param}")
        made[engine] = server.start()
    made["policy"] = request.param
    return made


def status(server, sni: str | None, host: str) -> int:
    with tls.connect(server.port, sni, using=tls.context()) as connection:
        return tls.get(connection, host=host)[0]


def test_the_same_hosts_may_be_asked_for_on_a_connection(hosts):
    differences = []
    for trait, sni in itertools.product(TRAITS, ("a.test", None)):
        theirs, ours = (status(hosts[engine], sni, f"{trait}.test") for engine in ENGINES)
        if theirs != ours and BETTER.get((hosts["policy"], trait)) != (theirs, ours):
            differences.append(f"{trait}, SNI {sni}: {theirs} there, {ours} here")
    assert not differences, "\n" + "\n".join(differences)


# Lines that stop the start, in both modules.
WRONG = ["SSLProtocol", "SSLProtocol TLSv1.4", "SSLProtocol +SSLv2", "SSLProtocol -all", "SSLCipherSuite nonsense", "SSLCipherSuite TLSv1.3 nonsense",
         "SSLCipherSuite TLSv1.2 HIGH", "SSLCipherSuite", "SSLHonorCipherOrder maybe", "SSLEngine", "SSLEngine 1", "SSLVerifyClient 0",
         "SSLVerifyClient maybe", "SSLOptions +CompatEnvVars", "SSLOptions +StdEnvVar", "SSLOpenSSLConfCmd Nonsense x", "SSLOpenSSLConfCmd Curves nonsense",
         "SSLOpenSSLConfCmd MinProtocol TLSv7", "SSLOpenSSLConfCmd SignatureAlgorithms RSA+SHA257", "SSLOpenSSLConfCmd ClientSignatureAlgorithms nonsense", "SSLCARevocationCheck maybe", "SSLCARevocationCheck leaf maybe", "SSLSessionTickets maybe",
         "SSLCertificateFile /nowhere.pem", "SSLCertificateKeyFile /nowhere.pem", "SSLCertificateChainFile /nowhere.pem",
         "SSLCACertificateFile /nowhere.pem", "SSLCACertificatePath /nowhere", "SSLCARevocationFile /nowhere.pem", "SSLCADNRequestFile /nowhere.pem",
         "SSLProxyVerify maybe", "SSLProxyCheckPeerName maybe", "SSLUserName", "SSLStrictSNIVHostCheck maybe", "SSLUseStapling maybe",
         "SSLInsecureRenegotiation maybe", "SSLCompression maybe", "SSLSRPVerifierFile /nowhere", "SSLRequire %{ =="]


@pytest.mark.parametrize("words", WRONG)
def test_the_same_lines_are_errors(httpd, ca, words):
    inside = words if not words.startswith("SSLRequire") else f"<Location />\n{words}\n</Location>"
    for engine in ENGINES:
        server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=inside)], engine=engine, start=False)
        done = server.run("-t")
        name = words.split()[0]
        if engine == "mod_ssl" and done.returncode == 0:
            server.start_fails()  # found later
            continue
        assert done.returncode != 0, f"{engine} takes {words!r}"
        if engine == "mod_tls-ssl":
            said = [line for line in done.stderr.splitlines() if name in line or "/nowhere" in line]
            assert said, done.stderr
