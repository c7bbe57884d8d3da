"""Small recordings for tests, written as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

START = np.datetime64("2024-05-01T12:00:00.000", "ms")
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def fleet_table(
    ticks: int = 12, servers: Sequence[str] = ("web-1", "db-1"), step_ms: int = 5_000, **columns: Sequence[Any]
) -> pa.Table:
    """One row per tick and server, ordered by time; ``columns`` are added or replace those of the same name."""
    times = START + np.repeat(np.arange(ticks) * step_ms, len(servers)).astype("timedelta64[ms]")
    count = ticks * len(servers)
    made: dict[str, Any] = {
        "timestamp": pa.array(times),
        "server_name": list(servers) * ticks,
        "profile": [name.split("-")[0] for name in servers] * ticks,
        "cpu_pct": pa.array((np.arange(count) * 7 % 60).astype(np.float32)),
        "latency_ms": pa.array((np.arange(count) * 3.5).astype(np.float32)),
    }
    return pa.table({**made, **columns})


def write_parquet(path: Path, table: pa.Table, metadata: Mapping[str, str] | None = None) -> Path:
    """The table as a Parquet file with small row groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=7)
    return path


def write_csv(path: Path, table: pa.Table) -> Path:
    """The table as a CSV file; times are written as ISO 8601 without a zone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow_csv.write_csv(table, path)
    return path


def write_lines(path: Path, *lines: str) -> Path:
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
