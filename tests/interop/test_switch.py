# SPDX-License-Identifier: Apache-2.0
"""mod-tls-switch on a Debian of its own: there, back, and back by itself where the server would not answer."""
import fcntl
import gzip
import os
import re
import runpy
import shutil
import signal
import subprocess
import threading

import pytest
from harness import process
from harness.machine import Machine
from harness.paths import mod_tls_so, passable
from harness.switching import SITE, SWITCH, library, needs_machine, serving, switch
from harness.waiting import wait_until


@pytest.fixture
def machine(tmp_path_factory):
    home = passable(tmp_path_factory.mktemp("switch"))
    yield from serving(Machine(home).start())
    shutil.rmtree(home)


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

    @pytest.mark.parametrize("line", ["  LoadModule ssl_module {so}", "loadmodule ssl_module {so}", 'LoadModule "ssl_module" "{so}"',
                                      "LoadModule \\\n  ssl_module {so}"])
    def test_a_line_is_found_however_it_is_written(self, machine, line):
        load = machine.path("/etc/apache2/mods-available/ssl.load")
        text = "# Depends: setenvif\n" + line.format(so="/usr/lib/apache2/modules/mod_ssl.so") + "\n"
        load.write_text(text)
        done = switch(machine, "to-rustls")
        assert done.returncode == 0 and library(machine) == "rustls", done.stderr + load.read_text()
        assert switch(machine, "to-openssl").returncode == 0 and load.read_text() == text

    def test_what_it_has_not_written_it_does_not_take_for_its_own(self, machine):
        load = machine.path("/etc/apache2/mods-available/ssl.load")
        original = load.read_text()
        for text, count in ((original.replace("LoadModule", "# LoadModule"), 0), (original + original.splitlines()[-1] + "\n", 2)):
            load.write_text(text)
            done = switch(machine, "to-rustls")
            assert done.returncode == 1 and load.read_text() == text, done.stdout
            assert f"has {count} lines that load ssl_module" in done.stderr, done.stderr
        by_hand = re.sub(r"(?m)^LoadModule .*$", f"LoadModule ssl_module {mod_tls_so()}", original)
        load.write_text(by_hand)
        assert "ssl_module is mod_tls, /etc/apache2/mods-available/ssl.load:" in switch(machine, "status").stdout
        assert switch(machine, "to-rustls").returncode == 0
        for verb in ("to-openssl", "leave"):
            done = switch(machine, verb)
            assert done.returncode == 1 and "has not written that: write" in done.stderr, done.stderr
        load.write_text(original)
        diverted = load.with_name("ssl.load.orig")
        command = ("dpkg-divert", "--local", "--rename", "--divert", "/etc/apache2/mods-available/ssl.load.orig", "--add",
                   "/etc/apache2/mods-available/ssl.load")
        assert machine.run(*command, env={"DPKG_ADMINDIR": "/var/lib/apache2/dpkg"}).returncode == 0
        load.write_text(by_hand)
        for verb in ("to-openssl", "leave"):
            done = switch(machine, verb)
            assert done.returncode == 1 and "ssl.load.orig (dpkg-divert --list)" in done.stderr, done.stderr
        assert load.read_text() == by_hand and diverted.read_text() == original

    @pytest.mark.parametrize("half", ["no file", "an empty file", "not moved"])
    def test_half_a_switch_is_put_right_by_either_verb(self, machine, half):
        load, aside = (machine.path(f"/etc/apache2/mods-available/ssl.load{suffix}") for suffix in ("", ".mod_ssl"))
        original = load.read_text()
        for verb, after in (("to-rustls", "rustls"), ("to-openssl", "OpenSSL"), ("to-openssl", "OpenSSL")):
            if not aside.exists():
                machine.run("dpkg-divert", "--local", "--rename", "--divert", "/etc/apache2/mods-available/ssl.load.mod_ssl", "--add",
                            "/etc/apache2/mods-available/ssl.load", env={"DPKG_ADMINDIR": "/var/lib/apache2/dpkg"})
            load.unlink(missing_ok=True)
            if half == "an empty file":
                load.touch()
            elif half == "not moved":
                aside.rename(load)
            assert "to-openssl puts it right" in switch(machine, "status").stdout
            done = switch(machine, verb)
            assert done.returncode == 0 and library(machine) == after, done.stdout + done.stderr
        assert load.read_text() == original and not aside.exists()

    def test_a_refused_configuration_leaves_the_server_running(self, machine):
        """Neither way is anything restarted, also where systemd would stop first and see then."""
        asked = stub_systemd(machine)
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        good = site.read_text()
        assert switch(machine, "to-rustls").returncode == 0 and library(machine) == "rustls"
        before, restarts = machine.path("/run/apache2/apache2.pid").read_text(), asked()
        assert restarts == 1
        site.write_text(good + "Nonsense\n")
        for verb in ("to-openssl", "leave"):
            done = switch(machine, verb)
            assert done.returncode == 1 and "as it did before" in done.stderr and "Nonsense" in done.stderr, done.stderr
            assert done.stderr.endswith("Everything is as it was before.\n")
        assert machine.path("/run/apache2/apache2.pid").read_text() == before and asked() == restarts
        site.write_text(good)
        assert library(machine) == "rustls" and "ssl_module is mod_tls" in switch(machine, "status").stdout

    def test_words_of_ours_are_named_before_anything_changes(self, machine):
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        good = site.read_text()
        assert switch(machine, "to-rustls").returncode == 0
        before = machine.path("/run/apache2/apache2.pid").read_text()
        site.write_text("TLSReload 10\n" + good)
        done = switch(machine, "to-openssl")
        assert done.returncode == 1 and "a.test.conf:1: TLSReload" in done.stderr and "IfDirective" in done.stderr, done.stderr
        assert machine.path("/run/apache2/apache2.pid").read_text() == before
        # As the guide writes it, it works with either module.
        site.write_text("<IfDirective TLSReload>\nTLSReload 10\n</IfDirective>\n" + good)
        assert switch(machine, "to-openssl").returncode == 0 and library(machine) == "OpenSSL"
        assert switch(machine, "to-rustls").returncode == 0 and library(machine) == "rustls"

    def test_leaving_stops_where_a_site_would_break(self, machine):
        machine.path("/etc/apache2/mods-available/tls.load").write_text(f"LoadModule tls_module {mod_tls_so()}\n")
        machine.path("/etc/apache2/mods-available/tls.conf").write_text("TLSStrictSNI on\n")
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        good = site.read_text()
        site.write_text(good.replace("SSLEngine on", "TLSEngine on").replace("SSLCertificateFile", "TLSCertificate").replace(
            "SSLCertificateKeyFile", "#"))
        assert machine.run("a2enmod", "-q", "tls").returncode == 0
        done = switch(machine, "leave")
        assert done.returncode == 1 and "a.test.conf:4: TLSEngine" in done.stderr and "a.test.conf:5: TLSCertificate" in done.stderr
        assert "tls.conf" not in done.stderr
        site.write_text(good)
        other = machine.path("/etc/apache2/mods-enabled/other.load")
        other.write_text(f"<IfFile /none>\nLoadModule tls_module {mod_tls_so()}\n</IfFile>\n")
        done = switch(machine, "leave")
        assert done.returncode == 1 and "other.load loads mod_tls.so" in done.stderr, done.stderr
        other.unlink()
        # What watches is ended with it.
        assert switch(machine, "watch").returncode == 0 and machine.run("a2enconf", "-q", "mod-tls-watch").returncode == 0
        done = switch(machine, "leave")
        assert done.returncode == 0, done.stderr
        assert not machine.path("/etc/apache2/conf-enabled/mod-tls-watch.conf").is_symlink()

    def test_a_full_disk_changes_nothing(self, machine):
        """The new file is written before anything is diverted."""
        folder = "/etc/apache2/mods-available"
        done = machine.run("sh", "-ec", f"cp -a {folder} /var/www/kept; mount -t tmpfs -o size=1M tmpfs {folder}; cp -a /var/www/kept/. {folder}/; "
                           f"dd if=/dev/zero of={folder}/filler bs=4k 2>/dev/null || true; cat {folder}/ssl.load")
        assert done.returncode == 0, done.stderr
        full = switch(machine, "to-rustls")
        after = machine.run("sh", "-c", f"cat {folder}/ssl.load; ls {folder}/ssl.load*; umount {folder}").stdout
        assert full.returncode == 1 and "No space left" in full.stderr and "Everything is as it was before" in full.stderr, full.stderr
        assert after == done.stdout + f"{folder}/ssl.load\n"
        assert library(machine) == "OpenSSL" and machine.path("/var/lib/apache2/dpkg/diversions").read_text() == ""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_between_stop_and_start_undoes_it(self, machine, number):
        load, pid = (machine.path(f"/{name}") for name in ("etc/apache2/mods-available/ssl.load", "run/apache2/apache2.pid"))
        running = begin(machine, "to-rustls")
        wait_until(lambda: "Written by" in (load.read_text() if load.exists() else "") and not pid.exists(), "httpd to be stopped", 60)
        running.send_signal(number)
        _, said = running.communicate(timeout=120)
        assert running.returncode == 1 and f"stopped by {number.name}" in said and "Everything is as it was before" in said, said
        assert library(machine) == "OpenSSL" and "ssl_module is mod_ssl" in switch(machine, "status").stdout

    def test_two_at_once_do_not_meet(self, machine):
        folder = os.open(machine.path("/etc/apache2/mods-available"), os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        done = switch(machine, "to-rustls")
        os.close(folder)
        assert done.returncode == 1 and "another mod-tls-switch is at work" in done.stderr
        assert "ssl_module is mod_ssl" in switch(machine, "status").stdout

    def test_names_that_are_no_utf_8_and_an_httpd_that_is_gone(self, machine):
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        site.write_bytes(site.read_bytes() + b"<VirtualHost *:80>\nServerName m\xfcnchen.test\n</VirtualHost>\n")
        done = switch(machine, "to-rustls")
        assert done.returncode == 0 and library(machine) == "rustls", done.stderr
        # apache2 was removed first: its programs are gone, and the removal of this package has to work still.
        machine.run("sh", "-ec", "mkdir /var/www/bin; ln -s $(command -v dpkg-divert) /var/www/bin/; apache2ctl stop")
        wait_until(lambda: not machine.path("/run/apache2/apache2.pid").exists(), "httpd to stop")
        done = machine.run("sh", "-ec", f"PATH=/var/www/bin exec /usr/bin/python3 {SWITCH} leave",
                           env={"MOD_TLS_SO": str(mod_tls_so()), "DPKG_ADMINDIR": "/var/lib/apache2/dpkg"})
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        assert "mod_ssl.so" in machine.path("/etc/apache2/mods-available/ssl.load").read_text()

    def test_who_may_only_look_is_told_that_httpd_runs(self, machine):
        done = machine.run("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "/usr/bin/python3", "-c",
                           SWITCH.read_text(), "status", env={"DPKG_ADMINDIR": "/var/lib/apache2/dpkg"})
        assert "httpd is running" in done.stdout, done.stderr
        done = machine.run("sh", "-ec", f"mv /etc/apache2/conf-available /etc/apache2/elsewhere; exec {SWITCH} watch")
        assert done.returncode == 1 and "Traceback" not in done.stderr and "mod-tls-watch.conf" in done.stderr, done.stderr

    def test_a_module_that_is_loaded_elsewhere_is_found_and_nothing_changed(self, machine):
        """By a copy in place of the link of a2enmod: what stands in mods-available counts for nothing."""
        enabled = machine.path("/etc/apache2/mods-enabled/ssl.load")
        text = enabled.read_text()
        enabled.unlink()
        enabled.write_text(text)
        done = switch(machine, "to-rustls")
        assert done.returncode == 1 and "httpd has not loaded mod_tls" in done.stderr, done.stdout + done.stderr
        assert "ssl_module is loaded by /etc/apache2/mods-enabled/ssl.load:" in done.stderr and "Everything is as it was before" in done.stderr
        assert library(machine) == "OpenSSL" and machine.path("/var/lib/apache2/dpkg/diversions").read_text() == ""

    def test_a_pid_file_of_ones_own(self, machine):
        """An httpd that is taken for stopped would go on with the other module."""
        own, usual = machine.path("/run/apache2/own.pid"), machine.path("/run/apache2/apache2.pid")
        assert machine.run("apache2ctl", "stop").returncode == 0
        wait_until(lambda: not usual.exists() and library(machine) is None, "httpd to stop")
        machine.path("/etc/apache2/conf-available/test.conf").write_text("ServerName machine.test\nPidFile /run/apache2/own.pid\n")
        assert machine.run("apache2ctl", "start").returncode == 0
        wait_until(lambda: own.exists() and library(machine) is not None, "httpd with its own file")
        assert "httpd is running" in switch(machine, "status").stdout
        done = switch(machine, "to-rustls")
        assert done.returncode == 0 and "answer as before" in done.stdout and library(machine) == "rustls", done.stderr

    def test_a_server_that_is_stopped_or_speaks_no_tls_yet(self, machine):
        """What is switched then counts from the first start, or a2enmod, on; and it is said that nobody could be asked."""
        pid = machine.path("/run/apache2/apache2.pid")
        assert machine.run("apache2ctl", "stop").returncode == 0
        wait_until(lambda: not pid.exists() and library(machine) is None, "httpd to stop")
        done = switch(machine, "to-rustls")
        assert done.returncode == 0 and "httpd is not running" in done.stdout and not pid.exists(), done.stdout + done.stderr
        assert machine.run("sh", "-ec", "a2dismod -q ssl; a2dissite -q a.test; apache2ctl start").returncode == 0
        wait_until(pid.exists, "httpd without TLS")
        assert "not enabled; httpd is running" in switch(machine, "status").stdout
        for verb, said in (("to-openssl", "mod_ssl"), ("to-rustls", "mod_tls")):
            done = switch(machine, verb)
            assert done.returncode == 0 and said in done.stdout and "httpd serves no TLS now" in done.stdout, done.stdout + done.stderr
        assert machine.run("sh", "-ec", "a2enmod -q ssl; a2ensite -q a.test; apache2ctl restart").returncode == 0
        wait_until(lambda: library(machine) == "rustls", "the site")

    def test_a_full_disk_of_dpkg_on_the_way_back_leaves_ours_in_its_place(self, machine):
        folder = "/var/lib/apache2/dpkg"
        assert switch(machine, "to-rustls").returncode == 0
        # One that stays: a list of none at all needs no room.
        done = machine.run("dpkg-divert", "--local", "--no-rename", "--divert", "/var/www/b", "--add", "/var/www/a", env={"DPKG_ADMINDIR": folder})
        assert done.returncode == 0, done.stderr
        done = machine.run("sh", "-ec", f"cp -a {folder} /var/www/kept; mount -t tmpfs -o size=64k tmpfs {folder}; cp -a /var/www/kept/. {folder}/; "
                           f"dd if=/dev/zero of={folder}/filler bs=4k 2>/dev/null || true")
        assert done.returncode == 0, done.stderr
        full = switch(machine, "to-openssl")
        machine.run("umount", folder)
        assert full.returncode == 1 and "dpkg-divert" in full.stderr and "Everything is as it was before" in full.stderr, full.stderr
        assert library(machine) == "rustls" and machine.run("apache2ctl", "-t").returncode == 0
        assert switch(machine, "to-openssl").returncode == 0 and library(machine) == "OpenSSL"

    def test_an_address_and_a_port_of_ones_own_and_clients_with_certificates(self, machine):
        """What answers nowhere but there is asked there, and TLS 1.2 that wants a certificate is an answer too."""
        machine.path("/etc/apache2/ports.conf").write_text("Listen 80\nListen 443\nListen [::1]:8443\n")
        site = machine.path("/etc/apache2/sites-available/a.test.conf")
        wants = "SSLProtocol TLSv1.2\nSSLVerifyClient require\nSSLCACertificateFile /etc/apache2/a.pem"
        six = SITE.format(extra=wants).replace("*:443", "[::1]:8443").replace("a.test", "b.test", 1)
        site.write_text(SITE.format(extra="").replace("*:443", "127.0.0.7:443") + six)
        assert machine.run("apache2ctl", "restart").returncode == 0
        wait_until(lambda: "200" in machine.run("curl", "-skI", "--connect-to", "::127.0.0.7:", "https://a.test/").stdout, "the address")
        done = switch(machine, "to-rustls")
        # Two addresses, each without a name, and with either one that there is.
        assert done.returncode == 0 and "6 combinations" in done.stdout, done.stdout + done.stderr
        found = machine.run("curl", "-sk", "-o", "/dev/null", "-w", "%{ssl_verify_result} %{errormsg}", "--resolve", "b.test:8443:[::1]", "https://b.test:8443/")
        assert found.returncode != 0 and "alert" in found.stdout, found.stdout
        done = switch(machine, "to-openssl")
        assert done.returncode == 0 and "6 combinations" in done.stdout, done.stdout + done.stderr

    def test_what_clients_write_makes_no_line_of_the_watch(self, machine):
        assert switch(machine, "watch").returncode == 0
        done = machine.run("sh", "-ec", "a2enconf -q mod-tls-watch; apache2ctl graceful")
        assert done.returncode == 0, done.stderr
        log = machine.path("/var/log/apache2/tls-watch.log")
        evil = "a.test\nTLSv1 RC4-MD5 192.0.2.1 \"evil.test\" \"forged\""
        agent = 'x\\" \\\\"\x1b[2J TLSv1 RC4-MD5'
        wait_until(log.exists, "the log")
        asked = f"GET / HTTP/1.0\r\nHost: a.test\r\nUser-Agent: {agent}\r\n\r\n"
        for name, *options in ((evil, "-tls1_3"), (evil, "-tls1_2"), ("b.test 203.0.113.9 forged", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")):
            machine.run("sh", "-c", 'asked=$1 name=$2; shift 2; printf "%s" "$asked" | openssl s_client -quiet -ign_eof -connect 127.0.0.1:443 -servername "$name" "$@"',
                        "sh", asked, name, *options)
        wait_until(lambda: log.read_text(errors="replace").count("\n") >= 3, "three lines")
        done = subprocess.run([SWITCH, "report", log], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("3 requests, 1 (33.33 %)"), done.stdout + log.read_text(errors="replace")
        assert "of 1 addresses; names asked for: a.test (1)" in done.stdout and "forged" not in done.stdout, done.stdout
        assert "are none of the watch" not in done.stdout and "\x1b" not in done.stdout


def begin(machine, *words):
    """The program while it runs; it is the process that signals reach."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "MOD_TLS_SO": str(mod_tls_so()),
                   "DPKG_ADMINDIR": "/var/lib/apache2/dpkg"}
    return subprocess.Popen([*machine.enter, str(SWITCH), *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=process.leash)


def stub_systemd(machine):
    """A systemctl as apache2.service makes it: it stops first, and starts what then may not start. Returns how often it restarted."""
    calls, stub = machine.path("/run/apache2/calls"), machine.path("/run/apache2/systemctl")
    calls.touch()
    stub.write_text("#!/bin/sh\ncase $1 in is-active) [ -e /run/apache2/apache2.pid ] ;;\nrestart) echo restart >> /run/apache2/calls\n"
                    "pid=$(cat /run/apache2/apache2.pid)\nkill $pid\nwhile [ -e /proc/$pid ]; do sleep 0.1; done\n"
                    ". /etc/apache2/envvars\n/usr/sbin/apache2 -k start ;;\nesac\n")
    stub.chmod(0o755)
    done = machine.run("sh", "-ec", "mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; mkdir /run/systemd/system; "
                       "mount --bind /run/apache2/systemctl $(readlink -f $(command -v systemctl))")
    assert done.returncode == 0, done.stderr
    return lambda: calls.read_text().count("restart")


def report(tmp_path, text):
    log = tmp_path / "tls-watch.log"
    log.write_text(text)
    return subprocess.run([SWITCH, "report", log], capture_output=True, text=True)


def line(protocol: str, cipher: str, name: str = "a.test", address: str = "192.0.2.1", agent: str = "old") -> str:
    return f'{protocol} {cipher} {address} "{name}" "{agent}"\n'


def test_the_report_counts_who_would_be_lost(tmp_path):
    done = report(tmp_path, "".join((
        line("TLSv1.3", "TLS_AES_256_GCM_SHA384", agent="Mozilla/5.0 (X11)"),
        line("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", address="192.0.2.2", agent="curl/8"),
        line("TLSv1.2", "ECDHE-RSA-AES256-SHA384", "b.test", "192.0.2.3", "old thing"),
        line("TLSv1.2", "AES128-SHA", "b.test", "192.0.2.3", "old thing"),
        line("TLSv1.1", "ECDHE-RSA-AES256-SHA", "-", "192.0.2.4", "older thing"),
        line("TLSv1.2", "DHE-RSA-AES256-GCM-SHA384", "b.test", "192.0.2.5", "java"))))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("6 requests, 4 (66.67 %)")
    for said in ("TLSv1.1: older than TLS 1.2: 1 requests of 1 addresses; names asked for: - (1)\n    by older thing (1)\n",
                 "ECDHE-RSA-AES256-SHA384: CBC: 1 requests", "AES128-SHA: static RSA: 1", "DHE-RSA-AES256-GCM-SHA384: DHE: 1"):
        assert said in done.stdout, done.stdout


@pytest.mark.parametrize("language", ["C.UTF-8", "en_US.ISO-8859-1", "POSIX"])
def test_odd_lines_neither_end_the_report_nor_reach_the_terminal(tmp_path, language):
    """Other octets than UTF-8, control characters, quotes, lines of a megabyte, other logs' lines, and none at the end."""
    log = tmp_path / "tls-watch.log"
    odd = line("TLSv1.2", "AES128-SHA", 'a\\"b.test', agent="\x1b[31m\x9b2J\\\\ \\x1b \N{RIGHT-TO-LEFT OVERRIDE}").encode()
    log.write_bytes(odd * 3 + b'TLSv1.2 AES128-SHA 192.0.2.9 "\xff\xfe" "' + b"\xff" * 3000 + b'"\n' + b"x" * (1 << 20) + b"\n" +
                    b"\0" * 5000 + b"\n" + b'127.0.0.1 - - [30/Nov/2026] "GET /" 200\n' + b'TLSv1.2 AES128-SHA 192.0.2.9 "a\rb" "c\rd"\n' +
                    b'TLSv1.2 AES128-SHA 192.0.2.9 "cut off')
    done = subprocess.run([SWITCH, "report", log], capture_output=True, env={"PATH": os.environ["PATH"], "LC_ALL": language})
    said = done.stdout.decode("ascii")
    assert done.returncode == 0 and done.stderr == b"" and said.startswith("5 requests, 5 (100.00 %)"), said
    assert "4 lines are none of the watch" in said and not re.search(r"[^ -~\n]", said) and max(map(len, said.splitlines())) < 600


def test_what_clients_make_up_does_not_fill_the_memory(tmp_path):
    log = tmp_path / "tls-watch.log"
    with log.open("w") as file:
        file.writelines(line("TLSv1.2", "AES128-SHA", f"{n}.test" if n % 2 else "most.test", f"2001:db8::{n:x}", f"agent {n} {'x' * 1000}")
                        for n in range(60000))
    done = subprocess.run(["/usr/bin/python3", "-c", "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (200 << 20,) * 2); "
                           "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')", SWITCH, "report", log], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "60000 requests of more than 10000 addresses; names asked for: most.test (30000), others (" in done.stdout, done.stdout


def test_a_report_without_a_log_says_how_to_make_one(tmp_path):
    done = subprocess.run([SWITCH, "report", tmp_path / "none"], capture_output=True, text=True)
    assert done.returncode == 1 and "mod-tls-switch watch" in done.stderr
    assert report(tmp_path, "").returncode == 1


def test_the_report_reads_what_was_rotated_as_well(tmp_path):
    one = line("TLSv1.2", "AES128-SHA")
    (tmp_path / "tls-watch.log.1").write_text(one * 2)
    (tmp_path / "tls-watch.log.old").write_text(one * 100)
    (tmp_path / "tls-watch.log.2.gz").write_bytes(gzip.compress(one.encode() * 3))
    (tmp_path / "tls-watch.log-20260131.gz").write_bytes(gzip.compress(one.encode() * 4))
    done = report(tmp_path, one)
    assert done.returncode == 0 and done.stdout.startswith("10 requests, 10 (100.00 %)"), done.stdout + done.stderr
    (tmp_path / "tls-watch.log.2.gz").write_bytes(gzip.compress(one.encode() * 3)[:-9])
    done = report(tmp_path, one)
    assert done.returncode == 1 and "tls-watch.log.2.gz" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("cipher, kind", [
    ("ECDHE-ECDSA-AES128-CCM8", "CCM"), ("AES256-CCM", "static RSA"), ("ECDHE-RSA-CAMELLIA128-SHA256", "Camellia"),
    ("ECDHE-ARIA128-GCM-SHA256", "ARIA"), ("PSK-AES128-GCM-SHA256", "PSK"), ("ECDHE-PSK-CHACHA20-POLY1305", "PSK"),
    ("RSA-PSK-AES128-CBC-SHA", "PSK"), ("ADH-AES128-SHA", "anonymous"), ("AECDH-AES128-SHA", "anonymous"),
    ("SRP-RSA-AES-128-CBC-SHA", "SRP"), ("EDH-RSA-DES-CBC3-SHA", "DHE"), ("ECDHE-RSA-RC4-SHA", "RC4"),
    ("ECDHE-RSA-NULL-SHA", "no encryption"), ("ECDHE-ECDSA-AES128-SHA256", "CBC"), ("CAMELLIA128-SHA", "static RSA")])
def test_the_report_calls_a_suite_what_it_is(tmp_path, cipher, kind):
    assert f"  {cipher}: {kind}: 1 requests" in report(tmp_path, line("TLSv1.2", cipher)).stdout


def test_what_comes_and_goes_while_it_looks_is_no_fault(tmp_path):
    """Descriptors are closed meanwhile, httpd ends, and a kernel may know no IPv6."""
    program = runpy.run_path(str(SWITCH), run_name="looked at")
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            for file in [open("/dev/null") for _ in range(20)]:
                file.close()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(100):
            program["listeners"](os.getpid())
    finally:
        stop.set()
        thread.join()
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert program["listeners"](gone.pid) == set()
