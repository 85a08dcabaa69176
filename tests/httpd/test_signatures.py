# SPDX-License-Identifier: Apache-2.0
"""What handshakes are signed with, and what clients may sign with: the same lists, asked of mod_ssl and of our module."""
import re

import pytest
from harness import tls
from harness.certs import Authority
from harness.clients import s_client
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")
LIST = "SSLOpenSSLConfCmd SignatureAlgorithms"
# Words of a virtual host and its kinds of keys.
HOSTS = [
    (f"{LIST} RSA-PSS+SHA256", ("p256", "rsa2048")),
    (f"{LIST} PSS+SHA384:rsa_pkcs1_sha256", ("p256", "rsa2048")),
    (f"{LIST} ECDSA+SHA256:RSA-PSS+SHA512:RSA+SHA256", ("p256", "rsa2048")),
    (f"{LIST} RSA-PSS+SHA384:ECDSA+SHA256\nSSLHonorCipherOrder on", ("p256", "rsa2048")),
    (f"{LIST} RSA+SHA384:RSA-PSS+SHA512:RSA-PSS+SHA256\nSSLHonorCipherOrder on", ("rsa2048",)),
    (f"{LIST} RSA+SHA384:RSA-PSS+SHA512:RSA-PSS+SHA256", ("rsa2048",)),
    (f"{LIST} RSA+SHA384:RSA+SHA256", ("rsa2048",)),
    (f"{LIST} ed25519:ECDSA+SHA384", ("p384", "ed25519")),
    (f"{LIST} ECDSA+SHA512", ("p521",)),
    (f"{LIST} RSA+SHA256\n{LIST} ECDSA+SHA256:ed448", ("p256", "rsa2048")),
    ("", ("p256",)),  # the list of the global scope
    ("SSLOpenSSLConfCmd ClientSignatureAlgorithms RSA+SHA256", ("p256", "rsa2048")),
]
GLOBAL = f"{LIST} ECDSA+SHA256:RSA-PSS+SHA256"
CLIENTS = [
    ("-tls1_3",), ("-tls1_2",), ("-tls1_2", "-cipher", "aRSA"), ("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA256"),
    ("-tls1_3", "-sigalgs", "ECDSA+SHA256:RSA-PSS+SHA256"), ("-tls1_2", "-sigalgs", "RSA+SHA256:RSA-PSS+SHA256:RSA-PSS+SHA512"),
    ("-tls1_2", "-sigalgs", "ECDSA+SHA256:ECDSA+SHA512:ed25519"), ("-tls1_3", "-sigalgs", "RSA-PSS+SHA512:RSA-PSS+SHA384:RSA+SHA384"),
]
# What clients are asked for. Algorithms that do not exist here are left out of the comparison.
ASKED = {
    "list.test": f"{LIST} ECDSA+SHA384:RSA-PSS+SHA256:RSA+SHA1:ed448:RSA+SHA256:ECDSA+SHA256",
    "own.test": f"{LIST} RSA-PSS+SHA256\nSSLOpenSSLConfCmd ClientSignatureAlgorithms ECDSA+SHA256:RSA-PSS+SHA384",
    "none.test": "",
}
ABSENT = {"RSA+SHA1", "ed448", "RSA+SHA224", "ECDSA+SHA1", "ECDSA+SHA224", "Ed448", "RSA-PSS-PSS"}


@pytest.fixture(scope="module")
def servers(shared_httpd, ca):
    kinds = {kind: ca.issue("x.test", kind=kind) for kind in ("p256", "p384", "p521", "ed25519", "rsa2048")}
    made = {}
    for engine in ENGINES:
        hosts = [Vhost(f"v{i}.test", [kinds[kind] for kind in keys], extra=words) for i, (words, keys) in enumerate(HOSTS)]
        verify = "SSLVerifyClient optional_no_ca\nSSLVerifyDepth 3"
        hosts += [Vhost(name, [kinds["p256"], kinds["rsa2048"]], extra=f"{verify}\n{words}") for name, words in ASKED.items()]
        made[engine] = shared_httpd(hosts, engine=engine, config=GLOBAL, allow=(".*",))
    return made


def negotiated(server, name, client):
    got = s_client(server.port, *client, name=name)
    digest = re.search(r"^Peer signing digest: (\S+)", got.text, re.M)
    return (got.protocol, got.signature, digest and digest[1]) if got.done else None


@pytest.mark.parametrize("index", range(len(HOSTS)), ids=[f"{words} {'+'.join(keys)}".replace("\n", " / ")[18:90] for words, keys in HOSTS])
def test_the_same_signs(servers, index):
    differences = []
    for client in CLIENTS:
        theirs, ours = (negotiated(servers[engine], f"v{index}.test", client) for engine in ENGINES)
        if theirs != ours:
            differences.append(f"{' '.join(client)}: {theirs} there, {ours} here")
    assert not differences, "\n" + "\n".join(differences)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name", ASKED)
def test_clients_are_asked_for_the_same(servers, name, version):
    asked = {}
    for engine in ENGINES:
        text = s_client(servers[engine].port, version, name=name).text
        found = re.search(r"^Requested Signature Algorithms: (\S+)", text, re.M)
        asked[engine] = [a for a in found[1].split(":") if a not in ABSENT]
    assert asked["mod_tls-ssl"] == asked["mod_ssl"]


# In our own words: list, keys -> what a client of TLS 1.3 sees that likes ECDSA best, and what one of TLS 1.2 without it.
OWN = [
    ("TLSSignatureAlgorithms rsa_pss_rsae_sha384 ecdsa_secp256r1_sha256", ("RSA-PSS", "SHA384"), ("RSA-PSS", "SHA384")),
    ("TLSSignatureAlgorithms rsa_pss_rsae_sha384:ecdsa_secp256r1_sha256\nTLSHonorClientOrder on", ("ECDSA", "SHA256"), ("RSA-PSS", "SHA384")),
    ("TLSSignatureAlgorithms ECDSA+SHA256:RSA+SHA256", ("ECDSA", "SHA256"), ("RSA", "SHA256")),
    ("TLSSignatureAlgorithms default", ("ECDSA", "SHA256"), ("RSA-PSS", "SHA512")),
    ("", ("RSA-PSS", "SHA256"), ("RSA-PSS", "SHA256")),  # the list of the global scope
]


@pytest.fixture(scope="module")
def own(shared_httpd, ca):
    names = [f"o{i}.test" for i in range(len(OWN))]
    pairs = [ca.issue(*names), ca.issue(*names, kind="rsa2048")]
    hosts = [Vhost(f"o{i}.test", pairs, extra=words) for i, (words, *_) in enumerate(OWN)]
    return shared_httpd(hosts, config="TLSSignatureAlgorithms RSA-PSS+SHA256", allow=("this certificate is never used",))


@pytest.mark.parametrize("index", range(len(OWN)))
def test_own_words(own, index):
    _, newest, older = OWN[index]
    assert negotiated(own, f"o{index}.test", ("-tls1_3",)) == ("TLSv1.3", *newest)
    rsa = ("-tls1_2", "-sigalgs", "RSA+SHA256:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512")
    assert negotiated(own, f"o{index}.test", rsa) == ("TLSv1.2", *older)


def test_nothing_in_common_is_a_handshake_failure_that_says_so(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSSignatureAlgorithms ECDSA+SHA256")])
    for version in ("-tls1_2", "-tls1_3"):
        got = s_client(server.port, version, "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256")
        assert not got.done and "alert handshake failure" in got.text
    server.log.expect("no cipher suite or signature algorithm in common with the client")


def test_clients_sign_as_they_are_asked(httpd, ca):
    clients = Authority("Clients")
    words = "TLSClientCertificate required\nTLSClientCA @HOME@/ca.pem\nTLSClientSignatureAlgorithms RSA-PSS+SHA384"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], start=False)
    server.put("ca.pem", clients.pem())
    server.start()
    rsa = clients.issue("rsa", kind="rsa2048", client=True).write(server.home, "rsa")
    ecdsa = clients.issue("ecdsa", client=True).write(server.home, "ecdsa")
    for version in ("1.2", "1.3"):
        context = tls.context(ca.file, version=version)
        context.load_cert_chain(*rsa)
        with tls.connect(server.port, using=context) as connection:
            assert tls.get(connection)[0] == 200
        # In TLS 1.3 the refusal comes after the client's handshake is done: without -ign_eof it might be gone by then.
        text = s_client(server.port, f"-tls{version.replace('.', '_')}", "-ign_eof", "-cert", str(ecdsa[0]), "-key", str(ecdsa[1])).text
        assert "Requested Signature Algorithms: RSA-PSS+SHA384\n" in text and "alert" in text
    server.log.expect("the client sent no certificate")


def place(server, text: str) -> str:
    lines = server.conf.read_text().splitlines()
    return f"{server.conf}:{next(i for i, line in enumerate(lines, 1) if text in line)}"


@pytest.mark.parametrize("engine,words", [("mod_tls", "TLSSignatureAlgorithms"), ("mod_tls-ssl", LIST)])
@pytest.mark.parametrize("isolation", ["on", "off"])
def test_a_list_that_fits_no_key_stops_the_start(httpd, ca, engine, words, isolation):
    server = httpd([Vhost("a.test", [ca.issue("a.test"), ca.issue("a.test", kind="ed25519")], extra=f"{words} RSA-PSS+SHA256:RSA+SHA256")],
                   engine=engine, start=False, config=f"TLSKeyIsolation {isolation}")
    for said in (server.run("-t").stderr, server.start_fails()):
        for kind, advice in (("ECDSA P-256", "ecdsa_secp256r1_sha256"), ("Ed25519", "ed25519")):
            assert f"its key ({kind}) signs with none of the algorithms that are allowed here, so that no client could be served; " \
                   f"allow {advice}, or name" in said
        assert place(server, words) in said


def test_what_only_some_are_shut_out_by_is_a_warning(httpd, ca):
    both = [ca.issue("a.test", "b.test"), ca.issue("a.test", "b.test", kind="rsa2048")]
    server = httpd([Vhost("a.test", both, extra="TLSSignatureAlgorithms ECDSA+SHA256"),
                    Vhost("b.test", both[1:], extra="TLSSignatureAlgorithms RSA+SHA256")])
    server.log.expect("a.test-1.crt: its key .RSA-2048. signs with none .*this certificate is never used, allow rsa_pss_rsae_sha256")
    server.log.expect("b.test-0.crt: none of the algorithms .* exists in TLS 1.3, .*allow rsa_pss_rsae_sha256, or leave TLS 1.3 out")
    assert negotiated(server, "b.test", ("-tls1_2",)) == ("TLSv1.2", "RSA", "SHA256")


def test_a_renewed_key_must_fit_the_list(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSSignatureAlgorithms ECDSA+SHA256")], config="TLSReload 1")
    ca.issue("a.test", kind="rsa2048").write(server.home / "certs", "a.test-0")
    server.log.expect("TLS0802.*signs with none of the algorithms that are allowed here, so that no client could be served")
    assert negotiated(server, "a.test", ("-tls1_3",)) == ("TLSv1.3", "ECDSA", "SHA256")


def test_sessions_do_not_cross_lists(httpd, ca):
    """Resumption is bound to the policy: what another list made is no session here."""
    pair = ca.issue("a.test")
    server = httpd([Vhost("a.test", [pair], extra="TLSSignatureAlgorithms ECDSA+SHA256")])
    context = tls.context(version="1.2")
    with tls.connect(server.port, using=context) as first:
        session = first.session
        assert tls.get(first)[0] == 200
    with tls.connect(server.port, using=context, session=session) as again:
        assert again.session_reused
    server.write([Vhost("a.test", [pair], extra="TLSSignatureAlgorithms ECDSA+SHA256:ed25519")])
    server.graceful()
    with tls.connect(server.port, using=context, session=session) as other:
        assert not other.session_reused and tls.get(other)[0] == 200


def test_the_dumps_name_the_lists(httpd, ca):
    words = f"SSLVerifyClient optional_no_ca\n{LIST} ECDSA+SHA256:ed448\nSSLOpenSSLConfCmd ClientSignatureAlgorithms RSA+SHA256:PSS+SHA256"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine="mod_tls-ssl", start=False)
    dump = " ".join(server.run("-t", "-D", "DUMP_TLS").stdout.split())
    assert f"signature algorithms ecdsa_secp256r1_sha256 ({place(server, f'{LIST} ECDSA')})" in dump
    assert f"clients sign with rsa_pkcs1_sha256:rsa_pss_rsae_sha256 ({place(server, 'ClientSig')})" in dump
    listed = server.run("-t", "-D", "DUMP_TLS_MIGRATION").stdout
    assert f"{place(server, f'{LIST} ECDSA')}: SSLOpenSSLConfCmd: signature algorithms left out, because they do not exist here: ed448" in listed
