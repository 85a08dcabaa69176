"""What a captured child can do to the signer, and what not: it asks for handshakes' signatures, nothing else works."""
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from harness import process, tls
from harness.agent import agent
from harness.clients import curl
from harness.config import Vhost
from harness.sanitizers import room
from harness.waiting import wait_until

CAPTURED = Path(__file__).parents[1] / "harness" / "captured.py"
DONE, UNKNOWN_KEY, WRONG_SCHEME, WRONG_SHAPE, _FAILED, MALFORMED, _PRESENT = range(7)
NONE = -1


@pytest.fixture
def captured(httpd, ca):
    """A server with a captured child, after what that one did; with what others saw meanwhile."""
    pair = ca.issue("a.test")
    spki = pair.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings = "StartServers 1\nServerLimit 4\nThreadsPerChild 16\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64"
    server = httpd([Vhost("a.test", [pair])], allow=(r"TLS0305",), mpm_settings=settings)
    before = agent(server)
    # A child that serves nobody but one slow client: what the captured child is taken from.
    slow, victim = tls.connect(server.port, ca=ca.file), server.children[0]
    slow.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    server.graceful()
    assert curl(server.port, ca=ca.file).status == 200
    size = process.resident_kib(before.signer)
    came, key = server.home / "came", hashlib.sha256(spki).hexdigest()
    program = subprocess.Popen(["/usr/bin/python3", CAPTURED, str(victim), str(before.signer), came, key])
    served = 0
    while program.poll() is None and served < 2000:
        assert curl(server.port, ca=ca.file).status == 200, "others are served meanwhile"
        served += 1
    assert program.wait(60) == 0
    results = json.loads(came.read_text())
    server.before, server.grown = before, process.resident_kib(before.signer) - size
    return server, pair, results


def verify(pair, signature: str):
    message = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"\x5a" * 32
    try:
        pair.key.public_key().verify(bytes.fromhex(signature), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        pytest.fail("what a child may ask for is signed")


def test_a_captured_child(captured, ca):
    server, pair, results = captured
    for honest in ("honest", "honest again"):
        status, signature = results[honest]
        assert status == DONE, results
        verify(pair, signature)
    assert results["random_bytes"] == [MALFORMED] and results["lengths"] == [MALFORMED]
    assert results["wrong"] == {"key": UNKNOWN_KEY, "role": UNKNOWN_KEY, "scheme": WRONG_SCHEME, "shape": WRONG_SHAPE,
                                "version": MALFORMED, "number": MALFORMED}
    assert (results["flood"], results["scribble"], results["bell_storm"]) == ("asked", "written", "rung")
    assert results["resize"] == ["EPERM"] * 3
    assert results["lock"] == "locked" and results["sockets"] == []
    assert results["death"] == [16, NONE], "what a dead child left behind gets nothing"
    assert agent(server) == server.before, "nothing of this ends it"
    assert server.grown < room(4096), f"the signer grew by {server.grown} KiB"
    lines = wait_until(lambda: server.log.matching("TLS0305"), "a line for the administrator", 30)
    assert "look for a break-in" in lines[0].raw and len(lines) < 200, "bounded"
    for _ in range(8):
        assert curl(server.port, ca=ca.file).status == 200
