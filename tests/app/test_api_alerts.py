"""Alerts and problems in the JSON interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app.conftest import MakeClient
from support.watching import Watch

from tft_dash.api.shapes import SHAPES


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "data").mkdir()
    made = Watch(tmp_path / "data")
    yield made
    made.close()


def test_alerts_and_problems_are_told_as_they_stand(watch: Watch, make_client: MakeClient) -> None:
    client = make_client("fleet=push://fleet?step=5s")

    def ask(address: str, status: int = 200) -> Any:
        response = client.get(f"/api/v1{address}")
        assert response.status_code == status, response.text
        return json.loads(response.text)

    assert ask("/alerts") == ask("/problems") == []
    watch.live(2, 97.0)
    alerts = ask("/alerts")
    assert [(one["server_name"], one["state"], one["value"]) for one in alerts] == [
        ("a", "firing", 97.0), ("b", "firing", 97.0),
    ]  # fmt: skip
    assert set(alerts[0]) == set(SHAPES["Alert"][1])
    assert alerts[0]["labels"]["alertname"] == alerts[0]["alertname"] == "Hot"
    (problem,) = ask("/problems?standing=true")
    assert set(problem) == set(SHAPES["Problem"][1])
    assert problem["id"] == alerts[0]["problem"]
    watch.desk.say_outcome(problem["id"], "unclear", "Ann")
    watch.live(2, 20.0)
    assert ask("/problems?standing=true") == []
    found = ask(f"/problems/{problem['id']}")
    assert (found["state"], found["outcome"]) == ("resolved", "unclear")
    assert [one["what"] for one in found["timeline"]][-1] == "resolved"
    assert ask("/alerts?source=other") == ask("/problems?source=other") == []
    for wrong in ("/problems?standing=maybe", "/problems?limit=0", "/problems?limit=x"):
        assert "expected" in ask(wrong, 400)["error"]
    assert "There is no problem" in ask("/problems/none", 404)["error"]
