# SPDX-License-Identifier: Apache-2.0
"""A site before its first certificate: TLSFallback."""
from cryptography import x509
from harness import tls
from harness.clients import curl
from harness.config import Vhost
from harness.httpd import Httpd

SUBJECT = "Placeholder: this site has no certificate yet"
RELOAD = "TLSKeyIsolation on\nTLSReload 1"


def missing(name: str, what: str, path: str = "@HOME@/certs/new") -> Vhost:
    return Vhost(name, extra=f'TLSCertificate "{path}.crt" "{path}.key"\n{what}')


def get(server: Httpd, name: str = "a.test") -> tuple[int, x509.Certificate]:
    """Status of a request, and the certificate that was shown."""
    connection = tls.connect(server.port, name)
    status, _, _ = tls.get(connection, host=name)
    return status, x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def common_name(certificate: x509.Certificate) -> str:
    return certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def test_without_it_a_missing_certificate_stops_the_start(httpd):
    said = httpd([missing("a.test", "")], start=False).start_fails()
    assert "TLS0201" in said and "certs/new.crt cannot be read" in said


def test_a_placeholder_serves_or_answers_503(httpd, ca):
    server = httpd([missing("a.test", "TLSFallback self-signed"), missing("b.test", "TLSFallback 503"),
                    Vhost("none.test", extra="TLSFallback 503"), Vhost("c.test", [ca.issue("c.test")])], start=False)
    server.log.allow("TLS0202.*; a placeholder is served until then")
    server.start()
    server.log.expect(r"TLS0208: virtual host a.test:\d+ .*has no usable certificate: .*are served all the same")
    server.log.expect(r"TLS0208: virtual host (b|none).test:\d+ .*are answered with 503", 2)
    shown = {name: get(server, name) for name in ("a.test", "b.test", "none.test")}
    assert {name: status for name, (status, _) in shown.items()} == {"a.test": 200, "b.test": 503, "none.test": 503}
    for name, (_, certificate) in shown.items():
        assert common_name(certificate) == SUBJECT
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert name in names.get_values_for_type(x509.DNSName)
    assert curl(server.port, name="c.test", ca=ca.file).body == b"c.test\n"
    checked = server.run("-t")
    assert checked.returncode == 0 and "a placeholder is served until then" in checked.stderr


def test_a_real_certificate_comes_first_and_takes_its_place(httpd, ca):
    server = httpd([missing("a.test", "TLSFallback 503"),
                    Vhost("b.test", [ca.issue("b.test", kind="rsa2048")], extra="TLSFallback 503")],
                   config=RELOAD, start=False)
    server.log.allow("TLS0202", "TLS0208")
    server.start()
    assert get(server)[0] == 503
    assert curl(server.port, name="b.test", ca=ca.file).status == 200, "what is there is used"
    ca.issue("a.test").write(server.home / "certs", "new")
    server.log.expect("TLS0801: new certificate without a restart: a.test: .*the one before until none")
    assert curl(server.port, name="a.test", ca=ca.file).body == b"a.test\n"


def test_a_certificate_that_turns_bad_is_not_replaced_by_a_placeholder(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSFallback 503")], config=RELOAD)
    server.put("certs/a.test-0.crt", "no certificate any more")
    server.log.allow("TLS0202", "TLS0209", "TLS0802")
    server.graceful()
    assert curl(server.port, name="a.test", ca=ca.file).body == b"a.test\n"
    server.log.allow("TLS0202", "TLS0209", "TLS0802")


def test_a_placeholder_stays_the_same_over_restarts(httpd):
    server = httpd([missing("a.test", "TLSFallback self-signed")], start=False,
                   allow=("TLS0202", "TLS0208"))
    server.start()
    before = get(server)[1]
    server.graceful()
    assert get(server)[1] == before
