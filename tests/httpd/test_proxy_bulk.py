# SPDX-License-Identifier: Apache-2.0
"""Much through the proxy: a gibibyte in each direction in constant memory, and many requests over few connections."""
import os
import subprocess

import pytest
from harness.config import ONE_CHILD, Vhost
from harness.proxies import MODULES, PLAIN
from harness.sanitizers import room
from harness.watch import Watched

GIBIBYTE, LESS = 1 << 30, 1 << 28
ROOM_KIB = room(16 * 1024)
COUNT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nwc -c\n"
REQUESTS, CLIENTS = 10_000, 8


@pytest.fixture(scope="module")
def far(shared_httpd, ca):
    """The real mod_ssl."""
    made = shared_httpd([Vhost("localhost", [ca.issue("localhost")])], modules=("http2", "cgi"), mpm_settings=ONE_CHILD,
                        config='Protocols h2 http/1.1\nScriptAlias /cgi/ "@HOME@/cgi/"\nTimeout 120', start=False,
                        engine="mod_ssl", allow=("AH10159", "AH03490"))
    made.put("cgi/count", COUNT, 0o755)
    for name, size in (("huge", GIBIBYTE), ("large", LESS)):
        with open(made.put(f"docs/localhost/{name}", b""), "r+b") as file:
            file.truncate(size)  # a hole: nothing is on the disk
    return made.start()


@pytest.fixture(scope="module")
def front(shared_httpd, ca, far):
    words = f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nTimeout 120\nProxyTimeout 120\nProxyPass /h2/ h2://localhost:{far.port}/\n"
    return shared_httpd([Vhost("a.test", [ca.issue("a.test")])], modules=MODULES, mpm_settings=ONE_CHILD,
                        config=f"{words}Protocols h2 h2c http/1.1\nProxyPass / https://localhost:{far.port}/",
                        allow=("AH10159", "AH03490"))


def curl(front, path, *options, scheme="http"):
    port = front.ports["PLAIN" if scheme == "http" else "TLS"]
    command = ["curl", "-sSk", "--resolve", f"a.test:{port}:127.0.0.1", "--max-time", "200", *options, f"{scheme}://a.test:{port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=210)
    assert done.returncode == 0, done.stderr
    return done.stdout


# Path, scheme and options of the client, bytes: a plain client with HTTP/1.1 on both sides, then the mixtures.
WAYS = {"h1 to h1": ("/", "http", ("--http1.1",), GIBIBYTE, "huge"),
        "h2 to h1": ("/", "https", ("--http2",), LESS, "large"),
        # mod_proxy_http2 may wait for ever for a body behind "Expect: 100-continue", without any TLS (h2c) as well.
        "h1 to h2": ("/h2/", "http", ("--http1.1", "-H", "Expect:"), LESS, "large")}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_download(front, way):
    path, scheme, options, size, name = WAYS[way]
    with Watched(front) as watched:
        got = curl(front, path + name, *options, "-o", os.devnull, "-w", "%{size_download}", scheme=scheme)
    assert int(got) == size
    assert watched.most < ROOM_KIB


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_upload(front, far, way):
    path, scheme, options, size, name = WAYS[way]
    with Watched(front) as watched:
        counted = curl(front, path + "cgi/count", *options, "-T", str(far.home / "docs/localhost" / name), "-X", "POST",
                       scheme=scheme)
    assert int(counted) == size
    assert watched.most < ROOM_KIB


@pytest.mark.slow
def test_ten_thousand_requests_over_the_connections_of_the_pool(httpd, ca, far):
    server = httpd([], config=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass / https://localhost:{far.port}/",
                   modules=MODULES, mpm_settings=ONE_CHILD, log_level="warn tls:debug", **PLAIN)
    done = subprocess.run(["h2load", "--h1", "-n", str(REQUESTS), "-c", str(CLIENTS), f"http://127.0.0.1:{server.ports['PLAIN']}/"],
                          capture_output=True, text=True, timeout=200)
    assert f"{REQUESTS} succeeded, 0 failed, 0 errored" in done.stdout, done.stdout + done.stderr
    made = server.log.matching("TLS0705")
    assert 1 <= len(made) <= CLIENTS, "a connection for each request under way at once, at most"
