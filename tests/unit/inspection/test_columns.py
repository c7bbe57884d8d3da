"""What is told of each column, whatever it holds."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.recordings import fleet_table, write_csv, write_lines, write_parquet

from tft_dash.inspection.facts import ColumnFacts
from tft_dash.inspection.inspector import Inspector

Facts = Callable[[Path], dict[str, ColumnFacts]]


def test_numbers_are_told_as_they_are(tmp_path: Path, facts: Facts) -> None:
    values = np.random.default_rng(1).normal(50, 5, 400).round(1).astype(np.float32)
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(200, cpu_pct=pa.array(values))))["cpu_pct"]
    assert (found.type, found.kind, found.unit, found.meaning) == ("float", "number", "%", "CPU")
    assert (found.rows, found.present, found.distinct) == (400, 400, len(np.unique(values)))
    assert (found.low, found.high) == (values.min(), values.max())
    assert found.p50 == pytest.approx(float(np.quantile(values, 0.5)), rel=1e-5)
    assert found.p99 == pytest.approx(float(np.quantile(values, 0.99)), rel=1e-5)
    counts, edges = np.histogram(values, 40)
    assert found.histogram_edges == pytest.approx(edges)
    assert int(np.abs(found.histogram_counts - counts).sum()) <= 4  # a value on an edge may fall on either side
    assert found.histogram_counts.sum() == 400
    assert found.in_contract


def test_null_and_nan_are_both_missing_and_never_zero(tmp_path: Path, facts: Facts) -> None:
    values = pa.array([1.0, None, float("nan"), 3.0] * 6)
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(12, cpu_pct=values)))["cpu_pct"]
    assert (found.present, found.distinct, found.low, found.p50, found.high) == (12, 2, 1.0, 2.0, 3.0)


def test_infinite_values_stretch_no_range(tmp_path: Path, facts: Facts) -> None:
    values = pa.array([1.0, float("inf"), float("-inf"), 3.0] * 6)
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(12, cpu_pct=values)))["cpu_pct"]
    assert (found.present, found.distinct, found.low, found.high) == (24, 4, 1.0, 3.0)
    assert found.histogram_counts.sum() == 12


def test_an_empty_column_has_nothing_to_tell(tmp_path: Path, facts: Facts) -> None:
    path = write_parquet(
        tmp_path / "it.parquet", fleet_table(12, gc_pause_ms=pa.nulls(24), note=pa.nulls(24, pa.int8()))
    )
    found = facts(path)
    assert (found["gc_pause_ms"].present, found["gc_pause_ms"].type) == (0, "null")
    assert (found["note"].present, found["note"].low, found["note"].distinct) == (0, None, 0)
    assert len(found["note"].histogram_counts) == 0


def test_texts_are_told_by_their_most_frequent(tmp_path: Path, facts: Facts) -> None:
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(12, rack=["b"] * 20 + ["a"] * 3 + [None])))["rack"]
    assert (found.kind, found.distinct, found.present, found.examples) == ("text", 2, 23, ("b", "a"))
    assert not found.in_contract
    assert (found.low, found.unit, found.meaning) == (None, None, None)


def test_a_column_of_one_value_has_one_bin(tmp_path: Path, facts: Facts) -> None:
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(12, cpu_pct=[5.0] * 24)))["cpu_pct"]
    assert (found.distinct, found.histogram_counts.tolist()) == (1, [24])
    assert found.histogram_edges.tolist() == [5.0, 5.0]


def test_the_course_over_time_is_the_mean_of_the_servers(tmp_path: Path, facts: Facts) -> None:
    values = np.repeat(np.arange(60, dtype=np.float64), 2)
    values[40:42] = np.nan
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(60, cpu_pct=pa.array(values))))["cpu_pct"]
    expected = np.arange(60, dtype=np.float32)
    expected[20] = np.nan
    np.testing.assert_array_equal(found.spark, expected)
    long = facts(write_parquet(tmp_path / "long.parquet", fleet_table(600)))["cpu_pct"]
    assert len(long.spark) == 120


def stuck_table(moving: int, still: int) -> pa.Table:
    """Of two servers, one that stands still for a while."""
    ticks = moving + still
    values = np.arange(2 * ticks, dtype=np.float64) % 97
    values[1 : 2 * still : 2] = 42.0
    return fleet_table(ticks, cpu_pct=pa.array(values))


def test_a_value_that_stands_still_is_stuck_from_twelve_samples_on(tmp_path: Path, facts: Facts) -> None:
    found = facts(write_parquet(tmp_path / "it.parquet", stuck_table(60, 12)))["cpu_pct"]
    assert (found.stuck_runs, found.longest_stuck, found.stuck_server) == (1, 12, "db-1")
    assert facts(write_parquet(tmp_path / "less.parquet", stuck_table(60, 11)))["cpu_pct"].stuck_runs == 0


def test_rows_in_any_order_give_the_same_runs(tmp_path: Path, facts: Facts) -> None:
    table = stuck_table(60, 14)
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    found = facts(write_parquet(tmp_path / "it.parquet", shuffled))["cpu_pct"]
    assert (found.stuck_runs, found.longest_stuck, found.stuck_server) == (1, 14, "db-1")


def test_a_column_that_usually_stands_still_is_not_stuck(tmp_path: Path, facts: Facts) -> None:
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(60, error_rate=[0.0] * 119 + [0.5])))["error_rate"]
    assert found.stuck_runs == 0


def test_a_missing_value_ends_a_run(tmp_path: Path, facts: Facts) -> None:
    values = np.arange(144, dtype=np.float64) % 97
    values[1:44:2] = 42.0
    values[23] = np.nan
    found = facts(write_parquet(tmp_path / "it.parquet", fleet_table(72, cpu_pct=pa.array(values))))["cpu_pct"]
    assert found.stuck_runs == 0


def test_csv_texts_are_typed_once_by_all_their_values(tmp_path: Path, facts: Facts) -> None:
    path = write_lines(
        tmp_path / "it.csv",
        "timestamp,server_name,cpu_pct,whole,mixed,flag,when,rack,none",
        "2024-05-01T12:00:00Z,007,1.5,1,1,true,2024-05-01T00:00:00Z,r1,",
        "2024-05-01T12:00:05Z,007,NA,2,x,False,2024-05-02,r2,",
        "2024-05-01T12:00:10Z,007,2,,3,yes,,r1,",
    )
    found = facts(path)
    kinds = {name: (column.kind, column.type, column.present) for name, column in found.items()}
    assert kinds == {
        "timestamp": ("time", "timestamp[ns]", 3),
        "server_name": ("text", "string", 3),
        "cpu_pct": ("number", "double", 2),
        "whole": ("number", "int64", 2),
        "mixed": ("text", "string", 3),
        "flag": ("flag", "bool", 3),
        "when": ("time", "timestamp[ns]", 2),
        "rack": ("text", "string", 3),
        "none": ("text", "string", 0),
    }
    assert found["whole"].note == "Text in the file; every value is a number."
    assert found["server_name"].examples == ("007",)
    assert found["rack"].note is None


def test_one_text_late_in_a_long_csv_makes_the_column_text(tmp_path: Path, facts: Facts) -> None:
    table = fleet_table(30_000, load=[str(number) for number in range(59_999)] + ["high"])
    found = facts(write_csv(tmp_path / "it.csv", table))["load"]
    assert (found.kind, found.present, found.distinct) == ("text", 60_000, 60_000)


ODD: dict[str, tuple[Any, str, str | None]] = {
    "list": (pa.array([[1, 2], None] * 12), "text", "[1,2]"),
    "struct": (pa.array([{"a": {"b": "</script>"}}] * 24), "text", '{"a":{"b":"</script>"}}'),
    "map": (pa.array([[("k", 1)]] * 24, pa.map_(pa.string(), pa.int8())), "text", '[["k",1]]'),
    "binary": (pa.array([b"\x00\xff"] * 24), "text", "0x00ff"),
    "decimal": (pa.array([decimal.Decimal("12.50")] * 24), "number", None),
    "date": (pa.array([datetime.date(2024, 5, 1)] * 24), "time", None),
    "time": (pa.array([datetime.time(12, 30)] * 24), "text", "12:30:00.000000"),
    "duration": (pa.array([1_000] * 24, pa.duration("ms")), "text", None),
    "half": (pa.array(np.full(24, 1.5, np.float16)), "number", None),
    "unsigned": (pa.array([2**64 - 1] * 24, pa.uint64()), "number", None),
    "words": (pa.array(["a", "b"] * 12).dictionary_encode(), "text", "a"),
    "numbers as words": (pa.array([1, 2] * 12).dictionary_encode(), "number", None),
}


@pytest.mark.parametrize("name", ODD)
def test_any_type_is_shown_and_none_is_an_error(tmp_path: Path, inspector: Inspector, name: str) -> None:
    values, kind, example = ODD[name]
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12, odd=values))
    found = inspector.columns(path)[-1]
    assert (found.name, found.kind, found.present) == ("odd", kind, len(values) - values.null_count)
    if example is not None:
        assert found.examples[0] == example
    if kind == "text" and not pa.types.is_dictionary(values.type):
        assert found.note


def test_a_long_text_is_cut(tmp_path: Path, inspector: Inspector) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12, note=["x" * 1_000_000] * 24))
    assert len(inspector.columns(path)[-1].examples[0]) <= 80
    assert sum(file.stat().st_size for file in (tmp_path / "cache").rglob("*.*") if file.is_file()) < 1_000_000


def test_equal_names_are_two_columns_and_the_first_is_the_contracts(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(tmp_path / "it.csv", "timestamp,server_name,cpu_pct,cpu_pct", "2024-05-01T12:00:00Z,a,1,2")
    first, second = inspector.columns(path)[2:]
    assert (first.name, first.low, first.in_contract) == ("cpu_pct", 1.0, True)
    assert (second.name, second.low, second.in_contract) == ("cpu_pct", 2.0, False)


def test_three_thousand_columns_are_all_told(tmp_path: Path, inspector: Inspector) -> None:
    wide = {f"column {place}": pa.array(np.arange(24) + place) for place in range(3_000)}
    found = inspector.columns(write_parquet(tmp_path / "it.parquet", fleet_table(12, **wide)))
    assert len(found) == 3_005
    assert found[-1].low == 2_999


def test_nearly_distinct_texts_are_kept_as_they_are(tmp_path: Path, inspector: Inspector) -> None:
    names = [f"request {number}" for number in range(10_000)]
    path = tmp_path / "it.parquet"
    pq.write_table(fleet_table(5_000, request=names), path)
    assert inspector.columns(path)[-1].distinct == 10_000


def test_texts_that_turn_out_to_be_distinct_late_are_all_kept(tmp_path: Path, inspector: Inspector) -> None:
    words = ["same"] * 70_000 + [f"request {number}" for number in range(140_000)]
    table = fleet_table(105_000, request=words)
    path = tmp_path / "it.parquet"
    pq.write_table(table, path)
    found = inspector.columns(path)[-1]
    assert (found.present, found.distinct) == (210_000, None)
    assert found.examples[0] == "same"


def test_a_clock_is_not_needed_to_tell_of_columns(tmp_path: Path, facts: Facts) -> None:
    found = facts(write_lines(tmp_path / "it.csv", "host,load", "a,1", "b,2"))
    assert (found["load"].p50, len(found["load"].spark), found["load"].stuck_runs) == (1.5, 0, 0)
