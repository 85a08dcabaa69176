# SPDX-License-Identifier: Apache-2.0
"""The day of the change, with configurations of the wild on a Debian of their own: mod_ssl serves them, the dump says what they will meet,
mod-tls-switch puts this module there, and mod_ssl back."""
import re
import shutil

import pytest
from harness.machine import Machine
from harness.materials import Materials
from harness.paths import mod_tls_so, passable
from harness.switching import administration, needs_machine, switch
from harness.wild import DIRECTORY, read
from harness.waiting import wait_until

pytestmark = needs_machine
# Those that administrators most often have: generators, panels, distributions.
NAMES = ("mozilla-intermediate-2026", "mozilla-intermediate-2020", "mozilla-modern-2019", "mozilla-old-2019", "certbot-2026", "certbot-old-options",
         "debian-12-default-ssl", "nextcloud", "ispconfig-vhost", "plesk-vhost", "cpanel-easyapache", "virtualmin", "froxlor", "directadmin")
# Folders that the machine has not got for itself.
ELSEWHERE = re.compile(r"(?<![\w}@/.])/(?=(?:home|opt|usr|var/cpanel|var/customers)/)")
LOG_FOLDERS = re.compile(r"^\s*(?:ErrorLog|CustomLog|TransferLog)\s+\"?(\S+)/[^/\s]+", re.M)


def placed(text: str) -> str:
    return ELSEWHERE.sub("/var/www/elsewhere/", text)


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    return Materials(tmp_path_factory.mktemp("materials"))


@pytest.fixture
def machine(tmp_path_factory):
    home = passable(tmp_path_factory.mktemp("day"))
    machine = Machine(home, instances=True).start()
    yield machine
    machine.run("apache2ctl", "stop")
    wait_until(lambda: not machine.path("/run/apache2/apache2.pid").exists(), "httpd to stop")
    machine.stop()
    shutil.rmtree(home)


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(machine, materials, name):
    wild = read(DIRECTORY / f"{name}.conf")
    for certificate, key, *rest in wild.pairs:
        materials.place_pair(machine.home, [placed(certificate), placed(key), *rest])
    for path, *rest in wild.files:
        materials.place_file(machine.home, [placed(path), *rest])
    config = placed(wild.text)
    for path, text in wild.texts.items():
        file = machine.path(placed(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(placed(text))
    for word, known in wild.elsewhere:
        config = config.replace(word, known)
    for folder in {*LOG_FOLDERS.findall(config), "/etc/apache2/logs"}:
        (machine.path(folder) if folder.startswith("/") else machine.path("/etc/apache2") / folder).mkdir(parents=True, exist_ok=True)
    for folder in re.findall(r"^\s*(?:DocumentRoot|<Directory) +\"?(/[^\s\">]+)", config, re.M):
        machine.path(folder).mkdir(parents=True, exist_ok=True)
    machine.path("/etc/apache2/ports.conf").write_text("")
    machine.path("/etc/apache2/sites-available/wild.conf").write_text(config)
    machine.path("/etc/apache2/conf-available/ask.conf").write_text(
        'ServerName machine.test\nHeader always set X-Library "expr=%{SSL_VERSION_LIBRARY}"\n')
    administration(machine)
    done = machine.run("sh", "-ec", f"a2enmod -q headers ssl {' '.join(wild.modules)}; a2enconf -q ask; a2dissite -q 000-default; a2ensite -q wild; "
                       "apache2ctl start")
    assert done.returncode == 0, done.stderr
    host, port = re.match(r"https://([\w.-]+)(?::(\d+))?/", next(one.url for one in wild.requests if one.url.startswith("https://") and
                                                                  one.outcome != "refused")).groups()

    def library() -> str | None:
        done = machine.run("curl", "-ski", "--resolve", f"{host}:{port or 443}:127.0.0.1", f"https://{host}:{port or 443}/")
        found = re.search(r"(?im)^x-library: (\w+)", done.stdout)
        return found and found[1]

    wait_until(lambda: library() == "OpenSSL", "mod_ssl")
    dump = machine.run("apache2ctl", "-t", "-D", "DUMP_TLS_MIGRATION", "-C", f"LoadModule ssl_module {mod_tls_so()}")
    assert dump.returncode == 0 and "stops the start" not in dump.stdout, dump.stdout + dump.stderr
    before, log = machine.path("/etc/apache2/mods-available/ssl.load").read_text(), machine.path("/var/log/apache2/error.log")
    log.write_text("")  # what mod_ssl had to say
    done = switch(machine, "to-rustls")
    assert done.returncode == 0 and "answer as before" in done.stdout and library() == "rustls", done.stdout + done.stderr
    assert re.findall(r".*(?:tls|ssl):(?:error|crit|alert|emerg)\].*", log.read_text()) == []
    assert machine.run("apache2ctl", "graceful").returncode == 0
    wait_until(lambda: library() == "rustls", "a graceful restart")
    done = switch(machine, "to-openssl")
    assert done.returncode == 0 and library() == "OpenSSL", done.stdout + done.stderr
    assert machine.path("/etc/apache2/mods-available/ssl.load").read_text() == before
    assert machine.path("/var/lib/apache2/dpkg/diversions").read_text() == ""
