#!/usr/bin/env python3
"""What attackers cost mod_tls beside Debian's mod_ssl: processor time and memory, each kind of attack against both in turn.

  bench/floods.py --kinds KeyUpdate,warnings --rounds 3 --scale 0.5
Must run as root. Everything goes to 127.0.0.1, and a round is a number of connections, never a time.
"""

import argparse
import dataclasses
import pathlib
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import stats
from arms import MOD_SSL, Arm, ssl_words, tls_words
from byhand import Client
from fleet import Fleet
from flood_kinds import HELD, fill

TOP = pathlib.Path(__file__).resolve().parent.parent
MOST = 2.0  # of mod_ssl's
NAMES = ("mod_ssl", "mod_tls")
ALIKE = 0.1  # both took the same octets, but for this share
# A server whose connections wait: at once, and as long as it takes to make them all.
WAITS = """
AcceptFilter https none
AcceptFilter http none
ThreadLimit 512
ThreadsPerChild {threads}
MaxRequestWorkers {threads}
MaxSpareThreads {threads}
AsyncRequestWorkerFactor 1000
Timeout 600
KeepAliveTimeout 600
H2MaxWorkers 16
"""


@dataclasses.dataclass
class Row:
    """What one kind came to: per connection, and what each sent."""

    kind: str
    unit: str
    values: dict[str, float]
    ratio: stats.Ratio
    octets: dict[str, float]
    per_octet: float | None = None

    def verdict(self) -> str:
        """Where one side ends a connection early, what a connection costs is all there is to compare."""
        worst = max(self.ratio.median, self.per_octet or 0)
        return "" if worst <= MOST else "MORE"


def flood(fleet: Fleet, kind: str, site: str, count: int, one: Callable[[int], int], rounds: int) -> Row:
    """Processor time of all processes of a server, the key agent's included."""
    costs: dict[str, list[float]] = {name: [] for name in NAMES}
    octets: dict[str, list[float]] = {name: [] for name in NAMES}
    for name in NAMES:
        one(fleet.get(site, name).port)
    for number in range(rounds):
        for name in NAMES if number % 2 == 0 else reversed(NAMES):
            arm = fleet.get(site, name)
            before = arm.cpu_ns()
            sent = sum(one(arm.port) for _ in range(count))
            costs[name].append((arm.cpu_ns() - before) / count / 1e3)
            octets[name].append(sent / count)
    row = Row(kind, "us", {name: statistics.median(costs[name]) for name in NAMES}, stats.ratio(costs["mod_tls"], costs["mod_ssl"]),
              {name: statistics.median(octets[name]) for name in NAMES})
    if abs(row.octets["mod_tls"] / row.octets["mod_ssl"] - 1) > ALIKE:
        each = {name: [cost / sent for cost, sent in zip(costs[name], octets[name])] for name in NAMES}
        row.per_octet = stats.ratio(each["mod_tls"], each["mod_ssl"]).median
    return row


def waiting(fleet: Fleet, name: str, threads: int) -> Arm:
    """A new server with so many threads."""
    certificate = fleet.certificate("ecdsa")
    more = WAITS.format(threads=threads)
    if name == "mod_ssl":
        return fleet.custom(name, f"LoadModule ssl_module {MOD_SSL}",
                            lambda port, root: more + ssl_words(port, certificate, "SSLSessionCache none"))
    return fleet.custom(name, f"LoadModule tls_module {fleet.module}",
                        lambda port, root: more + tls_words(port, certificate, "TLSHandshakeTimeout 600"))


def held(fleet: Fleet, name: str, open_one: Callable[[int], Client], count: int, threads: int) -> tuple[float, float]:
    """KiB of Pss, and octets, of a connection that is left open: of a new server, since what was freed hides what is used."""
    arm = waiting(fleet, name, threads)
    clients: list[Client] = []
    try:
        for _ in range(8):
            open_one(arm.port).socket.close()
        time.sleep(1)
        before = arm.pss_bytes()
        clients = [open_one(arm.port) for _ in range(count)]
        time.sleep(2)
        return (arm.pss_bytes() - before) / count / 1024, statistics.fmean(client.sent for client in clients)
    finally:
        for client in clients:
            client.socket.close()
        arm.stop()


def hold(fleet: Fleet, kind: str, count: int, rounds: int) -> Row:
    """With mod_ssl a handshake that waits has a thread: both have one for each connection here."""
    values: dict[str, list[float]] = {name: [] for name in NAMES}
    octets = {}
    for _ in range(rounds):
        for name in NAMES:
            value, octets[name] = held(fleet, name, HELD[kind], count, 512)
            values[name].append(max(value, 0.1))
    return Row(kind, "KiB", {name: statistics.median(values[name]) for name in NAMES}, stats.ratio(values["mod_tls"], values["mod_ssl"]),
               octets)


def shown(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def table(rows: list[Row]) -> str:
    """For docs/measurements.md."""
    out = ["| attack | octets sent to mod_ssl, to mod_tls | mod_ssl | mod_tls | ratio (quartiles) | per octet | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        octets = shown(row.octets["mod_ssl"])
        if row.per_octet is not None:
            octets += f", {shown(row.octets['mod_tls'])}"
        ratio, each = row.ratio, "" if row.per_octet is None else f"{row.per_octet:.2f}"
        out.append(f"| {row.kind} | {octets} | {shown(row.values['mod_ssl'])} {row.unit} | {shown(row.values['mod_tls'])} {row.unit} "
                   f"| {ratio.median:.2f} ({ratio.low:.2f}..{ratio.high:.2f}) | {each} | {row.verdict()} |")
    return "\n".join(out)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Attack mod_tls and mod_ssl in turn, and compare what it costs them.")
    parser.add_argument("--kinds", help="parts of kinds' names, comma-separated; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the connections of a round")
    parser.add_argument("--module", type=pathlib.Path, default=TOP / "build/release/mod_tls.so")
    parser.add_argument("--stalled", type=int, default=0, help="hold so many connections of each kind at once with 16 threads, mod_tls alone")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table to this file")
    return parser.parse_args()


def wanted(names: str | None, kind: str) -> bool:
    return names is None or any(part in kind for part in names.split(","))


def main() -> int:
    """The exit status says whether nothing costs more than it may."""
    args = options()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    work = pathlib.Path(tempfile.mkdtemp(prefix="tls-floods-"))
    work.chmod(0o755)
    fleet = Fleet(work, args.module.resolve(), TOP / "target/release/tls-client")
    rows: list[Row] = []
    try:
        if args.stalled:
            for kind, one in HELD.items():
                if wanted(args.kinds, kind):
                    value, octets = held(fleet, "mod_tls", one, args.stalled, 16)
                    print(f"| {kind} | {shown(octets)} | {shown(value)} KiB |", flush=True)
            return 0
        for kind, (site, count, one) in fill(fleet.below).items():
            if wanted(args.kinds, kind):
                rows.append(flood(fleet, kind, site, max(3, round(count * args.scale)), one, args.rounds))
                print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
        fleet.stop()
        for kind in HELD:
            if wanted(args.kinds, kind):
                rows.append(hold(fleet, kind, max(20, round(400 * args.scale)), min(args.rounds, 3)))
                print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    finally:
        fleet.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(table(rows))
    if args.markdown:
        args.markdown.write_text(table(rows) + "\n")
    return 1 if any(row.verdict() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
