# SPDX-License-Identifier: Apache-2.0
"""What stands in the place of a file: pipes, devices, loops and directories neither hang nor feed anybody, at a start, on a
reload or later, and a file that is damaged ends nothing but itself."""
import base64
import os
import socket
from pathlib import Path

import pytest

from harness.certs import Authority
from harness.clientauth import Clients, revocation_list
from harness.clients import curl
from harness.config import ONE_CHILD, Vhost
from harness.waiting import wait_until


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o644)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def local_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate((512 << 20) + 1)


HOSTILE = {pipe: "no regular file, but a pipe", device: "no regular file, but a device", loop: "symbolic links lead in a circle",
           local_socket: "no regular file, but a socket", sparse: "larger than 512 MiB"}
KINDS = pytest.mark.parametrize("kind", HOSTILE, ids=lambda kind: kind.__name__)


def replace(path: Path, kind) -> None:
    path.unlink(missing_ok=True)
    kind(path)


def waits_in_files(server) -> list[str]:
    """Threads of the server that wait at a pipe."""
    tasks = [task for pid in [server.pid, *server.children] for task in Path(f"/proc/{pid}/task").iterdir()]
    return [str(task) for task in tasks if "fifo" in (task / "wchan").read_text()]


@pytest.fixture
def clients(tmp_path):
    return Clients(tmp_path)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
@KINDS
def test_in_place_of_a_list_while_the_server_runs(httpd, ca, clients, kind, mpm):
    """The lists of before stay in force, everybody is served, and it is said."""
    options = {"mpm_settings": ONE_CHILD} if mpm == "event" else {}
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLVerifyClient require\nSSLCACertificateFile certs/ca.pem\n"
                          "SSLCARevocationFile certs/list.pem\nSSLCARevocationCheck chain")],
                   engine="mod_tls-ssl", start=False, mpm=mpm, allow=("TLS0504", "TLS040", "AH02008", "AH02039"), **options)
    server.put("certs/ca.pem", clients.ca.pem())
    revoked = clients.write("revoked", clients.ca.issue("revoked", client=True))
    from cryptography import x509
    certificate = x509.load_pem_x509_certificate(Path(revoked[1]).read_bytes())
    listed = server.put("certs/list.pem", revocation_list(clients.ca, certificate))
    server.start()

    def status(who):
        return curl(server.port, "/", *who, ca=ca.file).status

    assert (status(clients.good), status(revoked)) == (200, 0)
    replace(listed, kind)
    wait_until(lambda: server.log.matching(f"TLS0504.*{HOSTILE[kind]}"), "the file to be noticed", 20)
    assert (status(clients.good), status(revoked)) == (200, 0)
    assert not waits_in_files(server)
    listed.unlink()
    listed.write_bytes(revocation_list(clients.ca))
    wait_until(lambda: status(revoked) == 200, "the good list to be used", 20, pause=0.3)


@KINDS
def test_in_place_of_a_ticket_secret_while_the_server_runs(httpd, ca, kind):
    """The parent goes on to watch over its children."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], config="TLSSessionTickets file:@HOME@/secret", start=False,
                   allow=("TLS0604",))
    secret = server.put("secret", bytes(range(80)), 0o600)
    server.start()
    replace(secret, kind)
    words = HOSTILE[kind] if kind is not sparse else "has more than 4096 octets"
    wait_until(lambda: server.log.matching(f"TLS0604.*{words}"), "the file to be noticed", 30)
    assert not waits_in_files(server)
    secret.unlink()
    secret.write_bytes(bytes(range(80)))
    secret.chmod(0o600)
    server.graceful()
    assert curl(server.port, "/", ca=ca.file).status == 200


WORDS = {
    "certificate": "SSLCertificateFile @HOME@/x\nSSLCertificateKeyFile certs/key.pem",
    "key": "SSLCertificateFile certs/crt.pem\nSSLCertificateKeyFile @HOME@/x",
    "chain": "SSLCertificateFile certs/crt.pem\nSSLCertificateKeyFile certs/key.pem\nSSLCertificateChainFile @HOME@/x",
    "authorities": "SSLVerifyClient require\nSSLCACertificateFile @HOME@/x",
    "names": "SSLVerifyClient require\nSSLCACertificateFile certs/ca.pem\nSSLCADNRequestFile @HOME@/x",
    "lists": "SSLVerifyClient require\nSSLCACertificateFile certs/ca.pem\nSSLCARevocationFile @HOME@/x\n"
             "SSLCARevocationCheck chain",
    "secret": "SSLSessionTicketKeyFile @HOME@/x",
    "backends": "SSLProxyEngine on\nSSLProxyVerify require\nSSLProxyCACertificateFile @HOME@/x",
    "machine": "SSLProxyEngine on\nSSLProxyMachineCertificateFile @HOME@/x",
}
MODULES = ("proxy", "proxy_http")


@pytest.mark.parametrize("kind", [pipe, device, loop], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("what", WORDS)
def test_at_a_start(httpd, ca, what, kind):
    """Refused by name, at once, with no number of the system's in the line."""
    pair = ca.issue("a.test")
    own = not WORDS[what].startswith("SSLCertificateFile")
    server = httpd([Vhost("a.test", [pair] if own else [], tls=own,
                          extra=("" if own else "SSLEngine on\n") + WORDS[what])],
                   engine="mod_tls-ssl", start=False, modules=MODULES)
    server.put("certs/crt.pem", pair.certificate_pem())
    server.put("certs/key.pem", pair.key_pem(), 0o600)
    server.put("certs/ca.pem", Authority("Clients").pem())
    kind(server.home / "x")
    for said in (server.run("-t").stderr, server.start_fails()):
        lines = [line for line in said.splitlines() if f"{server.home}/x" in line]
        assert any(HOSTILE[kind] in line for line in lines), said
        assert "os error" not in said and "panicked" not in said, said


def scrypt_of_nothing() -> bytes:
    """An encrypted key whose scrypt goes through no memory (N = 0), which no encoder writes."""
    text = (Path(__file__).parents[2] / "rust/core/testdata/creds/p256.scrypt.enc.pem").read_bytes()
    der = bytearray(base64.b64decode(b"".join(text.splitlines()[1:-1])))
    at = der.index(bytes([2, 2, 0x40, 0])) + 2
    place = 0
    while place < at:
        length = place + (2 if der[place + 1] == 0x81 else 1)
        end = length + 1 + der[length]
        if at >= end:
            place = end
            continue
        der[length] -= 1
        if not der[place] & 0x20:
            break
        place = length + 1
    del der[at]
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + base64.encodebytes(bytes(der)) + b"-----END ENCRYPTED PRIVATE KEY-----\n"


@pytest.mark.parametrize("isolation", ["on", "off"])
def test_a_damaged_key_ends_nothing_but_itself(httpd, ca, isolation):
    """The start is refused with its name; a server that runs goes on with the key of before, and restarts when it is
    repaired."""
    pair = ca.issue("a.test", kind="p256")
    words = "TLSCertificate certs/crt.pem certs/key.pem"
    server = httpd([Vhost("a.test", tls=False, extra=words)], start=False, allow=("TLS0201", "TLS0802", "TLS0301", "TLS030"),
                   config=f"TLSKeyIsolation {isolation}\nTLSReload 1\nTLSKeyPassphrase file:@HOME@/phrase")
    server.put("phrase", "test phrase\n", 0o600)
    server.put("certs/crt.pem", pair.certificate_pem())
    key = server.put("certs/key.pem", scrypt_of_nothing(), 0o600)
    said = server.start_fails()
    assert "TLS0201" in said and "scrypt's N=0" in said and "panicked" not in said, said
    key.write_bytes(pair.key_pem())
    server.start()
    assert curl(server.port, "/", ca=ca.file).status == 200
    key.write_bytes(scrypt_of_nothing())
    if isolation == "on":
        wait_until(lambda: server.log.matching("TLS0802.*scrypt's N=0"), "the damaged key to be noticed", 30)
    assert curl(server.port, "/", ca=ca.file).status == 200
    key.write_bytes(pair.key_pem())
    server.graceful()
    assert curl(server.port, "/", ca=ca.file).status == 200
