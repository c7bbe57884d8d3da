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
_PART: Final = 1_000
_PER_SERVER: Final = ("risk", "server_prob_30m", "server_prob_8h")


def recorded_past(ticks: LiveStore, source: str, last: int) -> History:
    """What was recorded of a live source up to a tick, as issued.

    A kept tick that stands for others stands for all of their time.

    :param last: a tick; the same one always gives the same history, as long as all of it is kept.
    :raises UsageError: nothing is recorded.
    """
    state = ticks.state(source)
    found = ticks.history(source, 0, last, newest=MOST_TICKS)
    if state is None or not len(found.ticks):
        raise UsageError(f"Nothing is recorded of '{source}' yet. Choose a recording, or come back later.")
    first = int(found.ticks[0])
    rosters: dict[str, str] = {}
    for number in _parts(first, last):
        for record in ticks.ticks(source, *number):
            rosters.update(zip(record.servers, record.profiles, strict=True))
    servers = tuple(rosters)
    row_of = {tick: row for row, tick in enumerate(found.ticks.tolist())}
    shape = (len(row_of), len(servers))
    per_server = {name: np.full(shape, np.nan, np.float32) for name in _PER_SERVER}
    metrics = {name: np.full(shape, np.nan, np.float32) for name in state.metrics}
    column_of = {server: column for column, server in enumerate(servers)}
    for number in _parts(first, last):
        for record in ticks.ticks(source, *number):
            if record.tick in row_of:
                _put(record, row_of[record.tick], column_of, per_server, metrics)
    step = round(state.step_seconds * 1000)
    fleet = {name: found.figures[name] for name in ("prob_30m", "prob_8h")}
    return History(
        source=source,
        times=found.times.astype("datetime64[ms]").astype(np.int64),
        steps=found.stands_for * step,
        servers=servers,
        profiles=tuple(rosters.values()),
        fleet=fleet,
        per_server=per_server,
        metrics=metrics,
    )


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


def _parts(first: int, last: int) -> list[tuple[int, int]]:
    """Spans of ticks that are read at once."""
    return [(start, min(start + _PART - 1, last)) for start in range(first, last + 1, _PART)]


def _put(
    record: TickRecord,
    row: int,
    column_of: dict[str, int],
    per_server: dict[str, FloatArray],
    metrics: dict[str, FloatArray],
) -> None:
    columns = [column_of[server] for server in record.servers]
    for name, values in per_server.items():
        values[row, columns] = getattr(record, name)
    for name, given in record.metrics.items():
        if name in metrics:
            metrics[name][row, columns] = given
