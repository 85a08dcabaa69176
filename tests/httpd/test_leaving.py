# SPDX-License-Identifier: Apache-2.0
"""When processes of the module leave: after a restart that takes the module away, where it is installed as the package does
it and mod_ssl serves from there on; and not where children are missing for another reason."""
import os
import signal
import subprocess
import time

import pytest
from harness import process, sanitizers
from harness.agent import agent
from harness.clients import curl
from harness.config import Vhost
from harness.paths import MODULES, ROOT, mod_tls_so
from harness.responder import Responder
from harness.waiting import wait_until

pytestmark = pytest.mark.skipif(sanitizers.PRESENT, reason="the runtime of a sanitizer does not go with libraries that are unloaded")


def in_words_of_mod_ssl(line: str) -> str:
    match line.split():
        case ["LoadModule", "tls_module", _]:
            return f"LoadModule ssl_module {MODULES}/mod_ssl.so"
        case ["TLSEngine" | "TLSFetchLocal", *_]:
            return ""
        case ["TLSCertificate", certificate, key]:
            return f"SSLEngine on\nSSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}"
    return line


def ours(server) -> set[str]:
    """Processes of the module below httpd's first one, and theirs."""
    found, todo = set(), [server.pid]
    while todo:
        below = process.children(todo.pop())
        todo += below
        found |= {process.name(pid) for pid in below}
    return {name for name in found if name.startswith("tls-")}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_mod_ssl_takes_over_at_a_restart(httpd, ca, how, request):
    responder = Responder(ca.intermediate("An authority that answers"))
    request.addfinalizer(responder.end)
    server = httpd([Vhost("a.test", [responder.issue("a.test")])], config="TLSFetchLocal on", start=False)
    stub = server.home / "mod_tls.so"
    subprocess.run([str(ROOT / "tools/stub.sh"), str(mod_tls_so()), str(stub)], check=True)
    text = server.conf.read_text()
    loaded = next(line.split()[2] for line in text.splitlines() if line.startswith("LoadModule tls_module"))
    server.conf.write_text(text.replace(loaded, str(stub)))
    server.start()
    for _ in range(2):
        assert curl(server.port, ca=ca.file).status == 200
        server.graceful()
    server.conf.write_text("\n".join(map(in_words_of_mod_ssl, server.conf.read_text().splitlines())) + "\n")
    getattr(server, how)()
    server.log.allow("AH01882", "AH01873", "AH01906", "AH01909")
    assert curl(server.port, ca=ca.file).status == 200
    assert "OpenSSL" in server.log.text()
    # Nobody in httpd knows of these any more: they see for themselves that they serve nobody, and nobody makes new ones.
    assert ours(server) == {"tls-keys", "tls-signer", "tls-fetch"}
    wait_until(lambda: not ours(server), "the module's processes to end", 150)
    time.sleep(3)  # httpd looks for processes that have ended once a second
    assert not ours(server) and curl(server.port, ca=ca.file).status == 200


@pytest.mark.slow
def test_without_children_for_a_while_the_keys_stay(httpd, ca, request):
    """Somebody has killed all children, and httpd makes no new ones for more than a minute, as where no process can be made
    (here it is stopped): pass phrases would be lost with the process that knows them."""
    responder = Responder(ca.intermediate("An authority that answers"))
    request.addfinalizer(responder.end)
    server = httpd([Vhost("a.test", [responder.issue("a.test")])], config="TLSFetchLocal on", allow=("AH00052",))
    for _ in range(2):
        assert curl(server.port, ca=ca.file).status == 200
        server.graceful()
    before = agent(server)
    fetcher = next(pid for pid in process.children(server.pid) if process.name(pid) == "tls-fetch")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for child in server.children:
            os.kill(child, signal.SIGKILL)
        time.sleep(66)
        assert process.alive(before.supervisor) and process.alive(before.signer) and process.alive(fetcher)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    wait_until(lambda: curl(server.port, ca=ca.file).status == 200, "new children", 30)
    assert agent(server) == before
