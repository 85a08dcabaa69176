#!/usr/bin/python3
"""A child of httpd in somebody else's hands. Started by httpd as a piped log, it takes the way to the signer from its
parent (as root it may) and abuses it: captured.py GO OUT KEY-ID. Begins when the file GO is there, writes what came
of each abuse to OUT as JSON, and stays until httpd ends."""
import ctypes
import json
import os
import random
import resource
import socket
import sys
import time

PIDFD_GETFD = 438
SERVER, CLIENT = 0, 1
ECDSA_P256, RSA_PSS = 0x0403, 0x0804
HELLO = bytes([1, 0, 0, 0])
SIGNABLE = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32


def sockets_of(pid: int) -> list[socket.socket]:
    """Copies of the parent's local sockets that keep message borders."""
    handle = os.pidfd_open(pid)
    found = []
    for entry in sorted(os.listdir(f"/proc/{pid}/fd"), key=int):
        if not os.readlink(f"/proc/{pid}/fd/{entry}").startswith("socket:"):
            continue
        copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, handle, int(entry), 0)
        if copy < 0:
            continue
        taken = socket.socket(fileno=copy)
        if taken.family == socket.AF_UNIX and taken.type == socket.SOCK_SEQPACKET:
            found.append(taken)
    return found


def offer(broker: socket.socket, hello: bytes = HELLO, seconds: float = 5.0):
    """A socket of which the signer got the other end, and its welcome (None: there was none)."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    socket.send_fds(broker, [hello], [far.fileno()])
    far.close()
    near.settimeout(seconds)
    try:
        return near, near.recv(16)
    except OSError:
        return near, None


class Signer:
    """The signer as its hostile client sees it."""

    def __init__(self, key: bytes):
        for broker in sockets_of(os.getppid()):
            self.broker = broker
            if offer(broker, seconds=1.0)[1]:
                break
        self.key = key

    def connect(self) -> socket.socket:
        connection, welcome = offer(self.broker)
        assert welcome == bytes([1, 1, 0, 0]), welcome
        return connection

    def request(self, message=SIGNABLE, *, role=SERVER, scheme=ECDSA_P256, key=None, number=7) -> bytes:
        return (bytes([1, 2, role, 0]) + number.to_bytes(4, "big") + scheme.to_bytes(2, "big") + b"\0\0"
                + (key or self.key) + message)

    def answer(self, frame: bytes) -> tuple[int, bytes]:
        """Status and signature; -1 where the connection was cut."""
        connection = self.connect()
        try:
            connection.send(frame)
            reply = connection.recv(4096)
        except OSError:
            reply = b""
        finally:
            connection.close()
        return (reply[2], reply[8:]) if reply else (-1, b"")

    # -- abuses ------------------------------------------------------------------------------------------------------
    def honest(self):
        status, signature = self.answer(self.request())
        return [status, signature.hex()]

    def random_bytes(self):
        chance = random.Random(1)
        return sorted({self.answer(chance.randbytes(chance.randrange(1, 300)))[0] for _ in range(200)})

    def huge(self):
        return [self.answer(self.request(b"x" * size))[0] for size in (513, 66_000, 150_000)]

    def half(self):
        whole = self.request()
        return sorted({self.answer(whole[:length])[0] for length in range(1, 44, 6)})

    def flood(self):
        """Ten thousand requests whose answers nobody reads."""
        connection, sent = self.connect(), 0
        connection.setblocking(False)
        connects = 1
        while sent < 10_000:
            try:
                connection.send(self.request())
                sent += 1
            except BlockingIOError:
                time.sleep(0.0001)
            except OSError:
                connection.close()
                connection = self.connect()
                connection.setblocking(False)
                connects += 1
        connection.close()
        return connects

    def wrong(self):
        return {"key": self.answer(self.request(key=b"\x11" * 32))[0], "role": self.answer(self.request(role=CLIENT))[0],
                "scheme": self.answer(self.request(scheme=RSA_PSS))[0],
                "shape": self.answer(self.request(b"I owe you 1000"))[0]}

    def versions(self):
        return offer(self.broker, bytes([9, 0, 0, 0]))[1][2]

    def grandchild(self):
        """A process that is none of httpd's children, like a CGI program."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, offer(self.broker)[1] or b"\xff" * 4)
            os._exit(0)
        os.waitpid(pid, 0)
        return os.read(reader, 4)[2]

    def stolen(self):
        """A connection of this process, used by another one."""
        connection = self.connect()
        pid = os.fork()
        if pid == 0:
            connection.send(self.request())
            os._exit(0)
        os.waitpid(pid, 0)
        try:
            return len(connection.recv(4096))
        except OSError:
            return 0

    def hoard(self):
        """As many connections as there are to be had."""
        held = []
        while len(held) < 5000:
            connection, welcome = offer(self.broker)
            held.append(connection)
            if not welcome or welcome[2] != 0:
                break
        return [len(held), welcome[2] if welcome else None]


def main() -> None:
    go, out, key = sys.argv[1:]
    while not os.path.exists(go):
        time.sleep(0.02)
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    signer = Signer(bytes.fromhex(key))
    results = {}
    for abuse in ("honest", "random_bytes", "huge", "half", "flood", "wrong", "versions", "grandchild", "stolen", "hoard"):
        try:
            results[abuse] = getattr(signer, abuse)()
        except Exception as error:
            results[abuse] = repr(error)
    with open(f"{out}.part", "w") as file:
        json.dump(results, file)
    os.rename(f"{out}.part", out)
    while sys.stdin.buffer.read(4096):
        pass


main()
