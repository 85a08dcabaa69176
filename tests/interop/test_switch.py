# SPDX-License-Identifier: Apache-2.0
"""mod-tls-switch on a Debian of its own: there, back, and back by itself where the server would not answer."""
import re
import shutil
import subprocess

import pytest
from harness import sanitizers
from harness.machine import Machine
from harness.paths import ROOT, mod_tls_so, passable
from harness.waiting import wait_until

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


@pytest.fixture
def machine(tmp_path_factory):
    home = passable(tmp_path_factory.mktemp("switch"))
    machine = Machine(home).start()
    machine.path("/etc/apache2/sites-available/a.test.conf").write_text(SITE.format(extra=""))
    machine.path("/etc/apache2/conf-available/test.conf").write_text("ServerName machine.test\n")
    machine.path("/var/www/index.html").write_text("hello\n")
    admin = machine.path("/var/lib/apache2/dpkg")
    admin.mkdir()
    for name in ("diversions", "status"):
        (admin / name).touch()
    done = machine.run("sh", "-ec", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a.test "
                       "-addext subjectAltName=DNS:a.test -days 3 -keyout /etc/apache2/a.key -out /etc/apache2/a.pem; "
                       "a2enmod -q headers ssl; a2enconf -q test; a2dissite -q 000-default; a2ensite -q a.test; apache2ctl start")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: library(machine) is not None, "httpd to answer")
    yield machine
    machine.run("apache2ctl", "stop")
    wait_until(lambda: not machine.path("/run/apache2/apache2.pid").exists(), "httpd to stop")
    machine.stop()
    shutil.rmtree(home)


def switch(machine, *words):
    return machine.run(str(SWITCH), *words, env={"MOD_TLS_SO": str(mod_tls_so()), "DPKG_ADMINDIR": "/var/lib/apache2/dpkg"})


def library(machine):
    done = machine.run("curl", "-ski", "--resolve", "a.test:443:127.0.0.1", "https://a.test/")
    found = re.search(r"(?im)^x-library: (\w+)", done.stdout)
    return found and found[1]


class TestSwitch:
    pytestmark = needs_machine

    def test_there_and_back(self, machine):
        load = machine.path("/etc/apache2/mods-available/ssl.load")
        original = load.read_text()
        assert library(machine) == "OpenSSL"
        assert "ssl_module is mod_ssl; it is enabled; httpd is running" in switch(machine, "status").stdout
        done = switch(machine, "to-rustls")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "mod_tls is in mod_ssl's place" in done.stdout and "answer as before" in done.stdout
        assert library(machine) == "rustls"
        assert "ssl_module is mod_tls" in switch(machine, "status").stdout
        assert switch(machine, "to-rustls").stdout.startswith("mod_tls is in mod_ssl's place already")
        # An update of apache2 writes to where the diversion says, so that ours stays.
        aside = load.with_name("ssl.load.mod_ssl")
        assert aside.read_text() == original
        done = switch(machine, "to-openssl")
        assert done.returncode == 0, done.stderr
        assert library(machine) == "OpenSSL"
        assert load.read_text() == original and not aside.exists()
        assert machine.path("/var/lib/apache2/dpkg/diversions").read_text() == ""

    def test_what_stops_the_start_is_said_first(self, machine):
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        site.write_text(SITE.format(extra="SSLCipherSuite AES128-SHA\nSSLProtocol TLSv1.2"))
        done = switch(machine, "to-rustls")
        assert done.returncode == 1
        assert "a.test.conf:" in done.stdout and "Nothing was changed" in done.stderr
        assert library(machine) == "OpenSSL"
        assert not machine.path("/etc/apache2/mods-available/ssl.load.mod_ssl").exists()

    def test_a_server_that_does_not_answer_any_more_goes_back_by_itself(self, machine):
        """A configuration that httpd takes, under which nobody listens on 443 once the module has changed."""
        machine.path("/etc/apache2/conf-available/test.conf").write_text(
            "ServerName machine.test\nDefine here 443\n<IfFile /etc/apache2/mods-available/ssl.load.mod_ssl>\n"
            "Define here 4443\n</IfFile>\nListen ${here}\n")
        machine.path("/etc/apache2/ports.conf").write_text("Listen 80\n")
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        site.write_text(site.read_text().replace("*:443", "*:${here}"))
        done = switch(machine, "to-rustls")
        assert done.returncode == 1, done.stdout
        assert ":443" in done.stderr and done.stderr.endswith("Everything is as it was before.\n"), done.stderr
        assert library(machine) == "OpenSSL"
        assert not machine.path("/etc/apache2/mods-available/ssl.load.mod_ssl").exists()


def report(tmp_path, text):
    log = tmp_path / "tls-watch.log"
    log.write_text(text)
    return subprocess.run([SWITCH, "report", log], capture_output=True, text=True)


def test_the_report_counts_who_would_be_lost(tmp_path):
    done = report(tmp_path, "".join(f"{line}\n" for line in (
        "TLSv1.3 TLS_AES_256_GCM_SHA384 a.test 192.0.2.1 Mozilla/5.0 (X11)",
        "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 a.test 192.0.2.2 curl/8",
        "TLSv1.2 ECDHE-RSA-AES256-SHA384 b.test 192.0.2.3 old thing",
        "TLSv1.2 AES128-SHA b.test 192.0.2.3 old thing",
        "TLSv1.1 ECDHE-RSA-AES256-SHA - 192.0.2.4 older thing",
        "TLSv1.2 DHE-RSA-AES256-GCM-SHA384 b.test 192.0.2.5 java")))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("6 requests, 4 (66.67 %)")
    for line in ("TLSv1.1: older than TLS 1.2: 1 requests of 1 addresses; names asked for: - (1)",
                 "ECDHE-RSA-AES256-SHA384: CBC: 1 requests", "AES128-SHA: static RSA: 1", "DHE-RSA-AES256-GCM-SHA384: DHE: 1"):
        assert line in done.stdout, done.stdout


def test_a_report_without_a_log_says_how_to_make_one(tmp_path):
    done = subprocess.run([SWITCH, "report", tmp_path / "none"], capture_output=True, text=True)
    assert done.returncode == 1 and "mod-tls-switch watch" in done.stderr
    assert report(tmp_path, "").returncode == 1
