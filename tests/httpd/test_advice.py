# SPDX-License-Identifier: Apache-2.0
"""A client or a backend is refused: the line says whose certificate or list it is about, and what it advises lets them in."""
import re

import pytest
from harness.certs import Authority, Pair
from harness.clientauth import Clients, authority, revocation_list, verify
from harness.clients import curl
from harness.config import Vhost
from harness.waiting import wait_until

LISTS = {"mod_tls": ("TLSClientCRL", "TLSClientCRLCheck"), "mod_tls-ssl": ("SSLCARevocationFile", "SSLCARevocationCheck")}
DEPTH = {"mod_tls": "TLSClientDepth", "mod_tls-ssl": "SSLVerifyDepth"}
CLIENTS_ASKED = ("AH02039", "AH02008", "TLS0502")


class Site:
    """A virtual host that asks for client certificates, or a section of one, and one client."""

    def __init__(self, httpd, ca, engine, directory, in_section):
        self.people, self.engine, self.in_section, self.root = Clients(directory), engine, in_section, ca
        self.trusted = self.people.pem(self.people.ca, "trusted")
        self.pair = ca.issue("a.test")
        self.words: list[str] = []
        self.presented = self.people.good
        self.server = httpd([], engine=engine, start=False, allow=CLIENTS_ASKED)
        self.list = self.server.home / "list.pem"

    def write(self):
        asking = [verify(self.engine, "require"), authority(self.engine, str(self.trusted))]
        text = "\n".join(["<Location />", *asking, "</Location>"] if self.in_section else asking)
        self.server.write([Vhost("a.test", [self.pair], extra="\n".join([text, *self.words]))])

    def look_up(self, depth="leaf"):
        file, check = LISTS[self.engine]
        self.words += [f"{file} {self.list}", f"{check} {depth}"]

    def is_let_in(self):
        return curl(self.server.port, "/", *self.presented, ca=self.root.file).status == 200

    def refused(self):
        """The advice of the line about a client that is refused."""
        self.write()
        self.server.start()
        assert not self.is_let_in()
        [line] = self.server.log.expect("TLS0517" if self.in_section else "TLS0402")
        return line.raw.rpartition("). ")[2]


def no_list(site):
    site.look_up()
    site.list.write_bytes(revocation_list(site.people.other))
    yield r'There is no list of "CN=Client CA": add it to TLSClientCRL \(SSLCARevocationFile\)'
    site.list.write_bytes(site.list.read_bytes() + revocation_list(site.people.ca))


def old_list(site):
    site.look_up()
    site.list.write_bytes(revocation_list(site.people.ca, days=-3))
    yield rf'The list of "CN=Client CA" in {site.list} ended on \d{{4}}-\d\d-\d\d [0-9:]+ UTC, 3 days ago: put its next one there'
    site.list.write_bytes(revocation_list(site.people.ca))


def namesake(site):
    """The list is of another CA of the same name."""
    site.look_up()
    site.list.write_bytes(revocation_list(Authority("Client CA")))
    yield 'There is no list of "CN=Client CA"'
    site.list.write_bytes(revocation_list(site.people.ca))


def revoked(site):
    site.look_up()
    pair = site.people.ca.issue("revoked", client=True)
    site.presented = site.people.write("revoked", pair)
    site.list.write_bytes(revocation_list(site.people.ca, pair.certificate))
    yield rf'"CN=Client CA" has withdrawn it in {site.list}: the client needs a new one'
    site.presented = site.people.good


def stranger(site):
    site.presented = site.people.stranger
    yield "Accepted are certificates of the authorities in TLSClientCA"
    site.trusted.write_bytes(site.trusted.read_bytes() + site.people.other.pem())


def self_signed(site):
    own = Authority("own")
    pair = Pair(own.certificate, own.key)
    site.presented = site.people.write("own", pair)
    yield "To trust this certificate itself, add it to TLSClientCA"
    site.trusted.write_bytes(site.trusted.read_bytes() + pair.certificate_pem())


def expired(site):
    site.presented = site.people.expired
    yield r'That of "CN=expired" ended on \d{4}-\d\d-\d\d [0-9:]+ UTC, a day ago: the client needs a new one'
    site.presented = site.people.good


def too_long(site):
    below = site.people.ca.intermediate("Below").intermediate("Deeper")
    pair = below.issue("deep", client=True)
    site.presented = site.people.write("deep", pair)
    site.words = [f"{DEPTH[site.engine]} 1"]
    yield "TLSClientDepth .SSLVerifyDepth. says how many"
    site.words = [f"{DEPTH[site.engine]} 3"]


def purpose(site):
    site.presented = site.people.write("server", site.people.ca.issue("server"))
    yield "It may not be used for this .extended key usage.: the client needs one that was issued for clientAuth"
    site.presented = site.people.good


CASES = {f.__name__: f for f in (no_list, old_list, namesake, revoked, stranger, self_signed, expired, too_long, purpose)}


@pytest.mark.parametrize("in_section", [False, True], ids=["handshake", "section"])
@pytest.mark.parametrize("engine", LISTS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_advised_lets_the_client_in(httpd, ca, tmp_path, case, engine, in_section):
    site = Site(httpd, ca, engine, tmp_path, in_section)
    steps = CASES[case](site)
    wanted = next(steps)
    said = site.refused()
    assert re.match(wanted, said), said
    next(steps, None)
    site.write()
    site.server.graceful()
    wait_until(site.is_let_in, "what was advised to help")


@pytest.mark.parametrize("engine", LISTS)
def test_a_new_list_counts_without_a_restart_where_user_may_read_it(httpd, ca, tmp_path, engine):
    site = Site(httpd, ca, engine, tmp_path, False)
    steps = old_list(site)
    next(steps)
    assert "it counts within seconds where User may read the file" in site.refused()
    next(steps, None)
    wait_until(site.is_let_in, "the new list to count")
    site.server.log.expect("TLS0506")


BACKENDS = {"mod_tls": ("TLSProxyEngine on\nTLSProxyVerifyName off", "TLSProxyCA"),
            "mod_tls-ssl": ("SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCheckPeerName off", "SSLProxyCACertificateFile")}


@pytest.mark.parametrize("engine", BACKENDS)
def test_a_self_signed_backend_is_believed_once_it_is_listed(httpd, ca, tmp_path, backend, engine):
    own = Authority("localhost")
    answering = backend(Pair(own.certificate, own.key))
    file = tmp_path / "trusted.pem"
    file.write_bytes(ca.pem())
    words, trusted = BACKENDS[engine]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"{words}\n{trusted} {file}\nProxyPass / https://localhost:{answering.port}/")],
                   engine=engine, modules=("proxy", "proxy_http"), allow=("AH0",))
    assert curl(server.port, "/", ca=ca.file).status >= 500
    [line] = server.log.expect("TLS0704")
    assert "self-signed certificate; to trust this certificate itself, add it to TLSProxyCA (SSLProxyCACertificateFile)" in line.raw
    file.write_bytes(file.read_bytes() + own.pem())
    server.graceful()
    wait_until(lambda: curl(server.port, "/", ca=ca.file).status == 200, "the backend to be believed")
