"""Scenarios and runs over HTTP: what is accepted, refused, kept and told is the same as everywhere else."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from tft_dash.api.runs import register_runs
from tft_dash.api.scenarios import register_scenarios
from tft_dash.cli import main
from tft_dash.scenarios.document import as_mapping, parse_document, to_yaml
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.services import Services
from tft_dash.settings import load_settings

LIST = "/api/v1/scenarios"
MakePortal = Callable[..., FlaskClient]

GOOD = """\
apiVersion: tft-dash/v1
kind: Scenario
metadata: {name: trial, title: A trial}
spec:
  clock: {duration: 20s, tick: 5s}
  fleet:
    profiles:
    - {name: web, count: 2}
"""


@pytest.fixture
def make_portal(tmp_path: Path) -> Iterator[MakePortal]:
    """The two interfaces over a store and a data folder of their own."""
    opened: list[Services] = []

    def make(name: str = "portal", **flags: object) -> FlaskClient:
        given = {"cache": tmp_path / name / "cache", "data": tmp_path / name / "data", **flags}
        services = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
        opened.append(services)
        server = Flask(name)
        register_scenarios(server, services)
        register_runs(server, services)
        return server.test_client()

    yield make
    for services in opened:
        services.close()


@pytest.fixture
def portal(make_portal: MakePortal) -> FlaskClient:
    return make_portal()


def answer(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    return json.loads(response.text)


def changed(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def nested(levels: int) -> bytes:
    return (GOOD + "x: " + "[" * levels + "]" * levels).encode()


BAD = {
    "an empty body": b"",
    "white space": b" \n\n",
    "a comment alone": b"# nothing\n",
    "plain words": b"hello",
    "a list": b"[1, 2]",
    "a web page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "a picture": b"\x89PNG\r\n\x1a\n\xff\xfe",
    "Latin-1": changed("A trial", "Störung").decode().encode("latin-1"),
    "UTF-16": GOOD.encode("utf-16"),
    "half a character at the limit": b"#" * 1_048_575 + "é".encode(),
    "300 kB of text": GOOD.encode() + b"# " + b"x" * 300_000,
    "3 MB of text": GOOD.encode() + b"# " + b"x" * 3_000_000,
    "an alias": changed("{name: web, count: 2}", "&a {name: web, count: 2}\n    - *a"),
    "a growing alias": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a tag that would run something": b"!!python/object/apply:os.system ['true']",
    "deep nesting": nested(60),
    "very deep nesting": nested(5000),
    "deep nesting in JSON": b'{"spec":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    "a key that JavaScript knows": changed("metadata: {", "metadata: {__proto__: {admin: true}, "),
    "a repeated key": changed("kind: Scenario", "kind: Scenario\nkind: Scenario"),
    "a repeated key in JSON": b'{"apiVersion": "tft-dash/v1", "apiVersion": "tft-dash/v1"}',
    "broken YAML": changed("profiles:", "profiles: ["),
    "broken JSON": b'{"apiVersion": "tft-dash/v1", ',
    "two documents": (GOOD + "---\n" + GOOD).encode(),
    "a key that is a list": changed("kind: Scenario", "kind: Scenario\n? [a]\n: 1"),
    "another version": changed("tft-dash/v1", "tft-dash/v2"),
    "another kind": changed("kind: Scenario", "kind: Mapping"),
    "a path for a name": changed("name: trial", "name: ../../etc/passwd"),
    "NUL in a name": changed("name: trial", 'name: "a\\0b"'),
    "script in a name": changed("name: trial", "name: <script>"),
    "control characters in a title": changed("A trial", '"a\\eb"'),
    "a misspelt field": changed("clock:", "clok:"),
    "no fleet": changed("    - {name: web, count: 2}", "    []"),
    "a fleet of text": changed("count: 2", "count: two"),
    "a fleet too large": changed("count: 2", "count: 30000"),
    "too many rows": changed("20s", "3650d"),
    "a number beyond reason": changed("count: 2", "count: " + "9" * 5000),
    "no number": changed("count: 2", "count: .nan"),
    "several at once": b"apiVersion: x\nkind: y\nspec: {clock: {duration: -1}, fleet: 3, seed: 1.5, expect: [{}]}",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_document_is_refused_everywhere_in_the_same_words(
    portal: FlaskClient, tmp_path: Path, content: bytes
) -> None:
    posted = answer(portal.post(LIST, data=content), 422)
    assert posted["errors"]
    assert all(set(mistake) == {"path", "message"} for mistake in posted["errors"])
    assert answer(portal.post(f"{LIST}/check", data=content), 422) == posted
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    said = CliRunner().invoke(main, ["generate", str(path), "--output-dir", str(tmp_path / "out")])
    assert said.exit_code == 1
    assert said.stderr.rstrip("\n") == f"tft-dash: {posted['error']}".replace("the request", str(path), 1)
    for mistake in posted["errors"]:
        assert f"  {mistake['path']}: {mistake['message']}" in said.stderr
    assert not (tmp_path / "out").exists()
    assert all(entry["preset"] for entry in answer(portal.get(LIST)))


FINE = {
    "YAML": GOOD.encode(),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "JSON with tabs after a byte order mark": b"\xef\xbb\xbf"
    + json.dumps(as_mapping(load_scenario("healthy").with_overrides(duration_seconds=5)), indent="\t").encode(),
    "Windows line ends": GOOD.replace("\n", "\r\n").encode(),
    "JSON": json.dumps(
        {
            "apiVersion": "tft-dash/v1",
            "kind": "Scenario",
            "metadata": {"name": "trial"},
            "spec": {"clock": {"duration": 20}, "fleet": {"profiles": [{"name": "web", "count": 1}]}},
        }
    ).encode(),
    "script in a title": changed("A trial", "<img src=x onerror=alert(1)>"),
    "another script": changed("A trial", "Störung – 障害"),
    "a formula": changed("A trial", "=cmd|' /C calc'!A0"),
    "a comment of 200 kB": GOOD.encode() + b"# " + b"x" * 200_000,
    "nothing that lasts": changed("20s, tick: 5s", "5s"),
}


@pytest.mark.parametrize("content", FINE.values(), ids=FINE.keys())
def test_a_document_that_the_command_takes_is_taken_over_http_and_comes_back_equal(
    portal: FlaskClient, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "fine.yaml"
    path.write_bytes(content)
    said = CliRunner().invoke(main, ["generate", str(path), "--output-dir", str(tmp_path / "out")])
    assert said.exit_code == 0, said.stderr
    checked = answer(portal.post(f"{LIST}/check", data=content))
    made = answer(portal.post(LIST, data=content), 201)
    assert checked == {"valid": True, "digest": made["digest"]}
    exported = portal.get(f"{LIST}/{made['key']}?format=yaml").data
    assert parse_document(exported.decode(), "export") == load_scenario(path)


@pytest.mark.parametrize("name", preset_names())
def test_export_and_import_elsewhere_give_the_same_bytes(make_portal: MakePortal, name: str) -> None:
    here, there = make_portal("here"), make_portal("there")
    key = answer(here.post(LIST, data=to_yaml(load_scenario(name)).encode()), 201)["key"]
    for form in ("yaml", "json"):
        exported = here.get(f"{LIST}/{key}?format={form}")
        imported = answer(there.post(LIST, data=exported.data), 201)["key"]
        assert there.get(f"{LIST}/{imported}?format={form}").data == exported.data
        assert exported.headers["Content-Disposition"] == f'attachment; filename="{name}.scenario.{form}"'


def test_what_was_added_is_listed_under_a_key_of_its_own(portal: FlaskClient) -> None:
    document = to_yaml(load_scenario("cascade")).encode()
    response = portal.post(LIST, data=document)
    first, second = answer(response, 201), answer(portal.post(LIST, data=document), 201)
    assert (first["key"], second["key"]) == ("cascade-2", "cascade-3")
    assert first["name"] == "cascade"
    assert first["digest"] == second["digest"]
    assert response.headers["Location"] == f"{LIST}/cascade-2"
    assert response.headers["ETag"] == '"1"'
    assert first["url"] == "/scenarios/cascade-2"
    listed = answer(portal.get(LIST))
    assert [entry["key"] for entry in listed][:2] == ["cascade-3", "cascade-2"]
    assert {entry["key"] for entry in listed if entry["preset"]} == set(preset_names())
    assert "document" not in listed[0]
    assert answer(portal.get(f"{LIST}/cascade-2"))["document"]["metadata"]["name"] == "cascade"


def test_no_more_of_a_body_is_read_than_shows_that_it_is_too_long(portal: FlaskClient) -> None:
    stream = io.BytesIO(GOOD.encode() + b"#" * 20_000_000)
    assert answer(portal.post(LIST, input_stream=stream), 422)["errors"]
    assert stream.tell() < 1_200_000


def test_a_body_of_unknown_length_is_read_to_its_end(portal: FlaskClient) -> None:
    environ = {"wsgi.input": io.BytesIO(GOOD.encode()), "wsgi.input_terminated": True}
    made = answer(portal.post(LIST, environ_overrides=environ), 201)
    assert made["digest"] == answer(portal.post(f"{LIST}/check", data=GOOD.encode()))["digest"]


def test_what_lies_beyond_the_declared_length_is_not_read(portal: FlaskClient) -> None:
    response = portal.post(LIST, data=GOOD.encode(), environ_overrides={"CONTENT_LENGTH": "10"})
    assert "no scenario" in answer(response, 422)["error"]


def test_the_second_of_two_saves_is_told_and_shown_the_difference(portal: FlaskClient) -> None:
    key = answer(portal.post(LIST, data=GOOD.encode()), 201)["key"]
    one, two = changed("A trial", "First"), changed("count: 2", "count: 3")
    saved = portal.put(f"{LIST}/{key}", data=one, headers={"If-Match": '"1"'})
    assert answer(saved)["version"] == 2
    assert saved.headers["ETag"] == '"2"'
    late = answer(portal.put(f"{LIST}/{key}?version=1", data=two), 409)
    assert late["version"] == 2
    assert late["document"]["metadata"]["title"] == "First"
    assert late["differences"] == [
        {"path": "metadata.title", "before": "First", "after": "A trial"},
        {"path": "spec.fleet.profiles[web].count", "before": 2, "after": 3},
    ]
    assert answer(portal.get(f"{LIST}/{key}"))["title"] == "First"
    assert answer(portal.put(f"{LIST}/{key}?version=2", data=two))["version"] == 3


@pytest.mark.parametrize("tag", [None, "", "*", '"x"', '"-1"', '"1", "2"', '"' + "9" * 40 + '"'])
def test_a_save_that_names_no_version_is_refused_with_words(portal: FlaskClient, tag: str | None) -> None:
    key = answer(portal.post(LIST, data=GOOD.encode()), 201)["key"]
    headers = {} if tag is None else {"If-Match": tag}
    words = answer(portal.put(f"{LIST}/{key}", data=GOOD.encode(), headers=headers), 428)["error"]
    assert "If-Match" in words
    assert answer(portal.get(f"{LIST}/{key}"))["version"] == 1


def test_a_bad_document_is_not_saved_over_a_good_one(portal: FlaskClient) -> None:
    key = answer(portal.post(LIST, data=GOOD.encode()), 201)["key"]
    answer(portal.put(f"{LIST}/{key}?version=1", data=b"kind: 3"), 422)
    assert answer(portal.get(f"{LIST}/{key}"))["version"] == 1


def test_a_preset_stays_as_it_is(portal: FlaskClient) -> None:
    for response in (
        portal.put(f"{LIST}/cascade?version=1", data=GOOD.encode()),
        portal.delete(f"{LIST}/cascade"),
        portal.post(f"{LIST}/cascade/archive"),
    ):
        assert "preset" in answer(response, 403)["error"]
    copied = answer(portal.post(f"{LIST}/cascade/duplicate"), 201)
    assert copied["title"].endswith("(copy)")
    assert copied["preset"] is False


def test_what_was_deleted_comes_back_and_what_was_archived_is_put_aside(portal: FlaskClient) -> None:
    key = answer(portal.post(LIST, data=GOOD.encode()), 201)["key"]
    assert answer(portal.delete(f"{LIST}/{key}")) == {"key": key, "deleted": True}
    assert "no scenario" in answer(portal.get(f"{LIST}/{key}"), 404)["error"]
    assert answer(portal.post(f"{LIST}/{key}/restore"))["title"] == "A trial"
    assert answer(portal.post(f"{LIST}/{key}/archive"))["archived"] is True
    assert key not in {entry["key"] for entry in answer(portal.get(LIST))}
    assert [entry["key"] for entry in answer(portal.get(f"{LIST}?archived=true"))] == [key]
    assert answer(portal.post(f"{LIST}/{key}/unarchive"))["archived"] is False
    assert key in {entry["key"] for entry in answer(portal.get(LIST))}


@pytest.mark.parametrize("key", ["nothing", "..", "%00", "%2e%2e%2fx", "a" * 300, "<script>"])
def test_an_unknown_scenario_is_404_in_json(portal: FlaskClient, key: str) -> None:
    response = portal.get(f"{LIST}/{key}")
    assert response.status_code == 404
    if response.mimetype == "application/json":
        assert "no scenario" in json.loads(response.text)["error"]


def test_a_request_that_cannot_be_is_400_and_an_address_that_is_not_there_404(portal: FlaskClient) -> None:
    assert "yaml or json" in answer(portal.get(f"{LIST}/cascade?format=toml"), 400)["error"]
    assert "no scenario" in answer(portal.get(f"{LIST}/nothing?format=toml"), 404)["error"]


def test_a_form_of_another_sites_page_changes_nothing(portal: FlaskClient) -> None:
    response = portal.post(LIST, data=GOOD.encode(), headers={"Sec-Fetch-Site": "cross-site"})
    assert "another site" in answer(response, 403)["error"]
    assert all(entry["preset"] for entry in answer(portal.get(LIST)))


def finished(portal: FlaskClient, run_id: str) -> Any:
    for _ in range(600):
        run = answer(portal.get(f"/api/v1/runs/{run_id}"))
        if run["state"] not in ("queued", "running"):
            return run
        time.sleep(0.02)
    raise AssertionError(f"the run does not end: {run}")


def test_a_run_makes_a_recording_and_asked_for_again_it_is_there_at_once(portal: FlaskClient) -> None:
    key = answer(portal.post(LIST, data=GOOD.encode()), 201)["key"]
    response = portal.post(f"{LIST}/{key}/runs")
    begun = answer(response, 202)
    assert response.headers["Location"] == f"/api/v1/runs/{begun['id']}"
    run = finished(portal, begun["id"])
    assert (run["state"], run["progress"], run["rows"]) == ("done", 1.0, 8)
    assert run["url"] == f"/?source={run['source']}"
    assert answer(portal.post(f"{LIST}/{key}/runs"))["source"] == run["source"]
    assert begun["id"] in {entry["id"] for entry in answer(portal.get("/api/v1/runs"))}
    assert portal.post(f"/api/v1/sources/{run['source']}/watching").status_code == 204


def test_a_run_that_is_too_large_names_the_setting(make_portal: MakePortal) -> None:
    portal = make_portal(run_rows=1000)
    plain = to_yaml(load_scenario("cascade").with_overrides(fleet_size=100)).encode()
    key = answer(portal.post(LIST, data=plain), 201)["key"]
    assert "TFT_DASH_RUN_ROWS" in answer(portal.post(f"{LIST}/{key}/runs"), 413)["error"]
    assert answer(portal.get("/api/v1/runs")) == []


def test_a_run_can_be_stopped(portal: FlaskClient) -> None:
    plain = to_yaml(load_scenario("healthy").with_overrides(fleet_size=1000, duration_seconds=7200)).encode()
    key = answer(portal.post(LIST, data=plain), 201)["key"]
    begun = answer(portal.post(f"{LIST}/{key}/runs"), 202)
    answer(portal.delete(f"/api/v1/runs/{begun['id']}"))
    run = finished(portal, begun["id"])
    assert run["state"] == "cancelled"
    assert run["url"] is None


def test_an_unknown_run_or_source_is_404(portal: FlaskClient) -> None:
    assert "no run" in answer(portal.get("/api/v1/runs/none"), 404)["error"]
    assert "no run" in answer(portal.delete("/api/v1/runs/none"), 404)["error"]
    assert "no source" in answer(portal.post("/api/v1/sources/none/watching"), 404)["error"]
    assert portal.post("/api/v1/sources/demo_dataset/watching").status_code == 204
