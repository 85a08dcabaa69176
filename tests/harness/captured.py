#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Code in a child of httpd that is in somebody else's hands: captured.py CHILD SIGNER OUT KEY-ID [ABUSE...]. Does with what
the child has (as root it may take it) all that code in it could do, or what is named, and writes what came of each abuse to
OUT as JSON."""
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

CLONE3, PIDFD_GETFD = 435, 438
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
SERVER, CLIENT = 0, 1
ECDSA_P256, RSA_PSS = 0x0403, 0x0804
SIGNABLE = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32
FALLOC_HOLE = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
MADV_REMOVE = 9
USER = 33  # www-data
# As rust/core/src/agent/channel.rs lays the memories out, for a child of 16 threads.
SLOTS, REQUEST, REPLY, SHORT = 32, 576, 4672, 556
OWNERS, REQUESTS = SLOTS * 4, 2 * SLOTS * 4
WAITS = WHOLE = 1
# What a reply says.
DONE, UNKNOWN_KEY, WRONG_SCHEME, WRONG_MESSAGE, FAILED, MALFORMED, PRESENT = range(7)
LIBC = ctypes.CDLL(None, use_errno=True)


def mapped(pid: int, name: str, flags: int) -> tuple[int, int]:
    """A memory that a process has mapped, as a file, and its size."""
    area = next(line.split()[0] for line in open(f"/proc/{pid}/maps") if f"memfd:{name} " in line)
    start, end = (int(number, 16) for number in area.split("-"))
    file = os.open(f"/proc/{pid}/map_files/{area}", flags)
    return file, min(end - start, os.fstat(file).st_size)


def bell_of(pid: int, signer: int) -> int:
    theirs = eventfds(signer)
    bell = next(fd for number, fd in eventfds(pid).items() if number in theirs)
    return LIBC.syscall(PIDFD_GETFD, os.pidfd_open(pid), bell, 0)


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
        self.pid, self.key, self.bell = pid, key, bell_of(pid, signer)
        self.file, self.size = mapped(pid, "mod_tls-requests", os.O_RDWR)
        self.memory = mmap.mmap(self.file, self.size)
        # What it has of this one is for reading.
        self.replies_file, size = mapped(pid, "mod_tls-replies", os.O_RDONLY)
        self.replies = mmap.mmap(self.replies_file, size, prot=mmap.PROT_READ)

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

    def reply(self, slot: int) -> tuple[int, int]:
        """State of a slot's reply, and its length."""
        return struct.unpack("=II", self.replies[slot * REPLY:slot * REPLY + 8])

    def ask(self, frame, slot: int = 0, length: int | None = None) -> int:
        at = REQUESTS + slot * REQUEST
        number = (max(self.word(slot * 4) >> 1, self.reply(slot)[0] >> 12) + 1) % (1 << 20)  # that was not answered yet
        frame = frame(number) if callable(frame) else frame
        self.word(slot * 4, number << 1)
        self.memory[at + 4:at + 4 + min(len(frame), SHORT)] = frame[:SHORT]
        self.word(at, len(frame) if length is None else length)
        self.word(slot * 4, number << 1 | WAITS)
        self.ring()
        return number

    def answer(self, frame, slot: int = 0, seconds: float = 3.0, length: int | None = None) -> tuple[int, bytes]:
        """Status and signature; -1 where none came."""
        number, end = self.ask(frame, slot, length), time.monotonic() + seconds
        while time.monotonic() < end:
            state, length = self.reply(slot)
            if state & 3 == WHOLE and state >> 12 == number:
                start = slot * REPLY + 8
                reply = self.replies[start:start + length]
                return reply[2], reply[8:]
            time.sleep(0.001)
        return -1, b""

    def is_idle(self, slot: int) -> bool:
        asked, (state, _) = self.word(slot * 4), self.reply(slot)
        return not asked & WAITS or (state & 3 == WHOLE and state >> 12 == asked >> 1)

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
                "message": ask(message=b"I owe you 1000"), "version": ask(version=1), "number": self.answer(self.request()(99))[0]}

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
                    at = chance.randrange(0, (self.size if chance.random() < 0.3 else REQUESTS + 16 * REQUEST) // 4) * 4
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
        LIBC.fallocate(self.file, FALLOC_HOLE, ctypes.c_long(0), ctypes.c_long(self.size))
        return came

    def reopen(self):
        """The memories opened anew, for writing, and what is for reading mapped, punched and written: as the child's user."""
        tries = {
            "open requests": lambda: os.open(f"/proc/self/fd/{self.file}", os.O_RDWR),
            "open replies": lambda: os.open(f"/proc/self/fd/{self.replies_file}", os.O_RDWR),
            "map": lambda: mmap.mmap(self.replies_file, 4096),
            "write": lambda: os.pwrite(self.replies_file, b"x", 0),
            "punch": lambda: self.punch(self.replies_file, 4096),
        }
        came = {}
        os.seteuid(USER)
        for name, attempt in tries.items():
            try:
                attempt()
                came[name] = "done"
            except OSError as error:
                came[name] = errno.errorcode[error.errno]
        os.seteuid(0)
        return came

    @staticmethod
    def punch(file: int, size: int):
        if LIBC.fallocate(file, FALLOC_HOLE, ctypes.c_long(0), ctypes.c_long(size)) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")

    def holes(self):
        """Frees all pages that it can write, its page of counts too, without a pause, until somebody ends it: what has them
        mapped waits in a page fault meanwhile."""
        files = [(self.file, self.size), mapped(self.pid, "mod_tls counts", os.O_RDWR)]
        maps = [mmap.mmap(file, size) for file, size in files]

        def punch_on(turn: int):
            file, size = files[turn % 2]
            size = ctypes.c_long(size)
            while True:
                LIBC.fallocate(file, FALLOC_HOLE, ctypes.c_long(0), size)

        def ask_on(_: int):
            while True:
                for memory in maps:
                    memory.madvise(MADV_REMOVE)
                for slot in range(SLOTS):
                    self.ask(self.request(), slot=slot)
                time.sleep(0.01)

        threads = [threading.Thread(target=what, args=(turn,)) for what in (punch_on, punch_on, ask_on) for turn in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def lock(self):
        """Locks of every kind, on all that it has."""
        for file in (self.file, self.replies_file, self.bell):
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

    def number(self, seconds: float = 8.0):
        """After its death: a process that got its number asks with all that it left behind, for so long."""
        while os.path.exists(f"/proc/{self.pid}"):
            time.sleep(0.01)
        theirs, ours = os.pipe()
        if not fork_as(self.pid):
            end, came = time.monotonic() + seconds, set()
            while time.monotonic() < end:
                came |= {self.answer(self.request(), slot=slot, seconds=0.2)[0] for slot in range(4)}
            os.write(ours, json.dumps([os.getpid(), sorted(came)]).encode())
            os._exit(0)
        os.close(ours)
        return json.loads(os.read(theirs, 4096))


def fork_as(pid: int) -> int:
    """fork(2) that gives the new process a number of our choice (clone3(2), set_tid); one thread alone may call it."""
    wanted = (ctypes.c_int32 * 1)(pid)
    arguments = ctypes.create_string_buffer(struct.pack("=11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0), 88)
    forked = LIBC.syscall(CLONE3, arguments, ctypes.c_size_t(88))
    if forked < 0:
        raise OSError(ctypes.get_errno(), "clone3")
    return forked


def main() -> None:
    pid, signer, out, key, *abuses = sys.argv[1:]
    child, results = Child(int(pid), int(signer), bytes.fromhex(key)), {}
    for abuse in abuses or ("honest", "random_bytes", "lengths", "wrong", "flood", "scribble", "bell_storm", "resize", "reopen",
                            "lock", "sockets", "honest", "death"):
        try:
            results[abuse if abuse not in results else f"{abuse} again"] = getattr(child, abuse)()
        except Exception as error:
            results[abuse] = repr(error)
    with open(out, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
