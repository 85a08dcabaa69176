# SPDX-License-Identifier: Apache-2.0
"""A virtual host has one name, "ServerName:port", in every line of the log, under -t, in dumps and on the status page."""
import re

import pytest
from harness import metrics, wire
from harness.config import Vhost

# Each of these words has a finding of another kind, by another part of the module.
WRONG = r"""
TLSClientCertificate required
TLSClientCA "@HOME@/mixed.pem"
TLSClientRecheck on
TLSKeyPassphrase exec:@HOME@/no-such-program
Protocols h2 http/1.1
<Location /named>
TLSUserName NO_SUCH_VARIABLE
TLSClientCertificate required
</Location>
"""
MAIN_SERVER = """
TLSKeyPassphrase exec:@HOME@/no-such-program
TLSClientCA "@HOME@/none.pem"
<Location /named>
TLSUserName NO_SUCH_VARIABLE
</Location>
"""


def names(text: str) -> dict[str, set[str]]:
    """What each message calls virtual hosts."""
    found: dict[str, set[str]] = {}
    for number, name in re.findall(r"(TLS\d{4}): [^\n]*?virtual host (\S+?)[:,;)]?(?= |$)", text, re.M):
        found.setdefault(number, set()).add(name)
    return found


def test_every_line_calls_it_alike(httpd, ca):
    pair = ca.issue("other.test")
    server = httpd([Vhost("a.test", [pair], extra=WRONG)], start=False, allow=("TLS0", "AH"))
    server.put("mixed.pem", ca.file.read_bytes() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    label = f"a.test:{server.port}"
    said = names(server.run("-t").stderr)
    assert {"TLS0114", "TLS0118", "TLS0119", "TLS0202", "TLS0502"} <= said.keys(), said
    assert set().union(*said.values()) == {label}, said
    assert label in server.run("-t", "-D", "DUMP_TLS").stdout


@pytest.mark.parametrize("written, called", [("", "base.test"), ("ServerName base.test:8443", "base.test:8443")])
def test_the_main_server_is_called_as_the_others(httpd, ca, written, called):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], start=False, allow=("TLS0", "AH"), config=MAIN_SERVER + written)
    said = names(server.run("-t").stderr)
    assert {number for number, found in said.items() if called in found} == {"TLS0113", "TLS0114", "TLS0119"}, said
    assert set().union(*said.values()) == {called, f"a.test:{server.port}"}, said


def test_the_status_page_and_failed_handshakes(httpd, ca):
    server = httpd([Vhost("a.test", [ca.issue("a.test")])], modules=(*metrics.MODULES, "authz_host"), config=metrics.LOCATIONS + "\nTLSMetrics hosts")
    label = f"a.test:{server.port}"
    assert wire.exchange(server.port, wire.Hello("nobody.test").record()).alerts == ["unrecognized_name"]
    server.log.expect(f"TLS0402: .*; virtual host {label}\\)")
    assert f'"{label}"' in metrics.get(server, "?format=json") and f'host="{label}"' in metrics.get(server, "?format=prometheus")
