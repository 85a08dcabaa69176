# SPDX-License-Identifier: Apache-2.0
"""TLSReload ... all: other client CAs without a restart; they make a policy of their own."""
import pytest
from harness import tls
from harness.clientauth import Clients
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.sanitizers import needs_agent
from harness.waiting import wait_until


@pytest.fixture
def clients(tmp_path):
    return Clients(tmp_path)


def asking(httpd, ca, clients, reload: str):
    server = httpd([Vhost("a.test", [ca.issue("a.test")],
                          extra="TLSClientCertificate required\nTLSClientCA certs/clients.pem")],
                   config=f"TLSReload {reload}", start=False, log_level="notice", mpm_settings=ONE_CHILD, allow=("TLS040",))
    server.put("certs/clients.pem", clients.ca.pem())
    server.start()

    def status(who):
        return curl(server.port, "/", *who, ca=ca.file).status

    return server, status


def test_other_authorities_are_taken_up(httpd, ca, clients):
    server, status = asking(httpd, ca, clients, "1 all")
    assert status(clients.good) == 200 and status(clients.stranger) == 0
    context = tls.context(ca.file)
    context.load_cert_chain(clients.good[1], clients.good[3])
    with tls.connect(server.port, using=context) as connection:
        assert tls.get(connection)[0] == 200
        session = connection.session
    with tls.connect(server.port, using=context, session=session) as connection:
        assert tls.get(connection)[0] == 200 and connection.session_reused
    server.put("certs/clients.pem", clients.other.pem())
    wait_until(lambda: status(clients.stranger) == 200, "the other CA to judge", 20, pause=0.2)
    assert status(clients.good) == 0
    with pytest.raises((OSError, EOFError)):
        with tls.connect(server.port, using=context, session=session) as connection:
            tls.get(connection)
    server.log.expect("TLS0505.*certs/clients.pem")
    server.put("certs/clients.pem", "nothing")
    wait_until(lambda: status(clients.stranger) == 200 and server.log.matching("TLS0504"), "the broken file to be noticed", 20,
               pause=0.2)
    server.log.expect("TLS0504.*certs/clients.pem.*Those read before stay in force")


def test_without_all_they_wait_for_a_restart(httpd, ca, clients):
    needs_agent()
    server, status = asking(httpd, ca, clients, "1")
    server.put("certs/clients.pem", clients.other.pem())
    pair = ca.issue("a.test")
    crt, key = next(iter(server.home.glob("certs/a.test*.crt"))), next(iter(server.home.glob("certs/a.test*.key")))
    crt.write_bytes(pair.certificate_pem())
    key.write_bytes(pair.key_pem())

    def served():
        status(clients.good)
        return server.log.matching("TLS0801")

    wait_until(served, "the new certificate", 30, pause=0.3)
    assert status(clients.good) == 200 and status(clients.stranger) == 0
    server.graceful()
    assert status(clients.good) == 0 and status(clients.stranger) == 200
