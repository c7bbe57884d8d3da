"""The list, the inspection and the import step, asked by POST as a browser does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from app.conftest import MakeClient
from flask.testing import FlaskClient

WANTED = {"report": "1", "columns": "60 ", "map": "light", "rows": "1"}
LIST = {"id": 1, "search": "", "sort": "", "descending": False, "known": []}


def ask(
    client: FlaskClient, output: str, inputs: dict[str, Any], state: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the callback that writes ``output`` answers: id → properties. ``inputs`` are ``id.property`` → value."""
    for dependency in json.loads(client.get("/_dash-dependencies").text):
        if output in dependency["output"] and {f"{one['id']}.{one['property']}" for one in dependency["inputs"]} == set(
            inputs
        ):
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            outputs = [{"id": name, "property": prop} for name, prop in names]
            body = {
                "output": dependency["output"],
                "outputs": outputs if len(outputs) > 1 else outputs[0],
                "changedPropIds": [next(iter(inputs))],
                "inputs": [_part(name, value) for name, value in inputs.items()],
                "state": [_part(name, value) for name, value in (state or {}).items()],
            }
            response = client.post("/_dash-update-component", json=body)
            assert response.status_code == 200, response.text
            return json.loads(response.text)["response"]
    raise AssertionError(f"no callback writes {output} from {', '.join(inputs)}")


def _part(name: str, value: Any) -> dict[str, Any]:
    component, prop = name.rsplit(".", 1)
    return {"id": component, "property": prop, "value": value}


def inspect(client: FlaskClient, name: str = "demo_dataset", **parts: Any) -> dict[str, Any]:
    request = {"id": 1, "name": name, "view": None, "action": None, "wanted": WANTED, "drawn": {}, "theme": "light",
               "columns": {"words": "", "limit": 60}, **parts}  # fmt: skip
    return ask(client, "dataset-answer.data", {"dataset-request.data": request})


def listed(client: FlaskClient, **parts: Any) -> dict[str, Any]:
    return ask(client, "datasets-answer.data", {"datasets-request.data": {**LIST, **parts}})


def block(client: FlaskClient, name: str = "demo_dataset", **request: Any) -> dict[str, Any]:
    asked = {"startRow": 0, "endRow": 100, "filterModel": {}, "sortModel": [], **request}
    return ask(client, "dataset-grid.getRowsResponse",
               {"dataset-grid.getRowsRequest": asked, "dataset-again.data": None},
               {"dataset-about.data": {"name": name}})  # fmt: skip


def text_of(component: Any) -> str:
    if isinstance(component, list):
        return " ".join(map(text_of, component))
    if isinstance(component, dict):
        return text_of(component.get("props", {}).get("children", ""))
    return "" if component is None else str(component)


# ---------------------------------------------------------------- the list


def test_the_list_scans_what_it_does_not_know_one_by_one(make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(cache=tmp_path / "cache")
    first = listed(client)
    assert first["datasets-answer"]["data"]["busy"] is True
    assert "not scanned yet" in text_of(first["datasets-table"]["children"])
    for _ in range(4):
        last = listed(client)
    assert last["datasets-answer"]["data"]["busy"] is False
    shown = text_of(last["datasets-table"]["children"])
    assert shown.count("keeps the contract") == 2
    assert "600" in shown


def test_a_page_gets_only_the_rows_that_have_changed(make_client: MakeClient, tmp_path: Path) -> None:
    own = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]
    for path in own:
        path.write_bytes((Path(__file__).parents[2] / "demo_data" / "demo_dataset.csv").read_bytes())
    client = make_client(*map(str, own), cache=tmp_path / "cache")
    for _ in range(10):
        if not (known := listed(client)["datasets-answer"]["data"])["busy"]:
            break
    assert "datasets-table" not in listed(client, stamps=known["stamps"])
    assert "children" in listed(client, stamps=known["stamps"], sort="name")["datasets-table"]["children"]["props"]
    own[1].write_text("x,y\n1,2\n")
    answer = listed(client, stamps=known["stamps"])
    patch = answer["datasets-table"]["children"]
    assert [each["location"][-1] for each in patch["operations"]] == [1]
    assert "two" in json.dumps(patch)
    assert "three" not in json.dumps(patch)
    assert answer["datasets-answer"]["data"]["stamps"][1:] != known["stamps"][1:]


def test_the_list_is_searched_and_sorted(client: FlaskClient) -> None:
    found = text_of(listed(client, search="early")["datasets-table"]["children"])
    assert "early-warning" in found
    assert "demo_dataset" not in found
    order = text_of(listed(client, sort="name", descending=True)["datasets-table"]["children"])
    assert order.index("early-warning") < order.index("demo_dataset")


def test_one_missing_file_hides_no_other(make_client: MakeClient, tmp_path: Path) -> None:
    drill = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"
    shown = text_of(listed(make_client(str(drill), str(tmp_path / "gone.csv")))["datasets-table"]["children"])
    assert "demo_dataset" in shown
    assert "cannot be read" in shown
    assert f"There is nothing at {tmp_path / 'gone.csv'}." in shown


def test_a_request_that_makes_no_sense_is_survived(client: FlaskClient) -> None:
    found = listed(client, search=7, sort={"a": 1}, descending="x", known="y")
    assert "demo_dataset" in text_of(found["datasets-table"]["children"])


# ---------------------------------------------------------------- the inspection


def test_an_inspection_has_all_its_parts_at_once_when_the_scan_is_done(client: FlaskClient) -> None:
    found = inspect(client)
    answer = found["dataset-answer"]["data"]
    assert answer["state"] == "done"
    assert answer["drawn"] == WANTED
    # The file's name alone: in which of the portal's folders it lies is nobody's business.
    verdict = text_of(found["dataset-verdict"]["children"]).strip()
    assert verdict.startswith("demo_dataset.parquet keeps the data contract")
    assert "Affected servers" in text_of(found["dataset-drill"]["children"])
    assert found["dataset-server"]["options"][0] == "web-001"
    go.Figure(found["dataset-map"]["figure"])
    assert answer["map"]["servers"] == found["dataset-server"]["options"]


def test_a_page_gets_only_what_it_lacks(client: FlaskClient) -> None:
    again = inspect(client, wanted={**WANTED, "map": "dark"}, drawn=WANTED)
    assert set(again) == {"dataset-map", "dataset-map-box", "dataset-map-note", "dataset-answer"}
    assert set(inspect(client, drawn=WANTED)) == {"dataset-answer"}


def test_columns_are_found_by_name(client: FlaskClient) -> None:
    found = inspect(client, wanted={"columns": "60 net"}, columns={"words": "net", "limit": 60})
    rows = text_of(found["dataset-columns"]["children"])
    assert "net_in_mb_s" in rows
    assert "cpu_pct" not in rows


def test_what_cannot_be_inspected_says_why(client: FlaskClient) -> None:
    found = inspect(client, "demo_datase")
    assert "Did you mean 'demo_dataset'" in text_of(found["dataset-verdict"]["children"])
    assert found["dataset-answer"]["data"]["state"] == "error"
    assert inspect(client, name=None, wanted=3, drawn="x")["dataset-answer"]["data"]["state"] == "error"


def test_what_is_no_table_has_its_verdict_and_no_rows(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "page.csv"
    path.write_text("<!doctype html><html><body>Sign in</body></html>")
    found = inspect(make_client(str(path)), "page")
    shown = text_of(found["dataset-verdict"]["children"])
    assert "breaks the data contract: 1 error" in shown
    assert "web page" in shown
    for part in ("dataset-columns", "dataset-map-note", "dataset-grid-place"):
        assert "the verdict says why" in text_of(found[part]["children"])
    assert found["dataset-map-box"]["hidden"] is True
    assert "48 bytes" in text_of(found["dataset-facts"]["children"])
    assert found["dataset-answer"]["data"]["state"] == "done"


def test_a_table_that_cannot_be_played_has_its_verdict_its_columns_and_its_rows(
    make_client: MakeClient, tmp_path: Path
) -> None:
    (tmp_path / "odd.csv").write_text("time,host,cpu\n2026-01-01T00:00:00Z,a,7\n2026-01-01T00:01:00Z,a,8\n")
    client = make_client(str(tmp_path / "odd.csv"))
    found = inspect(client, "odd")
    assert "There is no column timestamp." in text_of(found["dataset-verdict"]["children"])
    assert "host" in text_of(found["dataset-columns"]["children"])
    assert found["dataset-map-box"]["hidden"] is True
    rows = block(client, "odd")["dataset-grid"]["getRowsResponse"]["rowData"]
    assert [row["c2"] for row in rows] == [7, 8]
    bar = ask(client, "dataset-row.children", {"dataset-grid.selectedRows": rows[:1]},
              {"dataset-about.data": {"name": "odd"}})["dataset-row"]["children"]  # fmt: skip
    assert text_of(bar) == "Row 1: no server at no time"


def test_names_that_are_code_stay_text(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    name = "<script>alert(1)</script>"
    path.write_text(f"timestamp,server_name,cpu_pct,__proto__,{name}\n2026-01-01T00:00:00Z,{name},1,2,3\n")
    client = make_client(str(path))
    found = inspect(client, "odd")
    assert name in text_of(found["dataset-columns"]["children"])
    figure = json.dumps(found["dataset-map"]["figure"])
    assert "<script>" not in figure
    assert "&lt;script&gt;" in figure
    row = block(client, "odd")["dataset-grid"]["getRowsResponse"]["rowData"][0]
    assert row["c1"] == name
    assert "__proto__" not in row


# ---------------------------------------------------------------- rows


def test_the_rows_come_in_the_view_that_the_grid_asks_for(client: FlaskClient) -> None:
    inspect(client)
    whole = block(client)
    assert whole["dataset-grid"]["getRowsResponse"]["rowCount"] == 600
    assert len(whole["dataset-grid"]["getRowsResponse"]["rowData"]) == 100
    assert whole["dataset-matching"]["children"] == "600 rows"
    assert whole["dataset-view"]["data"] == {"plain": ""}
    asked = {"filterModel": {"c1": {"filterType": "text", "type": "contains", "filter": "web"}},
             "sortModel": [{"colId": "c4", "sort": "desc"}]}  # fmt: skip
    some = block(client, **asked)
    assert some["dataset-matching"]["children"] == "240 of 600 rows match"
    values = [row["c4"] for row in some["dataset-grid"]["getRowsResponse"]["rowData"]]
    assert values == sorted(values, reverse=True)
    plain = some["dataset-view"]["data"]["plain"]
    assert json.loads(plain)["filters"][0]["value"] == "web"
    links = json.dumps(some["dataset-exports"]["children"])
    assert "rows.csv?view=%7B" in links
    assert "rows.parquet?view=%7B" in links


def test_the_view_of_an_address_is_in_the_grid_and_a_broken_one_is_not(client: FlaskClient) -> None:
    view = json.dumps({"filters": [{"column": "c1", "kind": "text", "operator": "starts", "value": "db"}], "sorts": []})
    grid = inspect(client, view=view)["dataset-grid-place"]["children"]["props"]
    assert grid["filterModel"] == {"c1": {"filterType": "text", "type": "startsWith", "filter": "db"}}
    for broken in ("{", '{"filters": 7}', "[1]", "x" * 30_000):
        assert inspect(client, view=broken)["dataset-grid-place"]["children"]["props"]["filterModel"] == {}


def test_a_filter_that_does_not_fit_is_told_and_ends_the_waiting(client: FlaskClient) -> None:
    inspect(client)
    asked = {"filterModel": {"c4": {"filterType": "number", "type": "equals", "filter": "much"}}}
    found = block(client, **asked)
    assert found["dataset-grid"]["getRowsResponse"] == {"rowData": [], "rowCount": 0}
    assert "'much'" in text_of(found["dataset-rows-banner"]["children"])


def test_a_row_leads_to_the_live_monitor_and_to_its_server(client: FlaskClient) -> None:
    inspect(client)
    row = block(client)["dataset-grid"]["getRowsResponse"]["rowData"][25]
    bar = ask(client, "dataset-row.children", {"dataset-grid.selectedRows": [row]},
              {"dataset-about.data": {"name": "demo_dataset"}})["dataset-row"]["children"]  # fmt: skip
    plain = json.dumps(bar)
    assert f"/?source=demo_dataset&tick=2&playing=0&server={row['c1']}" in plain
    assert f'"data-show-server": "{row["c1"]}"' in plain


def test_a_server_has_its_course_and_the_way_to_the_live_monitor(client: FlaskClient) -> None:
    def course(**pick: Any) -> dict[str, Any]:
        return ask(client, "dataset-series.figure", {"dataset-pick.data": {"theme": "dark", **pick}},
                   {"dataset-about.data": {"name": "demo_dataset"}})  # fmt: skip

    found = course(server="db-001", tick=7)
    assert found["dataset-series-box"]["hidden"] is False
    assert len(found["dataset-series"]["figure"]["data"]) == 8
    assert "tick=7&playing=0&server=db-001" in json.dumps(found["dataset-series-note"]["children"])
    assert course(server=None)["dataset-series-box"]["hidden"] is True
    unknown = course(server="nobody", tick="x")
    assert unknown["dataset-series-box"]["hidden"] is True
    assert "no server 'nobody'" in text_of(unknown["dataset-series-note"]["children"])


# ---------------------------------------------------------------- the import step


def test_an_unknown_upload_is_told(client: FlaskClient) -> None:
    opened = {"import-open.data": {"id": "../../x"}, "import-paste-use.n_clicks": None}
    found = ask(client, "import-label.children", opened, {"import-paste.value": None, "import-about.data": None})
    assert "This upload is not here any more" in text_of(found["import-remembered"]["children"])
    assert found["import-form"]["children"] == []
