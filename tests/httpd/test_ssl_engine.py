# SPDX-License-Identifier: Apache-2.0
"""Where TLS is on under SSL* words: every combination of what Listen, ports, SSLEngine and certificates may say, asked of Debian's
mod_ssl and of this module."""
import itertools
import socket
import ssl

import pytest
from harness.config import Vhost

ENGINES = ("mod_ssl", "mod_tls-ssl")
SWITCHES = {"unset": "", "on": "SSLEngine on", "off": "SSLEngine off"}
LISTENS = ("", " https", " http", " HTTPS", " ftp")
# Beyond the table: words for Listen, and the virtual hosts of that address in their order.
FORMS = {
    "wildcard-for-address": ("@P@ https", [("127.0.0.1:@P@", "")]),
    "address-for-wildcard": ("127.0.0.1:@P@ https", [("*:@P@", "")]),
    "any-for-any": ("0.0.0.0:@P@ https", [("*:@P@", "")]),
    "default": ("0.0.0.0:@P@ https", [("_default_:@P@", "")]),
    "every-port": ("127.0.0.1:@P@ https", [("127.0.0.1:*", "")]),
    "two-addresses": ("127.0.0.1:@P@\nListen 127.0.0.2:@P@ https", [("127.0.0.1:@P@ 127.0.0.2:@P@", "")]),
    "two-addresses-turned": ("127.0.0.1:@P@\nListen 127.0.0.2:@P@ https", [("127.0.0.2:@P@ 127.0.0.1:@P@", "")]),
    "first-off": ("127.0.0.1:@P@ https", [("127.0.0.1:@P@", "SSLEngine off"), ("127.0.0.1:@P@", "SSLEngine on")]),
    "first-on": ("127.0.0.1:@P@ https", [("127.0.0.1:@P@", "SSLEngine on"), ("127.0.0.1:@P@", "SSLEngine off")]),
    "first-unset": ("127.0.0.1:@P@ http", [("127.0.0.1:@P@", ""), ("127.0.0.1:@P@", "SSLEngine on")]),
    "protocol-word": ("127.0.0.1:@P@ http", [("127.0.0.1:@P@", "Protocol https")]),
    "protocol-other": ("127.0.0.1:@P@ https", [("127.0.0.1:@P@", "Protocol http")]),
}
FAULTS = ("AH01915", "AH01916", "TLS0114", "TLS0202", "AH01909", "AH10034", "AH02292")


def speaks(address, port):
    """What a connection to it is: TLS, or plain HTTP."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = socket.create_connection((address, port), 15)
    try:
        with context.wrap_socket(raw, server_hostname="x.test") as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n")
            return "TLS " + connection.recv(100).decode().split(" ")[1]
    except ssl.SSLError:
        raw = socket.create_connection((address, port), 15)
        with raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n")
            return "plain " + raw.recv(100).decode().split(" ")[1]


def certificate(home, ca):
    if not (home / "certs/x.crt").exists():
        ca.issue("x.test").write(home / "certs", "x")
    return f"SSLCertificateFile {home}/certs/x.crt\nSSLCertificateKeyFile {home}/certs/x.key"


def numbered(own, rows):
    """An address for each row at which nobody else listens, at port 443 neither; `own` is a port of this test alone."""
    return [(f"127.{64 + (own >> 8) % 128}.{own % 256}.{i + 1}", row) for i, row in enumerate(rows)]


@pytest.mark.parametrize("server_switch, server_certificate", [("unset", False), ("off", False), ("unset", True), ("on", True), ("off", True)])
def test_tls_is_on_where_mod_ssl_has_it_on(httpd, ca, server_switch, server_certificate):
    """SSLEngine on without any certificate starts nowhere, and is tried apart."""
    got = {}
    for engine in ENGINES:
        server = httpd([], engine=engine, modules=("socache_shmcb",), start=False, allow=FAULTS)
        files = certificate(server.home, ca)
        rows = [row for row in itertools.product(LISTENS, SWITCHES, (False, True))
                if row[2] or server_certificate or row[1] != "on"]
        own = server.ports["TLS"]
        places = [(address, port, row) for port in (443, own) for address, row in numbered(own, rows)]
        hosts = [Vhost("x.test", tls=False, address=f"{address}:{port}",
                       extra=SWITCHES[switch] + "\n" + (files if own else "")) for address, port, (_, switch, own) in places]
        server.write(hosts, config="\n".join(
            [f"Listen {address}:{port}{listen}" for address, port, (listen, _, _) in places] +
            [SWITCHES[server_switch], files if server_certificate else ""]))
        server.start()
        got[engine] = {(port == 443, *row): speaks(address, port) for address, port, row in places}
        server.stop()
    assert got["mod_tls-ssl"] == got["mod_ssl"]
    assert {"TLS 200", "plain 200"} == set(got["mod_ssl"].values()) or server_switch == "on"


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_addresses(httpd, ca, form):
    listen, hosts = FORMS[form]
    got = {}
    for engine in ENGINES:
        server = httpd([], engine=engine, modules=("socache_shmcb",), ports=("TLS", "PLAIN", "P"), own_listen=True, start=False,
                       allow=FAULTS)
        files = certificate(server.home, ca)
        server.write([Vhost(f"{'xyz'[i]}.test", tls=False, address=address, extra=f"{words}\n{files}")
                      for i, (address, words) in enumerate(hosts)],
                     config=f"Listen 127.0.0.1:@TLS@\nListen {listen}")
        server.start()
        addresses = ["127.0.0.1"] + (["127.0.0.2"] if "127.0.0.2" in listen else [])
        got[engine] = [speaks(address, server.ports["P"]) for address in addresses]
        if engine == "mod_tls-ssl" and form in ("first-off", "first-unset"):
            server.log.expect("TLS0114.*y.test.*never reached")
        server.stop()
    assert got["mod_tls-ssl"] == got["mod_ssl"]


@pytest.mark.parametrize("where", ["server", "host"])
def test_on_without_a_certificate_starts_nowhere(httpd, where):
    for engine in ENGINES:
        host = Vhost("x.test", tls=False, extra="SSLEngine on" if where == "host" else "")
        server = httpd([host], engine=engine, start=False, modules=("socache_shmcb",),
                       config="SSLEngine on" if where == "server" else "")
        server.expected_exit = None
        server.start_fails()


def test_the_dump_of_policies_says_why(httpd, ca):
    server = httpd([], engine="mod_tls-ssl", ports=("TLS", "PLAIN"), own_listen=True, start=False)
    server.write([Vhost("x.test", tls=False, address="127.0.0.1:@TLS@", extra=certificate(server.home, ca))],
                 config="Listen 127.0.0.1:@TLS@ https")
    assert "engine on, since its port is for https" in " ".join(server.run("-t", "-D", "DUMP_TLS").stdout.split())
