# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium: loads a page and gives back the document as it then is."""
import json
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 120
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
POLICIES = Path("/etc/chromium/policies/managed")


def document(url: str, authority: Path, *options: str, client: tuple[Path, str] | None = None) -> str:
    """The page's document, loaded by a browser that trusts `authority` and nothing was changed in otherwise. It presents
    `client` (a PKCS #12 file and its pass phrase) without asking; for that it has to be told by root."""
    with tempfile.TemporaryDirectory() as home:
        store = Path(home) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        commands = [["certutil", "-N", "--empty-password"], ["certutil", "-A", "-n", "authority", "-t", "C,,", "-i", str(authority)]]
        if client:
            commands.append(["pk12util", "-i", str(client[0]), "-W", client[1], "-K", ""])
        for program, *arguments in commands:
            subprocess.run([program, "-d", f"sql:{store}", *arguments], check=True, capture_output=True, timeout=SECONDS)
        policy = POLICIES / f"mod_tls-{urlsplit(url).port}.json"
        if client:
            choice = json.dumps({"pattern": url, "filter": {}})
            POLICIES.mkdir(parents=True, exist_ok=True)
            policy.write_text(json.dumps({"AutoSelectCertificateForUrls": [choice]}))
        try:
            done = subprocess.run(["chromium", *QUIET, f"--user-data-dir={home}/profile", *options, "--dump-dom", url],
                                  capture_output=True, text=True, timeout=SECONDS, env=os.environ | {"HOME": home})
        finally:
            policy.unlink(missing_ok=True)
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout
