# SPDX-License-Identifier: Apache-2.0
"""The three cases of t/ssl/ocsp.t in httpd's own test framework: nobody's certificate, one that the responder knows as good,
and one that was revoked. As there, the responder is a CGI program of the same server, asked as the default one in the
clear: it has `openssl ocsp` answer from the index of the CA and sign with the server's own certificate, which has no
purpose for that and is believed because SSLOCSPResponderCertificateFile names it."""
import shutil

import pytest
from harness.certs import Authority
from harness.clients import curl, s_client
from harness.config import Vhost

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")

CGI = """#!/bin/sh
out=$(mktemp)
in=$(mktemp)
cat > "$in"
openssl ocsp -CA @HOME@/asf/ca.crt -index @HOME@/asf/index.txt -rsigner @HOME@/asf/server.crt \\
  -rkey @HOME@/asf/server.pem -reqin "$in" -respout "$out" >/dev/null 2>&1 || exit 1
printf 'Content-Type: application/ocsp-response\\r\\n\\r\\n'
cat "$out"
rm -f "$in" "$out"
"""
WORDS = """SSLVerifyClient on
SSLVerifyDepth 10
SSLCACertificateFile @HOME@/asf/ca.crt
SSLOCSPEnable on
SSLOCSPDefaultResponder http://localhost:@PLAIN@/modules/ssl/ocsp
SSLOCSPResponderCertificateFile @HOME@/asf/server.crt
SSLCARevocationCheck none"""


def index_line(pair, revoked: bool) -> str:
    """As ca(1) writes it: state, end, when revoked, serial number in whole octets, file, subject."""
    end = pair.certificate.not_valid_after.strftime("%y%m%d%H%M%SZ")
    number = pair.certificate.serial_number
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big").hex().upper()
    return "\t".join(["R" if revoked else "V", end, "200101000000Z" if revoked else "", octets, "unknown", "/CN=x"]) + "\n"


@pytest.mark.parametrize("engine", ["mod_ssl", "mod_tls-ssl"])
def test_the_three_cases(httpd, tmp_path, engine):
    asf = Authority("ASF")
    served = asf.issue("localhost")
    clients = {name: asf.issue(name, client=True) for name in ("client_ok", "client_revoked")}
    files = {}
    for name, pair in clients.items():
        crt, key = pair.write(tmp_path, name)
        files[name] = ("--cert", str(crt), "--key", str(key))
    server = httpd([Vhost("localhost", [served], extra=WORDS)], engine=engine, modules=("cgi",), start=False,
                   config='ScriptAlias /modules/ssl/ocsp "@HOME@/cgi/ocsp"', allow=(r"AH\d+|\[ssl:", "TLS0"))
    index = index_line(clients["client_ok"], False) + index_line(clients["client_revoked"], True)
    server.put("asf/index.txt", index)
    server.put("asf/ca.crt", asf.pem())
    server.put("asf/server.crt", served.certificate_pem())
    server.put("asf/server.pem", served.key_pem())
    server.put("cgi/ocsp", server.fill(CGI), 0o755)
    server.start()

    def status(client=()):
        return curl(server.port, "/", *client, name="localhost").status
    assert status() == 0
    assert status(files["client_ok"]) == 200
    assert status(files["client_revoked"]) == 0
    crt, key = files["client_revoked"][1], files["client_revoked"][3]
    text = s_client(server.port, "-cert", crt, "-key", key, "-ign_eof", name="localhost", send=b"GET / HTTP/1.0\r\n\r\n").text
    assert "certificate revoked" in text and "200 OK" not in text
