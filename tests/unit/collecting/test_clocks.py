"""A source whose clock is not the store's, and a store that was away: what is told of a source afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.live import ShakyStore, World

from tft_dash.live.alignment import whole_step
from tft_dash.live.feeds.memory import ManualClock
from tft_dash.live.samples import Rejected, no_samples
from tft_dash.store.engine import Store
from tft_dash.store.live import LiveState, LiveStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def world_beside(store: Store, skew: float) -> World:
    """One whose time is the store's, but for so many seconds; it begins as a tick does."""
    now = LiveStore(store).now() + np.timedelta64(round(skew * 1000), "ms")
    return World(store, clock=ManualClock(whole_step(now, 5000)), told=True)


def state(world: World) -> LiveState:
    found = world.ticks.state("fleet")
    assert found is not None
    return found


@pytest.mark.parametrize("skew", [-86_400.0, -30.0, 0.0, 30.0])
def test_a_source_whose_clock_is_off_is_current_as_long_as_ticks_come(store: Store, skew: float) -> None:
    world = world_beside(store, skew)
    world.live(world.collector(), 3)
    found = state(world)
    assert found.latest == 2
    assert not found.stale
    assert found.age_seconds == pytest.approx(0, abs=2.5)
    assert found.lag_seconds == 0


def test_a_source_whose_clock_is_ahead_is_stale_when_it_is_silent(store: Store) -> None:
    world = world_beside(store, 3600.0)
    world.live(world.collector(), 3)
    with store.write() as connection:  # as if so much time had passed at the source and in the store alike
        connection.exec_driver_sql("UPDATE live_sources SET origin_ms = origin_ms - 20000")
    found = state(world)
    assert found.stale
    assert found.lag_seconds == pytest.approx(15, abs=2.5)


def test_a_clock_that_is_set_back_does_not_make_an_old_tick_new(store: Store) -> None:
    world = world_beside(store, 0.0)
    collector = world.collector()
    world.live(collector, 20)
    before = state(world).clock_ahead
    world.clock.forward(-3600)
    for _ in range(40):
        world.forward(5)
        world.report()
        collector.round()
    assert "set back" in state(world).problem
    assert state(world).clock_ahead - before <= np.timedelta64(65_000, "ms")
    assert state(world).clock_ahead >= before


def test_what_was_counted_while_the_store_was_away_is_counted_when_it_is_back(store: Store) -> None:
    world, shaky = World(store), ShakyStore(str(store._url))
    collector = world.collector(store=shaky)
    world.live(collector, 3)
    shaky.away = True
    world.forward(5)
    world.report()
    world.report()  # the same again: two duplicates
    world.feed.add(no_samples(rejected=[Rejected("out-of-range", 4, ("cpu_pct 140 on a",))]))
    collector.round()
    assert state(world).latest == 2
    shaky.away = False
    world.live(collector, 2)
    found = state(world)
    assert found.latest == 5
    assert (found.counts.duplicate, found.counts.rejected) == (2, 4)
    assert found.rejections == (("out-of-range", 4, ("cpu_pct 140 on a",)),)
    shaky.close()
