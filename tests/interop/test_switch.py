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
from harness import process, sanitizers
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


def test_the_report_reads_what_was_rotated_as_well(tmp_path):
    line = "TLSv1.2 AES128-SHA a.test 192.0.2.1 old\n"
    (tmp_path / "tls-watch.log.1").write_text(line * 2)
    (tmp_path / "tls-watch.log.old").write_text(line * 100)
    (tmp_path / "tls-watch.log.2.gz").write_bytes(gzip.compress(line.encode() * 3))
    (tmp_path / "tls-watch.log-20260131.gz").write_bytes(gzip.compress(line.encode() * 4))
    done = report(tmp_path, line)
    assert done.returncode == 0 and done.stdout.startswith("10 requests, 10 (100.00 %)"), done.stdout + done.stderr
    (tmp_path / "tls-watch.log.2.gz").write_bytes(gzip.compress(line.encode() * 3)[:-9])
    done = report(tmp_path, line)
    assert done.returncode == 1 and "tls-watch.log.2.gz" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("cipher, kind", [
    ("ECDHE-ECDSA-AES128-CCM8", "CCM"), ("AES256-CCM", "static RSA"), ("ECDHE-RSA-CAMELLIA128-SHA256", "Camellia"),
    ("ECDHE-ARIA128-GCM-SHA256", "ARIA"), ("PSK-AES128-GCM-SHA256", "PSK"), ("ECDHE-PSK-CHACHA20-POLY1305", "PSK"),
    ("RSA-PSK-AES128-CBC-SHA", "PSK"), ("ADH-AES128-SHA", "anonymous"), ("AECDH-AES128-SHA", "anonymous"),
    ("SRP-RSA-AES-128-CBC-SHA", "SRP"), ("EDH-RSA-DES-CBC3-SHA", "DHE"), ("ECDHE-RSA-RC4-SHA", "RC4"),
    ("ECDHE-RSA-NULL-SHA", "no encryption"), ("ECDHE-ECDSA-AES128-SHA256", "CBC"), ("CAMELLIA128-SHA", "static RSA")])
def test_the_report_calls_a_suite_what_it_is(tmp_path, cipher, kind):
    assert f"  {cipher}: {kind}: 1 requests" in report(tmp_path, f"TLSv1.2 {cipher} a.test 192.0.2.1 old\n").stdout


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
