"""The list of datasets: its order, its search, and what a line offers."""

from __future__ import annotations

import json
from typing import Any

import plotly
import pytest

from tft_dash.pages.datasets import DatasetRow, PendingUpload, layout, matching, pending, sorted_rows, table
from tft_dash.pages.wording import Verdict


def row(name: str, **parts: Any) -> DatasetRow:
    known = {"kind": "upload", "servers": None, "rows": None, "span_seconds": None, "step_seconds": None, "bytes": None}
    return DatasetRow(
        name=name, **{**known, "changed": None, "verdict": Verdict("good", "keeps the contract"), **parts}
    )


def written(component: Any) -> str:
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def names(rows: list[DatasetRow]) -> list[str]:
    return [one.name for one in rows]


def test_what_is_not_known_comes_last_in_both_directions() -> None:
    rows = [row("a", rows=5), row("b"), row("c", rows=9)]
    assert names(sorted_rows(rows, "rows", descending=False)) == ["a", "c", "b"]
    assert names(sorted_rows(rows, "rows", descending=True)) == ["c", "a", "b"]


def test_names_sort_without_regard_to_case_and_verdicts_worst_first() -> None:
    rows = [row("b"), row("A", verdict=Verdict("bad", "1 error")), row("c", verdict=Verdict("warning", "1 warning"))]
    assert names(sorted_rows(rows, "name", descending=False)) == ["A", "b", "c"]
    assert names(sorted_rows(rows, "verdict", descending=False)) == ["A", "c", "b"]


def test_numbers_within_names_are_counted() -> None:
    rows = [row("team-10"), row("team-9"), row("team"), row("9"), row("²"), row("team-9b")]
    assert names(sorted_rows(rows, "name", descending=False)) == ["9", "team", "team-9", "team-9b", "team-10", "²"]


@pytest.mark.parametrize("key", ["", "__class__", "nothing", None, 7])
def test_an_unknown_order_leaves_the_list_as_it_is(key: object) -> None:
    assert names(sorted_rows([row("b"), row("a")], key, descending=False)) == ["b", "a"]


def test_every_word_of_the_search_must_stand_in_the_line() -> None:
    rows = [row("web", kind="drill"), row("web-2"), row("db", verdict=Verdict("bad", "2 errors"))]
    assert names(matching(rows, "WEB drill")) == ["web"]
    assert names(matching(rows, "errors")) == ["db"]
    assert names(matching(rows, None)) == ["web", "web-2", "db"]


def test_only_what_may_be_removed_has_the_button() -> None:
    found = written(table([row("mine", removable=True), row("theirs")], "/"))
    assert '"data-remove": "mine"' in found
    assert '"data-remove": "theirs"' not in found


def test_the_column_in_order_says_so() -> None:
    found = written(table([row("a")], "/", key="rows", descending=True))
    assert found.count('"aria-sort": "descending"') == 1
    assert found.count('"aria-sort": "none"') == 8


def test_links_stay_below_the_base_path_whatever_the_name() -> None:
    found = written(table([row("a b/../c?x=1#y")], "/sub/"))
    assert '"href": "/sub/datasets/a%20b%2F..%2Fc%3Fx%3D1%23y"' in found
    assert '"href": "/sub/?source=a%20b%2F..%2Fc%3Fx%3D1%23y"' in found


def test_an_empty_list_says_what_to_do_and_an_empty_search_that_nothing_matches() -> None:
    assert "Drop a file" in written(table([], "/"))
    assert "No dataset matches" in written(table([], "/", total=3))


def test_waiting_uploads_offer_what_can_be_done() -> None:
    states = ("received", "needs-mapping", "working", "refused")
    found = [written(pending([PendingUpload("1f", "x.csv", "words", state)], "/")) for state in states]
    assert [("data-admit" in one, "datasets/import/1f" in one) for one in found] == [
        (True, False), (False, True), (False, True), (False, False)
    ]  # fmt: skip
    assert all('"data-discard": "1f"' in one for one in found)
    assert pending([], "/") == []


def test_the_limit_is_said_beforehand_and_given_to_the_script() -> None:
    found = written(layout(1024))
    assert "up to 1,024 MB" in found
    assert '"data-limit-mb": "1024"' in found
