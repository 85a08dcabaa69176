# SPDX-License-Identifier: Apache-2.0
"""Each series of the table of metrics has an event that makes it: done once, counted once, and found in every output."""
import pytest
from harness.metrics import Walk, parsed, said_everywhere, table
from harness.metrics_events import WORLDS
from harness.paths import passable

# What the parent alone counts, and no child can write: children that the key agent refuses are in test_agent_hostile.py.
ELSEWHERE = ("agent_refusals_total",)


def listed(kind) -> set:
    """The series of a world's steps, which are listed without a world."""
    return {parsed(one)[0] for _, *expected in kind.steps(kind) for one in expected}


def test_every_series_of_the_table_has_an_event():
    made = {one for kind in WORLDS.values() for one in listed(kind)}
    elsewhere = {parsed(one)[0] for one in ELSEWHERE}
    assert not made & elsewhere, "what can be made here is not said to be made elsewhere"
    assert made | elsewhere == table().keys()


@pytest.mark.parametrize("name", WORLDS)
def test_events_are_counted_once_and_found_in_all_outputs(httpd, ca, tmp_path, name):
    world = WORLDS[name](httpd, ca, passable(tmp_path))
    try:
        walk = Walk(world.server, world.SECONDS, world.STANDING)
        differing = [found for what, *expected in world.steps() if (found := walk.step(what, *expected))]
        assert not differing, "\n".join(differing)
        said_everywhere(world.server, walk.counted)
    finally:
        world.end()
