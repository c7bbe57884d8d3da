"""A timestamp column, whatever it is written in, as nanoseconds since 1970 in UTC."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NO_TIME: Final = np.iinfo(np.int64).min
_FIRST: Final = 0
"""1970 and 2110: between these, twice any span fits into 64 bits, which the alignment relies on."""
_END: Final = 4_417_977_600 * 10**9
NAIVE: Final = "no zone"
UTC: Final = "UTC"

_DATE: Final = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_ISO: Final = rf"^{_DATE}([T ]{_CLOCK}(Z|[+-]\d{{2}}(:?\d{{2}})?)?)?$"
_ZONED: Final = r":\d{2}(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)$"
_EPOCH: Final = r"^\d{9,19}(\.\d+)?$"
_ZONE_AT_END: Final = re.compile(r"[+-]\d{2}(:?\d{2})?$")

_EPOCH_UNITS: Final = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
_EPOCH_FIRST: Final = 946_684_800
"""2000-01-01 and 2100-01-01: within these a number tells its own unit."""
_EPOCH_LAST: Final = 4_102_444_800

_NS_PER: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class TimeReader:
    """Reads the timestamp columns of a recording's files, and remembers how they were written.

    :ivar zones: the zones seen: ``"UTC"``, ``"+02:00"``, … and :data:`NAIVE`.
    :ivar naive_rows: how many rows had no zone.
    :ivar epoch_unit: what numbers were read as, e.g. ``"seconds"``; None = there were none.
    """

    def __init__(self) -> None:
        self.zones: set[str] = set()
        self.naive_rows = 0
        self.epoch_unit: str | None = None

    def read(self, column: pa.Array) -> NDArray[np.int64]:
        """Nanoseconds since 1970 in UTC; :data:`NO_TIME` where a value is missing or cannot be read."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        times = self._any(column)
        return np.where((times >= _FIRST) & (times < _END), times, NO_TIME)

    def _any(self, column: pa.Array) -> NDArray[np.int64]:
        kind = column.type
        if pa.types.is_timestamp(kind):
            self._saw(NAIVE if kind.tz is None else UTC, column)
            return _scaled(_integers(column), _NS_PER[kind.unit])
        if pa.types.is_date(kind):
            self._saw(NAIVE, column)
            return _scaled(_integers(pc.cast(column, pa.timestamp("s"))), _NS_PER["s"])
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._numbers(column)
        return self._texts(pc.cast(column, pa.string()))

    def _saw(self, zone: str, column: pa.Array) -> None:
        rows = len(column) - column.null_count
        if rows:
            self.zones.add(zone)
            self.naive_rows += rows if zone == NAIVE else 0

    def _numbers(self, column: pa.Array) -> NDArray[np.int64]:
        if pa.types.is_floating(column.type):
            numbers: NDArray[Any] = column.to_numpy(zero_copy_only=False).astype(np.float64)
        else:
            numbers = _integers(pc.cast(column, pa.int64(), safe=False))
        factor = self._factor(numbers)
        if factor is None:
            return np.full(len(numbers), NO_TIME)
        with np.errstate(invalid="ignore"):
            fits = (numbers >= _EPOCH_FIRST * factor) & (numbers < _EPOCH_LAST * factor)
        kept = np.where(fits, numbers, _EPOCH_FIRST * factor)
        self._saw(UTC, column)
        if kept.dtype == np.int64:
            nanoseconds = kept * (10**9 // factor)
        else:
            whole = np.floor(kept)
            # A float has no more than microseconds to give; the rest is noise of its binary form.
            micro = np.rint((kept - whole) * (10**6 // factor)).astype(np.int64) * 1000 if factor < 10**6 else 0
            nanoseconds = whole.astype(np.int64) * (10**9 // factor) + micro
        return np.where(fits, nanoseconds, NO_TIME)

    def _factor(self, numbers: NDArray[Any]) -> int | None:
        """Units per second: that of the first number that tells its own unit, for the whole recording."""
        for unit, factor in _EPOCH_UNITS:
            if self.epoch_unit in (None, unit):
                with np.errstate(invalid="ignore"):
                    fits = (numbers >= _EPOCH_FIRST * factor) & (numbers < _EPOCH_LAST * factor)
                if fits.any():
                    self.epoch_unit = unit
                    return factor
        return None

    def _texts(self, column: pa.Array) -> NDArray[np.int64]:
        naive = _cast_or_none(column, pa.timestamp("ns"))
        if naive is not None:
            self._saw(NAIVE, column)
            return _integers(naive)
        zoned = _cast_or_none(column, pa.timestamp("ns", UTC))
        if zoned is not None:
            self._note_zones(column)
            return _integers(zoned)
        numbers = _cast_or_none(column, pa.int64())
        return self._mixed_texts(column) if numbers is None else self._numbers(numbers)

    def _mixed_texts(self, column: pa.Array) -> NDArray[np.int64]:
        """Rows that are written differently, or not readable at all."""
        column = pc.utf8_trim_whitespace(column)
        column = pc.replace_substring_regex(column, r"\s*(UTC|GMT|z)$", "Z")
        column = pc.replace_substring_regex(column, r"\s+([+-]\d{2}:?\d{2})$", r"\1")
        iso = pc.match_substring_regex(column, _ISO)
        has_zone = pc.match_substring_regex(column, _ZONED)
        naive = pc.if_else(pc.and_(iso, pc.invert(has_zone)), column, None)
        zoned = pc.if_else(pc.and_(iso, has_zone), column, None)
        epoch = pc.if_else(pc.match_substring_regex(column, _EPOCH), column, None)
        self._saw(NAIVE, naive)
        self._note_zones(zoned)
        read = _integers(_lenient_cast(naive, pa.timestamp("ns")))
        for values in (_integers(_lenient_cast(zoned, pa.timestamp("ns", UTC))), self._epoch_texts(epoch)):
            read = np.where(values == NO_TIME, read, values)
        return read

    def _epoch_texts(self, column: pa.Array) -> NDArray[np.int64]:
        if column.null_count == len(column):
            return np.full(len(column), NO_TIME)
        whole = _cast_or_none(column, pa.int64())
        return self._numbers(pc.cast(column, pa.float64()) if whole is None else whole)

    def _note_zones(self, column: pa.Array) -> None:
        column = column.drop_null()
        written = column.filter(pc.invert(pc.ends_with(column, "Z")))
        if len(written) < len(column):
            self.zones.add(UTC)
        for ending in pc.unique(pc.utf8_slice_codeunits(written, -6)).to_pylist():
            found = _ZONE_AT_END.search(ending)
            if found:
                offset = found.group().replace(":", "").ljust(5, "0")
                self.zones.add(UTC if offset[1:] == "0000" else f"{offset[:3]}:{offset[3:]}")


def _integers(column: pa.Array) -> NDArray[np.int64]:
    """A timestamp or integer array as int64, :data:`NO_TIME` for null."""
    if not pa.types.is_integer(column.type):
        column = column.view(pa.int64())
    if column.null_count:
        column = pc.fill_null(column, NO_TIME)
    values: NDArray[np.int64] = column.to_numpy(zero_copy_only=False)
    return values


def _scaled(values: NDArray[np.int64], factor: int) -> NDArray[np.int64]:
    """Times in nanoseconds; what falls outside 1677–2262 cannot be held and counts as unreadable."""
    if factor == 1:
        return values
    limit = np.iinfo(np.int64).max // factor
    fits = (values >= -limit) & (values <= limit)
    return np.where(fits, np.where(fits, values, 0) * factor, NO_TIME)


def _cast_or_none(column: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _lenient_cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """``column`` as ``kind``, null where that fails: halved until the failing values stand alone."""
    whole = _cast_or_none(column, kind)
    if whole is not None:
        return whole
    if len(column) == 1:
        return pa.nulls(1, kind)
    middle = len(column) // 2
    halves = [_lenient_cast(column.slice(0, middle), kind), _lenient_cast(column.slice(middle), kind)]
    return pa.concat_arrays(halves)
