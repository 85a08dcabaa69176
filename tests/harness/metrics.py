# SPDX-License-Identifier: Apache-2.0
"""What the status handler says of a server, in each of its forms."""
import json
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from .clients import curl
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
