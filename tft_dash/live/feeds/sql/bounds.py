"""The bounds of a span of time as a column of a database can be compared with them, so that its index is of use.

A value in the column tells how the column writes times. The bounds are a little too wide where they must be (text
without fractions, a clock that was set back): what comes with them is dropped once its times are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Final

import numpy as np
from sqlalchemy import BigInteger, DateTime, Double, Numeric, String
from sqlalchemy.types import TypeEngine

from tft_dash.errors import TableError, shorten

_TEXT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?P<middle>[T ])\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(?P<zone>Z|UTC|[+-]\d{2}(:?\d{2})?)?"
)
_NUMBER: Final = re.compile(r"\d{9,19}(\.\d+)?")
_FACTORS: Final[Mapping[str, int]] = {"epoch-s": 1, "epoch-ms": 10**3, "epoch-us": 10**6, "epoch-ns": 10**9}
_FIRST, _LAST = 946_684_800, 4_102_444_800
"""2000 and 2100: within these a number tells its own unit."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low < column ≤ high`` and the SQL type of both."""

    low: Any
    high: Any
    kind: TypeEngine[Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a column writes its times.

    :param word: ``aware``, ``naive``, ``text`` or ``number``.
    :param zone: of wall-clock times.
    :param middle: what stands between the day and the time of day in a text.
    :param factor: units in a second of a number.
    :param kind: the type of numbers, so that the column need not be converted, which would keep its index from use.
    """

    word: str
    zone: tzinfo = UTC
    middle: str = " "
    factor: int = 1
    kind: type = int

    def bounds(self, start: np.datetime64, end: np.datetime64) -> Bounds:
        """Bounds that hold every time with ``start < time ≤ end``, and few others."""
        first, last = _instant(start), _instant(end)
        if self.word == "aware":
            return Bounds(first, last, DateTime(timezone=True))
        if self.word == "number":
            low, high = (_number(time, self.factor) for time in (first, last + timedelta(milliseconds=1)))
            if self.kind is float:
                return Bounds(float(low), float(high), Double())
            if self.kind is int:
                return Bounds(int(low), int(high), BigInteger())
            return Bounds(low, high, Numeric())
        low_wall, high_wall = self._walls(first, last)
        if self.word == "naive":
            return Bounds(low_wall, high_wall, DateTime())
        # Without fractions: a text that has some is the greater one, so it is found by the second that it is in.
        return Bounds(self._text(low_wall), self._text(high_wall + timedelta(seconds=1)), String())

    def _walls(self, first: datetime, last: datetime) -> tuple[datetime, datetime]:
        """The span on the zone's clocks; a span in which they are set back has wall times beyond both its ends."""
        walls = [time.astimezone(self.zone).replace(tzinfo=None) for time in (first, last)]
        back = max(timedelta(), (last - first) - (walls[1] - walls[0]))
        return min(walls) - back, max(walls) + back

    def _text(self, wall: datetime) -> str:
        return wall.isoformat(self.middle, "seconds")


def form_of(value: object, named: str, zone: tzinfo) -> Form:
    """How a column writes its times, by one of its values.

    :param named: the mapping's form.
    :param zone: of times that name none.
    :raises TableError: it is no time that can be compared.
    """
    if isinstance(value, datetime):
        return Form("aware") if value.tzinfo is not None else Form("naive", zone)
    if isinstance(value, date):
        raise _no_time(value)
    if isinstance(value, int | float | Decimal):
        return _numeric(float(value), value, named)
    if not isinstance(value, str):
        raise _no_time(value)
    found = _TEXT.fullmatch(value.strip())
    if found is None:
        raise _no_time(value)
    return Form("text", _zone(found.group("zone"), zone), found.group("middle"))


def _numeric(number: float, value: object, named: str) -> Form:
    factor = _FACTORS.get(named)
    if factor is None:
        fitting = [one for one in _FACTORS.values() if _FIRST * one <= number < _LAST * one]
        if not fitting:
            raise _no_time(value)
        factor = fitting[0]
    kind = next(one for one in (int, float, Decimal) if isinstance(value, one))
    return Form("number", factor=factor, kind=kind)


def _zone(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    if text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-shift if text[0] == "-" else shift)


def _number(time: datetime, factor: int) -> Decimal:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(since // timedelta(microseconds=1)) * factor / 10**6


def _instant(time: np.datetime64) -> datetime:
    since = int(time.astype("datetime64[ms]").astype(np.int64))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)


def _no_time(value: object) -> TableError:
    return TableError(
        f"The column of times has {shorten(repr(value), 60)}, which cannot be compared with a time. Use a timestamp, "
        "ISO 8601 in one zone, or a count since 1970; a view can make it."
    )
