"""Whatever the order of samples, and however they are split into deliveries: the same ticks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tft_dash.live.alignment import Aligned, Grid, align
from tft_dash.live.rosters import Rosters, TickValues
from tft_dash.live.samples import Samples, joined, objects

ORIGIN = np.datetime64("2026-03-01T12:00:00.000", "ms")
STEP_MS = 5000
GRID = Grid(ORIGIN, STEP_MS)
LAST = 6
NOW = GRID.time_of(LAST)

Row = tuple[int, str, float | None, float | None, str, int, bool]
VALUES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 55.5, 99.0]))
ROWS = st.tuples(
    st.integers(-2 * STEP_MS, (LAST + 3) * STEP_MS),
    st.sampled_from(["a", "b", "c"]),
    VALUES,
    VALUES,
    st.sampled_from(["", "web", "api"]),
    st.sampled_from([-1, 0, 2]),
    st.booleans(),
)


def samples_of(rows: list[Row]) -> Samples:
    """Rows of (milliseconds since the origin, server, cpu, mem, profile, state, up)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    return Samples(
        ORIGIN + np.array(columns[0], "timedelta64[ms]"),
        objects(columns[1]),
        {
            "cpu_pct": np.array([np.nan if value is None else value for value in columns[2]], np.float32),
            "mem_pct": np.array([np.nan if value is None else value for value in columns[3]], np.float32),
        },
        profiles=objects(columns[4]),
        states=np.array(columns[5], np.int8),
        up=np.array(columns[6], bool),
    )


def ticks_of(aligned: Aligned, rosters: Rosters) -> list[TickValues]:
    return [rosters.take(aligned, row) for row in range(aligned.ticks)]


def demand_equal(one: list[TickValues], other: list[TickValues]) -> None:
    for left, right in zip(one, other, strict=True):
        assert (left.tick, left.roster) == (right.tick, right.roster)
        np.testing.assert_array_equal(left.states, right.states)
        assert set(left.metrics) == set(right.metrics)
        for name, values in left.metrics.items():
            np.testing.assert_array_equal(values, right.metrics[name])


@given(st.lists(ROWS, max_size=40), st.data())
def test_any_order_and_any_split_of_the_same_samples_give_the_same_ticks(rows: list[Row], data: st.DataObject) -> None:
    straight = align(samples_of(rows), GRID, 0, LAST, NOW)
    mixed = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    edges = [0, *cuts, len(rows)]
    parts = [samples_of(mixed[first:last]) for first, last in itertools.pairwise(edges)]
    other = align(joined(parts), GRID, 0, LAST, NOW)
    demand_equal(ticks_of(straight, Rosters(100)), ticks_of(other, Rosters(100)))
    assert straight.counts == other.counts


@given(st.lists(ROWS, max_size=40), st.integers(0, LAST))
def test_ticks_that_are_closed_in_two_polls_are_those_of_one(rows: list[Row], cut: int) -> None:
    samples = samples_of(rows)
    whole = ticks_of(align(samples, GRID, 0, LAST, NOW), Rosters(100))
    rosters = Rosters(100)
    first = ticks_of(align(samples, GRID, 0, cut - 1, NOW), rosters) if cut else []
    second = ticks_of(align(samples, GRID, cut, LAST, NOW), rosters)
    demand_equal(whole, [*first, *second])


@given(st.lists(ROWS, min_size=1, max_size=40))
def test_every_sample_is_in_a_tick_or_late_or_from_the_future_or_of_a_later_tick(rows: list[Row]) -> None:
    aligned = align(samples_of(rows), GRID, 0, LAST, NOW)
    late = sum(row[0] <= -STEP_MS for row in rows)
    future = sum(row[0] > (LAST + 1) * STEP_MS for row in rows)
    assert (aligned.counts.late, aligned.counts.future) == (late, future)
    inside = [row for row in rows if -STEP_MS < row[0] <= LAST * STEP_MS]
    assert aligned.counts.duplicate == len(inside) - len({(row[0], row[1]) for row in inside})


@given(st.integers(-(10**7), 10**7), st.integers(1, 100_000))
def test_a_sample_belongs_to_the_first_tick_that_is_not_before_it(offset: int, step_ms: int) -> None:
    grid = Grid(ORIGIN, step_ms)
    time = ORIGIN + np.timedelta64(offset, "ms")
    (tick,) = grid.ticks_of(np.array([time]))
    assert grid.time_of(int(tick)) >= time
    assert grid.time_of(int(tick) - 1) < time
    assert grid.last_before(time) in (tick, tick - 1)


def one(*rows: Row) -> Aligned:
    return align(samples_of(list(rows)), GRID, 0, LAST, NOW)


@pytest.mark.parametrize(
    ("rows", "cpu", "state"),
    [
        ([(4000, "a", 10.0, None, "", -1, True), (5000, "a", 20.0, None, "", -1, True)], 20.0, 0),
        ([(5000, "a", 20.0, None, "", -1, True), (4000, "a", 99.0, None, "", -1, True)], 20.0, 0),
        ([(4000, "a", 10.0, None, "", -1, True), (5000, "a", None, 1.0, "", -1, True)], 10.0, 0),
        ([(5000, "a", 10.0, None, "", -1, True), (5000, "a", 30.0, None, "", -1, True)], 30.0, 0),
        ([(5000, "a", 95.0, None, "", -1, True)], 95.0, 2),
        ([(5000, "a", 95.0, None, "", 0, True)], 95.0, 0),
        ([(5000, "a", None, None, "", -1, True)], np.nan, 0),
        ([(5000, "a", None, None, "", -1, False)], np.nan, 3),
        ([(4000, "a", 10.0, None, "", -1, False), (5000, "a", 10.0, None, "", -1, True)], 10.0, 0),
    ],
)
def test_of_the_samples_in_a_tick_the_newest_value_of_each_metric_counts(
    rows: list[Row], cpu: float, state: int
) -> None:
    aligned = one(*rows)
    found = aligned.metrics["cpu_pct"][1, 0] if "cpu_pct" in aligned.metrics else np.float32(np.nan)
    np.testing.assert_equal(float(found), cpu)
    assert aligned.states[1, 0] == state


def test_a_tick_reaches_from_just_after_the_one_before_up_to_its_own_time() -> None:
    aligned = one((0, "a", 1.0, None, "", -1, True), (1, "b", 2.0, None, "", -1, True))
    assert aligned.states[:2].tolist() == [[0, -1], [-1, 0]]


def test_an_empty_delivery_is_so_many_empty_ticks() -> None:
    aligned = one()
    assert (aligned.ticks, aligned.servers, aligned.metrics) == (LAST + 1, (), {})
    (values, *_) = ticks_of(aligned, Rosters(100))
    assert (values.roster.servers, values.reporting) == ((), 0)


def test_a_profile_that_changes_is_followed_and_one_that_is_not_said_is_kept() -> None:
    rows: list[Row] = [
        (0, "a", 1.0, None, "", -1, True),
        (5000, "a", 1.0, None, "web", -1, True),
        (10_000, "a", 1.0, None, "", -1, True),
        (15_000, "a", 1.0, None, "api", -1, True),
    ]
    profiles = [values.roster.profiles for values in ticks_of(one(*rows), Rosters(100))]
    assert profiles[:4] == [("generic",), ("web",), ("web",), ("api",)]


def test_columns_of_unequal_length_or_unknown_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="servers has the shape"):
        Samples.of([ORIGIN], ["a", "b"], {"cpu_pct": [1.0]})
    with pytest.raises(ValueError, match="load1 is no metric"):
        Samples.of([ORIGIN], ["a"], {"load1": [1.0]})
