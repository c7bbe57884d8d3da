"""Datasets over HTTP: the list, the verdict, columns, gaps and rows, whatever the file holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.recordings import fleet_table, write_lines, write_parquet

from tft_dash.api.datasets import register_datasets
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.sources.validate import check_table

DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"
MakeReader = Callable[..., FlaskClient]


@pytest.fixture
def make_reader(cache: Path, tmp_path: Path) -> Iterator[MakeReader]:
    """A client of the datasets' addresses alone, over the named sources."""
    opened: list[Services] = []

    def make(*sources: str, **flags: object) -> FlaskClient:
        given = {"cache": cache, "data": tmp_path / "data", "sources": sources or None, **flags}
        services = Services(load_settings(given, environ={}, folder=tmp_path), wait_seconds=None, look_seconds=0.0)
        opened.append(services)
        server = Flask("datasets")
        register_datasets(server, services)
        return server.test_client()

    yield make
    for services in opened:
        services.close()


@pytest.fixture
def reader(make_reader: MakeReader) -> FlaskClient:
    """A client over the shipped drills."""
    return make_reader()


def answer(client: FlaskClient, address: str, status: int = 200) -> Any:
    response = client.get(f"/api/v1/datasets{address}")
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    return json.loads(response.text)


def viewed(address: str, **view: Any) -> str:
    return f"{address}?view={quote(json.dumps(view))}"


def test_the_list_has_every_source_and_what_is_known_of_it(make_reader: MakeReader, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "page.csv", "<html>")
    client = make_reader(str(DRILL), str(path), str(tmp_path / "gone.csv"))
    answer(client, "/demo_dataset/report")
    listed = {one["name"]: one for one in answer(client, "")}
    drill = listed["demo_dataset"]
    assert (drill["rows"], drill["servers"], drill["step_seconds"], drill["verdict"]) == (600, 10, 5.0, "acceptable")
    assert (drill["kind"], drill["origin"], drill["bytes"]) == ("file", "configured", DRILL.stat().st_size)
    assert listed["page"]["verdict"] == "not acceptable"
    assert (listed["gone"]["bytes"], listed["gone"]["verdict"]) == (None, None)


def test_the_verdict_is_that_of_a_check(reader: FlaskClient) -> None:
    assert answer(reader, "/demo_dataset/report") == check_table(DRILL).as_dict()


def test_columns_and_gaps_are_plain_json(reader: FlaskClient) -> None:
    columns = {one["name"]: one for one in answer(reader, "/demo_dataset/columns")}
    assert columns["cpu_pct"]["kind"] == "number"
    assert sum(columns["cpu_pct"]["histogram_counts"]) == 600
    gaps = answer(reader, "/demo_dataset/gaps")
    assert gaps["start"] == "2026-01-05T09:00:00.000Z"
    assert [sum(row) for row in gaps["present"]] == [60] * 10


def test_rows_are_paged_filtered_and_sorted(reader: FlaskClient) -> None:
    table = pd.read_parquet(DRILL)
    page = answer(reader, "/demo_dataset/rows?first=590&limit=20")
    assert ([row["row"] for row in page["rows"]], page["total"]) == (list(range(591, 601)), 600)
    view = {
        "filters": [{"column": "server_name", "kind": "text", "operator": "equals", "value": "db-001"}],
        "sorts": [{"column": "cpu_pct", "descending": True}],
    }
    page = answer(reader, viewed("/demo_dataset/rows", **view))
    field = next(one["field"] for one in page["columns"] if one["name"] == "cpu_pct")
    expected = table[table.server_name == "db-001"].cpu_pct.sort_values(ascending=False)
    assert [row[field] for row in page["rows"]] == expected.tolist()
    assert page["matching"] == 60
    assert set(answer(reader, "/demo_dataset/rows?column=cpu_pct&limit=1")["rows"][0]) == {field, "tick"}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/demo_dataset/rows?view=cpu", "not JSON"),
        ("/demo_dataset/rows?view=[]", "an object"),
        ("/demo_dataset/rows?first=-1", "'-1', not a whole number"),
        ("/demo_dataset/rows?limit=501", "at most 500"),
        (viewed("/demo_dataset/rows.csv", sorts=[{"column": "cpu"}]), "no column 'cpu'"),
        (viewed("/demo_dataset/rows", filters=[{"column": "state", "kind": "number", "operator": "blank"}] * 33), "32"),
    ],
)
def test_a_view_that_cannot_be_is_400_in_words(reader: FlaskClient, address: str, words: str) -> None:
    assert words in answer(reader, address, 400)["error"]


def test_an_unknown_dataset_is_404(reader: FlaskClient) -> None:
    for part in ("report", "columns", "gaps", "rows", "rows.csv", "rows.parquet"):
        assert "no source 'other'" in answer(reader, f"/other/{part}", 404)["error"]


def test_what_is_no_table_is_422_but_has_a_verdict(make_reader: MakeReader, tmp_path: Path) -> None:
    client = make_reader(str(write_lines(tmp_path / "page.csv", "<html>")))
    assert answer(client, "/page/report")["acceptable"] is False
    for part in ("columns", "gaps", "rows", "rows.csv"):
        assert "web page" in answer(client, f"/page/{part}", 422)["error"]


def test_the_view_can_be_taken_away_as_a_file(make_reader: MakeReader, tmp_path: Path) -> None:
    table = fleet_table(2, note=["=1+1", "b", "c", "d"])
    client = make_reader(f"a-name={write_parquet(tmp_path / 'it.parquet', table)}")
    view = {"filters": [{"column": "row", "kind": "number", "operator": "at-most", "value": 2}]}
    response = client.get("/api/v1/datasets" + viewed("/a-name/rows.csv", **view))
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a-name.csv"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert [row[-1] for row in csv.reader(io.StringIO(response.text))] == ["note", "'=1+1", "b"]
    response = client.get("/api/v1/datasets" + viewed("/a-name/rows.parquet", **view))
    assert pd.read_parquet(io.BytesIO(response.data))["note"].tolist() == ["=1+1", "b"]


def test_a_base_path_moves_the_addresses(make_reader: MakeReader) -> None:
    client = make_reader(base_path="/fleet")
    assert client.get("/fleet/api/v1/datasets").status_code == 200
