"""Folders of tables, and what a recording says about where it comes from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from support.recordings import fleet_table, write_csv, write_lines, write_parquet

from tft_dash.errors import TableError
from tft_dash.sources.file import FileSource


def source_of(path: Path) -> FileSource:
    return FileSource(path, name="it", cache_folder=path.parent / "cache")


def metadata(**declared: object) -> dict[str, str]:
    return {"tft_dash": json.dumps(declared)}


def test_a_folders_tables_are_one_recording_in_order_of_time(tmp_path: Path) -> None:
    table = fleet_table(30)
    write_parquet(tmp_path / "days" / "b.parquet", table.slice(0, 20))
    write_csv(tmp_path / "days" / "deep" / "a.csv", table.slice(20, 20))
    write_parquet(tmp_path / "days" / "no-suffix", table.slice(40))
    write_parquet(tmp_path / "one.parquet", table)
    parts, whole = source_of(tmp_path / "days"), source_of(tmp_path / "one.parquet")
    assert parts.describe().ticks == 30
    assert parts.describe().notices == whole.describe().notices
    one, other = (source.read(-1, 30).window.metrics["latency_ms"] for source in (parts, whole))
    order = [parts.describe().servers.index(name) for name in whole.describe().servers]
    assert np.array_equal(one[:, order], other)


def test_unrelated_files_in_a_folder_are_ignored(tmp_path: Path) -> None:
    write_csv(tmp_path / "days" / "a.csv", fleet_table(3))
    for name in ("read.me", "notes.txt", "x.json", "x.yaml", ".hidden.csv", "_SUCCESS", "_delta/part.csv", "x.py"):
        write_lines(tmp_path / "days" / name, "timestamp,other", "1,2")
    assert source_of(tmp_path / "days").describe().ticks == 3
    assert source_of(tmp_path / "days").describe().notices == ()


def test_a_csv_file_beside_its_parquet_form_is_left_out_and_said_so(tmp_path: Path) -> None:
    write_csv(tmp_path / "demo" / "drill.csv", fleet_table(3))
    write_parquet(tmp_path / "demo" / "drill.parquet", fleet_table(3))
    assert source_of(tmp_path / "demo").describe().notices == (
        "drill.csv is left out: a Parquet file of its name is there.",
    )


def test_a_table_of_another_kind_in_a_folder_is_left_out_and_said_so(tmp_path: Path) -> None:
    write_csv(tmp_path / "days" / "a.csv", fleet_table(3))
    write_lines(tmp_path / "days" / "owners.csv", "server_name,owner", "web-1,me")
    write_lines(tmp_path / "days" / "empty.csv").write_bytes(b"")
    assert source_of(tmp_path / "days").describe().notices == (
        "owners.csv left out, having no column timestamp.",
        "owners.csv left out, having no metric column.",
        "empty.csv is left out: it is empty.",
    )


def test_folders_named_column_equals_value_give_that_column(tmp_path: Path) -> None:
    table = fleet_table(4, ["x"])
    for name, profile in (("web 1", "web"), ("db-1", "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / "lake" / f"profile={profile}" / f"server_name={name.replace(' ', '%20')}" / "day=1"
        write_parquet(folder / "part-0", table.drop_columns(["server_name", "profile"]))
    about = source_of(tmp_path / "lake").describe()
    assert dict(zip(about.servers, about.profiles, strict=True)) == {"web 1": "web", "db-1": "generic"}


def test_a_moved_partition_is_another_recording(tmp_path: Path) -> None:
    table = fleet_table(4, ["x"]).drop_columns(["server_name"])
    write_parquet(tmp_path / "one" / "server_name=a" / "part.parquet", table)
    write_parquet(tmp_path / "two" / "server_name=b" / "part.parquet", table)
    assert source_of(tmp_path / "one").describe().servers == ("a",)
    assert source_of(tmp_path / "two").describe().servers == ("b",)


def test_a_folder_without_tables_says_so(tmp_path: Path) -> None:
    write_lines(tmp_path / "docs" / "read.me", "hello")
    with pytest.raises(TableError, match="holds no CSV or Parquet file"):
        source_of(tmp_path / "docs").prepare()


def test_a_damaged_table_in_a_folder_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "days" / "a.csv", fleet_table(3))
    path = write_parquet(tmp_path / "days" / "b.parquet", fleet_table(3))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match=r"b\.parquet is a Parquet file that was cut off"):
        source_of(tmp_path / "days").prepare()


def test_a_folder_of_several_drills_is_refused(tmp_path: Path) -> None:
    for name in ("calm", "storm"):
        write_parquet(tmp_path / "demo" / f"{name}.parquet", fleet_table(3), metadata(scenario=name))
    with pytest.raises(TableError, match=r"2 different drills.*calm\.parquet, storm\.parquet"):
        source_of(tmp_path / "demo").prepare()


def test_a_drills_own_metadata_names_it_and_sets_its_pace(tmp_path: Path) -> None:
    declared = metadata(scenario="storm", title="A storm", tick_seconds=300, playback_speed=60.0)
    about = source_of(write_parquet(tmp_path / "it.parquet", fleet_table(3, step_ms=300_000), declared)).describe()
    assert about.simulated
    assert (about.title, about.step_seconds, about.tick_wall_seconds) == ("A storm", 300.0, 5.0)


def test_a_plain_recording_is_not_simulated_and_named_after_its_file(tmp_path: Path) -> None:
    about = source_of(write_parquet(tmp_path / "my fleet.parquet", fleet_table(3))).describe()
    assert not about.simulated
    assert (about.title, about.tick_wall_seconds) == ("my fleet", None)


def test_the_side_file_of_a_drill_speaks_for_its_csv(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "it.csv", fleet_table(3))
    side = tmp_path / "it_metadata.json"
    side.write_text(json.dumps({"scenario": "storm", "tick_seconds": 5.0, "playback_speed": 1.0}))
    assert source_of(path).describe().tick_wall_seconds == 5.0
    side.write_text(json.dumps({"files": [{"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]}))
    assert source_of(path).describe().simulated
    side.write_text(json.dumps({"owner": "me"}))
    assert not source_of(path).describe().simulated


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_a_side_file_that_is_no_object_is_ignored_and_said_so(tmp_path: Path, text: str) -> None:
    path = write_csv(tmp_path / "it.csv", fleet_table(3))
    (tmp_path / "it_metadata.json").write_text(text)
    assert source_of(path).describe().notices == ("it_metadata.json is not a JSON object; it is ignored.",)


@pytest.mark.parametrize("value", [0, -1, "fast", True, [5]])
def test_an_impossible_pace_is_ignored_and_said_so(tmp_path: Path, value: object) -> None:
    declared = metadata(scenario="storm", tick_seconds=5, playback_speed=value)
    about = source_of(write_parquet(tmp_path / "it.parquet", fleet_table(3), declared)).describe()
    assert about.tick_wall_seconds is None
    assert any("playback_speed" in notice for notice in about.notices)
