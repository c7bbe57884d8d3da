"""A table that is small on disk and endless when it is read is refused by its footer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tft_dash.errors import TableError
from tft_dash.importing.guarded.sizes import ROWS_ALWAYS, VALUE_BYTES, VALUES_ALWAYS, demand_size

MB = 10**6


def equal_rows(path: Path, rows: int, columns: int = 1) -> Path:
    """Many times the same row in a few kilobytes."""
    part = pa.table({f"c{place}": pa.array(np.zeros(1_000_000, np.int8)) for place in range(columns)})
    with pq.ParquetWriter(path, part.schema, compression="zstd") as writer:
        while rows > 0:
            writer.write_table(part.slice(0, min(rows, part.num_rows)))
            rows -= part.num_rows
    return path


def test_more_rows_than_the_limit_stands_for_are_refused_with_the_setting_that_gives_it(tmp_path: Path) -> None:
    path = equal_rows(tmp_path / "bomb.parquet", 40_000_000)
    assert path.stat().st_size < MB
    with pytest.raises(TableError, match=r"40,000,000 rows of 1 columns.*TFT_DASH_UPLOAD_MB.*32,000,000 rows"):
        demand_size(path, 1024 * MB)
    demand_size(path, 2048 * MB)


def test_more_values_than_the_limit_stands_for_are_refused(tmp_path: Path) -> None:
    columns = 200
    path = equal_rows(tmp_path / "bomb.parquet", VALUES_ALWAYS // columns + 1, columns)
    with pytest.raises(TableError, match="leave columns out"):
        demand_size(path, MB)
    demand_size(path, (VALUES_ALWAYS + columns) * VALUE_BYTES)


def test_a_small_limit_of_bytes_does_not_keep_a_usual_table_out(tmp_path: Path) -> None:
    demand_size(equal_rows(tmp_path / "table.parquet", ROWS_ALWAYS), MB)
    with pytest.raises(TableError):
        demand_size(equal_rows(tmp_path / "more.parquet", ROWS_ALWAYS + 1), MB)


def test_text_is_not_measured_by_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("timestamp,server_name,cpu_pct\n")
    demand_size(path, 1)
