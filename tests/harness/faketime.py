# SPDX-License-Identifier: Apache-2.0
"""A server's clock, set by the test (libfaketime)."""
import tempfile
import time
from pathlib import Path

from .sanitizers import unfit

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class Clock:
    """What `environment` makes of a server: the time of day is as far from the real one as `set` says, in seconds;
    with `monotonic` the clock that nobody sets is so too."""

    def __init__(self, monotonic: bool = False):
        unfit("libfaketime and their runtime wait for each other")
        # children of httpd, which read it as www-data, could not reach pytest's directories
        self._home = tempfile.TemporaryDirectory(prefix="mod_tls-clock-")
        home = Path(self._home.name)
        self._file = home / "faketime"
        self.set(0)
        # Times of files are locked by a semaphore of all processes: who is killed with it leaves all others waiting for good.
        self.environment = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self._file),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_RESET": "1", "NO_FAKE_STAT": "1"}
        if not monotonic:
            self.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
        home.chmod(0o755)

    def set(self, seconds: float) -> None:
        self._write(f"{seconds:+}")

    def hold(self, moment: float) -> None:
        """Stops the time of day at a second since 1970, until `set` or `hold` says otherwise."""
        self._write(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)))

    def _write(self, text: str) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{text}\n")
        fresh.chmod(0o644)
        fresh.rename(self._file)
