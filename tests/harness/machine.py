# SPDX-License-Identifier: Apache-2.0
"""A Debian of a test's own on this one: its /etc/apache2 and the like, and a loopback whose ports 80 and 443 are free.

Programs that work on a whole system (a2enmod, apache2ctl, certbot) run in it as they are, and this machine stays as it is.
With `instances` it has all of /etc, /run and /var/log for itself, so that further instances of httpd (/etc/apache2-XYZ) have room.
"""
import os
import shutil
import subprocess
from pathlib import Path

from . import process

# What is its own: copies where there is something, empty directories where not.
COPIED = ("/etc/apache2",)
EMPTY = ("/etc/letsencrypt", "/var/lib/letsencrypt", "/var/log/letsencrypt", "/var/log/apache2", "/var/www", "/var/lib/apache2",
         "/run/apache2")
SETUP = """import fcntl, socket, struct, subprocess, sys
UP = struct.pack("16sh", b"lo", 0x41)
fcntl.ioctl(socket.socket(), 0x8914, UP)
for pair in sys.argv[1:]:
    subprocess.run(["mount", "--bind", *pair.split("=")], check=True)
print("ready", flush=True)
sys.stdin.read()
"""


class Machine:
    """Lives between start() and stop(). `run` runs a command in it, `path` says where its files are from outside."""

    def __init__(self, home: Path, instances: bool = False):
        self.home = home
        self._whole = {"/etc": True, "/run": False, "/var/log": False} if instances else {}  # whether it is a copy
        self._holder: subprocess.Popen | None = None

    @staticmethod
    def is_possible() -> bool:
        """Whether namespaces may be made: as root, and not in every container."""
        return os.geteuid() == 0 and subprocess.run(["unshare", "-mn", "true"], capture_output=True).returncode == 0

    def start(self) -> "Machine":
        mounts = []
        for name, copied in self._whole.items():
            own = self.path(name)
            own.parent.mkdir(parents=True, exist_ok=True)
            if copied:
                shutil.copytree(name, own, symlinks=True)
            else:
                own.mkdir()
            mounts.append(f"{own}={name}")
        if self._whole:
            self.path("/run/lock").mkdir()
        for name in (*COPIED, *EMPTY):
            if any(name.startswith(f"{whole}/") for whole in self._whole):
                self.path(name).mkdir(exist_ok=True)
                continue
            own = self.path(name)
            own.parent.mkdir(parents=True, exist_ok=True)
            if name in COPIED:
                shutil.copytree(name, own, symlinks=True)
            else:
                own.mkdir()
            if not Path(name).is_dir():
                Path(name).mkdir(parents=True)  # a place to mount at, as the package would make it
            mounts.append(f"{own}={name}")
        self._holder = subprocess.Popen(
            ["unshare", "-m", "-n", "--propagation", "private", "/usr/bin/python3", "-c", SETUP, *mounts],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=process.leash)
        assert self._holder.stdout.readline() == "ready\n"
        return self

    def path(self, name: str) -> Path:
        return self.home / name.lstrip("/")

    @property
    def enter(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self._holder.pid), "-m", "-n", "--")

    def run(self, *command: str, env: dict[str, str] | None = None, seconds: float = 120) -> subprocess.CompletedProcess:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"} | (env or {})
        return subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=seconds, env=environment)

    def stop(self) -> None:
        if self._holder is not None:
            self._holder.stdin.close()
            self._holder.wait(20)
            self._holder = None
