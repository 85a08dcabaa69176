# SPDX-License-Identifier: Apache-2.0
"""Directories of certificates and revocation lists, as c_rehash leaves them: read as mod_ssl reads them, junk left out."""
import re
import subprocess

import pytest
from harness.certs import Authority
from harness.clientauth import Clients, revocation_list
from harness.clients import curl, s_client
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")
DAMAGED = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return Clients(tmp_path_factory.mktemp("clients"))


def rehash(server, directory: str) -> None:
    subprocess.run(["openssl", "rehash", str(server.home / directory)], check=True, capture_output=True)


def with_directories(shared_httpd, ca, clients, engine, junk: bool):
    """required.test knows both authorities by a directory, named.test sends other names, revoked.test has lists."""
    server = shared_httpd([], engine=engine, start=False, allow=("TLS0402|TLS0403|AH01882|AH01873|AH02039",))
    server.put("authorities/good.pem", clients.ca.pem())
    server.put("authorities/other.crt", clients.other.pem())
    server.put("names/name.pem", Authority("Only A Name").pem())
    revoked = clients.ca.issue("revoked", client=True)
    server.revoked = clients.write("revoked", revoked)
    server.put("lists/list.pem", revocation_list(clients.ca, revoked.certificate))
    for directory in ("authorities", "names", "lists"):
        rehash(server, directory)  # symbolic links by hash: the same files under second names
    if junk:
        server.put("authorities/README.txt", "The authorities of this house\n")
        server.put("authorities/damaged.pem", DAMAGED)
        server.put("authorities/key.pem", clients.ca.issue("x").key_pem())
        server.put("authorities/empty.pem", b"")
        server.put("authorities/sub/other.pem", DAMAGED)
        server.put("lists/README.txt", "none\n")
        (server.home / "authorities/dangling.pem").symlink_to("/nowhere/at/all")
    require = "SSLVerifyClient require\nSSLCACertificatePath @HOME@/authorities\n"
    server.write([
        Vhost("required.test", [ca.issue("required.test")], extra=require),
        Vhost("named.test", [ca.issue("named.test")], extra=require + "SSLCADNRequestPath @HOME@/names"),
        Vhost("revoked.test", [ca.issue("revoked.test")],
              extra=require + "SSLCARevocationPath @HOME@/lists\nSSLCARevocationCheck leaf no_crl_for_cert_ok"),
    ])
    return server.start()


@pytest.fixture(scope="module", params=ENGINES)
def server(request, shared_httpd, ca, clients):
    return with_directories(shared_httpd, ca, clients, request.param, junk=False)


@pytest.fixture(scope="module")
def littered(shared_httpd, ca, clients):
    return with_directories(shared_httpd, ca, clients, "mod_tls-ssl", junk=True)


def status(server, name: str, *client: str) -> int:
    return curl(server.port, "/", *client, name=name).status


def names_sent(server, name: str) -> set[str]:
    text = s_client(server.port, name=name).text
    listed = text.partition("Acceptable client certificate CA names\n")[2]
    return set(re.findall(r"^(CN = .*)$", listed.partition("Requested Signature")[0], re.M))


def judge(server, clients) -> None:
    assert [status(server, "required.test", *who) for who in (clients.good, clients.stranger, clients.expired, ())] == [200, 200, 0, 0]
    assert [status(server, "revoked.test", *who) for who in (clients.good, clients.stranger, server.revoked)] == [200, 200, 0]
    assert names_sent(server, "required.test") == {"CN = Client CA", "CN = Other CA"}
    assert names_sent(server, "named.test") == {"CN = Only A Name"}


def test_hashed_directories(server, clients):
    judge(server, clients)


def test_junk_is_left_out_and_what_is_damaged_is_named(littered, clients):
    judge(littered, clients)
    littered.log.expect(r"TLS0502.*/damaged.pem: .*it is left out")
    assert len(littered.log.matching("TLS0502")) == 1, "once, however many virtual hosts read the directory"
    assert not littered.log.matching("README|key.pem|empty.pem|sub/other|dangling")


def test_a_directory_that_is_missing_stops_the_start_an_empty_one_is_named(httpd, ca):
    require = "SSLVerifyClient require\nSSLCACertificatePath @HOME@/"
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=require + "nothing/at/all")], engine="mod_tls-ssl", start=False)
    assert f"{server.home}/nothing/at/all: cannot be read" in server.start_fails()
    (server.home / "nothing").mkdir()
    # Without CAs nobody gets in; without names a client would be told that any CA will do (AH01896 of mod_ssl).
    for words, code in ((require + "nothing", 0), (require + "some\nSSLCADNRequestPath @HOME@/nothing", 1)):
        server.put("some/ca.pem", ca.pem())
        server.write([Vhost("a.test", [ca.issue("a.test")], extra=words)])
        done = server.run("-t")
        assert f"{server.home}/nothing: no file in it holds a certificate" in done.stderr and done.returncode == code
