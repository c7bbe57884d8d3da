"""Metric, state and label columns in every type that a file may give them."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest

from tft_dash.schema import CRITICAL_ISSUE, METRIC, NO_STATE, ONLINE
from tft_dash.sources.files.values import NOT_A_STATE, can_hold, judge, read_flags, read_numbers, read_states

NAN = float("nan")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.5, None, 2.0], pa.float64()),
        pa.array([1.5, None, 2.0], pa.float32()),
        pa.array([np.float16(1.5), None, np.float16(2.0)], pa.float16()),
        pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("2.0")]),
        pa.array(["1.5", None, "2"]),
        pa.array([" 1.5", "", "2.0e0"]),
        pa.array(["1.50", "NaN", "+2"]),
        pa.array(["1.5", "n/a", "2"]),
        pa.array(["1.5", "NULL", "2"], pa.large_string()),
        pa.array(["1.5", "None", "2"]).dictionary_encode(),
    ],
)
def test_numbers_are_read_from_any_type_and_missing_is_nan(column: pa.Array) -> None:
    numbers = read_numbers(column)
    assert np.array_equal(numbers.values, [1.5, NAN, 2.0], equal_nan=True)
    assert numbers.text is None or not numbers.text.any()


def test_whole_numbers_and_empty_columns_are_read() -> None:
    assert read_numbers(pa.array([3, None], pa.int32())).values[0] == 3
    assert np.isnan(read_numbers(pa.nulls(2)).values).all()


@pytest.mark.parametrize("text", ["45%", "12,5", "0x10", "high", "1_000", "1 2", "--1", "1e", "."])
def test_text_is_told_from_numbers_and_from_missing_values(text: str) -> None:
    numbers = read_numbers(pa.array(["7", text, "", None]))
    assert np.array_equal(numbers.values, [7, NAN, NAN, NAN], equal_nan=True)
    assert numbers.text is not None
    assert numbers.text.tolist() == [False, True, False, False]


def test_values_are_judged_by_their_metrics_range() -> None:
    judged = judge(np.array([0.0, 100.0, 140.0, -0.5, np.inf, -np.inf, np.nan]), METRIC["cpu_pct"])
    assert np.array_equal(judged.values, [0, 100, NAN, NAN, NAN, NAN, NAN], equal_nan=True)
    assert judged.outside is not None
    assert judged.infinite is not None
    assert np.flatnonzero(judged.outside).tolist() == [2, 3]
    assert np.flatnonzero(judged.infinite).tolist() == [4, 5]


def test_a_number_too_large_for_the_cube_is_out_of_range_rather_than_infinite() -> None:
    judged = judge(np.array([1e300, 5.0]), METRIC["latency_ms"])
    assert judged.outside is not None
    assert judged.outside.tolist() == [True, False]
    assert judged.infinite is None


def test_states_are_read_and_unknown_words_told_from_missing_ones() -> None:
    states = read_states(pa.array(["online", "critical_issue", None, "", "broken"]))
    assert states.tolist() == [ONLINE, CRITICAL_ISSUE, NO_STATE, NO_STATE, NOT_A_STATE]


@pytest.mark.parametrize(
    "column", [pa.array([True, False, None]), pa.array(["True", "false", ""]), pa.array([1, 0, None])]
)
def test_flags_are_read_from_any_form(column: pa.Array) -> None:
    flags = read_flags(column)
    assert flags is not None
    assert flags.tolist() == [True, False, False]


def test_a_flag_column_with_other_words_is_not_read() -> None:
    assert read_flags(pa.array(["yes", "perhaps"])) is None


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.struct([("a", pa.int64())]), pa.binary(), pa.bool_()])
def test_a_metric_cannot_be_held_by_nested_or_foreign_types(kind: pa.DataType) -> None:
    assert not can_hold("cpu_pct", kind)


def test_server_names_may_be_numbers_but_not_fractions() -> None:
    assert can_hold("server_name", pa.int64())
    assert not can_hold("server_name", pa.float64())
