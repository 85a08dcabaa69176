"""Ticket keys in shared memory: made once however many processes race, left out of core dumps, erased when old."""
import os
import re
import struct
import threading
from pathlib import Path

import pytest
from harness.config import Vhost
from harness.faketime import Clock
from harness.resumption import visit
from harness.tls import context
from harness.waiting import wait_until

HOUR = 3600
SIX = "StartServers 6\nMinSpareServers 6\nMaxSpareServers 8\nMaxRequestWorkers 8"
SMALLEST_RANDOM = 1 << 40  # Counters, times and interval numbers are below; one word of a key in 16 million is.


@pytest.fixture
def clock():
    return Clock()


def server(httpd, ca, clock, **options):
    return httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], environment=clock.environment, **options)


def shared_mappings(pid: int) -> list[tuple[range, set[str]]]:
    """Writable shared memory without a file: addresses and flags of each mapping."""
    found, addresses = [], None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
            mine = head[3] == "rw-s" and head[4] == "/dev/zero (deleted)"
            addresses = range(int(head[1], 16), int(head[2], 16)) if mine else None
        elif line.startswith("VmFlags:") and addresses:
            found.append((addresses, set(line.split()[1:])))
    return found


def key_words(pid: int) -> set[int]:
    """What looks random in the shared memory that is kept out of core dumps."""
    words = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for addresses, flags in shared_mappings(pid):
            if "dd" in flags:
                octets = os.pread(memory.fileno(), len(addresses), addresses.start)
                words |= {word for word in struct.unpack(f"<{len(octets) // 8}Q", octets) if word > SMALLEST_RANDOM}
    return words


def test_processes_agree_on_every_key(httpd, ca, clock):
    made = server(httpd, ca, clock, mpm="prefork", mpm_settings=SIX)
    using = context(ca.file, version="1.3")
    known = key_words(made.pid)
    for hour in range(1, 7):
        clock.set(hour * HOUR)
        barrier, sessions = threading.Barrier(6), []

        def first_of_the_hour():
            barrier.wait()
            sessions.append(visit(made.port, using)[1])

        threads = [threading.Thread(target=first_of_the_hour) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sessions) == 6
        assert all(visit(made.port, using, session)[0] for session in sessions), f"hour {hour}"
        now = key_words(made.pid)
        assert len(now - known) == 4, f"hour {hour}: one key of four words, whoever was first"
        known |= now


def test_keys_are_no_part_of_core_dumps_and_are_erased_when_old(httpd, ca, clock):
    made = server(httpd, ca, clock)
    using = context(ca.file, version="1.3")
    visit(made.port, using)
    clock.set(HOUR)
    visit(made.port, using)
    old = key_words(made.pid)
    assert len(old) >= 8, "the keys of two hours"
    [child] = made.children
    assert old <= key_words(child), "children read the same memory"
    made.graceful()
    made.restart()
    assert old <= key_words(made.pid), "keys outlive restarts"
    clock.set(15 * HOUR)  # no client comes
    wait_until(lambda: not old & key_words(made.pid), "the parent to erase old keys", 40)
