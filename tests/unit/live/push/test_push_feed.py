"""What is pushed becomes ticks: in order, complete, once; and silence is told apart from missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from tft_dash.collecting.collector import Collector, Plan
from tft_dash.collecting.keeping import Keeper
from tft_dash.collecting.keeping import Limits as Bounds
from tft_dash.collecting.leading import Lead
from tft_dash.collecting.polling import Polling
from tft_dash.collecting.recording import Recorder
from tft_dash.errors import SourceUnreachableError
from tft_dash.live.clock import SteadyClock
from tft_dash.live.feeds.push import open_push
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import NO_STATE
from tft_dash.store.engine import Store
from tft_dash.store.live import Hooks, Leases, LiveFacts, LiveState, LiveStore
from tft_dash.store.pushed.handing import drop_recorded, look
from tft_dash.store.pushed.taking import take
from tft_dash.store.pushed.values import DUPLICATE, FUTURE, LATE, TAKEN, Limits, PushedRows, Taken
from tft_dash.store.schema import PUSH_SAMPLES, PUSH_SOURCES

STEP_MS = 5000
LIMITS = Limits(step_ms=STEP_MS, delay_ms=0, rows_per_second=1e9, keep_ms=86_400_000, most_rows=10**9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def origin(store: Store) -> int:
    """Ten minutes ago."""
    return (look(store, "fleet").now_ms // STEP_MS - 120) * STEP_MS


def push(
    store: Store,
    times: Sequence[int],
    servers: Sequence[str] = ("a", "b"),
    *,
    cpu: float = 20.0,
    limits: Limits = LIMITS,
    source: str = "fleet",
) -> Taken:
    pairs = [(time, server) for time in times for server in servers]
    rows = PushedRows(
        np.array([time for time, _ in pairs], np.int64),
        [server for _, server in pairs],
        [""] * len(pairs),
        np.full(len(pairs), NO_STATE, np.int8),
        {"cpu_pct": np.full(len(pairs), cpu, np.float32)},
        (("out-of-range", 1, ("x mem_pct 300",)),),
    )
    (taken,) = take(store, source, [rows], limits)
    return taken


def settle(store: Store) -> None:
    """As if nothing old had come for a while."""
    with store.write() as connection:
        connection.execute(update(PUSH_SOURCES).values(history_ms=PUSH_SOURCES.c.history_ms - 60_000))


def a_collector(store: Store) -> Collector:
    feed, clock, model = open_push("push://fleet", {"step": "5s"}), SteadyClock(), ThresholdModel()
    feed.keep_in(store, "fleet", marks=True)
    facts = LiveFacts("fleet", "identity", "push", "push://fleet", 5.0, 0.0)
    keeper = Keeper(store, "fleet", Bounds(1e9, 1e9, 10**12))
    return Collector(
        Plan("fleet", 5.0, 1e9), Polling(feed, 0.0, 10_000, clock), Lead(Leases(store), facts, "one"),
        Recorder("fleet", LiveStore(store), keeper, Hooks()), model=lambda _: model, store_clock=clock,
    )  # fmt: skip


def rounds(collector: Collector, store: Store, number: int = 6) -> LiveState:
    for _ in range(number):
        collector.round()
    state = LiveStore(store).state("fleet")
    assert state is not None
    return state


def test_a_gap_in_pushing_is_no_answer_until_somebody_pushes_for_a_later_time(store: Store, origin: int) -> None:
    collector = a_collector(store)
    assert rounds(collector, store).latest == -1
    push(store, [origin + tick * STEP_MS for tick in range(10)])
    settle(store)
    state = rounds(collector, store)
    assert state.latest == 9
    assert "Nobody has pushed newer samples to 'fleet' since" in state.problem
    assert str(np.datetime64(origin + 9 * STEP_MS, "ms").astype("datetime64[s]")) in state.problem
    push(store, [origin + tick * STEP_MS for tick in range(30, 36)], servers=["a"])
    settle(store)
    assert rounds(collector, store).latest == 35
    found = LiveStore(store).history("fleet", 0, 10**6)
    assert found.ticks.tolist() == list(range(36))
    assert found.reporting.tolist() == [2] * 10 + [0] * 20 + [1] * 6


def test_what_was_kept_while_we_were_away_is_waited_for_before_its_ticks_are_recorded(
    store: Store, origin: int
) -> None:
    collector = a_collector(store)
    push(store, [origin + tick * STEP_MS for tick in range(10)], servers=["a"])
    state = rounds(collector, store, 3)
    assert (state.latest, "Older samples are being pushed" in state.problem) == (-1, True)
    push(store, [origin + tick * STEP_MS for tick in range(10)], servers=["b"])
    settle(store)
    rounds(collector, store)
    assert LiveStore(store).history("fleet", 0, 10**6).reporting.tolist() == [2] * 10


def test_old_samples_that_never_end_are_not_waited_for_longer_than_a_minute(store: Store, origin: int) -> None:
    collector = a_collector(store)
    push(store, [origin])
    with store.write() as connection:
        connection.execute(update(PUSH_SOURCES).values(history_since_ms=PUSH_SOURCES.c.history_since_ms - 60_001))
    push(store, [origin + STEP_MS])
    assert rounds(collector, store).latest == 1


def test_what_comes_for_a_recorded_tick_is_late_unless_it_is_known(store: Store, origin: int) -> None:
    collector = a_collector(store)
    times = [origin, origin + STEP_MS]
    assert push(store, times).count(TAKEN) == 4
    settle(store)
    rounds(collector, store)
    assert push(store, times).count(DUPLICATE) == 4
    assert push(store, times, cpu=10.0).count(DUPLICATE) == 4  # the higher one of an instant counts
    assert push(store, times, cpu=30.0).count(LATE) == 4
    assert push(store, times, servers=["c"]).count(LATE) == 2
    assert push(store, [look(store, "fleet").now_ms + 60_000]).count(FUTURE) == 2
    push(store, [origin + 3 * STEP_MS])
    settle(store)
    state = rounds(collector, store)
    assert state.latest == 3
    assert (state.counts.late, state.counts.duplicate, state.counts.future) == (6, 8, 2)
    assert state.counts.rejected == 7
    assert state.rejections[0][0] == "out-of-range"
    record = LiveStore(store).tick("fleet", 0)
    assert record is not None
    assert record.metrics["cpu_pct"].tolist() == [20.0, 20.0]


def test_the_counts_are_told_once(store: Store, origin: int) -> None:
    collector = a_collector(store)
    push(store, [origin])
    push(store, [origin])
    for tick in (0, 1, 2):
        push(store, [origin + tick * STEP_MS])
        settle(store)
        state = rounds(collector, store)
    assert state.counts.duplicate == 4


def test_looking_closes_nothing(store: Store, origin: int) -> None:
    feed = open_push("push://fleet", {"step": "5s"})
    feed.keep_in(store, "fleet", marks=False)
    push(store, [origin])
    start = np.datetime64(origin - STEP_MS, "ms")
    assert len(feed.fetch(start, start + np.timedelta64(STEP_MS, "ms"))) == 2
    assert push(store, [origin], servers=["c"]).count(TAKEN) == 1
    feed.close()


def test_a_feed_without_a_store_says_so() -> None:
    with pytest.raises(SourceUnreachableError, match="store"):
        open_push("push://fleet", {}).fetch(np.datetime64(0, "ms"), np.datetime64(1, "ms"))


def kept(store: Store, source: str = "fleet") -> tuple[int, int]:
    """Samples, and how many the source's row says."""
    with store.read() as connection:
        rows = connection.execute(select(PUSH_SAMPLES).where(PUSH_SAMPLES.c.source == source)).all()
        held = connection.execute(select(PUSH_SOURCES.c.held).where(PUSH_SOURCES.c.source == source)).scalar()
    return len(rows), held or 0


def test_recorded_samples_go_after_a_while(store: Store, origin: int) -> None:
    collector = a_collector(store)
    push(store, [origin + tick * STEP_MS for tick in range(118)])
    settle(store)
    assert rounds(collector, store).latest == 117
    rounds(collector, store, 1)
    now = look(store, "fleet").now_ms
    left = sum(origin + tick * STEP_MS >= now - 300_000 for tick in range(118))
    drop_recorded(store, "fleet")
    assert kept(store)[0] == kept(store)[1]
    assert 2 * left - 2 <= kept(store)[0] <= 2 * left + 2


def test_what_nobody_collects_goes_after_its_time_and_so_does_a_source_that_nobody_pushes(
    store: Store, origin: int
) -> None:
    push(store, [origin], source="old")
    push(store, [origin])
    short = Limits(step_ms=STEP_MS, delay_ms=0, rows_per_second=1e9, keep_ms=120_000, most_rows=10**9)
    with store.write() as connection:
        connection.execute(update(PUSH_SOURCES).values(pruned_ms=0))
        old = update(PUSH_SOURCES).where(PUSH_SOURCES.c.source == "old")
        connection.execute(old.values(pushed_ms=PUSH_SOURCES.c.pushed_ms - 200_000))
    now = look(store, "fleet").now_ms
    assert push(store, [origin + 1], limits=short).count(LATE) == 2
    assert push(store, [now], limits=short).count(TAKEN) == 2
    assert kept(store) == (2, 2)
    assert kept(store, "old") == (0, 0)


def test_a_history_that_is_dropped_takes_what_waits_with_it(store: Store, origin: int) -> None:
    collector = a_collector(store)
    push(store, [origin])
    settle(store)
    rounds(collector, store)
    assert LiveStore(store).forget("fleet")
    assert kept(store) == (0, 0)
    assert push(store, [origin]).count(TAKEN) == 2
