#!/usr/bin/python3
"""Code in a child of httpd that is in somebody else's hands: captured.py CHILD SIGNER OUT KEY-ID. Does with what the child
has (as root it may take it) all that code in it could do, writes what came of each abuse to OUT as JSON, and kills it."""
import ctypes
import errno
import fcntl
import glob
import json
import mmap
import os
import random
import signal
import struct
import sys
import threading
import time

PIDFD_GETFD = 438
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
SERVER, CLIENT = 0, 1
ECDSA_P256, RSA_PSS = 0x0403, 0x0804
SIGNABLE = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32
# As rust/core/src/agent/channel.rs lays the memory out.
BITS, SLOT, SHORT, REPLY, HEAD_BYTES = 128, 1664, 556, 572, 16
FREE, ASKED, TAKEN, WRITING, DONE = range(5)
LIBC = ctypes.CDLL(None, use_errno=True)


def channel_of(pid: int, signer: int) -> tuple[int, int, int]:
    """Copies of a child's channel: the memory as a file, its size, and the bell."""
    area = next(line.split()[0] for line in open(f"/proc/{pid}/maps") if "memfd:mod_tls-channel" in line)
    start, end = (int(number, 16) for number in area.split("-"))
    memory = os.open(f"/proc/{pid}/map_files/{area}", os.O_RDWR)
    theirs = eventfds(signer)
    bell = next(fd for number, fd in eventfds(pid).items() if number in theirs)
    return memory, end - start, LIBC.syscall(PIDFD_GETFD, os.pidfd_open(pid), bell, 0)


def eventfds(pid: int) -> dict[str, int]:
    """A process's eventfds, by the kernel's number for them."""
    found = {}
    for path in glob.glob(f"/proc/{pid}/fdinfo/*"):
        for line in open(path):
            if line.startswith("eventfd-id:"):
                found[line.split()[1]] = int(path.rpartition("/")[2])
    return found


class Child:
    """The channel as its hostile owner sees it."""

    def __init__(self, pid: int, signer: int, key: bytes):
        self.pid, self.key = pid, key
        self.file, self.size, self.bell = channel_of(pid, signer)
        self.memory = mmap.mmap(self.file, self.size)

    def word(self, at: int, value: int | None = None) -> int:
        if value is not None:
            self.memory[at:at + 4] = struct.pack("=I", value & 0xFFFFFFFF)
        return struct.unpack("=I", self.memory[at:at + 4])[0]

    def ring(self, times: int = 1):
        try:
            os.write(self.bell, struct.pack("=Q", times))
        except OSError:
            pass

    def request(self, message=SIGNABLE, *, role=SERVER, scheme=ECDSA_P256, key=None, version=2):
        return lambda number: (bytes([version, 2, role, 0]) + number.to_bytes(4, "big") + scheme.to_bytes(2, "big") + b"\0\0"
                               + (key or self.key) + message)

    def ask(self, frame, slot: int = 0, length: int | None = None) -> int:
        at = BITS + slot * SLOT
        number = ((self.word(at) >> 13) + 1) % (1 << 19)
        frame = frame(number) if callable(frame) else frame
        self.word(at, FREE | number << 13)
        self.memory[at + HEAD_BYTES:at + HEAD_BYTES + min(len(frame), SHORT)] = frame[:SHORT]
        self.word(at + 8, len(frame) if length is None else length)
        self.word(at, ASKED | number << 13)
        self.word(slot // 32 * 4, self.word(slot // 32 * 4) | 1 << slot % 32)
        self.ring()
        return number

    def answer(self, frame, slot: int = 0, seconds: float = 3.0, length: int | None = None) -> tuple[int, bytes]:
        """Status and signature; -1 where none came."""
        number, end = self.ask(frame, slot, length), time.monotonic() + seconds
        at = BITS + slot * SLOT
        while time.monotonic() < end:
            state = self.word(at)
            if state & 7 == DONE and state >> 13 == number:
                start = at + HEAD_BYTES + SHORT
                reply = self.memory[start:start + self.word(at + 12)]
                return reply[2], reply[8:]
            time.sleep(0.001)
        return -1, b""

    def is_idle(self, slot: int) -> bool:
        return self.word(BITS + slot * SLOT) & 7 in (FREE, DONE)

    # -- abuses ------------------------------------------------------------------------------------------------------
    def honest(self):
        status, signature = self.answer(self.request())
        return [status, signature.hex()]

    def random_bytes(self):
        chance = random.Random(1)
        return sorted({self.answer(chance.randbytes(chance.randrange(1, 300)))[0] for _ in range(200)})

    def lengths(self):
        return sorted({self.answer(self.request(), length=length)[0] for length in (0, 43, 44, 557, 65_600, 1 << 31, 2**32 - 1)})

    def wrong(self):
        ask = lambda **what: self.answer(self.request(**what))[0]
        return {"key": ask(key=b"\x11" * 32), "role": ask(role=CLIENT), "scheme": ask(scheme=RSA_PSS),
                "shape": ask(message=b"I owe you 1000"), "version": ask(version=1), "number": self.answer(self.request()(99))[0]}

    def flood(self):
        """Ten thousand requests whose answers nobody reads, over all slots."""
        for turn in range(10_000):
            self.ask(self.request(), slot=turn % 16)
        return "asked"

    def scribble(self):
        """Every word that there is, for two seconds, from four threads, while the bell rings."""
        def write(seed: int):
            chance, end = random.Random(seed), time.monotonic() + 2
            while time.monotonic() < end:
                for _ in range(200):
                    at = chance.randrange(0, self.size // 4 if chance.random() < 0.3 else BITS // 4 + 16 * SLOT // 4) * 4
                    self.word(at, chance.choice([0, 1, 2, 3, 4, 0xFFFFFFFF, 600, 70_000, chance.getrandbits(32)]))
                self.ring()
        threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return "written"

    def bell_storm(self):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            self.ring()
        self.ring(2**64 - 2 - 2**40)
        fcntl.fcntl(self.bell, fcntl.F_SETFL, 0)  # blocking, for whoever should read it
        return "rung"

    def resize(self):
        """Longer, shorter, or with holes: whoever has the memory mapped must not be ended by it."""
        came = []
        for size in (0, 4096, self.size * 2):
            try:
                os.ftruncate(self.file, size)
                came.append("done")
            except OSError as error:
                came.append(errno.errorcode[error.errno])
        hole = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
        LIBC.fallocate(self.file, hole, ctypes.c_long(0), ctypes.c_long(self.size))
        return came

    def lock(self):
        """Locks of every kind, on all that it has."""
        for file in (self.file, self.bell):
            for take in (lambda: fcntl.flock(file, fcntl.LOCK_EX), lambda: fcntl.lockf(file, fcntl.LOCK_EX)):
                try:
                    take()
                except OSError:
                    pass
        return "locked"

    def sockets(self):
        """Local sockets of the child: nothing that it could send descriptors over, or shut down."""
        mine = {os.readlink(path)[8:-1] for path in glob.glob(f"/proc/{self.pid}/fd/*") if os.readlink(path).startswith("socket:")}
        return [line.split()[4:8] for line in open("/proc/net/unix") if line.split()[6] in mine]

    def death(self):
        """The child dies, with a request under way; what it left behind asks on."""
        asking = [self.ask(self.request(), slot=slot) for slot in range(16)]
        os.kill(self.pid, signal.SIGKILL)
        while os.path.exists(f"/proc/{self.pid}") and "Z" not in open(f"/proc/{self.pid}/stat").read().rpartition(")")[2][:3]:
            time.sleep(0.01)
        time.sleep(1)
        return [len(asking), *sorted({self.answer(self.request(), slot=slot, seconds=0.5)[0] for slot in range(4)})]


def main() -> None:
    pid, signer, out, key = sys.argv[1:]
    child, results = Child(int(pid), int(signer), bytes.fromhex(key)), {}
    for abuse in ("honest", "random_bytes", "lengths", "wrong", "flood", "scribble", "bell_storm", "resize", "lock", "sockets",
                  "honest", "death"):
        try:
            results[abuse if abuse not in results else f"{abuse} again"] = getattr(child, abuse)()
        except Exception as error:
            results[abuse] = repr(error)
    with open(out, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
