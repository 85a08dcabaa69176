# SPDX-License-Identifier: Apache-2.0
"""A machine whose httpd has mod_ssl, and mod-tls-switch at work on it."""
import re

import pytest

from . import sanitizers
from .machine import Machine
from .paths import ROOT, mod_tls_so
from .waiting import wait_until

SWITCH = ROOT / "packaging/mod-tls-switch"
needs_machine = [
    pytest.mark.skipif(not Machine.is_possible(), reason="it changes /etc/apache2 as root: that needs a mount namespace"),
    pytest.mark.skipif(sanitizers.PRESENT, reason="apache2ctl starts httpd without the sanitizers' runtime")]
SITE = """<VirtualHost *:443>
ServerName a.test
DocumentRoot /var/www
SSLEngine on
SSLCertificateFile /etc/apache2/a.pem
SSLCertificateKeyFile /etc/apache2/a.key
Header always set X-Library "expr=%{{SSL_VERSION_LIBRARY}}"
{extra}
</VirtualHost>
"""


def administration(machine: Machine) -> None:
    """A list of diversions of its own."""
    admin = machine.path("/var/lib/apache2/dpkg")
    admin.mkdir()
    for name in ("diversions", "status"):
        (admin / name).touch()


def serving(machine: Machine):
    """For a fixture: a site of mod_ssl that answers, and its end."""
    machine.path("/etc/apache2/sites-available/a.test.conf").write_text(SITE.format(extra=""))
    machine.path("/etc/apache2/conf-available/test.conf").write_text("ServerName machine.test\n")
    machine.path("/var/www/index.html").write_text("hello\n")
    administration(machine)
    done = machine.run("sh", "-ec", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a.test "
                       "-addext subjectAltName=DNS:a.test -days 3 -keyout /etc/apache2/a.key -out /etc/apache2/a.pem; "
                       "a2enmod -q headers ssl; a2enconf -q test; a2dissite -q 000-default; a2ensite -q a.test; apache2ctl start")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: library(machine) is not None, "httpd to answer")
    yield machine
    machine.run("apache2ctl", "stop")
    wait_until(lambda: not machine.path("/run/apache2/apache2.pid").exists(), "httpd to stop")
    machine.stop()


def switch(machine: Machine, *words: str, program=SWITCH, **environment: str):
    """mod-tls-switch, with a list of diversions of the machine's own."""
    return machine.run(str(program), *words, env={"MOD_TLS_SO": str(mod_tls_so()), "DPKG_ADMINDIR": "/var/lib/apache2/dpkg"} | environment)


def library(machine: Machine, port: int = 443) -> str | None:
    """Whose module answers there."""
    done = machine.run("curl", "-ski", "--resolve", f"a.test:{port}:127.0.0.1", f"https://a.test:{port}/")
    found = re.search(r"(?im)^x-library: (\w+)", done.stdout)
    return found and found[1]
