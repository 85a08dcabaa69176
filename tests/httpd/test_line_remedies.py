# SPDX-License-Identifier: Apache-2.0
"""Lines of the log about certificates, keys and lists that name a remedy: it works when it is followed."""
import re

import pytest
from harness.clientauth import Clients
from harness.clients import curl, s_client
from harness.config import Vhost
from harness.responder import Responder
from harness.waiting import wait_until


@pytest.mark.parametrize("engine, word", [("mod_tls", "TLSCertificate"), ("mod_tls-ssl", "SSLCertificateFile")])
def test_a_virtual_host_without_certificate(httpd, ca, engine, word):
    """Both remedies of TLS0204."""
    hosts = [Vhost("b.test", [ca.issue("b.test")]), Vhost("a.test", tls=False, extra="SSLEngine on" if engine == "mod_tls-ssl" else "TLSEngine on")]
    server = httpd(hosts, engine=engine, start=False)
    said = server.run("-t")
    assert said.returncode != 0 and re.search(rf"TLS0204: virtual host a\.test.*name one with .*{word}.*, or turn TLS off there", said.stderr), said.stderr
    server.write([hosts[0], Vhost("a.test", [ca.issue("a.test")])])
    assert server.run("-t").returncode == 0
    server.write([hosts[0], Vhost("a.test", tls=False, extra=hosts[1].extra.replace(" on", " off"))])
    assert server.run("-t").returncode == 0


def test_a_certificate_for_which_nothing_can_be_stapled(httpd, ca):
    """The first remedy of TLS0811; test_stapling.py has responses in files."""
    responder = Responder(ca.intermediate("An authority that answers"))
    try:
        pair = responder.issue("a.test")
        pair.chain = []
        words = "SSLStaplingCache shmcb:@HOME@/x(32768)\nTLSFetchLocal on"
        server = httpd([Vhost("a.test", [pair], extra="SSLUseStapling on")], engine="mod_tls-ssl", config=words, allow=("TLS0202",))
        said = server.log.expect("TLS0811")[0].raw
        assert "Add its issuer's certificate after it" in said and "into a file of the certificate's name and .ocsp" in said
        file = server.home / "certs" / "a.test-0.crt"
        file.write_bytes(file.read_bytes() + responder.authority.pem())
        server.graceful()
        wait_until(lambda: "Cert Status: good" in s_client(server.port, "-status", name="a.test").text, "a response", 30)
        assert len(server.log.matching("TLS0811")) == 1
    finally:
        responder.end()


def test_a_section_that_the_start_did_not_see(httpd, ca, tmp_path):
    """TLS0515: what an .htaccess file asks for is answered once the virtual host asks for certificates."""
    people = Clients(tmp_path)
    words = f"SSLCACertificateFile {people.pem(people.ca, 'ca')}\n<Directory />\nAllowOverride All\n</Directory>"

    def answer():
        return curl(server.port, "/", *people.good, ca=ca.file).status
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine="mod_tls-ssl", allow=("TLS0515",))
    server.put("docs/a.test/.htaccess", "SSLVerifyClient require\n", 0o644)
    assert answer() == 403
    said = server.log.expect("TLS0515")[0].raw
    remedy = re.search(r'Put "(SSLVerifyClient optional)".*into virtual host a\.test', said)
    assert remedy, said
    server.write([Vhost("a.test", [ca.issue("a.test")], extra=f"{words}\n{remedy[1]}")])
    server.graceful()
    wait_until(lambda: answer() == 200, "the remedy to help")
