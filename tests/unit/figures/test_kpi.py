"""The tiles: what they say, and that they never say zero for what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.frames import describe, frame_at, live, silent, with_risks

from tft_dash import ids
from tft_dash.figures import kpi
from tft_dash.frame import Frame
from tft_dash.schema import OFFLINE


def with_prob_30m(frame: Frame, *values: float) -> Frame:
    series = np.array(values, np.float32)
    past = replace(frame.history, prob_30m=series)
    return replace(frame, tick=len(values) - 1, history=past)


def said(frame: Frame, tile: str) -> object:
    return kpi.texts(frame)[tile, "children"]


def test_texts_are_given_for_exactly_the_targets() -> None:
    assert tuple(kpi.texts(frame_at(5))) == kpi.TARGETS


def test_every_target_is_in_the_layout() -> None:
    layout = kpi.layout()
    for component, _ in kpi.TARGETS:
        assert layout.id == component or layout[component] is not None


@pytest.mark.parametrize(
    ("probability", "word", "band"),
    [(0.1, "GREEN", "green"), (0.5, "YELLOW", "yellow"), (0.9, "RED", "red"), (np.nan, "UNKNOWN", "unknown")],
)
def test_health_is_told_by_word_and_class(probability: float, word: str, band: str) -> None:
    texts = kpi.texts(with_prob_30m(frame_at(0), probability))
    assert texts[ids.KPI_HEALTH_WORD, "children"] == word
    assert f"band-{band}" in texts[ids.KPI_HEALTH, "className"].split()


def test_what_is_missing_is_a_dash_and_words() -> None:
    frame = silent(frame_at(10))
    assert said(frame, ids.KPI_PROB_30M) == said(frame, ids.KPI_PROB_8H) == "—"
    assert said(frame, ids.KPI_PROB_30M_NOTE) == "not enough data"
    assert said(frame, ids.KPI_SERVERS) == "0 / 10"
    assert said(frame, ids.KPI_SERVERS_NOTE) == "no risk known, 10 not reporting"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ((0.10, 0.45), "up 35 points in 5 s"),
        ((0.45, 0.10), "down 35 points in 5 s"),
        ((0.301, 0.302), "steady over 5 s"),
        ((0.30,), "no earlier value"),
        ((np.nan, 0.3), "no earlier value"),
        ((0.3, np.nan), "not enough data"),
        ((0.9, *[0.1] * 13), "steady over 60 s"),
    ],
)
def test_a_probability_says_how_it_moved(values: tuple[float, ...], note: str) -> None:
    assert said(with_prob_30m(frame_at(0), *values), ids.KPI_PROB_30M_NOTE) == note


@pytest.mark.parametrize(("value", "text"), [(0.001, "<1%"), (0.999, ">99%"), (0.426, "43%")])
def test_a_probability_is_never_called_impossible_or_certain(value: float, text: str) -> None:
    assert said(with_prob_30m(frame_at(0), value), ids.KPI_PROB_30M) == text


def test_servers_at_severe_risk_and_offline_ones_are_counted() -> None:
    frame = with_risks(frame_at(5, describe(4)), [0.71, 0.7, 0.9, np.nan])
    frame = replace(frame, states=np.array([0, 1, 2, OFFLINE], np.int8))
    assert said(frame, ids.KPI_SERVERS) == "3 / 4"
    assert said(frame, ids.KPI_SERVERS_NOTE) == "2 at severe risk, 1 not reporting"


def test_the_phase_says_which_one_of_how_many() -> None:
    assert said(frame_at(30), ids.KPI_PHASE) == "peak"
    assert said(frame_at(30), ids.KPI_PHASE_NOTE) == "3 of 4"


def test_a_source_without_a_script_says_so() -> None:
    frame = frame_at(3, describe(2, phases=()))
    assert said(frame, ids.KPI_PHASE) == "—"
    assert said(frame, ids.KPI_PHASE_NOTE) == "no script in this data"


def test_progress_runs_from_zero_to_one_hundred_percent() -> None:
    assert said(frame_at(0), ids.KPI_PROGRESS) == "0%"
    assert said(frame_at(59), ids.KPI_PROGRESS) == "100%"
    assert said(frame_at(19), ids.KPI_PROGRESS_NOTE) == "1:35 of 4:55"


def test_a_live_source_has_no_progress_but_the_time_of_its_data_and_when_it_was_judged() -> None:
    frame = live(frame_at(70, describe(2, 71, growing=True)), issued_after=7.0)
    assert said(frame, ids.KPI_PROGRESS_LABEL) == "Data of (UTC)"
    assert said(frame, ids.KPI_PROGRESS) == "00:05:50"
    assert said(frame, ids.KPI_PROGRESS_NOTE) == "2024-01-01, judged 7 s later"
    assert said(live(frame, issued_after=7200.0), ids.KPI_PROGRESS_NOTE) == "2024-01-01, back-filled 2 h later"


def test_a_probability_says_of_how_many_servers_it_speaks() -> None:
    frame = frame_at(30)
    assert "servers" not in said(frame, ids.KPI_PROB_30M_NOTE)
    one_less = {name: np.where(np.arange(10) == 3, np.nan, values) for name, values in frame.metrics.items()}
    assert said(replace(frame, metrics=one_less), ids.KPI_PROB_30M_NOTE).endswith(" · 9/10 servers")
