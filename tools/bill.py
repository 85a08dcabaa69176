#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is linked into the module besides its own code: a bill of materials (CycloneDX) and the licences that travel with it.

usage: bill.py FOLDER      writes FOLDER/sbom.cdx.json and FOLDER/NOTICE

Both follow from Cargo.lock and the sources of the crates alone: two runs write the same octets.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULE = "mod_tls_bridge"
# Files of a crate that hold what its licence wants to be repeated.
TEXTS = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|AUTHORS)[^/]*$", re.I)
SOURCES = re.compile(r"\.(rs|c|h|py|go)$")


def cargo(*words: str) -> str:
    done = subprocess.run(["cargo", *words, "--locked"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bill.py: cargo {words[0]} failed: {done.stderr}")
    return done.stdout


def metadata() -> dict:
    return json.loads(cargo("metadata", "--format-version", "1"))


def linked(data: dict) -> list[dict]:
    """Packages that end up in the object, without ours: what the features of the tests bring along is left out."""
    tree = cargo("tree", "-e", "normal,no-proc-macro", "-p", MODULE, "--prefix", "none", "--no-dedupe")
    names = set(re.findall(r"^(\S+) v(\S+)", tree, re.M))
    found = [package for package in data["packages"] if (package["name"], package["version"]) in names and package["source"] is not None]
    return sorted(found, key=lambda p: (p["name"], p["version"]))


def reference(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def checksums() -> dict[tuple[str, str], str]:
    found = {}
    for block in (ROOT / "Cargo.lock").read_text().split("[[package]]")[1:]:
        fields = dict(re.findall(r'^(\w+) = "(.*)"$', block, re.M))
        found[fields["name"], fields["version"]] = fields.get("checksum", "")
    return found


def bill(data: dict) -> str:
    packages, sums = linked(data), checksums()
    known = {package["id"]: package for package in packages}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    own = next(package for package in data["packages"] if package["name"] == MODULE)
    components = []
    for package in packages:
        one = {"type": "library", "bom-ref": reference(package), "name": package["name"], "version": package["version"],
               "purl": reference(package), "licenses": [{"expression": package["license"].replace("/", " OR ")}]}
        if sums.get((package["name"], package["version"])):
            one["hashes"] = [{"alg": "SHA-256", "content": sums[package["name"], package["version"]]}]
        components.append(one)
    graph = [{"ref": reference(package),
              "dependsOn": sorted(reference(known[d]) for d in nodes[package["id"]]["dependencies"] if d in known)} for package in packages]
    name = f"mod_tls {own['version']} " + " ".join(reference(package) for package in packages)
    return json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
        "metadata": {"component": {"type": "library", "bom-ref": "mod_tls", "name": "mod_tls", "version": own["version"],
                                   "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": components, "dependencies": graph}, indent=1) + "\n"


def texts_of(package: dict) -> list[tuple[str, str]]:
    """Licence texts of a crate and of what is bundled in it, each once."""
    folder = pathlib.Path(package["manifest_path"]).parent
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and TEXTS.search(path.name) and not SOURCES.search(path.name):
            text = path.read_text(errors="replace").strip()
            if text and text not in found.values():
                found[str(path.relative_to(folder))] = text
    return list(found.items())


def notice(data: dict) -> str:
    """Each text once, with all that it is the text of."""
    holders: dict[str, list[str]] = collections.defaultdict(list)
    lines = ["mod_tls holds the following besides its own code, which is under the Apache License 2.0.", ""]
    for package in linked(data):
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package['license']}{', ' + package['repository'] if package['repository'] else ''}")
        for file, text in texts_of(package):
            holders[text].append(f"{name} ({file})")
    for text, of in holders.items():
        lines += ["", "-" * 100, *of, "-" * 100, "", text]
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder, data = pathlib.Path(words[0]), metadata()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(bill(data))
    (folder / "NOTICE").write_text(notice(data))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
