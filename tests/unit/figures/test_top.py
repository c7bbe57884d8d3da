"""Top 5: ranked rows of fixed place, in words as well as in colour."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.frames import describe, frame_at, with_risks

from tft_dash.figures import top
from tft_dash.theme import LIGHT

TRACK, NAMES, VALUES, NOTES, ROWS, FIRST_BAND = range(6)


def drawn(risks: list[float]) -> list[dict[str, Any]]:
    return top.figure(with_risks(frame_at(3, describe(len(risks))), risks), LIGHT)["data"]


def bars_of(traces: list[dict[str, Any]]) -> list[tuple[float, str] | None]:
    """Length and colour of each row's bar."""
    bands = traces[FIRST_BAND:]
    rows = [
        [(trace["x"][row], trace["marker"]["color"]) for trace in bands if trace["x"][row] is not None]
        for row in range(5)
    ]
    assert all(len(found) <= 1 for found in rows)
    return [found[0] if found else None for found in rows]


def test_the_five_highest_risks_are_ranked() -> None:
    traces = drawn([0.1, 0.9, 0.3, 0.8, 0.05, 0.31, 0.7])
    assert traces[ROWS]["customdata"] == [1, 3, 6, 5, 2]
    assert [bar and bar[0] for bar in bars_of(traces)] == [0.9, 0.8, 0.7, 0.31, 0.3]
    assert traces[NAMES]["text"][0] == "<b>web-002</b>"


def test_servers_without_a_risk_are_left_out_and_the_rows_stay() -> None:
    traces = drawn([math.nan, 0.4, math.nan])
    assert [bar and bar[0] for bar in bars_of(traces)] == [0.4, None, None, None, None]
    assert traces[ROWS]["customdata"] == [1, None, None, None, None]
    assert traces[TRACK]["x"] == [1, 1, 1, 1, 1]


def test_a_fleet_without_any_risk_says_so() -> None:
    assert drawn([math.nan, math.nan])[NAMES]["text"][0] == "No server has a risk at this tick."


@pytest.mark.parametrize(
    ("risk", "word", "colour"),
    [(0.19, "normal", "green"), (0.21, "elevated", "yellow"), (0.41, "high", "orange"), (0.71, "severe", "red")],
)
def test_a_bar_has_its_bands_word_and_colour(risk: float, word: str, colour: str) -> None:
    traces = drawn([risk])
    assert bars_of(traces)[0] == (risk, LIGHT.band_fill[colour])
    assert traces[VALUES]["text"][0] == f"{word}  <b>{risk:.0%}</b>"


def test_profile_state_and_drivers_are_written() -> None:
    traces = drawn([0.5])
    frame = frame_at(3, describe(1))
    words = frame.drivers(0)[0].words
    assert traces[NOTES]["text"][0].startswith("web · ")
    assert words in traces[NOTES]["text"][0]
    assert words in traces[ROWS]["hovertext"][0]


def test_a_whole_row_can_be_chosen() -> None:
    rows = drawn([0.5, 0.6])[ROWS]
    assert rows["width"] == 1
    assert rows["x"][:2] == [1, 1]
    assert rows["customdata"][:2] == [1, 0]
