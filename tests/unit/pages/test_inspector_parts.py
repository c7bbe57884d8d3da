"""The parts of an inspection: the words of the check, columns of any name, the rows' view there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import pytest

from tft_dash.inspection.facts import ColumnFacts
from tft_dash.inspection.views import parse_view
from tft_dash.pages.inspector import columns, facts, grid, page, verdict
from tft_dash.pages.inspector.drill import Drill, drill
from tft_dash.pages.inspector.grid import GridColumn
from tft_dash.sources.findings import Example, Finding
from tft_dash.sources.report import Report
from tft_dash.sources.validate import check_table

NASTY = ("<script>alert(1)</script>", "__proto__", "constructor", "=1+1", "\u202eevil", "x" * 128, "")
EMPTY = np.zeros(0)


def written(component: Any) -> str:
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def text_of(component: Any) -> str:
    if isinstance(component, list | tuple):
        return " ".join(map(text_of, component))
    return text_of(component.children) if hasattr(component, "to_plotly_json") and hasattr(component, "children") else (
        "" if component is None or hasattr(component, "to_plotly_json") else str(component)
    )  # fmt: skip


def finding(**parts: Any) -> Finding:
    known = {"rule": "gap", "severity": "warning", "column": None, "count": 3, "share": 0.1, "sentence": "Three.",
             "advice": "Mend it.", "examples": ()}  # fmt: skip
    return Finding(**{**known, **parts})


def column(name: str, **parts: Any) -> ColumnFacts:
    known = {
        "field": "c0", "name": name, "type": "double", "kind": "number", "unit": None, "meaning": None,
        "in_contract": False, "rows": 10, "present": 5, "distinct": 4, "distinct_limit": 1000, "low": 1.0, "p50": 2.0,
        "p99": 3.0, "high": 4.0, "examples": (), "histogram_edges": EMPTY, "histogram_counts": EMPTY, "spark": EMPTY,
        "stuck_runs": 0, "longest_stuck": 0, "stuck_server": None, "sample": None, "note": None,
    }  # fmt: skip
    return ColumnFacts(**{**known, **parts})


# ---------------------------------------------------------------- the verdict


def test_the_verdict_and_findings_are_the_words_of_the_check(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("timestamp,server_name,cpu_pct\n2026-01-01T00:00:00Z,a,500\n2026-01-01T00:00:05Z,a,x\n")
    report = check_table(path)
    shown = text_of(verdict.verdict(report, "/", "bad"))
    assert report.as_text().split("\n", 1)[0] in shown
    for found in report.findings:
        assert found.sentence in shown
        assert found.advice in shown
        assert found.rule in shown


def test_findings_stand_in_the_reports_order_with_count_share_and_rows() -> None:
    examples = (Example("a.csv", 1234, "2026-01-01T00:00:00Z", NASTY[0], None), Example("a.csv", None, None, None, "v"))
    found = verdict.verdict(
        Report("a.csv", {}, (finding(severity="error", examples=examples), finding(count=None))), "/", "a"
    )
    shown = text_of(found)
    assert shown.index("error") < shown.index("warning", shown.index("What to do"))
    assert "row 1,234" in shown
    assert "10%" in shown
    assert '"data-row": "1234"' in written(found)
    assert "no time" in shown


@pytest.mark.parametrize(
    ("severities", "words"),
    [((), "keeps the contract"), (("notice",), "keeps the contract"), (("warning", "notice"), "1 warning"),
     (("error", "error", "warning"), "2 errors")],
)  # fmt: skip
def test_a_verdict_in_few_words(severities: tuple[str, ...], words: str) -> None:
    report = Report("x", {}, tuple(finding(severity=severity) for severity in severities))
    assert verdict.verdict_of(report).words == words


def test_thousands_of_findings_are_folded_and_then_left_to_the_report() -> None:
    report = Report("x", {}, tuple(finding(severity="notice", sentence=f"number {place}") for place in range(3000)))
    found = verdict.verdict(report, "/", "x")
    assert len(written(found)) < 1_000_000
    assert "Show 300 further findings" in text_of(found)
    assert "2,675 more findings" in text_of(found)


# ---------------------------------------------------------------- facts and columns


def test_facts_that_are_not_known_are_left_out() -> None:
    shown = text_of(facts.facts({"rows": 1200, "jitter_seconds": 0.0, "step_seconds": 5.0}, "whole"))
    assert "1,200" in shown
    assert "5 s" in shown
    assert "SHA-256" not in shown
    digest = written(facts.facts({"digest": "abc"}, "whole"))
    assert '"data-copy": "abc"' in digest


def test_every_column_has_a_row_whatever_it_is_called() -> None:
    found = columns.table([column(name, spark=np.array([1.0, 2.0])) for name in NASTY], 60)
    assert len(found.children[1].children) == len(NASTY)
    assert "dangerously" not in written(found)
    assert "Markdown" not in written(found)


def test_a_drawing_holds_nothing_of_the_file() -> None:
    found = columns.table([column(NASTY[0], spark=np.array([1.0, 2.0]), histogram_counts=np.array([1, 2]))], 60)
    drawings = written(found).split('"--drawing": ')[1:]
    assert len(drawings) == 2
    assert not any("script" in part.split("}")[0] for part in drawings)


def test_text_shows_its_most_frequent_values_and_time_its_bounds() -> None:
    texts = text_of(
        columns.table([column("s", kind="text", low=None, p50=None, p99=None, high=None, examples=("a", ""))], 9)
    )
    assert "most often" in texts
    assert "(empty)" in texts
    times = text_of(columns.table([column("t", kind="time", low=0.0, p50=60.0, p99=120.0, high=180.0)], 9))
    assert "1970-01-01 00:03" in times


def test_more_distinct_values_than_were_counted_are_called_so() -> None:
    assert "more than 1,000" in text_of(columns.table([column("a", distinct=None)], 9))


def test_stuck_runs_name_the_longest_and_its_server() -> None:
    shown = text_of(columns.table([column("a", stuck_runs=2, longest_stuck=48, stuck_server="web-001")], 9))
    assert "2 runs" in shown
    assert "longest 48 samples" in shown
    assert "web-001" in shown


def test_many_columns_come_some_at_a_time_and_are_found_by_name() -> None:
    many = [column(f"extra_{place}") for place in range(3000)]
    assert len(columns.table(many, columns.SHOWN).children[1].children) == columns.SHOWN
    assert columns.more_words(columns.SHOWN, 3000) == "Show 60 more of 3,000 columns"
    assert columns.more_words(3000, 3000) is None
    assert [one.name for one in columns.found(many, " EXTRA_299 ")] == ["extra_299"] + [
        f"extra_299{d}" for d in range(10)
    ]
    assert "No column" in text_of(columns.table([], 60))


# ---------------------------------------------------------------- the rows' view


COLUMNS = (
    GridColumn("row", "row", grid.NUMBER),
    GridColumn("c0", "timestamp", grid.TIME),
    GridColumn("c1", "__proto__", grid.TEXT),
    GridColumn("c2", "cpu_pct", grid.NUMBER),
    GridColumn("c3", "problem_child", grid.FLAG),
)
MODEL = {
    "c0": {"filterType": "date", "type": "inRange", "dateFrom": "2026-01-01 00:00:00", "dateTo": "2026-01-02 12:30:00"},
    "c1": {"filterType": "text", "type": "contains", "filter": ".*"},
    "c2": {"filterType": "number", "type": "greaterThanOrEqual", "filter": 70},
    "c3": {"filterType": "text", "type": "equals", "filter": "true"},
}
SORTS = [{"colId": "c2", "sort": "desc"}, {"colId": "c0", "sort": "asc"}]


def test_the_grids_filters_become_a_view_that_the_rows_accept() -> None:
    view = grid.plain_view(COLUMNS, {"filterModel": MODEL, "sortModel": SORTS})
    parsed = parse_view(view)
    assert [(one.column, one.kind, one.operator, one.value, one.value_to) for one in parsed.filters] == [
        ("c0", "time", "between", "2026-01-01T00:00:00", "2026-01-02T12:30:00"),
        ("c1", "text", "contains", ".*", None),
        ("c2", "number", "at-least", 70, None),
        ("c3", "flag", "equals", True, None),
    ]
    assert [(one.column, one.descending) for one in parsed.sorts] == [("c2", True), ("c0", False)]


def test_a_view_becomes_the_grids_filters_again() -> None:
    view = parse_view(grid.plain_view(COLUMNS, {"filterModel": MODEL, "sortModel": SORTS})).as_dict()
    assert grid.filter_model(COLUMNS, view) == MODEL
    order = {one["field"]: (one.get("sort"), one.get("sortIndex")) for one in grid.definitions(COLUMNS, view)}
    assert order == {"row": (None, None), "c0": ("asc", 1), "c1": (None, None), "c2": ("desc", 0), "c3": (None, None)}


@pytest.mark.parametrize("kind", list(grid.OPTIONS))
def test_every_comparison_that_the_grid_offers_is_one_that_the_rows_know(kind: str) -> None:
    values = {grid.NUMBER: 1, grid.TEXT: "a", grid.TIME: "2026-01-01 00:00:00", grid.FLAG: "false"}
    names = ("dateFrom", "dateTo") if kind == grid.TIME else ("filter", "filterTo")
    for operator in grid.OPTIONS[kind]:
        condition = {"type": operator, **dict.fromkeys(names, values[kind])}
        view = grid.plain_view([GridColumn("c0", "a", kind)], {"filterModel": {"c0": condition}})
        assert len(parse_view(view).filters) == 1


@pytest.mark.parametrize(
    "request_",
    [{}, {"filterModel": [1], "sortModel": 7}, {"filterModel": {"zzz": {"type": "equals"}}},
     {"filterModel": {"c2": "x"}, "sortModel": ["c2", {"colId": "__proto__"}]},
     {"filterModel": {"c2": {"type": "eval"}}}],
)  # fmt: skip
def test_what_no_grid_sends_is_left_out(request_: dict[str, Any]) -> None:
    assert grid.plain_view(COLUMNS, request_) == {"filters": [], "sorts": []}


def test_no_name_of_the_file_is_a_key_in_the_browser_and_no_code_is_allowed() -> None:
    made = grid.layout(
        [GridColumn(f"c{place}", name, grid.TEXT) for place, name in enumerate(NASTY)], {}
    ).to_plotly_json()
    assert [one["field"] for one in made["props"]["columnDefs"]] == [f"c{place}" for place in range(len(NASTY))]
    assert "dangerously_allow_code" not in made["props"]
    assert made["props"]["dashGridOptions"]["maxConcurrentDatasourceRequests"] == 1


# ---------------------------------------------------------------- the page and the drill


def test_the_parts_stand_in_their_order() -> None:
    found = written(page.layout(NASTY[0]))
    order = ("dataset-verdict", "dataset-facts", "dataset-columns", "dataset-map", "dataset-series", "dataset-drill",
             "dataset-grid-place")  # fmt: skip
    places = [found.index(f'"id": "{name}"') for name in order]
    assert places == sorted(places)


def test_a_drill_shows_what_lies_beside_it_and_leads_to_the_builder() -> None:
    made = Drill(True, "A title", "What happens.", [("Seed", "42")], [("peak", "2:30", "3:30")],
                 [f"web-{place}" for place in range(100)], ["incident_phase"], "{}", "", "kind: Scenario")  # fmt: skip
    found = drill(made, "/sub/", "my drill")
    shown = text_of(found)
    for words in (
        "A title",
        "What happens.",
        "42",
        "peak",
        "3:30",
        "web-0",
        "and 40 more",
        "incident_phase",
        "kind: Scenario",
    ):
        assert words in shown
    assert '"href": "/sub/scenarios/new?from=my%20drill"' in written(found)


def test_a_recording_with_labels_alone_is_no_drill() -> None:
    made = Drill(False, "", "", [], [], [], ["x_labels.json"], "", '{"a": 1}', "")
    found = drill(made, "/", "x")
    assert "Drill" not in text_of(found)
    assert "Open in the builder" not in text_of(found)
    assert '{"a": 1}' in text_of(found)
