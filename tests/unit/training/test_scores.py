from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="measuring needs the extra 'train'")

from sklearn.metrics import average_precision_score, roc_auc_score

from tft_dash.models.forecasting.calibration import Calibration, Line, expit
from tft_dash.training.calibrating import fitted_calibration, fitted_line
from tft_dash.training.measuring import scores
from tft_dash.training.measuring.scores import Forecasts, interval, resamples, scores_of


def forecasts(rows: int = 4000, servers: int = 10, seed: int = 1) -> Forecasts:
    """Calibrated forecasts, the same number of rows for each server."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.4, 4.0, rows)
    return Forecasts(rng.random(rows) < chance, chance, np.arange(rows) % servers, servers)


def test_scores_are_what_their_definitions_say() -> None:
    found = forecasts()
    truth, chance = found.truth, found.chance
    counts = np.ones((1, 10))
    base = truth.mean()
    skill = 1 - np.mean((chance - truth) ** 2) / np.mean((base - truth) ** 2)
    assert scores.brier_skills(found, counts)[0] == pytest.approx(skill)
    roc, precision_recall = scores.areas(found, counts)
    assert roc[0] == pytest.approx(roc_auc_score(truth, chance), abs=1e-3)
    assert precision_recall[0] == pytest.approx(average_precision_score(truth, chance), abs=5e-3)
    place = np.minimum((chance * 20).astype(int), 19)
    error = sum(abs(chance[place == at].sum() - truth[place == at].sum()) for at in range(20)) / len(truth)
    assert scores.calibration_errors(found, counts)[0] == pytest.approx(error)


def test_a_resample_counts_a_server_as_often_as_it_is_drawn() -> None:
    found = forecasts(servers=4)
    twice = np.isin(found.server, [1, 2])
    rows = np.concatenate([np.flatnonzero(twice), np.flatnonzero(twice), np.flatnonzero(found.server == 0)])
    copied = Forecasts(found.truth[rows], found.chance[rows], found.server[rows], 4)
    for score in (scores.brier_skills, scores.calibration_errors, lambda one, counts: scores.areas(one, counts)[0]):
        weighted = score(found, np.array([[1.0, 2.0, 2.0, 0.0]]))[0]
        assert weighted == pytest.approx(score(copied, np.ones((1, 4)))[0], abs=1e-3)


def test_an_interval_holds_the_estimate_and_is_the_same_every_time() -> None:
    one, again = scores_of(forecasts()), scores_of(forecasts())
    assert one == again
    value, low, high = one.brier_skill
    assert value is not None
    assert low is not None
    assert high is not None
    assert low < value < high
    assert interval(np.array([np.nan, 1.0])) == (None, None, None)
    assert resamples(5, 3).sum(1).tolist() == [5.0] * 4


def test_against_itself_a_model_is_no_better() -> None:
    found = scores_of(forecasts(), forecasts())
    assert found.skill_minus_gradient_boosting == (0.0, 0.0, 0.0)


def test_reliability_bins_hold_every_row_and_say_what_happened() -> None:
    found = scores_of(forecasts(20_000)).reliability
    assert sum(part.count for part in found) == 20_000
    for part in found:
        value = part.happened[0]
        assert value is not None
        assert part.low <= part.said <= part.high
        if part.count > 500:
            assert value == pytest.approx(part.said, abs=0.05)


def test_with_nothing_that_happened_scores_are_unknown_and_not_zero() -> None:
    found = scores_of(Forecasts(np.zeros(50, bool), np.full(50, 0.1), np.arange(50) % 5, 5))
    assert found.brier_skill == (None, None, None)
    assert found.auc == (None, None, None)
    assert found.calibration_error[0] == pytest.approx(0.1)


def test_a_draw_of_servers_on_which_nothing_happened_has_no_skill_and_spoils_no_interval() -> None:
    truth, server = np.arange(60) < 10, np.arange(60) // 20
    found = Forecasts(truth, np.where(truth, 0.6, 0.1), server, 3)
    assert np.isnan(scores.brier_skills(found, np.array([[0.0, 1.0, 1.0]]))).all()
    lead = scores_of(found, Forecasts(truth, np.full(60, 0.2), server, 3)).skill_minus_gradient_boosting
    assert lead is not None
    assert lead[0] is not None
    assert lead[0] > 0
    assert np.isfinite(lead[1:]).all()


def test_a_line_is_found_that_makes_what_happened_likeliest() -> None:
    rng = np.random.default_rng(3)
    raw = rng.normal(-2.0, 1.5, 40_000)
    truth = rng.random(len(raw)) < expit(0.6 * raw - 0.8)
    found = fitted_line(expit(raw), truth)
    assert found.slope == pytest.approx(0.6, abs=0.05)
    assert found.intercept == pytest.approx(-0.8, abs=0.08)


def test_a_line_stays_near_changing_nothing_where_little_happened() -> None:
    chance = np.full(30, 0.01)
    found = fitted_line(chance, np.zeros(30, bool))
    assert 0.5 < found.slope < 2
    assert abs(found.intercept) < 2
    extreme = fitted_line(np.array([1e-7, 1.0, 1.0] * 50), np.array([True, False, False] * 50))
    assert 0.05 <= extreme.slope <= 5


def test_the_longer_horizon_is_never_likelier_missed_than_the_shorter() -> None:
    calibration = Calibration(
        fitted_on="x", horizons={"30m": Line(slope=0.5, intercept=2.0), "8h": Line(slope=1.0, intercept=-3.0)}
    )
    soon, late = calibration.apply(np.array([0.1, np.nan, 0.9]), np.array([0.2, 0.5, 0.95]))
    assert (late[[0, 2]] >= soon[[0, 2]]).all()
    assert np.isnan(soon[1])
    assert np.isnan(late[1])
    same = Calibration.identity().apply(np.array([0.3]), np.array([0.6]))
    assert same[0][0] == pytest.approx(0.3)
    assert same[1][0] == pytest.approx(0.6)


def test_a_calibration_carries_what_it_was_fitted_on() -> None:
    found = forecasts()
    made = fitted_calibration(
        found.chance, found.chance, np.stack([found.truth] * 2), fitted_on="ten servers", incidents=40
    )
    assert (made.rows, made.incidents, made.fitted_on) == (4000, 40, "ten servers")
    assert made.horizons["30m"].slope == pytest.approx(1.0, abs=0.1)
