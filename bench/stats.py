"""Figures out of rounds: medians of per-round ratios, and whether they mean anything."""

import dataclasses
import statistics


@dataclasses.dataclass
class Ratio:
    """The ratio of two arms over all rounds."""

    median: float
    low: float
    high: float

    def met(self, target: float) -> str:
        """'met', 'missed', or 'unclear' where the quartiles lie on both sides of the target and
        the spread is wider than the distance from equality that is claimed."""
        spread = self.high - self.low
        if self.low <= target < self.high and spread > abs(1 - target):
            return "unclear"
        return "met" if self.median <= target else "missed"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Round by round, so that what disturbs a round disturbs both sides of it."""
    each = [a / b for a, b in zip(ours, theirs) if b > 0]
    low, _, high = statistics.quantiles(each, n=4) if len(each) > 1 else (each[0],) * 3
    return Ratio(statistics.median(each), low, high)
