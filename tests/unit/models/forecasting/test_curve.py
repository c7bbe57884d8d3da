"""The curve of the chance runs through what is stated, never falls, and is the network's own where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from support.forecasts import forecast_at, unknown_forecast

from tft_dash.frame import Crossing
from tft_dash.models.forecasting.calibration import Calibration, Line
from tft_dash.models.forecasting.curve import MINUTES, crossings_of, restated, stated_curve
from tft_dash.models.forecasting.layout import LATE, NODES, SOON

RAW = 1.0 - np.exp(-np.array(NODES) / 60.0)


@pytest.mark.parametrize("soon", [Line(), Line(slope=0.5, intercept=-2.0), Line(slope=3.0, intercept=1.0)])
@pytest.mark.parametrize("late", [Line(), Line(slope=0.3, intercept=-3.0), Line(slope=0.0, intercept=-1.0)])
@pytest.mark.parametrize("raw", [RAW, RAW / 50, np.clip(RAW * 4, 0, 1), np.zeros(len(NODES)), np.ones(len(NODES))])
def test_the_curve_runs_through_the_stated_probabilities_and_never_falls(
    soon: Line, late: Line, raw: np.ndarray
) -> None:
    calibration = Calibration(fitted_on="a test", horizons={"30m": soon, "8h": late})
    stated = [float(np.float32(value)) for value in calibration.apply_nodes(raw)]
    curve = stated_curve(raw, *stated)
    assert (curve[SOON], curve[LATE]) == tuple(np.float32(stated))
    assert (np.diff(curve) >= 0).all()
    assert ((curve >= 0) & (curve <= 1)).all()


def test_what_is_not_restated_is_the_networks_own() -> None:
    np.testing.assert_allclose(stated_curve(RAW, RAW[SOON], RAW[LATE]), RAW, atol=1e-6)


def test_between_the_two_horizons_the_move_passes_over_with_the_logarithm_of_time() -> None:
    odds = np.log(RAW / (1 - RAW))
    late = 1 / (1 + np.exp(-(odds[LATE] - 2.0)))
    curve = stated_curve(RAW, RAW[SOON], late)
    middle = NODES.index(24)  # 30 minutes, 2 hours, 8 hours: the same factor
    assert np.log(curve[middle] / (1 - curve[middle])) == pytest.approx(odds[middle] - 1.0, abs=1e-4)
    np.testing.assert_allclose(curve[: SOON + 1], RAW[: SOON + 1], atol=1e-6)


def test_what_is_certain_now_is_certain_at_every_time_and_what_is_unknown_at_none() -> None:
    assert (stated_curve(RAW, 1.0, 1.0) == 1).all()
    assert np.isnan(stated_curve(RAW, float("nan"), float("nan"))).all()


def test_no_metric_crosses_its_line_sooner_than_the_chance_of_any_crossing_allows() -> None:
    bands = {"cpu_pct": np.full((len(NODES), 7), 50.0, np.float32), "mem_pct": np.zeros((len(NODES), 7), np.float32)}
    bands["cpu_pct"][:, 5:] = 95.0
    bands["cpu_pct"][20:, 3:] = 95.0
    curve = np.linspace(0.0, 0.6, len(NODES), dtype=np.float32)
    found = crossings_of(bands, curve)
    assert found["mem_pct"] == Crossing(None, None)
    possible, likely = (int(np.argmax(curve >= least)) for least in (0.1, 0.5))
    assert found["cpu_pct"] == Crossing(likely=float(MINUTES[likely]), possible=float(MINUTES[possible]))
    assert crossings_of(bands, curve / 10)["cpu_pct"] == Crossing(None, None)
    sure = crossings_of(bands, np.ones(len(NODES), np.float32))["cpu_pct"]
    assert sure == Crossing(likely=float(MINUTES[20]), possible=5.0)


def test_a_forecast_is_restated_with_its_curve() -> None:
    other = restated(forecast_at(), 0.1, 0.4)
    assert (other.prob_30m, other.prob_8h) == (0.1, 0.4)
    assert other.chance[SOON] == np.float32(0.1)
    assert other.chance[LATE] == np.float32(0.4)
    silent = unknown_forecast()
    assert restated(silent, 0.1, 0.4) is silent
