# SPDX-License-Identifier: Apache-2.0
"""How many sessions a cache of shmcb holds: entries cost no more memory than mod_ssl's."""
import ssl
import struct

from harness.config import ONE_CHILD, Vhost
from harness.resumption import visit
from harness.tls import context, memory_pair
from harness.wire import connect

SIZE, SESSIONS = 65536, 500
WORDS = {"mod_tls": "TLSSessionTickets off\nTLSSessionCache", "mod_ssl": "SSLSessionTickets off\nSSLSessionCache"}


def offered_back(port: int, using: ssl.SSLContext, session: ssl.SSLSession) -> bool:
    """Whether the ServerHello takes the session. The handshake goes no further, so that no new session is stored."""
    incoming, outgoing = memory_pair()
    tls = using.wrap_bio(incoming, outgoing, server_hostname="a.test", session=session)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with connect(port) as connection:
        connection.sendall(outgoing.read())
        hello = b""
        while len(hello) < 44 or len(hello) < 44 + hello[43]:
            hello += connection.recv(4096)
    # RFC 5246 7.4.1.3: record and message headers, version and random stand before the session id.
    length = struct.unpack_from("B", hello, 43)[0]
    return hello[44:44 + length] == session.id


def test_a_cache_holds_as_many_sessions_as_with_mod_ssl(httpd, ca):
    pair, held = ca.issue("a.test", kind="p256"), {}
    for engine, words in WORDS.items():
        server = httpd([Vhost("a.test", [pair])], engine=engine, mpm_settings=ONE_CHILD,
                       config=f"{words} shmcb:@HOME@/run/sessions({SIZE})", modules=("socache_shmcb",))
        server.log.allow("TLS040[23]", "AH0")
        using = context(version="1.2")
        sessions = [visit(server.port, using)[1] for _ in range(SESSIONS)]
        held[engine] = sum(offered_back(server.port, using, session) for session in sessions)
    assert 0 < held["mod_ssl"] < SESSIONS, "the cache is full"
    assert held["mod_tls"] >= held["mod_ssl"], held
