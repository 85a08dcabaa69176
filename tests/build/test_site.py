# SPDX-License-Identifier: Apache-2.0
"""The HTML site: every document is a page of it, nothing in it leads nowhere, and two runs make the same."""
import html
import pathlib
import re
import subprocess

import pytest
from harness.paths import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> pathlib.Path:
    return made(tmp_path_factory.mktemp("site"))


def made(folder: pathlib.Path) -> pathlib.Path:
    subprocess.run(["/usr/bin/python3", str(ROOT / "tools" / "site.py"), str(folder)], check=True)
    return folder


def names(page: pathlib.Path) -> set[str]:
    return set(re.findall(r'id="([^"]*)"', page.read_text()))


def test_every_document_is_a_page_and_the_menu_has_it(site):
    menu = (site / "index.html").read_text()
    for document in [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]:
        name = str(document.relative_to(ROOT)).removesuffix(".md") + ".html"
        page = site / name.replace("README.html", "index.html")
        heading = re.search(r"^# (.*)$", document.read_text(), re.M)[1]
        assert re.search(r"<h1[^>]*>", page.read_text()), page
        assert f"<title>{html.escape(heading)}" in page.read_text()
        if document.name != "README.md":
            assert f'href="{name}"' in menu, name


def test_no_link_leads_nowhere(site):
    found = 0
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src|srcset)="([^"]*)"', page.read_text()):
            if re.match(r"\w+:", target):
                continue
            path, _, fragment = html.unescape(target).partition("#")
            aim = (page.parent / path).resolve() if path else page
            assert aim.exists(), f"{page.relative_to(site)}: {target}"
            assert not fragment or fragment in names(aim), f"{page.relative_to(site)}: {target}"
            found += 1
    assert found > 500


def test_tables_and_code_are_what_they_are_in_the_documents(site):
    directives = (site / "docs" / "directives.html").read_text()
    assert "<td><code>SSLEngine on|off</code></td>" in directives
    assert '<h3 id="tlscertificate">TLSCertificate</h3>' in directives
    assert '<pre><code class="language-apache">&lt;VirtualHost *:443&gt;' in (site / "docs/guide/first-site.html").read_text()


def test_two_runs_make_the_same(site, tmp_path):
    again = made(tmp_path)
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    for file in files:
        assert (site / file).read_bytes() == (again / file).read_bytes(), file
