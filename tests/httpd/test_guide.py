# SPDX-License-Identifier: Apache-2.0
"""The guide: each configuration that it shows starts as it stands there, with its files in the test's own directory, and answers."""
import re
import subprocess
from pathlib import Path

import pytest
from harness.clientauth import revocation_list
from harness.clients import curl
from harness.paths import HTTPD, MODULES as MODULE_FOLDER, ROOT, mod_tls_so
from harness.rustls_client import binary, rustls_client

GUIDE = ROOT / "docs" / "guide"
MODULES = ("socache_shmcb", "authn_core", "authz_user", "proxy", "proxy_http", "reqtimeout", "http2")
BLOCK = re.compile(r"^```apache\n(.*?)^```$", re.M | re.S)
# Lines that a page announces itself.
ANNOUNCED = {"mod_md.md": ("TLS0207", "AH10", "md:"), "certificates.md": ("TLS0202.*a placeholder is served", "TLS0208"), "reverse-proxy.md": ("AH0", "TLS0704")}
# What answers where nobody stands behind the name, or nothing is there yet.
STATUS = {"mod_md.md": {503}, "reverse-proxy.md": {200, 500, 502, 503}}


def blocks():
    found = []
    for page in sorted(GUIDE.glob("*.md")):
        texts = BLOCK.findall(page.read_text())
        found += [pytest.param(page.name, text, id=f"{page.stem}-{n}") for n, text in enumerate(texts, 1)]
    return found


def lay_out(home: Path, ca) -> None:
    """The files that the guide names."""
    tls = home / "tls"
    tls.mkdir()
    names = {"www": ("www.example.org", "example.org", "intern.example.org"), "shop": ("shop.example.org",)}
    for stem, covered in names.items():
        pair = ca.issue(*covered)
        (tls / f"{stem}.pem").write_bytes(pair.certificate_pem())
        (tls / f"{stem}.key").write_bytes(pair.key_pem())
    rsa = ca.issue("www.example.org", kind="rsa2048")
    (tls / "rsa.pem").write_bytes(rsa.certificate_pem())
    (tls / "rsa.key").write_bytes(rsa.key_pem())
    for name in ("both.pem", "tls.pem"):
        (tls / name).write_bytes(ca.issue("www.example.org").combined_pem())
    locked = ca.issue("www.example.org")
    (tls / "locked.pem").write_bytes(locked.certificate_pem())
    (tls / "locked.key").write_bytes(locked.key_pem(passphrase=b"secret"))
    (tls / "passphrase").write_text("#!/bin/sh\necho secret\n")
    for name in ("clients-ca.pem", "backends-ca.pem"):
        (tls / name).write_bytes(ca.pem())
    (tls / "clients.crl").write_bytes(revocation_list(ca))
    machine = ca.issue("machine", client=True)
    machine.write(tls, "client")
    (tls / "machine.pem").write_bytes(machine.certificate_pem())
    (tls / "machine.key").write_bytes(machine.key_pem())
    (tls / "tickets").write_bytes(bytes(range(80)))
    subprocess.run([binary(), "make-ml-dsa", tls], check=True, timeout=120)
    for part in ("crt", "key"):
        (tls / f"server-65.{part}").rename(tls / f"mldsa.{'pem' if part == 'crt' else part}")
    for file in tls.iterdir():
        file.chmod(0o600)
    (tls / "passphrase").chmod(0o700)
    for file in ("clients.crl", "clients-ca.pem"):
        (tls / file).chmod(0o644)
    for name in ("html", "shop"):
        (home / "docs" / name).mkdir(parents=True, exist_ok=True)
        (home / "docs" / name / "index.html").write_text(f"{name}\n")


@pytest.mark.parametrize("page, text", blocks())
def test_what_the_guide_shows_is_served(httpd, ca, page, text):
    modules = MODULES + (("md",) if "MDomain" in text else ())
    server = httpd([], start=False, modules=modules, tls_engine=None, allow=ANNOUNCED.get(page, ()),
                   config="Protocols http/1.1" if "Protocols" not in text else "")
    lay_out(server.home, ca)
    for shown, own in (("/etc/tls/", "@HOME@/tls/"), ("/var/www/", "@HOME@/docs/"),
                       ("/var/log/apache2/", "@HOME@/"), ("*:443", "*:@TLS@"), ("TLSEngine 443", "TLSEngine @TLS@"), ("*:80", "*:@PLAIN@")):
        text = text.replace(shown, own)
    server.write(config=text)
    done = server.run("-t")
    loud = [line for line in done.stderr.splitlines() if re.search(r":(warn|error|emerg)\]", line)]
    assert done.returncode == 0 and all(any(re.search(one, line) for one in ANNOUNCED.get(page, ())) for line in loud), done.stderr
    server.start()
    secure = [host for host in re.findall(r"<VirtualHost \*:(\S+)>\s+ServerName (\S+)", text) if host[0] == "@TLS@"]
    assert secure
    shows = ("--cert", str(server.home / "tls" / "client.crt"), "--key", str(server.home / "tls" / "client.key"))
    if "TLSPostQuantum require" in text:  # Debian 12's curl offers no such group, and is refused; rustls' client does
        assert rustls_client(server.port, "--expect-status", "200", name="www.example.org", ca=ca.file)
        server.log.allow("TLS0402")
        assert curl(server.port, "/", name="www.example.org", ca=ca.file).status == 0
        return
    for _, name in secure:
        waits = page == "mod_md.md" or name == "new.example.org"
        answer = curl(server.port, "/", *shows, *(["-k"] if waits else []), name=name, ca=None if waits else ca.file)
        assert answer.status in ({503} if waits else STATUS.get(page, {200})), (name, answer)


# What is enabled on a fresh Debian, and what each page says to enable above a configuration.
DEBIAN = ("mpm_event", "access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user", "autoindex",
          "deflate", "dir", "env", "filter", "mime", "negotiation", "reqtimeout", "setenvif", "status")


@pytest.mark.parametrize("page, text, enabled", [
    pytest.param(page.name, found[1], re.findall(r"^    a2enmod (.*)$", page.read_text()[:found.start()], re.M), id=f"{page.stem}-{n}")
    for page in sorted(GUIDE.glob("*.md")) for n, found in enumerate(BLOCK.finditer(page.read_text()), 1)])
def test_the_page_says_which_modules_its_configurations_need(tmp_path, ca, page, text, enabled):
    modules = dict.fromkeys((*DEBIAN, *" ".join(enabled).split()))
    modules.pop("tls", None)
    folder = MODULE_FOLDER
    lines = [f"LoadModule {name}_module {folder}/mod_{name}.so" for name in modules if (folder / f"mod_{name}.so").exists()]
    lay_out(tmp_path, ca)
    text = text.replace("/etc/tls/", f"{tmp_path}/tls/").replace("/var/www/", f"{tmp_path}/docs/").replace("/var/log/apache2/", f"{tmp_path}/")
    (tmp_path / "httpd.conf").write_text("\n".join([
        f'ServerRoot "{tmp_path}"', f'DefaultRuntimeDir "{tmp_path}"', f'PidFile "{tmp_path}/pid"', f'ErrorLog "{tmp_path}/error.log"',
        "ServerName www.example.org", "User www-data", "Group www-data", "Listen 443", *lines, f"LoadModule tls_module {mod_tls_so()}", text]))
    done = subprocess.run([HTTPD, "-t", "-f", str(tmp_path / "httpd.conf")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_post_quantum_certificate_of_the_guide_is_for_those_who_know_it(httpd, ca):
    text = next(text for page, text in (block.values for block in blocks()) if "mldsa.pem" in text)
    server = httpd([], start=False, tls_engine=None)
    lay_out(server.home, ca)
    for shown, own in (("/etc/tls/", "@HOME@/tls/"), ("/var/www/", "@HOME@/docs/"), ("*:443", "*:@TLS@"), ("TLSEngine 443", "TLSEngine @TLS@")):
        text = text.replace(shown, own)
    server.write(config=text + 'Header always set X-Algorithm "expr=%{SSL:SSL_SIGALG}"\n')
    server.start()
    assert curl(server.port, "/", name="www.example.org", ca=ca.file).headers["x-algorithm"].startswith("ecdsa")
    # That root has signed nothing but ML-DSA.
    assert rustls_client(server.port, "--expect-status", "200", name="www.example.org", ca=server.home / "tls" / "root.crt")


def test_every_page_is_in_the_index_and_every_link_leads_somewhere():
    index = (GUIDE / "README.md").read_text()
    for page in GUIDE.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / link).resolve().is_file(), f"{page.name}: {link}"


def test_directives_and_lines_that_the_guide_names_exist():
    directives = (ROOT / "docs" / "directives.md").read_text()
    lines = (ROOT / "docs" / "log-messages.md").read_text()
    for page in GUIDE.glob("*.md"):
        text = page.read_text()
        for word in set(re.findall(r"\bTLS[A-Z][A-Za-z0-9]+\b", text)) - {"TLSv1"}:
            assert re.search(rf"\b{word}\b", directives), f"{page.name}: {word}"
        for line in set(re.findall(r"\b(?:TLS0\d{3}|AH\d{5})\b", text)):
            assert f"| {line} |" in lines, f"{page.name}: {line}"


def test_the_example_of_the_tests_own_page_works(httpd, ca):
    from harness.config import Vhost

    text = (ROOT / "tests" / "README.md").read_text()
    code = re.search(r"^    def test_something.*?(?=^\S)", text, re.M | re.S)[0]
    names = {"Vhost": Vhost, "curl": curl}
    exec("\n".join(line[4:] for line in code.splitlines()), names)
    names["test_something"](httpd, ca)
