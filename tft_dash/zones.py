"""Time zones: by name, and the ones by whose clocks the days of fleets run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

EXAMPLES: Final = "UTC, +02:00, or a name such as Europe/Berlin"

_OFFSET: Final = re.compile(r"[+-](0\d|1[0-4]):?([0-5]\d)")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_UTC_NAMES: Final = ("UTC", "Z", "GMT")
_MS_PER_MINUTE: Final = 60_000
_QUARTER_MS: Final = 15 * _MS_PER_MINUTE
"""No zone changes its clock but at a quarter of an hour."""


def zone_of(name: str) -> tzinfo:
    """The zone called ``name``: UTC, an offset, or a name of the tz database.

    :raises ValueError: there is none.
    """
    if name.upper() in _UTC_NAMES:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        hours, minutes = int(name[1:3]), int(offset.group(2))
        return timezone((-1 if name[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    try:
        if _NAME.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"there is no zone {name}")


def minutes_ahead(milliseconds: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """(n,) minutes by which a zone's clock is ahead of UTC at these times (milliseconds since 1970)."""
    quarters, places = np.unique(milliseconds // _QUARTER_MS, return_inverse=True)
    starts = (datetime.fromtimestamp(int(quarter) * _QUARTER_MS / 1000, UTC) for quarter in quarters)
    ahead = [(start.astimezone(zone).utcoffset() or timedelta()) // timedelta(minutes=1) for start in starts]
    return np.array(ahead, np.int64)[places]


class FleetZones:
    """By whose clocks the days of fleets run: ``ZONE`` for all, ``NAME=ZONE`` for the source of that name.

    :raises ValueError: a zone is none, or one stands twice.
    """

    def __init__(self, words: Sequence[str] = ()) -> None:
        self._zones: dict[str, str] = {}
        for word in words:
            name, _, zone = word.rpartition("=")
            zone_of(zone)
            if name in self._zones:
                raise ValueError(f"'{word}' is one zone too many for {name or 'all sources'}")
            self._zones[name] = "" if zone.upper() in _UTC_NAMES else zone

    def of(self, source: str, *, simulated: bool) -> str:
        """The zone of a source; "" = UTC. The days of simulated fleets run by UTC."""
        return "" if simulated else self._zones.get(source, self._zones.get("", ""))
