# SPDX-License-Identifier: Apache-2.0
"""What packages are made of, as far as it can be looked at without building one: the stub, the spec for RPM, the recipe for containers,
and what a release refuses."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from elf import defined, needed
from harness.paths import ROOT, mod_tls_so


def run(*words, cwd: Path = ROOT, env=None) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, env=env)


def test_the_stub_names_both_modules_and_where_the_code_is(tmp_path):
    code, stub = tmp_path / "mod_tls-0123456789abcdef.so", tmp_path / "mod_tls.so"
    code.symlink_to(mod_tls_so())
    done = run(ROOT / "tools/stub.sh", code, stub, "/usr/lib/libapache2-mod-tls")
    assert done.returncode == 0, done.stderr
    assert needed(stub) == {"libc.so.6"} and defined(stub) == {"tls_module", "ssl_module"}
    assert b"/usr/lib/libapache2-mod-tls/mod_tls-0123456789abcdef.so\0" in stub.read_bytes()
    # A name of its own would be what the loader looks for.
    assert "SONAME" not in run("readelf", "-dW", code).stdout + run("readelf", "-dW", stub).stdout


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("rpm") / "mod_tls.spec"
    assert run(ROOT / "tools/rpm.sh", "1.2.3", "1790000000", file).returncode == 0
    return file


def test_the_spec_can_be_read(spec):
    done = run("rpmspec", "-q", "--qf", "%{name} %{version} %{license}\n", spec)
    assert done.returncode == 0 and done.stdout.startswith("mod_tls 1.2.3 Apache-2.0 AND "), done.stderr + done.stdout
    done = run("rpmlint", spec)
    assert ": E: " not in done.stdout and "0 errors" in done.stdout, done.stdout
    text = spec.read_text()
    assert "@" not in re.sub(r"<\S+@\S+>", "", text)
    for path in re.findall(r"\b(?:packaging|tools)/[\w./-]+", text):
        assert (ROOT / path).is_file(), path


def test_the_spec_names_the_licences_of_all_that_is_linked(spec, tmp_path):
    subprocess.run([sys.executable, str(ROOT / "tools/bill.py"), str(tmp_path)], check=True)
    named = set(re.search(r"^License:\s+(.*)$", spec.read_text(), re.M)[1].split(" AND "))
    for component in json.loads((tmp_path / "sbom.cdx.json").read_text())["components"]:
        expression = component["licenses"][0]["expression"]
        for clause in re.sub(r"[()]", "", expression).split(" AND "):
            assert named & set(clause.split(" OR ")), (component["name"], expression)


def test_cleaning_the_source_package_leaves_the_crates_whole(tmp_path):
    shutil.copytree(ROOT / "debian", tmp_path / "debian")
    changelog = "source tools/common.sh; write_changelog $1 1.2.3 1790000000"
    assert run("bash", "-c", changelog, "-", tmp_path).returncode == 0
    crate = tmp_path / "vendor" / "sample"
    crate.mkdir(parents=True)
    files = {crate / name for name in ("Cargo.toml.orig", "lib.rs~", "a.rej", ".#b")}
    leftover = tmp_path / "leftover.orig"
    for file in {*files, leftover}:
        file.touch()
    done = run("debian/rules", "clean", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(crate.iterdir()) == files and not leftover.exists()


def test_the_recipe_for_containers_copies_what_there_is():
    recipe = (ROOT / "examples/container/Dockerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", recipe, re.M):
        assert source.startswith("build/package/libapache2-mod-tls_") or (ROOT / source).exists(), source
    shown = re.search(r"^```apache\n(.*?)^```$", (ROOT / "docs/guide/containers.md").read_text(), re.M | re.S)[1]
    image = (ROOT / "examples/container/tls.conf").read_text()
    for line in shown.splitlines():
        assert line.startswith("    DocumentRoot") or line in image, line
    assert "docker build -f examples/container/Dockerfile -t httpd-tls ." in (ROOT / "docs/guide/containers.md").read_text()


def test_the_package_brings_what_the_documents_ask_for():
    """a2enmod, apache2ctl and /etc/apache2 are apache2's, not those of the packages that modules need; nothing of it is installed besides."""
    assert re.search(r"^Depends: apache2 \(>= 2\.4\.52\)", (ROOT / "debian/control").read_text(), re.M)
    install = re.search(r"^  apt-get install -q .*$", (ROOT / "tests/platforms/newcomer.sh").read_text(), re.M)[0]
    assert "libapache2" not in install and " apache2" not in install, install
    # Pages of the site link to files that would be compressed.
    assert "dh_compress -Xhtml" in (ROOT / "debian/rules").read_text()
    prerm = (ROOT / "debian/libapache2-mod-tls.prerm").read_text()
    assert prerm.index("for verb in may-leave leave") < prerm.index("mod-tls-switch $verb") < prerm.index("#DEBHELPER#") < prerm.index("apache2ctl stop") < prerm.index("apache2ctl start")


# Commands that documents show and that something else than newcomer.sh runs as they stand there, or cannot be run by a test.
ELSEWHERE = {
    ("README.md", "Try it", 1): "tests/interop/test_serve.py, ./dev test itself",
    ("docs/guide/certificates.md", "Renewal", 2): "tests/interop/test_certbot.py",
    ("docs/guide/containers.md", "Containers", 1): "tests/platforms/container/try.sh",
    ("docs/guide/containers.md", "Containers", 2): "tests/platforms/container/try.sh",
    ("docs/guide/containers.md", "Containers", 3): "tests/platforms/container/try.sh",
    ("docs/guide/mod_md.md", "Certificates by mod_md", 1): "test_guide.py",
    ("docs/guide/mod_md.md", "When a renewed certificate counts", 1): "test_acme.py",
    ("docs/guide/reverse-proxy.md", "Reverse proxy", 2): "test_guide.py",
    ("docs/migrating-from-mod_ssl.md", "Migrating from mod_ssl", 2): "newcomer.sh, line by line",
}


def command_blocks():
    """(page, heading, number) of each indented block that is typed: its first line begins with a small letter or a dot."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md")), ROOT / "docs/migrating-from-mod_ssl.md"]
    for page in pages:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
        for section in re.split(r"^(?=#+ )", text, flags=re.M)[1:]:
            heading, _, body = section.partition("\n")
            found = re.findall(r"(?:^    .*\n(?:\n+(?=    ))?)+", body, re.M)
            for number, block in enumerate(found, 1):
                if re.match(r"    [a-z.]", block):
                    yield str(page.relative_to(ROOT)), heading.lstrip("# "), number


def test_a_newcomer_types_every_command_that_the_documents_show():
    text = (ROOT / "tests/platforms/newcomer.sh").read_text()
    typed = {(page, heading.strip('"'), int(number)) for page, heading, number in
             re.findall(r'^ *type_in (\S+) ("[^"]+"|\S+) (\d)', text, re.M)}
    shown = set(command_blocks())
    assert len(shown) > 10 and typed | set(ELSEWHERE) == shown and not typed & set(ELSEWHERE), (typed | set(ELSEWHERE)) ^ shown


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A small tree that a release can be asked of; its tools are copies of ours."""
    tree = tmp_path / "tree"
    (tree / "tools").mkdir(parents=True)
    for name in ("release.sh", "common.sh"):
        shutil.copy(ROOT / "tools" / name, tree / "tools" / name)
    (tree / "tools" / "package.sh").write_text("#!/bin/sh\necho no package >&2\nexit 1\n")
    (tree / "tools" / "package.sh").chmod(0o755)
    (tree / "Cargo.toml").write_text('[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n')
    (tree / "lib.rs").write_text("")
    (tree / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n- Something.\n\n## 0.1.0\n\n- All.\n")
    run("cargo", "generate-lockfile", "--offline", cwd=tree)
    for words in (("init", "-q"), ("config", "user.name", "a"), ("config", "user.email", "a@b.test"), ("add", "."), ("commit", "-qm", "all")):
        assert run("git", *words, cwd=tree).returncode == 0
    return tree


def release(checkout, *words):
    """One that leaves nothing in the folder of temporary files."""
    temporary = checkout.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    done = run("tools/release.sh", *words, cwd=checkout, env=os.environ | {"TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == [] and run("git", "worktree", "list", cwd=checkout).stdout.count("\n") == 1
    return done


# A package.sh that makes what release.sh takes from it; in an archive it looks for what builds without a network.
PACKAGE = """#!/bin/sh
set -e
version=$(sed -n 's/^version = "\\(.*\\)"/\\1/p' Cargo.toml | head -1)
if [ "$1" = --check ]; then
  mkdir -p build/package/one/mod-tls-$version/build/package/bill
  touch build/package/a.deb build/package/one/mod-tls-$version/build/package/bill/sbom.cdx.json
  touch build/package/one/mod-tls-$version/build/package/bill/NOTICE
else
  [ ! -e .git ]
  [ -d vendor ]
  grep -q "mod-tls ($version)" debian/changelog
  [ "$(wc -l < /proc/net/route)" -le 1 ] || [ "$(id -u)" != 0 ]
fi
"""


@pytest.fixture
def packaged(checkout) -> Path:
    (checkout / "debian/source").mkdir(parents=True)
    (checkout / "debian/source/format").write_text("3.0 (native)\n")
    shutil.copy(ROOT / "debian/control", checkout / "debian/control")
    (checkout / ".gitignore").write_text("build/\n")
    (checkout / "tools/package.sh").write_text(PACKAGE)
    (checkout / "tools/rpm.sh").write_text('#!/bin/sh\ntouch "$3"\n')
    (checkout / "tools/rpm.sh").chmod(0o755)
    assert run("git", "add", ".", cwd=checkout).returncode == 0 and run("git", "commit", "-qm", "package", cwd=checkout).returncode == 0
    return checkout


def test_a_release_is_a_commit_a_tag_and_archives_that_suffice(packaged):
    done = release(packaged, "0.2.0")
    assert done.returncode == 0, done.stdout + done.stderr
    names = {file.name for file in (packaged / "build/dist/0.2.0").iterdir()}
    assert names == {"mod-tls-0.2.0.tar.xz", "mod-tls-0.2.0-vendor.tar.xz", "mod-tls_0.2.0.dsc", "mod-tls_0.2.0.tar.xz", "a.deb", "sbom.cdx.json",
                     "NOTICE", "mod_tls.spec", "SHA256SUMS"}
    assert run("git", "rev-parse", "v0.2.0^{commit}", cwd=packaged).stdout == run("git", "rev-parse", "HEAD", cwd=packaged).stdout
    assert 'version = "0.2.0"' in (packaged / "Cargo.toml").read_text() and run("git", "status", "--porcelain", cwd=packaged).stdout == ""


@pytest.mark.parametrize("why", ["a key that does not sign", "archives that are not enough", "somebody who edits meanwhile"])
def test_a_release_that_fails_late_is_undone_and_can_be_made_again(packaged, why):
    edited = ""
    if why == "a key that does not sign":
        assert run("git", "config", "user.signingkey", "nobody@nowhere.test", cwd=packaged).returncode == 0
        run("git", "config", "gpg.program", "false", cwd=packaged)
    else:
        script = packaged / "tools/package.sh"
        if why == "archives that are not enough":
            script.write_text(PACKAGE.replace("[ -d vendor ]", "false"))
        else:
            edited = "// edited"
            script.write_text(PACKAGE + f'[ -n "$1" ] || {{ echo "{edited}" > "{packaged}/lib.rs"; echo "x" >> "{packaged}/CHANGELOG.md"; }}\n')
        assert run("git", "commit", "-qam", "x", cwd=packaged).returncode == 0
    head = run("git", "rev-parse", "HEAD", cwd=packaged).stdout
    done = release(packaged, "0.2.0")
    assert done.returncode != 0 and "no release was made" in done.stderr, done.stdout + done.stderr
    assert run("git", "rev-parse", "HEAD", cwd=packaged).stdout == head and run("git", "tag", cwd=packaged).stdout == ""
    assert not (packaged / "build/dist/0.2.0").exists() and edited in (packaged / "lib.rs").read_text()
    if why == "a key that does not sign":
        run("git", "config", "--unset", "user.signingkey", cwd=packaged)
        assert release(packaged, "0.2.0", "--no-trial").returncode == 0


@pytest.mark.parametrize("version, change, why", [
    ("0.2", None, "is no version"),
    ("0.1.0", None, "is not newer than 0.1.0"),
    ("0.0.9", None, "is not newer than 0.1.0"),
    ("0.2.0", lambda tree: (tree / "lib.rs").write_text("//"), "not committed"),
    ("0.2.0", lambda tree: run("git", "tag", "v0.2.0", cwd=tree), "the tag v0.2.0 exists"),
    ("0.2.0", lambda tree: ((tree / "CHANGELOG.md").write_text("## Unreleased\n\n## 0.1.0\n\n- All.\n"), run("git", "commit", "-qam", "x", cwd=tree)),
     "nothing under"),
    ("0.2.0", None, "no release was made, everything is as it was"),
])
def test_a_release_that_cannot_be_changes_nothing(checkout, version, change, why):
    if change is not None:
        change(checkout)
    head = run("git", "rev-parse", "HEAD", cwd=checkout).stdout
    before = {file.name: file.read_text() for file in checkout.iterdir() if file.is_file()}
    tags = run("git", "tag", cwd=checkout).stdout
    done = release(checkout, version)
    assert done.returncode != 0 and why in done.stderr, done.stdout + done.stderr
    assert run("git", "rev-parse", "HEAD", cwd=checkout).stdout == head
    assert {file.name: file.read_text() for file in checkout.iterdir() if file.is_file()} == before
    assert run("git", "tag", cwd=checkout).stdout == tags and not (checkout / "build/dist").exists()
