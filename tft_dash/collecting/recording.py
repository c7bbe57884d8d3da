"""What a leader writes: ticks with what belongs to them, the polls that brought nothing, and the end of old history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tft_dash.collecting.drift import DriftKeeper
from tft_dash.collecting.keeping import Keeper
from tft_dash.store.live import Hooks, Lease, LiveState, LiveStore, Poll
from tft_dash.ticks import TickRecord


class Recorder:
    """Writes to the store for one source, and reads what is recorded.

    :param hooks: what is done within the recording transactions.
    :param keeper: keeps the history within its bounds.
    :param drift: holds forecasts against what came; None = nobody does.
    """

    def __init__(
        self, name: str, store: LiveStore, keeper: Keeper, hooks: Hooks, drift: DriftKeeper | None = None
    ) -> None:
        self._name, self._store, self._keeper, self._hooks, self._drift = name, store, keeper, hooks, drift

    def state(self) -> LiveState | None:
        """What is known of the source; None = nothing any more."""
        return self._store.state(self._name)

    def ticks(self, first: int, last: int) -> tuple[TickRecord, ...]:
        """What is recorded of these ticks."""
        return self._store.ticks(self._name, first, last)

    def record(self, lease: Lease, records: Sequence[TickRecord], poll: Poll) -> None:
        """Record ticks that follow the newest one; see :meth:`LiveStore.record`."""
        self._store.record(lease, records, poll, self._hooks)

    def note(self, lease: Lease, poll: Poll) -> None:
        """Note a poll without a tick."""
        self._store.record(lease, (), poll, self._hooks)

    def keep(self, lease: Lease, now: np.datetime64) -> None:
        """Do a part of what is due: to hold the history against its forecasts, and to keep it within its bounds."""
        if self._drift is not None:
            self._drift.go_on(lease)
        self._keeper.keep(lease, now)
