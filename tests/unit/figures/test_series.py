"""One server's course: every tick while that can be drawn, spans of time beyond, and nothing made up in a gap."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from tft_dash.figures import series
from tft_dash.figures.series import Course, spans_of
from tft_dash.theme import DARK, LIGHT

START = np.datetime64("2026-01-01T00:00:00", "ms")


def course(ticks: int, **metrics: object) -> Course:
    values = {name: np.asarray(given, np.float32) for name, given in metrics.items()}
    return Course("web-001", START, 60.0, values or {"cpu_pct": np.arange(ticks, dtype=np.float32)})


def test_a_short_recording_is_drawn_tick_by_tick() -> None:
    found = series.figure(course(5), LIGHT)
    assert len(found["data"]) == 1
    assert found["data"][0]["y"] == [0, 1, 2, 3, 4]
    assert found["data"][0]["customdata"] == [0, 1, 2, 3, 4]
    assert found["data"][0]["x"][1] == "2026-01-01T00:01:00.000"


def test_a_long_recording_keeps_its_spikes() -> None:
    values = np.zeros(6000, np.float32)
    values[3456] = 99.0
    found = series.figure(course(0, cpu_pct=values), LIGHT)
    low, high, mean = (trace["y"] for trace in found["data"])
    assert len(mean) == series.BUCKETS
    assert max(high) == 99.0
    assert max(low) == 0.0
    assert high.index(99.0) == 345
    assert found["data"][0]["customdata"][345] == 3450
    assert max(mean) == 9.9


def test_a_span_without_values_is_a_gap_and_one_with_some_counts_those() -> None:
    spans = spans_of(np.array([1, np.nan, 3, np.nan, np.nan, np.nan, 8], np.float32), 3)
    assert spans.mean.tolist()[0] == 2.0
    assert np.isnan([spans.low[1], spans.mean[1], spans.high[1]]).all()
    assert [spans.low[2], spans.mean[2], spans.high[2]] == [8.0, 8.0, 8.0]


def test_missing_values_are_gaps_of_the_line() -> None:
    found = series.figure(course(0, cpu_pct=[1, np.nan, 3], mem_pct=[np.nan] * 3), DARK)
    assert found["data"][0]["y"] == [1, None, 3]
    assert found["data"][1]["y"] == [None, None, None]
    go.Figure(found)


def test_the_instant_that_was_picked_is_marked_and_said() -> None:
    found = series.figure(course(5), LIGHT, tick=3)
    assert found["layout"]["shapes"][0]["x0"] == "2026-01-01T00:03:00.000"
    assert series.words(course(5), 3) == "web-001 at 2026-01-01 00:03:00 UTC: every tick."
    assert series.figure(course(5), LIGHT)["layout"]["shapes"] == []


def test_plotly_takes_every_size() -> None:
    for ticks in (1, 600, 601):
        go.Figure(series.figure(course(ticks), LIGHT))
