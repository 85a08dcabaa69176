# SPDX-License-Identifier: Apache-2.0
"""How much memory a server takes while something happens."""
import threading

from . import process


class Watched:
    """The most own memory that the server's child had while the block ran, in KiB above the beginning."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.child = self.server.children[0]
        self.before, self.most = process.resident_kib(self.child), 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.done.wait(0.02):
            self.most = max(self.most, process.resident_kib(self.child) - self.before)

    def __exit__(self, *_) -> None:
        self.done.set()
        self.thread.join()
