"""The feed of pushed samples: reads what waits in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from tft_dash.errors import SourceUnreachableError
from tft_dash.live.feeds.push.configuration import configured
from tft_dash.live.samples import Rejected, Samples, joined, no_samples, objects
from tft_dash.store.engine import Store
from tft_dash.store.pushed.handing import Block, Handed, drop_recorded, hand_over, look, samples_between
from tft_dash.store.pushed.taking import PRUNED_AT_ONCE

_DROPS: Final = 20


def open_push(url: str, options: Mapping[str, str]) -> PushFeed:
    """The feed for ``push://name``.

    :raises UsageError: an option is impossible.
    """
    return PushFeed(configured(url, options).step_seconds)


class PushFeed:
    """See :class:`tft_dash.live.adapters.Feed` and :class:`tft_dash.live.adapters.Stored`.

    A source to which nobody has pushed for a span does not answer for it: whoever pushes may be cut off, and bring
    later what was measured meanwhile. Once some server has pushed for it or for a later time it is answered, and who
    is missing then is missing.
    """

    def __init__(self, step_seconds: float) -> None:
        self.step_seconds = step_seconds
        self._store: Store | None = None
        self._source = ""
        self._marks = False

    def keep_in(self, store: Store, source: str, *, marks: bool) -> None:
        """See :meth:`tft_dash.live.adapters.Stored.keep_in`."""
        self._store, self._source, self._marks = store, source, marks

    def fetch(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """See :meth:`tft_dash.live.adapters.Feed.fetch`."""
        if self._store is None:
            raise SourceUnreachableError("Pushed samples lie in the app's store, and none was given to this feed.")
        first, last = _milliseconds(start), _milliseconds(end)
        found = hand_over(self._store, self._source, first, last) if self._marks else look(self._store, self._source)
        self._demand_answer(found, first)
        if self._marks:
            self._tidy(self._store)
        blocks = samples_between(self._store, self._source, first, last)
        return joined([self._told(found, last), *map(_samples, blocks)])

    def close(self) -> None:
        """See :meth:`tft_dash.live.adapters.Feed.close`; the store is not its own."""

    def _demand_answer(self, found: Handed, first: int) -> None:
        if found.settling and self._marks:
            raise SourceUnreachableError(
                f"Older samples are being pushed to '{self._source}' at this moment. Ticks are recorded as soon as no "
                "more of them come."
            )
        silent = found.newest_ms is None or (found.begun and found.newest_ms <= first)
        if silent and self._marks:
            last = found.pushed_ms if found.newest_ms is None else found.newest_ms
            said = "anything to" if last is None else "newer samples to"
            since = "yet" if last is None else f"since {np.datetime64(last, 'ms').astype('datetime64[s]')} UTC"
            raise SourceUnreachableError(
                f"Nobody has pushed {said} '{self._source}' {since}. Look at whoever pushes: its log tells what "
                f"POST /api/v1/ingest/{self._source} answers."
            )

    def _told(self, found: Handed, last: int) -> Samples:
        counts = found.begun and self._marks
        told = no_samples(
            rejected=[Rejected(*one) for one in found.rejections] if counts else (),
            now=np.datetime64(found.now_ms, "ms"),
            late=found.late if counts else 0,
            future=found.future if counts else 0,
        )
        ends = found.newest_ms is not None and found.newest_ms < last
        until = np.datetime64(found.newest_ms, "ms") if ends and found.newest_ms is not None else None
        return replace(told, duplicate=found.duplicate if counts else 0, until=until)

    def _tidy(self, store: Store) -> None:
        for _ in range(_DROPS):
            if drop_recorded(store, self._source) < PRUNED_AT_ONCE:
                return


def _samples(block: Block) -> Samples:
    return Samples(
        block.times.astype("datetime64[ms]"), objects(block.servers), block.metrics, objects(block.profiles),
        block.states,
    )  # fmt: skip


def _milliseconds(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ms]").astype(np.int64))
