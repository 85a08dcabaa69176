# SPDX-License-Identifier: Apache-2.0
"""Ten thousand damaged client certificates: an alert or a verdict each time, and the server stands as before."""
import json
import ssl
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from harness import process
from harness.clientauth import Clients, authority, verify
from harness.clients import curl
from harness.config import Vhost
from harness.corpus import Corpus
from harness.rustls_client import binary

CONNECTIONS = 2500


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["optional_no_ca", "sections"])
def test_damaged_certificates_do_no_harm(httpd, ca, tmp_path, mode, version):
    corpus, clients = Corpus(), Clients(tmp_path)
    words = {"optional_no_ca": verify("mod_tls", "optional_no_ca"),
             "sections": f"<Location />\n{verify('mod_tls', 'require')}\n</Location>"}[mode]
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=f"""{words}
{authority("mod_tls", "@HOME@/client-ca.pem")}
TLSOptions +StdEnvVars +ExportCertData
Header always set X-DN "%{{SSL_CLIENT_S_DN}}s %{{SSL_CLIENT_SAN_DNS_0}}s" """)], start=False,
                   mpm_settings="ServerLimit 1\nStartServers 1\nThreadsPerChild 16\nMinSpareThreads 1\nMaxSpareThreads 8\nMaxRequestWorkers 16")
    server.put("client-ca.pem", ssl.DER_cert_to_PEM_cert(corpus.ca).encode() + clients.ca.pem())
    server.start()
    server.log.allow("TLS040|TLS0517")
    mine = [entry for entry in corpus.entries if entry.key is corpus.key]
    (tmp_path / "all.pem").write_text("".join(ssl.DER_cert_to_PEM_cert(entry.der) for entry in mine))
    (tmp_path / "all.key").write_bytes(corpus.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    children = server.children
    before = sum(map(process.cpu_seconds, children))
    done = subprocess.run([binary(), f"127.0.0.1:{server.port}", "--sni", "a.test", "--ca", str(ca.file), "--cert",
                           str(tmp_path / "all.pem"), "--key", str(tmp_path / "all.key"), "--damage", "7", "--versions",
                           version, "--connections", str(CONNECTIONS), "--quiet", "--timeout", "20"],
                          capture_output=True, text=True, timeout=550)
    assert done.returncode in (0, 1), done.stderr
    assert "timed out" not in done.stdout and "WouldBlock" not in done.stdout
    assert server.children == children
    # Nothing that a certificate holds makes the server think for long: a good handshake takes about a millisecond of the
    # CPU. Work is counted by the tests of rust/core/src/verify; here it is what remains unseen that is looked for.
    assert sum(map(process.cpu_seconds, children)) - before < CONNECTIONS * 0.02
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["connections"] + summary["failures"] >= CONNECTIONS, summary
    assert curl(server.port, "/", *clients.good, ca=ca.file).status == 200
