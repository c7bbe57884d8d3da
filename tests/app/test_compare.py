"""The compare page's callback, asked by POST as a browser does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient

REQUEST = {
    "id": 1, "now": 0, "a": "demo_dataset", "am": "thresholds", "b": "demo_dataset", "bm": "scripted", "seconds": 0,
    "at": 0, "speed": 1, "playing": False, "horizon": "30m", "theme": "light", "known": [], "drawn": None,
}  # fmt: skip
LINES, DIFFERENCE = "compare-lines", "compare-difference"


def ask(client: FlaskClient, **parts: Any) -> dict[str, Any]:
    """The components that a request changes: id → properties."""
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if "compare-answer.data" in dependency["output"]:
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            body = {
                "output": dependency["output"],
                "outputs": [{"id": name, "property": prop} for name, prop in names],
                "changedPropIds": ["compare-request.data"],
                "inputs": [{"id": "compare-request", "property": "data", "value": {**REQUEST, **parts}}],
            }
            response = client.post("/_dash-update-component", json=body)
            assert response.status_code == 200, response.text
            return json.loads(response.text)["response"]
    raise AssertionError("the app has no callback that compares")


def answer_of(response: dict[str, Any]) -> dict[str, Any]:
    return response["compare-answer"]["data"]


def text_of(component: Any) -> str:
    """All words in a component, as a reader would hear them."""
    if isinstance(component, list):
        return " ".join(map(text_of, component))
    if isinstance(component, dict):
        return text_of(component.get("props", {}).get("children", ""))
    return "" if component is None else str(component)


def frame(client: FlaskClient, tick: int, source: str = "demo_dataset", model: str = "thresholds") -> dict[str, Any]:
    return json.loads(client.get(f"/api/v1/sources/{source}/ticks/{tick}?model={model}").text)


def test_both_sides_show_what_the_server_knows_of_their_tick(client: FlaskClient) -> None:
    response = ask(client, seconds=180)
    answer = answer_of(response)
    assert (answer["instant"], answer["instants"], answer["step_seconds"]) == (36, 60, 5)
    known = [frame(client, 36), frame(client, 36, model="scripted")]
    figures, marks = answer["figures"][LINES], answer["marks"][LINES]
    for place, one in enumerate(known):
        assert marks["open"][str(place)] == pytest.approx(one["prob_30m"], abs=1e-4)
        body = text_of(response[f"compare-{'ab'[place]}-body"]["children"])
        assert one["health"] in body
        assert f"{one['prob_30m']:.0%}" in body
        assert len(figures["data"][place]["y"]) == 60
    gap = 100 * (known[1]["prob_30m"] - known[0]["prob_30m"])
    assert answer["marks"][DIFFERENCE]["open"]["0"] == pytest.approx(gap, abs=0.02)
    assert "reads the script" in text_of(response["compare-b-head"]["children"])
    assert "reads the script" not in text_of(response["compare-a-head"]["children"])
    assert response["compare-time"]["children"][0]["props"]["children"] == "3:00 of 4:55"


def test_a_drill_against_itself_differs_by_zero_at_every_instant(client: FlaskClient) -> None:
    response = ask(client, bm="thresholds", seconds=295)
    trace = answer_of(response)["figures"][DIFFERENCE]["data"][0]["y"]
    assert len(trace) == 60
    assert set(trace) == {0}
    assert "exactly zero" in text_of(response["compare-summary"]["children"])


def test_the_lines_come_once(client: FlaskClient) -> None:
    first = answer_of(ask(client))
    second = ask(client, seconds=60, known=[first["key"]], drawn=first["key"])
    assert answer_of(second)["key"] == first["key"]
    assert answer_of(second)["figures"] is None
    assert "compare-a-head" not in second
    other = answer_of(ask(client, horizon="8h", known=[first["key"]], drawn=first["key"]))
    assert other["figures"][LINES] != first["figures"][LINES]


def test_a_side_that_has_ended_says_so_while_the_other_goes_on(client: FlaskClient) -> None:
    response = ask(client, b="early-warning", bm="thresholds", seconds=600)
    assert "Over" in text_of(response["compare-a-body"]["children"])
    assert "ended 4:55 after its start" in text_of(response["compare-a-body"]["children"])
    assert "Servers at highest risk" in text_of(response["compare-b-body"]["children"])
    assert "A is over" in text_of(response["compare-summary"]["children"])


def test_the_server_tells_where_a_playing_viewer_is(client: FlaskClient) -> None:
    wall = answer_of(ask(client))["tick_seconds"]
    played = answer_of(ask(client, seconds=10, playing=True, speed=2, at=1000, now=1000 + 1000 * wall * 4))
    assert played["instant"] == 2 + 8
    assert answer_of(ask(client, seconds=1e9))["instant"] == 59


def test_what_is_wrong_is_told_for_each_side(client: FlaskClient) -> None:
    response = ask(client, a="nowhere", bm="oracle")
    told = text_of(response["compare-banner"]["children"])
    assert "A cannot be shown There is no source 'nowhere'" in told
    assert "B cannot be shown There is no risk model 'oracle'" in told
    assert "error" in answer_of(response)
    assert response[LINES]["figure"]["data"] == []
    assert response["compare-summary"]["children"] == []


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"a": None}, "The link's a is None; it must be a name"),
        ({"seconds": "soon"}, "The link's at is 'soon'; it must be a number of seconds"),
        ({"seconds": -1}, "The link's at is -1"),
        ({"seconds": True}, "The link's at is True"),
        ({"horizon": "1y"}, "The link's horizon is '1y'; it must be 30m or 8h"),
        ({"horizon": ["8h"]}, "The link's horizon is ['8h']"),
        ({"speed": 1000}, "The link's speed is 1000"),
        ({"playing": "x"}, "The link's playing is 'x'"),
    ],
)
def test_an_impossible_link_is_told_what_is_wrong_with_it(
    client: FlaskClient, parts: dict[str, Any], words: str
) -> None:
    response = ask(client, **parts)
    assert words in text_of(response["compare-banner"]["children"])


def test_script_in_names_stays_text(make_client: MakeClient, tmp_path: Path) -> None:
    rows = "".join(
        f"2024-01-01T00:00:{second:02d}Z,<img src=x onerror=alert(1)>,{10 + second}\n" for second in range(0, 60, 5)
    )
    path = tmp_path / "odd.csv"
    path.write_text(f"timestamp,server_name,cpu_pct\n{rows}")
    response = ask(make_client(str(path)), a="odd", b="odd", bm="thresholds", seconds=30)
    assert "<img" in text_of(response["compare-a-body"]["children"])
    assert "dangerously" not in json.dumps(response)
    assert "<img" not in json.dumps(answer_of(response)["figures"])


def test_the_page_offers_every_source_and_model(client: FlaskClient) -> None:
    body = {
        "output": ".._pages_content.children..._pages_store.data..",
        "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
        "changedPropIds": ["_pages_location.pathname"],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": "/compare"},
            {"id": "_pages_location", "property": "search", "value": ""},
        ],
    }
    text = client.post("/_dash-update-component", json=body).text
    for part in ("early-warning", "demo_dataset", "scripted", "Source of A", "Model of B"):
        assert part in text
