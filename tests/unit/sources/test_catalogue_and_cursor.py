"""Naming sources, and walking through one from a script."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import numpy as np
import pytest
from support.recordings import START, fleet_table, write_csv, write_parquet

from tft_dash.errors import SourceMissingError, TableError, UsageError
from tft_dash.schema import COLUMNS, METRIC_NAMES
from tft_dash.sources.catalogue import discover, discover_all
from tft_dash.sources.cursor import DataSource


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("drill.parquet", "drill"),
        ("my fleet (May).csv", "my-fleet-May"),
        ("größe.v2.csv", "groe.v2"),
        ("サーバー.csv", "recording"),
        ("..csv", "recording"),
        ("<b>.csv", "b"),
    ],
)
def test_a_source_is_named_after_its_file_as_a_url_can_hold_it(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).touch()
    found = discover(str(tmp_path / file))
    assert (found.name, found.kind, found.path) == (name, "file", tmp_path / file)


def test_a_folder_is_named_in_full(tmp_path: Path) -> None:
    (tmp_path / "data.v1").mkdir()
    assert discover(str(tmp_path / "data.v1")).name == "data.v1"


def test_a_given_name_stands_before_an_equals_sign(tmp_path: Path) -> None:
    path = tmp_path / "a=b.csv"
    path.touch()
    found = discover(f"prod={path}")
    assert (found.name, found.path) == ("prod", path)


def test_a_path_that_exists_is_never_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "day=1").mkdir()
    monkeypatch.chdir(tmp_path)
    found = discover("day=1")
    assert (found.name, found.path) == ("day-1", Path("day=1"))


def test_names_are_made_unique(tmp_path: Path) -> None:
    for folder in "abc":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it.csv").touch()
    paths = [tmp_path / folder / "it.csv" for folder in "abc"]
    specs = [str(paths[0]), str(paths[1]), f"it={paths[2]}"]
    found = [(each.name, each.path) for each in discover_all(specs)]
    assert found == [("it-2", paths[0]), ("it-3", paths[1]), ("it", paths[2])]


def test_a_name_that_is_given_twice_or_cannot_stand_in_a_url_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.csv"
    path.touch()
    with pytest.raises(UsageError, match="Two sources are called 'it'"):
        discover_all([f"it={path}", f"it={path}"])
    for name in ("", "a b", "<b>", "-x", "a" * 81):
        with pytest.raises(UsageError, match="cannot be called"):
            discover(f"{name}={path}")


def test_a_missing_path_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError, match="does not exist"):
        discover(str(tmp_path / "it.csv"))


def test_a_path_may_be_missing_yet_where_it_is_not_demanded(tmp_path: Path) -> None:
    assert discover(str(tmp_path / "it.csv"), demand=False).name == "it"


def test_a_script_walks_through_a_recording_tick_by_tick(tmp_path: Path) -> None:
    table = fleet_table(3, incident_phase=["calm"] * 2 + ["storm"] * 4, problem_child=[True, False] * 3)
    source = DataSource(data_path=str(write_parquet(tmp_path / "it.parquet", table)), data_format="parquet")
    assert source.get_current_progress() == 0.0
    seen = []
    while (batch := source.get_next_batch()) is not None:
        seen.append((batch, source.get_current_progress()))
    assert [round(progress, 1) for _, progress in seen] == [33.3, 66.7, 100.0]
    assert [batch["incident_phase"].iloc[0] for batch, _ in seen] == ["calm", "storm", "storm"]
    last = seen[-1][0]
    assert list(last.columns) == list(COLUMNS)
    assert last["timestamp"].iloc[0].to_datetime64() == START + np.timedelta64(10, "s")
    assert last["server_name"].tolist() == ["web-1", "db-1"]
    assert last["cpu_pct"].tolist() == table["cpu_pct"].to_pylist()[4:]
    assert last["problem_child"].tolist() == [True, False]
    assert last["mem_pct"].isna().all()
    assert source.get_next_batch() is None
    source.reset()
    first = source.get_next_batch()
    assert first is not None
    assert first.equals(seen[0][0])


def test_every_tick_has_a_row_for_every_server_and_says_nothing_for_a_silent_one(tmp_path: Path) -> None:
    table = fleet_table(3).filter([True, True, True, False, True, True])
    source = DataSource(write_csv(tmp_path / "it.csv", table))
    source.get_next_batch()
    batch = source.get_next_batch()
    assert batch is not None
    assert batch["state"].iloc[0] == "online"
    assert batch["state"].isna().tolist() == [False, True]
    assert np.isnan(batch.loc[1, list(METRIC_NAMES)].astype(float)).all()
    assert "incident_phase" not in batch


def test_two_holders_do_not_share_a_place(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(4))
    one, other = (DataSource(path, cache_folder=tmp_path / "cache") for _ in range(2))
    one.get_next_batch()
    one.get_next_batch()
    assert (one.get_current_progress(), other.get_current_progress()) == (50.0, 0.0)


def test_its_own_cache_goes_with_it_without_a_warning(tmp_path: Path) -> None:
    source = DataSource(write_parquet(tmp_path / "it.parquet", fleet_table(2)))
    cache = source.source._cache
    assert cache.is_dir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del source
        gc.collect()
    assert not cache.exists()


def test_a_format_that_is_insisted_on_must_be_that_of_the_file(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(2))
    with pytest.raises(TableError, match="is parquet, not csv"):
        DataSource(path, data_format="csv")
    with pytest.raises(UsageError, match="no data format 'xlsx'"):
        DataSource(path, data_format="xlsx")
