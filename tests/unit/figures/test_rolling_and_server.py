"""The rows of lines: one fixed axis "ago", thresholds of the one table, words for what is not recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.frames import describe, frame_at, silent, trace_of, with_risks

from tft_dash.figures import rolling, server
from tft_dash.figures.ago import AgoAxis
from tft_dash.figures.lines import in_words
from tft_dash.schema import THRESHOLDS
from tft_dash.theme import LIGHT


def annotations(figure: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [each["text"] for each in figure["layout"]["annotations"]]


def test_the_window_is_the_last_sixty_ticks_ending_now() -> None:
    frame = frame_at(100, describe(ticks=300))
    cpu, _, latency, _, errors = rolling.figure(frame, LIGHT)["data"][:5]
    assert cpu["y"] == pytest.approx(frame.history.cpu_median[-60:].tolist(), abs=0.01)
    assert latency["y"] == pytest.approx(frame.history.latency_p95[-60:].tolist(), abs=0.1)
    assert errors["y"] == pytest.approx(frame.history.error_mean[-60:].tolist(), abs=0.001)


def test_before_the_first_tick_there_is_nothing() -> None:
    line = rolling.figure(frame_at(2), LIGHT)["data"][0]
    assert line["y"][:57] == [None] * 57
    assert None not in line["y"][57:]


def test_the_axis_is_the_same_at_every_tick() -> None:
    early, late = (rolling.figure(frame_at(tick), LIGHT)["layout"]["xaxis"] for tick in (0, 59))
    assert early == late


@pytest.mark.parametrize(
    ("step", "unit", "words"),
    [
        (1.0, "s", "−10 s"),
        (5.0, "min", "−1 min"),
        (60.0, "min", "−10 min"),
        (300.0, "h", "−1 h"),
        (86400.0, "d", "−10 d"),
    ],
)
def test_the_axis_is_in_the_unit_that_reads_best(step: float, unit: str, words: str) -> None:
    axis = AgoAxis(60, step)
    drawn = axis.axis(LIGHT)
    assert axis.unit[0] == unit
    assert drawn["ticktext"][-2:] == [words, "now"]
    assert 3 <= len(drawn["ticktext"]) <= 8


def test_every_row_has_its_warning_and_critical_line() -> None:
    data = rolling.figure(frame_at(30), LIGHT)["data"]
    heights = [(trace["yaxis"], trace["y"]) for trace in data[6:]]
    wanted = [
        (axis, [height, height])
        for axis, metric in (("y", "cpu_pct"), ("y2", "latency_ms"), ("y3", "error_rate"))
        for height in (THRESHOLDS[metric].warning, THRESHOLDS[metric].critical)
    ]
    assert heights == wanted


def test_a_metric_that_the_source_lacks_is_said_to_be_missing() -> None:
    figure = rolling.figure(frame_at(30, describe(2, metrics=("cpu_pct",))), LIGHT)
    assert annotations(figure).count("not recorded by this source") == 2
    assert figure["data"][2]["y"] == []


def test_a_value_that_is_missing_now_is_said_in_words() -> None:
    texts = [trace["text"] for trace in rolling.figure(silent(frame_at(30)), LIGHT)["data"] if "text" in trace]
    assert texts == [[" no value"]] * 3


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("cpu_pct", 45.25, "45.2%"),
        ("latency_ms", 1250, "1,250 ms"),
        ("error_rate", 0.004, "0.4%"),
        ("risk", 0.87, "87%"),
    ],
)
def test_values_carry_their_unit(metric: str, value: float, words: str) -> None:
    assert in_words(metric, value) == words


def test_a_server_shows_its_risk_and_every_recorded_metric() -> None:
    frame = frame_at(30, describe(3, metrics=("mem_pct", "gc_pause_ms")))
    trace = trace_of(frame, 1)
    figure = server.figure(frame, trace, LIGHT)
    assert [text for text in annotations(figure) if "warning" not in text] == ["Risk", "Memory", "GC pause"]
    assert figure["data"][0]["y"][-1] == pytest.approx(float(trace.risk[-1]), abs=1e-3)
    assert figure["data"][2]["y"][-1] == pytest.approx(float(trace.metrics["mem_pct"][-1]), abs=0.01)


def test_a_servers_panel_says_why() -> None:
    frame = with_risks(frame_at(30, describe(2)), [0.9, np.nan])
    quiet = replace(frame, driver_metric=np.full((2, 2), -1, np.int8))
    assert [item.children for item in server.drivers(frame, 0)] == [driver.words for driver in frame.drivers(0)]
    assert [item.children for item in server.drivers(quiet, 0)] == ["Nothing unusual."]
    assert server.facts(frame, 0)[1].children == "risk 90%, severe"
    assert server.facts(frame, 1)[1].children == "no risk can be given"
