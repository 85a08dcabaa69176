# SPDX-License-Identifier: Apache-2.0
"""Fronts that proxy to TLS backends: many cases in one server, a `<Proxy>` section each."""
from dataclasses import dataclass

from .clients import Answer, curl
from .https_backend import HttpsBackend

MODULES = ("proxy", "proxy_http", "http2", "proxy_http2")
PLAIN = dict(tls_engine=None, ports=("PLAIN",))

# What failed handshakes make both modules and mod_proxy say.
FAILURES = ("TLS0704", "TLS0706", "AH01084", "AH01097", "AH01114", "AH00898", "AH02039", "AH02040", "AH02411", "AH02005",
            "AH01112", "AH10272", "AH01102", "AH01961", "AH00961", "AH02003", "AH01144")


@dataclass
class Case:
    """A path of a front: its own section with its own words, and the status that both modules are to answer."""

    backend: str
    words: str
    status: int
    host: str = "localhost"
    ours: int | None = None  # where we answer otherwise than mod_ssl, on purpose

    def expected(self, engine: str) -> int:
        return self.status if engine == "mod_ssl" or self.ours is None else self.ours


def sections(cases: dict[str, Case], backends: dict[str, HttpsBackend], files: dict, engine: str) -> str:
    """Configuration in which /N/ leads to the backend of the Nth case.

    mod_proxy has one worker a URL: another path of the same backend makes another worker."""
    lines = []
    for number, case in enumerate(cases.values()):
        url = f"https://{case.host}:{backends[case.backend].port}/{number}/"
        words = case.words.format(**files)
        lines += [f'ProxyPass "/{number}/" "{url}"', f'<Proxy "{url}">', words, "</Proxy>"]
    return "\n".join(lines)


def get(front, path: str = "/page", *options: str, **more) -> Answer:
    return curl(front.ports["PLAIN"], path, *options, scheme="http", **more)
