# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium: loads a page and gives back the document as it then is."""
import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 120
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
POLICIES = Path("/etc/chromium/policies/managed")


@contextlib.contextmanager
def _told(policies: dict):
    """All browsers of the machine heed these policies meanwhile: no other one of these tests runs then."""
    with (Path(tempfile.gettempdir()) / "mod_tls-browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if policies else fcntl.LOCK_SH)
        if not policies:
            yield
            return
        POLICIES.mkdir(parents=True, exist_ok=True)
        for left in POLICIES.glob("mod_tls-*.json"):  # by a test that was killed
            left.unlink()
        policy = POLICIES / "mod_tls-tests.json"
        policy.write_text(json.dumps(policies))
        try:
            yield
        finally:
            policy.unlink()


def document(url: str, authority: Path, *options: str, client: tuple[Path, str] | None = None, resolver: str = "") -> str:
    """The page's document, loaded by a browser that trusts `authority` and nothing was changed in otherwise. It presents
    `client` (a PKCS #12 file and its pass phrase) without asking; for that it has to be told by root. `resolver` is the
    template of a DNS server over HTTPS, which is asked instead of the system's."""
    with tempfile.TemporaryDirectory() as home:
        store = Path(home) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        commands = [["certutil", "-N", "--empty-password"], ["certutil", "-A", "-n", "authority", "-t", "C,,", "-i", str(authority)]]
        if client:
            commands.append(["pk12util", "-i", str(client[0]), "-W", client[1], "-K", ""])
        for program, *arguments in commands:
            subprocess.run([program, "-d", f"sql:{store}", *arguments], check=True, capture_output=True, timeout=SECONDS)
        policies: dict = {}
        if client:
            policies["AutoSelectCertificateForUrls"] = [json.dumps({"pattern": url, "filter": {}})]
        if resolver:
            policies |= {"BuiltInDnsClientEnabled": True, "DnsOverHttpsMode": "secure", "DnsOverHttpsTemplates": resolver}
        with _told(policies):
            done = subprocess.run(["chromium", *QUIET, f"--user-data-dir={home}/profile", *options, "--dump-dom", url],
                                  capture_output=True, text=True, timeout=SECONDS, env=os.environ | {"HOME": home})
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout
