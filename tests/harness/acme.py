# SPDX-License-Identifier: Apache-2.0
"""A real ACME server (Debian's pebble) with a resolver that sends every name to this machine."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

from . import process
from .certs import Authority
from .ports import free_port
from .waiting import wait_until

# No random pauses before validations, no nonces refused on purpose: what is tested is not the client.
SETTINGS = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


class Acme:
    """Validates at the ports of one httpd. `root` is the authority that clients of the issued certificates trust.

    `enter` stands before its commands where it lives in a network of its own (`Machine.enter`).
    """

    def __init__(self, http_port: int, tls_port: int, *, ocsp_url: str = "", valid_seconds: int = 90 * 86400,
                 enter: tuple[str, ...] = ()):
        self._enter = enter
        self.home = tempfile.TemporaryDirectory(prefix="mod_tls-acme-")
        self.directory = Path(self.home.name)
        self.directory.chmod(0o755)
        self.port, self.management, self.dns = free_port(), free_port(), free_port()
        self.ca = Authority("ACME server's own root")
        self.ca_file = self._put("ca.pem", self.ca.pem())
        certificate, key = self.ca.issue("127.0.0.1").write(self.directory, "acme")
        self._settings = {"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(certificate), "privateKey": str(key), "httpPort": http_port, "tlsPort": tls_port,
            "ocspResponderURL": ocsp_url, "externalAccountBindingRequired": False,
            "certificateValidityPeriod": valid_seconds}}
        self._running: list[subprocess.Popen] = []

    def start(self) -> "Acme":
        self._run("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01",
                  f"127.0.0.1:{self.dns}", "-http01", "", "-https01", "", "-tlsalpn01", "", "-management",
                  f"127.0.0.1:{free_port()}")
        settings = self._put("pebble.json", json.dumps(self._settings).encode())
        self._run("pebble", "-config", str(settings), "-dnsserver", f"127.0.0.1:{self.dns}")
        wait_until(self._answers, "pebble to start")
        self.root = self._put("root.pem", self.ask("/roots/0"))
        return self

    def _run(self, *command: str) -> None:
        with open(self.directory / "log", "ab") as log:
            self._running.append(subprocess.Popen([*self._enter, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                  cwd=self.home.name, env=os.environ | SETTINGS,
                                                  preexec_fn=process.leash))

    def _put(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path

    def _answers(self) -> bool:
        try:
            return bool(self.ask("/roots/0"))
        except subprocess.CalledProcessError:
            return False

    def ask(self, path: str) -> bytes:
        """What the management interface says, such as /roots/0 or /intermediate-keys/0."""
        url = f"https://127.0.0.1:{self.management}{path}"
        command = [*self._enter, "curl", "-sf", "--max-time", "5", "--cacert", str(self.ca_file), url]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def said(self) -> str:
        return (self.directory / "log").read_text(errors="backslashreplace")

    def directives(self, *more: str) -> str:
        """What mod_md needs to take its certificates from here, at once and without pauses."""
        return "\n".join(["MDCertificateAgreement accepted", "MDContactEmail admin@a.test",
                          f"MDCertificateAuthority https://127.0.0.1:{self.port}/dir", f"MDCACertificateFile {self.ca_file}",
                          "MDStoreDir @HOME@/md", "MDPortMap http:@PLAIN@ https:@TLS@", "MDInitialDelay 0",
                          "MDActivationDelay 0", "MDRetryDelay 1s", *more])

    def end(self) -> None:
        for running in self._running:
            running.kill()
            running.wait()
        self.home.cleanup()
