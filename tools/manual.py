#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages, of what the code says of itself: mod_tls(5) of docs/directives.md, mod-tls-switch(8) of the program's own words.

usage: manual.py FOLDER      writes FOLDER/mod_tls.5 and FOLDER/mod-tls-switch.8
"""
import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def version() -> str:
    return re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def plain(text: str) -> str:
    """One line of text for roff."""
    text = text.replace("\\|", "|").replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`([^`]*)`", lambda code: f"\\fB{code[1]}\\fP", text)
    return "\\&" + text if text[:1] in (".", "'") else text


def title(name: str, section: int) -> list[str]:
    return [f'.TH {name} {section} "" "mod_tls {version()}" "Apache HTTP Server"']


def directives() -> str:
    text = (ROOT / "docs" / "directives.md").read_text()
    # A paragraph or item is one line here: roff would break it before a line that begins with spaces.
    text = re.sub(r"^Made from.*?\n\n", "", text, flags=re.M | re.S)
    text = re.sub(r"\n  (?=\S)", " ", text)
    out = title("MOD_TLS", 5) + [
        ".SH NAME", "mod_tls \\- TLS for the Apache HTTP Server, by rustls", ".SH DESCRIPTION",
        "Whole configurations are in /usr/share/doc/libapache2\\-mod\\-tls/docs/guide/."]
    in_table = False
    for line in text.splitlines()[1:]:
        if line.startswith("## "):
            out.append(f'.SH "{plain(line[3:]).upper()}"')
        elif line.startswith("### "):
            out.append(f'.SS "{plain(line[4:])}"')
        elif line.startswith("|---"):
            in_table = True
        elif line.startswith("|"):
            if in_table:
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                out += [".TP", plain(cells[0]) or "\\(em", plain("; ".join(cell for cell in cells[1:] if cell)) or "\\&"]
        elif line.startswith("- "):
            in_section = any(made.startswith(".SS") for made in out)
            out += [".br" if in_section else ".IP \\(bu 2", plain(line[2:])]
        elif line:
            out.append(plain(line))
        else:
            in_table = False
            if out[-1] != ".PP" and not out[-1].startswith(".S"):
                out.append(".PP")
    return "\n".join([*out, ".SH SEE ALSO", ".BR mod\\-tls\\-switch (8),", ".BR apache2 (8)"]) + "\n"


def switch() -> str:
    program = ast.parse((ROOT / "packaging" / "mod-tls-switch").read_text())
    summary, _, usage = ast.get_docstring(program).partition("\n\n")
    verbs = re.findall(r"^\s*(?:usage: )?mod-tls-switch (\S+(?: \[\S+\])?)\s+(.*)$", usage, re.M)
    out = title("MOD-TLS-SWITCH", 8) + [
        ".SH NAME", f"mod\\-tls\\-switch \\- {plain(summary[0].lower() + summary[1:].rstrip('.'))}", ".SH SYNOPSIS",
        f"\\fBmod\\-tls\\-switch\\fP {plain('|'.join(verb for verb, _ in verbs))}", ".SH COMMANDS"]
    for verb, what in verbs:
        out += [".TP", f"\\fB{plain(verb)}\\fP", plain(what)]
    out += [".SH INSTANCES", plain(" ".join(usage.rpartition("\n\n")[2].split())), ".SH EXIT STATUS", "0 if it was done. 1 if it was not: every change was undone, or a message names what was not. 2 for unknown arguments.",
            ".SH FILES", ".TP", "/etc/apache2/mods\\-available/ssl.load", "is diverted while mod_tls is in mod_ssl's place",
            ".SH SEE ALSO", ".BR mod_tls (5)"]
    return "\n".join(out) + "\n"


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = pathlib.Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mod_tls.5").write_text(directives())
    (folder / "mod-tls-switch.8").write_text(switch())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
