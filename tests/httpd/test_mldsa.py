# SPDX-License-Identifier: Apache-2.0
"""Certificates with ML-DSA keys (RFC 9881, draft-ietf-tls-mldsa): our own, clients', backends', of CAs and lists.

The OpenSSL of Debian 12 knows none of it: the certificates are made by rcgen, the peers are rustls and httpd itself, and
OpenSSL 3.5 where there is one."""
import re
import socket
import subprocess
import threading

import pytest
from harness import openssl35
from harness.clients import s_client
from harness.config import Vhost
from harness.paths import passable
from harness.ports import free_port
from harness.proxies import FAILURES, MODULES, PLAIN, get
from harness.rustls_client import binary, rustls_client

SETS = ("44", "65", "87")
FORMS = {"seed": "key", "expanded key": "expanded.key", "both": "both.key"}
PRINT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n"
SAID = ("TLS0202.*(clients without ML-DSA|never used; allow TLS 1.3)", "TLS040[1-4]", "TLS0502")
CONFIG = """ScriptAlias /print @HOME@/print.sh
<Location /print>
TLSOptions +StdEnvVars
</Location>"""


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = passable(tmp_path_factory.mktemp("mldsa"))
    subprocess.run([binary(), "make-ml-dsa", made], check=True, timeout=120)
    for key in made.glob("*.key"):
        key.chmod(0o600)
    return made


def words(pki, number: str, form: str = "key") -> str:
    return f"TLSCertificate {pki}/server-{number}.crt {pki}/server-{number}.{form}"


@pytest.fixture(scope="module", params=["agent", "off"])
def server(request, shared_httpd, ca, pki):
    """A virtual host for each set and form, one with three kinds of certificates, and some that ask for clients'."""
    hosts = [Vhost(f"{number}-{form.split('.')[0]}.ml.test", extra=words(pki, number, form))
             for number in SETS for form in FORMS.values()]
    classic = [ca.issue("*.ml.test", kind="rsa2048"), ca.issue("*.ml.test")]
    hosts.append(Vhost("three.ml.test", classic, extra=words(pki, "65")))
    asks = f"TLSClientCertificate required\nTLSClientCA {pki}/root.crt\nTLSClientDepth 5"
    hosts.append(Vhost("clients.ml.test", classic, extra=asks))
    hosts.append(Vhost("lists.ml.test", classic, extra=f"{asks}\nTLSClientCRL {pki}/ca.crl\nTLSClientCRLCheck leaf"))
    hosts.append(Vhost("classic.ml.test", classic, extra=f"{asks}\nTLSClientSignatureAlgorithms ECDSA+SHA256"))
    isolation = "TLSKeyIsolation off" if request.param == "off" else ""
    made = shared_httpd(hosts, config=f"{isolation}\n{CONFIG}", modules=("cgi",), start=False, allow=SAID)
    made.put("print.sh", PRINT, 0o755)
    made.start()
    return made


def printed(server, name: str, *options: str) -> dict[str, str]:
    """Variables of a request of rustls, which offers ML-DSA."""
    options = ("--path", "/print", "--body", "--expect-status", "200", *options)
    lines = rustls_client(server.port, *options, name=f"{name}.ml.test")
    return dict(re.findall(r"^(SSL_\w+)=(.*)$", lines[1]["body"], re.M))


def client(pki, name: str) -> tuple[str, ...]:
    return "--cert", str(pki / f"{name}.crt"), "--key", str(pki / f"{name}.key")


@pytest.mark.parametrize("number", SETS)
@pytest.mark.parametrize("form", FORMS)
def test_own_certificates(server, number, form):
    said = printed(server, f"{number}-{FORMS[form].split('.')[0]}")
    assert [said[name] for name in ("SSL_SIGALG", "SSL_SERVER_A_KEY", "SSL_SERVER_A_SIG")] == [
        f"mldsa{number}", f"ML-DSA-{number}", "ML-DSA-65"]


def test_the_client_chooses_among_three_kinds(server, pki):
    """Each gets what it can verify; what signs in TLS 1.3 alone is shown to nobody in TLS 1.2."""
    assert printed(server, "three")["SSL_SIGALG"] == "mldsa65"
    assert printed(server, "three", "--versions", "1.2")["SSL_SIGALG"] == "ecdsa_secp256r1_sha256"
    for hello, kind in ((("-tls1_3",), "ECDSA"), (("-tls1_3", "-sigalgs", "RSA-PSS+SHA256"), "RSA-PSS"),
                        (("-tls1_2", "-cipher", "aRSA"), "RSA-PSS")):
        assert s_client(server.port, *hello, name="three.ml.test").signature == kind


def test_who_does_not_know_it_is_told_so(server):
    assert not s_client(server.port, "-tls1_3", name="65-key.ml.test").done
    server.log.expect("TLS0402: .*no cipher suite or signature algorithm in common with the client")


class SmallSegments:
    """Between a client and the server, in segments of 536 octets: an initial congestion window holds ten (RFC 6928)."""

    def __init__(self, port: int):
        self.target, self.octets = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.socket() as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            server.settimeout(30)
            server.connect(("127.0.0.1", self.target))
            assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 536
            upward = threading.Thread(target=self._copy, args=(client, server, False), daemon=True)
            upward.start()
            self._copy(server, client, True)
            upward.join(30)

    def _copy(self, source, sink, counted: bool) -> None:
        try:
            while data := source.recv(65536):
                self.octets += len(data) if counted else 0
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.parametrize("isolation", ["on", "off"])
@pytest.mark.parametrize("compression", [(), ("--compression", "brotli"), ("--compression", "zlib")], ids=["plain", "brotli", "zlib"])
def test_a_flight_of_more_than_a_record_and_a_congestion_window(httpd, pki, isolation, compression):
    """The server's own, of 30 kB: two records for one message, six windows of small segments."""
    files = f"TLSCertificate {pki}/server-long.crt {pki}/server-long.key"
    server = httpd([Vhost("a.ml.test", extra=files)], config=f"TLSKeyIsolation {isolation}", allow=SAID)
    between = SmallSegments(server.port)
    lines = rustls_client(between.port, *compression, "--expect-status", "200", name="a.ml.test", ca=pki / "root.crt")
    assert lines[0]["compression"].partition(" ")[0] == (compression[1] if compression else "") and between.octets > 27_000, (lines, between.octets)


@pytest.mark.parametrize("name", [*(f"client-{number}" for number in SETS), "long"])
def test_clients_certificates(server, pki, name):
    """`long` has a flight of 30 kB: two records, and more than an initial congestion window."""
    said = printed(server, "clients", *client(pki, name))
    number = "87" if name == "long" else name[-2:]
    assert [said[each] for each in ("SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN_CN", "SSL_CLIENT_A_KEY", "SSL_CLIENT_A_SIG")] == [
        "SUCCESS", name, f"ML-DSA-{number}", "ML-DSA-87" if name == "long" else "ML-DSA-65"]


def refused(server, name: str, *options: str) -> bool:
    command = [str(binary()), "--insecure", "--sni", f"{name}.ml.test", *options, f"127.0.0.1:{server.port}"]
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 1


def test_lists_and_algorithms_bind(server, pki):
    assert printed(server, "lists", *client(pki, "client-65"))["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert refused(server, "lists", *client(pki, "revoked"))
    server.log.expect("certificate revoked")
    assert refused(server, "classic", *client(pki, "client-65"))
    # The draft has ML-DSA in TLS 1.3 alone.
    assert refused(server, "clients", "--versions", "1.2", *client(pki, "client-65"))


def test_without_tls13_nobody_could_come(httpd, ca, pki):
    words = f"SSLProtocol TLSv1.2\nSSLCertificateFile {pki}/server-65.crt\nSSLCertificateKeyFile {pki}/server-65.key"
    alone = httpd([Vhost("a.ml.test", extra=words)], engine="mod_tls-ssl", start=False)
    said = "its key (ML-DSA-65) signs in TLS 1.3 alone, which is switched off here"
    assert said in alone.run("-t").stderr and said in alone.start_fails()
    beside = httpd([Vhost("a.ml.test", [ca.issue("a.ml.test")], extra=words)], engine="mod_tls-ssl", allow=SAID)
    assert s_client(beside.port, name="a.ml.test").signature == "ECDSA"


def test_backends(shared_httpd, pki):
    """With a certificate of its own and for the front, all of ML-DSA."""
    asks = f"TLSClientCertificate required\nTLSClientCA {pki}/root.crt\nTLSClientDepth 5"
    far = shared_httpd([Vhost("far.ml.test", extra=f"{words(pki, '87')}\n{asks}")], config=CONFIG, modules=("cgi",), start=False,
                       allow=SAID)
    far.put("print.sh", PRINT, 0o755)
    far.start()
    machine = pki / "machine.pem"
    machine.write_bytes((pki / "client-44.crt").read_bytes() + (pki / "client-44.key").read_bytes())
    machine.chmod(0o600)
    front = shared_httpd([], config=f"""TLSProxyEngine on
TLSProxyCA {pki}/root.crt
TLSProxyVerifyDepth 5
TLSProxyMachineCertificate {machine}
ProxyPreserveHost on
ProxyPass / https://127.0.0.1:{far.port}/""", modules=MODULES, allow=FAILURES, **PLAIN)
    answer = get(front, "/print", "-H", "Host: far.ml.test")
    assert answer.status == 200
    said = dict(re.findall(r"^(SSL_\w+)=(.*)$", answer.body.decode() if isinstance(answer.body, bytes) else answer.body, re.M))
    assert (said["SSL_SIGALG"], said["SSL_CLIENT_S_DN_CN"], said["SSL_CLIENT_A_KEY"]) == ("mldsa87", "client-44", "ML-DSA-44")


@pytest.fixture(scope="module")
def of_openssl(pki):
    """A key and a certificate that OpenSSL 3.5 made, the key in each form that it writes by RFC 9881."""
    subprocess.run([*openssl35.command(), "version"], check=True, capture_output=True)
    key, certificate = pki / "own.key", pki / "own.crt"
    openssl35.openssl("genpkey", "-algorithm", "ML-DSA-65", "-out", key)
    openssl35.openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=own.test", "-days", "90", "-addext",
                      "subjectAltName=DNS:*.ml.test", "-out", certificate)
    forms = ("seed-only", "priv-only", "seed-priv")
    for form in forms:
        openssl35.openssl("pkey", "-in", key, "-provparam", f"ml-dsa.output_formats={form}", "-out", pki / f"own.{form}.key")
    for key in pki.glob("own*.key"):
        key.chmod(0o600)
    return certificate, {form: pki / f"own.{form}.key" for form in forms}


def shook_hands(port: int, name: str, *options) -> str:
    got = openssl35.openssl("s_client", "-connect", f"127.0.0.1:{port}", "-servername", f"{name}.ml.test", "-ign_eof", *options,
                            given=f"GET / HTTP/1.1\r\nHost: {name}.ml.test\r\nConnection: close\r\n\r\n".encode())
    assert "HTTP/1.1 200" in got, got
    return got


def test_openssl_reads_what_we_wrote(of_openssl, pki):
    for number in SETS:
        for form in FORMS.values():
            words = () if form == "key" else ("-inform", "DER")
            assert f"ML-DSA-{number} Private-Key" in openssl35.openssl("pkey", *words, "-noout", "-text", "-in",
                                                                       pki / f"server-{number}.{form}")


def test_openssl_as_client(of_openssl, httpd, pki):
    certificate, forms = of_openssl
    hosts = [Vhost(f"{form}.ml.test", extra=f"TLSCertificate {certificate} {key}") for form, key in forms.items()]
    hosts.append(Vhost("both.ml.test", extra=f"""{words(pki, '87')}
TLSClientCertificate required
TLSClientCA {pki}/root.crt
TLSClientDepth 5"""))
    server = httpd(hosts, allow=SAID)
    for form in forms:
        got = shook_hands(server.port, form, "-CAfile", certificate)
        assert "Peer signature type: mldsa65" in got and "Verify return code: 0" in got
    for name in ("client-44", "client-65", "client-87", "long"):
        got = shook_hands(server.port, "both", "-CAfile", pki / "root.crt", "-cert", pki / f"{name}.crt", "-cert_chain",
                          pki / f"{name}.crt", "-key", pki / f"{name}.key")
        assert "Peer signature type: mldsa87" in got and "Verify return code: 0" in got


def test_openssl_as_backend(of_openssl, httpd, pki):
    certificate, forms = of_openssl
    machine = pki / "machine35.pem"
    machine.write_bytes((pki / "client-87.crt").read_bytes() + (pki / "client-87.key").read_bytes())
    machine.chmod(0o600)
    port = free_port()
    far = subprocess.Popen([*openssl35.command(), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key",
                            forms["seed-priv"], "-Verify", "5", "-verify_return_error", "-CAfile", pki / "root.crt", "-www"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    late = threading.Timer(60, far.kill)  # ends whoever waits for it below
    late.start()
    try:
        assert any(b"ACCEPT" in line for line in far.stdout)
        front = httpd([], config=f"""TLSProxyEngine on
TLSProxyCA {certificate}
TLSProxyMachineCertificate {machine}
ProxyPreserveHost on
ProxyPass / https://127.0.0.1:{port}/""", modules=MODULES, allow=FAILURES, **PLAIN)
        answer = get(front, "/", "-H", "Host: far.ml.test")
        assert answer.status == 200 and "mldsa87" in str(answer.body)
    finally:
        late.cancel()
        far.kill()
        far.wait()
