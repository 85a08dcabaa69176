# SPDX-License-Identifier: Apache-2.0
"""An OCSP responder that answers, certificate by certificate, as it is told: well, or in every bad way."""
import base64
import datetime
import http.server
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from .certs import DAY, Authority, Pair, common_name, now
from .ocsp import HOUR, names_responder
from .ports import free_port

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN

# What stands in a response, as arguments of Responder.response.
CONTENTS = {
    "good": {}, "revoked": {"status": REVOKED}, "unknown": {"status": UNKNOWN},
    "expired": {"start": -9 * HOUR, "end": -HOUR}, "future": {"start": HOUR, "end": 9 * HOUR},
    "old": {"start": -9 * HOUR}, "endless": {"end": None}, "short": {"end": datetime.timedelta(seconds=4)},
    "foreign": {"about": "another"}, "stranger": {"by": "stranger"},
    "delegate": {"by": "delegate"}, "delegate_without_purpose": {"by": "server"}, "delegate_expired": {"by": "former"},
    "wrong_nonce": {"nonce": b"x" * 32}, "no_nonce": {"nonce": None},
}
# What is sent in the place of an HTTP response that has one.
BYTES = {
    "garbage": b"\x00\xff" * 400, "empty": b"", "no_status_line": b"Content-Length: 3\r\n\r\nabc",
    "lying_length": b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 9999\r\n\r\n\x30\x03",
    "no_der": b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 7\r\n\r\nnothing",
    "status_500": b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
}
ENDLESS = ("huge", "huge_headers", "silent", "drip")


class Responder:
    """Answers about the certificates of `authority`: well about those that `say` was not called for."""

    def __init__(self, authority: Authority):
        self.authority, self.port = authority, free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.how: dict[int, str] = {}
        self.asked: list[int] = []
        self.certificates: dict[int, x509.Certificate] = {}
        self.ending = threading.Event()
        self.signers = {"stranger": _signer(Authority("A stranger")), "delegate": self._delegate(),
                        "server": self._delegate(ExtendedKeyUsageOID.SERVER_AUTH),
                        "former": self._delegate(start=now() - 9 * DAY, end=now() - DAY)}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def do_GET(self):
                outer.answer(self, base64.b64decode(urllib.parse.unquote(self.path).lstrip("/")))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def issue(self, name: str, how: str = "good", *, client: bool = False, named: bool = True, extensions=()) -> Pair:
        """A certificate that names this responder, which answers so about it."""
        extensions = [*extensions, *([names_responder(self.url)] if named else [])]
        pair = self.authority.issue(name, client=client, extensions=extensions)
        self.say(pair, how)
        return pair

    def say(self, pair: Pair, how: str) -> None:
        assert how in CONTENTS or how in BYTES or how in ENDLESS or how in ("try_later", "redirect_loop", "slow"), how
        self.certificates[pair.certificate.serial_number] = pair.certificate
        self.how[pair.certificate.serial_number] = how

    def count(self, pair: Pair) -> int:
        """How often it was asked about a certificate."""
        return self.asked.count(pair.certificate.serial_number)

    def end(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    def response(self, question: ocsp.OCSPRequest, *, status=GOOD, start=-HOUR, end=24 * HOUR, by: str | None = None,
                 about: str | None = None, nonce: bytes | None = b"") -> bytes:
        signer, key, certificates = self.signers[by] if by else _signer(self.authority)
        certificate = self.certificates.get(question.serial_number) if about is None else self._another()
        built = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate, issuer=self.authority.certificate, algorithm=hashes.SHA1(), cert_status=status,
            this_update=now() + start, next_update=None if end is None else now() + end,
            revocation_time=now() - HOUR if status is REVOKED else None, revocation_reason=None)
        built = built.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        if certificates:
            built = built.certificates(certificates)
        if nonce == b"":
            nonce = _nonce(question)
        if nonce is not None:
            built = built.add_extension(x509.OCSPNonce(nonce), False)
        return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def answer(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        question = ocsp.load_der_ocsp_request(body)
        self.asked.append(question.serial_number)
        how = self.how.get(question.serial_number, "unknown")
        handler.close_connection = True
        if how in BYTES:
            handler.wfile.write(BYTES[how])
        elif how in ENDLESS:
            self._without_end(handler, how)
        elif how == "redirect_loop":
            handler.send_response(302)
            handler.send_header("Location", self.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif how == "try_later":
            self._send(handler, ocsp.OCSPResponseBuilder.build_unsuccessful(
                ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(serialization.Encoding.DER))
        else:
            if how == "slow":
                self.ending.wait(1)
            self._send(handler, self._contents(question, how))

    def _contents(self, question: ocsp.OCSPRequest, how: str) -> bytes:
        if question.serial_number not in self.certificates:
            return ocsp.OCSPResponseBuilder.build_unsuccessful(
                ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(serialization.Encoding.DER)
        return self.response(question, **CONTENTS.get(how, {}))

    @staticmethod
    def _send(handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/ocsp-response")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _without_end(self, handler, how: str) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
        piece = {"huge": b"\x30" * 65536, "huge_headers": b"X-Filler: " + b"a" * 4000 + b"\r\n", "drip": b"\x30"}.get(how)
        try:
            if how != "silent":
                handler.wfile.write(head if how == "huge_headers" else head + b"\r\n")
            while not self.ending.is_set():
                if piece is not None:
                    handler.wfile.write(piece)
                if how in ("drip", "silent"):
                    time.sleep(0.05)
        except OSError:
            pass

    def _another(self) -> x509.Certificate:
        return self.authority.issue("another.test").certificate

    def _delegate(self, purpose=ExtendedKeyUsageOID.OCSP_SIGNING, **dates):
        pair = _with_purpose(self.authority, purpose, **dates)
        return pair.certificate, pair.key, [pair.certificate]


def _with_purpose(authority: Authority, purpose, *, start=None, end=None) -> Pair:
    """A certificate of `authority` for one purpose."""
    plain = authority.issue("responder.test")
    builder = (x509.CertificateBuilder().subject_name(common_name("A responder")).issuer_name(authority.name)
               .public_key(plain.key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(start or now() - DAY).not_valid_after(end or now() + 90 * DAY)
               .add_extension(x509.ExtendedKeyUsage([purpose]), False))
    return Pair(builder.sign(authority.key, hashes.SHA256()), plain.key)


def _signer(authority: Authority):
    return authority.certificate, authority.key, [authority.certificate]


def _nonce(question: ocsp.OCSPRequest) -> bytes | None:
    try:
        return question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
