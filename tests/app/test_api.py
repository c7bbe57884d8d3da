"""The JSON interface and the probes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient

from tft_dash.schema import METRIC_NAMES

DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.csv"


def answer(client: FlaskClient, address: str, status: int = 200) -> Any:
    response = client.get(address)
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    return json.loads(response.text)


def test_the_probes_answer_with_their_own_bodies(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok"
    assert answer(client, "/readyz") == {"ready": True, "problems": {}}


def test_the_sources_are_listed_with_their_facts(client: FlaskClient) -> None:
    first = answer(client, "/api/v1/sources")[0]
    assert first["name"] == "demo_dataset"
    assert (first["servers"], first["ticks"], first["step_seconds"], first["live"]) == (10, 60, 5.0, False)
    assert [phase["name"] for phase in first["phases"]] == ["stable", "escalation", "peak", "recovery"]
    assert first["simulated"] is True
    assert first["start"].endswith("Z")
    assert first["end"] > first["start"]


def test_the_models_are_listed_with_their_cards(client: FlaskClient) -> None:
    cards = {card["name"]: card for card in answer(client, "/api/v1/models")}
    assert cards["thresholds"]["uses_labels"] is False
    assert cards["scripted"]["uses_labels"] is True
    assert not cards["thresholds"]["calibrated"]


def test_every_tick_of_the_drill_is_what_the_file_says(client: FlaskClient) -> None:
    metrics = pd.read_csv(DRILL)
    for number, (stamp, rows) in enumerate(metrics.groupby("timestamp", sort=True)):
        frame = answer(client, f"/api/v1/sources/demo_dataset/ticks/{number}?model=thresholds")
        assert pd.Timestamp(frame["timestamp"]) == pd.Timestamp(stamp)
        assert frame["phase"] == rows["incident_phase"].iloc[0]
        by_name = {server["server_name"]: server for server in frame["servers"]}
        for row in rows.itertuples():
            server = by_name[row.server_name]
            assert server["profile"] == row.profile
            assert server["state"] == row.state
            for name in METRIC_NAMES:
                value = getattr(row, name)
                assert server[name] == (None if pd.isna(value) else pytest.approx(value, rel=1e-6))
    assert number == 59


def test_p8h_is_never_below_p30(client: FlaskClient) -> None:
    for model in ("thresholds", "scripted"):
        for number in range(60):
            frame = answer(client, f"/api/v1/sources/demo_dataset/ticks/{number}?model={model}")
            assert 0 <= frame["prob_30m"] <= frame["prob_8h"] <= 1
            assert frame["model"]["name"] == model


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/api/v1/sources/demo_dataset/ticks/60", "0 to 59"),
        ("/api/v1/sources/demo_dataset/ticks/-1", "not a tick"),
        ("/api/v1/sources/demo_dataset/ticks/one", "not a tick"),
        ("/api/v1/sources/demo_datase/ticks/0", "Did you mean 'demo_dataset'"),
        ("/api/v1/sources/demo_dataset/ticks/0?model=thresholt", "Did you mean 'thresholds'"),
        ("/api/v1/nothing", "no address"),
    ],
)
def test_what_is_not_there_is_404_and_says_what_there_is(client: FlaskClient, address: str, words: str) -> None:
    assert words in answer(client, address, 404)["error"]


def test_a_method_that_is_not_there_is_told_in_json(client: FlaskClient) -> None:
    response = client.post("/api/v1/sources", json={})
    assert response.status_code == 404
    assert "no address" in json.loads(response.text)["error"]


def test_a_bad_source_is_named_and_hides_no_other(make_client: MakeClient, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    client = make_client(str(tmp_path / "empty.csv"), str(DRILL))
    listed = {source["name"]: source for source in answer(client, "/api/v1/sources")}
    assert "empty" in listed["empty"]["error"]
    assert listed["demo_dataset"]["error"] is None
    assert answer(client, "/readyz")["ready"] is True
    assert "error" in answer(client, "/api/v1/sources/empty/ticks/0", 422)


def test_nothing_to_show_is_not_ready(make_client: MakeClient, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    body = answer(make_client(str(tmp_path / "empty.csv")), "/readyz", 503)
    assert body["ready"] is False
    assert "empty" in body["problems"]


def test_a_base_path_moves_everything(make_client: MakeClient) -> None:
    client = make_client(base_path="/fleet")
    assert client.get("/fleet/healthz").text == "ok"
    assert "/fleet/assets/tft_dash.js" in client.get("/fleet/").text


def test_json_is_gzipped_for_who_accepts_it(client: FlaskClient) -> None:
    packed = client.get("/api/v1/sources/demo_dataset/ticks/0", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1/sources/demo_dataset/ticks/0")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 2


def test_a_tick_names_the_model_that_answered_and_why_it_is_another_one(client: FlaskClient) -> None:
    short = answer(client, "/api/v1/sources/demo_dataset/ticks/5?model=tft")
    assert short["model"]["name"] == "thresholds"
    assert "5 minutes long" in short["instead"]
    long = answer(client, "/api/v1/sources/early-warning/ticks/100")
    assert long["model"]["name"] == "tft"
    assert long["instead"] is None
    assert answer(client, "/api/v1/sources/early-warning/ticks/3")["prob_30m"] is None
