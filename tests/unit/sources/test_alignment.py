"""Ticks from times."""

from __future__ import annotations

import numpy as np
import pytest

from tft_dash.errors import TableError
from tft_dash.sources.recording.alignment import Grid, duration, infer_step, make_grid
from tft_dash.sources.recording.ticking import Ticking

SECOND = 1_000_000_000
START = np.datetime64("2024-05-01T12:00:00", "ns").astype(np.int64)


def at(*seconds: float) -> np.ndarray:
    return START + np.rint(np.array(seconds) * SECOND).astype(np.int64)


def grid_of(*series: np.ndarray, step: float = 5.0) -> Grid:
    firsts, lasts = (np.array([times[place] for times in series]) for place in (0, -1))
    return make_grid(firsts, lasts, int(step * SECOND), sum(map(len, series)))


def ticks(grid: Grid, server: int, times: np.ndarray) -> list[int]:
    return grid.ticks_of(times, np.full(len(times), server)).tolist()


def test_servers_sampled_at_different_moments_of_a_step_never_flip_between_ticks() -> None:
    early, late = at(0, 5.2, 9.8, 15), at(2.4, 7.7, 12.2, 17.6)
    grid = grid_of(early, late)
    assert ticks(grid, 0, early) == [0, 1, 2, 3]
    assert ticks(grid, 1, late) == [0, 1, 2, 3]


def test_a_server_that_appears_later_begins_at_its_own_tick() -> None:
    grid = grid_of(at(0, 5, 10), at(10.4, 15.4))
    assert grid.bases.tolist() == [0, 2]
    assert grid.ticks == 4


def test_a_gap_leaves_ticks_out() -> None:
    times = at(0, 5, 30, 35)
    assert ticks(grid_of(times), 0, times) == [0, 1, 6, 7]


def test_half_a_step_belongs_to_the_later_tick() -> None:
    times = at(0, 2.5, 7.499)
    assert ticks(grid_of(times), 0, times) == [0, 1, 1]


def test_tick_times_are_rounded_to_the_millisecond() -> None:
    grid = grid_of(at(0, 10), step=1 / 3)
    assert ((grid.times_of(np.arange(4)) - START) // 1_000_000).tolist() == [0, 333, 667, 1000]


@pytest.mark.parametrize(
    ("series", "step"),
    [
        ([at(0, 5, 10, 15)], 5),
        ([at(0, 5, 10, 300, 305, 310, 315)], 5),
        ([at(0, 60, 119, 180, 241, 300)], 60),
        ([at(0, 300, 600), at(0, 5, 10, 15, 20), at(2, 302, 602)], 300),
        ([at(0, 0.25, 0.5, 0.75)], 0.25),
        ([at(*np.arange(60) * 61.237)], 61.237),
        ([at(0), at(3, 10)], 7),
    ],
    ids=["regular", "gap", "whole-seconds", "one-fast-server", "fast", "odd", "short"],
)
def test_the_step_is_the_median_gap_of_a_server(series: list[np.ndarray], step: float) -> None:
    assert infer_step(series) == round(step * SECOND)


def test_times_cut_to_whole_seconds_do_not_hide_the_true_step() -> None:
    assert infer_step([at(*np.floor(np.arange(200) * 5.2))]) == round(5.2 * SECOND)


def test_samples_that_stray_from_their_moment_do_not_misnumber_those_that_follow() -> None:
    stray = np.zeros(240)
    stray[10::24], stray[11::24] = 0.3, -0.3
    wobble = np.where(np.arange(240) % 2, 0.01, 0.0)
    step = infer_step([at(*((np.arange(240) + stray + wobble) * 47.31))])
    assert step == pytest.approx(47.31 * SECOND, rel=2e-4)


def test_a_first_sample_that_came_late_does_not_misnumber_the_others() -> None:
    strayed = np.random.default_rng(5).uniform(-0.15, 0.15, 240)
    strayed[0] = 0.45
    step = infer_step([at(*((np.arange(240) + strayed) * 47.31))])
    assert step == pytest.approx(47.31 * SECOND, rel=3e-4)


def test_a_rhythm_that_shifts_at_a_long_gap_keeps_its_step() -> None:
    wobble = np.where(np.arange(200) % 2, 0.01, 0.0)
    shift = np.where(np.arange(200) < 100, 0, 60.5)
    step = infer_step([at(*((np.arange(200) + shift + wobble) * 61.237))])
    assert step == pytest.approx(61.237 * SECOND, rel=2e-4)


def test_the_second_of_two_successive_samples_in_a_tick_is_pushed_to_the_next_and_others_with_it() -> None:
    times = at(0, 2.6, 7.4, 10.1, 15, 25, 26, 30)
    grid, servers = grid_of(times), np.zeros(8, np.int32)
    assert grid.ticks_of(times, servers).tolist() == [0, 1, 1, 2, 3, 5, 5, 6]
    assert Ticking(grid, in_order=True).ticks(times, servers).tolist() == [0, 1, 2, 3, 4, 5, 5, 6]


def test_samples_that_come_in_any_order_have_their_nominal_ticks() -> None:
    times = at(0, 2.6, 7.4, 10.1)
    grid, servers = grid_of(times), np.zeros(4, np.int32)
    assert Ticking(grid, in_order=False).ticks(times[::-1], servers).tolist() == [2, 1, 1, 0]
    assert Ticking(grid, in_order=False).ticks(times, servers).tolist() == [0, 1, 1, 2]


def test_servers_that_come_after_the_beginning_change_no_step() -> None:
    first = at(*np.arange(256) * 5)
    late = at(*2_000 + np.arange(200) * 60)
    assert infer_step([first, late, late]) == infer_step([first]) == 5 * SECOND


def test_no_server_with_two_samples_gives_no_step() -> None:
    assert infer_step([at(0), at(1)]) is None
    assert infer_step([]) is None


def test_two_samples_years_apart_are_refused_with_advice() -> None:
    times = at(0, 4 * 365.25 * 86_400)
    step = infer_step([times])
    assert step is not None
    with pytest.raises(TableError, match=r"4\.0 years.*declare the step"):
        grid_of(times, step=step / SECOND)


def test_a_single_stray_time_does_not_explode_the_grid() -> None:
    times = at(*range(0, 500, 5), 4 * 365.25 * 86_400)
    with pytest.raises(TableError, match=r"span 4\.0 years at a step of 5 s.*wrong time"):
        grid_of(times)


@pytest.mark.parametrize("step", [0.0001, 40 * 86_400])
def test_an_impossible_step_is_refused(step: float) -> None:
    with pytest.raises(TableError, match="from a millisecond to 31 days"):
        grid_of(at(0, 1), step=step)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (0.0005, "500 µs"), (5, "5 s"), (600, "10.0 min"), (86_400 * 3, "3.0 days")]
)
def test_spans_are_told_in_fitting_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
