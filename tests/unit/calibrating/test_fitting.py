"""The fit draws back to the usual rate unless what was said helps, and the scores are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tft_dash.calibrating.cases import Cases
from tft_dash.calibrating.fit import STEEPEST, fitted
from tft_dash.calibrating.measure import area, quality
from tft_dash.models.forecasting.calibration import expit, logit

ROWS = 20_000


def cases_of(chance: np.ndarray, truth: np.ndarray) -> Cases:
    return Cases(chance, truth, np.arange(len(chance)) * 300.0, 1.0)


def test_a_line_is_recovered_where_the_history_speaks_for_it() -> None:
    draw = np.random.default_rng(1)
    raw = draw.normal(-3.0, 1.5, ROWS)
    truth = draw.random(ROWS) < expit(0.7 * raw - 0.8)
    line = fitted(cases_of(expit(raw), truth))
    assert line.slope == pytest.approx(0.7, abs=0.06)
    assert float(line.apply(expit(raw)).mean()) == pytest.approx(float(truth.mean()), abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_of_noise_and_of_what_is_upside_down_nothing_stays_but_the_rate(seed: int) -> None:
    draw = np.random.default_rng(seed)
    chance = draw.uniform(0.01, 0.6, 4000)
    noise = fitted(cases_of(chance, draw.random(4000) < 0.02))
    assert float(np.ptp(noise.apply(chance))) < 0.02
    inverse = fitted(cases_of(chance, draw.random(4000) < 0.2 * (1 - chance)))
    assert inverse.slope == 0.0


def test_what_held_in_one_spell_alone_and_nowhere_else_does_not_stay() -> None:
    draw = np.random.default_rng(0)
    chance, truth = np.full(8000, 0.01), draw.random(8000) < 0.01
    high = np.arange(8000) % 1000 < 100
    chance[high], truth[high] = 0.5, False
    spell = np.arange(8000) < 300
    chance[spell], truth[spell] = 0.5, draw.random(300) < 0.4
    assert truth[chance > 0.1].mean() > 5 * truth[chance < 0.1].mean()
    assert fitted(cases_of(chance, truth)).slope == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_is_never_worse_than_the_rate_on_what_it_was_fitted_to(seed: int) -> None:
    draw = np.random.default_rng(seed)
    chance = draw.beta(0.3, 4.0, 3000)
    for truth in (draw.random(3000) < 0.01, draw.random(3000) < chance, draw.random(3000) < chance**2):
        truth[0] = True
        cases = cases_of(chance, truth)
        skill = quality(cases, fitted(cases).apply(chance), cases.rate).brier_skill[0]
        assert skill is not None
        assert skill >= -1e-6


def test_a_few_incidents_make_no_model_much_surer_than_it_is() -> None:
    chance = np.full(2000, 0.01)
    truth = np.zeros(2000, bool)
    chance[::200], truth[::200] = 0.05, True
    assert fitted(cases_of(chance, truth)).slope <= STEEPEST + 1e-9


def test_the_scores_are_those_of_the_definition() -> None:
    draw = np.random.default_rng(5)
    chance = draw.uniform(0, 1, 5000)
    truth = draw.random(5000) < chance
    found = quality(cases_of(chance, truth), chance, 0.5)
    base = truth.mean()
    assert found.brier[0] == pytest.approx(((chance - truth) ** 2).mean())
    assert found.brier_skill[0] == pytest.approx(1 - ((chance - truth) ** 2).mean() / (base * (1 - base)))
    assert found.skill_over_before[0] == pytest.approx(1 - ((chance - truth) ** 2).sum() / ((0.5 - truth) ** 2).sum())
    assert found.log_loss[0] == pytest.approx(-np.log(np.where(truth, chance, 1 - chance)).mean())
    low, high = found.brier_skill[1], found.brier_skill[2]
    assert low is not None
    assert high is not None
    assert low < found.brier_skill[0] < high
    assert found.calibration_error[0] is not None
    assert found.calibration_error[0] < 0.03
    worse = quality(cases_of(chance, truth), expit(2 * logit(chance)), 0.5)
    assert worse.calibration_error[0] > 0.08  # type: ignore[operator]


def test_the_area_counts_ties_half() -> None:
    assert area(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.5, 0.5])) == pytest.approx(0.875)
    assert area(np.array([True, True]), np.array([0.9, 0.1])) is None


def test_without_a_row_nothing_is_claimed() -> None:
    found = quality(cases_of(np.zeros(0), np.zeros(0, bool)), np.zeros(0), 0.1)
    assert (found.rows, found.brier, found.auc) == (0, (None, None, None), None)
