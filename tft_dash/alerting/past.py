"""History for the tuner: what was recorded of a live source, or a recording as it is judged."""

from __future__ import annotations

from typing import Final

import numpy as np

from tft_dash.alerts.observing import milliseconds
from tft_dash.alerts.tuning.recorded import History
from tft_dash.errors import UsageError
from tft_dash.schema import Assessments, FloatArray, Window
from tft_dash.store.live import LiveStore
from tft_dash.ticks import TickRecord

MOST_TICKS: Final = 20_000
"""So many kept ticks of a live source are looked at, the newest."""
MOST_VALUES: Final = 40_000_000
"""Likewise: as many ticks as make so many values of single servers."""
_PART: Final = 1_000
_PER_SERVER: Final = ("risk", "server_prob_30m", "server_prob_8h")


def recorded_past(ticks: LiveStore, source: str, last: int) -> History:
    """What was recorded of a live source up to a tick, as issued.

    A kept tick that stands for others stands for all of their time.

    :param last: a tick; the same one always gives the same history, as long as all of it is kept.
    :raises UsageError: nothing is recorded.
    """
    state = ticks.state(source)
    newest = ticks.tick(source, last) if state is not None else None
    wide = max(1, 0 if newest is None else len(newest.servers))
    room = MOST_VALUES // (wide * (len(_PER_SERVER) + (0 if state is None else len(state.metrics))))
    found = ticks.history(source, 0, last, newest=max(_PART, min(MOST_TICKS, room)))
    if state is None or not len(found.ticks):
        raise UsageError(f"Nothing is recorded of '{source}' yet. Choose a recording, or come back later.")
    table = _Table(found.ticks.tolist(), (*_PER_SERVER, *state.metrics))
    first = int(found.ticks[0])
    for start in range(first, last + 1, _PART):
        for record in ticks.ticks(source, start, min(start + _PART - 1, last)):
            table.put(record)
    return History(
        source=source,
        times=found.times.astype("datetime64[ms]").astype(np.int64),
        steps=found.stands_for * round(state.step_seconds * 1000),
        servers=tuple(table.profile_of),
        profiles=tuple(table.profile_of.values()),
        fleet={name: found.figures[name] for name in ("prob_30m", "prob_8h")},
        per_server={name: table.values[name] for name in _PER_SERVER},
        metrics={name: table.values[name] for name in state.metrics},
    )


class _Table:
    """Values of all servers that there ever were; a server that appears gets a column.

    :ivar values: name → (ticks, servers).
    """

    def __init__(self, ticks: list[int], names: tuple[str, ...]) -> None:
        self._row_of = {tick: row for row, tick in enumerate(ticks)}
        self._column_of: dict[str, int] = {}
        self.profile_of: dict[str, str] = {}
        self.values: dict[str, FloatArray] = {name: np.zeros((len(ticks), 0), np.float32) for name in names}

    def put(self, record: TickRecord) -> None:
        """Take up a tick."""
        row = self._row_of.get(record.tick)
        if row is None:  # it was recorded after the list was made
            return
        fresh = [server for server in record.servers if server not in self._column_of]
        for server in fresh:
            self._column_of[server] = len(self._column_of)
        if fresh:
            room = np.full((len(self._row_of), len(fresh)), np.nan, np.float32)
            self.values = {name: np.hstack([values, room]) for name, values in self.values.items()}
        self.profile_of.update(zip(record.servers, record.profiles, strict=True))
        columns = [self._column_of[server] for server in record.servers]
        given = {**record.metrics, **{name: getattr(record, name) for name in _PER_SERVER}}
        for name, values in given.items():
            if name in self.values:
                self.values[name][row, columns] = values


def assessed_past(source: str, window: Window, said: Assessments) -> History:
    """A recording, as a model judges it."""
    step = round(window.step_seconds * 1000)
    return History(
        source=source,
        times=milliseconds(window.start) + step * np.arange(window.ticks, dtype=np.int64),
        steps=np.full(window.ticks, step, np.int64),
        servers=window.servers,
        profiles=window.profiles,
        fleet={"prob_30m": said.prob_30m, "prob_8h": said.prob_8h},
        per_server={name: getattr(said, name) for name in _PER_SERVER},
        metrics=dict(window.metrics),
    )
