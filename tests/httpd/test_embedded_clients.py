# SPDX-License-Identifier: Apache-2.0
"""Clients that ask for short records, that fall back, and servers that trust more CAs than a request has room for: as with mod_ssl."""
import re
import subprocess

import pytest
from harness.clientauth import Clients
from harness.clients import SECONDS, curl, s_client
from harness.config import Vhost
from harness.pkits import pem
from harness.variations import KEY_USAGE, basic, certificate, named

ENGINES = ("mod_ssl", "mod_tls-ssl", "mod_tls")
# Octets that a record may have beyond its plaintext: a type, a nonce and a tag.
AROUND = 32


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("most", [512, 1024, 4096])
@pytest.mark.parametrize("engine", ENGINES)
def test_records_are_no_longer_than_asked_for(httpd, ca, engine, most, version):
    """max_fragment_length (RFC 6066, 4), in the handshake and after it."""
    server = httpd([Vhost("a.test", [ca.issue("a.test", kind="rsa4096")])], engine=engine)
    server.put("docs/a.test/long", b"x" * 20_000)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "a.test", version, "-maxfraglen", str(most), "-msg",
               "-ign_eof"]
    done = subprocess.run(command, input=b"GET /long HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", capture_output=True, timeout=SECONDS)
    text = done.stdout.decode("latin-1")
    headers = re.findall(r"<<< [^\n]*\[length 0005\]\n    (?:14|16|17) 03 0[0-4] (\w\w) (\w\w)", text)
    lengths = [int(high + low, 16) for high, low in headers]
    assert "x" * 400 in text and len(lengths) > 20_000 // most
    assert max(lengths) <= most + AROUND, lengths


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_that_falls_back_is_told_that_it_need_not(httpd, ca, engine):
    """RFC 7507: with TLS 1.3 at hand; where TLS 1.2 is the best there is, which TLS* words cannot say, it is served."""
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], engine=engine, allow=("TLS0402", "AH02008"))
    refused = s_client(server.port, "-tls1_2", "-fallback_scsv", name="a.test")
    assert not refused.done and "inappropriate fallback" in refused.text
    assert s_client(server.port, "-tls1_3", "-fallback_scsv", name="a.test").done
    if engine == "mod_tls":
        return
    oldest = httpd([Vhost("a.test", [ca.issue("a.test")], extra="SSLProtocol TLSv1.2")], engine=engine)
    assert s_client(oldest.port, "-tls1_2", "-fallback_scsv", name="a.test").done


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_names_of_more_authorities_than_a_request_holds(httpd, ca, tmp_path, engine):
    """None are sent and a warning says so; mod_ssl fails each handshake."""
    people = Clients(tmp_path)
    names = [named(f"Authority {number} " + "x" * 100) for number in range(600)]
    many = [certificate(name, "ca", name, "ca", basic(), KEY_USAGE, serial=number + 1) for number, name in enumerate(names)]
    file = tmp_path / "many.pem"
    file.write_bytes(people.ca.pem() + b"".join(pem("CERTIFICATE", one) for one in many))
    words = (f"SSLVerifyClient require\nSSLCACertificateFile {file}" if engine == "mod_tls-ssl"
             else f"TLSClientCertificate required\nTLSClientCA {file}")
    server = httpd([Vhost("a.test", [ca.issue("a.test")], extra=words)], engine=engine, start=False, allow=("TLS0502",))
    told = re.search(r"TLS0502: .*the names of 601 CAs take \d+ octets, more than a request for a certificate holds.*: "
                     r"name fewer by SSLCADNRequestFile \(TLSClientCANames\)", server.run("-t").stderr)
    assert told
    server.start()
    for version in ("--tls-max 1.2", "--tlsv1.3"):
        assert curl(server.port, "/", *version.split(), *people.good, ca=ca.file).status == 200, version
    # What is advised.
    fewer = people.pem(people.ca, "fewer")
    server.write([Vhost("a.test", [ca.issue("a.test")], extra=f"{words}\n{'SSLCADNRequestFile' if engine == 'mod_tls-ssl' else 'TLSClientCANames'} {fewer}")])
    assert "TLS0502" not in server.run("-t").stderr
