# SPDX-License-Identifier: Apache-2.0
"""A real httpd of a test's own: its directory, its ports, its life, its error log."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import crash, process
from .config import Vhost, render
from .errorlog import ErrorLog
from .paths import HTTPD
from .ports import free_port
from .waiting import wait_until

OURS = {"mod_tls": {"tls"}, "mod_tls-ssl": {"tls", "ssl"}}  # engine -> modules whose warnings count
RESUMED = "resuming normal operations"


class Httpd:
    """Configured by the constructor, running between start() and stop().

    `ports` are names: each gets a free port on 127.0.0.1, a Listen line (unless the configuration has its `own_listen` lines)
    and a placeholder @NAME@ in the configuration.
    Log lines that match `allow` are never held against it. Unless `tls_engine` says otherwise, mod_tls serves TLS on the port TLS.
    """

    def __init__(self, vhosts: list[Vhost], *, config: str = "", engine: str | None = None, mpm: str = "event",
                 modules: tuple[str, ...] = (), ports: tuple[str, ...] = ("TLS", "PLAIN"), listen: tuple[str, ...] = (),
                 mpm_settings: str | None = None, log_level: str = "warn", tls_engine: str | None = "@TLS@",
                 own_listen: bool = False, allow: tuple[str, ...] = (), environment: dict[str, str] | None = None):
        self.extra_environment = environment or {}
        engine = engine or os.environ.get("MOD_TLS_ENGINE", "mod_tls")
        self.home = Path(tempfile.mkdtemp(prefix="mod_tls-"))
        self.home.chmod(0o755)
        for name in ("run", "core", "docs", "certs"):
            (self.home / name).mkdir()
            (self.home / name).chmod(0o755)
        (self.home / "core").chmod(0o777)
        self.ports = {name: free_port() for name in ports}
        self.log = ErrorLog(self.home / "error.log", OURS.get(engine, set()), allow)
        self.conf = self.home / "httpd.conf"
        self.process: subprocess.Popen | None = None
        self.expected_exit: int | None = 0
        self._form = dict(engine=engine, mpm=mpm, modules=tuple(modules), mpm_settings=mpm_settings,
                          log_level=log_level, tls_engine=tls_engine,
                          listen=[f"127.0.0.1:@{name}@" for name in ports if not own_listen] + list(listen))
        self.mpm, self.engine = mpm, engine
        self.vhosts, self.config = list(vhosts), config
        self.write()

    # -- configuration -------------------------------------------------------------------------------------------
    def write(self, vhosts: list[Vhost] | None = None, config: str | None = None, **form) -> None:
        """Writes httpd.conf anew, with what is given changed."""
        self.vhosts = self.vhosts if vhosts is None else list(vhosts)
        self.config = self.config if config is None else config
        self._form.update(form)
        self.conf.write_text(self.fill(render(self.home, self.vhosts, config=self.config, **self._form)))

    def fill(self, text: str) -> str:
        for name, value in [*self.ports.items(), ("HOME", self.home)]:
            text = text.replace(f"@{name}@", str(value))
        return text

    def put(self, path: str, content: bytes | str, mode: int = 0o644) -> Path:
        """A file below the server's directory, such as docs/a.test/page.html."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        return target

    @property
    def port(self) -> int:
        return self.ports["TLS"]

    @property
    def plain_port(self) -> int:
        return self.ports["PLAIN"]

    # -- life ----------------------------------------------------------------------------------------------------
    def run(self, *arguments: str, timeout: float = 60, user: int | None = None) -> subprocess.CompletedProcess:
        """apache2 -f httpd.conf ARGUMENTS, for -t, -S, -D, -k; output as text, stderr apart."""
        return subprocess.run([HTTPD, "-f", str(self.conf), *arguments], capture_output=True, text=True,
                              timeout=timeout, env=self.environment(), start_new_session=True,
                              user=user, group=user, extra_groups=[] if user else None)

    def start(self, seconds: float = 30, *, user: int | None = None, arguments: tuple[str, ...] = ()) -> "Httpd":
        """Starts in the foreground, as root or as `user`; waits until httpd says that it runs: then its ports listen."""
        self._resumed = len(self.log.matching(RESUMED))
        with open(self.home / "stderr", "ab") as stderr:
            command = [HTTPD, "-f", str(self.conf), "-DFOREGROUND", *arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                                            env=self.environment(), preexec_fn=process.leash, start_new_session=True,
                                            user=user, group=user, extra_groups=[] if user else None)
        ready = self._listens if "-X" in arguments else self._ready  # one process says nothing
        wait_until(ready, f"httpd to start; it said: {self.said()}", seconds)
        return self

    def start_fails(self, seconds: float = 30) -> str:
        """Starts a server that must refuse to run; returns all it said."""
        with open(self.home / "stderr", "ab") as stderr:
            done = subprocess.run([HTTPD, "-f", str(self.conf), "-DFOREGROUND"], stdin=subprocess.DEVNULL,
                                  stdout=stderr, stderr=stderr, env=self.environment(), start_new_session=True,
                                  timeout=seconds)
        assert done.returncode != 0, f"httpd started and stopped with success\n{self.said()}"
        self.log.allow(".*")
        return self.said()

    def said(self) -> str:
        stderr = self.home / "stderr"
        return (stderr.read_text(errors="backslashreplace") if stderr.exists() else "") + self.log.text()

    def written(self) -> str:
        """The configuration as it stands."""
        return self.conf.read_text(errors="backslashreplace")

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"httpd ended with {self.process.returncode}:\n{self.said()}\n{self.written()}")
        return len(self.log.matching(RESUMED)) > self._resumed

    def _listens(self) -> bool:
        return subprocess.run(["curl", "-sk", f"https://127.0.0.1:{self.port}/"], capture_output=True).returncode != 7

    def graceful(self, seconds: float = 30) -> None:
        self._again(signal.SIGUSR1, seconds)

    def restart(self, seconds: float = 30) -> None:
        self._again(signal.SIGHUP, seconds)

    def _again(self, number: int, seconds: float) -> None:
        before = len(self.log.matching(RESUMED))
        os.kill(self.pid, number)

        def resumed():
            if self.process.poll() is not None:
                raise AssertionError(f"httpd ended with {self.process.returncode}:\n{self.said()}")
            return len(self.log.matching(RESUMED)) > before

        wait_until(resumed, f"a restart of httpd:\n{self.log.text()}", seconds)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def children(self) -> list[int]:
        """Processes that serve; the key agent and the fetcher are none of them."""
        helpers = ("tls-keys", "tls-fetch")
        return [pid for pid in process.children(self.pid) if process.name(pid) not in helpers]

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds: float = 30) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self._settle()
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            _kill_session(self.process.pid)
            self.process.wait(seconds)
            raise AssertionError(f"httpd did not stop within {seconds} s:\n{self.log.text()}") from None
        finally:
            _kill_session(self.process.pid)
        code, self.process = self.process.returncode, None
        if self.expected_exit is not None:
            assert code == self.expected_exit, f"httpd exited with {code}:\n{self.said()}"

    def _settle(self) -> None:
        """Gives requests under way a moment to end, so that the event MPM does not crash (crash.of_event_mpm)."""
        end = time.monotonic() + 0.5
        while process.connections(set(self.ports.values())) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.01)

    # -- judgement -----------------------------------------------------------------------------------------------
    def judge(self) -> list[str]:
        """What went wrong since the last call that no test announced."""
        faults = self.log.unexpected()
        cores = {core: crash.backtrace(core) for core in (self.home / "core").iterdir()}
        if cores and self.mpm == "event" and all(map(crash.of_event_mpm, cores.values())):
            faults = [line for line in faults if not crash.DIED.search(line)]
        else:
            faults += ["\n  ".join([f"core file {core.name}", *frames]) for core, frames in cores.items()]
        if self.process is not None and self.process.poll() is not None and self.expected_exit is not None:
            faults.append(f"httpd ended by itself with {self.process.returncode}")
        return faults

    def remove(self) -> None:
        if not os.environ.get("MOD_TLS_KEEP"):
            shutil.rmtree(self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        environment = {"PATH": os.environ["PATH"], "LANG": "C", "TZ": "UTC"}
        environment |= {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        environment |= self.extra_environment
        if "MOD_TLS_PRELOAD" in os.environ:  # the sanitizers' runtime has to come first
            own = environment.get("LD_PRELOAD")
            environment["LD_PRELOAD"] = os.environ["MOD_TLS_PRELOAD"] + (f":{own}" if own else "")
        return environment


def _kill_session(session: int) -> None:
    """Ends what is left of our own httpd: the session was made for it, so nothing else is in there."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    os.kill(int(entry.name), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
