# SPDX-License-Identifier: Apache-2.0
"""Real redis and memcached servers, started, stopped and looked into by tests."""
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .ports import free_port
from .waiting import wait_until


class CacheServer:
    """A cache on a port of 127.0.0.1 that stays the same over restarts; contents do not survive them."""

    provider = ""

    def __init__(self):
        self.port = free_port()
        self.home = tempfile.TemporaryDirectory(prefix="mod_tls-cache-")
        self.process: subprocess.Popen | None = None

    @property
    def directive(self) -> str:
        return f"TLSSessionCache {self.provider}:127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> "CacheServer":
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=self.home.name)
        wait_until(self.answers, f"{self.provider} to start")
        return self

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 2).close()
            return True
        except OSError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self.process.poll() is None:
            self.thaw()
            self.kill()
        self.home.cleanup()

    def talk(self, *lines: bytes) -> bytes:
        """What the server answers to these octets, up to a short silence."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as raw:
            raw.sendall(b"".join(lines))
            raw.settimeout(0.3)
            said = b""
            try:
                while data := raw.recv(65536):
                    said += data
            except TimeoutError:
                pass
            return said


class Redis(CacheServer):
    provider = "redis"

    def command(self) -> list[str]:
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]

    def _do(self, *words: bytes) -> bytes:
        parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)]
        return self.talk(*parts)

    def keys(self) -> list[bytes]:
        said = self._do(b"KEYS", b"*").split(b"\r\n")
        return said[2::2]

    def read(self, key: bytes) -> bytes:
        head, _, rest = self._do(b"GET", key).partition(b"\r\n")
        return rest[:int(head[1:])]

    def write(self, key: bytes, value: bytes) -> None:
        assert self._do(b"SETEX", key, b"300", value).startswith(b"+OK")


class Memcached(CacheServer):
    provider = "memcache"

    def command(self) -> list[str]:
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-u", "nobody", "-U", "0"]


SERVERS: dict[str, type[CacheServer]] = {"redis": Redis, "memcache": Memcached}


def secret_file(home: Path, octets: bytes) -> Path:
    """A secret for tickets and cache entries, readable by its owner alone."""
    path = home / "secret"
    fresh = home / "secret.new"
    fresh.write_bytes(octets)
    fresh.chmod(0o600)
    fresh.rename(path)
    return path
