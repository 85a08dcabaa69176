"""Server CPU per operation, arms in turn within each round."""

import dataclasses
import statistics
from collections.abc import Callable

import stats
from arms import Arm
from fleet import Fleet
from load import Done


@dataclasses.dataclass
class Result:
    """What a row came to."""

    title: str
    unit: str
    values: dict[str, float]
    target: str
    verdict: str
    ratio: stats.Ratio | None = None
    tls_ratio: float | None = None
    note: str = ""
    # Percentiles by server, where one figure does not tell.
    spread: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class CpuRow:
    """CPU per operation of `ours` over that of `theirs`; `floor` shows what is httpd's own."""

    name: str
    title: str
    target: float
    load: Callable[[Fleet, Arm, int], Done]
    operations: int
    unit: str = "us"
    site: str = "ecdsa"
    ours: str = "mod_tls"
    theirs: str = "mod_ssl"
    floor: str | None = "plain"
    # nginx can do the same.
    peer: bool = False

    def arm(self, fleet: Fleet, name: str) -> Arm:
        """The running server of that name."""
        return fleet.get(self.site, name)

    def run(self, fleet: Fleet, rounds: int, scale: float, tell: Callable[[str], None]) -> Result:
        """Measures all rounds; `scale` multiplies the number of operations."""
        names = [name for name in (self.floor, self.theirs, self.ours) if name]
        if self.peer:
            names = fleet.peers_of(names)
        operations = max(2, round(self.operations * scale))
        samples: dict[str, list[float]] = {name: [] for name in names}
        client: dict[str, list[float]] = {name: [] for name in names}
        for name in names:  # a warm-up: page cache, allocator, lazily made state
            self.load(fleet, self.arm(fleet, name), max(2, operations // 10))
        for number in range(rounds):
            # Every other round runs the other way round, so that a drift favours nobody.
            for name in names if number % 2 == 0 else reversed(names):
                arm = self.arm(fleet, name)
                before = arm.cpu_ns()
                done = self.load(fleet, arm, operations)
                samples[name].append((arm.cpu_ns() - before) / done.operations)
                client[name].append(done.client_cpu_ns / done.operations)
            tell(f"{self.name} round {number + 1}/{rounds}: " + self._line(samples))
        return self._result(samples, client)

    def _line(self, samples: dict[str, list[float]]) -> str:
        return ", ".join(f"{name} {values[-1] / self._divisor():.1f} {self.unit}" for name, values in samples.items())

    def _divisor(self) -> float:
        return {"us": 1e3, "ms": 1e6}[self.unit]

    def _result(self, samples: dict[str, list[float]], client: dict[str, list[float]]) -> Result:
        ratio = stats.ratio(samples[self.ours], samples[self.theirs])
        medians = {name: statistics.median(values) / self._divisor() for name, values in samples.items()}
        tls_ratio = None
        if self.floor and medians[self.theirs] > medians[self.floor]:
            floor = medians[self.floor]
            tls_ratio = (medians[self.ours] - floor) / (medians[self.theirs] - floor)
        client_cpu = statistics.median(client[self.ours]) / self._divisor()
        return Result(
            title=self.title,
            unit=self.unit,
            values=medians,
            target=f"<= {self.target:.2f}",
            verdict=ratio.met(self.target),
            ratio=ratio,
            tls_ratio=tls_ratio,
            note=f"client {client_cpu:.0f} {self.unit}",
        )
