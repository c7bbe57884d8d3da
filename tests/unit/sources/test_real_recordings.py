"""Recordings of real systems, read from where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.recordings import DATA

from tft_dash.errors import TableError
from tft_dash.schema import METRIC_NAMES
from tft_dash.sources.file import FileSource
from tft_dash.sources.validate import check_table

RECORDINGS = sorted(path for folder in ("nezha", "nab") for path in (DATA / folder).glob("*.parquet"))
FOREIGN = sorted((DATA / "raw").glob("*.csv"))

pytestmark = pytest.mark.skipif(not RECORDINGS, reason=f"the shared recordings are not at {DATA}")


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_every_value_of_a_recording_is_in_its_cube_at_its_own_time(path: Path, tmp_path: Path) -> None:
    source = FileSource(path, name="it", cache_folder=tmp_path)
    about = source.describe()
    table = pq.read_table(path)
    ticks = about.ticks or 0
    batch, times = source.read(-1, ticks), source.sample_times(-1, ticks)
    tick, server = np.nonzero(~np.isnat(times))
    assert len(tick) == table.num_rows
    held = {(about.servers[s], int(times[t, s].astype(np.int64))): (t, s) for t, s in zip(tick, server, strict=True)}
    written = zip(table["server_name"].to_pylist(), pc.cast(table["timestamp"], "int64").to_pylist(), strict=True)
    places = np.array([held[key] for key in written])
    for name in METRIC_NAMES:
        values = table[name].to_numpy()
        if np.isnan(values).all():
            assert name not in about.metrics
        else:
            assert np.array_equal(batch.window.metrics[name][places[:, 0], places[:, 1]], values, equal_nan=True)
    assert about.notices == ()


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_keeps_the_contract(path: Path) -> None:
    assert check_table(path).acceptable


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.stem)
def test_a_table_of_a_foreign_shape_is_refused_with_the_columns_it_lacks(path: Path, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"has no .*server_name, no metric column. Its columns are: .*[vV]alue"):
        FileSource(path, name="it", cache_folder=tmp_path).prepare()
