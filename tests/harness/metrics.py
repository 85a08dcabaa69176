# SPDX-License-Identifier: Apache-2.0
"""What the status handler says of a server, in each of its forms."""
import json
import re
import time
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from .clients import curl
from .paths import ROOT
from .waiting import wait_until

MODULES = ("status",)
LOCATIONS = """<Location "/tls-status">
SetHandler tls-status
Require local
</Location>
<Location "/server-status">
SetHandler server-status
Require local
</Location>"""
# The parent sums what its children counted when httpd's monitor hook runs, about every ten seconds.
SECONDS = 40


@dataclass(frozen=True)
class Series:
    """One number's name and labels."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.name + "".join(f" {label}={value}" for label, value in self.labels)


def series(name: str, **labels: str) -> Series:
    return Series("mod_tls_" + name, tuple(sorted(labels.items())))


def get(server, query: str = "", path: str = "/tls-status") -> str:
    """Asked in the clear, so that asking counts nothing."""
    answer = curl(server.plain_port, path + query, scheme="http")
    assert answer.status == 200, answer
    return answer.text


def prometheus(server) -> dict[Series, float]:
    """By the parser of Prometheus' own library."""
    text = get(server, "?format=prometheus")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {Series(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}
    assert len(found) == len(samples), "a series stands twice"
    return found


def from_json(server) -> dict[Series, float]:
    found = {}
    for family in json.loads(get(server, "?format=json"))["metrics"]:
        for one in family.get("series", ()):
            found[Series(family["name"], tuple(sorted(one["labels"].items())))] = one["value"]
        for one in family.get("buckets", ()):
            found[Series(family["name"] + "_bucket", (("le", one["le"]),))] = one["count"]
        if "buckets" in family:
            found[Series(family["name"] + "_count", ())] = family["count"]
            found[Series(family["name"] + "_sum", ())] = family["sum"]
    return found


def wait_for(server, name: str, value: float, **labels: str) -> dict[Series, float]:
    """The numbers, once this one is so high."""
    wanted = series(name, **labels)

    def there():
        found = prometheus(server)
        return found if found[wanted] >= value else None
    return wait_until(there, f"{wanted} to be {value}", SECONDS, pause=0.5)


DOCUMENT = ROOT / "docs" / "metrics.md"
# Which numbers the page has for people in a form of its own.
SUMMED = ("certificate_reloads_total", "received_bytes_total", "sent_bytes_total", "received_records_total", "sent_records_total", "agent_up")


def table() -> dict[Series, tuple[str, ...]]:
    """Every series that is counted, by the document that is made from the table in code, and the values of its labels in their
    order; of a histogram how often it measured."""
    found: dict[Series, tuple[str, ...]] = {}
    for part in DOCUMENT.read_text().split("\n## mod_tls_")[1:]:
        name, kind = re.match(r"(\w+)\n\n(\w+):", part).groups()
        labelled = [re.findall(r'`(\w+)="([^"]*)"`', line) for line in part.splitlines() if line.startswith("- `")]
        if labelled and not all(labelled) or kind == "gauge" and name.endswith("_seconds"):
            continue  # found out when somebody asks: certificates, virtual hosts, the build, times
        for pairs in labelled or [[]]:
            found[series(name + ("_count" if kind == "histogram" else ""), **dict(pairs))] = tuple(value for _, value in pairs)
    return found


def parsed(text: str) -> tuple[Series, int]:
    """ "name label=value" and a number, 1 where there is none."""
    name, *words = text.split(" ")
    number = int(words.pop()) if words and words[-1].isdecimal() else 1
    return series(name, **dict(word.split("=", 1) for word in words)), number


def camel(name: str) -> str:
    return "TLS" + "".join(word.capitalize() for word in name.removeprefix("mod_tls_").removesuffix("_total").split("_"))


def said_everywhere(server, expected: set[Series]) -> None:
    """These series are counted, and stand with their labels in each output with the same number."""
    order = table()
    found, said = prometheus(server), from_json(server)
    page, block = get(server).replace("<wbr>", ""), get(server, "", "/server-status")
    lines = dict(line.split(": ", 1) for line in get(server, "?auto", "/server-status").splitlines() if ": " in line)
    for one in expected:
        value = found[one]
        assert value > 0 and said[one] == value, one
        family = one.name.removeprefix("mod_tls_")
        labels = dict(one.labels)
        names = sorted(labels, key=lambda label: order[one].index(labels[label]))
        braces = "{" + ",".join(f"{label}={labels[label]}" for label in names) + "}" if names else ""
        short = camel(family) + braces
        assert lines.get(short) == str(int(value)), short
        assert f"<dt>{short}: {int(value):,}</dt>" in block, short
        if family in SUMMED or family.endswith("_count"):
            continue
        shown = f'<th scope="row">{", ".join(order[one])}</th><td class="number">{int(value):,}</td>'
        assert (shown if names else f'<td class="number">{int(value):,}</td>') in page, one


class Walk:
    """A server, best of one process (httpd -X), which says at once what it counted: each step's numbers by themselves."""

    def __init__(self, server, seconds: float = 5, standing: tuple[str, ...] = ()):
        self.server, self.seconds, self.counted = server, seconds, set()
        self.before = {one: value for one, value in self.settled().items() if one not in map(series, standing)}

    def settled(self) -> dict:
        """What is counted once nothing more comes of connections that the start was waited for with."""
        before, deadline = None, time.monotonic() + self.seconds
        while (now := prometheus(self.server)) != before and time.monotonic() < deadline:
            before = now
            time.sleep(0.3)
        return now

    def step(self, what, *expected: str) -> str:
        """`what` is done, and these series are one more ("... 2" for two), and none else of their families; else what is."""
        what()
        wanted = dict(map(parsed, expected))
        families = {one.name for one in wanted}

        def grown():
            self.now = prometheus(self.server)
            more = {one: value - self.before.get(one, 0) for one, value in self.now.items() if one.name in families}
            return {one: value and wanted.get(one, 1) and value for one, value in more.items() if value}
        deadline = time.monotonic() + self.seconds
        while (more := grown()) != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        self.before = self.now
        self.counted |= wanted.keys()
        return "" if more == wanted else f"{', '.join(expected)}: {', '.join(f'{one} {value:g}' for one, value in more.items())}"
