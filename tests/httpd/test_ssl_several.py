# SPDX-License-Identifier: Apache-2.0
"""Several certificates of one virtual host in SSL* words: which of them a client gets is what mod_ssl serves with the same files.

OpenSSL has one place for RSA, one for all elliptic curves and one for Ed25519; the last one of the configuration keeps it."""
import pytest
from harness.clients import s_client
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")
# Kinds of keys in the order of the configuration.
HOSTS = [
    ("rsa2048", "rsa3072"), ("rsa3072", "rsa2048"), ("rsa2048", "rsa2048"), ("p256", "p256"), ("p256", "p384"),
    ("p384", "p256"), ("p521", "p256", "p384"), ("ed25519", "ed25519"), ("ed25519", "p256"), ("p256", "ed25519"),
    ("rsa2048", "p256", "rsa3072"), ("p256", "rsa2048", "p384"), ("rsa2048", "ed25519", "p256", "rsa3072", "p384"),
    ("ed25519", "rsa2048"), ("p384", "rsa2048", "ed25519"),
]
# Of a client that takes keys of several kinds the order of its algorithms decides there, and here ECDSA goes before RSA; so
# each of these takes one kind.
ECDSA, RSA = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512", "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256"
CLIENTS = [
    ("-tls1_3", "-sigalgs", ECDSA), ("-tls1_3", "-sigalgs", RSA), ("-tls1_3", "-sigalgs", "ed25519"),
    ("-tls1_2", "-sigalgs", ECDSA), ("-tls1_2", "-sigalgs", RSA), ("-tls1_2", "-sigalgs", "ed25519"),
    ("-tls1_2", "-cipher", "aRSA"), ("-tls1_3", "-sigalgs", "ECDSA+SHA256"), ("-tls1_3", "-sigalgs", "ECDSA+SHA384"),
]


@pytest.fixture(scope="module")
def pairs(ca):
    return [[ca.issue(f"s{number}.test", kind=kind, index=place) for place, kind in enumerate(kinds)]
            for number, kinds in enumerate(HOSTS)]


@pytest.fixture(scope="module")
def servers(shared_httpd, pairs):
    hosts = [Vhost(f"s{number}.test", own) for number, own in enumerate(pairs)]
    return [shared_httpd(hosts, engine=engine, allow=(".*",)) for engine in ENGINES]


def served(server, number: int, own, hello) -> int | None:
    """The place in the configuration of the certificate that a client gets."""
    got = s_client(server.port, "-showcerts", *hello, name=f"s{number}.test")
    if not got.done:
        return None
    leaf = got.text[got.text.index("-----BEGIN CERTIFICATE-----"):].partition("-----END")[0]
    return next(place for place, pair in enumerate(own) if pair.certificate_pem().decode().startswith(leaf))


@pytest.mark.parametrize("number", range(len(HOSTS)), ids=["+".join(kinds) for kinds in HOSTS])
def test_the_same_one_is_served(servers, pairs, number):
    different = []
    for hello in CLIENTS:
        theirs, ours = (served(server, number, pairs[number], hello) for server in servers)
        if theirs != ours:
            different.append(f"{' '.join(hello)}: place {theirs} there, {ours} here")
    assert not different, "\n" + "\n".join(different)
