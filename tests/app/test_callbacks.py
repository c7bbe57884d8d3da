"""The callback that draws, asked by POST as a browser does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient

FIGURES = ("monitor-trend", "monitor-top", "monitor-heatmap", "monitor-rolling")
REQUEST = {
    "id": 1, "now": 0, "source": "demo_dataset", "model": "thresholds", "tick": 0, "at": 0, "speed": 1,
    "playing": False, "server": None, "theme": "light", "drawn": None,
}  # fmt: skip


def ask(client: FlaskClient, **parts: Any) -> dict[str, Any]:
    """The components that a request changes: id → properties."""
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if "monitor-answer.data" in dependency["output"]:
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            body = {
                "output": dependency["output"],
                "outputs": [{"id": name, "property": prop} for name, prop in names],
                "changedPropIds": ["monitor-request.data"],
                "inputs": [{"id": "monitor-request", "property": "data", "value": {**REQUEST, **parts}}],
            }
            response = client.post("/_dash-update-component", json=body)
            assert response.status_code == 200, response.text
            return json.loads(response.text)["response"]
    raise AssertionError("the app has no callback that draws")


def answer_of(response: dict[str, Any]) -> dict[str, Any]:
    return response["monitor-answer"]["data"]


def drawn(response: dict[str, Any]) -> dict[str, Any]:
    answer = answer_of(response)
    return {"key": answer["key"], "tick": answer["tick"], "server": answer["server"]}


def text_of(component: Any) -> str:
    """All words in a component, as a reader would hear them."""
    if isinstance(component, list):
        return " ".join(map(text_of, component))
    if isinstance(component, dict):
        return text_of(component.get("props", {}).get("children", ""))
    return "" if component is None else str(component)


def test_a_first_request_gets_whole_figures_that_plotly_accepts(client: FlaskClient) -> None:
    response = ask(client, tick=36)
    for name in FIGURES:
        go.Figure(response[name]["figure"])
    assert response["kpi-phase"]["children"] == "peak"
    assert answer_of(response)["about"]["ticks"] == 60


def test_a_viewer_that_lags_gets_exactly_the_ticks_it_lacks(client: FlaskClient) -> None:
    before = ask(client, tick=20)
    whole = ask(client, tick=24)["monitor-trend"]["figure"]["data"]
    patch = ask(client, tick=24, drawn=drawn(before))["monitor-trend"]["figure"]
    assert "__dash_patch_update" in patch
    added = [one["params"]["value"] for one in patch["operations"] if one["operation"] == "Extend"]
    lines = [trace["y"] for trace in whole if trace.get("mode") == "lines"]
    assert sorted(added) == sorted(line[21:25] for line in lines)


def test_a_viewer_that_is_up_to_date_gets_no_figure(client: FlaskClient) -> None:
    before = ask(client, tick=20)
    again = ask(client, tick=20, drawn=drawn(before))
    assert not set(FIGURES) & set(again)
    assert answer_of(again)["tick"] == 20


def test_a_playback_is_where_its_clock_says(client: FlaskClient) -> None:
    place = {"tick": 10, "at": 1_000_000, "playing": True, "speed": 2}
    assert answer_of(ask(client, now=1_000_000 + 12_400, **place))["tick"] == 14
    assert answer_of(ask(client, now=9e12, **place))["tick"] == 59


def test_another_theme_or_model_gets_whole_figures(client: FlaskClient) -> None:
    before = drawn(ask(client, tick=20))
    for change in ({"theme": "dark"}, {"model": "scripted"}):
        response = ask(client, tick=21, drawn=before, **change)
        assert "__dash_patch_update" not in response["monitor-trend"]["figure"]
        assert answer_of(response)["about"] is not None


def test_two_processes_answer_alike(make_client: MakeClient) -> None:
    one, two = make_client(), make_client()
    before = drawn(ask(one, tick=20))
    assert ask(one, tick=30, drawn=before) == ask(two, tick=30, drawn=before)


def test_the_same_request_twice_gets_the_same_answer(client: FlaskClient) -> None:
    assert ask(client, tick=30) == ask(client, tick=30)


def test_a_server_panel_has_its_words_and_figure(client: FlaskClient) -> None:
    response = ask(client, tick=36, server="db-001")
    assert response["monitor-server-panel"]["hidden"] is False
    assert text_of(response["monitor-server-title"]["children"]) == "db-001"
    go.Figure(response["monitor-server-figure"]["figure"])
    closed = ask(client, tick=36, drawn=drawn(response))
    assert closed["monitor-server-panel"]["hidden"] is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "demo_datase"}, "Did you mean 'demo_dataset'"),
        ({"model": "threshold"}, "Did you mean 'thresholds'"),
        ({"source": None}, "source"),
        ({"speed": 1e9}, "speed"),
        ({"tick": "x"}, "tick"),
        ({"playing": 7, "now": "soon", "server": ["a"], "drawn": "x", "speed": None}, "speed"),
    ],
)
def test_what_cannot_be_shown_is_a_banner_with_what_to_do(
    client: FlaskClient, change: dict[str, Any], words: str
) -> None:
    response = ask(client, **change)
    assert words in text_of(response["monitor-banner"]["children"])
    assert words in answer_of(response)["error"]
    assert not set(FIGURES) & set(response)


def test_what_cannot_be_shown_does_not_leave_another_sources_data_on_the_page(client: FlaskClient) -> None:
    shown = {"key": "k", "tick": 3, "server": None, "shows": "demo_dataset thresholds"}
    response = ask(client, source="nothing", drawn=shown)
    assert response["kpi-prob-30m"]["children"] == "—"
    assert all(response[name]["figure"]["data"] == [] for name in FIGURES)
    assert not set(FIGURES) & set(ask(client, speed=-1, drawn=shown))


def test_an_unknown_server_is_told_while_the_page_goes_on(client: FlaskClient) -> None:
    response = ask(client, server="nobody")
    assert "nobody" in text_of(response["monitor-banner"]["children"])
    assert set(FIGURES) <= set(response)


def test_a_model_that_reads_the_script_says_so(client: FlaskClient) -> None:
    assert "reads the script" in text_of(ask(client, model="scripted")["monitor-model-note"]["children"])
    assert "reads the script" not in text_of(ask(client)["monitor-model-note"]["children"])


def test_drills_carry_a_mark_and_real_recordings_do_not(make_client: MakeClient, tmp_path: Path) -> None:
    rows = "".join(f"2026-01-01T00:00:{5 * tick:02d}Z,web-001,web,{40 + tick}\n" for tick in range(10))
    (tmp_path / "real.csv").write_text("timestamp,server_name,profile,cpu_pct\n" + rows)
    client = make_client(str(tmp_path / "real.csv"))
    assert ask(make_client())["monitor-simulated"]["hidden"] is False
    assert ask(client, source="real")["monitor-simulated"]["hidden"] is True


def test_the_end_has_a_summary_and_the_middle_none(client: FlaskClient) -> None:
    assert "End of the recording" in text_of(ask(client, tick=59)["monitor-summary"]["children"])
    assert ask(client, tick=58)["monitor-summary"]["children"] == []


def test_a_file_that_changes_is_drawn_anew(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "real.csv"
    head = "timestamp,server_name,cpu_pct\n"
    path.write_text(head + "2026-01-01T00:00:00Z,a,1\n2026-01-01T00:00:05Z,a,2\n")
    client = make_client(str(path))
    before = ask(client, source="real", tick=1)
    path.write_text(head + "2026-01-01T00:00:00Z,a,1\n2026-01-01T00:00:05Z,a,2\n2026-01-01T00:00:10Z,a,3\n")
    after = ask(client, source="real", tick=2, drawn=drawn(before))
    assert answer_of(after)["about"]["ticks"] == 3


def test_where_the_model_that_was_asked_for_cannot_answer_the_page_says_who_does_and_why(client: FlaskClient) -> None:
    response = ask(client, model="tft", tick=30)
    banner, note = (text_of(response[name]["children"]) for name in ("monitor-banner", "monitor-model-note"))
    assert "Another model answers" in banner
    assert "5 minutes long" in banner
    assert "'thresholds' (Adaptive thresholds) answers in its place" in banner
    assert "Adaptive thresholds" in note
    again = ask(client, model="tft", tick=31, drawn=drawn(response))
    assert "Another model answers" in text_of(again["monitor-banner"]["children"])


def test_the_best_model_is_named_and_the_reason_folded_beside_it(client: FlaskClient) -> None:
    short, long = ask(client, model="best", tick=30), ask(client, model="best", source="early-warning", tick=100)
    assert text_of(short["monitor-banner"]["children"]) == ""
    assert "5 minutes long" in text_of(short["monitor-model-note"]["children"])
    assert "Temporal Fusion Transformer" in text_of(long["monitor-model-note"]["children"])
    assert "learnt on simulations" in text_of(long["monitor-model-note"]["children"])
    asked = ask(client, model="tft", tick=30, drawn=drawn(short))
    assert answer_of(asked)["about"] is not None


def test_too_little_history_is_no_missing_data(client: FlaskClient) -> None:
    response = ask(client, model="tft", source="early-warning", tick=4)
    assert "60 min of history" in text_of(response["monitor-banner"]["children"])
    assert "has 25 min of it here" in text_of(response["monitor-banner"]["children"])
    assert response["kpi-prob-30m"]["children"] == "—"
    assert answer_of(response)["no_data"] is False
    assert text_of(ask(client, model="tft", source="early-warning", tick=11)["monitor-banner"]["children"]) == ""
