# SPDX-License-Identifier: Apache-2.0
"""OCSP responses: made for certificates of a test's authority, and given out by a responder."""
import datetime
import http.server
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from .certs import Authority, Pair, now
from .ports import free_port

HOUR = datetime.timedelta(hours=1)
MUST_STAPLE = (x509.TLSFeature([x509.TLSFeatureType.status_request]), False)


def response(authority: Authority, pair: Pair, *, status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
             start: datetime.datetime | None = None, end: datetime.datetime | None = None, by: Authority | None = None,
             about: Pair | None = None) -> bytes:
    """What `authority` (or `by`) says of the certificate of `pair` (or of `about`), in DER."""
    signer = by or authority
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    built = ocsp.OCSPResponseBuilder().add_response(
        cert=(about or pair).certificate, issuer=authority.certificate, algorithm=hashes.SHA1(), cert_status=status,
        this_update=start or now() - HOUR, next_update=end or now() + 24 * HOUR,
        revocation_time=now() - HOUR if revoked else None, revocation_reason=None)
    built = built.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    return built.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def names_responder(url: str) -> tuple[x509.AuthorityInformationAccess, bool]:
    """The extension that names a responder."""
    method = x509.oid.AuthorityInformationAccessOID.OCSP
    return x509.AuthorityInformationAccess([x509.AccessDescription(method, x509.UniformResourceIdentifier(url))]), False


class Responder:
    """Answers every question with what `answers` has for the serial number asked for."""

    def __init__(self):
        self.port, self.answers, self.asked = free_port(), {}, []
        self.url = f"http://127.0.0.1:{self.port}/"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                question = ocsp.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(question.serial_number)
                body = outer.answers[question.serial_number]()
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()
