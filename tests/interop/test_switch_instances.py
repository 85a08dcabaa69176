# SPDX-License-Identifier: Apache-2.0
"""Several instances of httpd, as Debian's setup-instance makes them: mod-tls-switch and the package change the one that is meant."""
import re
import shutil

import pytest
from harness.machine import Machine
from harness.paths import ROOT, passable
from harness.switching import SITE, SWITCH, library, needs_machine, serving, switch
from harness.waiting import wait_until

pytestmark = needs_machine
TWO = {"APACHE_CONFDIR": "/etc/apache2-two"}


@pytest.fixture
def machine(tmp_path_factory):
    home = passable(tmp_path_factory.mktemp("instances"))
    yield from serving(Machine(home, instances=True).start())
    shutil.rmtree(home)


@pytest.fixture
def second(machine):
    """Starts the second instance, a copy of the first, at port 4443; ends it."""
    def start() -> None:
        site = machine.path("/etc/apache2-two/sites-available/a.test.conf")
        done = machine.run("sh", "-ec", "cp -a /etc/apache2 /etc/apache2-two; mkdir /var/log/apache2-two; echo Listen 4443 > /etc/apache2-two/ports.conf")
        assert done.returncode == 0, done.stderr
        site.write_text(SITE.format(extra="").replace("*:443", "*:4443"))
        done = machine.run("apache2ctl", "start", env=TWO)
        assert done.returncode == 0, done.stderr
        wait_until(lambda: library(machine, 4443) is not None, "the second instance")
    yield start
    machine.run("apache2ctl", "stop", env=TWO)
    wait_until(lambda: not machine.path("/run/apache2-two/apache2.pid").exists(), "the second instance to stop")


def both(machine) -> tuple[str | None, str | None]:
    return library(machine), library(machine, 4443)


def test_each_is_switched_by_itself(machine, second):
    second()
    original = machine.path("/etc/apache2-two/mods-available/ssl.load").read_text()
    done = switch(machine, "to-rustls", **TWO)
    assert done.returncode == 0 and "mod_tls is in mod_ssl's place" in done.stdout, done.stdout + done.stderr
    assert both(machine) == ("OpenSSL", "rustls")
    assert machine.path("/var/lib/apache2/dpkg/diversions").read_text() == ""
    # As a2enmod-two is one to a2enmod.
    link = machine.path("/var/www/mod-tls-switch-two")
    link.symlink_to(SWITCH)
    said = switch(machine, "status", program="/var/www/mod-tls-switch-two").stdout
    assert said.startswith("/etc/apache2-two: ssl_module is mod_tls, by") and "httpd is running" in said, said
    assert switch(machine, "status").stdout.startswith("ssl_module is mod_ssl;")
    assert switch(machine, "to-rustls").returncode == 0 and both(machine) == ("rustls", "rustls")
    done = switch(machine, "to-openssl", **TWO)
    assert done.returncode == 0 and both(machine) == ("rustls", "OpenSSL"), done.stderr
    assert machine.path("/etc/apache2-two/mods-available/ssl.load").read_text() == original
    assert switch(machine, "watch", **TWO).stdout.count("APACHE_CONFDIR=/etc/apache2-two a2") == 2
    assert "/var/log/apache2-two/tls-watch.log" in machine.path("/etc/apache2-two/conf-available/mod-tls-watch.conf").read_text()


def test_a_copy_of_a_directory_that_was_switched_goes_back_as_well(machine, second):
    assert switch(machine, "to-rustls").returncode == 0
    second()
    assert both(machine) == ("rustls", "rustls")
    done = switch(machine, "to-openssl", **TWO)
    assert done.returncode == 0 and both(machine) == ("rustls", "OpenSSL"), done.stderr


@pytest.mark.parametrize("name", ["mods-available", "mods-available/ssl.load", "mods-enabled/ssl.load"])
def test_a_file_that_instances_share_is_changed_where_it_is(machine, second, name):
    second()
    own = machine.path(f"/etc/apache2-two/{name}")
    if own.is_dir():
        shutil.rmtree(own)
    else:
        own.unlink()
    own.symlink_to(f"/etc/apache2/{name}")
    for verb in ("to-rustls", "to-openssl"):
        done = switch(machine, verb, **TWO)
        assert done.returncode == 1 and "loads the ssl.load of /etc/apache2, by a link" in done.stderr, done.stdout + done.stderr
    done = switch(machine, "to-rustls")
    assert done.returncode == 0 and "/etc/apache2-two loads the same file, and mod_tls from its next restart on" in done.stdout, done.stdout
    assert both(machine) == ("rustls", "OpenSSL")
    assert machine.run("apache2ctl", "restart", env=TWO).returncode == 0
    wait_until(lambda: both(machine) == ("rustls", "rustls"), "the second instance")
    done = switch(machine, "leave", **TWO)
    assert done.returncode == 0 and both(machine) == ("rustls", "rustls"), done.stderr


def test_the_packages_removal_asks_all_of_them_before_it_changes_one(machine, second):
    second()
    for which in ({}, TWO):
        assert switch(machine, "to-rustls", **which).returncode == 0
    site = machine.path("/etc/apache2-two/sites-available/a.test.conf")
    good = site.read_text()
    site.write_text("TLSReload 10\n" + good)
    shutil.copy(SWITCH, machine.path("/var/www/mod-tls-switch"))
    script = machine.path("/var/www/prerm")
    script.write_text((ROOT / "debian/libapache2-mod-tls.prerm").read_text())

    def remove():
        return switch(machine, "-ec", "PATH=/var/www:$PATH exec sh /var/www/prerm remove", program="/bin/sh")

    done = remove()
    assert done.returncode != 0 and "/etc/apache2-two/sites-enabled/a.test.conf:1: TLSReload" in done.stderr, done.stderr
    assert both(machine) == ("rustls", "rustls")
    site.write_text(good)
    # A module of its own words that is enabled beside it, by a link to the package's file, would not be found any more.
    machine.path("/etc/apache2/mods-available/tls.load").write_text("# the package's\n")
    machine.path("/etc/apache2-two/mods-enabled/tls.load").symlink_to("/etc/apache2/mods-available/tls.load")
    done = remove()
    assert done.returncode == 0 and both(machine) == ("OpenSSL", "OpenSSL"), done.stderr
    assert not machine.path("/etc/apache2-two/mods-enabled/tls.load").is_symlink()
    assert not re.search("mod_tls", machine.path("/etc/apache2-two/mods-available/ssl.load").read_text())
