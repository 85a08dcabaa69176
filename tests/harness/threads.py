# SPDX-License-Identifier: Apache-2.0
"""Work that goes on beside a test."""
import threading
from collections.abc import Callable


class Threads:
    """Runs `work` with the numbers 0, 1, ... until the block ends; it looks at `stopping` to know."""

    def __init__(self, work: Callable[[int], None], count: int):
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
