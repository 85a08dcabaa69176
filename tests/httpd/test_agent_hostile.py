"""What a captured child can do to the signer, and what not: it asks for handshakes' signatures, nothing else works."""
import hashlib
import json
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness import process
from harness.agent import agent
from harness.clients import curl
from harness.config import Vhost
from harness.sanitizers import room
from harness.waiting import wait_until

CAPTURED = Path(__file__).parents[1] / "harness" / "captured.py"
DONE, UNKNOWN_KEY, WRONG_SCHEME, WRONG_SHAPE, _FAILED, REFUSED, OTHER_VERSION = range(7)
CUT = -1


@pytest.fixture
def captured(httpd, ca):
    """A server with a captured child, after what that one did; with what others saw meanwhile."""
    pair = ca.issue("a.test")
    spki = pair.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    server = httpd([Vhost("a.test", [pair])], start=False, allow=(r"TLS0305",))
    program = f'"|/usr/bin/python3 {CAPTURED} {server.home}/go {server.home}/came {hashlib.sha256(spki).hexdigest()}" "%v"'
    server.write(config=f"CustomLog {program}")
    server.start()
    before = agent(server)
    assert curl(server.port, ca=ca.file).status == 200
    size = process.resident_kib(before.signer)
    server.put("go", "")
    slowest, served = 0.0, 0
    while not (server.home / "came").exists() and served < 600:
        begun = time.monotonic()
        assert curl(server.port, ca=ca.file).status == 200, "others are served meanwhile"
        slowest, served = max(slowest, time.monotonic() - begun), served + 1
    results = wait_until(lambda: (server.home / "came").exists() and json.loads((server.home / "came").read_text()),
                         "the captured child", 60)
    server.before, server.grown = before, process.resident_kib(before.signer) - size
    return server, pair, results


def test_a_captured_child(captured, ca):
    server, pair, results = captured
    status, signature = results["honest"]
    assert status == DONE
    message = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32
    try:
        pair.key.public_key().verify(bytes.fromhex(signature), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        pytest.fail("what a child may ask for is signed")
    assert results["random_bytes"] == [CUT] and results["half"] == [CUT]
    assert results["huge"] == [CUT] * 3
    assert isinstance(results["flood"], int), results["flood"]
    assert results["wrong"] == {"key": UNKNOWN_KEY, "role": UNKNOWN_KEY, "scheme": WRONG_SCHEME, "shape": WRONG_SHAPE}
    assert results["versions"] == OTHER_VERSION
    assert results["grandchild"] == REFUSED
    assert results["stolen"] == 0
    held, why = results["hoard"]
    assert held <= 2 * 16 + 16 + 1 and why == REFUSED, "connections are counted by process"
    assert agent(server) == server.before, "nothing of this ends it"
    assert server.grown < room(4096), f"the signer grew by {server.grown} KiB"
    lines = wait_until(lambda: server.log.matching("TLS0305"), "a line for the administrator", 30)
    assert "look for a break-in" in lines[0].raw and len(lines) < 200, "bounded"
    assert curl(server.port, ca=ca.file).status == 200
