#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Circles of modules in the Rust crates, of files and of folders in the C++: what can only be understood together. Prints
each circle with the uses that close it, and fails where there is one. In Rust, names that a module passes on (`pub use`)
count for the file that has them; in C++ a source and its header are one. Unit tests may use what they like."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|r#"(?:[^"]|"(?!#))*"#|r"[^"]*"|b?"(?:\\.|[^"\\])*"|b?\'(?:\\.[^\']*|[^\'\\])\'', re.S)
USE = re.compile(r"(?:^|\n)\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
MOD = re.compile(r"(?:^|\n)\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+);")
INLINE = re.compile(r"\n\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*\{")
PATH = re.compile(r"(?<![\w:])((?:crate|super|self|[a-z_]\w*)(?:::\w+)+)")


def code_of(text):
    """The text without comments, strings and test modules."""
    text = NOISE.sub(lambda found: '""' if found[0].startswith(('"', 'r', 'b"')) else " ", text)
    out, at = [], 0
    for found in re.finditer(r"#\[cfg\((?:test|all\(test[^]]*)\)\]\s*(?:#\[[^]]*\]\s*)*(?:pub(?:\([^)]*\))? )?(mod|use|fn|impl)\b", text):
        if found.start() < at:
            continue
        out.append(text[at:found.start()])
        end_of_line, brace = text.find(";", found.end()), text.find("{", found.end())
        if found[1] == "use" or (brace < 0 or 0 <= end_of_line < brace):
            at = end_of_line + 1
            continue
        depth = 0
        for at in range(brace, len(text)):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            if depth == 0:
                break
        at += 1
    return "".join(out) + text[at:]


def branches(tree):
    """`a::{b, c::{self, d as e}}` as the pairs of a path and the name that it goes by."""
    tree = tree.strip()
    if "{" in tree:
        stem, inner = tree.split("{", 1)
        inner, depth, part = inner.rsplit("}", 1)[0], 0, ""
        for char in inner + ",":
            depth += {"{": 1, "}": -1}.get(char, 0)
            if char == "," and depth == 0:
                if part.strip():
                    for path, name in branches(part):
                        path = stem.strip().rstrip(":").split("::") + path
                        path = [step for step in path if step]
                        yield (path[:-1], path[-2] if name == "self" else name) if path[-1] == "self" else (path, name)
                part = ""
            else:
                part += char
        return
    path, _, name = re.sub(r"\s+", " ", tree).partition(" as ")
    steps = [step.strip() for step in path.split("::")]
    yield steps, name.strip() or steps[-1]


class Crate:
    def __init__(self, name, root):
        self.name, self.modules, self.passed_on, self.aliases, self.code = name, {}, {}, {}, {}
        self.read((), root / "lib.rs", root)

    def read(self, module, path, folder):
        self.modules[module] = path
        code = self.code[module] = code_of(path.read_text())
        self.passed_on[module], self.aliases[module] = {}, {}
        for inline in INLINE.findall(code):  # the declaration of the boundary: its names are used, it uses none
            self.modules[module + (inline,)] = path
            self.passed_on[module + (inline,)], self.aliases[module + (inline,)] = {}, {}
        for child in MOD.findall(code):
            beside, below = folder / f"{child}.rs", folder / child / "mod.rs"
            found = beside if beside.exists() else below
            if found.exists():
                self.read(module + (child,), found, folder / child)
        for public, tree in USE.findall(code):
            for steps, name in branches(tree):
                self.aliases[module][name] = steps
                if public:
                    self.passed_on[module][name] = steps

    def absolute(self, module, steps):
        """The steps from the crate's root; None where they lead out of the crate."""
        head, *rest = steps
        if head in ("crate", self.name):
            return tuple(rest)
        if head == "self":
            return module + tuple(rest)
        if head == "super":
            while rest and rest[0] == "super":
                module, rest = module[:-1], rest[1:]
            return module[:-1] + tuple(rest)
        if module + (head,) in self.modules:
            return module + tuple(steps)
        return None

    def home(self, module, steps, depth=0):
        """The module that has what `steps` name in `module`."""
        if depth > 12:
            return None
        whole = self.absolute(module, steps)
        if whole is None:
            aliased = self.aliases[module].get(steps[0])
            if aliased is None or aliased == list(steps):
                return None
            return self.home(module, list(aliased) + list(steps[1:]), depth + 1)
        for length in range(len(whole), -1, -1):
            if whole[:length] not in self.modules:
                continue
            found, rest = whole[:length], whole[length:]
            if rest and rest[0] in self.passed_on[found]:
                return self.home(found, list(self.passed_on[found][rest[0]]) + list(rest[1:]), depth + 1)
            return found if rest else None
        return None

    def uses(self):
        """For each module the modules it uses, each with one name that it uses of it."""
        edges = {module: {} for module in self.modules}
        for module, code in self.code.items():
            named = [steps for public, tree in USE.findall(code) if not public for steps, _ in branches(tree)]
            named += [path.split("::") for path in PATH.findall(USE.sub("\n", code))]
            for steps in named:
                target = self.home(module, [step for step in steps if step != "*"] + (["*"] if steps[-1] == "*" else []))
                if target is not None and target != module:
                    edges[module].setdefault(target, "::".join(steps))
        return edges


INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)


def includes(src, unit):
    """For each unit of the C++, the name that `unit` gives to a path, the units it includes, each with the line that does."""
    edges = {}
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".cpp", ".hpp", ".def"):
            continue
        own = edges.setdefault(unit(path.relative_to(src)), {})
        for name in INCLUDE.findall(path.read_text()):
            if (src / name).exists() and unit(pathlib.Path(name)) != unit(path.relative_to(src)):
                own.setdefault(unit(pathlib.Path(name)), f"{path.relative_to(src)} includes {name}")
                edges.setdefault(unit(pathlib.Path(name)), {})
    return edges


def components(edges):
    """Tarjan's strongly connected components of more than one module."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges[node]:
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            part = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(part) > 1:
                found.append(part)

    sys.setrecursionlimit(10_000)
    for node in edges:
        if node not in index:
            visit(node)
    return found


def main():
    bad = 0
    uses = [(name, "modules", Crate(name, TOP / folder).uses())
            for name, folder in (("mod_tls_core", "rust/core/src"), ("mod_tls_bridge", "rust/bridge/src"))]
    uses += [("src", "files", includes(TOP / "src", lambda path: path.with_suffix("").parts)),
             ("src", "folders", includes(TOP / "src", lambda path: path.parent.parts))]
    for name, kind, edges in uses:
        for part in components(edges):
            bad += 1
            print(f"{name}: a circle of {len(part)} {kind}")
            for module in sorted(part):
                for target, what in sorted(edges[module].items()):
                    if target in part:
                        print(f"  {'::'.join(module) or 'crate'} -> {'::'.join(target) or 'crate'} ({what})")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
