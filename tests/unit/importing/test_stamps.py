"""Times as people and their tools write them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from tft_dash.importing.guessing.clocks import guess_clock
from tft_dash.importing.stamps import StampReader
from tft_dash.sources.files.times import NO_TIME


def read(form: str, *texts: str | float | None, pattern: str | None = None, zone: str = "UTC") -> list[str | None]:
    times = StampReader(form, pattern, zone).read(pa.array(texts))
    return [None if time == NO_TIME else str(np.datetime64(int(time), "ns"))[:23] for time in times]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("day-first", "24.11.2026 08:00:01.25", "2026-11-24T08:00:01.250"),
        ("day-first", "1/2/2026", "2026-02-01T00:00:00.000"),
        ("month-first", "1/2/2026 12:05 AM", "2026-01-02T00:05:00.000"),
        ("month-first", "1/2/2026, 12:05 pm", "2026-01-02T12:05:00.000"),
        ("month-first", "1/2/2026 11:05:09 PM", "2026-01-02T23:05:09.000"),
        ("excel", "46350.5", "2026-11-24T12:00:00.000"),
        ("epoch-s", "1795507200.5", "2026-11-24T08:00:00.500"),
        ("epoch-us", "1795507200000001", "2026-11-24T08:00:00.000"),
        ("iso", "2026-11-24T10:00:00+02:00", "2026-11-24T08:00:00.000"),
    ],
)
def test_a_time_is_read_as_it_is_written(form: str, text: str, expected: str) -> None:
    assert read(form, text) == [expected]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("day-first", "31.06.2026"),
        ("day-first", "29.02.2026 08:00"),
        ("day-first", "11/24/2026"),
        ("month-first", "24/11/2026"),
        ("month-first", "1/2/2026 13:05 PM"),
        ("day-first", "1.2.2026 25:00"),
        ("day-first", "1.2.9999"),
        ("day-first", "0.2.2026"),
        ("excel", "yesterday"),
        ("epoch-s", "-5"),
        ("epoch-s", "99999999999999999999"),
        ("iso", "24.11.2026"),
    ],
)
def test_what_is_no_time_is_missing(form: str, text: str) -> None:
    assert read(form, text) == [None]


def test_missing_stays_missing_beside_what_repeats() -> None:
    times = read("day-first", "1.2.2026", None, "x", "1.2.2026", "3.2.2026")
    assert [time and time[:10] for time in times] == ["2026-02-01", None, None, "2026-02-01", "2026-02-03"]


def test_a_zone_shifts_by_its_rules_and_not_the_times_that_name_their_own() -> None:
    texts = ["2026-07-01 10:00:00", "2026-12-01 10:00:00", "2026-12-01 10:00:00Z"]
    assert [time and time[11:13] for time in read("iso", *texts, zone="Europe/Berlin")] == ["08", "09", "10"]
    assert read("day-first", "1.7.2026 10:00", zone="+05:30") == ["2026-07-01T04:30:00.000"]


def test_the_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    assert read("iso", "2026-10-25 02:30:00", zone="Europe/Berlin") == ["2026-10-25T00:30:00.000"]


def test_a_pattern_reads_what_it_describes_and_its_zone() -> None:
    assert read("custom", "24 Nov 2026 09:00:00 +0100", pattern="%d %b %Y %H:%M:%S %z") == ["2026-11-24T08:00:00.000"]
    assert read("custom", "24 Nov 26", pattern="%d %b %Y") == [None]


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["1/2/2026", "25/2/2026"], "day-first"),
        (["1/2/2026", "2/25/2026"], "month-first"),
        (["1.2.2026", "2.2.2026"], "day-first"),
        (["46350.25", "46350.5"], "excel"),
        (["20261124080000", "20261124080100"], "custom"),
        (["2026/11/24 08:00:00"], "custom"),
        (["1795507200"], "epoch-s"),
    ],
)
def test_how_times_are_written_is_told_from_a_few_of_them(texts: list[str], form: str) -> None:
    found = guess_clock("t", pa.array(texts), ".")
    assert found is not None
    assert found[0].format == form


def test_an_order_that_nothing_tells_is_said_to_be_a_guess() -> None:
    found = guess_clock("t", pa.array(["1/2/2026", "3/2/2026"]), ".")
    assert found is not None
    assert "check it" in found[1]


def test_numbers_that_are_no_times_are_not_taken_for_some() -> None:
    assert guess_clock("cpu", pa.array(["50", "51.5"]), ".") is None
    assert guess_clock("t", pa.array([True, False]), ".") is None


def test_times_of_a_parquet_file_are_taken_whatever_the_mapping_says() -> None:
    stamps = pa.array([datetime(2026, 11, 24, 8, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    assert str(np.datetime64(int(StampReader("day-first").read(stamps)[0]), "ns")).startswith("2026-11-24T08")
