"""The kinds of values that a scenario document is made of: durations, times, names, numbers."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Final, Literal, TypeGuard

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from tft_dash.errors import shorten

SLUG_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
LONGEST_DURATION: Final = 10 * 366 * 86400.0
_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PARTS: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|d|h|m|s)\s*")
_CLOCK: Final = re.compile(r"^(\d{1,6}):([0-5]\d)(?::([0-5]\d))?(\.\d{1,6})?$")
_DURATION_PATTERN: Final = r"^(\d+(\.\d+)?\s*(ms|d|h|m|s)\s*)+$|^\d+(:[0-5]\d){1,2}(\.\d+)?$|^\d+(\.\d+)?$"
_EXACT: Final = 2.0**53
_EARLIEST_YEAR, _LATEST_YEAR = 1971, 2200


def mistake(message: str) -> PydanticCustomError:
    """A mistake whose message is already fit for a user's eyes; braces in it stay as they are."""
    return PydanticCustomError("plain_words", "{words}", {"words": message})


def show(value: object) -> str:
    """A value from a document, short and printable, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        return shorten(repr(value), 40)
    except ValueError:
        return "a number with thousands of digits"


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a document's value is a number; ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole(value: object) -> object:
    """``2`` for ``2.0``; anything else as it is, and so is a number so large that its last digits are lost."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def parse_duration(value: object) -> float:
    """Seconds, to the millisecond, from ``90``, ``"90"``, ``"1m30s"``, ``"1:30"`` (m:ss) or ``"1:05:00"`` (h:mm:ss).

    :raises PydanticCustomError: it is none of these, negative, or longer than ten years.
    """
    seconds = _seconds(value)
    if seconds is None or math.isnan(seconds):
        raise mistake(f"is not a duration: {show(value)}. Write seconds (90) or units (1m30s, 2h, 500ms).")
    if not 0.0 <= seconds <= LONGEST_DURATION:
        raise mistake(f"must be between 0 and ten years, not {show(value)}.")
    return round(seconds * 1000) / 1000


def _seconds(value: object) -> float | None:
    if is_number(value):
        return float(min(max(value, -1.0), 1e12))
    return _worded(value.strip().lower()) if isinstance(value, str) and len(value) <= 100 and value.isascii() else None


def _worded(text: str) -> float | None:
    if clock := _CLOCK.match(text):
        first, second, third, rest = clock.groups()
        whole = int(first) * 60 + int(second)
        return (whole if third is None else whole * 60 + int(third)) + float(rest or 0)
    found = _PARTS.findall(text)
    if found and not _PARTS.sub("", text):
        return float(sum(float(number) * _UNITS[unit] for number, unit in found))
    try:
        return float(text)
    except ValueError:
        return None


def format_duration(seconds: float) -> str:
    """The shortest form with units that :func:`parse_duration` reads back: ``1m30s``, ``2h``, ``250ms``."""
    left = round(seconds * 1000)
    words = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words) or "0s"


def parse_instant(value: object) -> datetime:
    """A UTC time, to the millisecond, from ISO 8601 text or what YAML makes of it; without a zone it is UTC.

    :raises PydanticCustomError: it is no time, or a year that recordings cannot carry.
    """
    instant = _instant(value)
    if instant is None:
        raise mistake(f"is not a time: {show(value)}. Write it like 2026-01-05T09:00:00Z.")
    if not _EARLIEST_YEAR <= instant.year <= _LATEST_YEAR:
        raise mistake(f"must lie between the years {_EARLIEST_YEAR} and {_LATEST_YEAR}, not {instant.year}.")
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def format_instant(instant: datetime) -> str:
    """ISO 8601 with ``Z``; milliseconds only when there are some."""
    spec = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=spec).replace("+00:00", "Z")


def _printable(text: str) -> str:
    if any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        raise mistake("holds control characters; use plain text.")
    return text


def _single_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise mistake("must be one line of plain text without spaces at its ends.")
    return text


def _unsigned_zero(value: float) -> float:
    return value + 0.0  # -0.0 is the same number, and would give an equal document another digest


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _DURATION_PATTERN}]}),
]
"""Seconds, a whole number of milliseconds; written as ``90`` or ``1m30s``."""

Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A UTC time to the millisecond."""

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
"""A name that is safe as a file name and in URLs."""

Line = Annotated[str, StringConstraints(max_length=120), AfterValidator(_single_line)]
"""One line of text for people; kept as it is, so whoever shows it escapes it."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_single_line)]
Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_printable)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False), AfterValidator(_unsigned_zero)]
Share = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, BeforeValidator(whole), Strict()]
"""A whole number; ``2.0`` is one, for JSON and browsers do not tell it from ``2``."""
Some = Annotated[Count, Field(ge=1, le=1_000_000)]
"""How many, at least one; larger numbers than any fleet would only break what writes them."""

MetricName = Literal[
    "cpu_pct",
    "mem_pct",
    "latency_ms",
    "error_rate",
    "disk_io_mb_s",
    "net_in_mb_s",
    "net_out_mb_s",
    "gc_pause_ms",
]
"""One of :data:`tft_dash.schema.METRIC_NAMES`; a test holds the two together."""
