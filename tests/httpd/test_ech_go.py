# SPDX-License-Identifier: Apache-2.0
"""Encrypted ClientHello with Go's crypto/tls, an implementation of its own; the rest is in test_ech.py."""
import shutil

import pytest
from harness.config import Vhost
from harness.ech import SAYS, Go, keys_in_dns

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed (apt install golang-go, 1.24 or later)")
HIDDEN = ("secret.test", "other.test")


def hosts(ca) -> list[Vhost]:
    return [Vhost(name, [ca.issue(name, kind="p256")], extra=SAYS) for name in ("public.test", *HIDDEN)]


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    return Go(tmp_path_factory.mktemp("go"))


@pytest.mark.parametrize("groups", ["X25519MLKEM768", "X25519", "P-384"])
def test_names_are_hidden(httpd, ca, go, groups):
    server = httpd(hosts(ca), config=f'TLSGroups {groups}\nTLSECH public.test "@HOME@/ech"')
    keys = keys_in_dns(server)
    for name in HIDDEN:
        first, *rest = go.visits(server.port, name, keys, *(["p384"] if groups == "P-384" else []), count=3)
        kind = "retried" if groups == "P-384" else "full"
        assert (first.ech, first.kind, first.last) == ("accepted", kind, f"success|{name}|public.test|{name}"), first
        assert all((v.ech, v.kind, v.last) == ("accepted", "resumed", first.last) for v in rest), rest


def test_a_stale_key_is_replaced(httpd, ca, go):
    stale = keys_in_dns(httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"'))
    for groups, words in (("X25519", ()), ("P-384", ("p384",))):
        server = httpd(hosts(ca), config=f'TLSGroups {groups}\nTLSECH public.test "@HOME@/ech"', allow=("TLS040[234]",))
        refused, = go.visits(server.port, "secret.test", stale, *words)
        assert (refused.ech, refused.retry) == ("rejected", keys_in_dns(server))
        again, = go.visits(server.port, "secret.test", refused.retry, *words)
        assert again.last == "success|secret.test|public.test|secret.test", again


def test_clients_without_keys_are_served_as_ever(httpd, ca, go):
    server = httpd(hosts(ca), config='TLSECH public.test "@HOME@/ech"')
    plain, = go.visits(server.port, "secret.test", "-")
    assert (plain.ech, plain.last) == ("notoffered", "not attempted|NONE|NONE|secret.test")


def test_clients_show_their_certificates_inside(httpd, ca, go, tmp_path):
    extra = f'{SAYS[:-1]}|%{{SSL:SSL_CLIENT_S_DN_CN}}"\nTLSClientCertificate required\nTLSClientCA "{ca.file}"'
    hidden = Vhost("secret.test", [ca.issue("secret.test")], extra=extra)
    crt, key = ca.issue("somebody", client=True).write(tmp_path, "client")
    whole = tmp_path / "client.pem"
    whole.write_bytes(crt.read_bytes() + key.read_bytes())
    for groups, words in (("X25519", ()), ("P-384", ("p384",))):
        server = httpd([Vhost("public.test", [ca.issue("public.test")]), hidden], allow=("TLS040[234]",),
                       config=f'TLSGroups {groups}\nTLSECH public.test "@HOME@/ech"')
        keys = keys_in_dns(server)
        first, second = go.visits(server.port, "secret.test", keys, f"cert:{whole}", *words, count=2)
        assert first.last == second.last == "success|secret.test|public.test|secret.test|somebody", (first, second)
        assert second.kind == "resumed"
        without, = go.visits(server.port, "secret.test", keys, *words)
        assert without.ech == "failed" and "certificate required" in without.last, without
