"""The sums over sliding windows, and the judgement with hysteresis; arrays made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tft_dash.watching.sums import (
    NOTHING_JUDGED,
    SPAN_SECONDS,
    ChanceFigures,
    JudgedBands,
    JudgedChances,
    WindowFigures,
    sliding,
)
from tft_dash.watching.verdict import BEGIN, END, judged, verdicts

HOURS = np.arange(96) * 3600.0


def bands(share: float) -> JudgedBands:
    """One forecast an hour with a hundred values, of which so many lie within."""
    return JudgedBands(HOURS, {"cpu_pct": np.full(96, 100 * share)}, {"cpu_pct": np.full(96, 100.0)})


def chances(said: float, every: int) -> JudgedChances:
    happened = np.arange(96) % every == 0
    return JudgedChances(HOURS, np.full(96, said), happened)


def window(coverage: float, forecasts: int = 500, chance: ChanceFigures = NOTHING_JUDGED) -> WindowFigures:
    return WindowFigures(1000.0, forecasts, {"cpu_pct": (coverage, 20_000)}, {"30m": chance, "8h": NOTHING_JUDGED})


def chance_of(announced: float, incidents: float) -> ChanceFigures:
    return ChanceFigures(9000, announced / 1500, incidents / 1500, 0.01, 0.01, 0.1, announced, incidents)


def test_a_window_holds_what_was_judged_within_it_and_nothing_later() -> None:
    found = sliding(bands(0.8), {"30m": chances(0.25, 4)}, seconds=96 * 3600.0, window_seconds=86_400.0)
    assert len(found) == 16
    assert [one.forecasts for one in found[:5]] == [6, 12, 18, 24, 24]
    assert found[0].end_seconds == SPAN_SECONDS
    assert found[-1].coverage["cpu_pct"] == (pytest.approx(0.8), 2400)
    told = found[-1].chances["30m"]
    assert (told.rows, told.said, told.happened) == (24, pytest.approx(0.25), pytest.approx(0.25))
    assert told.calibration_error == pytest.approx(0.0, abs=1e-9)
    assert told.brier == pytest.approx(0.25 * 0.75)
    assert told.brier_skill == pytest.approx(0.0, abs=1e-9)
    assert (told.announced, told.incidents) == (pytest.approx(1.0), pytest.approx(1.0))
    later = replace(bands(0.8), inside={"cpu_pct": np.where(HOURS > 50 * 3600, 0.0, 80.0)})
    cut = sliding(later, {}, seconds=96 * 3600.0, window_seconds=86_400.0)
    assert [one.coverage["cpu_pct"] for one in cut[:8]] == [one.coverage["cpu_pct"] for one in found[:8]]


def test_where_nothing_was_judged_nothing_is_said() -> None:
    none = JudgedChances(np.zeros(0), np.zeros(0), np.zeros(0, bool))
    empty = JudgedBands(np.zeros(0), {"cpu_pct": np.zeros(0)}, {"cpu_pct": np.zeros(0)})
    (found,) = sliding(empty, {"8h": none}, seconds=SPAN_SECONDS, window_seconds=86_400.0)
    assert np.isnan(found.coverage["cpu_pct"][0])
    assert found.chances["8h"] == NOTHING_JUDGED
    assert judged(found, None, 1).state == "unknown"
    assert sliding(empty, {"8h": none}, seconds=100.0, window_seconds=86_400.0) == ()


def test_it_takes_more_to_begin_than_to_go_on_and_evidence_to_end() -> None:
    between = (BEGIN.low + END.low) / 2
    shares = [0.8, between, BEGIN.low - 0.01, between, between, 0.8]
    found = verdicts([replace(window(share), end_seconds=float(at)) for at, share in enumerate(shares)], 100)
    assert [one.state for one in found] == ["fine", "fine", "drifting", "drifting", "drifting", "fine"]
    assert [one.since_seconds for one in found] == [0.0, 0.0, 2.0, 2.0, 2.0, 5.0]
    starved = judged(window(0.8, forecasts=3), found[3], 100)
    assert starved.state == "drifting"
    assert "Too little evidence: 3 forecasts" in starved.reasons[0]
    assert judged(window(0.3, forecasts=3), None, 100).state == "unknown"


@pytest.mark.parametrize(
    ("announced", "incidents", "words"),
    [
        (10.0, 40.0, "too low"), (60.0, 12.0, "too high"), (20.0, 31.0, None), (3.0, 4.9, None), (0.5, 4.0, None),
        (100.0, 140.0, None),
    ],
)  # fmt: skip
def test_probabilities_drift_by_more_than_chance_in_clustered_incidents(
    announced: float, incidents: float, words: str | None
) -> None:
    found = judged(window(0.8, chance=chance_of(announced, incidents)), None, 100)
    assert found.state == ("fine" if words is None else "drifting")
    if words is not None:
        assert words in found.reasons[0]
        assert "Within 30 minutes" in found.reasons[0]


def test_a_band_that_is_too_wide_drifts_as_well_and_a_rare_metric_is_not_judged() -> None:
    wide = judged(window(0.99), None, 100)
    assert "too wide" in wide.reasons[0]
    rare = replace(window(0.8), coverage={"cpu_pct": (0.8, 20_000), "latency_ms": (0.1, 40)})
    assert judged(rare, None, 100).state == "fine"
