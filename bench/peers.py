"""Other servers of the same site, as what people would run instead: nginx of Debian, and httpd of Debian 13 with its
mod_ssl over OpenSSL 3.5."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from arms import SERVER_CORE, Arm, accepts, free_port

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

# One worker, as httpd has one child; versions, suite and group are the client's choice.
CONFIG = """
daemon off;
user www-data;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 32768; }}
http {{
  access_log {root}/access.log;
  sendfile on;
  keepalive_requests 1000000;
  keepalive_timeout 300s;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ecdh_curve X25519:prime256v1;
  ssl_session_tickets on;
  client_max_body_size 0;
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port} ssl http2 backlog=16384;
    server_name localhost;
    root {docroot};
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    {more}
  }}
}}
"""
MUTUAL = "ssl_verify_client on; ssl_client_certificate {ca}; ssl_verify_depth 3;"


class Nginx(Arm):
    """One running nginx: an arm like the others, but for its configuration."""

    def __init__(self, root: pathlib.Path, site: pathlib.Path, certificate: pathlib.Path, more: str):
        self.name = "nginx"
        self.tls = True
        self.root = root
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o755)
        text = CONFIG.format(root=root, docroot=site / "htdocs", port=self.port, certificate=certificate, more=more)
        (root / "nginx.conf").write_text(text)

    def start(self, timeout: float = 30) -> None:
        """In the foreground on the server's core, until it accepts."""
        command = ["taskset", "-c", str(SERVER_CORE), NGINX, "-p", str(self.root), "-c", str(self.root / "nginx.conf")]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=(self.root / "stderr.log").open("wb")
        )
        deadline = time.monotonic() + timeout
        while not accepts(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start:\n{self.complaints()}")
            time.sleep(0.01)

    def worker_pid(self) -> int:
        """The one worker."""
        return next(pid for pid in self.pids() if pid != self.process.pid)

    def stop(self) -> None:
        """Ends it; a worker outlives a master that was killed."""
        if self.process is None:
            return
        pids = self.pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            self.process.wait(30)
        self.process = None


class Debian13(Arm):
    """httpd and mod_ssl of Debian 13 on their own libraries, out of a root that stands anywhere."""

    root_of_system = pathlib.Path(os.environ.get("MOD_TLS_DEBIAN13", "/nonexistent"))
    libraries = root_of_system / "usr/lib/x86_64-linux-gnu"
    program = [
        str(libraries / "ld-linux-x86-64.so.2"),
        *("--library-path", str(libraries)),
        str(root_of_system / "usr/sbin/apache2"),
    ]
    modules = root_of_system / "usr/lib/apache2/modules"


def has_debian13() -> bool:
    """Whether MOD_TLS_DEBIAN13 names such a root (mmdebstrap --include=apache2 trixie ROOT)."""
    return os.access(Debian13.program[-1], os.X_OK)


def available() -> bool:
    """Whether there is an nginx to compare with."""
    return os.access(NGINX, os.X_OK)


def version() -> str:
    """As it says itself."""
    done = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True)
    return done.stderr.strip().removeprefix("nginx version: ")
