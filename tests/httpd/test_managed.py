# SPDX-License-Identifier: Apache-2.0
"""Certificates that mod_md brings: static ones, and the placeholder until there is a real one."""
import ssl

from harness import tls
from harness.clients import curl, s_client
from harness.config import Vhost

CA_NOWHERE = "MDCertificateAgreement accepted\nMDCertificateAuthority http://127.0.0.1:1/dir\nMDContactEmail a@a.test"


def test_certificates_of_a_managed_domain_are_served(httpd, ca):
    server = httpd([], modules=("md",), start=False)
    ca.issue("a.test").write(server.home / "certs", "managed")
    domain = ("<MDomainSet a.test>\nMDCertificateFile @HOME@/certs/managed.crt\n"
              "MDCertificateKeyFile @HOME@/certs/managed.key\n</MDomainSet>")
    server.write([Vhost("a.test"), Vhost("b.test", [ca.issue("b.test")])], config=CA_NOWHERE + "\n" + domain)
    server.start()
    server.log.allow("AH10")  # what mod_md itself says of its authority
    for name in ("a.test", "b.test"):
        assert curl(server.port, name=name, ca=ca.file).body == f"{name}\n".encode()
    server.graceful()
    assert curl(server.port, name="a.test", ca=ca.file).body == b"a.test\n"
    server.log.allow("AH10")


def test_a_placeholder_answers_503_until_there_is_a_certificate(httpd, ca):
    server = httpd([], modules=("md",), start=False)
    server.write([Vhost("a.test"), Vhost("b.test", [ca.issue("b.test")])], config=CA_NOWHERE + "\nMDomain a.test")
    server.start()
    server.log.allow("AH10", r"\[md:")
    server.log.expect(r"TLS0207: virtual host a\.test:\d+: there is no certificate yet, so a placeholder is served")
    got = s_client(server.port, name="a.test")
    assert got.done and not got.verified and "CN = Apache Managed Domain Fallback" in got.text
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    status, _, body = tls.get(tls.connect(server.port, "a.test", using=context))
    assert status == 503 and b"a.test\n" != body
    assert curl(server.port, name="b.test", ca=ca.file).body == b"b.test\n"
