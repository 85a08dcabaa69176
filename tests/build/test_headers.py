# SPDX-License-Identifier: Apache-2.0
"""It compiles against headers of other httpds than this machine's: of 2.4.52, and of the trunk, each without what it lacks.

What differs is taken out of a copy of the headers that are here; which words these are, docs/platforms.md says. All else of
these headers is what src/ uses in each of them."""
import re
import shutil
import subprocess

import pytest
from harness.paths import ROOT

HEADERS = "/usr/include/apache2"
# Members and constants that one of them has not got.
OLD = {"httpd.h": ("CONN_STATE_ASYNC_WAITIO",), "ap_mpm.h": ("AP_MPMQ_CAN_WAITIO",), "mod_proxy.h": ("name_ex",)}
TRUNK = {"httpd.h": ("data_in_input_filters",), "mod_proxy.h": ("name_ex",)}
USERS = sorted(path for path in (ROOT / "src").rglob("*.cpp")
               if re.search("data_in_input_filters|name_ex|waiting.hpp", path.read_text()))


@pytest.fixture(scope="module", params=["2.4.52", "trunk"])
def headers(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("headers") / "apache2"
    shutil.copytree(HEADERS, folder)
    for name, words in (OLD if request.param == "2.4.52" else TRUNK).items():
        text = (folder / name).read_text(errors="surrogateescape")
        for word in words:
            text, count = re.subn(rf"(?m)^(\s*(?:#define |char +|int +)?)\b{word}\b[^;,\n]*[;,]?", "", text)
            assert count, word
        (folder / name).write_text(text, errors="surrogateescape")
    return folder


@pytest.mark.parametrize("source", USERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_compiles_without_what_this_httpd_lacks(headers, source):
    done = subprocess.run(["g++", "-fsyntax-only", "-std=c++20", "-w", f"-I{ROOT / 'src'}", "-isystem", str(headers),
                           "-isystem", "/usr/include/apr-1.0", "-isystem", str(ROOT / "target/cxxbridge"), str(source)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


def test_what_differs_is_looked_for():
    assert {"input.cpp", "proxy_policies.cpp"} <= {path.name for path in USERS}
