# SPDX-License-Identifier: Apache-2.0
"""Resumption in mod_ssl's words."""
import pytest
from harness.caches import Redis, secret_file
from harness.config import Vhost
from harness.resumption import TWO_CHILDREN, resumed, visit
from harness.tls import context

VERSIONS = ("1.2", "1.3")
SECRET = bytes(range(48))


@pytest.fixture
def start(httpd, ca):
    def make(config: str, extra: str = "", modules=("socache_shmcb",), **options):
        pair = ca.issue("a.test", kind="p256")
        return httpd([Vhost("a.test", [pair], extra=f"ServerName a.test:443\n{extra}")], config=config,
                     engine="mod_tls-ssl", modules=modules, **options)
    return make


@pytest.mark.parametrize("version, keep", [("1.2", "first"), ("1.2", "newest"), ("1.3", "newest")])
def test_debians_configuration(start, ca, version, keep):
    # ssl.conf of Debian 12: the cache, and no tickets
    server = start("SSLSessionCache shmcb:@HOME@/run/ssl_scache(512000)\nSSLSessionCacheTimeout 300\n"
                   "SSLSessionTickets off\nMutex file:@HOME@/run ssl-cache", mpm_settings=TWO_CHILDREN)
    assert resumed(server.port, context(ca.file, version=version), 100, keep) == 100


@pytest.mark.parametrize("version", VERSIONS)
def test_defaults(start, ca, version):
    server = start("", modules=())
    using = context(ca.file, version=version)
    _, session = visit(server.port, using)
    assert session.ticket_lifetime_hint == 300
    assert visit(server.port, using, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_timeout(start, ca, version):
    _, session = visit(start("SSLSessionCacheTimeout 77", modules=()).port, context(ca.file, version=version))
    assert session.ticket_lifetime_hint == 77


@pytest.mark.parametrize("where", ["config", "extra"])
def test_ticket_key_file(start, ca, tmp_path, where):
    words = f"SSLSessionTicketKeyFile {secret_file(tmp_path, SECRET)}"
    here, there = (start(**{"config": "", "modules": (), where: words}) for _ in range(2))
    using = context(ca.file, version="1.3")
    _, session = visit(here.port, using)
    assert visit(there.port, using, session)[0]


def test_a_shared_cache_needs_a_shared_secret(start, ca, tmp_path):
    cache = Redis().start()
    try:
        words = f"SSLSessionCache redis:127.0.0.1:{cache.port}\nSSLSessionTickets off\n"
        server = start(words, modules=("socache_redis",), start=False)
        assert 'add "SSLSessionTicketKeyFile PATH" with the same file on each of them' in server.start_fails()
        words += f"SSLSessionTicketKeyFile {secret_file(tmp_path, SECRET)}"
        here, there = (start(words, modules=("socache_redis",)) for _ in range(2))
        using = context(ca.file, version="1.2")
        _, session = visit(here.port, using)
        assert visit(there.port, using, session)[0]
    finally:
        cache.end()


def test_a_second_secret_is_not_used(start, ca, tmp_path):
    (tmp_path / "other").mkdir()
    one, two = secret_file(tmp_path, SECRET), secret_file(tmp_path / "other", SECRET[::-1])
    server = start(f"SSLSessionTicketKeyFile {one}", f"SSLSessionTicketKeyFile {two}", modules=())
    [line] = server.log.expect("TLS0607")
    assert f"{two} is not used" in line.text and f"that is {one}" in line.text
