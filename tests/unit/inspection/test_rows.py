"""Rows by page: filtered by typed values, in any order, and as files to take away."""

from __future__ import annotations

import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.recordings import fleet_table, write_csv, write_lines, write_parquet

from tft_dash.background import Background
from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.inspection.inspector import Inspector
from tft_dash.inspection.rows import PAGE_COLUMNS, Rows
from tft_dash.inspection.showing.ordering import VIEWS_KEPT
from tft_dash.inspection.views import Filter, Sort, View, parse_view

EVERYTHING = View()


def only(column: str, kind: str, operator: str, value: Any = None, value_to: Any = None) -> View:
    plain = {"column": column, "kind": kind, "operator": operator, "value": value, "value_to": value_to}
    return parse_view({"filters": [plain]})


def by(*columns: str, descending: bool = False) -> View:
    return View((), tuple(Sort(column, descending) for column in columns))


def numbers(rows: Rows, view: View) -> list[int]:
    """The row numbers of a view, in its order."""
    return [row["row"] for row in rows.page(view, 0, 500).rows]  # type: ignore[misc]


def values(rows: Rows, name: str, view: View = EVERYTHING) -> list[Any]:
    field = next(column.field for column in rows.columns if column.name == name)
    return [row[field] for row in rows.page(view, 0, 500).rows]


@pytest.fixture
def mixed(tmp_path: Path, inspector: Inspector) -> Rows:
    """24 rows of every kind of value, with missing ones."""
    table = fleet_table(
        12,
        rack=["b", "A", None, "a.b", "(x", "a"] * 4,
        load=pa.array([0.1, None, float("nan"), -5.0, float("inf"), 0.1] * 4, pa.float32()),
        count=pa.array([3, None, 1, 2, 2**60, -4] * 4, pa.int64()),
        good=[True, False, None] * 8,
    )
    return inspector.rows(write_parquet(tmp_path / "it.parquet", table))


FILTERS: dict[str, tuple[View, set[int]]] = {
    "contains, whatever the case": (only("rack", "text", "contains", "a"), {2, 4, 6}),
    "contains a dot literally": (only("rack", "text", "contains", "."), {4}),
    "contains half a pattern": (only("rack", "text", "contains", "(x"), {5}),
    "contains a whole pattern": (only("rack", "text", "contains", ".*"), set()),
    "starts": (only("rack", "text", "starts", "A"), {2, 4, 6}),
    "starts with a sign": (only("rack", "text", "starts", "^a"), set()),
    "ends": (only("rack", "text", "ends", "B"), {1, 4}),
    "equals is exact": (only("rack", "text", "equals", "a"), {6}),
    "another text, missing ones too": (only("rack", "text", "not-equals", "a"), {1, 2, 3, 4, 5}),
    "blank": (only("rack", "text", "blank"), {3}),
    "not blank": (only("rack", "text", "not-blank"), {1, 2, 4, 5, 6}),
    "a float as it is read": (only("load", "number", "equals", 0.1), {1, 6}),
    "a float as text": (only("load", "number", "equals", "0.1"), {1, 6}),
    "less": (only("load", "number", "less", 0.1), {4}),
    "at most": (only("load", "number", "at-most", 0.1), {1, 4, 6}),
    "more": (only("load", "number", "more", 0.1), {5}),
    "between": (only("load", "number", "between", -5, 0.1), {1, 4, 6}),
    "null and NaN are blank": (only("load", "number", "blank"), {2, 3}),
    "a big whole number": (only("count", "number", "equals", 2**60), {5}),
    "its neighbour": (only("count", "number", "equals", 2**60 + 1), set()),
    "a number beyond any column": (only("count", "number", "less", 1e300), {1, 3, 4, 5, 6}),
    "a whole number by a half": (only("count", "number", "more", 2.5), {1, 5}),
    "a flag": (only("good", "flag", "equals", True), {1, 4}),
    "no flag": (only("good", "flag", "not-equals", "true"), {2, 3, 5, 6}),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_keeps_exactly_its_rows(mixed: Rows, name: str) -> None:
    view, expected = FILTERS[name]
    found = numbers(mixed, view)
    assert {number for number in found if number <= 6} == expected
    assert found == sorted(found)
    assert mixed.page(view, 0, 1).matching == 4 * len(expected)


TIMES = {
    ("equals", "2024-05-01T12:00:05Z", None): {3, 4},
    ("less", "2024-05-01 12:00:05", None): {1, 2},
    ("at-least", "2024-05-01T12:00:54.999Z", None): {23, 24},
    ("between", "2024-05-01T12:00:05Z", "2024-05-01T12:00:10Z"): {3, 4, 5, 6},
    ("more", "2024-05-01", None): set(range(1, 25)),
    ("less", "2024", None): set(),
    ("more", "9999-01-01", None): set(),
}


@pytest.mark.parametrize(("operator", "value", "value_to"), TIMES)
def test_times_are_compared_as_times(mixed: Rows, operator: str, value: str, value_to: str | None) -> None:
    found = numbers(mixed, only("timestamp", "time", operator, value, value_to))
    assert set(found) == TIMES[operator, value, value_to]


def test_all_filters_must_be_passed(mixed: Rows) -> None:
    both = View((Filter("rack", "text", "equals", "b"), Filter("row", "number", "more", 6)))
    assert numbers(mixed, both) == [7, 13, 19]


def test_a_finding_is_looked_up_by_its_rows_number(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(
        tmp_path / "it.csv",
        "timestamp,server_name,cpu_pct",
        "2024-05-01T12:00:00Z,a,1",
        "2024-05-01T12:00:05Z,a",
        "2024-05-01T12:00:10Z,a,high",
        "yesterday,a,4",
    )
    example = next(one for one in inspector.report(path).findings if one.rule == "text-in-number").examples[0]
    rows = inspector.rows(path)
    assert values(rows, "cpu_pct", only("row", "number", "equals", example.row)) == ["high"]
    found = rows.page(EVERYTHING).rows
    assert [row["row"] for row in found] == [1, 3, 4]
    assert [row["tick"] for row in found] == [0, 1, None]
    assert found[-1]["c0"] == "yesterday"


def test_missing_values_come_last_in_both_directions(mixed: Rows) -> None:
    first = only("row", "number", "at-most", 6)
    up = values(mixed, "count", View(first.filters, (Sort("count"),)))
    down = values(mixed, "count", View(first.filters, (Sort("count", descending=True),)))
    assert up == [-4, 1, 2, 3, str(2**60), None]
    assert down == [str(2**60), 3, 2, 1, -4, None]
    assert values(mixed, "load", View(first.filters, (Sort("load"),))) == [-5.0, 0.1, 0.1, "∞", None, None]


def test_texts_are_ordered_whatever_their_case(mixed: Rows) -> None:
    first = only("row", "number", "at-most", 6)
    assert values(mixed, "rack", View(first.filters, (Sort("rack"),))) == ["(x", "A", "a", "a.b", "b", None]


def test_equal_values_keep_the_next_order_and_then_the_files(mixed: Rows) -> None:
    down = View((), (Sort("good", descending=True), Sort("server_name"), Sort("row", descending=True)))
    table = pd.DataFrame(
        {"row": range(1, 25), "good": [1.0, 0.0, np.nan] * 8, "server_name": ["web-1", "db-1"] * 12}
    )  # fmt: skip
    expected = table.sort_values(["good", "server_name", "row"], ascending=[False, True, False], kind="stable")
    assert numbers(mixed, down) == expected["row"].tolist()
    assert numbers(mixed, by("good"))[:8] == list(range(2, 25, 3))


@pytest.mark.parametrize("column", ["request", "amount", "timestamp", "good", "small"])
def test_any_kind_of_column_can_be_sorted_by(tmp_path: Path, inspector: Inspector, column: str) -> None:
    rng = np.random.default_rng(3)
    count = 9_000
    plain: dict[str, Any] = {
        "request": [f"Request {number}" for number in rng.permutation(count)],
        "amount": pa.array([decimal.Decimal(int(number)) / 4 for number in rng.permutation(count)]),
        "good": rng.random(count) > 0.5,
        "small": pa.array(rng.integers(0, 255, count).astype(np.uint8)),
    }
    path = tmp_path / "it.parquet"
    pq.write_table(fleet_table(count // 2, **plain), path, row_group_size=1_000)
    rows = inspector.rows(path)
    keys = pq.read_table(path).column(column).to_pandas()
    keys = keys.str.lower() if column == "request" else keys
    for descending in (False, True):
        expected = keys.sort_values(ascending=not descending, kind="stable").index[4_000:4_050] + 1
        page = rows.page(by(column, descending=descending), 4_000, 50)
        assert [row["row"] for row in page.rows] == expected.tolist()


def test_pages_follow_one_another_without_a_gap(tmp_path: Path, inspector: Inspector) -> None:
    path = tmp_path / "it.parquet"
    pq.write_table(fleet_table(80_000), path, row_group_size=50_000)
    rows = inspector.rows(path)
    for first in (0, 49_990, 65_530, 159_995):
        page = rows.page(EVERYTHING, first, 10)
        assert [row["row"] for row in page.rows] == list(range(first + 1, min(first + 11, 160_001)))
    assert rows.page(EVERYTHING, 200_000, 10).rows == []
    assert rows.page(EVERYTHING, 0, 0).matching == 160_000


@pytest.mark.parametrize(("first", "limit"), [(-1, 10), (0, 501), (0, -1)])
def test_an_impossible_page_is_refused(mixed: Rows, first: int, limit: int) -> None:
    with pytest.raises(UsageError, match="at most 500 rows"):
        mixed.page(EVERYTHING, first, limit)


def test_a_view_is_put_in_order_once_for_all_processes(tmp_path: Path, mixed: Rows) -> None:
    expected = numbers(mixed, by("count"))
    kept = {file: file.stat().st_ino for file in (tmp_path / "cache").rglob("views/*.npy")}
    again = Inspector(tmp_path / "cache", Background(None)).rows(tmp_path / "it.parquet")
    assert numbers(again, by("count")) == expected
    assert len(kept) == 1
    assert kept == {file: file.stat().st_ino for file in (tmp_path / "cache").rglob("views/*.npy")}


def test_only_so_many_views_are_kept(tmp_path: Path, mixed: Rows) -> None:
    for number in range(VIEWS_KEPT + 4):
        mixed.page(only("row", "number", "more", number))
    assert len(list((tmp_path / "cache").rglob("views/*.npy"))) == VIEWS_KEPT
    assert numbers(mixed, only("row", "number", "more", 22)) == [23, 24]


def test_rows_of_a_folder_say_their_file_and_its_partition(tmp_path: Path, inspector: Inspector) -> None:
    write_csv(tmp_path / "days" / "zone=north" / "one.csv", fleet_table(2))
    write_parquet(tmp_path / "days" / "zone=south" / "two.parquet", fleet_table(2, extra=[1, 2, 3, 4]))
    rows = inspector.rows(tmp_path / "days")
    assert values(rows, "file") == ["zone=north/one.csv"] * 4 + ["zone=south/two.parquet"] * 4
    assert values(rows, "zone") == ["north"] * 4 + ["south"] * 4
    assert values(rows, "extra") == [None] * 4 + [1, 2, 3, 4]
    assert numbers(rows, EVERYTHING) == [1, 2, 3, 4, 1, 2, 3, 4]
    assert values(rows, "row", only("file", "text", "contains", "TWO")) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["__proto__", "constructor", "row", "c0", "=1+1", "", "<script>alert(1)</script>"])
def test_no_name_of_a_column_becomes_a_key_of_a_row(tmp_path: Path, inspector: Inspector, name: str) -> None:
    rows = inspector.rows(write_parquet(tmp_path / "it.parquet", fleet_table(2, **{name: ["x"] * 4})))
    assert [column.name for column in rows.columns][-1] == name
    assert set(rows.page(EVERYTHING).rows[0]) == {"row", "tick", *(f"c{place}" for place in range(6))}
    assert rows.page(EVERYTHING).rows[0]["c5"] == "x"


def test_equal_names_are_told_apart_by_their_fields(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(tmp_path / "it.csv", "timestamp,server_name,cpu_pct,cpu_pct", "2024-05-01T12:00:00Z,a,1,2")
    rows = inspector.rows(path)
    assert rows.page(only("c3", "number", "equals", 2)).matching == 1
    assert rows.page(only("cpu_pct", "number", "equals", 2)).matching == 0


def test_cells_are_plain_json_and_exact(tmp_path: Path, inspector: Inspector) -> None:
    table = fleet_table(
        1,
        small=pa.array([0.1, 16777217.0], pa.float32()),
        big=pa.array([2**53, -(2**62)]),
        money=pa.array([decimal.Decimal("0.10"), decimal.Decimal("12345678901234567890.50")]),
        when=pa.array([0, 10**18], pa.timestamp("us", "Europe/Berlin")),
        long=["x" * 5_000, "tab\tand\x1bescape"],
    )
    rows = inspector.rows(write_parquet(tmp_path / "it.parquet", table))
    first, second = json.loads(json.dumps(rows.page(EVERYTHING).rows, allow_nan=False))
    names = {column.name: column.field for column in rows.columns}
    assert [first[names[name]] for name in ("small", "big", "money", "when")] == [
        0.1,
        2**53,
        0.1,
        "1970-01-01T00:00:00Z",
    ]
    assert second[names["big"]] == str(-(2**62))
    assert second[names["money"]] == "12345678901234567890.50"
    assert second[names["when"]].startswith("33658-")
    assert len(first[names["long"]]) <= 200
    assert "\x1b" not in second[names["long"]]


def test_a_page_of_a_very_wide_table_is_bounded_and_any_column_can_be_asked_for(
    tmp_path: Path, inspector: Inspector
) -> None:
    wide = {f"column {place}": [float(place)] * 4 for place in range(2_000)}
    rows = inspector.rows(write_parquet(tmp_path / "it.parquet", fleet_table(2, **wide)))
    assert len(rows.columns) == 2_006
    assert len(rows.page(EVERYTHING).rows[0]) == PAGE_COLUMNS + 1
    assert rows.page(EVERYTHING, columns=["column 1999", "row"]).rows[1] == {"c2004": 1999.0, "row": 2, "tick": 0}


def test_a_filter_of_another_kind_is_refused_in_words(mixed: Rows) -> None:
    with pytest.raises(UsageError, match="'rack' holds values of kind text; a filter of kind number cannot"):
        mixed.page(only("rack", "number", "more", 1))


def test_an_unknown_column_is_named(mixed: Rows) -> None:
    for view in (only("rak", "text", "blank"), by("rak")):
        with pytest.raises(UnknownNameError, match=r"no column 'rak'\. Did you mean 'rack'"):
            mixed.page(view)


def test_an_empty_table_has_no_rows_but_columns(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(tmp_path / "it.csv", "timestamp,server_name,cpu_pct")
    rows = inspector.rows(path)
    assert rows.page(by("cpu_pct")).rows == []
    assert rows.page(only("cpu_pct", "text", "blank")).matching == 0
    assert [column.name for column in rows.columns] == ["row", "timestamp", "server_name", "cpu_pct"]
