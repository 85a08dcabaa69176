# SPDX-License-Identifier: Apache-2.0
"""Free TCP ports on the loopback, below the range the kernel gives to clients."""
import os
import random
import socket

FIRST, LAST = 11000, 32000
_taken: set[int] = set()
_random = random.Random(os.getpid() * 7919 + random.SystemRandom().randrange(1 << 30))


def free_port(address: str = "127.0.0.1") -> int:
    """A port nothing is bound to now and that this process has not handed out before."""
    for _ in range(2000):
        port = _random.randrange(FIRST, LAST)
        if port in _taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
        _taken.add(port)
        return port
    raise RuntimeError("no free port found")
