"""A live source as pages, API and commands see it: its recorded ticks, read from the store, never computed again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import NotThereError, SourceUnreachableError, StorageError
from tft_dash.frame import History, ServerTrace, SourceDescription
from tft_dash.live.reading import Histories
from tft_dash.progress import Progress, silent
from tft_dash.schema import NO_STATE, Batch, FloatArray, Window
from tft_dash.sources.base import START
from tft_dash.store.live import LiveState, LiveStore
from tft_dash.ticks import Roster, TickRecord

LOOK_SECONDS: Final = 0.5
"""How long a new tick may go unnoticed by a process."""
OLDEST_SECONDS: Final = 30.0
RECORDS_KEPT: Final = 256
MOST_TICKS: Final = 10_000
"""So many ticks one :meth:`LiveSource.read` gives at most."""


class LiveSource:
    """The recorded ticks of a live source. The ticks of a reader are kept in memory, the last few of them.

    :param look_seconds: how long a new tick may go unnoticed.
    """

    def __init__(self, name: str, store: LiveStore, *, look_seconds: float = LOOK_SECONDS) -> None:
        self.name = name
        self._store = store
        self._look_seconds = look_seconds
        self._looked: tuple[float, LiveState] | None = None
        self._oldest: tuple[float, int] | None = None
        self._records: OrderedDict[int, TickRecord] = OrderedDict()
        self._histories = Histories(name, store)
        self._lock = threading.Lock()

    def prepare(self, progress: Progress = silent) -> None:
        """Does nothing: what is recorded can be read at once."""
        progress(1.0)

    def state(self, *, seen: int = -1) -> LiveState:
        """What is known of the source, at most :data:`LOOK_SECONDS` old; its ``now`` goes on between two looks.

        :param seen: a tick that the caller has seen already, maybe from another process: no answer is older than that.
        :raises SourceUnreachableError: nobody has ever collected it.
        :raises StorageError: the store is away, and this process has not read of the source before.
        """
        now = time.monotonic()
        with self._lock:
            looked = self._looked
        before = None if looked is None or seen > looked[1].latest else _later(looked[1], now - looked[0])
        if before is not None and looked is not None and now - looked[0] < self._look_seconds:
            return before
        try:
            found = self._store.state(self.name)
        except StorageError as error:
            if before is None:
                raise
            # Pages go on with what this process knows; that it is old, and why, stands with it.
            with self._lock:
                self._looked = now, replace(before, problem=str(error), store_away=True)
            return replace(before, problem=str(error), store_away=True)
        if found is None:
            raise SourceUnreachableError(
                f"'{self.name}' has not been collected yet. A collector starts with tft-dash serve unless "
                "TFT_DASH_COLLECT forbids it; or start one: tft-dash collect."
            )
        with self._lock:
            if self._looked is not None and found.origin != self._looked[1].origin:
                self._oldest = None
                self._records.clear()  # its history was dropped, and another one has begun
                self._histories.clear()
            self._looked = now, found
        return found

    def describe(self) -> SourceDescription:
        """What the source is at this moment: the servers of its newest tick, and how many ticks there have been.

        :raises SourceUnreachableError: no tick was recorded yet; says why.
        """
        state = self.state()
        if state.origin is None:
            why = state.problem or "Its collector has just begun."
            if not state.collected:
                why = f"{state.problem} Nobody collects it; start that: tft-dash serve, or tft-dash collect.".strip()
            raise SourceUnreachableError(f"'{self.name}' has no tick yet. {why}")
        roster = self._store.roster(self.name, state.roster) or Roster.of((), ())
        return self._description(state, roster)

    def describe_at(self, record: TickRecord) -> SourceDescription:
        """What the source was at a recorded tick: the servers of that time, and how many ticks there are now."""
        return self._description(self.state(), record.roster)

    def record(self, tick: int) -> TickRecord:
        """The tick that stands for ``tick``: itself, or where ticks were thinned out since, the next one that is kept.

        :raises NotThereError: there is no such tick yet, or it is not kept any more.
        :raises SourceUnreachableError: no tick was recorded yet; says why.
        """
        state = self.state(seen=tick)
        if state.origin is None:
            self.describe()  # which says why there is no tick
        latest = state.latest
        if not 0 <= tick <= latest:
            raise NotThereError(f"'{self.name}' has no tick {tick}; its ticks are 0 to {latest}, and go on.")
        with self._lock:
            known = self._records.get(tick)
            if known is not None:
                self._records.move_to_end(tick)
                return known
        kept = self._store.kept(self.name, tick)
        found = None if kept is None else self._store.tick(self.name, kept)
        if found is None:
            raise NotThereError(f"'{self.name}': nothing of tick {tick} is kept any more.")
        with self._lock:
            self._records[tick] = found
            while len(self._records) > RECORDS_KEPT:
                self._records.popitem(last=False)
        return found

    def kept(self, tick: int, *, back: bool) -> int:
        """The nearest kept tick at or after ``tick``, or at or before it; the last one in that direction.

        :raises NotThereError: nothing is kept any more.
        """
        if not back:
            return self.record(tick).tick
        time = self.state().time_of(tick)
        found = self._store.tick_at(self.name, time)
        return self.record(tick).tick if found is None else found

    def oldest(self) -> int:
        """The oldest tick that is kept; looked up anew with every half minute, for it moves slowly."""
        now = time.monotonic()
        with self._lock:
            if self._oldest is not None and now - self._oldest[0] < OLDEST_SECONDS:
                return self._oldest[1]
        found = self._store.oldest(self.name) or 0
        with self._lock:
            self._oldest = now, found
        return found

    def history(self, tick: int) -> History:
        """The fleet's figures of the last :data:`tft_dash.live.reading.HISTORY_TICKS` ticks up to ``tick``, as issued.

        Where ticks were thinned out, see :func:`tft_dash.live.reading.filled`.
        """
        return self._histories.until(tick)

    def trace(self, tick: int, server: int, ticks: int) -> ServerTrace:
        """The last ``ticks`` ticks of one server up to ``tick``.

        :param server: by the roster of ``tick``.
        """
        now = self.record(tick)
        first = max(0, tick - ticks + 1)
        alone = Roster.of((now.servers[server],), (now.profiles[server],))
        records = self._store.ticks(self.name, first, tick)
        metrics, risk, _ = _columns(records, alone, first, tick)
        return ServerTrace(server, first, {name: values[:, 0] for name, values in metrics.items()}, risk[:, 0])

    def read(self, after: int = START, limit: int = 1, *, labels: bool = False) -> Batch:  # noqa: ARG002 - it has none
        """See :meth:`tft_dash.sources.base.Source.read`. Never exhausted; a tick that is not kept is missing.

        The servers are those of :meth:`describe`. At most :data:`MOST_TICKS` at a time.
        """
        about = self.describe()
        first = max(after, START) + 1
        last = min(first + min(max(limit, 0), MOST_TICKS), about.ticks or 0) - 1
        records = self._store.ticks(self.name, first, last) if last >= first else ()
        roster = Roster.of(about.servers, about.profiles)
        metrics, _, states = _columns(records, roster, first, last)
        for name in about.metrics:
            metrics.setdefault(name, np.full(states.shape, np.nan, np.float32))
        window = Window(about.time_of(first), about.step_seconds, about.servers, about.profiles, metrics)
        return Batch(first, window, states, max(last, after), exhausted=False)

    def sample_times(self, after: int = START, limit: int = 1) -> NDArray[np.datetime64]:
        """The ticks' times where a server reported, NaT elsewhere; see :meth:`Source.sample_times`."""
        batch, about = self.read(after, limit), self.describe()
        nominal = np.array([about.time_of(batch.first_tick + place) for place in range(batch.ticks)], "datetime64[ms]")
        return np.where(batch.states != NO_STATE, nominal[:, None], np.datetime64("NaT", "ms"))

    def close(self) -> None:
        """Forget what was read. The store is not closed: others use it."""
        with self._lock:
            self._records.clear()
            self._histories.clear()

    def _description(self, state: LiveState, roster: Roster) -> SourceDescription:
        return SourceDescription(
            name=self.name,
            kind=state.kind,
            servers=roster.servers,
            profiles=roster.profiles,
            metrics=state.metrics,
            step_seconds=state.step_seconds,
            start=state.time_of(0),
            ticks=state.ticks,
            phases=(),
            tick_wall_seconds=state.step_seconds,
            simulated=False,
            title=self.name,
            notices=(state.problem,) if state.problem else (),
            digest=f"{state.identity[:16]}-{roster.number}",
            growing=True,
        )


def open_live(location: str, *, name: str, cache_folder: Path, store: LiveStore) -> LiveSource:  # noqa: ARG001
    """What a source of the kind ``live`` is opened by; whoever reads it needs neither its address nor a cache."""
    return LiveSource(name, store)


def _later(state: LiveState, seconds: float) -> LiveState:
    """The same a while later."""
    return replace(state, now=state.now + np.timedelta64(round(seconds * 1000), "ms"))


def _columns(
    records: tuple[TickRecord, ...], roster: Roster, first: int, last: int
) -> tuple[dict[str, FloatArray], FloatArray, NDArray[np.int8]]:
    """Metrics, risk and states of these ticks, (ticks, servers) by ``roster``; missing where there is nothing."""
    shape = (max(0, last - first + 1), len(roster.servers))
    metrics: dict[str, FloatArray] = {}
    risk, states = np.full(shape, np.nan, np.float32), np.full(shape, NO_STATE, np.int8)
    places: dict[int, tuple[list[int], list[int]]] = {}
    for record in records:
        if record.roster.number not in places:
            there = {name: place for place, name in enumerate(record.servers)}
            pairs = [(place, there[name]) for place, name in enumerate(roster.servers) if name in there]
            places[record.roster.number] = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        to, source = places[record.roster.number]
        row = record.tick - first
        risk[row, to], states[row, to] = record.risk[source], record.states[source]
        for name, values in record.metrics.items():
            metrics.setdefault(name, np.full(shape, np.nan, np.float32))[row, to] = values[source]
    return metrics, risk, states
