# SPDX-License-Identifier: Apache-2.0
"""No more descriptors in one process of a server, for as long as a test says."""
import mmap
import struct
import subprocess
import tempfile
import time
from pathlib import Path

LAYOUT = struct.Struct("<ii")  # whom it is about, how often something failed (exhaust.c)


class Exhaust:
    """What `environment` makes of a server: its processes can be left without descriptors."""

    def __init__(self):
        self._home = tempfile.TemporaryDirectory(prefix="mod_tls-exhaust-")
        home = Path(self._home.name)
        home.chmod(0o755)
        self.library = home / "exhaust.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, Path(__file__).with_name("exhaust.c")], check=True)
        path = home / "shared"
        path.write_bytes(bytes(LAYOUT.size))
        path.chmod(0o666)
        self._file = open(path, "r+b")
        self._memory = mmap.mmap(self._file.fileno(), LAYOUT.size)
        self.environment = {"LD_PRELOAD": str(self.library), "EXHAUST": str(path)}

    def starve(self, pid: int, seconds: float) -> int:
        """Leaves a process without descriptors for a while; how often it was refused one."""
        self._memory[:] = LAYOUT.pack(pid, 0)
        time.sleep(seconds)
        self._memory[:4] = bytes(4)
        return LAYOUT.unpack(self._memory)[1]
