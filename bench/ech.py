# SPDX-License-Identifier: Apache-2.0
"""What Encrypted ClientHello costs the server: the same full handshake without keys, with keys and no offer, with
GREASE, and with an offer that is accepted."""

import base64
import dataclasses
import re
import statistics
import subprocess
from collections.abc import Callable

from arms import HTTPD, Arm, tls_words
from fleet import Fleet
from load import LoadError
from measure import Result

# What the client offers, and how it is to be answered; the first goes to a server without keys.
OFFERS = {"without keys": "notoffered", "no offer": "notoffered", "GREASE": "grease", "accepted": "accepted"}
# What each is compared with: an offer with none at the same server, since two processes differ by a few microseconds.
BASES = {"no offer": "without keys", "GREASE": "no offer", "accepted": "no offer"}
# A round is so many turns of each offer: what disturbs the machine for a second disturbs few of them.
TURNS = 10


def _list(arm: Arm) -> str:
    """The ECHConfigList that DNS would have, in hex."""
    command = [HTTPD, "-f", str(arm.root / "httpd.conf"), "-t", "-D", "DUMP_TLS_ECH"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r'ech="([^"]+)"', shown)
    if found is None:
        raise LoadError(f"no key in {shown!r}")
    return base64.b64decode(found[1]).hex()


@dataclasses.dataclass
class EchCost:
    """Server CPU that each offer adds to a full TLS 1.3 handshake, round by round; with bounds in microseconds."""

    name: str
    title: str
    accepted_us: float
    grease_us: float
    offer: list[str]
    operations: int

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """Two servers, one of them with keys; the offers in turn, every other round in reverse."""
        load, certificate = f"LoadModule tls_module {fleet.module}", fleet.certificate("ecdsa")
        # Records are made for names that DNS can have.
        words = {"engine": "TLSECH public.example", "host": "ServerAlias www.example.org"}
        keyed = fleet.custom("mod_tls", load, lambda port, _: tls_words(port, certificate, **words))
        try:
            plain, keys = fleet.get("ecdsa", "mod_tls"), _list(keyed)
            count = max(20, round(self.operations * scale / TURNS))
            samples: dict[str, list[float]] = {what: [] for what in OFFERS}
            for number in range(-1, rounds):
                for turn in range(TURNS):
                    for what in list(OFFERS) if turn % 2 == 0 else list(reversed(OFFERS)):
                        arm = plain if what == "without keys" else keyed
                        before = arm.cpu_ns()
                        fleet.client.run(arm, [*self._offer(what, keys), "--connections", str(count)], count)
                        samples[what].append((arm.cpu_ns() - before) / count / 1e3)
                if number < 0:  # a warm-up
                    samples = {what: [] for what in OFFERS}
                    continue
                tell(f"{self.name} round {number + 1}/{rounds}: "
                     + ", ".join(f"{what} {statistics.median(values[-TURNS:]):.0f} us" for what, values in samples.items()))
        finally:
            keyed.stop()
        return self._result(samples)

    def _offer(self, what: str, keys: str) -> list[str]:
        offered = {"GREASE": ["--ech", "grease"], "accepted": ["--ech", keys]}.get(what, [])
        return [*self.offer, *offered, "--requests", "0", "--expect-ech", OFFERS[what]]

    def _result(self, samples: dict[str, list[float]]) -> Result:
        bounds = {"GREASE": self.grease_us, "accepted": self.accepted_us}
        notes, verdicts = [], []
        for what, base in BASES.items():
            low, added, high = statistics.quantiles([a - b for a, b in zip(samples[what], samples[base])], n=4)
            # The median of so many turns varies less than they do.
            error = (high - low) / len(samples[what]) ** 0.5
            notes.append(f"{what} {added:+.1f} us (+-{error:.1f})")
            if bound := bounds.get(what):
                verdicts.append("met" if added <= bound else "unclear" if added - error <= bound else "missed")
        return Result(
            title=self.title,
            unit="us",
            values={"mod_tls": statistics.median(samples["accepted"])},
            target=f"<= {self.accepted_us:.0f} us added, GREASE {self.grease_us:.0f}",
            verdict=next((verdict for verdict in ("missed", "unclear") if verdict in verdicts), "met"),
            note=", ".join(notes),
        )
