# SPDX-License-Identifier: Apache-2.0
"""Where things are: the repository, the module under test, httpd and its modules."""
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HTTPD = os.environ.get("HTTPD", "/usr/sbin/apache2")
MODULES = Path(os.environ.get("HTTPD_MODULES", "/usr/lib/apache2/modules"))
KEY_CACHE = ROOT / "build" / "test-keys"


def mod_tls_so() -> Path:
    """The module under test: $MOD_TLS_SO, else the release build, else the debug build."""
    named = os.environ.get("MOD_TLS_SO")
    if named:
        return Path(named).resolve()
    for preset in ("release", "debug"):
        built = ROOT / "build" / preset / "mod_tls.so"
        if built.exists():
            return built
    raise FileNotFoundError("mod_tls.so is not built: run ./dev build, or set MOD_TLS_SO")


def passable(directory: Path) -> Path:
    """Lets every user through to `directory`, httpd's children among them: pytest's directories are for their owner alone."""
    for part in (directory, *directory.parents):
        if part == Path(tempfile.gettempdir()):
            break
        part.chmod(0o755)
    return directory
