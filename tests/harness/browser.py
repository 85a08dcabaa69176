"""Headless Chromium: loads a page and gives back the document as it then is."""
import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 120
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")


def document(url: str, authority: Path, *options: str) -> str:
    """The page's document, loaded by a browser that trusts `authority` and nothing was changed in otherwise."""
    with tempfile.TemporaryDirectory() as home:
        store = Path(home) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        for arguments in (["-N", "--empty-password"], ["-A", "-n", "authority", "-t", "C,,", "-i", str(authority)]):
            subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True, capture_output=True, timeout=SECONDS)
        done = subprocess.run(["chromium", *QUIET, f"--user-data-dir={home}/profile", *options, "--dump-dom", url],
                              capture_output=True, text=True, timeout=SECONDS, env=os.environ | {"HOME": home})
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout
