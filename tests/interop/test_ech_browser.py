# SPDX-License-Identifier: Apache-2.0
"""Encrypted ClientHello with a browser, which finds the keys in HTTPS records as browsers do."""
import base64

import pytest
from harness import doh
from harness.browser import document
from harness.config import Vhost
from harness.ech import keys_in_dns

MODULES = ("include", "http2")
KEYS = 'TLSECH public.test "@HOME@/ech"'
PAGE = "".join(f'<p id="{name}"><!--#echo var="{name}" --></p>' for name in ("SSL_ECH_STATUS", "SSL_ECH_OUTER_SNI", "SSL_TLS_SNI"))


def server_with(httpd, ca, keys: str, groups: str = ""):
    extra = "TLSOptions +StdEnvVars"
    server = httpd([Vhost(name, [ca.issue(name)], extra=extra) for name in ("public.test", "secret.test")], modules=MODULES, start=False,
                   config=f"Protocols h2 http/1.1\nAddOutputFilter INCLUDES .html\nOptions +Includes\n{groups}\n{keys}",
                   allow=("TLS0402.*(ech_required|not loaded here|gave up)", "TLS0403"), log_level="info")
    server.put("docs/secret.test/index.html", f"<!DOCTYPE html><title>t</title>{PAGE}")
    return server.start()


def shown(httpd, ca, server, tmp_path, list_in_dns: str) -> tuple[list[str], list]:
    """What the page says of the connection that it came by: status, outer and inner name; and what DNS was asked."""
    record = doh.service("secret.test", ["h2", "http/1.1"], base64.b64decode(list_in_dns))
    records = {f"_{server.port}._https.secret.test": record}
    with doh.Resolver(ca.issue("127.0.0.1"), tmp_path, records) as resolver:
        page = document(f"https://secret.test:{server.port}/", ca.file, resolver=f"https://127.0.0.1:{resolver.port}/dns-query{{?dns}}")
        found = [page.partition(f'<p id="{name}">')[2].partition("</p>")[0] for name in ("SSL_ECH_STATUS", "SSL_ECH_OUTER_SNI", "SSL_TLS_SNI")]
        assert all(found), page
        return found, resolver.asked


@pytest.fixture
def foreign(httpd, ca) -> str:
    """A list of keys with the same public name, which another server has."""
    return keys_in_dns(server_with(httpd, ca, KEYS))


@pytest.mark.parametrize("groups", ["", "TLSGroups P-384"], ids=["at once", "after HelloRetryRequest"])
def test_the_key_in_dns_is_the_server_s(httpd, ca, tmp_path, groups):
    server = server_with(httpd, ca, KEYS, groups)
    found, asked = shown(httpd, ca, server, tmp_path, keys_in_dns(server))
    assert found == ["success", "public.test", "secret.test"], found
    assert (f"_{server.port}._https.secret.test", doh.HTTPS) in asked, asked


@pytest.mark.parametrize("groups", ["", "TLSGroups P-384"], ids=["at once", "after HelloRetryRequest"])
def test_an_old_key_in_dns_is_replaced_by_the_server_s_word(httpd, ca, tmp_path, foreign, groups):
    server = server_with(httpd, ca, KEYS, groups)
    found, _ = shown(httpd, ca, server, tmp_path, foreign)
    assert found == ["success", "public.test", "secret.test"], found
    server.log.expect("encrypted its hello for a key that is not loaded here")


def test_a_server_that_has_turned_it_off_is_reached_all_the_same(httpd, ca, tmp_path, foreign):
    """It answers for the public name and tells no keys, which a browser takes for its word to go on in the clear."""
    server = server_with(httpd, ca, "")
    found, _ = shown(httpd, ca, server, tmp_path, foreign)
    assert found[2] == "secret.test" and found[0] != "success", found


def test_a_name_without_keys_in_dns_is_asked_for_in_the_clear(httpd, ca, tmp_path):
    server = server_with(httpd, ca, KEYS)
    found, _ = shown(httpd, ca, server, tmp_path, "")
    assert found == ["grease", "secret.test", "secret.test"], found
