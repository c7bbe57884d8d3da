"""Rows of a database as samples: the mapping's words mean what they mean for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.importing.foreign import Block
from tft_dash.importing.losses import Losses
from tft_dash.importing.parts import Spec
from tft_dash.importing.reshaping import Rows, rows_of
from tft_dash.live.feeds.complaints import Complaints
from tft_dash.live.samples import Samples, objects
from tft_dash.schema import METRIC, NO_STATE, PROFILE, SERVER_NAME, SERVER_NAME_LIMIT, STATE, FloatArray
from tft_dash.sources.files.times import NO_TIME
from tft_dash.sources.files.values import NOT_A_STATE, judge, read_states

_MS: Final = 1_000_000


class Fetched:
    """Rows of a query as a foreign file: :class:`tft_dash.importing.foreign.Foreign`.

    :ivar columns: the table's.
    """

    def __init__(
        self, columns: tuple[str, ...], pieces: Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]
    ) -> None:
        self.columns = columns
        self.unusable: dict[str, str] = {}
        self.malformed = 0
        self._pieces = pieces

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """See :class:`tft_dash.importing.foreign.Foreign`."""
        for found, rows in self._pieces:
            place = {name: at for at, name in enumerate(found)}
            columns = {name: column([row[place[name]] for row in rows]) for name in dict.fromkeys(names)}
            yield Block(columns, len(rows), 1.0)


def column(values: list[Any]) -> pa.Array:
    """A driver's values in Arrow; what Arrow cannot hold, or what is of several kinds, as text."""
    try:
        found = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())
    if pa.types.is_boolean(found.type):
        return found.cast(pa.int8())
    if pa.types.is_null(found.type):
        return found.cast(pa.string())
    if pa.types.is_binary(found.type) or pa.types.is_nested(found.type):
        return pa.array([_text(value) for value in values], pa.string())
    return found


def _text(value: object) -> str | None:
    if value is None:
        return None
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | bytearray | memoryview) else str(value)


def samples_of(fetched: Fetched, spec: Spec, start: np.datetime64, end: np.datetime64) -> list[Samples]:
    """The samples with ``start < time ≤ end``, and what was wrong with the others of that span.

    :raises TableError: a narrow table is too long.
    """
    losses, found = Losses(), list[Samples]()
    for rows, _ in rows_of(fetched, spec, losses):
        if rows.rows:
            found.append(_samples(rows, start, end))
    complaints = Complaints()
    for words in losses.words():
        complaints.add("text-in-number", int(words.split()[0].replace(",", "")), words)
    rejected = complaints.all()
    if rejected:
        found.append(Samples(np.zeros(0, "datetime64[ms]"), objects(()), {}, rejected=rejected))
    return found


def _samples(rows: Rows, start: np.datetime64, end: np.datetime64) -> Samples:
    complaints = Complaints()
    unread = rows.times == NO_TIME
    times = (np.where(unread, 0, rows.times) // _MS).astype("datetime64[ms]")
    # Fractions of a millisecond belong to the tick of the next one: time ≤ end must hold for the time itself.
    over = (np.where(unread, 0, rows.times) % _MS > 0).astype("timedelta64[ms]")
    times = times + over
    inside = (times > start) & (times <= end) & ~unread
    servers = np.array(_words(rows.words[SERVER_NAME]), object)[inside]
    named = np.array([_is_name(name) for name in servers], bool)
    complaints.add("bad-server-name", int((~named).sum()), f"{(~named).sum()} rows")
    kept = np.flatnonzero(inside)[named]
    metrics = {name: _judged(name, values[kept], complaints) for name, values in rows.metrics.items()}
    profiles = objects(_words(rows.words[PROFILE].take(pa.array(kept)))) if PROFILE in rows.words else None
    states = _states(rows.words[STATE].take(pa.array(kept)), complaints) if STATE in rows.words else None
    return Samples(times[kept], servers[named], metrics, profiles, states, rejected=complaints.all())


def _words(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return [text.strip() if isinstance(text, str) else text for text in column.to_pylist()]


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= SERVER_NAME_LIMIT and name.isprintable()


def _judged(metric: str, values: NDArray[np.float64], complaints: Complaints) -> FloatArray:
    judged = judge(values, METRIC[metric])
    for rule, wrong in (("infinite-value", judged.infinite), ("out-of-range", judged.outside)):
        if wrong is not None:
            complaints.add(rule, int(wrong.sum()), f"{metric} {values[int(np.argmax(wrong))]:g}")
    return judged.values


def _states(words: pa.Array, complaints: Complaints) -> NDArray[np.int8]:
    codes = read_states(words)
    unknown = codes == NOT_A_STATE
    complaints.add("unknown-state", int(unknown.sum()), f"{words[int(np.argmax(unknown))]}" if len(words) else "")
    return np.where(unknown, np.int8(NO_STATE), codes).astype(np.int8)
