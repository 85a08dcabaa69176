# SPDX-License-Identifier: Apache-2.0
"""The list of differences from mod_ssl that docs/migrating-from-mod_ssl.md admits."""
import functools
import re

from .paths import ROOT


@functools.cache
def listed() -> frozenset[str]:
    text = (ROOT / "docs" / "migrating-from-mod_ssl.md").read_text()
    return frozenset(re.findall(r"^\| ([a-z0-9-]+) \|", text, re.M)) - {"id"}


def is_listed(identifier: str) -> bool:
    return identifier in listed()
