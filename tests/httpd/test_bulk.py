# SPDX-License-Identifier: Apache-2.0
"""A gibibyte in each direction, over h1 and h2, in constant memory."""
import os
import subprocess

import pytest
from harness.config import ONE_CHILD, Vhost
from harness.sanitizers import room
from harness.watch import Watched

SIZE = 1 << 30
ROOM_KIB = room(16 * 1024)
COUNT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nwc -c\n"


@pytest.fixture(scope="module")
def server(shared_httpd, ca):
    made = shared_httpd([Vhost("a.test", [ca.issue("a.test")])], modules=("http2", "cgi"), mpm_settings=ONE_CHILD,
                        config='Protocols h2 http/1.1\nScriptAlias /cgi/ "@HOME@/cgi/"\nTimeout 120', start=False,
                        allow=("AH10159", "AH03490"))
    made.put("cgi/count", COUNT, 0o755)
    with open(made.put("docs/a.test/huge", b""), "r+b") as huge:
        huge.truncate(SIZE)  # a hole: nothing is on the disk
    return made.start()


def curl_bulk(server, *options: str) -> str:
    done = subprocess.run(["curl", "-sSk", "--resolve", f"a.test:{server.port}:127.0.0.1", "--max-time", "300", *options],
                          capture_output=True, text=True, timeout=310)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_download(server, version):
    with Watched(server) as watched:
        size = curl_bulk(server, version, "-o", os.devnull, "-w", "%{size_download}", f"https://a.test:{server.port}/huge")
    assert int(size) == SIZE
    assert watched.most < ROOM_KIB


@pytest.mark.slow
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_upload(server, version):
    with Watched(server) as watched:
        size = curl_bulk(server, version, "-T", str(server.home / "docs/a.test/huge"), "-X", "POST",
                         f"https://a.test:{server.port}/cgi/count")
    assert int(size) == SIZE
    assert watched.most < ROOM_KIB
