# SPDX-License-Identifier: Apache-2.0
"""A browser, with its own TLS stack and its own trust: the page of `./dev serve`, and what it says was negotiated."""
import re

from harness.browser import document
from harness.ports import free_port
from harness.served import AUTHORITY, Served


def test_chromium_loads_the_demo_page():
    with Served(free_port()) as site:
        page = document(f"https://localhost:{site.port}/", AUTHORITY)
    facts = dict(re.findall(r'<td id="(\w+)">([^<]*)</td>', page))
    assert (facts["http"], facts["alpn"], facts["version"]) == ("HTTP/2.0", "h2", "TLSv1.3"), page
    assert (facts["group"], facts["resumed"]) == ("X25519MLKEM768", "Initial")
