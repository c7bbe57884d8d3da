"""The recorded history of a live source as a recording: a Parquet file of the contract's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tft_dash.errors import StorageError, UsageError
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.writing.atomic import file_set
from tft_dash.schema import METRIC_NAMES, NO_STATE, PROFILE, SERVER_NAME, STATE, STATES, TIMESTAMP
from tft_dash.store.live import FleetHistory, LiveStore
from tft_dash.store.live.keeping import SPAN_MS
from tft_dash.ticks import TickRecord

_PART: Final = 500
"""So many ticks are read and written at a time."""
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    :param first: time of the first tick, UTC; ``last`` likewise.
    :param is_thinned: one tick for every five minutes is written, for a part of the span is not kept any finer.
    """

    rows: int
    ticks: int
    first: np.datetime64
    last: np.datetime64
    is_thinned: bool


def write_history(
    store: LiveStore,
    name: str,
    output: Path,
    *,
    since: np.datetime64 | None = None,
    until: np.datetime64 | None = None,
    progress: Progress = silent,
) -> Written:
    """Write what was measured, a row for every server that reported at a tick, by tick, then server.

    The ticks are as far apart all over, if their step divides five minutes: where a part of the span has been thinned
    out, the rest is taken likewise. What was said of them is not written: a recording is there to be judged anew.

    :param since: the first tick is not before it; ``until``: the last one is not after it.
    :raises UsageError: nothing is kept of that source in that span; says what is.
    :raises StorageError: the file cannot be written, nothing half-written is left; or the store is away.
    """
    state = store.state(name)
    if state is None or state.origin is None:
        raise UsageError(f"Nothing is recorded of '{name}' yet. Come back when its collector has been at work.")
    kept = store.history(name, 0, state.latest)
    wanted = np.ones(len(kept.ticks), bool)
    if since is not None:
        wanted &= kept.times >= since
    if until is not None:
        wanted &= kept.times <= until
    is_thinned = bool((kept.stands_for[wanted] > 1).any())
    if is_thinned:
        wanted &= _that_stay(kept)
    if not wanted.any():
        raise UsageError(f"Nothing of '{name}' is kept in that span. {_spoken(kept)}")
    rows = 0
    with file_set(output.parent) as files, pq.ParquetWriter(
        files.begin(output.name), _schema(state.metrics), compression="zstd", store_schema=False
    ) as writer:  # fmt: skip
        for share, records in _parts(store, name, kept.ticks[wanted]):
            table = _table(records, state.metrics)
            writer.write_table(table)
            rows += table.num_rows
            progress(share)
    times = kept.times[wanted]
    return Written(rows, len(times), times[0], times[-1], is_thinned)


def _that_stay(kept: FleetHistory) -> NDArray[np.bool_]:
    """The ticks that stay when those of each five minutes are thinned out: the last of each, once it is whole."""
    times = kept.times.astype("datetime64[ms]").astype(np.int64)
    spans = -(-times // SPAN_MS)
    last = np.append(spans[1:] != spans[:-1], times[-1:] == spans[-1:] * SPAN_MS)
    return last | (kept.stands_for > 1)


def _spoken(kept: FleetHistory) -> str:
    if not len(kept.ticks):
        return "Nothing of it is kept any more."
    first, last = (str(time.astype("datetime64[s]")) for time in (kept.times[0], kept.times[-1]))
    return f"It is kept from {first}Z to {last}Z."


def _parts(store: LiveStore, name: str, ticks: NDArray[np.int64]) -> Iterator[tuple[float, Sequence[TickRecord]]]:
    """The records of these ticks in order, with the share that is done after them."""
    for first in range(0, len(ticks), _PART):
        part = ticks[first : first + _PART]
        found = list(_records(store, name, part.tolist()))
        if len(found) < len(part):
            raise StorageError(
                f"'{name}' was thinned out or dropped while it was read. Nothing was written; run it again."
            )
        yield min(first + _PART, len(ticks)) / len(ticks), found


def _records(store: LiveStore, name: str, ticks: Sequence[int]) -> Iterator[TickRecord]:
    """Those of these ticks that are still kept; where many lie between them, each is read by itself."""
    if ticks[-1] - ticks[0] < 2 * len(ticks):
        chosen = set(ticks)
        yield from (one for one in store.ticks(name, ticks[0], ticks[-1]) if one.tick in chosen)
        return
    for tick in ticks:
        record = store.tick(name, tick)
        if record is not None:
            yield record


def _schema(metrics: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            (TIMESTAMP, pa.timestamp("ms", "UTC")),
            (SERVER_NAME, _TEXT),
            (PROFILE, _TEXT),
            (STATE, _TEXT),
            *((name, pa.float32()) for name in METRIC_NAMES if name in metrics),
        ]
    )


def _table(records: Sequence[TickRecord], metrics: Sequence[str]) -> pa.Table:
    schema = _schema(metrics)
    batches = [_batch(record, schema) for record in records]
    return pa.Table.from_batches(batches, schema).unify_dictionaries()


def _batch(record: TickRecord, schema: pa.Schema) -> pa.RecordBatch:
    """The rows of one tick; a server of which nothing was reported has none."""
    there = np.flatnonzero(record.states != NO_STATE)
    nothing = np.full(len(record.servers), np.nan, np.float32)
    time = record.time.astype("datetime64[ms]")
    columns = [
        pa.array(np.full(len(there), time), pa.timestamp("ms")).cast(schema.field(TIMESTAMP).type),
        *(pa.array([words[place] for place in there], pa.string()).dictionary_encode() for words in (
            record.servers, record.profiles,
        )),
        pa.array([STATES[code] for code in record.states[there]], pa.string()).dictionary_encode(),
        *(
            pa.array(record.metrics.get(name, nothing)[there], pa.float32(), from_pandas=True)
            for name in METRIC_NAMES if name in schema.names
        ),
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=schema)
