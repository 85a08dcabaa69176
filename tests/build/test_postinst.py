# SPDX-License-Identifier: Apache-2.0
"""What an upgrade of the Debian package does to the servers that run: each instance of apache2 that loads the module is asked
to reload gracefully, if it runs and accepts its configuration."""
import os
import subprocess

import pytest
from harness.paths import ROOT

SCRIPT = ROOT / "debian/libapache2-mod-tls.postinst"

# Stands for apache2ctl: what it says of an instance lies in the instance's folder, and what it was told is written there.
CONTROL = """#!/bin/sh
case $1 in
  configtest) [ ! -e "$APACHE_CONFDIR/refuses" ] ;;
  -t) echo "PidFile: \\"$APACHE_CONFDIR/pid\\"" ;;
  *) echo "$1" >> "$APACHE_CONFDIR/told"; [ ! -e "$APACHE_CONFDIR/fails" ] ;;
esac
"""


@pytest.fixture
def etc(tmp_path):
    """A folder for instances, and the script with its paths in there."""
    script = tmp_path / "postinst"
    script.write_text(SCRIPT.read_text().replace("/etc/apache2", f"{tmp_path}/apache2"))
    control = tmp_path / "bin" / "apache2ctl"
    control.parent.mkdir()
    control.write_text(CONTROL)
    control.chmod(0o755)
    return tmp_path


def instance(etc, name, *, loads=True, pid=None, marks=()):
    folder = etc / name
    (folder / "mods-enabled").mkdir(parents=True)
    if loads:
        (folder / "mods-enabled/tls.load").write_text("LoadModule tls_module /usr/lib/apache2/modules/mod_tls.so\n")
    if pid is not None:
        (folder / "pid").write_text(f"{pid}\n")
    for mark in marks:
        (folder / mark).touch()
    return folder


def upgrade(etc, *words):
    environment = {"PATH": f"{etc}/bin:{os.environ['PATH']}"}
    return subprocess.run(["sh", str(etc / "postinst"), *words], env=environment, capture_output=True, text=True)


def told(folder):
    file = folder / "told"
    return file.read_text().split() if file.exists() else []


def ended() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_each_instance_that_runs_with_the_module_reloads(etc):
    first = instance(etc, "apache2", pid=os.getpid())
    second = instance(etc, "apache2-intranet", pid=os.getpid())
    without = instance(etc, "apache2-plain", loads=False, pid=os.getpid())
    stopped = instance(etc, "apache2-stopped", pid=ended())
    never = instance(etc, "apache2-never")
    done = upgrade(etc, "configure", "0.1.0")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert told(first) == told(second) == ["graceful"]
    assert told(without) == told(stopped) == told(never) == []


def test_an_instance_that_cannot_reload_is_named_and_keeps_no_other_back(etc):
    refuses = instance(etc, "apache2", pid=os.getpid(), marks=["refuses"])
    fails = instance(etc, "apache2-busy", pid=os.getpid(), marks=["fails"])
    last = instance(etc, "apache2-zeta", pid=os.getpid())
    done = upgrade(etc, "configure", "0.1.0")
    assert done.returncode == 0
    assert f"APACHE_CONFDIR={refuses} apache2ctl configtest" in done.stderr and done.stderr.count("\n") == 1
    assert told(refuses) == [] and told(fails) == told(last) == ["graceful"]


@pytest.mark.parametrize("words", [["configure", ""], ["configure"], ["abort-upgrade", "0.1.0"]])
def test_nothing_reloads_where_nothing_was_upgraded(etc, words):
    running = instance(etc, "apache2", pid=os.getpid())
    assert upgrade(etc, *words).returncode == 0
    assert told(running) == []
