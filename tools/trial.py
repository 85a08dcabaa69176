#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Follows two chapters of CONTRIBUTING.md to the letter in a copy of the tree, one after the other, and counts the files
that each touches: a directive that handshakes negotiate, and a switch of a virtual host that they do not.

  tools/trial.py            applies, builds, runs the tests that are concerned; fails where the chapter is not enough
  tools/trial.py --apply    leaves the copy with both changes in it, for those who want to look

A step is an item of the list: the file in its beginning, then blocks of code, each below or above the line that its
text names last ("below `...`", "above `...`"); where it names none, the block is a new file.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

TOP = pathlib.Path(__file__).resolve().parent.parent
GUIDE = "CONTRIBUTING.md"
DIRECTIVE, SWITCH = CHAPTERS = ("Add a directive", "Add a switch of a virtual host")
ITEM = re.compile(r"^(\d+)\. `([^`]+)`(.*?)(?=^\d+\. |^\S|\Z)", re.M | re.S)
BLOCK = re.compile(r"(?:^(?: {7}[^\n]*)?\n)+", re.M)
PLACE = re.compile(r"\b(below|above)\s+`([^`]+)`")
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class Step:
    """One item: a file, and what goes into it where."""

    def __init__(self, file, text):
        self.file, self.edits = file, []
        place, at = None, 0
        for block in BLOCK.finditer(text):
            code = textwrap.dedent(block[0]).strip("\n")
            if not code:
                continue
            for named in PLACE.finditer(text[at:block.start()]):
                place = named[1], re.sub(r"\s+", " ", named[2])
            self.edits.append((place, code))
            at = block.end()

    def apply(self, top):
        path = top / self.file
        for place, code in self.edits:
            if place is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(code + "\n")
                continue
            where, anchor = place
            lines = path.read_text().split("\n")
            found = [number for number, line in enumerate(lines) if anchor in line]
            if len(found) != 1:
                raise ValueError(f"{self.file} has {len(found)} lines with `{anchor}`, which {GUIDE} goes by")
            indent = re.match(r"\s*", lines[found[0]])[0]
            at = found[0] + (where == "below")
            lines[at:at] = [indent + line if line else line for line in code.split("\n")]
            path.write_text("\n".join(lines))


def chapter(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", (TOP / GUIDE).read_text(), re.M | re.S)[1]


def steps(title):
    return [Step(file, text) for _, file, text in ITEM.findall(chapter(title))]


def promised(title):
    """How many files the chapter says that it takes."""
    return NUMBERS.index(re.search(r"There\s+are (\w+)(?: files)?, tests and the generated document included", chapter(title))[1])


def git(top, *words):
    return subprocess.run(["git", "-c", "user.name=trial", "-c", "user.email=trial@localhost", *words], cwd=top, check=True,
                          capture_output=True, text=True).stdout


def copy_of_the_tree(to):
    """All files that are tracked, or would be, as a repository with one commit."""
    for name in git(TOP, "ls-files", "-co", "--exclude-standard").splitlines():
        if (TOP / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, to / name)
    git(to, "init", "-q")
    git(to, "add", "-A", "--force")
    git(to, "commit", "-q", "-m", "before")


def touched(top):
    return sorted(line[3:] for line in git(top, "status", "--porcelain", "-uall").splitlines())


def run(top, *words, **more):
    """Runs a step and says which."""
    print("   ", *words, flush=True)
    subprocess.run([str(word) for word in words], cwd=top, check=True, **more)


def lend_crates(to):
    """What cargo has compiled of other people's crates is the same there."""
    for folder in ("deps", "build", ".fingerprint"):
        if (TOP / "target/debug" / folder).exists():
            (to / "target/debug").mkdir(parents=True, exist_ok=True)
            run(to, "cp", "-al", TOP / "target/debug" / folder, to / "target/debug" / folder)
    # cxx leaves its headers where it was compiled for.
    for name in ("scratch-", "cxx"):
        for made in (to / "target/debug/.fingerprint").glob(f"{name}*"):
            shutil.rmtree(made)


def build_and_test(top, files):
    run(top, "cmake", "--build", "build/debug")
    run(top, "build/debug/tools/docgen/docgen", "docs")
    run(top, "build/debug/tests/unit/unit_tests", "--gtest_brief=1")
    run(top, sys.executable, "tools/house_rules.py")
    run(top, sys.executable, "tools/wrap_docs.py", "--check")
    tests = [file for file in files if file.startswith("tests/httpd/")]
    # Those of test_trial.py that apply the example would apply it twice.
    run(top, "env", f"MOD_TLS_SO={top}/build/debug/mod_tls.so", "/usr/bin/python3", "-m", "pytest", "-q", *tests,
        "tests/build/test_trial.py", "tests/build/test_documents.py", "-k", "not (tree or compile or format)")


def follow(top, title):
    """One chapter; whether it is enough, and takes as many files as it says."""
    made = steps(title)
    for step in made:
        step.apply(top)
    build_and_test(top, [step.file for step in made])
    files, said = touched(top), sorted(step.file for step in made)
    print(*files, sep="\n")
    if files != said or len(files) != promised(title):
        print(f"{title}: {len(files)} files; {GUIDE} says {promised(title)}: {' '.join(said)}")
        return False
    print(f"{title}: {len(files)} files, as {GUIDE} says")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", title)
    return True


def main():
    top = pathlib.Path(tempfile.mkdtemp(prefix="mod_tls-trial-"))
    keep = sys.argv[1:] == ["--apply"]
    try:
        copy_of_the_tree(top)
        if keep:
            for title in CHAPTERS:
                for step in steps(title):
                    step.apply(top)
            print(top)
            return 0
        lend_crates(top)
        run(top, "cmake", "--preset", "debug", stdout=subprocess.DEVNULL)
        return 0 if all(follow(top, title) for title in CHAPTERS) else 1
    finally:
        if not keep:
            shutil.rmtree(top)


if __name__ == "__main__":
    sys.exit(main())
