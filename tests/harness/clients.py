# SPDX-License-Identifier: Apache-2.0
"""Command line clients: curl, openssl s_client, gnutls-cli, nghttp; their answers as data."""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60


@dataclass
class Answer:
    """What curl got: status 0 means that no response came; `exit` is curl's exit code."""

    status: int
    version: str
    headers: dict[str, str]
    body: bytes
    exit: int
    stderr: str

    @property
    def text(self) -> str:
        return self.body.decode(errors="backslashreplace")


def curl(port: int, path: str = "/", *options: str, name: str = "a.test", ca: Path | None = None,
         scheme: str = "https", h2: bool = False) -> Answer:
    """One request to NAME at 127.0.0.1:PORT; without `ca` any certificate is taken."""
    marker = "\n%{stderr}curl-says %{http_version} %{http_code}\n"
    command = ["curl", "-sS", "-D", "-", "--max-time", str(SECONDS), *([] if name[:1].isdigit() else ["--resolve", f"{name}:{port}:127.0.0.1"]),
               "--http2" if h2 else "--http1.1", "-w", marker[1:],
               *(["--cacert", str(ca)] if ca else ["-k"]), *options, f"{scheme}://{name}:{port}{path}"]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS + 10)
    stderr = done.stderr.decode(errors="backslashreplace")
    said = re.search(r"curl-says (\S+) (\d+)", stderr)
    headers, body = _split(done.stdout)
    return Answer(int(said[2]) if said else 0, said[1] if said else "", headers, body, done.returncode, stderr)


def _split(output: bytes) -> tuple[dict[str, str], bytes]:
    """Headers of the last response (after 100 Continue and redirects followed) and the body."""
    headers: dict[str, str] = {}
    while output.startswith(b"HTTP/"):
        head, _, output = output.partition(b"\r\n\r\n")
        lines = head.decode(errors="backslashreplace").split("\r\n")[1:]
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return headers, output


@dataclass
class Handshake:
    """What openssl s_client negotiated; empty strings where the handshake failed."""

    protocol: str
    cipher: str
    group: str
    signature: str
    alpn: str
    subject: str
    key: str
    verified: bool
    text: str
    exit: int

    @property
    def done(self) -> bool:
        return self.cipher not in ("", "(NONE)", "0000")


# OpenSSL 3.5 says the scheme's name (RFC 8446 4.2.3), those before the kind of key.
KINDS = {"ecdsa_": "ECDSA", "rsa_pss_": "RSA-PSS", "rsa_pkcs1_": "RSA", "ed25519": "Ed25519", "ed448": "Ed448"}


def kind_of(scheme: str) -> str:
    return next((kind for begin, kind in KINDS.items() if scheme.startswith(begin)), scheme)


def s_client(port: int, *options: str, name: str | None = "a.test", send: bytes = b"",
             ca: Path | None = None) -> Handshake:
    """A handshake by openssl s_client, then `send`, then end of input."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
               *(["-servername", name] if name else ["-noservername"]),
               *(["-CAfile", str(ca)] if ca else []), *options]
    done = subprocess.run(command, input=send, capture_output=True, timeout=SECONDS)
    text = (done.stdout + done.stderr).decode(errors="backslashreplace")

    def find(pattern: str) -> str:
        match = re.search(pattern, text, re.M)
        return match[1].strip() if match else ""

    agreed = find(r"^(?:New|Reused), (\S+), Cipher is [^(]")
    return Handshake(
        protocol=agreed and (find(r"^    Protocol  : (\S+)") or agreed),
        cipher=find(r"^(?:New|Reused), \S+, Cipher is (\S+)"),
        group=find(r"^(?:(?:Server|Peer) Temp Key|Negotiated TLS1.3 group): (.+?)(?:, \d+ bits)?$"),
        signature=kind_of(find(r"^Peer signature type: (\S+)")), alpn=find(r"^ALPN protocol: (\S+)"),
        subject=find(r"^subject=.*CN ?= ?(\S+)"), key=find(r"^Server public key is (\d+ bit)"),
        verified="Verify return code: 0" in text, text=text, exit=done.returncode)


def gnutls(port: int, *options: str, name: str = "a.test", ca: Path, priority: str | None = None,
           send: bytes = b"") -> subprocess.CompletedProcess:
    """gnutls-cli; its output says what was negotiated in the line `Description`."""
    command = ["gnutls-cli", "--x509cafile", str(ca), "--sni-hostname", name, "--verify-hostname", name,
               "-p", str(port),
               *(["--priority", priority] if priority else []), *options, "127.0.0.1"]
    return subprocess.run(command, input=send, capture_output=True, timeout=SECONDS)
