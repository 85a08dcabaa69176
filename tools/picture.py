#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pictures of the status page that the README shows: a server with the traffic of a small company, in minutes.

    ./dev picture [MINUTES]      docs/pictures/status-light.png and -dark.png; 10 minutes unless written

Everything on the page was counted; only the directory of the test server and its port are shown as on a real one."""
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests"))

from harness import ech, metrics, tls, wire  # noqa: E402
from harness.browser import QUIET  # noqa: E402
from harness.certs import DAY, Authority, now  # noqa: E402
from harness.clientauth import Clients  # noqa: E402
from harness.clients import curl  # noqa: E402
from harness.config import Vhost  # noqa: E402
from harness.httpd import Httpd  # noqa: E402
from harness.https_backend import HttpsBackend  # noqa: E402
from harness.paths import passable  # noqa: E402
from harness.responder import Responder  # noqa: E402
from harness.rustls_client import rustls_client  # noqa: E402
from harness.wire import Hello  # noqa: E402

PICTURES = TOP / "docs" / "pictures"
SIZE = (1180, 1560)
NAMES = {"www.example.org": "www.conf", "shop.example.org": "shop.conf", "intranet.example.org": "intranet.conf"}
CONFIG = """ServerName www.example.org
Protocols h2 http/1.1
TLSFetchLocal on
TLSECH www.example.org "@HOME@/ech"
"""


def server_of(directory: Path, responder: Responder, clients: Clients, backend: HttpsBackend, ca: Authority) -> Httpd:
    issue = responder.authority.issue
    www = responder.issue("www.example.org")
    hosts = [Vhost("www.example.org", [www], aliases=("example.org",),
                   extra=f"TLSProxyEngine on\nTLSProxyCA {ca.file}\nProxyPass /app/ https://localhost:{backend.port}/ disablereuse=on"),
             Vhost("shop.example.org", [issue("shop.example.org", kind="rsa2048", end=now() + 15 * DAY)]),
             Vhost("intranet.example.org", [issue("intranet.example.org", kind="p384", end=now() + 4 * DAY)],
                   extra=f"TLSClientCertificate optional\nTLSClientCA {clients.pem(clients.ca, 'clients')}")]
    return Httpd(hosts, config=f"{metrics.LOCATIONS}\n{CONFIG}", allow=(".*",),
                 modules=("status", "authz_host", "http2", "proxy", "proxy_http")).start()


class Visitors:
    """Who comes: each kind as often as its number says."""

    def __init__(self, server: Httpd, clients: Clients):
        self.port, self.clients = server.port, clients
        self.keys = ech.keys_in_dns(server)
        self.sessions: dict[str, tuple] = {}
        self.kinds = [(self.browser, 30), (self.returning, 40), (self.older, 9), (self.hidden, 6), (self.pretending, 2), (self.shopping, 10),
                      (self.known, 4), (self.application, 6), (self.unbelieving, 2), (self.old, 1), (self.scanner, 3), (self.gone, 1),
                      (self.stranger, 1)]

    def someone(self) -> None:
        kinds, weights = zip(*self.kinds)
        try:
            random.choices(kinds, weights)[0]()
        except (OSError, AssertionError, EOFError):
            pass  # who fails is counted too

    def browser(self) -> None:
        rustls_client(self.port, "--groups", "X25519MLKEM768,X25519", "--alpn", "h2,http/1.1", "--requests", "0", name="www.example.org")

    def returning(self) -> None:
        version = random.choice(("1.3", "1.3", "1.3", "1.2"))
        using, session = self.sessions.get(version) or (tls.context(version=version, alpn=["http/1.1"]), None)
        with tls.connect(self.port, "www.example.org", using=using, session=session) as connection:
            tls.get(connection, host="www.example.org")
            self.sessions[version] = using, connection.session

    def older(self) -> None:
        curl(self.port, "/", "--tls-max", "1.2", name=random.choice(("www.example.org", "shop.example.org")))

    def hidden(self) -> None:
        ech.visit(self.port, "shop.example.org", self.keys, "h2", path="/")

    def pretending(self) -> None:
        ech.visit(self.port, "www.example.org", "", "grease", path="/")

    def shopping(self) -> None:
        curl(self.port, "/", name="shop.example.org", h2=True)

    def known(self) -> None:
        curl(self.port, "/", *self.clients.good, name="intranet.example.org")

    def stranger(self) -> None:
        curl(self.port, "/", *random.choice((self.clients.stranger, self.clients.expired)), name="intranet.example.org")

    def application(self) -> None:
        curl(self.port, "/app/orders", name="www.example.org", h2=True)

    def unbelieving(self) -> None:
        subprocess.run(["curl", "-sS", f"https://localhost:{self.port}/", "--connect-to", "::127.0.0.1:"], capture_output=True, timeout=30)
        wire.exchange(self.port, Hello("www.example.org", versions=[0x0303], suites=wire.SUITES12).record(),
                      wire.record(bytes((2, 48)), wire.ALERT, 0x0303))

    def old(self) -> None:
        wire.exchange(self.port, Hello("www.example.org", versions=None, legacy_version=0x0301).record())

    def scanner(self) -> None:
        wire.exchange(self.port, random.choice((b"\0\0\0garbage\r\n\r\n", wire.sslv2_hello(), Hello("nobody.example").record())))

    def gone(self) -> None:
        wire.exchange(self.port, Hello("www.example.org").record())


def traffic(visitors: Visitors, minutes: float) -> None:
    """Waves of visitors, a few at a time."""
    began, done = time.monotonic(), threading.Event()

    def visit() -> None:
        while not done.is_set():
            visitors.someone()
            share = (time.monotonic() - began) / (60 * minutes)
            # More in the middle than at the ends.
            done.wait(random.uniform(0.05, 0.4) / (0.3 + 2.4 * share * (1 - share)))

    threads = [threading.Thread(target=visit, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    while time.monotonic() < began + 60 * minutes:
        time.sleep(5)
    done.set()
    for thread in threads:
        thread.join(60)


def presentable(page: str, server: Httpd) -> str:
    lines = server.written().splitlines()
    for name, file in NAMES.items():
        line = next(number for number in range(1, len(lines)) if lines[number - 1].startswith("<VirtualHost") and lines[number] == f"ServerName {name}")
        page = page.replace(f"{server.conf}:{line}", f"/etc/apache2/sites-enabled/{file}:1")
    return page.replace(f":{server.port}", ":443")


def pictures(page: Path, home: str) -> None:
    for tone, option in {"light": (), "dark": ("--blink-settings=preferredColorScheme=0",)}.items():
        picture = PICTURES / f"status-{tone}.png"
        subprocess.run(["chromium", *QUIET, "--hide-scrollbars", f"--user-data-dir={home}/profile", f"--window-size={SIZE[0]},{SIZE[1]}", *option,
                        f"--screenshot={picture}", f"file://{page}"], check=True, capture_output=True, timeout=120, env=os.environ | {"HOME": home})
        assert picture.stat().st_size <= 300_000, f"{picture} has {picture.stat().st_size:,} octets"
        print(f"{picture.relative_to(TOP)}: {picture.stat().st_size:,} octets")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as home:
        directory = passable(Path(home))
        ca = Authority("Backends")
        ca.file = directory / "backends.pem"
        ca.file.write_bytes(ca.pem())
        backend = HttpsBackend(ca.issue("localhost"), directory)
        responder = Responder(Authority("Example CA").intermediate("Example CA below"))
        clients = Clients(directory)
        server = server_of(directory, responder, clients, backend, ca)
        try:
            traffic(Visitors(server, clients), minutes)
            time.sleep(12)  # the parent collects every ten seconds
            page = directory / "status.html"
            page.write_text(presentable(metrics.get(server), server))
            pictures(page, home)
        finally:
            server.stop()
            server.remove()
            responder.end()
            backend.close()


if __name__ == "__main__":
    main()
