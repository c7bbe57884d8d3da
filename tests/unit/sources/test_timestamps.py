"""Times as people and machines write them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from tft_dash.sources.files.times import NAIVE, NO_TIME, TimeReader

NOON = np.datetime64("2024-05-01T12:00:00", "ns").astype(np.int64)
SECONDS = int(NOON) // 10**9


def read(values: list[object], kind: pa.DataType | None = None) -> tuple[list[int], TimeReader]:
    reader = TimeReader()
    return reader.read(pa.array(values, kind)).tolist(), reader


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01 12:00:00Z",
        "2024-05-01T12:00:00.000Z",
        "2024-05-01T12:00:00",
        "2024-05-01 12:00",
        "2024-05-01T14:00:00+02:00",
        "2024-05-01T14:00:00+0200",
        "2024-05-01T07:00:00-05",
        "2024-05-01 12:00:00 UTC",
        "2024-05-01 14:00:00 +02:00",
        " 2024-05-01T12:00:00Z ",
        "2024-05-01T12:00:00.000000000",
    ],
)
@pytest.mark.parametrize("beside", [None, "nonsense", "2024-05-01T12:00:00Z", "2024-05-01 12:00:00"])
def test_a_time_in_text_is_read_whatever_stands_beside_it(written: str, beside: str | None) -> None:
    times, _ = read([written, beside], pa.string())
    assert times[0] == NOON
    assert times[1] in (NOON, NO_TIME)


@pytest.mark.parametrize(
    "written",
    ["", "nonsense", "2024-13-01T00:00:00Z", "2024-02-30", "12:00", "01.05.2024", "2024-05-01T25:00:00", "17"],
)
def test_what_is_no_time_is_told_from_its_neighbours(written: str) -> None:
    times, _ = read(["2024-05-01T12:00:00Z", written, "2024-05-01T12:00:00Z"])
    assert times == [NOON, NO_TIME, NOON]


@pytest.mark.parametrize(("unit", "factor"), [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6)])
@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.float64()])
def test_a_number_tells_its_own_unit(unit: str, factor: int, kind: pa.DataType) -> None:
    values = [SECONDS * factor, (SECONDS + 5) * factor, None]
    column = [str(value) if kind == pa.string() and value else value for value in values]
    times, reader = read(column, kind)
    assert times == [NOON, NOON + 5 * 10**9, NO_TIME]
    assert reader.epoch_unit == unit


def test_fractions_of_epoch_seconds_are_kept_to_the_microsecond() -> None:
    times, _ = read([SECONDS + 0.25, SECONDS + 0.123456])
    assert times == [NOON + 250_000_000, NOON + 123_456_000]
    assert read([f"{SECONDS}.25", "x"])[0] == [NOON + 250_000_000, NO_TIME]


def test_a_number_that_tells_no_unit_is_no_time() -> None:
    assert read([17, 12_345_678])[0] == [NO_TIME, NO_TIME]


def test_a_column_of_numbers_keeps_the_unit_of_its_first() -> None:
    assert read([SECONDS, SECONDS * 1000])[0] == [NOON, NO_TIME]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_timestamp_types_of_any_unit_and_zone_are_read(unit: str, zone: str | None) -> None:
    column = pa.array([int(NOON)], pa.timestamp("ns", zone)).cast(pa.timestamp(unit, zone))
    reader = TimeReader()
    assert reader.read(column).tolist() == [NOON]
    assert reader.zones == ({NAIVE} if zone is None else {"UTC"})


def test_a_date_is_its_midnight() -> None:
    assert read([dt.date(2024, 5, 1)])[0] == [NOON - 12 * 3600 * 10**9]


@pytest.mark.parametrize("year", ["1969", "2110", "9999"])
def test_times_too_far_away_to_be_aligned_are_unreadable(year: str) -> None:
    assert read([f"{year}-12-31T23:59:59Z", "2024-05-01T12:00:00Z"])[0] == [NO_TIME, NOON]
    far = pa.array([np.datetime64(f"{year}-12-31T23:59:59", "s")], pa.timestamp("s"))
    assert TimeReader().read(far).tolist() == [NO_TIME]


def test_the_zones_that_were_written_are_remembered() -> None:
    reader = TimeReader()
    reader.read(pa.array(["2024-05-01T12:00:00Z", "2024-05-01T12:00:00+00:00"]))
    assert reader.zones == {"UTC"}
    reader.read(pa.array(["2024-05-01T12:00:00+0200", "2024-05-01T12:00:00-05"]))
    reader.read(pa.array(["2024-05-01T12:00:00", None]))
    assert reader.zones == {"UTC", "+02:00", "-05:00", NAIVE}
    assert reader.naive_rows == 1
