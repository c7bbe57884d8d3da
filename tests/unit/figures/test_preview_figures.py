"""The builder's preview figures: valid, plain, bounded, for any drill."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tft_dash.figures.preview import FIGURES, metrics
from tft_dash.figures.preview.span import POINTS
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.previews import Preview, make_preview
from tft_dash.scenarios.document import parse_document
from tft_dash.scenarios.library import load_scenario
from tft_dash.theme import DARK, LIGHT, Theme


def drill(**spec: Any) -> Preview:
    document = {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": "test"},
        "spec": {"clock": {"duration": "5m"}, "fleet": {"profiles": [{"name": "web", "count": 3}]}, **spec},
    }
    return make_preview(parse_document(document, "test"), ThresholdModel())


PREVIEWS = {
    "cascade": make_preview(load_scenario("cascade"), ThresholdModel()),
    "nothing wrong": drill(),
    "one tick": drill(clock={"duration": "5s", "tick": "5s"}),
    "everyone down": drill(faults=[{"id": "down", "what": "crash", "whom": {"profile": "web"}}]),
    "many": drill(
        clock={"duration": "2d", "tick": "1m"},
        fleet={"profiles": [{"name": "web", "count": 300}]},
        faults=[{"id": f"f{number}", "what": "cpu", "whom": {"share": 0.2}} for number in range(20)],
    ),
}

each_figure = pytest.mark.parametrize("name", FIGURES)


@each_figure
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("preview", PREVIEWS.values(), ids=PREVIEWS)
def test_a_figure_is_valid_and_plain(name: str, preview: Preview, theme: Theme) -> None:
    figure = FIGURES[name](preview, theme)
    go.Figure(figure)
    assert "NaN" not in json.dumps(figure)


@each_figure
def test_a_figure_is_bounded_for_a_large_drill(name: str) -> None:
    data = FIGURES[name](PREVIEWS["many"], LIGHT)["data"]
    assert max(len(trace["y"]) for trace in data) <= POINTS
    assert len(data) <= metrics.ROWS * (metrics.LINES + 1)


def test_no_peak_is_lost_where_ticks_share_a_point() -> None:
    preview = PREVIEWS["many"]
    drawn = FIGURES["builder-outlook"](preview, LIGHT)["data"][1]["y"]
    assert max(value for value in drawn if value is not None) == pytest.approx(np.nanmax(preview.prob_30m), abs=1e-4)


def test_the_metrics_that_a_fault_touches_are_shown() -> None:
    preview = drill(faults=[{"id": "net", "what": "network", "whom": {"profile": "web", "first": 1}}])
    assert {"net_in_mb_s", "net_out_mb_s"} <= set(metrics.shown_metrics(preview))
    names = [trace["name"] for trace in FIGURES["builder-metrics"](preview, LIGHT)["data"]]
    assert names.count("web-001") == metrics.ROWS
    assert "web-002" not in names


def test_a_lag_moves_a_faults_intensity() -> None:
    fault = {"id": "late", "what": "cpu", "whom": {"profile": "web"}, "lag": "1m"}
    phases, late = (trace["y"] for trace in FIGURES["builder-intensity"](drill(faults=[fault]), LIGHT)["data"])
    assert late[12:] == phases[:-12]
    assert late != phases


def test_a_phases_name_is_never_read_as_markup() -> None:
    phases = [{"name": "<b>x</b>", "from": 0, "to": "5m", "intensity": 1}]
    drawn = json.dumps(FIGURES["builder-intensity"](drill(phases=phases), LIGHT))
    assert "<b>" not in drawn
    assert "&lt;b&gt;" in drawn
