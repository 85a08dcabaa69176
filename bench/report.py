"""Results as JSON, which charts are made of."""

import dataclasses
import json
import pathlib
import platform
import re
import subprocess

import peers
from arms import HTTPD
from measure import Result


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    cpu = re.search(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    system = re.search(r'^PRETTY_NAME="(.+)"$', pathlib.Path("/etc/os-release").read_text(), re.M)
    said = subprocess.run([HTTPD, "-v"], capture_output=True, text=True, check=False).stdout
    httpd = re.search(r"Apache/(\S+)", said)
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False).stdout
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "system": system[1] if system else platform.system(),
        "kernel": platform.release(),
        "httpd": httpd[1] if httpd else "",
        "openssl": openssl.split()[1] if openssl else "",
        "nginx": peers.version() if peers.available() else "",
    }


def as_json(names: list[str], results: list[Result], rounds: int) -> str:
    """One object for each row, by its name; `values` are medians by server, in `unit`."""
    rows = []
    for name, result in zip(names, results, strict=True):
        row = {"name": name, **dataclasses.asdict(result)}
        rows.append({key: value for key, value in row.items() if value not in (None, "", {})})
    return json.dumps({"machine": machine(), "rounds": rounds, "rows": rows}, indent=1) + "\n"
