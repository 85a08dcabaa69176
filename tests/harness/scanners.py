# SPDX-License-Identifier: Apache-2.0
"""Scanners of TLS servers, and the list of findings that stand with a reason."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .paths import ROOT

SECONDS = 600
SSLYZE = ROOT / "build" / "venv" / "bin" / "sslyze"


def sslyze(port: int, name: str, authority: Path, profile: str) -> list[str]:
    """What keeps NAME at 127.0.0.1:PORT from Mozilla's profile; empty when it complies."""
    assert SSLYZE.exists(), "sslyze is not installed: run ./dev setup test"
    done = subprocess.run([SSLYZE, "--certinfo_ca_file", str(authority), f"--mozilla_config={profile}",
                           f"{name}:{port}{{127.0.0.1}}"], capture_output=True, text=True, timeout=SECONDS)
    verdict = done.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")[2]
    if f"{name}:{port}: OK - Compliant" in verdict:
        return []
    return [line.strip() for line in verdict.splitlines() if line.strip().startswith("*")] or [done.stdout + done.stderr]


def run_testssl(port: int, name: str, authority: Path, report: Path) -> list[dict]:
    """Protocols, suites, forward secrecy, the server's defaults and vulnerabilities: all that is not fine."""
    done = subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1",
                           "--add-ca", str(authority), "--jsonfile", str(report), "-p", "-s", "-f", "-P", "-S", "-U",
                           f"{name}:{port}"], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert {"TLS1_3", "heartbleed", "cert_chain_of_trust"} <= {f["id"].split()[0] for f in found}, done.stdout
    return [f for f in found if f["severity"] not in ("OK", "INFO")]


@dataclass
class Reason:
    """Why a finding stands; one that comes and goes is not missed when it is absent."""

    always: bool
    text: str


def accepted(path: Path) -> dict[str, Reason]:
    """The list: lines of id, `always` or `sometimes`, reason."""
    lines = [line.split(None, 2) for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: Reason(when == "always", text) for name, when, text in lines}
