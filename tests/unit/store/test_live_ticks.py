"""Ticks are kept as they were issued; what is thinned out later leaves the others as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.live import World

from tft_dash.collecting.keeping import Keeper, Limits
from tft_dash.collecting.polling import TICKS_AT_ONCE
from tft_dash.schema import METRIC_NAMES
from tft_dash.store.engine import Store
from tft_dash.store.live import Leases, LiveFacts, LiveStore
from tft_dash.store.live.ticks import ROSTERS_KEPT
from tft_dash.ticks import FLEET_SCALARS, Counts, Roster, TickRecord, pack, unpack

NOW = np.datetime64("2024-01-01T00:00:00.000", "ms")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def record_of(servers: int, seed: int = 1) -> TickRecord:
    random = np.random.default_rng(seed)

    def column(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        values = random.random(shape or (servers,), dtype=np.float32)
        values[random.random(values.shape) < 0.2] = np.nan
        return values

    return TickRecord(
        "fleet", 7, NOW, NOW, "m 1", Roster.of([f"s{place}" for place in range(servers)], ["web"] * servers),
        {name: column() for name in METRIC_NAMES[:3]}, random.integers(-1, 4, servers).astype(np.int8), column(),
        random.integers(-1, 8, (servers, 2)).astype(np.int8), column(servers, 2), column(), column(),
        0.25, float("nan"), 1.0, 2.0, 3.0, servers, counts=Counts(1, 2, 3, 4),
        silent_ticks=random.integers(0, 3, servers).astype(np.int32),
    )  # fmt: skip


@pytest.mark.parametrize("servers", [0, 1, 2, 1000])
def test_what_is_packed_is_unpacked_to_the_last_bit(servers: int) -> None:
    record = record_of(servers)
    found = unpack(pack(record), servers)
    assert list(found["metrics"]) == list(record.metrics)
    for name, values in record.metrics.items():
        np.testing.assert_array_equal(found["metrics"][name], values)
    for name in (
        "states",
        "risk",
        "driver_metric",
        "driver_usual",
        "server_prob_30m",
        "server_prob_8h",
        "silent_ticks",
    ):
        np.testing.assert_array_equal(found[name], getattr(record, name))
        assert found[name].dtype == getattr(record, name).dtype


def test_a_payload_that_is_damaged_or_of_other_servers_is_refused() -> None:
    payload = pack(record_of(5))
    for wrong, servers in ((payload, 6), (payload, 4), (payload[:-9], 5), (b"", 5), (b"\xff" + payload[1:], 5)):
        with pytest.raises(ValueError, match="payload"):
            unpack(wrong, servers)


def test_equal_rosters_have_equal_numbers_and_others_do_not() -> None:
    one = Roster.of(["a", "b"], ["web", "web"])
    assert one == Roster.of(("a", "b"), ("web", "web"))
    others = [Roster.of(["b", "a"], ["web", "web"]), Roster.of(["a", "b"], ["web", "api"]), Roster.of(["a"], ["web"])]
    assert len({one.number, *(other.number for other in others)}) == 4
    assert 0 < one.number < 2**53  # exact in JSON, too


def kept_within(world: World, limits: Limits) -> int:
    """Keep the history of a world within limits until there is nothing to do; how many ticks went."""
    leases = Leases(world.store)
    lease = leases.acquire(LiveFacts(world.name, "identity", "memory", "memory:", world.step, 0.0), "keeper")
    assert lease is not None
    elapsed = iter(range(0, 10**6, 301))
    keeper = Keeper(world.store, world.name, limits, monotonic=lambda: next(elapsed))
    gone = 0
    while part := keeper.keep(lease, world.now):
        gone += part
    return gone


def lived(store: Store, ticks: int) -> World:
    """A world in which so many ticks were recorded, whose collector has ended."""
    world = World(store)
    collector = world.collector()
    for tick in range(ticks):
        world.forward(5)
        world.report(20.0 + tick % 13)
    for _ in range(1 + ticks // TICKS_AT_ONCE):  # back-filled: that takes few transactions
        collector.round()
    collector.close()
    return world


def test_old_ticks_are_thinned_to_one_in_five_minutes_and_those_that_stay_are_as_issued(store: Store) -> None:
    world = lived(store, 700)
    recorded = world.recorded()
    gone = kept_within(world, Limits(raw_seconds=600, keep_seconds=1e9, most_bytes=10**12))
    live = LiveStore(store)
    history = live.history("fleet", 0, 10**9)
    by_tick = {record.tick: record for record in recorded}
    times = {record.tick: record.time for record in recorded}
    raw = history.ticks[history.stands_for == 1]
    rolled = history.ticks[history.stands_for > 1]
    assert gone == 700 - len(history.ticks)
    assert len(rolled) >= 8
    assert all(times[int(tick)] > world.now - np.timedelta64(900, "s") for tick in raw)
    assert int(history.stands_for.sum()) == 700
    for place, tick in enumerate(history.ticks.tolist()):
        issued = live.tick("fleet", tick)
        assert issued is not None
        np.testing.assert_array_equal(issued.risk, by_tick[tick].risk)
        assert issued.prob_30m == by_tick[tick].prob_30m
        span = [by_tick[one] for one in range(tick - int(history.stands_for[place]) + 1, tick + 1)]
        for name in FLEET_SCALARS:
            values = np.array([getattr(one, name) for one in span])
            if not np.isnan(values).all():
                np.testing.assert_allclose(history.means[name][place], np.nanmean(values), rtol=1e-6)
                np.testing.assert_allclose(history.maxima[name][place], np.nanmax(values), rtol=1e-6)
    middle = int(rolled[1]) - 20
    assert live.kept("fleet", middle) == int(rolled[1])
    assert live.tick("fleet", middle) is None
    state = live.state("fleet")
    assert state is not None
    assert state.latest == 699


def test_two_threads_may_look_for_rosters_at_the_same_time(store: Store) -> None:
    world = lived(store, 2)
    number = world.recorded()[0].roster.number
    live = LiveStore(store)

    class Overtaken(dict[tuple[str, int], Roster]):
        """While one thread makes room, another has made some and is about to put its own roster there."""

        within, done = threading.Event(), threading.Event()
        other: threading.Thread | None = None

        def __iter__(self) -> Iterator[tuple[str, int]]:
            found = super().__iter__()
            if self.other is None:
                self.other = threading.Thread(target=live.roster, args=("fleet", number))
                self.other.start()
                self.within.wait(0.5)
            return found

        def __setitem__(self, key: tuple[str, int], roster: Roster) -> None:
            if threading.current_thread() is self.other:
                self.within.set()
                self.done.wait(10)
            super().__setitem__(key, roster)

    roster = Roster(number, ("a",), ("web",))
    known = Overtaken({("other", place): roster for place in range(ROSTERS_KEPT)})
    live._rosters = known
    try:
        assert live.roster("fleet", number) is not None
    finally:
        known.done.set()
        assert known.other is not None
        known.other.join(10)
    assert len(known) <= ROSTERS_KEPT
    assert ("fleet", number) in known


def test_ticks_beyond_their_days_are_dropped_with_the_rosters_that_only_they_had(store: Store) -> None:
    world = World(store)
    one = world.collector(forget=60.0)
    for tick in range(60):
        world.forward(5)
        world.report(servers=("a", "old") if tick < 10 else ("a",))
    one.round()
    one.close()
    kept_within(world, Limits(1e9, keep_seconds=100, most_bytes=10**12))
    live = LiveStore(store)
    assert live.oldest("fleet") == 59 - 20
    with store.read() as connection:
        rosters = connection.exec_driver_sql("SELECT servers FROM live_rosters").scalars().all()
    assert rosters == ['["a"]']


def test_where_there_is_no_room_the_oldest_ticks_go(store: Store) -> None:
    most = 40_000
    world = lived(store, 700)
    kept_within(world, Limits(1e9, 1e9, most_bytes=most))
    live = LiveStore(store)
    kept = live.history("fleet", 0, 10**9).ticks
    assert kept[-1] == 699
    assert 0 < len(kept) < 700
    assert kept.tolist() == list(range(int(kept[0]), 700))


def test_the_history_of_a_span_can_be_asked_for_and_only_its_newest_part(store: Store) -> None:
    world = World(store)
    world.live(world.collector(), 20)
    live = LiveStore(store)
    assert live.history("fleet", 5, 9).ticks.tolist() == [5, 6, 7, 8, 9]
    assert live.history("fleet", 0, 99, newest=3).ticks.tolist() == [17, 18, 19]
    empty = live.history("nothing", 0, 99)
    assert (len(empty.ticks), len(empty.figures["prob_30m"])) == (0, 0)
    assert live.tick_at("fleet", world.now - np.timedelta64(12, "s")) == 16
    assert live.tick_at("fleet", NOW - np.timedelta64(1, "D")) is None
    assert live.oldest("fleet") == 0


def test_a_history_that_is_dropped_is_gone_and_another_source_keeps_its_own(store: Store) -> None:
    for name in ("one", "two"):
        world = World(store, name=name)
        world.live(world.collector(), 5)
    live = LiveStore(store)
    assert live.forget("one")
    assert not live.forget("one")
    assert live.state("one") is None
    assert [state.name for state in live.states()] == ["two"]
    assert len(live.ticks("two", 0, 99)) == 5
