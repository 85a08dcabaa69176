# SPDX-License-Identifier: Apache-2.0
"""The event MPM of httpd before 2.4.63, which has no state of its own for waiting: what others test with today's one, once more.

harness/mod_older_event.c answers in the MPM's place, so that the module takes the way that it takes there."""
import os
import subprocess
import sys

import pytest
from harness import third_party
from harness.paths import ROOT

# Files of tests with those of their names that are about connections which wait; the other MPMs have nothing of this.
FILES = {
    "test_alpn.py": "",
    "test_bulk.py": "upload",
    "test_client_ocsp.py": "refused_is_told_why or silent or thousand",
    "test_fallback.py": "",
    "test_handshake_limits.py": "under_way or children_that_end",
    "test_hostile.py": "",
    "test_proxy.py": "",
    "test_requests.py": "",
    "test_restarts.py": "",
    "test_sni.py": "",
    "test_streaming.py": "",
    "test_timeouts.py": "",
    "test_websocket.py": "",
}


@pytest.fixture(scope="session")
def older_event(tmp_path_factory):
    return third_party.build(tmp_path_factory.mktemp("older_event"), "mod_older_event")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", FILES)
def test_connections_wait_in_the_older_way(older_event, file):
    chosen = "not worker and not prefork" + (f" and ({FILES[file]})" if FILES[file] else "")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", chosen, f"tests/httpd/{file}"],
                          cwd=ROOT, env=os.environ | {"MOD_TLS_OLDER_EVENT": str(older_event)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
