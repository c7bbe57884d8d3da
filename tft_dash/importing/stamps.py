"""Times as foreign files write them, as nanoseconds since 1970 in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.importing.units import numbers_of
from tft_dash.scenarios.format.fields import mistake, show
from tft_dash.sources.files.times import NAIVE, NO_TIME, TimeReader
from tft_dash.sources.files.values import read_numbers
from tft_dash.zones import EXAMPLES, zone_of

ZONE_PATTERN: Final = "a name of the IANA time zone database"
_DIRECTIVES: Final = frozenset("YmdHMSfjyzbBpIaA%Zs")
_NS: Final = 1_000_000_000
_QUARTER: Final = 900 * _NS
"""Offsets from UTC change at quarters of an hour, so one look-up serves all times within one."""
_EPOCHS: Final[Mapping[str, int]] = {"epoch-s": _NS, "epoch-ms": 10**6, "epoch-us": 1000, "epoch-ns": 1}
_EXCEL_1970: Final = 25_569
"""Excel counts days from the end of 1899; this is 1 January 1970."""
_LATEST: Final = 4_417_977_600 * _NS
_DATED: Final = (
    r"^\s*(?P<first>\d{1,2})[./-](?P<second>\d{1,2})[./-](?P<year>\d{4})"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<whole>\d{2})(?:\.(?P<part>\d{1,9}))?)?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*$"
)
_CLOCK_LIMITS: Final = (("hour", 23), ("minute", 59), ("whole", 59))


def demand_zone(name: str) -> str:
    """``name``, if it is a zone: ``UTC``, ``+02:00``, ``Europe/Berlin``.

    :raises PydanticCustomError: it is none.
    """
    known_zone(name)
    return name


def known_zone(name: str) -> tzinfo:
    """The zone called ``name``.

    :raises PydanticCustomError: there is none.
    """
    try:
        return zone_of(name)
    except ValueError:
        raise mistake(f"is not a time zone: {show(name)}. Write {EXAMPLES}.") from None


def demand_pattern(pattern: str | None) -> str | None:
    """``pattern``, if strptime can read a whole date by it.

    :raises PydanticCustomError: it cannot.
    """
    if pattern is None:
        return None
    letters = re.findall(r"%(.?)", pattern)
    unknown = next((letter for letter in letters if letter not in _DIRECTIVES or letter in ("s", "Z")), None)
    if unknown is not None:
        raise mistake(f"has %{unknown}, which is not known. Use %Y %m %d %H %M %S %f %z %b %B %y %j %I %p.")
    has_year = "Y" in letters or "y" in letters
    has_day = "j" in letters or ("d" in letters and any(month in letters for month in ("m", "b", "B")))
    if not (has_year and has_day):
        raise mistake(f"must have the year, the month and the day, as in %d.%m.%Y %H:%M, not {show(pattern)}.")
    return pattern


class StampReader:
    """Reads the times of one column, block by block.

    :param form: one of the mapping's formats.
    :param pattern: strptime's pattern for ``custom``.
    :param zone: of times that name none.
    """

    def __init__(self, form: str, pattern: str | None = None, zone: str = "UTC", decimal: str = ".") -> None:
        self._form, self._pattern, self._zone, self._decimal = form, pattern, known_zone(zone), decimal

    def read(self, column: pa.Array) -> NDArray[np.int64]:
        """(rows,) nanoseconds since 1970 in UTC; :data:`NO_TIME` where a value is missing or cannot be read."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or self._form == "iso":
            return self._iso(column)
        if self._form in _EPOCHS:
            return _epochs(column, _EPOCHS[self._form])
        if self._form == "excel":
            return self._local(_excel(column, self._decimal))
        text = pc.cast(column, pa.string())
        if self._form == "custom":
            return self._each(text, self._by_pattern)
        # A fleet's rows share their times: each is read once.
        words = pc.dictionary_encode(text)
        times = self._local(_by_order(words.dictionary, day_first=self._form == "day-first"))
        return _placed(times, words.indices)

    def _iso(self, column: pa.Array) -> NDArray[np.int64]:
        reader = TimeReader()
        times = reader.read(column)
        if NAIVE not in reader.zones or self._zone is UTC:
            return times
        if reader.zones == {NAIVE}:
            return self._local(times)
        # Some rows name their zone: those are told apart by what stands behind the clock.
        text = pc.cast(column, pa.string())
        named = pc.match_substring_regex(text, r"\d{2}(\.\d+)?\s*(Z|z|UTC|GMT|[+-]\d{2}(:?\d{2})?)\s*$")
        has_zone = pc.fill_null(named, True).to_numpy(zero_copy_only=False)
        return np.where(has_zone, times, self._local(times))

    def _local(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Wall-clock times of the zone as UTC; of a time that occurs twice the first."""
        if self._zone is UTC or not len(times):
            return times
        quarters, places = np.unique(times // _QUARTER, return_inverse=True)
        shifts = [self._offset(int(quarter)) for quarter in quarters]
        return np.where(times == NO_TIME, NO_TIME, times - np.array(shifts, np.int64)[places])

    def _offset(self, quarter: int) -> int:
        if not 0 <= quarter * _QUARTER < _LATEST:
            return 0
        wall = datetime.fromtimestamp(quarter * 900, UTC).replace(tzinfo=self._zone)
        offset = wall.utcoffset() or timedelta(0)
        return round(offset.total_seconds()) * _NS

    def _each(self, column: pa.Array, read: Callable[[str], tuple[int, bool]]) -> NDArray[np.int64]:
        """``read`` of every distinct text: its time, and whether it named its zone."""
        words = pc.dictionary_encode(column)
        found = [(NO_TIME, True) if text is None else read(text) for text in words.dictionary.to_pylist()]
        times = np.array([*(time for time, _ in found), NO_TIME], np.int64)
        zoned = np.array([*(has_zone for _, has_zone in found), True])
        times = np.where(zoned, times, self._local(times))
        return _possible(_placed(times[:-1], words.indices))

    def _by_pattern(self, text: str) -> tuple[int, bool]:
        try:
            stamp = datetime.strptime(text.strip(), self._pattern or "")  # noqa: DTZ007 - the zone follows
        except ValueError:
            return NO_TIME, True
        return _nanoseconds(stamp), stamp.tzinfo is not None


def _by_order(text: pa.Array, *, day_first: bool) -> NDArray[np.int64]:
    """Times written like 31.12.2026 23:59 or 12/31/2026 11:59 PM, whatever stands between the parts."""
    parts = pc.extract_regex(text, _DATED)
    numbers = {name: _part(parts, name) for name in ("first", "second", "year", "hour", "minute", "whole")}
    day, month = (numbers["first"], numbers["second"]) if day_first else (numbers["second"], numbers["first"])
    fits = pc.is_valid(parts).to_numpy(zero_copy_only=False) & (month >= 1) & (month <= 12) & (day >= 1)
    fits &= (numbers["year"] >= 1970) & (numbers["year"] < 2200)
    half = pc.utf8_lower(pc.fill_null(pc.struct_field(parts, "half"), ""))
    fits &= _to_24_hours(numbers["hour"], half)
    for name, limit in _CLOCK_LIMITS:
        fits &= numbers[name] <= limit
    months = np.where(fits, (numbers["year"] - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(fits, day, 1) - 1)
    fits &= days.astype("datetime64[M]") == months  # there is no 31 June
    seconds = days.astype(np.int64) * 86_400 + numbers["hour"] * 3600 + numbers["minute"] * 60 + numbers["whole"]
    billionths = pc.utf8_rpad(pc.fill_null(pc.struct_field(parts, "part"), ""), 9, "0")
    rest = pc.cast(billionths, pa.int64()).to_numpy(zero_copy_only=False)
    return _possible(np.where(fits, np.where(fits, seconds, 0) * _NS + rest, NO_TIME))


def _placed(times: NDArray[np.int64], places: pa.Array) -> NDArray[np.int64]:
    """The time at each place; :data:`NO_TIME` for null."""
    rows: NDArray[np.int64] = np.append(times, NO_TIME)[pc.fill_null(places, len(times)).to_numpy(zero_copy_only=False)]
    return rows


def _part(parts: pa.StructArray, name: str) -> NDArray[np.int64]:
    """A part of a time as a number; 0 where it was not written."""
    text = pc.fill_null(pc.struct_field(parts, name), "0")
    written: NDArray[np.int64] = pc.cast(pc.if_else(pc.equal(text, ""), "0", text), pa.int64()).to_numpy(
        zero_copy_only=False
    )
    return written.copy()


def _to_24_hours(hour: NDArray[np.int64], half: pa.Array) -> NDArray[np.bool_]:
    """Turn hours with AM or PM into those of a whole day, in place; False where such an hour cannot be."""
    morning = pc.equal(half, "am").to_numpy(zero_copy_only=False)
    evening = pc.equal(half, "pm").to_numpy(zero_copy_only=False)
    halved = morning | evening
    fits: NDArray[np.bool_] = ~halved | ((hour >= 1) & (hour <= 12))
    hour[halved] %= 12
    hour[evening] += 12
    return fits


def _nanoseconds(stamp: datetime) -> int:
    """A time without a zone counts as UTC; the zone's shift follows."""
    aware = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * _NS + delta.microseconds * 1000


def _epochs(column: pa.Array, factor: int) -> NDArray[np.int64]:
    whole = _whole_numbers(column)
    if whole is not None:
        limit = _LATEST // factor
        values = pc.fill_null(whole, -1).to_numpy(zero_copy_only=False)
        fits = (values >= 0) & (values < limit)
        return np.where(fits, np.where(fits, values, 0) * factor, NO_TIME)
    numbers = read_numbers(column).values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        fits = (numbers >= 0) & (numbers < _LATEST / factor)
    kept = np.where(fits, numbers, 0.0)
    base = np.floor(kept)
    # A float has no more than microseconds to give; the rest is noise of its binary form.
    rest = np.rint((kept - base) * (factor // 1000)).astype(np.int64) * 1000 if factor >= 1000 else 0
    return _possible(np.where(fits, base.astype(np.int64) * factor + rest, NO_TIME))


def _whole_numbers(column: pa.Array) -> pa.Array | None:
    if pa.types.is_floating(column.type):
        return None
    try:
        return pc.cast(column, pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _excel(column: pa.Array, decimal: str) -> NDArray[np.int64]:
    days = numbers_of(column, decimal)[0]
    with np.errstate(invalid="ignore"):
        fits = (days >= _EXCEL_1970) & (days < _EXCEL_1970 + _LATEST / _NS / 86_400)
    # Excel keeps a time to about a millisecond.
    milliseconds = np.rint((np.where(fits, days, _EXCEL_1970) - _EXCEL_1970) * 86_400_000).astype(np.int64)
    return np.where(fits, milliseconds * 1_000_000, NO_TIME)


def _possible(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where((times >= 0) & (times < _LATEST), times, NO_TIME)
