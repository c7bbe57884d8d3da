"""The heat map: every server in its own place, the contract's colours, and more than colour."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np
import pytest
from support.frames import describe, frame_at, with_risks

from tft_dash.figures import heatmap
from tft_dash.figures.plot import labels
from tft_dash.theme import DARK, LIGHT, Theme

CELLS, RISKS, LABELS, YELLOW, RED = range(5)


def drawn(risks: list[float], theme: Theme = LIGHT) -> list[dict[str, Any]]:
    return heatmap.figure(with_risks(frame_at(3, describe(len(risks))), risks), theme)["data"]


def cells(rows: list[list[Any]]) -> list[Any]:
    return list(chain.from_iterable(rows))


def colour_at(trace: dict[str, Any], z: float) -> str:
    """The colour that Plotly gives a value: the scale's steps are flat."""
    scale = trace["colorscale"]
    share = (z - trace["zmin"]) / (trace["zmax"] - trace["zmin"])
    return next(colour for place, colour in scale[1::2] if share <= place)


@pytest.mark.parametrize("count", [1, 2, 7, 10, 46, 60, 61, 250, 1000, 1009])
def test_every_server_has_one_cell_in_fleet_order(count: int) -> None:
    trace = drawn([0.5] * count)[RISKS]
    assert [server for server in cells(trace["customdata"]) if server is not None] == list(range(count))
    assert len({len(row) for row in trace["z"]}) == 1


def test_a_cell_holds_the_risk_in_whole_percent() -> None:
    assert cells(drawn([0.004, 0.126, 0.5, 0.995])[RISKS]["z"]) == [0, 13, 50, 100]


def test_a_server_without_a_risk_stays_a_cell_that_can_be_chosen() -> None:
    traces = drawn([0.1, math.nan, 0.2])
    assert cells(traces[RISKS]["z"]) == [10, None, 20]
    assert cells(traces[CELLS]["z"]) == [0, 0, 0]
    assert cells(traces[CELLS]["customdata"]) == [0, 1, 2]
    assert traces[CELLS]["colorscale"][0][1] == LIGHT.missing
    assert traces[LABELS]["text"][1].startswith("no risk")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_colour_steps_lie_on_the_contracts_bounds(theme: Theme) -> None:
    trace = drawn([0.1], theme)[RISKS]
    green, yellow, red = set(theme.heat[:3]), set(theme.heat[3:7]), set(theme.heat[7:])
    assert {colour_at(trace, z) for z in range(31)} == green
    assert {colour_at(trace, z) for z in range(31, 71)} == yellow
    assert {colour_at(trace, z) for z in range(71, 101)} == red


def test_a_small_fleet_has_names_and_values_written_on() -> None:
    text = drawn([0.12, 0.87])[LABELS]["text"]
    assert "12%" in text[0]
    assert text[0].endswith("web-001")
    assert "87%" in text[1]


def test_a_large_fleet_has_no_text_but_symbols_on_raised_cells() -> None:
    risks = [0.1] * 200
    risks[7], risks[150] = 0.5, 0.9
    traces = drawn(risks)
    columns = len(traces[RISKS]["z"][0])
    assert traces[LABELS]["text"] == []
    assert (traces[YELLOW]["x"], traces[YELLOW]["y"]) == ([7 % columns], [7 // columns])
    assert (traces[RED]["x"], traces[RED]["y"]) == ([150 % columns], [150 // columns])
    assert traces[YELLOW]["marker"]["symbol"] != traces[RED]["marker"]["symbol"]


def test_symbols_are_capped_and_go_to_the_highest_risks() -> None:
    risks = np.linspace(0.35, 0.99, 1000).tolist()
    traces = drawn(risks)
    assert len(traces[YELLOW]["x"]) + len(traces[RED]["x"]) == heatmap.SYMBOLS
    assert traces[YELLOW]["x"] == []


def test_places_do_not_move_with_the_risks() -> None:
    one, other = drawn([0.1] * 30), drawn([0.9] * 30)
    assert one[RISKS]["customdata"] == other[RISKS]["customdata"]
    assert (one[LABELS]["x"], one[LABELS]["y"]) == (other[LABELS]["x"], other[LABELS]["y"])


def test_long_names_are_cut_where_they_stay_apart() -> None:
    pods = [
        f"ts-{kind}-service-{kind[::-1]}12345" for kind in ("admin-basic-info", "preserve-other", "route-plan", "user")
    ]
    assert labels(pods, 12) == ["ts-admin-ba…", "ts-preserve…", "ts-route-pl…", "ts-user-ser…"]
    numbered = [f"production-web-{place}" for place in range(3)]
    assert labels(numbered, 12) == ["produ…web-0", "produ…web-1", "produ…web-2"]


def test_names_that_do_not_fit_a_phone_are_marked_for_the_style_sheet() -> None:
    assert drawn([0.1] * 5)[LABELS]["uid"] == "labels-fit"
    assert drawn([0.1] * 46)[LABELS]["uid"] == "labels-wide"
