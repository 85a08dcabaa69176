#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Wraps the paragraphs and lists of the Markdown documents at 100 columns; tables, code, headings and links stay as they
are. With --check it only names the lines that are longer."""
import pathlib
import re
import subprocess
import sys
import textwrap

TOP = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 100
ITEM = re.compile(r"(\s*)(?:[-*]|\d+\.)\s+")
# What is one line whatever its length: headings, rows of tables, comments, definitions of links, code by indentation.
WHOLE = re.compile(r"\s*(#|\||<|\[[^]]+\]:|!\[)|    ")


def documents():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", "*.md"],
                         cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [TOP / name for name in out.split("\n") if name and (TOP / name).exists()]


def blocks(text):
    """Runs of lines that are one paragraph or one item, and lines that stay as they are."""
    paragraph, code, in_list = [], False, False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        code ^= fence
        item = ITEM.match(line)
        whole = fence or code or not line.strip() or (WHOLE.match(line) and not item and not (in_list and paragraph))
        if paragraph and (whole or item):
            yield paragraph
            paragraph = []
        if whole:
            in_list = in_list and (not line.strip() or line.startswith("  "))
            yield line
            continue
        in_list = in_list or bool(item)
        paragraph.append(line)
    if paragraph:
        yield paragraph


def wrapped(paragraph):
    if all(len(line) <= WIDTH for line in paragraph):
        return paragraph
    item = ITEM.match(paragraph[0])
    first = item[0] if item else re.match(r"\s*", paragraph[0])[0]
    rest = " " * len(first)
    words = " ".join([paragraph[0][len(first):]] + [line.strip() for line in paragraph[1:]])
    return textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False)


def too_long(path):
    """The numbers of lines that wrapping would change, or that it cannot make short enough."""
    number = 0
    for block in blocks(path.read_text()):
        if isinstance(block, str):
            number += 1
            continue
        if any(len(line) > WIDTH and " " in line.strip() for line in block):
            yield number + 1
        number += len(block)


def main():
    if "--check" in sys.argv:
        found = [(path, number) for path in documents() for number in too_long(path)]
        for path, number in found:
            print(f"{path.relative_to(TOP)}:{number}: longer than {WIDTH} columns; ./dev format wraps it")
        return 1 if found else 0
    for path in documents():
        lines = []
        for block in blocks(path.read_text()):
            lines += [block] if isinstance(block, str) else wrapped(block)
        text = "\n".join(lines)
        if text != path.read_text():
            path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
