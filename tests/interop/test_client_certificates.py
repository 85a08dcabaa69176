# SPDX-License-Identifier: Apache-2.0
"""Client certificates from clients with TLS stacks of their own: Java's, and a browser's over h2."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from harness.browser import document
from harness.clientauth import Clients
from harness.config import Vhost

SECONDS = 120
WORD = b"changeit"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def clients(directory):
    return Clients(directory)


@pytest.fixture(scope="module")
def stored(directory, clients):
    """A client of the CA as PKCS #12."""
    pair = clients.ca.issue("good", client=True)
    file = directory / "good.p12"
    file.write_bytes(pkcs12.serialize_key_and_certificates(
        b"good", pair.key, pair.certificate, None, serialization.BestAvailableEncryption(WORD)))
    return file


@pytest.fixture(scope="module")
def server(shared_httpd, ca, clients):
    made = shared_httpd([Vhost("localhost", [ca.issue("localhost")], extra=f"""TLSClientCA {clients.pem(clients.ca, "client-ca")}
Header always set X-Verify "%{{SSL_CLIENT_VERIFY}}s"
<Location /secure>
TLSClientCertificate required
</Location>
<Files who.shtml>
SetOutputFilter INCLUDES
Options +Includes
TLSOptions +StdEnvVars
</Files>""")], modules=("http2", "include"), config="Protocols h2 http/1.1", start=False, allow=("TLS0514",))
    made.put("docs/localhost/secure/who.shtml", '<p><!--#echo var="SSL_CLIENT_S_DN" -->, <!--#echo var="SSL_CLIENT_VERIFY" -->, '
                                                '<!--#echo var="SSL_ALPN" --></p>\n')
    return made.start()


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK (Debian: openjdk-17-jdk-headless)")
def test_java_presents_its_certificate_where_a_section_asks(server, ca, directory, stored):
    trust = directory / "trust.p12"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", str(ca.file), "-keystore", str(trust),
                    "-storetype", "PKCS12", "-storepass", WORD.decode()], check=True, capture_output=True, timeout=SECONDS)
    urls = [f"https://localhost:{server.port}{path}" for path in ("/", "/secure/who.shtml")]
    done = subprocess.run(["java", str(Path(__file__).with_name("Client.java")), str(trust), str(stored), *urls],
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    expected = [f"{version} {said}" for version in ("TLSv1.2", "TLSv1.3") for said in (
        "certificate 200 SUCCESS", "certificate 200 SUCCESS", "nothing 200 NONE", "nothing 403 NONE")]
    assert done.stdout.splitlines() == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="which certificate Chromium presents is told in /etc, by root")
def test_chromium_presents_its_certificate_where_a_section_asks(server, ca, stored):
    # It opens connections ahead, and closes those that it does not need.
    server.log.allow("TLS0402.*the client closed the connection")
    url = f"https://localhost:{server.port}/secure/who.shtml"
    page = document(url, ca.file, client=(stored, WORD.decode()))
    assert "<p>CN=good, SUCCESS, h2</p>" in page
    assert "403 Forbidden" in document(url, ca.file)
