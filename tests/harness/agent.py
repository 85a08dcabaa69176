# SPDX-License-Identifier: Apache-2.0
"""The key agent of a server, and what is found in memory."""
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import process
from .httpd import Httpd
from .sanitizers import unfit
from .waiting import wait_until

SUPERVISOR, SIGNER = "tls-keys", "tls-signer"


@dataclass(frozen=True)
class Agent:
    supervisor: int
    signer: int


def named(parent: int, name: str) -> list[int]:
    return [pid for pid in process.children(parent) if process.name(pid) == name]


def agent(server: Httpd) -> Agent:
    """The agent of a server that runs in the foreground; waits until there is one of each."""
    def find():
        for supervisor in named(server.pid, SUPERVISOR):
            for signer in named(supervisor, SIGNER):
                return Agent(supervisor, signer)
        return None
    return wait_until(find, "a key agent")


def key_id(pair) -> bytes:
    """By which children and signer name a key: a digest of what is public of it."""
    spki = pair.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def secrets(key) -> dict[str, bytes]:
    """Byte strings that nothing but the private key's holder has in memory."""
    found = {}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        parts = {"p": numbers.p, "q": numbers.q, "d": numbers.d, "dmp1": numbers.dmp1, "dmq1": numbers.dmq1}
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        parts = {"scalar": key.private_numbers().private_value}
    else:
        raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                serialization.NoEncryption())
        parts = {"seed": int.from_bytes(raw, "big")}
    for name, number in parts.items():
        length = (number.bit_length() + 7) // 8
        for order in ("big", "little"):
            found[f"{name}, {order}"] = number.to_bytes(length, order)
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        try:
            pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        except ValueError:
            continue  # Ed25519 has no traditional form
        body = pem.splitlines()[1:-1]
        found[f"PEM, {form.name}"] = max(body, key=len)[-40:]
    return found


def holds(pid: int, needles: dict[str, bytes]) -> list[str]:
    """Which of the needles lie in the memory of a process."""
    unfit("they map terabytes of memory, which cannot be searched")
    found = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            area, rights, *rest = line.split()
            if "r" not in rights or rest[-1] in ("[vvar]", "[vsyscall]"):
                continue
            start, end = (int(number, 16) for number in area.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            found |= {name for name, needle in needles.items() if needle in content}
    return sorted(found)
