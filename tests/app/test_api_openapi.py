"""The description of the JSON interface says what is there, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient

from tft_dash.api.openapi import openapi
from tft_dash.api.operations import OPERATIONS
from tft_dash.scenarios.document import json_schema, to_yaml
from tft_dash.scenarios.library import load_scenario

DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"


def answer(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return json.loads(response.text)


def routes(client: FlaskClient) -> set[tuple[str, str]]:
    """Method and address of every route of version 1; the one that tells what is unknown stands for none."""
    found = set()
    for rule in client.application.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        if path.startswith("/api/v1/"):
            found |= {(method.lower(), path) for method in set(rule.methods or ()) - {"HEAD", "OPTIONS"}}
    return found


def test_every_address_is_described_and_every_description_has_an_address(client: FlaskClient) -> None:
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(described) == len(OPERATIONS)
    assert described == routes(client)


def test_the_description_is_served_with_its_base_path(make_client: MakeClient) -> None:
    said = answer(make_client(base_path="/fleet").get("/fleet/api/v1/openapi.json"))
    assert said["openapi"].startswith("3.1")
    assert said["servers"] == [{"url": "/fleet"}]
    assert set(said["paths"]) == {operation.path for operation in OPERATIONS}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere_and_every_operation_has_its_own_name() -> None:
    said = json.loads(json.dumps(openapi()))
    schemas = said["components"]["schemas"]
    found = set(references(said))
    assert "#/components/schemas/Scenario.Fleet" in found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in schemas
    assert "$defs" not in json.dumps(said)
    operations = [operation for methods in said["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_the_scenario_document_is_described_field_by_field() -> None:
    schemas = openapi()["components"]["schemas"]
    assert set(schemas["Scenario"]["properties"]) == set(json_schema()["properties"])
    for part, schema in json_schema()["$defs"].items():
        assert set(schemas[f"Scenario.{part}"].get("properties", {})) == set(schema.get("properties", {}))
    assert "/api/v1/scenarios" in openapi()["paths"]


def fields(name: str) -> set[str]:
    schema = openapi()["components"]["schemas"][name]
    parts = [schema, *schema.get("allOf", [])]
    found = {field for part in parts for field in part.get("properties", {})}
    inherited = [
        reference.rsplit("/", 1)[1]
        for part in schema.get("allOf", [])
        for reference in [part.get("$ref", "")]
        if reference
    ]
    return found.union(*(fields(base) for base in inherited))


def test_answers_have_exactly_the_fields_that_are_described(make_client: MakeClient) -> None:
    client = make_client(str(DRILL), run_rows=100)
    assert set(answer(client.get("/api/v1/sources"))[0]) == fields("Source")
    assert set(answer(client.get("/api/v1/models"))[0]) == fields("Model")
    frame = answer(client.get("/api/v1/sources/demo_dataset/ticks/3"))
    assert set(frame) == fields("Frame")
    assert set(frame["servers"][0]) == fields("ServerNow")
    assert set(answer(client.get("/api/v1/datasets"))[0]) == fields("Dataset")
    page = answer(client.get("/api/v1/datasets/demo_dataset/rows"))
    assert set(page) == fields("RowPage")
    assert set(page["columns"][0]) == fields("RowColumn")


def test_scenarios_and_runs_have_exactly_the_fields_that_are_described(make_client: MakeClient) -> None:
    client = make_client(str(DRILL))
    document = to_yaml(load_scenario("cascade").with_overrides(fleet_size=4)).encode()
    made = answer(client.post("/api/v1/scenarios", data=document), 201)
    assert set(made) == fields("ScenarioEntry")
    assert set(answer(client.get("/api/v1/scenarios"))[0]) == fields("ScenarioSummary")
    assert set(answer(client.post("/api/v1/scenarios/check", data=document))) == fields("Checked")
    address = f"/api/v1/scenarios/{made['key']}"
    assert set(answer(client.post(f"{address}/runs"), 202)) == fields("Run")
    late = answer(client.put(f"{address}?version=7", data=document), 409)
    assert set(late) == fields("Conflict")
    wrong = answer(client.post("/api/v1/scenarios", data=b"kind: 3"), 422)
    assert set(wrong) == fields("Mistakes")
    assert set(wrong["errors"][0]) == fields("Mistake")
    assert set(answer(client.delete(address))) == fields("Deleted")


def test_an_upload_has_exactly_the_fields_that_are_described(make_client: MakeClient) -> None:
    client = make_client(str(DRILL))
    sent = answer(client.post("/api/v1/datasets?filename=x.csv", data=b"timestamp,server_name,cpu_pct\n"), 201)
    assert set(sent) == fields("Upload")
    assert set(answer(client.delete(f"/api/v1/uploads/{sent['id']}"))) == fields("Discarded")


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.method == "get" and "{" not in one.path])
def test_every_plain_address_answers_as_described(client: FlaskClient, operation: Any) -> None:
    response = client.get(operation.path)
    assert response.status_code in operation.gives
    shape = operation.gives[response.status_code]
    assert response.mimetype == (shape.removeprefix("file:") if shape.startswith("file:") else "application/json")
