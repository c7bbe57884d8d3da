"""A judge that is carried on from tick to tick says what the model says of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tft_dash.collecting.judging import Judge, Said, ThresholdJudge, WindowJudge, judge_for
from tft_dash.live.alignment import Grid
from tft_dash.live.rosters import TickValues
from tft_dash.models.base import RiskModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import METRIC_NAMES, Assessments, FloatArray, Window, derive_states
from tft_dash.ticks import Roster

START = np.datetime64("2024-01-01T00:00:00.000", "ms")
STEP_MS = 15_000
GRID = Grid(START, STEP_MS)
FIELDS = ("risk", "driver_metric", "driver_usual")


def stormy(ticks: int, servers: int, names: tuple[str, ...], seed: int = 5) -> dict[str, FloatArray]:
    """Quiet values, an incident on every third server, and holes."""
    random = np.random.default_rng(seed)
    metrics = {}
    for place, name in enumerate(names):
        values = random.normal(20.0 + place, 2.0, (ticks, servers)).astype(np.float32)
        values[ticks // 2 : ticks // 2 + 20, ::3] += 70.0
        values[random.random((ticks, servers)) < 0.1] = np.nan
        metrics[name] = np.clip(values, 0.0, 1.0 if name == "error_rate" else 100.0)
    metrics[names[0]][ticks // 3 : ticks // 3 + 9] = np.nan
    return metrics


def roster_of(names: list[str]) -> Roster:
    return Roster.of(names, ["web"] * len(names))


def heard(roster: Roster) -> NDArray[np.int32]:
    """Nobody is silent."""
    return np.zeros(len(roster.servers), np.int32)


def tick_of(metrics: Mapping[str, FloatArray], row: int, roster: Roster, places: list[int]) -> TickValues:
    values = {name: column[row, places] for name, column in metrics.items()}
    return TickValues(row, roster, values, derive_states(values), heard(roster))


def judged(judge: Judge, metrics: Mapping[str, FloatArray], roster: Roster) -> list[Said]:
    places = list(range(len(roster.servers)))
    ticks = len(next(iter(metrics.values())))
    return [judge.judge(tick_of(metrics, row, roster, places)) for row in range(ticks)]


@pytest.mark.parametrize("names", [METRIC_NAMES, ("cpu_pct",), ("latency_ms", "error_rate", "gc_pause_ms")])
def test_thresholds_carried_on_say_to_the_bit_what_they_say_of_the_whole(names: tuple[str, ...]) -> None:
    metrics = stormy(200, 7, names)
    roster = roster_of([f"s{place}" for place in range(7)])
    said = judged(judge_for(ThresholdModel(), GRID), metrics, roster)
    whole = ThresholdModel().assess_recording(Window(START, 15.0, roster.servers, roster.profiles, metrics))
    for tick, one in enumerate(said):
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(one, name), getattr(whole, name)[tick], err_msg=f"{name} {tick}")
        np.testing.assert_array_equal(
            np.float32([one.prob_30m, one.prob_8h]), [whole.prob_30m[tick], whole.prob_8h[tick]]
        )
    assert max(one.prob_30m for one in said) > 0.5


def test_servers_that_appear_in_their_hundreds_do_not_change_what_is_known_of_the_others() -> None:
    ticks, servers = 90, 60
    metrics = stormy(ticks, servers, ("cpu_pct", "mem_pct"))
    names = [f"s{place:02d}" for place in range(servers)]
    comes = {place: 0 if place < 5 else place for place in range(servers)}
    for place in range(servers):
        for values in metrics.values():
            values[: comes[place], place] = np.nan
    whole = ThresholdModel().assess_recording(Window(START, 15.0, tuple(names), ("web",) * servers, metrics))
    judge = judge_for(ThresholdModel(), GRID)
    for tick in range(ticks):
        places = [place for place in range(servers) if comes[place] <= tick]
        said = judge.judge(tick_of(metrics, tick, roster_of([names[place] for place in places]), places))
        np.testing.assert_array_equal(said.risk, whole.risk[tick, places])
        np.testing.assert_array_equal(said.driver_usual, whole.driver_usual[tick, places])
        assert said.prob_30m == pytest.approx(float(whole.prob_30m[tick]), nan_ok=True, abs=0)


def test_the_places_of_servers_that_left_are_used_again_and_nothing_of_them_is_remembered() -> None:
    judge = ThresholdJudge(ThresholdModel(), GRID)
    metrics = stormy(120, 1, ("cpu_pct",))
    for tick in range(120):  # a fleet whose only server has another name at every tick
        judge.judge(tick_of(metrics, tick, roster_of([f"pod-{tick}"]), [0]))
    fresh = ThresholdJudge(ThresholdModel(), GRID)
    newcomer = TickValues(120, roster_of(["new"]), {"cpu_pct": np.float32([95.0])}, np.int8([2]), np.int32([0]))
    now, then = judge.judge(newcomer), fresh.judge(newcomer)
    np.testing.assert_array_equal(now.risk, then.risk)
    assert len(judge._places) <= judge._room <= 32


def test_ticks_that_were_left_out_count_as_ticks_without_a_sample() -> None:
    metrics = stormy(60, 3, ("cpu_pct",))
    metrics["cpu_pct"][20:30] = np.nan
    roster = roster_of(["a", "b", "c"])
    every, some = judge_for(ThresholdModel(), GRID), judge_for(ThresholdModel(), GRID)
    said = [every.judge(tick_of(metrics, row, roster, [0, 1, 2])) for row in range(60)]
    for row in (*range(20), *range(30, 60)):
        np.testing.assert_array_equal(
            some.judge(tick_of(metrics, row, roster, [0, 1, 2])).risk, said[row].risk, err_msg=str(row)
        )


class Recent:
    """A model that says the mean of the last four ticks of CPU, and how many ticks it saw."""

    def __init__(self) -> None:
        self.card = replace(
            ThresholdModel.card, name="recent", context_ticks=4, step_seconds=None, metrics=("cpu_pct",)
        )
        self.seen: list[Window] = []

    def assess(self, window: Window) -> Assessments:
        self.seen.append(window)
        values = window.metrics["cpu_pct"]
        with np.errstate(all="ignore"):
            there = ~np.isnan(values)
            risk = np.where(there, values, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1) / 100
        servers = len(window.servers)
        return Assessments(
            risk[None].astype(np.float32),
            np.full((1, servers, 2), -1, np.int8),
            np.full((1, servers, 2), np.nan, np.float32),
            np.float32([risk.max(initial=0)]),
            np.float32([risk.max(initial=0)]),
        )

    def assess_recording(self, recording: Window, progress: object = None) -> Assessments:
        raise NotImplementedError


def test_another_model_gets_the_window_that_it_needs_by_the_servers_of_the_moment() -> None:
    model = Recent()
    judge = judge_for(model, GRID)
    assert isinstance(judge, WindowJudge)
    assert judge.history_ticks == 4
    for tick in range(20):
        names = ["a", "b"] if tick < 10 else ["b", "c"]
        values = {"cpu_pct": np.float32([tick, 50])}
        said = judge.judge(TickValues(tick, roster_of(names), values, np.int8([0, 0]), np.int32([0, 0])))
    window = model.seen[-1]
    assert window.servers == ("b", "c")
    assert window.start == GRID.time_of(16)
    np.testing.assert_array_equal(window.metrics["cpu_pct"], np.float32([[16, 50], [17, 50], [18, 50], [19, 50]]))
    np.testing.assert_allclose(said.risk, [0.175, 0.5])
    judge.judge(TickValues(10 + 12, roster_of(["c"]), {}, np.int8([-1]), np.int32([0])))
    np.testing.assert_array_equal(model.seen[-1].metrics["cpu_pct"], np.float32([[50], [np.nan], [np.nan], [np.nan]]))
    kept: RiskModel = model
    assert kept.card.name == "recent"
