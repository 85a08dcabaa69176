# SPDX-License-Identifier: Apache-2.0
"""`./dev serve` as its user meets it: started with arguments, ended by Ctrl-C."""
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from .paths import ROOT, mod_tls_so
from .waiting import wait_until

SCRIPT = ROOT / "tools" / "serve.sh"
AUTHORITY = ROOT / "build" / "serve" / "ca.pem"


def environment(state: str) -> dict[str, str]:
    made = os.environ | {"MOD_TLS_SO": str(mod_tls_so()), "TMPDIR": state}
    return made | ({"LD_PRELOAD": made["MOD_TLS_PRELOAD"]} if "MOD_TLS_PRELOAD" in made else {})


def heed_interrupts() -> None:
    """A shell cannot trap what was ignored when it began, as SIGINT is under nohup."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Served:
    """A served site while the block runs; leaving it is Ctrl-C, which must end everything in order."""

    def __init__(self, port: int, *arguments: str):
        self.port = port
        self._arguments = ["--port", str(port), *arguments]

    def __enter__(self) -> "Served":
        self._state = tempfile.TemporaryDirectory()
        Path(self._state.name).chmod(0o755)
        self._out = tempfile.TemporaryFile()
        self._script = subprocess.Popen([SCRIPT, *self._arguments], stdin=subprocess.DEVNULL, stdout=self._out,
                                        stderr=subprocess.STDOUT, env=environment(self._state.name), start_new_session=True,
                                        preexec_fn=heed_interrupts)
        wait_until(self._ready, "./dev serve to print its URL", 60)
        return self

    def said(self) -> str:
        self._out.seek(0)
        return self._out.read().decode()

    def _ready(self) -> bool:
        assert self._script.poll() is None, f"it ended with {self._script.returncode}:\n{self.said()}"
        return "Ctrl-C stops the server" in self.said()

    def printed(self, pattern: str) -> str:
        """What it printed that matches: the URL, the command."""
        found = re.search(pattern, self.said(), re.M)
        assert found, self.said()
        return found[0].strip()

    def _interrupt(self) -> int:
        """Ctrl-C as the terminal does it, by somebody who presses it until it has ended."""
        for _ in range(300):
            try:
                os.killpg(self._script.pid, signal.SIGINT)
                return self._script.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        return self._script.wait(1)

    def __exit__(self, *_) -> None:
        try:
            code = self._interrupt()
        finally:
            if self._script.poll() is None:
                os.killpg(self._script.pid, signal.SIGKILL)
        assert code == 0, f"it ended with {code}:\n{self.said()}"
        assert os.listdir(self._state.name) == [], "files are left behind"
        self._state.cleanup()


def refused(*arguments: str) -> str:
    """What the script says when it must not start."""
    with tempfile.TemporaryDirectory() as state:
        done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                              env=environment(state), start_new_session=True)
    assert done.returncode != 0, done.stdout
    return done.stderr
