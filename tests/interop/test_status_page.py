# SPDX-License-Identifier: Apache-2.0
"""The status page in a browser: a picture is kept of it, light and dark, and axe finds nothing serious."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from harness import metrics
from harness.browser import QUIET
from harness.certs import DAY, now
from harness.clients import curl
from harness.config import Vhost

PICTURES = Path(__file__).parents[2] / "build" / "pictures"
AXE = Path(__file__).parents[2] / "build/axe/node_modules/axe-core/axe.min.js"


@pytest.fixture
def server(httpd, ca):
    hosts = [Vhost("www.example.org", [ca.issue("www.example.org", end=now() + 70 * DAY)]),
             Vhost("shop.example.org", [ca.issue("shop.example.org", kind="rsa2048", end=now() + 15 * DAY)]),
             Vhost("old.example.org", [ca.issue("old.example.org", end=now() + 4 * DAY)])]
    made = httpd(hosts, config=metrics.LOCATIONS, modules=("status", "authz_host"))
    made.log.allow("TLS0")
    for host in hosts:
        assert curl(made.port, "/", name=host.name).status == 200
    metrics.wait_for(made, "handshakes_total", 3, version="TLSv1.3", kind="full")
    return made


def chromium(tmp_path, *arguments: str) -> str:
    done = subprocess.run(["chromium", *QUIET, "--hide-scrollbars", f"--user-data-dir={tmp_path}/profile", *arguments],
                          capture_output=True, text=True, timeout=120, env=os.environ | {"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_picture_is_kept_in_both_tones(server, tmp_path):
    PICTURES.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for tone, option in {"light": (), "dark": ("--blink-settings=preferredColorScheme=0",)}.items():
        picture = PICTURES / f"status-{tone}.png"
        picture.unlink(missing_ok=True)
        url = f"http://127.0.0.1:{server.plain_port}/tls-status"
        chromium(tmp_path, "--window-size=1180,1700", *option, f"--screenshot={picture}", url)
        assert picture.read_bytes().startswith(b"\x89PNG")
        sizes[tone] = picture.read_bytes()
    assert sizes["light"] != sizes["dark"]


def test_axe_finds_nothing_serious(server, tmp_path):
    assert AXE.exists(), "./dev setup test installs axe-core there"
    page = metrics.get(server)
    run = "axe.run().then(r => {const p = document.createElement('pre'); p.id = 'axe'; " \
          "p.textContent = JSON.stringify(r.violations); document.body.append(p)})"
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", f"<script>{AXE.read_text()}</script><script>{run}</script></body>"))
    text = chromium(tmp_path, "--virtual-time-budget=20000", "--dump-dom", f"file://{file}")
    found = json.loads(re.search(r'<pre id="axe">(.*?)</pre>', text, re.DOTALL)[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    serious = {one["id"]: [node["html"] for node in one["nodes"]] for one in found if one["impact"] in ("serious", "critical")}
    assert not serious
