from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tft_dash.errors import SettingError, StorageError
from tft_dash.scenarios.document import document_digest, parse_document
from tft_dash.scenarios.files import DrillFiles, generate_drill, is_current
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import COLUMNS, METRICS, STATES

DRILL_UNDER_A_LIMIT = """
import resource, signal, sys
from pathlib import Path
from tft_dash.errors import StorageError
from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    generate_drill(load_scenario("degrading"), Path(sys.argv[1]), "drill")
except StorageError as error:
    print(error)
"""


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def critical(tmp_path_factory: pytest.TempPathFactory) -> DrillFiles:
    """A drill with every kind of sample: numbers, lost ones, a server that is down."""
    return generate_drill(load_scenario("critical"), tmp_path_factory.mktemp("critical"))


def test_a_drill_has_four_files_the_parquet_first(critical: DrillFiles) -> None:
    names = [path.name for path in critical.paths]
    assert names == ["critical.parquet", "critical.csv", "critical_metadata.json", "critical.scenario.yaml"]
    assert {path.name for path in critical.metadata.parent.iterdir()} == set(names)


def test_the_same_document_makes_the_same_bytes_in_every_file(tmp_path: Path, document: dict[str, Any]) -> None:
    scenario = parse_document(document, "x")
    generate_drill(scenario, tmp_path / "one", "drill")
    generate_drill(scenario, tmp_path / "two", "drill")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_csv_and_parquet_hold_the_same_table(critical: DrillFiles) -> None:
    assert critical.csv is not None
    from_csv = pd.read_csv(critical.csv, parse_dates=["timestamp"])
    from_parquet = pd.read_parquet(critical.parquet)
    assert tuple(from_csv.columns) == tuple(from_parquet.columns) == COLUMNS
    assert len(from_csv) == critical.rows == 600
    pd.testing.assert_frame_equal(from_csv, from_parquet, check_dtype=False, check_exact=True)


def test_the_files_hold_what_the_simulation_holds(critical: DrillFiles) -> None:
    drill = simulate(load_scenario("critical"))
    table = pd.read_parquet(critical.parquet)
    for metric in METRICS:
        written = table[metric.name].to_numpy(np.float32).reshape(60, 10)
        assert np.array_equal(written, drill.window.metrics[metric.name], equal_nan=True)
    words = np.array([*STATES, None], object)[drill.states]
    assert pq.read_table(critical.parquet)["state"].to_pylist() == words.reshape(-1).tolist()
    assert table["incident_phase"].tolist() == np.repeat(drill.phases, 10).tolist()
    assert table["problem_child"].tolist() == np.tile(np.isin(drill.window.servers, drill.affected), 60).tolist()


def test_a_missing_metric_is_null_in_the_parquet_and_never_a_number(critical: DrillFiles) -> None:
    table = pq.read_table(critical.parquet)
    silent = int(np.isnan(simulate(load_scenario("critical")).window.metrics["cpu_pct"]).sum())
    assert silent > 5
    for metric in METRICS:
        assert table[metric.name].null_count == silent
        assert not np.isnan(table[metric.name].drop_null().to_numpy()).any()


def test_the_csv_is_plain_text_by_tick_then_server_with_fixed_decimals(critical: DrillFiles) -> None:
    assert critical.csv is not None
    with critical.csv.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["timestamp"] for row in rows[::10]][:2] == ["2026-01-05T09:00:00Z", "2026-01-05T09:00:05Z"]
    assert [row["server_name"] for row in rows[:10]] == [row["server_name"] for row in rows[590:]]
    for metric in METRICS:
        assert {len(row[metric.name].partition(".")[2]) for row in rows} == {0, metric.decimals}
    down = [row for row in rows if row["state"] == "offline"]
    lost = [row for row in rows if row["state"] == ""]
    assert down
    assert lost
    assert {row[metric.name] for row in down + lost for metric in METRICS} == {""}
    assert {row["problem_child"] for row in rows} == {"true", "false"}


def test_milliseconds_are_written_where_ticks_have_them(tmp_path: Path, document: dict[str, Any]) -> None:
    document["spec"] |= {"clock": {"duration": "2s", "tick": "500ms"}, "phases": None}
    files = generate_drill(parse_document(document, "x"), tmp_path)
    assert files.csv is not None
    times = [line.split(",")[0] for line in files.csv.read_text().splitlines()[1::3]]
    assert times == [f"2026-01-05T09:00:0{seconds}Z" for seconds in ("0.000", "0.500", "1.000", "1.500")]


def test_a_phase_named_with_commas_quotes_and_markup_reads_back_as_it_is(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    document["spec"]["phases"][1]["name"] = 'so, "stürmisch" <b>'
    files = generate_drill(parse_document(document, "x"), tmp_path)
    for table in (pd.read_csv(files.csv), pd.read_parquet(files.parquet)):
        assert table["incident_phase"].unique().tolist() == ["calm", 'so, "stürmisch" <b>', "after"]


def test_the_parquet_is_cut_at_whole_ticks_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    scenario = load_scenario("healthy").with_overrides(fleet_size=300, duration_seconds=3000)
    files = generate_drill(scenario, tmp_path, formats=("parquet",))
    footer = pq.read_metadata(files.parquet)
    sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    assert sum(sizes) == files.rows == 180_000
    assert len(sizes) == 2
    assert all(size % 300 == 0 for size in sizes)
    said = json.loads(footer.metadata[b"tft_dash"])
    assert said["scenario"] == "healthy"
    assert said["simulated"] is True
    assert (said["tick_seconds"], said["playback_speed"]) == (5.0, 1.0)
    assert said["document_sha256"] == document_digest(scenario)


def test_the_metadata_say_what_the_contract_promises(critical: DrillFiles) -> None:
    assert critical.csv is not None
    facts = json.loads(critical.metadata.read_text("utf-8"))
    assert facts["scenario"] == facts["name"] == "critical"
    assert facts["description"].startswith("Within seconds")
    assert (facts["seed"], facts["generator_version"], facts["start"]) == (42, "1", "2026-01-05T09:00:00Z")
    assert (facts["duration_seconds"], facts["tick_seconds"], facts["fleet_size"]) == (300, 5, 10)
    assert (facts["ticks"], facts["records"]) == (60, 600)
    assert facts["phases"][1] == {"name": "escalation", "from_seconds": 60, "to_seconds": 90}
    assert facts["affected_servers"] == ["web-001", "api-001", "db-001", "cache-001"]
    assert facts["rows_per_phase"] == {"stable": 120, "escalation": 60, "peak": 240, "recovery": 180}
    assert [column["name"] for column in facts["columns"]] == list(COLUMNS)
    assert facts["columns"][6]["unit"] == "ms"
    assert facts["csv_sha256"] == critical.csv_sha256 == hashlib.sha256(critical.csv.read_bytes()).hexdigest()


def test_the_csvs_digest_is_known_without_writing_it(tmp_path: Path, document: dict[str, Any]) -> None:
    scenario = parse_document(document, "x")
    both = generate_drill(scenario, tmp_path / "both")
    alone = generate_drill(scenario, tmp_path / "alone", formats=("parquet",))
    assert alone.csv is None
    assert alone.csv_sha256 == both.csv_sha256


def test_a_form_that_is_not_asked_for_is_not_left_over_from_an_earlier_drill(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    generate_drill(parse_document(document, "x"), tmp_path, "drill")
    document["spec"]["seed"] = 8
    files = generate_drill(parse_document(document, "x"), tmp_path, "drill", formats=("csv",))
    assert not (tmp_path / "drill.parquet").exists()
    assert files.paths[0] == tmp_path / "drill.csv"


def test_progress_ends_at_one(tmp_path: Path, document: dict[str, Any]) -> None:
    shares: list[float] = []
    generate_drill(parse_document(document, "x"), tmp_path, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_drill_is_current_until_its_document_or_a_file_changes(tmp_path: Path) -> None:
    scenario = load_scenario("degrading")
    assert not is_current(tmp_path, "drill", scenario)
    assert not is_current(tmp_path / "nowhere", "drill", scenario)
    files = generate_drill(scenario, tmp_path, "drill")
    assert is_current(tmp_path, "drill", scenario)
    for change in ({"seed": 43}, {"fleet_size": 11}, {"duration_seconds": 600}, {"tick_seconds": 10}):
        assert not is_current(tmp_path, "drill", scenario.with_overrides(**change))
    for path in files.paths:
        whole = path.read_bytes()
        for damage in (b"", whole[: len(whole) // 2], b"\0" * len(whole), b"[]"):
            path.write_bytes(damage)
            assert not is_current(tmp_path, "drill", scenario), (path.name, len(damage))
        path.unlink()
        assert not is_current(tmp_path, "drill", scenario)
        path.write_bytes(whole)
        assert is_current(tmp_path, "drill", scenario)


def test_a_sound_parquet_of_another_drill_in_its_place_is_noticed(tmp_path: Path) -> None:
    scenario = load_scenario("degrading")
    files = generate_drill(scenario, tmp_path / "one", "drill")
    for change in ({"seed": 43}, {"duration_seconds": 600}):
        other = generate_drill(scenario.with_overrides(**change), tmp_path / "two", "drill")
        assert files.parquet is not None
        assert other.parquet is not None
        files.parquet.write_bytes(other.parquet.read_bytes())
        assert not is_current(tmp_path / "one", "drill", scenario)


def test_one_changed_digit_in_the_csv_is_noticed(tmp_path: Path) -> None:
    scenario = load_scenario("degrading")
    files = generate_drill(scenario, tmp_path)
    assert files.csv is not None
    content = bytearray(files.csv.read_bytes())
    place = content.index(b".", 2000) + 1
    content[place] = ord("0") + (content[place] - ord("0") + 1) % 10
    files.csv.write_bytes(content)
    assert not is_current(tmp_path, "degrading", scenario)
    assert is_current(tmp_path, "degrading", scenario, formats=("parquet",))


def test_a_drill_of_another_name_or_generator_is_not_current(tmp_path: Path) -> None:
    scenario = load_scenario("degrading")
    files = generate_drill(scenario, tmp_path)
    facts = json.loads(files.metadata.read_text("utf-8"))
    for key, value in (("generator_version", "0"), ("name", "other"), ("csv_bytes", None)):
        files.metadata.write_text(json.dumps({**facts, key: value}), "utf-8")
        assert not is_current(tmp_path, "degrading", scenario), key
    files.metadata.write_text(json.dumps(facts), "utf-8")
    assert is_current(tmp_path, "degrading", scenario)


@pytest.mark.parametrize("limit", [2_000, 30_000])
def test_when_a_file_cannot_be_written_to_its_end_nothing_is_left(tmp_path: Path, limit: int) -> None:
    earlier = tmp_path / "drill.csv"
    earlier.write_text("what was there before")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRILL_UNDER_A_LIMIT, str(tmp_path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"Cannot write to the folder '{tmp_path}'" in ended.stdout
    assert ended.stderr == ""
    assert list(tmp_path.iterdir()) == [earlier]
    assert earlier.read_text() == "what was there before"


def test_interrupting_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_drill(load_scenario("degrading"), tmp_path, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_long_ago_is_removed(tmp_path: Path, document: dict[str, Any]) -> None:
    old, fresh = tmp_path / ".small.csv.0123.part", tmp_path / ".small.csv.4567.part"
    for path in (old, fresh):
        path.write_text("half a drill")
    os.utime(old, (0, 0))
    generate_drill(parse_document(document, "x"), tmp_path)
    assert not old.exists()
    assert fresh.exists()


def test_files_that_another_process_has_just_named_do_not_stop_a_drill(tmp_path: Path) -> None:
    named = tmp_path / ".small.parquet.0123.part"
    named.symlink_to("named-meanwhile")  # listed, but not there when it is looked at
    generate_drill(load_scenario("degrading"), tmp_path, "small", ("parquet",))
    assert (tmp_path / "small_metadata.json").exists()


def test_a_folder_that_cannot_be_is_named_with_the_reason(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    for folder, words in (
        (blocked, "not a folder"),
        (blocked / "deeper", "a part of the path is a file"),
        (Path("/proc/drills"), "cannot be made there"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(StorageError, match=words):
            generate_drill(load_scenario("degrading"), folder)
    assert blocked.read_text() == "not a folder"


@pytest.mark.parametrize("name", ["", "../up", "a b", "x" * 65, "a\n", ".hidden", "A"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="cannot be called"):
        generate_drill(load_scenario("degrading"), tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("formats", [(), ("xlsx",), ("csv", "feather")])
def test_a_format_that_is_not_written_is_refused(tmp_path: Path, formats: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match="written as csv or parquet"):
        generate_drill(load_scenario("degrading"), tmp_path, formats=formats)
