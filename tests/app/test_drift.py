"""The drift watch on the pages and at ``/metrics``, asked as a browser and as Prometheus do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow.parquet as pq
import pytest
from app.test_callbacks import ask, drawn, text_of
from app.test_models import page, posted
from flask.testing import FlaskClient

from tft_dash.app import create_app
from tft_dash.cli import main
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.theme import DARK, LIGHT

PLOTS = ("models-drift-coverage", "models-drift-30m", "models-drift-8h")
DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A fleet, and the same with noise from its third day on."""
    folder = tmp_path_factory.mktemp("drift")
    options = ["--days", "5", "--fleet-size", "3", "--seed", "3001", "--format", "parquet", "--name", "steady"]
    main(["generate", "fleet-history", "--output-dir", str(folder), *options], standalone_mode=False)
    table = pq.read_table(folder / "steady.parquet").to_pandas().drop(columns=["state", "incident_phase"])
    late = table["timestamp"] >= table["timestamp"].min() + np.timedelta64(3, "D")
    draw = np.random.default_rng(2)
    for column, high in (("cpu_pct", 100.0), ("mem_pct", 100.0), ("error_rate", 1.0), ("latency_ms", 1e6)):
        spread = float(table.loc[~late, column].std())
        noisy = table.loc[late, column] + spread * draw.normal(0.0, 1.0, int(late.sum()))
        table.loc[late, column] = noisy.clip(0.0, high).astype(table[column].dtype)
    table.to_parquet(folder / "changed.parquet")
    return folder / "steady.parquet", folder / "changed.parquet"


@pytest.fixture
def client(sources: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = sources[0].parent
    settings = load_settings(
        {"cache": folder / "cache", "data": folder / "data", "sources": [*map(str, sources), str(DRILL)],
         "drift_days": 2.0},
        environ={}, folder=folder,
    )  # fmt: skip
    services = Services(settings, wait_seconds=None, look_seconds=0.0)
    yield create_app(services).server.test_client()
    services.close()


def watch(client: FlaskClient, source: Any, theme: Any = "light") -> dict[str, Any]:
    values = {
        "models-drift-source.value": source,
        "models-drift-clock.n_intervals": 0,
        "models-drift-theme.data": theme,
    }
    found: dict[str, Any] = json.loads(posted(client, "models-drift-words.children", values))
    return found["response"]


def test_prometheus_learns_which_source_drifts(client: FlaskClient) -> None:
    for _ in range(3):
        answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert 'drift_state{source="changed",model="tft",version="' in answer.text
    states = [line for line in answer.text.splitlines() if 'state="drifting"} 1' in line]
    assert len(states) == 1
    assert 'source="changed"' in states[0]
    assert 'source="demo_dataset"' not in answer.text
    assert client.post("/metrics").status_code == 405


def test_the_page_tells_the_state_of_the_chosen_source_with_reasons_and_figures(client: FlaskClient) -> None:
    assert "Does it still hold?" in page(client)
    for theme in (LIGHT, DARK):
        found = watch(client, "changed", theme.name)
        words = text_of(found["models-drift-words"]["children"])
        assert "Drifting" in words
        assert "lay within the 80% band; it is too narrow here" in words
        for name in PLOTS:
            go.Figure(found[name]["figure"])
        assert found["models-drift-30m"]["figure"]["data"][0]["line"]["color"] == theme.prob_30m
        assert found["models-drift-clock"]["disabled"] is True
        assert found["models-drift-plots"]["hidden"] is False
    steady = text_of(watch(client, "steady")["models-drift-words"]["children"])
    assert "Holds" in steady
    assert "Drifting" not in steady


@pytest.mark.parametrize(
    ("source", "words"), [("demo_dataset", "5 minutes long"), ("nowhere", "no source 'nowhere'"), (None, ""), (3, "")]
)
def test_a_source_that_cannot_be_watched_is_told_why(client: FlaskClient, source: Any, words: str) -> None:
    found = watch(client, source)
    assert words.lower() in text_of(found["models-drift-words"]["children"]).lower()
    assert found["models-drift-plots"]["hidden"] is True
    assert found["models-drift-clock"]["disabled"] is True


def test_the_live_monitor_warns_once_it_has_drifted_and_sends_no_more_while_that_stands(client: FlaskClient) -> None:
    place = {"source": "changed", "model": "tft"}
    calm = ask(client, tick=700, **place)
    assert calm["monitor-drift"]["children"] == []
    warned = ask(client, tick=1400, **place)
    words = text_of(warned["monitor-drift"]["children"])
    assert "forecast drifts" in words
    assert "80% band" in words
    shown = {**drawn(warned), "drift": warned["monitor-answer"]["data"]["drift"]}
    assert "monitor-drift" not in ask(client, tick=1401, drawn=shown, **place)
    elsewhere = ask(client, tick=1401, drawn={**shown, "shows": "changed tft"}, source="steady", model="tft")
    assert elsewhere["monitor-drift"]["children"] == []


def test_metrics_lie_under_the_base_path(sources: tuple[Path, Path]) -> None:
    folder = sources[0].parent
    settings = load_settings(
        {"cache": folder / "cache", "data": folder / "data", "sources": [str(DRILL)], "base_path": "/fleet/"},
        environ={}, folder=folder,
    )  # fmt: skip
    services = Services(settings, wait_seconds=None, look_seconds=0.0)
    assert "tft_dash_build_info" in create_app(services).server.test_client().get("/fleet/metrics").text
    services.close()
