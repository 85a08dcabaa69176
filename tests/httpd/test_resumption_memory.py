# SPDX-License-Identifier: Apache-2.0
"""Session keys in shared memory: written by one and read by all, left out of core dumps, erased when old."""
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
SMALLEST_RANDOM = 1 << 36  # Counters, times and interval numbers are below; one word of a key in 268 million is.


@pytest.fixture
def clock():
    return Clock()


def server(httpd, ca, clock, **options):
    return httpd([Vhost("a.test", [ca.issue("a.test", kind="p256")])], environment=clock.environment, **options)


def key_mappings(pid: int) -> list[tuple[range, str, set[str]]]:
    """The memory of the session keys: addresses, protection and flags of each mapping."""
    found, mine = [], None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
            ours = head[4].startswith("/memfd:mod_tls sessions")
            mine = (range(int(head[1], 16), int(head[2], 16)), head[3]) if ours else None
        elif line.startswith("VmFlags:") and mine:
            found.append((*mine, set(line.split()[1:])))
    return found


def key_words(pid: int) -> set[int]:
    """What looks random in the memory of the session keys, which is kept out of core dumps."""
    words = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for addresses, _, flags in key_mappings(pid):
            assert "dd" in flags
            octets = os.pread(memory.fileno(), len(addresses), addresses.start)
            words |= {word for word in struct.unpack(f"<{len(octets) // 8}Q", octets) if word > SMALLEST_RANDOM}
    return words


def keys_of(words: set[int]) -> int:
    """How many keys there are: each is four words and a tag, which names its lane in the upper half."""
    assert len(words) % 5 == 0
    return len(words) // 5


def test_one_writes_and_all_read_the_same_keys(httpd, ca, clock):
    made = server(httpd, ca, clock, mpm="prefork", mpm_settings=SIX)
    assert [protection for _, protection, _ in key_mappings(made.pid)] == ["rw-s"]
    using = context(ca.file, version="1.3")
    known = key_words(made.pid)
    assert keys_of(known) == 3, "of this hour and the next two"
    for hour in range(1, 4):
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
        wait_until(lambda: keys_of(key_words(made.pid)) == 3 + hour, f"the key after next, in hour {hour}", 40)  # noqa: B023
        assert known < key_words(made.pid), "those of before stay"
        known = key_words(made.pid)
        for child in made.children:
            assert [protection for _, protection, _ in key_mappings(child)] == ["r--s"]
            assert key_words(child) == known


def test_keys_are_no_part_of_core_dumps_and_are_erased_when_old(httpd, ca, clock):
    made = server(httpd, ca, clock)
    visit(made.port, context(ca.file, version="1.3"))
    old = key_words(made.pid)
    assert keys_of(old) == 3
    made.graceful()
    made.restart()
    assert old <= key_words(made.pid), "keys outlive restarts"
    clock.set(20 * HOUR)  # no client comes
    wait_until(lambda: not old & key_words(made.pid), "the parent to erase old keys", 40)
