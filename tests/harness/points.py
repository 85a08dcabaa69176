# SPDX-License-Identifier: Apache-2.0
"""A distribution point of revocation lists, which sends what it is told to: a good list, or anything else."""
import datetime
import http.server
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from .certs import DAY, Authority, Pair, now

HOUR = datetime.timedelta(hours=1)
# What is sent for a list, as arguments of `revocation_list`, or as octets.
BAD_LISTS = {
    "expired": {"start": -9 * HOUR, "end": -HOUR}, "future": {"start": HOUR, "end": 9 * HOUR},
    "stranger": {"by": Authority("Client CA")}, "other": {"by": Authority("Another")},
    "garbage": b"\x00\xff" * 400, "empty": b"", "nothing": b"nothing that is a list",
}
BAD_ANSWERS = ("status_500", "redirect_loop", "silent", "drip", "closed", "lying_length")


def revocation_list(issuer: Authority, *revoked: Pair, start=-HOUR, end=DAY, by: Authority | None = None,
                    filler: int = 0, extensions=()) -> bytes:
    """A list in DER, made at `start` from now; `filler` serial numbers of nobody stand in it besides. The extensions are
    critical, but for its number."""
    signer = by or issuer
    builder = x509.CertificateRevocationListBuilder().issuer_name(signer.name).last_update(now() + start)
    builder = builder.next_update(now() + end)
    serials = [pair.certificate.serial_number for pair in revoked] + list(range(1 << 60, (1 << 60) + filler))
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - DAY).build()
        builder = builder.add_revoked_certificate(entry)
    for extension in extensions:
        builder = builder.add_extension(extension, not isinstance(extension, x509.CRLNumber))
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    signed = builder.add_extension(key, False).sign(signer.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def distribution_point(url: str, *more: str):
    """The extension by which a certificate names its list."""
    names = [x509.UniformResourceIdentifier(one) for one in (url, *more)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)]), False


class Point:
    """Sends a list for each path that it has one for. `how` says what it sends instead: see BAD_LISTS, BAD_ANSWERS."""

    def __init__(self):
        self.lists: dict[str, bytes] = {}
        self.how: dict[str, str] = {}
        self.asked: list[str] = []
        self.ending = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append(self.path)
                outer._answer(self, outer.how.get(self.path))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def end(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler, how: str | None) -> None:
        handler.close_connection = True
        content = self.lists.get(handler.path)
        if how == "silent":
            self.ending.wait(90)
        elif how == "closed":
            pass
        elif how == "drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not self.ending.wait(0.2):
                handler.wfile.write(b"0")
        elif how == "lying_length":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n\x30\x03")
        elif how == "redirect_loop":
            self._send(handler, 302, b"", handler.path)
        elif how == "status_500" or content is None:
            self._send(handler, 500, b"no")
        else:
            self._send(handler, 200, content)

    @staticmethod
    def _send(handler, status: int, content: bytes, location: str = "") -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        if location:
            handler.send_header("Location", location)
        handler.end_headers()
        handler.wfile.write(content)
