# SPDX-License-Identifier: Apache-2.0
"""`./dev serve`: the page, the URL and the command that it prints, its options, and a clean end by Ctrl-C."""
import json
import shlex
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from harness.clients import curl
from harness.ports import free_port
from harness.served import AUTHORITY, Served, refused


def test_the_printed_command_shows_what_was_negotiated():
    with Served(free_port()) as site:
        assert site.printed("^  https://.*$") == f"https://localhost:{site.port}/"
        command = site.printed("^  curl --cacert .*$")
        done = subprocess.run(["timeout", "30", *shlex.split(command), "-sS", "--tlsv1.3"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        assert (facts["version"], facts["alpn"], facts["http"], facts["resumed"]) == ("TLSv1.3", "h2", "HTTP/2.0", "Initial")
        assert facts["suite"].startswith("TLS_") and facts["group"]
        page = curl(site.port, "/", name="localhost", ca=AUTHORITY)
        for fact in ("TLSv1.3", facts["suite"], facts["group"], "http/1.1", "Initial"):
            assert fact in page.text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port), 5)


def test_a_document_root_of_ones_own():
    with tempfile.TemporaryDirectory(prefix="with a blank ") as root:  # pytest's own directories are closed to httpd's user
        Path(root).chmod(0o755)
        (Path(root) / "index.html").write_text("mine\n")
        with Served(free_port(), "--root", root) as site:
            assert curl(site.port, "/", name="localhost", ca=AUTHORITY, h2=True).body == b"mine\n"


def test_what_it_refuses():
    with socket.create_server(("127.0.0.1", free_port())) as other:
        assert "is in use" in refused("--port", str(other.getsockname()[1]))
    with socket.socket(socket.AF_INET6) as other:  # localhost is ::1 for many
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", free_port()))
        other.listen()
        assert "is in use" in refused("--port", str(other.getsockname()[1]))
    assert "is no port" in refused("--port", "70000")
    assert "does not know" in refused("--prot", "8444")
    assert "/nowhere" in refused("--port", str(free_port()), "--root", "/nowhere/at/all")
