# SPDX-License-Identifier: Apache-2.0
"""Debian's certbot with our module as ssl_module: it issues, redirects and renews by itself, as it does with mod_ssl."""
import re
import shutil
import subprocess

import pytest
from harness import sanitizers
from harness.acme import Acme
from harness.machine import Machine
from harness.paths import mod_tls_so, passable
from harness.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not Machine.is_possible(), reason="certbot works on /etc/apache2 as root: that needs a mount "
                       "namespace, so that this machine's stays as it is"),
    pytest.mark.skipif(sanitizers.PRESENT, reason="certbot starts httpd without the sanitizers' runtime")]
SITE = """<VirtualHost *:80>
ServerName a.test
ServerAlias www.a.test
DocumentRoot /var/www
<Directory /var/www>
Require all granted
</Directory>
</VirtualHost>
"""
HEADERS = """ServerName machine.test
<IfModule ssl_module>
Header always set X-Library "expr=%{SSL_VERSION_LIBRARY}"
</IfModule>
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Debian's httpd, stopped; the module stands where the documentation says: in mods-available/ssl.load."""
    home = passable(tmp_path_factory.mktemp("machine"))  # www-data must get at the documents
    machine = Machine(home).start()
    load = machine.path("/etc/apache2/mods-available/ssl.load")
    load.write_text(re.sub(r"^LoadModule .*", f"LoadModule ssl_module {mod_tls_so()}", load.read_text(), flags=re.M))
    machine.path("/etc/apache2/sites-available/a.test.conf").write_text(SITE)
    machine.path("/etc/apache2/conf-available/test.conf").write_text(HEADERS)
    machine.path("/var/www/index.html").write_text("hello\n")
    done = machine.run("sh", "-ec", "a2enmod -q headers; a2enconf -q test; a2dissite -q 000-default; a2ensite -q a.test; apache2ctl start")
    assert done.returncode == 0, done.stderr
    yield machine
    machine.run("apache2ctl", "stop")
    wait_until(lambda: not machine.path("/run/apache2/apache2.pid").exists(), "httpd to stop")
    machine.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def authority(machine):
    acme = Acme(80, 443, enter=machine.enter)
    yield acme.start()
    acme.end()


def certbot(machine, authority, *arguments: str) -> subprocess.CompletedProcess:
    done = machine.run("certbot", *arguments, "--non-interactive", "--server", f"https://127.0.0.1:{authority.port}/dir",
                       env={"REQUESTS_CA_BUNDLE": str(authority.ca_file)})
    log = machine.path("/var/log/letsencrypt/letsencrypt.log")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{log.read_text() if log.exists() else ''}\n{authority.said()}"
    return done


def get(machine, url: str, *options: str) -> tuple[int, dict[str, str], str]:
    names = [word for name in ("a.test", "www.a.test") for port in (80, 443) for word in ("--resolve", f"{name}:{port}:127.0.0.1")]
    done = machine.run("curl", "-sS", "-i", "--http1.1", *names, *options, url)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition("\n\n")
    lines = head.split("\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body


def serial(machine) -> str:
    """Of the certificate that is served."""
    shown = machine.run("sh", "-c", "openssl s_client -connect 127.0.0.1:443 -servername a.test </dev/null 2>/dev/null | "
                        "openssl x509 -noout -serial").stdout
    assert shown.startswith("serial="), shown
    return shown


@pytest.fixture(scope="module")
def issued(machine, authority):
    """The machine after certbot's first run. Any of the tests may come first: they may run in several processes."""
    assert get(machine, "http://a.test/")[2] == "hello\n"
    assert "ssl_module" not in machine.run("apache2ctl", "-M").stdout, "nobody has enabled it yet: certbot will"
    certbot(machine, authority, "--apache", "-d", "a.test", "-d", "www.a.test", "--agree-tos", "-m", "admin@a.test",
            "--no-eff-email", "--redirect")
    return machine


def test_issue_then_renew(issued, authority):
    machine = issued
    assert machine.path("/etc/apache2/mods-enabled/ssl.load").is_symlink()
    trust = ("--cacert", str(authority.root))
    for name in ("a.test", "www.a.test"):
        status, headers, body = get(machine, f"https://{name}/", *trust)
        assert (status, body) == (200, "hello\n") and headers["x-library"].startswith("rustls/")
        status, headers, _ = get(machine, f"http://{name}/x")
        assert (status, headers["location"]) == (301, f"https://{name}/x")

    first = serial(machine)
    certbot(machine, authority, "renew", "--force-renewal", "--no-random-sleep-on-renew")
    wait_until(lambda: serial(machine) != first, "the renewed certificate to be served")
    assert get(machine, "https://a.test/", *trust)[0] == 200

    log = machine.path("/var/log/apache2/error.log").read_text()
    assert not re.search(r":(error|emerg|crit|alert)\]|exit signal", log), log
    assert not re.search(r"\[ssl:warn\]", log), log


def test_enabling_the_module_again_does_no_harm(issued):
    machine = issued
    assert "already enabled" in machine.run("a2enmod", "ssl").stdout
    done = machine.run("apache2ctl", "configtest")
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done.stderr
    assert machine.run("apache2ctl", "graceful").returncode == 0
    assert get(machine, "https://a.test/", "-k")[0] == 200


def test_differences_of_the_live_tree_are_listed_by_file_and_line(issued):
    """What certbot and Debian wrote, asked of the running installation; no file of it changes."""
    machine = issued
    before = machine.run("sh", "-c", "cat $(find /etc/apache2 /etc/letsencrypt -type f | sort) | sha256sum").stdout
    done = machine.run("apache2ctl", "-t", "-D", "DUMP_TLS_MIGRATION")
    assert done.returncode == 0, done.stderr
    listed = [line for line in done.stdout.splitlines() if re.match(r"/\S+:\d+: ", line)]
    files = {line.partition(":")[0] for line in listed}
    assert any("/mods-enabled/ssl.conf:" in line and "SSLRandomSeed" in line for line in listed), done.stdout
    assert "/etc/letsencrypt/options-ssl-apache.conf" in files, done.stdout
    for line in listed:
        file, number, _ = line.split(":", 2)
        text = machine.run("sed", "-n", f"{number}p", file).stdout
        assert re.search(r"SSL\w+", line)[0] in text, f"{line} stands for {text!r}"
    assert machine.run("sh", "-c", "cat $(find /etc/apache2 /etc/letsencrypt -type f | sort) | sha256sum").stdout == before
