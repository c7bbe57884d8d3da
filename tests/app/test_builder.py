"""The builder's and the library's callbacks, asked by POST as a browser does."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import plotly.graph_objects as go
import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient
from support.scenarios import everything

from tft_dash.callbacks.documents import brief, plain, read_plain, text_of
from tft_dash.pages.builder import PARTS
from tft_dash.scenarios.document import as_mapping, document_digest, parse_document
from tft_dash.scenarios.library import load_scenario, preset_names

RUN_SECONDS = 30


def ask(client: FlaskClient, store: str, output: str, request: dict[str, Any]) -> dict[str, Any]:
    """The components that a request changes: id → properties."""
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if dependency["inputs"] == [{"id": store, "property": "data"}] and output in dependency["output"]:
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            outputs = [{"id": name, "property": prop} for name, prop in names]
            body = {
                "output": dependency["output"],
                "outputs": outputs if len(outputs) > 1 else outputs[0],
                "changedPropIds": [f"{store}.data"],
                "inputs": [{"id": store, "property": "data", "value": request}],
            }
            response = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
            assert response.status_code == 200, response.text
            answer: dict[str, Any] = json.loads(response.text)["response"]
            return answer
    raise AssertionError(f"no callback listens to {store}")


def preview(client: FlaskClient, document: object, **parts: Any) -> dict[str, Any]:
    request = {"id": 1, "document": document, "model": "thresholds", "theme": "light", **parts}
    return ask(client, "builder-request", "builder-answer", request)


def task(client: FlaskClient, act: str, **parts: Any) -> dict[str, Any]:
    return ask(client, "builder-task", "builder-result", {"id": 1, "act": act, **parts})


def result(response: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = response["builder-result"]["data"]
    return found


def shelve(client: FlaskClient, act: str, **parts: Any) -> dict[str, Any]:
    return ask(client, "scenarios-request", "scenarios-answer", {"id": 1, "act": act, **parts})


def cascade() -> dict[str, Any]:
    return brief(load_scenario("cascade"))


def changed(title: str) -> dict[str, Any]:
    document = cascade()
    return {**document, "metadata": {**document["metadata"], "title": title}}


@pytest.mark.parametrize("name", [*preset_names(), "everything"])
def test_the_browsers_document_says_the_same_as_the_one_it_came_from(name: str) -> None:
    scenario = parse_document(everything(), "test") if name == "everything" else load_scenario(name)
    short = json.loads(json.dumps(brief(scenario)))
    assert document_digest(read_plain(short, "test")) == document_digest(scenario)
    assert document_digest(parse_document(text_of(short), "test")) == document_digest(scenario)
    assert len(json.dumps(short)) <= len(json.dumps(as_mapping(scenario)))


def test_a_seed_that_a_browser_cannot_hold_comes_back_whole() -> None:
    document = everything()
    document["spec"]["seed"] = 2**63 - 1
    short = brief(parse_document(document, "test"))
    assert short["spec"]["seed"] == str(2**63 - 1)
    assert read_plain(short, "test").spec.seed == 2**63 - 1


def test_what_yaml_makes_of_a_text_travels_as_json() -> None:
    assert plain({"a": [1.0, None, True], "b": "x"}) == {"a": [1, None, True], "b": "x"}


def test_a_preview_comes_with_figures_expectations_and_the_models_name(client: FlaskClient) -> None:
    answer = preview(client, cascade())
    for name in ("builder-intensity", "builder-outlook", "builder-metrics"):
        go.Figure(answer[name]["figure"])
    data = answer["builder-answer"]["data"]
    assert data["problems"] == []
    assert data["outcomes"] == [True] * 5
    assert (data["servers"], data["ticks"]) == (10, 96)
    assert "Adaptive thresholds" in json.dumps(answer["builder-model-note"])
    assert "holds" in json.dumps(answer["builder-outcomes"])


def test_a_broken_expectation_is_told_with_what_was_measured(client: FlaskClient) -> None:
    document = cascade()
    document["spec"]["expect"] = [{"check": "prob_30m", "phase": "peak", "below": 0.1}]
    answer = preview(client, document)
    assert answer["builder-answer"]["data"]["outcomes"] == [False]
    told = json.dumps(answer["builder-outcomes"])
    assert "broken" in told
    assert "measured 0." in told


def test_every_mistake_is_told_at_once_by_its_path(client: FlaskClient) -> None:
    document = cascade()
    document["metadata"]["name"] = "Not A Name"
    document["spec"]["clock"]["tick"] = "never"
    answer = preview(client, document)
    assert [path for path, _ in answer["builder-answer"]["data"]["problems"]] == ["metadata.name", "spec.clock.tick"]
    assert "builder-outlook" not in answer


def test_a_large_fleets_preview_says_that_it_is_reduced(client: FlaskClient) -> None:
    document = cascade()
    document["spec"]["fleet"]["profiles"][0]["count"] = 2000
    assert "of 2,006 servers" in json.dumps(preview(client, document)["builder-notice"])
    assert preview(client, cascade())["builder-notice"]["children"] == []


@pytest.mark.parametrize("request_", [{}, {"document": 5}, {"document": {"spec": []}}, {"document": None, "theme": 3}])
def test_any_request_gets_an_answer(client: FlaskClient, request_: dict[str, Any]) -> None:
    assert ask(client, "builder-request", "builder-answer", request_)["builder-answer"]["data"]["problems"]
    assert set(ask(client, "builder-structure", "builder-formed", request_)["builder-formed"]["data"]["formed"]) == set(
        PARTS
    )


def test_only_the_parts_of_the_form_that_differ_are_sent_again(client: FlaskClient) -> None:
    first = ask(client, "builder-structure", "builder-formed", {"id": 1, "document": cascade(), "parts": ["story"]})
    assert [name for name in first if name.startswith("builder-part-")] == ["builder-part-story"]
    whole = ask(client, "builder-structure", "builder-formed", {"id": 2, "document": cascade()})
    formed = whole["builder-formed"]["data"]["formed"]
    assert first["builder-formed"]["data"] == {"id": 1, "formed": {"story": formed["story"]}}
    document = cascade()
    document["spec"]["seed"] = 7
    again = ask(client, "builder-structure", "builder-formed", {"id": 3, "document": document, "formed": formed})
    assert [name for name in again if name.startswith("builder-part-")] == ["builder-part-clock"]


def test_an_unknown_model_is_told_in_words(client: FlaskClient) -> None:
    answer = preview(client, cascade(), model="oracle")
    assert answer["builder-answer"]["data"]["failed"] is True
    assert "oracle" in json.dumps(answer["builder-notice"])


def test_a_preset_is_saved_as_an_own_scenario_and_then_as_its_next_version(client: FlaskClient) -> None:
    first = result(task(client, "save", key="cascade", version=1, preset=True, document=cascade(), author="Ann"))[
        "saved"
    ]
    assert (first["key"], first["version"], first["preset"], first["author"]) == ("cascade-2", 1, False, "Ann")
    parts = {"key": first["key"], "version": 1, "preset": False, "document": changed("Later")}
    second = result(task(client, "save", **parts))["saved"]
    assert (second["key"], second["version"]) == ("cascade-2", 2)
    assert second["document"]["metadata"]["title"] == "Later"


def test_a_document_with_mistakes_is_neither_saved_nor_run_nor_exported(client: FlaskClient) -> None:
    broken = {**cascade(), "spec": {}}
    for act in ("save", "copy", "export"):
        assert result(task(client, act, key=None, document=broken))["mistakes"] >= 1
    assert ask(client, "builder-run-task", "builder-run-result", {"id": 1, "act": "start", "document": broken})[
        "builder-run-result"
    ]["data"]["mistakes"]
    assert "cascade-2" not in client.get("/api/v1/scenarios").text


def test_a_second_save_is_shown_both_sides_changes_and_loses_nothing(client: FlaskClient) -> None:
    key = result(task(client, "copy", document=cascade()))["saved"]["key"]
    both = {"key": key, "version": 1, "preset": False}
    assert result(task(client, "save", **both, document=changed("Hers"), author="Anna"))["saved"]["version"] == 2
    answer = task(client, "save", **both, document=changed("Mine"))
    assert result(answer)["conflict"]["version"] == 2
    shown = json.dumps(answer["builder-conflict"])
    assert "Anna saved version 2" in shown
    assert "Hers" in shown
    assert "Mine" in shown
    assert client.get(f"/api/v1/scenarios/{key}").json["document"]["metadata"]["title"] == "Hers"
    over = task(client, "save", key=key, version=2, preset=False, document=changed("Mine"))
    assert result(over)["saved"]["version"] == 3
    assert over["builder-conflict"]["children"] == []


def test_an_export_is_the_file_that_the_interface_gives(client: FlaskClient) -> None:
    for ending in ("yaml", "json"):
        exported = task(client, "export", document=cascade(), format=ending)["builder-download"]["data"]
        assert exported["filename"] == f"cascade.{ending}"
        assert exported["content"].strip() == client.get(f"/api/v1/scenarios/cascade?format={ending}").text.strip()


def test_a_text_is_applied_with_its_mistakes_listed(client: FlaskClient) -> None:
    text = result(task(client, "text", document=cascade()))["text"]
    assert result(task(client, "apply", text=text))["document"] == json.loads(json.dumps(cascade()))
    answer = task(client, "apply", text=text.replace("duration: 8m", "duration: soon"))
    assert result(answer)["document"]["spec"]["clock"]["duration"] == "soon"
    assert "spec.clock.duration" in json.dumps(answer["builder-text-problems"])
    unread = task(client, "apply", text="a: [1")
    assert "document" not in result(unread)
    assert "line" in json.dumps(unread["builder-text-problems"])


def test_a_times_of_yaml_is_applied_as_text(client: FlaskClient) -> None:
    text = text_of(cascade()).replace("duration: 8m", "duration: 8m\n    start: 2026-03-01T08:00:00Z")
    document = result(task(client, "apply", text=text))["document"]
    assert document["spec"]["clock"]["start"] == "2026-03-01T08:00:00Z"


def test_a_run_is_followed_to_its_recording(client: FlaskClient) -> None:
    def run(act: str, **parts: Any) -> dict[str, Any]:
        request = {"id": 1, "act": act, **parts}
        answer: dict[str, Any] = ask(client, "builder-run-task", "builder-run-result", request)
        return answer

    data = run("start", document=cascade(), author="Ann")["builder-run-result"]["data"]
    end = time.monotonic() + RUN_SECONDS
    while data["state"] in ("queued", "running") and time.monotonic() < end:
        time.sleep(0.05)
        answer = run("poll", run=data["run"])
        data = answer["builder-run-result"]["data"]
    assert data["state"] == "done"
    assert data["source"] in [each["name"] for each in client.get("/api/v1/sources").json]
    assert preview(client, cascade())["builder-answer"]["data"]["recording"] == data["source"]
    again = run("start", document=cascade())
    assert again["builder-run-result"]["data"]["state"] == "done"
    assert again["builder-run-link"]["href"] == f"/?source={data['source']}"
    assert "run-done" in again["builder-run"]["className"]


def test_a_run_beyond_the_limit_is_refused_in_words(make_client: MakeClient) -> None:
    client = make_client(run_rows=10)
    request = {"id": 1, "act": "start", "document": cascade()}
    answer = ask(client, "builder-run-task", "builder-run-result", request)
    assert "TFT_DASH_RUN_ROWS" in answer["builder-run-result"]["data"]["error"]
    assert "TFT_DASH_RUN_ROWS" in answer["builder-run-words"]["children"]
    assert "run-failed" in answer["builder-run"]["className"]


def shelf_of(answer: dict[str, Any], key: str) -> str:
    shelves = {card["key"]: card["shelf"] for card in answer["scenarios-cards"]["data"]["cards"]}
    return str(shelves[key])


def test_a_shelf_is_kept_in_order(client: FlaskClient) -> None:
    added = shelve(client, "duplicate", key="cascade", author="Ann")["scenarios-answer"]["data"]["key"]
    assert added == "cascade-copy"
    renamed = shelve(client, "rename", key=added, version=1, name="mine", title="My own")
    assert shelf_of(renamed, added) == "own"
    assert "My own" in json.dumps(renamed["scenarios-cards"])
    shelve(client, "archive", key=added)
    assert client.get(f"/api/v1/scenarios/{added}").json["archived"] is True
    shelve(client, "unarchive", key=added)
    gone = shelve(client, "delete", key=added)
    assert gone["scenarios-answer"]["data"]["title"] == "My own"
    assert shelf_of(gone, added) == "deleted"
    assert shelf_of(shelve(client, "restore", key=added), added) == "own"


def test_a_look_at_the_library_tells_what_others_have_done_and_is_short_else(client: FlaskClient) -> None:
    first = shelve(client, "look", stamp="")["scenarios-cards"]["data"]
    assert "scenarios-cards" not in shelve(client, "look", stamp=first["stamp"])
    key = client.post("/api/v1/scenarios/cascade/duplicate").json["key"]
    assert shelf_of(shelve(client, "look", stamp=first["stamp"]), key) == "own"
    for act in ("archive", "unarchive", "delete", "restore"):
        seen = shelve(client, "look", stamp="")["scenarios-cards"]["data"]["stamp"]
        shelve(client, act, key=key)
        assert "scenarios-cards" in shelve(client, "look", stamp=seen), act


def test_what_cannot_be_done_with_a_scenario_is_told(client: FlaskClient) -> None:
    for act, parts in (
        ("delete", {"key": "cascade"}),
        ("duplicate", {"key": "nothing"}),
        ("rename", {"key": "cascade"}),
    ):
        assert shelve(client, act, **parts)["scenarios-answer"]["data"]["error"]


def test_files_are_imported_and_the_bad_ones_listed(client: FlaskClient) -> None:
    good = client.get("/api/v1/scenarios/cascade?format=yaml").data
    files = [
        {"name": name, "content": base64.b64encode(content).decode()}
        for name, content in (
            ("good.yaml", b"\xef\xbb\xbf" + good),
            ("bad.yaml", b"kind: Scenario"),
            ("x.json", b"\xff"),
        )
    ]
    answer = shelve(client, "import", files=[*files, {"name": "cut.yaml", "content": "*"}, 7])
    assert answer["scenarios-answer"]["data"]["added"] == ["cascade-2"]
    told = json.dumps(answer["scenarios-note"], ensure_ascii=False)
    assert all(each in told for each in ("bad.yaml", "metadata", "x.json", "is not UTF-8", "cut.yaml"))


def test_files_beyond_those_of_one_import_are_told_of(client: FlaskClient) -> None:
    answer = shelve(client, "import", files=[{"name": f"{number}.yaml", "content": ""} for number in range(53)])
    assert "3 further files" in json.dumps(answer["scenarios-note"])


def test_a_page_of_no_scenario_says_so_and_leads_back(client: FlaskClient) -> None:
    path = {"id": "_pages_location", "property": "pathname", "value": "/scenarios/nothing"}
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if "_pages_content.children" in dependency["output"]:
            outputs = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            body = {
                "output": dependency["output"],
                "outputs": [{"id": name, "property": prop} for name, prop in outputs],
                "inputs": [path, {**path, "property": "search", "value": ""}],
                "changedPropIds": ["_pages_location.pathname"],
                "state": [],
            }
            told = client.post("/_dash-update-component", json=body).json["response"]["_pages_content"]["children"]
            assert "no scenario 'nothing'" in json.dumps(told)
            assert '"href": "/scenarios"' in json.dumps(told)
            return
    raise AssertionError("the app has no pages")
