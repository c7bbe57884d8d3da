"""Keeping the history of a source within its bounds: a little at a time, by whoever leads it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.settings import Settings
from tft_dash.store.engine import Store
from tft_dash.store.live import Lease
from tft_dash.store.live.keeping import forget_before, forget_oldest, thin, used

EVERY_SECONDS: Final = 300.0
"""As often as there is another five minutes to thin out."""
MORE_SECONDS: Final = 1.0
"""How soon again where there was more than fits into one transaction."""
_GB: Final = 10**9


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the history.

    :param raw_seconds: every tick is kept so long.
    :param keep_seconds: one for every five minutes is kept so long.
    :param most_bytes: of all sources together.
    """

    raw_seconds: float
    keep_seconds: float
    most_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As set."""
        return cls(settings.live_raw_hours * 3600, settings.live_keep_days * 86_400, round(settings.live_gb * _GB))


class Keeper:
    """Keeps one source within the bounds.

    Where all sources together take too much room, each leader drops of its own source what is more than its share.
    """

    def __init__(
        self, store: Store, source: str, limits: Limits, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._source, self._limits = store, source, limits
        self._monotonic = monotonic
        self._next = monotonic()

    def keep(self, lease: Lease, now: np.datetime64) -> int:
        """Do the next part of what is due; how many ticks went.

        :param now: by the clock of the ticks.
        :raises LostLeadError: somebody else leads.
        """
        if self._monotonic() < self._next:
            return 0
        gone = self._part(lease, int(now.astype("datetime64[ms]").astype(np.int64)))
        self._next = self._monotonic() + (MORE_SECONDS if gone else EVERY_SECONDS)
        return gone

    def _part(self, lease: Lease, now_ms: int) -> int:
        gone = forget_before(self._store, lease, now_ms - round(self._limits.keep_seconds * 1000))
        gone = gone or thin(self._store, lease, now_ms - round(self._limits.raw_seconds * 1000))
        return gone or self._make_room(lease)

    def _make_room(self, lease: Lease) -> int:
        taken = used(self._store)
        mine = taken.get(self._source)
        if mine is None:
            return 0
        share = self._limits.most_bytes // len(taken)
        over = min(sum(one.bytes for one in taken.values()) - self._limits.most_bytes, mine.bytes - share)
        if over <= 0:
            return 0
        return forget_oldest(self._store, lease, math.ceil(over * mine.ticks / mine.bytes))
