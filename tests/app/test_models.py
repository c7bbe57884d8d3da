"""The models' page and a server's forecast, asked by POST as a browser does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from app.test_callbacks import ask, drawn, text_of
from flask.testing import FlaskClient
from support.forecasts import ForecastServices, evidence, reliability

from tft_dash.app import create_app
from tft_dash.errors import DataError
from tft_dash.settings import load_settings
from tft_dash.theme import DARK, LIGHT

FIGURES = ("models-reliability-30m", "models-reliability-8h", "models-leads", "models-alarms")
PLACE = {"source": "early-warning", "model": "tft", "server": "web-001"}

MakeForecasting = Callable[..., FlaskClient]


@pytest.fixture
def forecasting(cache: Path, tmp_path: Path) -> Iterator[MakeForecasting]:
    """Makes a client of an app with a forecast model made by hand."""
    opened: list[ForecastServices] = []

    def make(known: Any = None, refused: str | None = None) -> FlaskClient:
        settings = load_settings({"cache": cache, "data": tmp_path / "data"}, environ={}, folder=tmp_path)
        opened.append(ForecastServices(settings, known, refused, wait_seconds=None, look_seconds=0.0))
        return create_app(opened[-1]).server.test_client()

    yield make
    for services in opened:
        services.close()


def posted(client: FlaskClient, output: str, values: dict[str, Any]) -> str:
    """The answer of the callback that has ``output``; ``values``: input → its value, the one that changed first."""
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if output in dependency["output"]:
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            inputs = [{**one, "value": values[f"{one['id']}.{one['property']}"]} for one in dependency["inputs"]]
            body = {
                "output": dependency["output"],
                "outputs": [{"id": name, "property": prop} for name, prop in names],
                "changedPropIds": [next(iter(values))],
                "inputs": inputs,
                "state": [{**one, "value": None} for one in dependency["state"]],
            }
            response = client.post("/_dash-update-component", json=body)
            assert response.status_code == 200, response.text
            return str(response.text)
    raise AssertionError(f"the app has no callback with the output {output}")


def figures(client: FlaskClient, **request: Any) -> dict[str, Any]:
    """What the page's figures are for a request: id → properties."""
    found: dict[str, Any] = json.loads(posted(client, "models-alarms.figure", {"models-request.data": request}))
    return found["response"]


def page(client: FlaskClient) -> str:
    """All words of the models' page as Dash renders it for a browser."""
    place = {"_pages_location.pathname": "/models", "_pages_location.search": ""}
    return str(json.loads(posted(client, "_pages_content.children", place)))


def test_the_page_shows_the_evidence_of_the_model_that_forecasts(forecasting: MakeForecasting) -> None:
    shown = page(forecasting(evidence()))
    assert "When it said 60–80%, it happened in 70% of 410 cases." in shown
    assert "models-reliability-8h" in shown


def test_the_figures_come_in_the_readers_theme(forecasting: MakeForecasting) -> None:
    client = forecasting(evidence())
    for theme in (LIGHT, DARK):
        found = figures(client, model="tft", theme=theme.name)
        for name in FIGURES:
            go.Figure(found[name]["figure"])
        assert found[FIGURES[0]]["figure"]["data"][2]["line"]["color"] == theme.prob_30m
        assert found["models-banner"]["children"] == []


@pytest.mark.parametrize("request_", [{}, {"model": None, "theme": 3}, {"model": "gone", "theme": "light"}])
def test_a_request_for_a_model_without_evidence_is_told(forecasting: MakeForecasting, request_: dict[str, Any]) -> None:
    found = figures(forecasting(evidence()), **request_)
    assert "no longer in use" in text_of(found["models-banner"]["children"])
    assert found[FIGURES[0]]["figure"]["data"] == []


def test_evidence_that_cannot_be_read_is_told_and_the_page_stands(forecasting: MakeForecasting) -> None:
    client = forecasting(DataError("evidence.json is cut off. Copy it again."))
    assert "evidence.json is cut off" in page(client)
    assert "Adaptive thresholds" in page(client)
    assert "evidence.json is cut off" in text_of(figures(client, model="tft")["models-banner"]["children"])


def test_a_model_that_is_refused_is_told_and_the_others_stand(forecasting: MakeForecasting) -> None:
    shown = page(forecasting(evidence(), refused="model.onnx is cut off. Copy it again."))
    assert "model.onnx is cut off" in shown
    assert "Adaptive thresholds" in shown
    assert "models-alarms" not in shown


def test_an_open_panel_of_a_forecast_model_has_its_forecast(forecasting: MakeForecasting) -> None:
    response = ask(forecasting(evidence()), tick=100, **PLACE)
    assert response["monitor-forecast"]["hidden"] is False
    go.Figure(response["monitor-forecast-figure"]["figure"])
    words = text_of(response["monitor-forecast-words"]["children"])
    assert "likely over 90% in about 35 min (median)" in words
    assert "When it said 30–40%, it happened in 35% of 310 cases." in words
    assert "no causes" in text_of(response["monitor-forecast-looked"]["children"])


def test_damaged_evidence_takes_nothing_from_the_live_monitor(forecasting: MakeForecasting) -> None:
    response = ask(forecasting(DataError("evidence.json is cut off.")), tick=100, **PLACE)
    words = text_of(response["monitor-forecast-words"]["children"])
    assert "likely over 90%" in words
    assert "When it said" not in words
    assert response["monitor-banner"]["children"] == []


def test_the_next_tick_changes_the_forecasts_data_alone(forecasting: MakeForecasting) -> None:
    client = forecasting(evidence())
    before = ask(client, tick=30, **PLACE)
    later = ask(client, tick=31, drawn=drawn(before), **PLACE)
    assert "__dash_patch_update" in later["monitor-forecast-figure"]["figure"]
    other = ask(client, tick=31, drawn=drawn(before), **{**PLACE, "server": "db-001"})
    assert "__dash_patch_update" not in other["monitor-forecast-figure"]["figure"]


def test_too_little_history_is_said_and_draws_nothing(forecasting: MakeForecasting) -> None:
    response = ask(forecasting(None), tick=3, **PLACE)
    assert "too little history" in text_of(response["monitor-forecast-words"]["children"])
    assert response["monitor-forecast-looked"]["children"] == []


def test_another_models_panel_stays_as_it_is(forecasting: MakeForecasting) -> None:
    response = ask(forecasting(evidence()), tick=36, server="db-001")
    assert response["monitor-forecast"]["hidden"] is True
    assert "monitor-forecast-figure" not in response
    assert response["monitor-server-panel"]["hidden"] is False


def test_a_closed_panel_asks_for_no_forecast(forecasting: MakeForecasting) -> None:
    response = ask(forecasting(evidence()), tick=36, **{**PLACE, "server": None})
    assert "monitor-forecast-figure" not in response


def test_the_trend_tells_the_fleets_record_where_it_was_measured(forecasting: MakeForecasting) -> None:
    measured = evidence(fleet={"30m": reliability(), "8h": reliability()})
    place = {**PLACE, "server": None}
    trace = ask(forecasting(measured), tick=100, **place)["monitor-trend"]["figure"]["data"][1]
    assert len(trace["text"]) == len(trace["y"]) == 101
    assert trace["text"][0] == ", came true in 5.0% of 120,000 cases"
    plain = ask(forecasting(evidence()), tick=100, **place)["monitor-trend"]["figure"]["data"][1]
    assert "text" not in plain
    client = forecasting(measured)
    before = ask(client, tick=100, **place)
    patch = ask(client, tick=101, drawn=drawn(before), **place)["monitor-trend"]["figure"]
    added = [one["location"][1:] for one in patch["operations"] if one["operation"] == "Extend"]
    assert sorted(added) == [[0, "text"], [0, "y"], [1, "text"], [1, "y"]]
