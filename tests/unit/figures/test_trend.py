"""The trend: the whole recording's axis, the past only, phases in time, no peak lost in buckets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.frames import describe, frame_at, live, silent
from support.patching import applied

from tft_dash.figures import trend
from tft_dash.frame import Frame, SourceDescription, TrackRecord
from tft_dash.theme import LIGHT

START_MS = 1_704_067_200_000


def lines(frame: Frame) -> dict[str, list[float | None]]:
    data = trend.figure(frame, LIGHT)["data"]
    return {trace["name"]: trace["y"] for trace in data if trace["mode"] == "lines"}


def test_the_lines_show_the_history_up_to_the_frame_and_nothing_after() -> None:
    frame = frame_at(20)
    drawn = lines(frame)
    assert drawn["within 30 min"] == pytest.approx(frame.history.prob_30m.tolist(), abs=1e-4)
    assert drawn["within 8 h"] == pytest.approx(frame.history.prob_8h.tolist(), abs=1e-4)


def test_the_time_axis_spans_the_recording_at_every_tick() -> None:
    ranges = [trend.figure(frame_at(tick), LIGHT)["layout"]["xaxis"]["range"] for tick in (0, 30, 59)]
    assert ranges == [[START_MS, START_MS + 295_000]] * 3


def test_values_stand_at_their_ticks_times() -> None:
    line = trend.figure(frame_at(20), LIGHT)["data"][0]
    assert (line["x0"], line["dx"]) == (START_MS, 5000)


def test_the_two_lines_differ_without_colour() -> None:
    long, short = trend.figure(frame_at(20), LIGHT)["data"][:2]
    assert (long["line"]["width"], long["line"].get("dash")) != (short["line"]["width"], short["line"].get("dash"))


def test_the_lines_have_the_colours_of_the_contract() -> None:
    long, short = trend.figure(frame_at(20), LIGHT)["data"][:2]
    assert (long["line"]["color"], short["line"]["color"]) == (LIGHT.prob_8h, LIGHT.prob_30m)


def test_a_missing_value_is_a_gap() -> None:
    frame = frame_at(4)
    series = frame.history.prob_30m.copy()
    series[2] = np.nan
    drawn = lines(replace(frame, history=replace(frame.history, prob_30m=series)))["within 30 min"]
    assert [value is None for value in drawn] == [False, False, True, False, False]


def test_the_boundaries_of_the_phases_are_lines_with_names() -> None:
    figure = trend.figure(frame_at(20), LIGHT)
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [START_MS + tick * 5000 for tick in (18, 30, 42)]
    named = {name: at for trace in figure["data"][4:] for name, at in zip(trace["text"], trace["x"], strict=True)}
    assert named == {
        " stable": START_MS,
        " escalation": START_MS + 90_000,
        " peak": START_MS + 150_000,
        " recovery": START_MS + 210_000,
    }


def test_buckets_keep_the_highest_value_and_are_named() -> None:
    frame = frame_at(4000, describe(1, 5631))
    series = np.zeros(4001, np.float32)
    series[1234] = 0.93
    figure = trend.figure(replace(frame, history=replace(frame.history, prob_30m=series)), LIGHT)
    line = figure["data"][1]
    assert len(line["y"]) == 1334
    assert line["dx"] == 15_000
    assert [place for place, value in enumerate(line["y"]) if value] == [1234 // 3]
    assert "highest of 3 ticks" in figure["layout"]["annotations"][0]["text"]


def test_the_labels_at_the_ends_never_cover_each_other() -> None:
    frame = frame_at(3)
    for short, long in ((0.5, 0.5), (0.0, 0.01), (0.99, 1.0)):
        past = replace(frame.history, prob_30m=np.full(4, short, np.float32), prob_8h=np.full(4, long, np.float32))
        upper, lower = trend.figure(replace(frame, history=past), LIGHT)["data"][3]["y"]
        assert upper - lower >= 0.0999
        assert lower >= 0
        assert upper <= 1


def test_a_patch_appends_exactly_the_missing_ticks() -> None:
    change = trend.patch(frame_at(24), 20)
    assert change is not None
    extended = [step for step in change.to_plotly_json()["operations"] if step["operation"] == "Extend"]
    assert [len(step["params"]["value"]) for step in extended] == [4, 4]


def live_at(tick: int, window: int = 100) -> Frame:
    return live(frame_at(tick, describe(1, tick + 1)), window=window)


@pytest.mark.parametrize(
    ("before", "after"),
    [(20, 21), (98, 99), (99, 100), (150, 151), (90, 120), (150, 190), (150, 240), (150, 400), (300, 5), (300, 300)],
)
def test_a_patched_window_of_a_live_source_is_the_later_window(before: int, after: int) -> None:
    change = trend.patch(live_at(after), before)
    assert change is not None
    whole = trend.figure(live_at(after), LIGHT)
    assert applied(trend.figure(live_at(before), LIGHT), change)["data"] == whole["data"]
    assert {step["location"][0] for step in change.to_plotly_json()["operations"]} == {"data"}


def test_a_tick_of_a_live_source_sends_one_value_of_each_line() -> None:
    change = trend.patch(live_at(151), 150)
    assert change is not None
    steps = change.to_plotly_json()["operations"]
    assert sorted(len(step["params"]["value"]) for step in steps if step["operation"] == "Extend") == [1, 1]
    assert sum(step["operation"] == "Delete" for step in steps) == 2


def test_the_axis_of_a_live_source_follows_its_window() -> None:
    frame = live_at(150)
    figure = trend.figure(frame, LIGHT)
    assert figure["layout"]["xaxis"]["autorange"] is True
    assert "range" not in figure["layout"]["xaxis"]
    assert figure["data"][0]["x0"] == START_MS + 51 * 5000
    assert len(figure["data"][0]["y"]) == 100
    assert figure["data"][2]["x"][0] == START_MS + 150 * 5000


def test_what_was_thinned_out_is_told() -> None:
    frame = live_at(150)
    assert trend.figure(frame, LIGHT)["layout"]["annotations"][0]["text"] == "UTC"
    thinned = replace(frame, history=replace(frame.history, thinned_before=120))
    assert "before 2024-01-01 00:10 each step" in trend.figure(thinned, LIGHT)["layout"]["annotations"][0]["text"]


RECORD = TrackRecord(
    {
        "30m": ((0.0, 0.3, ", rarely"), (0.3, 0.6, ", often")),
        "8h": ((0.0, 0.5, ", half"), (0.5, 1.0, ", mostly")),
    }
)
"""Of 30 minutes, what lies from 0.6 on has none."""


def recorded(tick: int, source: SourceDescription | None = None) -> Frame:
    return replace(frame_at(tick, source), record=RECORD)


def test_the_hover_tells_what_became_of_such_a_probability() -> None:
    late, soon = trend.figure(recorded(40), LIGHT)["data"][:2]
    assert late["hovertemplate"] == soon["hovertemplate"] == "%{y:.1%}%{text}"
    for value, words in zip(soon["y"], soon["text"], strict=True):
        assert words == (", rarely" if value < 0.3 else ", often" if value < 0.6 else "")
    for value, words in zip(late["y"], late["text"], strict=True):
        assert words == (", half" if value < 0.5 else ", mostly")


def test_a_missing_probability_has_no_record() -> None:
    assert set(trend.figure(replace(silent(frame_at(9)), record=RECORD), LIGHT)["data"][0]["text"]) == {""}
    assert RECORD.told("8h", np.array([1.0, 0.5, np.nan])) == [", mostly", ", mostly", ""]


def test_without_a_record_the_hover_is_as_it_was() -> None:
    line = trend.figure(frame_at(40), LIGHT)["data"][0]
    assert "text" not in line
    assert line["hovertemplate"] == "%{y:.1%}"


@pytest.mark.parametrize(
    ("before", "after", "source"),
    [(20, 21, None), (58, 3, None), (3000, 3001, describe(3, 5631)), (17, 5000, describe(3, 5631))],
)
def test_a_patched_record_is_the_later_record(before: int, after: int, source: SourceDescription | None) -> None:
    change = trend.patch(recorded(after, source), before)
    assert change is not None
    whole = trend.figure(recorded(after, source), LIGHT)
    assert applied(trend.figure(recorded(before, source), LIGHT), change) == whole
