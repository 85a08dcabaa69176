#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The documents as an HTML site that needs no server, by markdown-it: CommonMark, and the tables of forges.

usage: site.py FOLDER      writes FOLDER/index.html and the pages that it leads to

Pages stand where their sources do, so that links between documents are the same in both; two runs write the same octets.
"""
import html
import os
import pathlib
import re
import shutil
import sys

from markdown_it import MarkdownIt

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What each page offers, in the order of who needs it first; README.md becomes the index of its folder.
MENU: list[tuple[str, list[str]]] = [
    ("Start", ["README.md", "docs/guide/first-site.md", "docs/migrating-from-mod_ssl.md", "CHANGELOG.md"]),
    ("Guide", ["docs/guide/certificates.md", "docs/guide/mod_md.md", "docs/guide/client-certificates.md",
               "docs/guide/reverse-proxy.md", "docs/guide/several-machines.md", "docs/guide/hardening.md",
               "docs/guide/containers.md", "docs/guide/operating.md", "docs/guide/troubleshooting.md"]),
    ("Reference", ["docs/directives.md", "docs/variables.md", "docs/log-messages.md", "docs/metrics.md"]),
    ("More", ["docs/operations.md", "docs/resumption.md", "docs/proxy.md", "docs/ech.md", "docs/platforms.md",
              "docs/threat-model.md", "SECURITY.md", "docs/architecture.md", "docs/dependencies.md",
              "docs/robustness.md", "docs/measurements.md", "docs/maintainers.md", "docs/releasing.md", "CONTRIBUTING.md"]),
]
# A page without a place in the menu, and what pages show or link to that is no page.
BESIDES = ["docs/guide/README.md"]
FILES = ["LICENSE", "docs/status.schema.json"]
FOLDERS = ["docs/pictures", "examples/logging", "examples/monitoring"]
READER = MarkdownIt("commonmark").enable("table")
STYLE = """:root{color-scheme:light dark;--line:#8884;--code:#8882;--link:#06c}
@media(prefers-color-scheme:dark){:root{--link:#6bf}}
body{margin:0;font:16px/1.5 system-ui,sans-serif;display:grid;grid-template-columns:15rem minmax(0,1fr);gap:2rem}
nav{padding:1rem;border-right:1px solid var(--line);font-size:.9rem}nav b{display:block;margin-top:1rem}
nav a{display:block;padding:.1rem 0}main{padding:1rem}main>*{max-width:52rem}main>table{max-width:100%}a{color:var(--link)}a[aria-current]{font-weight:600;color:inherit}
pre,code{background:var(--code);border-radius:3px;font-size:.9em}code{padding:.1em .25em}pre{padding:.7rem;overflow:auto}
pre code{background:none;padding:0}table{border-collapse:collapse;display:block;overflow:auto}
td,th{border:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}td code{overflow-wrap:anywhere}
img{max-width:100%}
@media(max-width:50rem){body{display:block}nav{border:0;border-bottom:1px solid var(--line)}
nav a,nav b{display:inline-block;margin:0 .6rem 0 0}td code{overflow-wrap:normal}}
"""


def pages() -> list[str]:
    return [name for _, names in MENU for name in names] + BESIDES


def complete_menu() -> None:
    """Documents that nobody gave a place stand at the end."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("**/*.md"))
    MENU[-1][1].extend(name for name in found if name not in pages())


def page_of(name: str) -> str:
    """Where the page of a document stands in the site."""
    folder, file = os.path.split(name)
    return os.path.join(folder, "index.html" if file == "README.md" else file.removesuffix(".md") + ".html")


def anchor(heading: str) -> str:
    """A heading with a name to link to, made as forges make it."""
    level, text = re.fullmatch(r"<(h\d)>(.*)</h\d>", heading).groups()
    words = html.unescape(re.sub(r"<[^>]*>", "", text)).lower()
    name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
    return f'<{level} id="{name}">{text}</{level}>'


def relative(target: str, source: str) -> str:
    return os.path.relpath(target, os.path.dirname(source) or ".")


def link(target: str, source: str) -> str:
    """A link of a document as the site has it: documents are pages, everything else stays."""
    path, mark, fragment = target.partition("#")
    if re.match(r"\w+:", target) or not path:
        return target
    name = os.path.normpath(os.path.join(os.path.dirname(source), path))
    if name in pages():
        return relative(page_of(name), page_of(source)) + mark + fragment
    return target


def title(text: str) -> str:
    return re.search(r"^# (.*)$", text, re.M)[1]


def menu(current: str, titles: dict[str, str]) -> str:
    out = []
    for heading, names in MENU:
        out.append(f"<b>{heading}</b>")
        for name in names:
            here = ' aria-current="page"' if name == current else ""
            out.append(f'<a href="{relative(page_of(name), page_of(current))}"{here}>{html.escape(titles[name])}</a>')
    return "\n".join(out)


def page(name: str, text: str, titles: dict[str, str]) -> str:
    body = READER.render(text)
    body = re.sub(r"<h\d>.*</h\d>", lambda found: anchor(found[0]), body)
    body = re.sub(r'(?<=href=")[^"]*(?=")', lambda found: link(found[0], name), body)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{html.escape(titles[name])} - mod_tls</title>
<link rel="stylesheet" href="{relative('style.css', page_of(name))}">
</head>
<body>
<nav>
{menu(name, titles)}
</nav>
<main>
{body}
</main>
</body>
</html>
"""


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = pathlib.Path(words[0])
    complete_menu()
    texts = {name: (ROOT / name).read_text() for name in pages()}
    titles = {name: title(text) for name, text in texts.items()}
    for name, text in texts.items():
        path = folder / page_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(name, text, titles))
    (folder / "style.css").write_text(STYLE)
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
