# SPDX-License-Identifier: Apache-2.0
"""Faults on demand, in a module built with the preset inject: which places there are, and one of them made to fail."""
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

KINDS = {1: "allocation", 2: "bridge", 4: "call"}
HEAD = struct.Struct("<IIQII")  # mode, kinds, target, left, fired (src/inject/inject.cpp, Shared)
SITE = struct.Struct("<QI52s")
SITES = 8192
OFF, RECORD, FAIL = 0, 1, 2


@dataclass(frozen=True, order=True)
class Site:
    """A place in the code that can be made to fail, by what it does."""

    kind: str
    name: str
    id: int


class Faults:
    """The memory that a server's processes share with the test; `environment` makes a server look there."""

    def __init__(self, home: Path):
        self.path = home / "faults"
        size = HEAD.size + SITES * SITE.size
        self.path.write_bytes(bytes(size))
        self.path.chmod(0o666)
        self._file = open(self.path, "r+b")
        self._memory = mmap.mmap(self._file.fileno(), size)
        self.environment = {"MOD_TLS_INJECT": str(self.path)}

    def _set(self, mode: int, kinds: int, target: int = 0, left: int = 0) -> None:
        self._memory[:HEAD.size] = HEAD.pack(OFF, kinds, target, left, 0)
        self._memory[:4] = struct.pack("<I", mode)

    def record(self) -> None:
        """From now on places are noted, beside those noted before."""
        self._set(RECORD, 7)

    def fail(self, site: Site, times: int = 1) -> None:
        self._set(FAIL, 7, site.id, times)

    def off(self) -> None:
        self._memory[:4] = struct.pack("<I", OFF)

    def fired(self) -> int:
        return HEAD.unpack_from(self._memory)[4]

    def sites(self) -> set[Site]:
        rows = (SITE.unpack_from(self._memory, HEAD.size + i * SITE.size) for i in range(SITES))
        return {Site(KINDS[kind], name.rstrip(b"\0").decode(), id) for id, kind, name in rows if id}

    def close(self) -> None:
        self._memory.close()
        self._file.close()
        os.unlink(self.path)
