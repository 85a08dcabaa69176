# SPDX-License-Identifier: Apache-2.0
"""Encrypted private keys in every form that openssl writes, opened in SSL* words by the same dialog as with mod_ssl."""
import subprocess

import pytest
from harness.clients import curl
from harness.config import Vhost

PHRASE = "a test phrase with spaces"
# Options of `openssl pkcs8 -topk8`, or of `openssl rsa|ec` for the traditional form.
PKCS8 = {
    "aes128": ["-v2", "aes-128-cbc"], "aes192": ["-v2", "aes-192-cbc"], "aes256": ["-v2", "aes-256-cbc"], "des3": ["-v2", "des3"],
    "prf1": ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"], "prf384": ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"],
    "prf512": ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"], "scrypt": ["-scrypt"],
    "scrypt128": ["-scrypt", "-scrypt_N", "2048", "-v2", "aes-128-cbc"],
}
TRADITIONAL = {"rsaaes256": ("rsa", "-aes256"), "rsaaes128": ("rsa", "-aes128"), "rsades3": ("rsa", "-des3"), "ecaes256": ("ec", "-aes256"),
               "ecdes3": ("ec", "-des3"), "ecaes192": ("ec", "-aes192")}
NAMES = [*PKCS8, *TRADITIONAL]


def encrypted(key: bytes, name: str) -> bytes:
    if name in PKCS8:
        command = ["openssl", "pkcs8", "-topk8", *PKCS8[name]]
    else:
        kind, cipher = TRADITIONAL[name]
        command = ["openssl", kind, cipher, *(["-traditional"] if kind == "rsa" else [])]
    done = subprocess.run([*command, "-passout", f"pass:{PHRASE}"], input=key, capture_output=True, check=True)
    assert (b"ENCRYPTED PRIVATE KEY" if name in PKCS8 else b"Proc-Type: 4,ENCRYPTED") in done.stdout
    return done.stdout


@pytest.fixture(scope="module", params=["mod_ssl", "mod_tls-ssl"])
def server(request, shared_httpd, ca):
    server = shared_httpd([], engine=request.param, start=False, allow=("AH01882|AH01873",))
    hosts = []
    for name in NAMES:
        pair = ca.issue(f"{name}.test", kind="rsa2048" if name.startswith("rsa") else "p256")
        server.put(f"certs/{name}.crt", pair.certificate_pem(), 0o600)
        server.put(f"certs/{name}.key", encrypted(pair.key_pem(), name), 0o600)
        hosts.append(Vhost(f"{name}.test", tls=False, extra=f"""SSLEngine on
SSLCertificateFile certs/{name}.crt
SSLCertificateKeyFile certs/{name}.key"""))
    ask = server.put("ask", f'#!/bin/sh\necho "$#:$*" >> {server.home}/asked\necho "{PHRASE}"\n', 0o755)
    server.write(hosts, config=f"SSLPassPhraseDialog exec:{ask}")
    return server.start()


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_this_form_are_opened(server, ca, name):
    assert curl(server.port, name=f"{name}.test", ca=ca.file).body == f"{name}.test\n".encode()


def test_the_program_is_asked_once_with_two_words_and_not_again(server, ca):
    asked = (server.home / "asked").read_text().splitlines()
    assert len(asked) == 1 and asked[0].startswith("2:") and asked[0].endswith(".test:443 RSA"), asked
    server.graceful()
    assert curl(server.port, name="aes256.test", ca=ca.file).status == 200
    assert (server.home / "asked").read_text().splitlines() == asked
