# SPDX-License-Identifier: Apache-2.0
"""x509-limbo and cases of our own (tests/data/README.md) said as handshakes: clients' and backends'."""
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .config import Vhost
from .paths import ROOT

DATA = ROOT / "tests" / "data" / "limbo"


@dataclass(frozen=True)
class Case:
    """One case: what the peer sends, whom the server trusts, when, and the verdict of the suite."""

    id: str
    sent: str  # PEM: the peer's certificate, those behind it, and its key
    trusted: str
    lists: str
    client: bool
    valid: bool
    peer: str | None  # the name that a backend has to have
    time: float | None  # of the server's clock; none for now
    depth: int | None

    @property
    def stem(self) -> str:
        return self.id.replace("::", ".")

    @property
    def host(self) -> str:
        return f"{self.stem}.limbo.test"

    @property
    def asked(self) -> str:
        """The name in a front's request."""
        return f"[{self.peer}]" if ":" in (self.peer or "") else self.peer or "nameless.limbo.test"

    def write(self, directory: Path) -> Path:
        """What the peer sends, in a file; NAME.ca and NAME.crl beside it for the server."""
        file = directory / f"{self.stem}.pem"
        file.write_text(self.sent)
        file.with_name(f"{self.stem}.ca").write_text(self.trusted)
        file.with_name(f"{self.stem}.crl").write_text(self.lists)
        return file

    def vhost(self, pair, directory: Path) -> Vhost:
        """For a client."""
        return Vhost(self.host, [pair], extra=f"SSLVerifyClient require\n{self.words('SSL', directory)}")

    def section(self, number: int, port: int, directory: Path) -> str:
        """For a backend: /NUMBER/ of a front leads there."""
        url = f"https://127.0.0.1:{port}/{number}/"
        words = self.words("SSLProxy", directory)
        if self.peer is None:
            words += "\nSSLProxyCheckPeerName off"
        return (f'ProxyPass "/{number}/" "{url}" retry=0 disablereuse=on\n'
                f'<Proxy "{url}">\nSSLProxyVerify require\n{words}\n</Proxy>')

    def words(self, prefix: str, directory: Path) -> str:
        depth = 20 if self.depth is None else min(self.depth + 1, 100)  # limbo counts the links between leaf and root
        lines = [f"{prefix}VerifyDepth {depth}", f"{prefix}CACertificateFile {directory}/{self.stem}.ca"]
        if self.lists:
            lines += [f"{prefix}CARevocationFile {directory}/{self.stem}.crl", f"{prefix}CARevocationCheck chain"]
        return "\n".join(lines)


def cases() -> list[Case]:
    return [_case(row) for file in sorted(DATA.glob("*.json")) for row in json.loads(file.read_text())]


def _case(row: dict) -> Case:
    moment = row["validation_time"]
    return Case(id=row["id"], sent="".join([row["peer_certificate"], *row["untrusted_intermediates"], row["peer_certificate_key"] or ""]),
                trusted="".join(row["trusted_certs"]), lists="".join(row["crls"]), client=row["validation_kind"] == "CLIENT",
                valid=row["expected_result"] == "SUCCESS", peer=(row["expected_peer_name"] or {}).get("value"),
                time=datetime.fromisoformat(moment).timestamp() if moment else None, depth=row["max_chain_depth"])
