# SPDX-License-Identifier: Apache-2.0
"""SNI and Host always choose alike: generated configurations, httpd's own choice is the oracle.

Each virtual host answers on a TLS port and on a plain one; the plain port says which one httpd takes for a Host header,
the certificate says which one SNI took."""
import random

import pytest
from cryptography import x509
from harness import tls
from harness.clients import curl
from harness.config import Vhost

LABELS = ("a", "b", "www", "x")
DOMAINS = ("one.test", "two.test", "sub.one.test")


def random_name(rng: random.Random) -> str:
    return f"{rng.choice(LABELS)}.{rng.choice(DOMAINS)}" if rng.random() < 0.7 else rng.choice(DOMAINS)


def random_alias(rng: random.Random) -> str:
    shape = rng.random()
    if shape < 0.35:
        return f"*.{rng.choice(DOMAINS)}"
    if shape < 0.5:
        return random_name(rng).replace("w", "?", 1).replace("a.", "?.", 1)
    if shape < 0.6:
        return f"{rng.choice(LABELS)}*.{rng.choice(DOMAINS)}"
    name = random_name(rng)
    return name.upper() if rng.random() < 0.3 else name


def configuration(rng: random.Random, ca, count: int) -> list[Vhost]:
    vhosts = []
    for number in range(count):
        aliases = tuple(random_alias(rng) for _ in range(rng.randrange(4)))
        vhosts.append(Vhost(random_name(rng), [ca.issue(f"host{number}")], aliases, "*:@TLS@ *:@PLAIN@",
                            f"TLSStrictSNI off\nHeader always set X-Number host{number}"))
    return vhosts


def by_host(server, name: str) -> str:
    return curl(server.plain_port, "/", "-H", f"Host: {name}", scheme="http").headers["x-number"]


def by_sni(server, name: str) -> str:
    with tls.connect(server.port, name) as connection:
        certificate = x509.load_der_x509_certificate(connection.getpeercert(True))
        return certificate.subject.rfc4514_string().removeprefix("CN=")


@pytest.mark.parametrize("seed", range(12))
def test_sni_and_host_choose_alike(httpd, ca, seed):
    rng = random.Random(seed)
    server = httpd(configuration(rng, ca, rng.randrange(2, 9)), allow=("TLS0202: .* covers", "TLS0114: .* of a virtual host before it"))
    for name in {random_name(rng) for _ in range(16)} | {"unknown.test", "q.one.test", "deep.www.two.test"}:
        assert by_sni(server, name) == by_host(server, name), f"{name}\n{server.conf.read_text()}"
