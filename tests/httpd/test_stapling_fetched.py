# SPDX-License-Identifier: Apache-2.0
"""OCSP responses that are fetched from responders and stapled, without mod_md."""
import re

import pytest
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.responder import BYTES, CONTENTS, Responder
from harness.waiting import wait_until

LOCAL = "TLSFetchLocal on"


@pytest.fixture(scope="module")
def responder(ca):
    made = Responder(ca.intermediate("An authority that answers"))
    yield made
    made.end()


def stapled(server, name: str, *options: str) -> str:
    """What openssl finds stapled: "good", "revoked", or nothing."""
    text = s_client(server.port, "-status", *options, name=name).text
    found = re.search(r"Cert Status: (\w+)", text)
    return found[1] if found else ""


def wait_for_staple(server, name: str) -> None:
    wait_until(lambda: stapled(server, name) == "good", f"a response about {name}", 30)


@pytest.mark.parametrize("engine", ["mod_tls", "mod_tls-ssl"])
def test_a_response_is_fetched_and_stapled(httpd, ca, responder, engine, tmp_path):
    pair = responder.issue("a.test")
    extra = "SSLUseStapling on" if engine == "mod_tls-ssl" else ""
    server = httpd([Vhost("a.test", [pair], extra=extra)], engine=engine,
                   config=f"{LOCAL}\n" + ("SSLStaplingCache shmcb:@HOME@/x(32768)" if extra else ""))
    wait_for_staple(server, "a.test")
    assert stapled(server, "a.test", "-tls1_2") == "good"
    (tmp_path / "ca.pem").write_bytes(ca.pem())
    answer = curl(server.port, "/", "--cert-status", ca=tmp_path / "ca.pem")
    assert answer.status == 200, answer.stderr
    assert "OCSP response" not in s_client(server.port).text, "only to those who ask"
    server.graceful()
    assert stapled(server, "a.test") == "good", "there from the first handshake on"
    assert responder.count(pair) == 1


def test_what_clients_would_not_believe_is_never_stapled(httpd, ca, responder):
    hows = [how for how in (*CONTENTS, *BYTES, "try_later", "redirect_loop", "silent", "huge", "huge_headers", "drip")
            if how not in ("good", "delegate", "endless", "short", "wrong_nonce", "no_nonce", "old")]
    pairs = {f"{how.replace('_', '-')}.test": responder.issue(f"{how.replace('_', '-')}.test", how) for how in hows}
    pairs |= {"good.test": responder.issue("good.test"), "delegate.test": responder.issue("delegate.test", "delegate")}
    server = httpd([Vhost(name, [pair]) for name, pair in pairs.items()], config=LOCAL, allow=("TLS0814", "TLS0817"))
    wait_for_staple(server, "good.test")
    wait_for_staple(server, "delegate.test")
    wait_until(lambda: all(responder.count(pair) for pair in pairs.values()), "every question", 60)
    for name in pairs.keys() - {"good.test", "delegate.test"}:
        assert stapled(server, name) == "", name


def test_certificates_without_a_responder_are_one_notice(httpd, ca, responder):
    below = responder.authority
    hosts = [Vhost(f"{letter}.test", [below.issue(f"{letter}.test")]) for letter in "abc"]
    before = list(responder.asked)
    server = httpd(hosts, engine="mod_tls-ssl", config="SSLUseStapling on\nSSLStaplingCache shmcb:@HOME@/x(32768)",
                   log_level="notice")
    (line,) = server.log.expect("TLS0812")
    assert re.search(r"for [abc]\.test \(as 2 others\) names no OCSP responder", line.text if hasattr(line, "text") else str(line))
    assert stapled(server, "a.test") == "" and responder.asked == before


def test_each_word_of_stapling_does_as_in_mod_ssl(httpd, ca, responder):
    url = responder.url
    table = {
        "on": ("SSLUseStapling on", "good", True),
        "off": ("SSLUseStapling off", "good", False),
        "forced": (f"SSLUseStapling on\nSSLStaplingForceURL {url}", "good", False),
        "elsewhere": ("SSLUseStapling on\nSSLStaplingForceURL http://127.0.0.1:1/\nSSLStaplingFakeTryLater off\n"
                      "SSLStaplingReturnResponderErrors off", "good", True),
        "age": ("SSLUseStapling on\nSSLStaplingResponseMaxAge 7200\nSSLStaplingReturnResponderErrors off", "old", True),
        "skew": ("SSLUseStapling on\nSSLStaplingResponseTimeSkew 300", "good", True),
        "timeout": ("SSLUseStapling on\nSSLStaplingResponderTimeout 1\nSSLStaplingFakeTryLater off\n"
                    "SSLStaplingReturnResponderErrors off", "silent", True),
        "errors": ("SSLUseStapling on\nSSLStaplingReturnResponderErrors off\nSSLStaplingFakeTryLater off", "try_later", True),
        "caches": ("SSLUseStapling on\nSSLStaplingStandardCacheTimeout 60\nSSLStaplingErrorCacheTimeout 5", "good", True),
    }
    pairs = {name: responder.issue(f"{name}.test", how, named=named) for name, (_, how, named) in table.items()}
    expected = {"on", "forced", "skew", "caches"}
    for engine in ("mod_ssl", "mod_tls-ssl"):
        made = [Vhost(f"{name}.test", [pairs[name]], extra=words) for name, (words, _, _) in table.items()]
        server = httpd(made, engine=engine, allow=(r"AH\d+", "TLS0"),
                       config=f"SSLStaplingCache shmcb:@HOME@/x(65536)\n{LOCAL if engine == 'mod_tls-ssl' else ''}")
        for name in expected:
            wait_for_staple(server, f"{name}.test")
        got = {name for name in table if stapled(server, f"{name}.test") == "good"}
        assert got == expected, engine
        server.stop()
