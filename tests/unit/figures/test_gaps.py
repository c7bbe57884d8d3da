"""The map of servers by time: what a cell counts as, its symbol and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tft_dash.figures import gaps
from tft_dash.figures.gaps import COMPLETE, DOUBLE, NONE, OFFLINE, SOME, Gaps
from tft_dash.theme import DARK, LIGHT, Theme


def made(present: Any, duplicate: Any = None, offline: Any = None, servers: tuple[str, ...] = ("a", "b")) -> Gaps:
    present = np.array(present)
    nothing = np.zeros_like(present)
    count = present.shape[1]
    return Gaps(
        servers=servers,
        times=np.datetime64("2026-01-01T00:00:00", "ms") + np.arange(count) * np.timedelta64(60_000, "ms"),
        bucket_seconds=60.0,
        expected=np.full(count, 6),
        present=present,
        duplicate=nothing if duplicate is None else np.array(duplicate),
        offline=nothing if offline is None else np.array(offline),
        first_ticks=np.arange(count) * 6,
    )


def test_a_cell_is_what_is_worst_about_it() -> None:
    found = made([[6, 5, 0], [6, 6, 5]], duplicate=[[0, 0, 0], [2, 0, 0]], offline=[[0, 0, 0], [0, 3, 3]])
    assert gaps.codes(found).tolist() == [[COMPLETE, SOME, NONE], [DOUBLE, OFFLINE, OFFLINE]]


def test_a_cell_tells_its_counts() -> None:
    cells = gaps.figure(made([[6, 5], [6, 6]], duplicate=[[0, 2], [0, 0]], offline=[[0, 0], [0, 3]]), LIGHT)["data"][0]
    assert cells["text"] == [
        ["6 of 6 samples", "5 of 6 samples · 2 doubled"],
        ["6 of 6 samples", "6 of 6 samples · 3 offline"],
    ]


def test_every_cell_that_is_not_complete_carries_a_symbol_of_its_kind() -> None:
    marks = gaps.figure(made([[6, 5, 0], [6, 6, 6]], offline=[[0, 0, 0], [0, 0, 1]]), LIGHT)["data"][1:]
    drawn = {mark["marker"]["symbol"]: list(zip(mark["x"], mark["y"], strict=True)) for mark in marks}
    assert drawn["diamond-open"] == [("2026-01-01T00:01:00.000", "a")]
    assert drawn["x-thin"] == [("2026-01-01T00:02:00.000", "a")]
    assert drawn["square-open"] == [("2026-01-01T00:02:00.000", "b")]
    assert drawn["cross"] == []


def test_no_more_symbols_are_drawn_than_a_browser_bears() -> None:
    count = 100
    found = made(np.zeros((count, 60), int), servers=tuple(f"s{place}" for place in range(count)))
    marks = gaps.figure(found, LIGHT)["data"][1:]
    assert sum(len(mark["x"]) for mark in marks) == gaps.SYMBOLS


def test_names_that_are_alike_once_shortened_have_rows_of_their_own() -> None:
    long = "x" * 64
    names = gaps.row_names([f"{long}middle{long}", f"{long}muddle{long}", "<b>web</b>"])
    assert len(set(names)) == 3
    assert names[2] == "&lt;b&gt;web&lt;/b&gt;"


def test_every_server_has_its_row_and_the_box_scrolls() -> None:
    assert gaps.height(1000) - gaps.height(999) == gaps.row_height(1000)
    assert gaps.row_height(1000) >= 12


def test_the_legend_says_every_state_in_words() -> None:
    words = [key.children for key in gaps.legend().children]
    assert words == ["complete", "some samples missing", "no sample", "doubled samples", "offline"]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_plotly_takes_the_figure(theme: Theme) -> None:
    go.Figure(gaps.figure(made([[6, 5], [0, 6]]), theme))
    go.Figure(gaps.figure(made([[6]], servers=("only",)), theme))


def test_no_row_is_called_like_what_every_object_of_a_browser_has() -> None:
    names = gaps.row_names(["__proto__", "constructor", "toString", "web"])
    assert [name.rstrip("\u2060") for name in names] == ["__proto__", "constructor", "toString", "web"]
    assert names[3] == "web"
    assert not {"__proto__", "constructor", "toString"} & set(names)
