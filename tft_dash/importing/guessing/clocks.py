"""How a column's times are written, told from a sample of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tft_dash.importing.parts import Timestamp
from tft_dash.importing.stamps import StampReader
from tft_dash.importing.units import numbers_of
from tft_dash.sources.files.times import NAIVE, NO_TIME, TimeReader

_PATTERNS: Final = (
    "%Y%m%d%H%M%S",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %B %Y %H:%M:%S",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y, %I:%M:%S %p",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%Y%m%d",
)
_EPOCHS: Final = (("epoch-s", 1), ("epoch-ms", 10**3), ("epoch-us", 10**6), ("epoch-ns", 10**9))
_FIRST, _LAST = 946_684_800, 4_102_444_800
"""2000-01-01 and 2100-01-01: within these a number tells its own unit."""
_EXCEL: Final = (36_526, 73_050)
_PARTS: Final = re.compile(r"^\s*(\d{1,2})([./-])(\d{1,2})[./-]\d{4}")
_MOST: Final = 0.9
_DATED: Final = ("iso", "day-first", "month-first", "custom")
_CLOCK: Final = r"^\s*\d{1,2}:\d{2}(:\d{2}([.]\d{1,9})?)?( ?[AaPp][Mm])?\s*$"


def guess_clock(name: str, values: pa.Array, decimal: str) -> tuple[Timestamp, str] | None:
    """How the times of a column are written and why, or None when they are no times.

    :param values: a sample of the column.
    """
    values = values.drop_null()
    if not len(values):
        return None
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return _stamp(name, "iso"), ""
    if pa.types.is_boolean(values.type):
        return None
    by_pattern = _by_pattern(name, values)
    if by_pattern is not None and by_pattern.pattern == "%Y%m%d%H%M%S":
        return by_pattern, "times are written without separators"
    by_number = _by_number(name, values, decimal)
    if by_number is not None or pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return by_number
    return _by_text(name, values, by_pattern)


def _by_text(name: str, values: pa.Array, by_pattern: Timestamp | None) -> tuple[Timestamp, str] | None:
    if _share(StampReader("iso"), values) >= _MOST:
        return _stamp(name, "iso"), ""
    return _by_order(name, values) or (None if by_pattern is None else (by_pattern, ""))


def _stamp(name: str, form: str, pattern: str | None = None) -> Timestamp:
    return Timestamp.model_validate({"from": name, "format": form, "pattern": pattern})


def _share(reader: StampReader, values: pa.Array) -> float:
    return float((reader.read(values) != NO_TIME).mean())


def _by_number(name: str, values: pa.Array, decimal: str) -> tuple[Timestamp, str] | None:
    numbers, _ = numbers_of(values, decimal)
    known = numbers[np.isfinite(numbers)]
    if len(known) < _MOST * len(values):
        return None
    middle = float(np.median(known))
    for form, factor in _EPOCHS:
        if _FIRST * factor <= middle < _LAST * factor:
            return _stamp(name, form), f"{name} counts {form.removeprefix('epoch-')} since 1970"
    spread = float(known.max() - known.min())
    if _EXCEL[0] <= middle <= _EXCEL[1] and spread < 3660 and (known % 1 != 0).any():
        return _stamp(name, "excel"), f"{name} has Excel's day numbers"
    return None


def _by_order(name: str, values: pa.Array) -> tuple[Timestamp, str] | None:
    texts = [str(text) for text in values.to_pylist()]
    found = [match for text in texts if (match := _PARTS.match(text))]
    if len(found) < _MOST * len(texts):
        return None
    first = max(int(match.group(1)) for match in found)
    second = max(int(match.group(3)) for match in found)
    if first > 12 or second > 12:
        form, why = ("day-first", "") if first > 12 else ("month-first", "")
    else:
        form, why = _ambiguous(found[0].group(2))
    stamp = _stamp(name, form)
    return (stamp, why) if _share(StampReader(form), values) >= _MOST else None


def _ambiguous(separator: str) -> tuple[str, str]:
    if separator == ".":
        return "day-first", ""  # nobody writes months first with dots
    form = "month-first" if separator == "/" else "day-first"
    words = "month/day" if form == "month-first" else "day, then month"
    return form, f"both orders of day and month would fit; it is taken as {words}, so check it"


def _by_pattern(name: str, values: pa.Array) -> Timestamp | None:
    if pa.types.is_floating(values.type):
        return None
    few = values.slice(0, 50)
    for pattern in _PATTERNS:
        if _share(StampReader("custom", pattern), few) >= _MOST:
            return _stamp(name, "custom", pattern)
    return None


def with_clock(stamp: Timestamp, sample: Mapping[str, pa.Array]) -> Timestamp:
    """``stamp`` with the column of the time of day, where its own has only days and another has that."""
    values = sample[stamp.from_].slice(0, 1000)
    if stamp.format not in _DATED or not _are_days(values):
        return stamp
    clock = next((name for name, column in sample.items() if name != stamp.from_ and is_clock(column)), None)
    pattern = stamp.pattern and f"{stamp.pattern} %H:%M:%S"
    return stamp if clock is None else stamp.model_copy(update={"clock": clock, "pattern": pattern})


def is_clock(column: pa.Array) -> bool:
    """Whether a column has times of day and no days."""
    values = column.slice(0, 1000).drop_null()
    if pa.types.is_time(values.type):
        return bool(len(values))
    if not pa.types.is_string(values.type) or not len(values):
        return False
    return bool(pc.all(pc.match_substring_regex(values, _CLOCK)).as_py())


def names_no_zone(stamp: Timestamp, values: pa.Array) -> bool:
    """Whether the mapping's zone decides what times mean."""
    if stamp.format == "iso" and not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        reader = TimeReader()
        reader.read(values)
        return NAIVE in reader.zones
    return stamp.format in ("excel", "day-first", "month-first") or (
        stamp.format == "custom" and "%z" not in (stamp.pattern or "")
    )


def _are_days(values: pa.Array) -> bool:
    if pa.types.is_date(values.type):
        return True
    return pa.types.is_string(values.type) and not pc.any(pc.match_substring(values, ":")).as_py()
