# SPDX-License-Identifier: Apache-2.0
"""The rustls test client (tests/client): what it negotiated and got, as its JSON lines say."""
import json
import os
import subprocess
from pathlib import Path

from .paths import ROOT

SECONDS = 120


def binary() -> Path:
    """$TLS_CLIENT, else the release build, else the debug build, which is made where neither is as new as its sources."""
    if given := os.environ.get("TLS_CLIENT"):
        return Path(given)
    written = max(path.stat().st_mtime for path in (ROOT / "tests/client").rglob("*") if path.is_file())
    builds = [ROOT / "target" / profile / "tls-client" for profile in ("release", "debug")]
    for build in builds:
        if build.exists() and build.stat().st_mtime >= written:
            return build
    subprocess.run(["cargo", "build", "--locked", "-q", "-p", "tls-client"], cwd=ROOT, check=True, timeout=1200)
    return builds[-1]


def rustls_client(port: int, *options: str, name: str = "a.test", ca: Path | None = None) -> list[dict]:
    """Runs the client; fails with its output unless every connection ended as asserted."""
    command = [str(binary()), *(["--ca", str(ca)] if ca else ["--insecure"]), "--sni", name, *options,
               f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
