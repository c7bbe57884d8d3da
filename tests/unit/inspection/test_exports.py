"""The rows of a view as files to take away."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from support.recordings import fleet_table, write_parquet

from tft_dash.inspection.inspector import Inspector
from tft_dash.inspection.views import Filter, Sort, View

EVERYTHING = View()


RISKY = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(1)", "\tx", "\rx", 'a "quoted", text', "plain"]


def test_a_csv_export_runs_in_no_spreadsheet_and_loses_nothing_else(tmp_path: Path, inspector: Inspector) -> None:
    table = fleet_table(4, note=RISKY, **{"=1+1": pa.array([-1.5, None, 2.0, -3.0] * 2)})
    rows = inspector.rows(write_parquet(tmp_path / "it.parquet", table))
    text = b"".join(rows.export_csv(EVERYTHING)).decode()
    header, *lines = list(csv.reader(io.StringIO(text, newline="")))
    assert header == ["timestamp", "server_name", "profile", "cpu_pct", "latency_ms", "note", "'=1+1"]
    notes = [line[5] for line in lines]
    assert notes == [f"'{risky}" for risky in RISKY[:6]] + RISKY[6:]
    assert [line[6] for line in lines[:4]] == ["-1.5", "", "2", "-3"]
    assert lines[0][0] == "2024-05-01T12:00:00Z"


def test_an_export_is_the_view_and_nothing_else(tmp_path: Path, inspector: Inspector) -> None:
    path = tmp_path / "it.parquet"
    pq.write_table(fleet_table(40_000), path)
    rows = inspector.rows(path)
    view = View((Filter("cpu_pct", "number", "less", 10),), (Sort("latency_ms", descending=True),))
    source = pd.read_parquet(path)
    expected = source[source.cpu_pct < 10].sort_values("latency_ms", ascending=False, kind="stable")
    taken = pd.read_csv(io.BytesIO(b"".join(rows.export_csv(view))))
    assert taken["latency_ms"].to_numpy(np.float32).tolist() == expected["latency_ms"].tolist()
    file = io.BytesIO()
    rows.export_parquet(view, file)
    pd.testing.assert_frame_equal(
        pq.read_table(file).to_pandas().drop(columns="timestamp"),
        expected.drop(columns="timestamp").reset_index(drop=True),
    )


def test_an_export_without_rows_still_has_its_columns(tmp_path: Path, inspector: Inspector) -> None:
    rows = inspector.rows(write_parquet(tmp_path / "it.parquet", fleet_table(12)))
    nothing = View((Filter("row", "number", "more", 1_000),))
    assert b"".join(rows.export_csv(nothing)).decode().count("\n") == 1
    file = io.BytesIO()
    rows.export_parquet(nothing, file)
    assert pq.read_table(file).column_names == [column.name for column in rows.columns[1:]]


def test_an_exported_recording_is_a_recording_again(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    with (tmp_path / "again.parquet").open("wb") as file:
        inspector.rows(path).export_parquet(EVERYTHING, file)
    first, again = inspector.report(path), inspector.report(tmp_path / "again.parquet")
    assert {**again.facts, "digest": 0, "size_bytes": 0} == {**first.facts, "digest": 0, "size_bytes": 0}
