"""Fitting that is bounded by time, on a clock of the test's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra 'train'")

import torch

from tft_dash.training.fitting.fit import LOWEST_RATE
from tft_dash.training.fitting.plan import Plan
from tft_dash.training.fitting.timed import TimedFit
from tft_dash.training.histories import Histories

PLAN = Plan(steps=1_000_000, batch=16, check_every=10, warm_steps=1, width=8, patience=1000)


class Clock:
    """Time passes when it is looked at: a step looks twice, a measurement twice."""

    def __init__(self, pace: float) -> None:
        self.now, self.pace = 0.0, pace

    def __call__(self) -> float:
        self.now += self.pace
        return self.now


def fit(histories: Histories, clock: Clock, seconds: float, plan: Plan = PLAN, folder: Path | None = None) -> TimedFit:
    train, valid = histories.usable([0, 1, 2, 3]), histories.usable([4, 5])[:64]
    return TimedFit(histories, train, valid, plan=plan, seconds=seconds, clock=clock, folder=folder, data_digest="d")


def rate(found: TimedFit) -> float:
    return float(found._optimiser.param_groups[0]["lr"]) / found._whole.rate


def test_fitting_ends_in_time_with_the_rate_brought_down_and_the_model_measured(histories: Histories) -> None:
    clock = Clock(0.5)
    found = fit(histories, clock, 30.0)
    told: list[tuple[int, int, float, float]] = []
    network = found.run(lambda *line: told.append(line))
    assert 20 < clock.now <= 31
    assert 5 < found.progress.step < 40
    assert rate(found) < 0.12
    assert found.progress.log[-1][0] == found.progress.step
    assert told[-1][:2] == (found.progress.step, found.progress.step)
    assert all(torch.isfinite(values).all() for values in network.state_dict().values())


def test_a_clock_that_slows_down_in_the_middle_still_ends_in_time(histories: Histories) -> None:
    clock = Clock(0.1)
    found = fit(histories, clock, 60.0)
    for _ in range(40):
        found.step()
        found._spend()
        clock.pace = 1.0 if found.progress.step > 20 else 0.1
    clock.now = found._looked
    before = found.progress.seconds
    found.run()
    assert found.progress.seconds <= 62
    assert found.progress.seconds > before
    assert rate(found) < 0.12


def test_steps_end_it_when_they_come_first(histories: Histories) -> None:
    found = fit(histories, Clock(0.001), 1e6, dataclasses.replace(PLAN, steps=12))
    found.run()
    assert found.progress.step == 12
    assert rate(found) < LOWEST_RATE + 0.05


def test_however_short_the_time_a_model_comes_of_it(histories: Histories) -> None:
    found = fit(histories, Clock(5.0), 0.001)
    found.run()
    assert found.progress.step == 1
    assert found.progress.best < float("inf")


def test_what_was_stopped_has_only_the_rest_of_the_time(histories: Histories, tmp_path: Path) -> None:
    clock = Clock(0.5)
    first = fit(histories, clock, 100.0, folder=tmp_path / "checkpoint")
    with pytest.raises(KeyboardInterrupt):
        first.run(_interrupt)
    again = fit(histories, clock, 100.0, folder=tmp_path / "checkpoint")
    assert again.progress.step >= 10
    assert again.progress.seconds > 5
    clock.now, begun = again._looked, again._looked
    again.run()
    assert clock.now - begun < 100 - 5


def _interrupt(*_line: float) -> None:
    raise KeyboardInterrupt
