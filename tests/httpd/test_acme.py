# SPDX-License-Identifier: Apache-2.0
"""Managed domains from nothing to a certificate in use, with mod_md and a real ACME server."""
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from harness import tls
from harness.acme import Acme
from harness.clients import curl
from harness.config import Vhost
from harness.httpd import Httpd
from harness.ports import free_port

READY = r"AH10059"
ISSUED = 40  # seconds that an order may take on a busy machine


@pytest.fixture
def acme():
    """Starts ACME servers that outlive the servers of the test; acme(server)."""
    made: list[Acme] = []

    def start(server: Httpd, **options) -> Acme:
        made.append(Acme(server.plain_port, options.pop("tls_port", server.port), **options).start())
        return made[-1]

    yield start
    for server in made:
        server.end()


@pytest.fixture
def managed(acme, httpd):
    """A running server of managed domains and their ACME server."""

    def start(*lines: str, names: tuple[str, ...] = ("a.test",), extra: str = "", **options) -> tuple[Httpd, Acme]:
        server = httpd([], modules=("md",), start=False, log_level="warn tls:info")
        authority = acme(server, **options)
        config = authority.directives("Protocols http/1.1 acme-tls/1", *lines, *(f"MDomain {name}" for name in names))
        server.write([Vhost(name, extra=extra) for name in names], config=config)
        server.log.allow("TLS0207", "AH10085")
        server.start()
        return server, authority

    return start


def get(server: Httpd, name: str = "a.test", using: ssl.SSLContext | None = None) -> tuple[int, x509.Certificate]:
    """Status of a request, and the certificate that was shown."""
    connection = tls.connect(server.port, name, using=using)
    status, _, _ = tls.get(connection, host=name)
    return status, x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))


def activate(server: Httpd) -> None:
    """Waits until mod_md has what was ordered, then lets it take it up."""
    server.log.expect(READY, seconds=ISSUED)
    server.graceful()


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_a_site_gets_its_first_certificate(managed, challenge):
    server, authority = managed(f"MDCAChallenges {challenge}")
    before, placeholder = get(server)
    assert before == 503, "until there is a certificate nothing is served"
    activate(server)
    assert curl(server.port, name="a.test", ca=authority.root).body == b"a.test\n"
    assert get(server)[1] != placeholder
    assert bool(server.log.matching("TLS0406: answering the ACME challenge acme-tls/1 for a.test")) == (
        challenge == "tls-alpn-01")


def test_both_kinds_of_keys_and_their_renewal(managed):
    # A certificate of five minutes, to be renewed as soon as a hundredth of them has passed.
    server, authority = managed("MDPrivateKeys RSA 2048 secp256r1", "MDRenewWindow 99%", "MDCheckInterval 1s",
                                valid_seconds=300)
    activate(server)
    shown = [kinds(server, authority)]
    server.log.expect(READY, 2, seconds=ISSUED)
    # mod_md must not be in the middle of the next renewal when the server is stopped.
    server.write(config=server.config.replace("MDRenewWindow 99%", ""))
    server.graceful()
    shown.append(kinds(server, authority))
    for kind in (rsa.RSAPublicKey, ec.EllipticCurvePublicKey):
        assert shown[0][kind] != shown[1][kind], "both were renewed"


def kinds(server: Httpd, authority: Acme) -> dict[type, int]:
    """Kinds of keys that clients get, with the serial number of each certificate."""
    found = {}
    for ciphers in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
        context = tls.context(authority.root, version="1.2")
        context.set_ciphers(ciphers)
        status, certificate = get(server, using=context)
        assert status == 200
        kind = rsa.RSAPublicKey if "-RSA-" in ciphers else ec.EllipticCurvePublicKey
        assert isinstance(certificate.public_key(), kind)
        found[kind] = certificate.serial_number
    return found


def test_a_challenge_asks_for_no_client_certificate_and_gets_nothing_else(managed, ca):
    """The ACME server comes to a port of ours first, so that we can look into the same challenge."""
    with Detour() as detour:
        server, authority = managed("MDCAChallenges tls-alpn-01", tls_port=detour.port,
                                    extra=f'TLSClientCertificate required\nTLSClientCA "{ca.file}"')
        detour.to = server.port
        server.log.allow("TLS040[23]")
        with pytest.raises(ssl.SSLError):
            get(server)
        detour.wait(ISSUED)
        using = tls.context(alpn=["acme-tls/1"])
        connection = tls.connect(server.port, using=using)
        assert connection.selected_alpn_protocol() == "acme-tls/1"
        shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
        assert any(e.oid.dotted_string == "1.3.6.1.5.5.7.1.31" and e.critical for e in shown.extensions)
        assert tls.get(connection)[0] == 503
        detour.go_on()
        activate(server)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED|certificate required"):
        get(server, using=tls.context(authority.root))
    server.log.allow("TLS040[23]")


class Detour:
    """Takes connections, and passes them on when the test says so."""

    def __init__(self):
        self.port, self.to = free_port(), 0
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._came, self._pass = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Detour":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._pass.set()
        self._listener.close()

    def wait(self, seconds: float) -> None:
        assert self._came.wait(seconds), "nobody came"

    def go_on(self) -> None:
        self._pass.set()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._came.set()
            self._pass.wait()
            far = socket.create_connection(("127.0.0.1", self.to))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()
