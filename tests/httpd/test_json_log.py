# SPDX-License-Identifier: Apache-2.0
"""The access log in JSON: every line is JSON and says what was sent, whatever a visitor sends."""
import json
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from harness import tls
from harness.clientauth import Clients
from harness.clients import curl
from harness.config import Vhost
from harness.ja4 import fingerprint, hello_of
from harness.waiting import wait_until

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "logging" / "json.conf"
LOG = f'Include "{EXAMPLE}"\nCustomLog "@HOME@/access.json" tls_json'
# What is the same in every line, or has lines of its own, or stands in the line under another name.
LEFT_OUT = re.compile("HTTPS|SSL_CIPHER_EXPORT|SSL_CIPHER_ALGKEYSIZE|SSL_SECURE_RENEG|SSL_COMPRESS_METHOD|SSL_VERSION_.*|SSL_SRP_.*|"
                      "SSL_x_M_VERSION|SSL_x_CERT|SSL_CLIENT_CERT_CHAIN_n|SSL_CLIENT_CERT_RFC4523_CEA|SSL_x_I_DN_.*|"
                      "SSL_SERVER_SAN_OTHER_dnsSRV_n")


@pytest.fixture
def clients(tmp_path):
    return Clients(tmp_path)


@pytest.fixture
def server(httpd, ca, clients):
    return httpd([Vhost("a.test", [ca.issue("a.test")], extra="TLSStrictSNI off\nTLSClientCertificate optional\n"
                                                               f"TLSClientCA {clients.pem(clients.ca, 'clients')}")],
                 config=LOG)


def lines(server, count: int = 1) -> list[dict]:
    """Each line as JSON; a key that stands twice in it is a fault."""
    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    def there():
        log = server.home / "access.json"
        text = log.read_bytes().decode() if log.exists() else ""    # UTF-8, or it is none
        return text.splitlines() if text.count("\n") >= count else None
    return [json.loads(line, object_pairs_hook=unique) for line in wait_until(there, f"{count} lines")]


def test_what_an_ordinary_request_says(server):
    using = tls.context(version="1.3", alpn=["http/1.1"])
    with tls.connect(server.port, using=using) as connection:
        connection.sendall(tls.request("/index.html?q=1", headers=("Connection: close", "User-Agent: test")))
        assert tls.Reader(connection).response()[0] == 200
    [said] = lines(server)
    assert (said["status"], said["method"], said["uri"], said["query"], said["agent"], said["user"]) == (
        200, "GET", "/index.html", "q=1", "test", None)
    about = said["tls"]
    assert (about["sni"], about["protocol"], about["alpn"], about["session"], about["verify"]) == (
        "a.test", "TLSv1.3", "http/1.1", "Initial", "NONE")
    assert (about["ja4"], about["ja4_r"]) == fingerprint(hello_of(using, "a.test"))
    assert about["hello_versions"] == "0304" and about["hello_alpn"] == "http/1.1" and about["ech"] == "not attempted"
    assert about["client_subject"] is None and "a.test" in about["server_subject"] and int(about["handshake_ms"]) >= 0


def test_a_request_in_the_clear_has_no_words_on_tls(server):
    assert curl(server.plain_port, "/", scheme="http").status == 200
    [said] = lines(server)
    assert said["status"] == 200 and set(said["tls"].values()) == {None}


HOSTILE = ['quote".test', "back\\slash", "}{\\\"", "\\u0022", "\\x22", "\x01\x1f", "tab\there", "\x7fdel", "caf\u00e9"]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_names_and_protocols_that_visitors_make_up(server, version):
    """In SNI and ALPN, as a client of its own would send them."""
    for text in HOSTILE:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-servername", text,
                               "-alpn", f"{text},http/1.1", "-ign_eof"], capture_output=True, timeout=30, check=False,
                              input=b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 " in done.stdout, (text, done.stderr)
    for text, said in zip(HOSTILE, lines(server, len(HOSTILE)), strict=True):
        printable = text.isascii() and text.isprintable()
        assert said["tls"]["sni"] == (text.lower() if printable else None), text
        offered = text if printable else "0x" + text.encode().hex()
        assert said["tls"]["hello_alpn"] == f"{offered},http/1.1", text


def test_requests_that_visitors_make_up(server):
    fields = [b'"', b"\\", b"\xff\xfe", "caf\u00e9 \u65e5".encode(), b"\x7f", b'","status":200,"x":"']
    for field in fields:
        with tls.connect(server.port) as connection:
            connection.sendall(b"GET /" + b"".join(b"%%%02x" % octet for octet in field) + b' HTTP/1.1\r\nHost: a.test\r\nUser-Agent: '
                               + field.replace(b"\x7f", b"del") + b"\r\nConnection: close\r\n\r\n")
            tls.Reader(connection).rest()
    for field, said in zip(fields, lines(server, len(fields)), strict=True):
        text = field.decode(errors="replace")
        assert said["status"] in (400, 403, 404) and said["agent"] == text.replace("\x7f", "del")
        if said["status"] != 400:
            assert said["uri"] == "/" + text


def test_certificates_that_visitors_make_up(server, clients):
    subjects = [("common", 'quote" back\\slash \x01\x1f\x7f caf\u00e9 \u65e5', None), ("latin", "caf\u00e9", _ASN1Type.T61String),
                ("lines", "a\nb\r\n{\"status\":200}", None)]
    for name, text, kind in subjects:
        attribute = x509.NameAttribute(NameOID.COMMON_NAME, text, *([kind] if kind else []))
        options = clients.write(name, clients.ca.issue(name, client=True, subject=x509.Name([attribute])))
        assert curl(server.port, "/", *options).status == 200
    said = [line["tls"] for line in lines(server, len(subjects))]
    assert [one["verify"] for one in said] == ["SUCCESS"] * len(subjects)
    assert said[0]["client_name"] == 'quote" back\\\\slash \\01\\1F\\7F caf\u00e9 \u65e5', "as mod_ssl writes it"
    assert all(one["client_subject"] and one["client_serial"] and one["client_until"] for one in said)


def test_every_variable_that_has_something_to_say_is_in_it():
    table = (ROOT / "src" / "report" / "variables.def").read_text()
    known = re.findall(r'^TLS_(?:VARIABLE\(\w+, |CERTIFICATE_VARIABLE\()"([^"]+)"', table, re.M)
    shown = set(re.findall(r"%\{(\w+)\}\^js", EXAMPLE.read_text()))
    for name in known:
        forms = {name.replace("*x509*", "CN").replace("_n", "_0").replace("SSL_x_", side) for side in ("SSL_CLIENT_", "SSL_SERVER_")}
        assert bool(forms & shown) != bool(LEFT_OUT.fullmatch(name)), name
    assert len(known) >= 50
