"""Recordings as they come: what is read out of a file, and what a viewer is told about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.recordings import START, fleet_table, write_csv, write_lines, write_parquet

from tft_dash.errors import UsageError
from tft_dash.schema import CRITICAL_ISSUE, NO_STATE, OFFLINE, ONLINE, WARNING
from tft_dash.sources.file import FileSource

Open = Callable[..., FileSource]
HEADER = "timestamp,server_name,profile,state,cpu_pct,error_rate"


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A source over a file, with a cache of its own."""

    def open_file(path: Path, step_seconds: float | None = None) -> FileSource:
        return FileSource(path, name="it", cache_folder=tmp_path / "cache", step_seconds=step_seconds)

    return open_file


@pytest.fixture
def lines(tmp_path: Path, opened: Open) -> Callable[..., FileSource]:
    """A source over a CSV file of these rows."""

    def open_lines(*rows: str, header: str = HEADER) -> FileSource:
        return opened(write_lines(tmp_path / "it.csv", header, *rows))

    return open_lines


def cpu(source: FileSource) -> list[list[float | None]]:
    values = source.read(-1, 100).window.metrics["cpu_pct"]
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]


def test_names_with_spaces_quotes_html_and_other_scripts_are_kept_as_they_are(
    lines: Callable[..., FileSource],
) -> None:
    names = ['say "hi", you', "<b>bold</b>", "größe", "サーバー", "a" * 128, "a b"]
    source = lines(*(f'2024-05-01T12:00:00Z,"{name.replace(chr(34), chr(34) * 2)}",web,,1,' for name in names))
    assert source.describe().servers == tuple(names)


def test_impossible_names_are_refused_and_counted(lines: Callable[..., FileSource]) -> None:
    names = ["", "   ", "a" * 129, "a" * 10_000, "tab\there", '"line\nbreak"']
    source = lines("2024-05-01T12:00:00Z,good,web,,1,", *(f"2024-05-01T12:00:00Z,{name},web,,1," for name in names))
    assert source.describe().servers == ("good",)
    assert any("6 rows with an impossible server name" in notice for notice in source.describe().notices)


def test_impossible_values_are_missing_and_each_kind_is_one_notice(lines: Callable[..., FileSource]) -> None:
    source = lines(
        "2024-05-01T12:00:00Z,a,web,,140,0.1",
        "2024-05-01T12:00:05Z,a,web,,inf,5",
        "2024-05-01T12:00:10Z,a,web,,high,-0.1",
        "2024-05-01T12:00:15Z,a,web,,-inf,",
        "2024-05-01T12:00:20Z,a,web,,50,NaN",
    )
    assert cpu(source) == [[None], [None], [None], [None], [50.0]]
    assert set(source.describe().notices) == {
        "cpu_pct: 1 value outside 0–100 % (20 %), treated as missing.",
        "cpu_pct: 2 values of infinite size (40 %), treated as missing.",
        "cpu_pct: 1 value of text instead of a number (20 %), treated as missing.",
        "error_rate: 2 values outside 0–1 (40 %), treated as missing.",
    }


def test_states_are_read_where_they_are_given_and_derived_where_not(lines: Callable[..., FileSource]) -> None:
    source = lines(
        "2024-05-01T12:00:00Z,a,web,offline,,",
        "2024-05-01T12:00:05Z,a,web,,95,",
        "2024-05-01T12:00:10Z,a,web,Fine!,80,",
        "2024-05-01T12:00:15Z,a,web,online,99,",
        "2024-05-01T12:00:20Z,a,web,,,",
    )
    states = source.read(-1, 9).states[:, 0].tolist()
    assert states == [OFFLINE, CRITICAL_ISSUE, WARNING, ONLINE, NO_STATE]
    assert any("1 value outside the contract's words" in notice for notice in source.describe().notices)


def test_a_missing_profile_is_generic_and_said_so(lines: Callable[..., FileSource]) -> None:
    source = lines("2024-05-01T12:00:00Z,a,web,,1,", "2024-05-01T12:00:00Z,b,,,1,")
    assert source.describe().profiles == ("web", "generic")
    assert "There is no profile for 1 server; 'generic' stands in." in source.describe().notices


def test_a_server_keeps_its_first_profile(lines: Callable[..., FileSource]) -> None:
    source = lines("2024-05-01T12:00:00Z,a,web,,1,", "2024-05-01T12:00:05Z,a,db,,1,", "2024-05-01T12:00:10Z,a,,,1,")
    assert source.describe().profiles == ("web",)
    assert any("another profile" in notice for notice in source.describe().notices)


def test_a_server_keeps_its_first_profile_from_one_block_of_rows_to_the_next(tmp_path: Path, opened: Open) -> None:
    table = fleet_table(20, ["a"], profile=["web"] * 10 + ["db"] * 10)
    assert opened(write_parquet(tmp_path / "it.parquet", table)).describe().profiles == ("web",)


def test_two_samples_of_a_tick_become_one_and_nothing_overwrites_with_nothing(
    lines: Callable[..., FileSource],
) -> None:
    source = lines(
        "2024-05-01T12:00:00Z,a,web,,1,0.5",
        "2024-05-01T12:00:11Z,a,web,,22,",
        "2024-05-01T12:00:05Z,a,web,,2,0.5",
        "2024-05-01T12:00:10Z,a,web,,21,0.7",
        "2024-05-01T12:00:05Z,a,web,,2,0.5",
        *(f"2024-05-01T12:00:{second}Z,a,web,,3,0.5" for second in (15, 20, 25, 30)),
    )
    assert cpu(source) == [[1.0], [2.0], [22.0], [3.0], [3.0], [3.0], [3.0]]
    assert source.read(1, 1).window.metrics["error_rate"][0, 0] == np.float32(0.7)
    assert source.sample_times(1, 1)[0, 0] == START + np.timedelta64(11, "s")
    notices = " ".join(source.describe().notices)
    assert "1 row sharing a tick" in notices
    assert "1 row repeating the server and time of another (11.1 %; 1 with the same values, 0 with others)" in notices


def test_mixed_zones_meet_in_utc(lines: Callable[..., FileSource]) -> None:
    source = lines(
        "2024-05-01T14:00:00+02:00,a,web,,1,",
        "2024-05-01T12:00:05Z,a,web,,2,",
        "2024-05-01 12:00:10,a,web,,3,",
        "2024-05-01T07:00:15-05:00,a,web,,4,",
    )
    assert source.describe().start == START
    assert cpu(source) == [[1.0], [2.0], [3.0], [4.0]]
    assert any("several zones (+02:00, -05:00, UTC, no zone)" in notice for notice in source.describe().notices)


def test_a_column_without_a_single_value_is_no_metric_of_the_recording(lines: Callable[..., FileSource]) -> None:
    source = lines("2024-05-01T12:00:00Z,a,web,,1,", "2024-05-01T12:00:05Z,a,web,,1,")
    assert source.describe().metrics == ("cpu_pct",)


def test_a_windows_file_with_a_byte_order_mark_and_quoted_cells_is_read(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "it.csv"
    text = '\ufeff"timestamp","server_name","cpu_pct"\r\n"2024-05-01T12:00:00Z","a","7"\r\n\r\n'
    path.write_text(text, "utf-8", newline="")
    assert cpu(opened(path)) == [[7.0]]


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "it.csv"
    path.write_text("timestamp,server_name,cpu_pct\n2024-05-01T12:00:00Z,a,7\n2024-05-01T12:00:05Z,a", "utf-8")
    assert cpu(opened(path)) == [[7.0]]
    assert any("1 row with too few or too many values" in notice for notice in opened(path).describe().notices)


def test_the_content_decides_and_not_the_name(tmp_path: Path, opened: Open) -> None:
    parquet = write_parquet(tmp_path / "table.csv", fleet_table())
    csv = write_csv(tmp_path / "table.parquet", fleet_table())
    assert cpu(opened(parquet)) == cpu(opened(csv))


def test_sample_times_are_as_exact_as_the_file(tmp_path: Path, opened: Open) -> None:
    written = (START.astype("datetime64[us]") + np.arange(4) * np.timedelta64(5_000_123, "us")).astype("datetime64[us]")
    table = pa.table({"timestamp": pa.array(written), "server_name": ["a"] * 4, "cpu_pct": [1.0] * 4})
    source = opened(write_parquet(tmp_path / "it.parquet", table))
    times = source.sample_times(-1, 4)
    assert times.dtype == "datetime64[us]"
    assert (times[:, 0] == written).all()


def test_a_tick_of_one_server_works(lines: Callable[..., FileSource]) -> None:
    source = lines("2024-05-01T12:00:00Z,a,web,,1,")
    about = source.describe()
    assert (about.ticks, about.step_seconds, about.end) == (1, 5.0, START)
    assert any("5 s is assumed" in notice for notice in about.notices)


def test_a_declared_step_is_kept(tmp_path: Path, opened: Open) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    about = opened(path, step_seconds=10.0).describe()
    assert (about.ticks, about.step_seconds) == (7, 10.0)


@pytest.mark.parametrize("step", [0.0, -5.0, float("nan"), float("inf")])
def test_an_impossible_step_is_a_usage_error(tmp_path: Path, opened: Open, step: float) -> None:
    with pytest.raises(UsageError, match="positive number of seconds"):
        opened(tmp_path, step_seconds=step)


def test_a_ticks_phase_is_its_most_frequent_one_and_silent_ticks_keep_the_last(
    lines: Callable[..., FileSource],
) -> None:
    rows = [
        (0, "a", "calm"), (0, "b", "calm"), (0, "c", "storm"),
        (5, "a", "storm"), (5, "b", "storm"), (5, "c", "calm"),
        (20, "a", "calm"), (20, "b", ""), (25, "a", ""),
    ]  # fmt: skip
    source = lines(
        *(f"2024-05-01T12:00:{second:02d}Z,{name},1,{phase}" for second, name, phase in rows),
        header="timestamp,server_name,cpu_pct,incident_phase",
    )
    about = source.describe()
    assert about.simulated
    assert [(phase.name, phase.first, phase.last) for phase in about.phases] == [
        ("calm", 0, 0),
        ("storm", 1, 3),
        ("calm", 4, 4),
    ]
    assert source.read(3, 2, labels=True).window.phases == ("calm", None)


def test_problem_children_are_kept_apart_from_what_models_see(tmp_path: Path, opened: Open) -> None:
    table = fleet_table(2, problem_child=[True, False] * 2)
    source = opened(write_parquet(tmp_path / "it.parquet", table))
    assert source.problem_children() == (True, False)
    assert source.read().window.metrics.keys() == {"cpu_pct", "latency_ms"}


def test_rows_in_any_order_make_the_same_recording(tmp_path: Path, opened: Open) -> None:
    table = fleet_table(40)
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))
    one = opened(write_parquet(tmp_path / "one.parquet", table))
    other = opened(write_parquet(tmp_path / "other.parquet", shuffled))
    assert set(one.describe().servers) == set(other.describe().servers)
    order = [other.describe().servers.index(name) for name in one.describe().servers]
    there, here = (np.array(cpu(source)) for source in (other, one))
    assert np.array_equal(there[:, order], here)


def test_cutting_the_recordings_tail_off_changes_no_earlier_tick(tmp_path: Path, opened: Open) -> None:
    random = np.random.default_rng(3)
    table = fleet_table(1_000, step_ms=60_000)
    jitter = random.integers(-9_000, 9_000, table.num_rows).astype("timedelta64[ms]")
    times = pa.array(table["timestamp"].to_numpy() + jitter)
    table = table.set_column(0, "timestamp", times)
    whole = opened(write_parquet(tmp_path / "whole.parquet", table))
    part = opened(write_parquet(tmp_path / "part.parquet", table.slice(0, 1_400)))
    ticks = (part.describe().ticks or 0) - 1
    assert ticks > 600
    assert part.describe().step_seconds == whole.describe().step_seconds
    assert (whole.sample_times(-1, ticks) == part.sample_times(-1, ticks)).all()
    assert cpu(whole)[:ticks] == cpu(part)[:ticks]
