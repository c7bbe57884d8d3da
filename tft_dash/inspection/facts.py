"""One row per column: what is in it, how its values lie, and where they stand still."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.errors import shorten
from tft_dash.inspection.spread import Spread, spread_of
from tft_dash.inspection.stored.kinds import FLAG, NUMBER, TEXT, TIME, numbers_of
from tft_dash.inspection.stored.rowfile import TICK, RowFile, StoredColumn
from tft_dash.inspection.stored.writing import WORDS_LIMIT
from tft_dash.inspection.stuck import Stillness, StuckReader
from tft_dash.progress import Progress
from tft_dash.schema import (
    COLUMNS,
    INCIDENT_PHASE,
    METRIC,
    PROBLEM_CHILD,
    PROFILE,
    SERVER_NAME,
    STATE,
    TIMESTAMP,
    FloatArray,
)

FACTS_FILE: Final = "facts.json"
SPARK_POINTS: Final = 120
EXAMPLES: Final = 5
_THREADS: Final = 4
"""Each holds a column or two in memory."""
_EXAMPLE_LENGTH: Final = 80
_COUNTED_TEXTS: Final = 1_000_000

_MEANINGS: Final[Mapping[str, str]] = {
    TIMESTAMP: "When the sample was taken",
    SERVER_NAME: "The server it was taken on",
    PROFILE: "The kind of server",
    STATE: "The state that the server reported",
    INCIDENT_PHASE: "A drill's script: the phase",
    PROBLEM_CHILD: "A drill's script: whether the server is in trouble",
}


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of one column.

    :param field: what the rows call it: ``c0``, ``c1``, …
    :param kind: of its values: text, number, time or flag.
    :param present: how many rows have a value; neither null nor NaN.
    :param distinct: how many different values; None = more than ``distinct_limit``.
    :param low: smallest finite value; a time as seconds since 1970; None for text and flags. So p50, p99 and high.
    :param examples: the most frequent texts or flags, at most five.
    :param histogram_edges: one more than the counts; empty where there is nothing to count.
    :param spark: at most 120 means over the recording's time; NaN = nothing there. Empty without a clock.
    :param stuck_runs: how often a server's value stayed the same for 12 or more consecutive samples.
    :param longest_stuck: rows of the longest such run, on ``stuck_server``.
    :param sample: how many rows the quantiles and distinct values are of; None = all.
    :param note: what a reader must know about it; None = nothing.
    """

    field: str
    name: str
    type: str
    kind: str
    unit: str | None
    meaning: str | None
    in_contract: bool
    rows: int
    present: int
    distinct: int | None
    distinct_limit: int
    low: float | None
    p50: float | None
    p99: float | None
    high: float | None
    examples: tuple[str, ...]
    histogram_edges: NDArray[np.float64]
    histogram_counts: NDArray[np.int64]
    spark: FloatArray
    stuck_runs: int
    longest_stuck: int
    stuck_server: str | None
    sample: int | None
    note: str | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values and arrays for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_facts(rows: RowFile, progress: Progress) -> tuple[ColumnFacts, ...]:
    """The facts of every column."""
    columns = rows.layout.columns
    beside = _Beside(StuckReader(rows), _Sparks(rows))
    facts: list[ColumnFacts] = []
    # Sorting and counting leave the interpreter alone, so that another thread is another core.
    with ThreadPoolExecutor(max(2, min(_THREADS, os.cpu_count() or 1)), thread_name_prefix="facts") as threads:
        for place, one in enumerate(threads.map(lambda column: _facts(rows, column, beside), columns)):
            facts.append(one)
            progress((place + 1) / len(columns))
    repeated: set[str] = set()
    return tuple(_first_of_name(one, repeated) for one in facts)


def _first_of_name(facts: ColumnFacts, seen: set[str]) -> ColumnFacts:
    """Of columns with the same name, only the first is the contract's."""
    if facts.name in seen and facts.in_contract:
        plain = {**facts.as_dict(), "in_contract": False, "unit": None, "meaning": None}
        return ColumnFacts(**plain)
    seen.add(facts.name)
    return facts


@dataclass(frozen=True, slots=True)
class _Values:
    """How the values of a column lie."""

    present: int
    distinct: int | None
    quantiles: tuple[float | None, float | None, float | None, float | None] = (None, None, None, None)
    examples: tuple[str, ...] = ()
    edges: Sequence[float] | NDArray[np.float64] = ()
    counts: Sequence[int] | NDArray[np.int64] = ()
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is found once and serves every column."""

    stuck: StuckReader
    sparks: _Sparks


def _facts(rows: RowFile, column: StoredColumn, beside: _Beside) -> ColumnFacts:
    still, spark = Stillness(), np.empty(0, np.float32)
    if column.kind in (NUMBER, TIME):
        floats = numbers_whole(rows, column)
        if column.kind == NUMBER:
            spark = beside.sparks.read(column.field)
            still = beside.stuck.read(floats)
        values = _numbers(spread_of(floats))
    else:
        values = _coded(rows, column) if column.coded else _texts(rows, column)
        if column.kind == FLAG:
            spark = beside.sparks.read(column.field)
    low, p50, p99, high = values.quantiles
    metric = METRIC.get(column.name)
    return ColumnFacts(
        field=column.field,
        name=column.name,
        type=column.type,
        kind=column.kind,
        unit=metric.unit or None if metric else None,
        meaning=metric.label if metric else _MEANINGS.get(column.name),
        in_contract=column.name in COLUMNS,
        rows=rows.rows,
        present=values.present,
        distinct=values.distinct,
        distinct_limit=WORDS_LIMIT,
        low=low,
        p50=p50,
        p99=p99,
        high=high,
        examples=values.examples,
        histogram_edges=np.asarray(values.edges, np.float64),
        histogram_counts=np.asarray(values.counts, np.int64),
        spark=spark,
        stuck_runs=still.runs,
        longest_stuck=still.longest,
        stuck_server=still.server,
        sample=values.sample,
        note=column.note,
    )


def numbers_whole(rows: RowFile, column: StoredColumn) -> NDArray[np.floating[Any]]:
    """(rows,) a column of numbers or times as floats; NaN = missing."""
    first = next(rows.chunks(column.field), None)
    narrow = first is not None and pa.types.is_float32(first.type)
    return rows.whole(column.field, numbers_of, np.float32 if narrow else np.float64)


def _numbers(spread: Spread) -> _Values:
    quantiles = (spread.low, spread.p50, spread.p99, spread.high)
    return _Values(
        spread.present, spread.distinct, quantiles, edges=spread.edges, counts=spread.counts, sample=spread.sample
    )


def _coded(rows: RowFile, column: StoredColumn) -> _Values:
    words = rows.words(column.field)
    counts = np.zeros(len(words) + 1, np.int64)
    for chunk in rows.chunks(column.field):
        codes: NDArray[Any] = pc.fill_null(chunk, len(words)).to_numpy(zero_copy_only=False)
        counts += np.bincount(codes, minlength=len(words) + 1)
    present = int(counts[:-1].sum())
    first = np.argsort(-counts[:-1], kind="stable")[:EXAMPLES]
    examples = tuple(shorten(words[int(place)].as_py(), _EXAMPLE_LENGTH) for place in first if counts[place])
    return _Values(present, int(np.count_nonzero(counts[:-1])), examples=examples)


def _texts(rows: RowFile, column: StoredColumn) -> _Values:
    """Plain text and flags."""
    chunked = pa.chunked_array(list(rows.chunks(column.field)), None if rows.rows else pa.string())
    present = len(chunked) - chunked.null_count
    if column.kind == TEXT and len(chunked) > _COUNTED_TEXTS:
        some = chunked.slice(0, _COUNTED_TEXTS).drop_null().slice(0, EXAMPLES).to_pylist()
        return _Values(present, None, examples=tuple(shorten(text, _EXAMPLE_LENGTH) for text in some))
    found = pc.value_counts(chunked.drop_null())
    order = np.argsort(-found.field("counts").to_numpy(), kind="stable")[:EXAMPLES]
    texts = [found.field("values")[int(place)].as_py() for place in order]
    words = tuple(str(text).lower() if column.kind == FLAG else shorten(text, _EXAMPLE_LENGTH) for text in texts)
    distinct = len(found) if len(found) <= WORDS_LIMIT else None
    return _Values(present, distinct, examples=words)


class _Sparks:
    """Means over at most :data:`SPARK_POINTS` equal spans of the recording's time; which row is in which span is
    found once for all columns."""

    def __init__(self, rows: RowFile) -> None:
        ticks = rows.layout.ticks
        self._rows, self._points = rows, min(SPARK_POINTS, ticks)
        self._spans: list[NDArray[np.uint8]] = []
        for when in rows.chunks(TICK) if self._points else ():
            tick: NDArray[Any] = when.to_numpy(zero_copy_only=False)
            span = tick.astype(np.int64) * self._points // ticks
            # A row without a readable time falls into a span of its own, which is left out.
            self._spans.append(np.where(tick >= 0, span, self._points).astype(np.uint8))

    def read(self, field: str) -> FloatArray:
        """(points,) NaN where there is nothing; empty without a clock."""
        points = self._points
        sums, counts = np.zeros(points + 1), np.zeros(points + 1, np.int64)
        for chunk, span in zip(self._rows.chunks(field) if points else (), self._spans, strict=True):
            values = numbers_of(chunk)
            good = np.isfinite(values)
            whole = bool(good.all())
            places = span if whole else span[good]
            sums += np.bincount(places, values if whole else values[good], points + 1)
            counts += np.bincount(places, minlength=points + 1)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[:points].astype(np.float32)


def write_facts(facts: Sequence[ColumnFacts], folder: Path) -> None:
    """Into ``facts.json``."""
    plain = [one.as_dict() for one in facts]
    (folder / FACTS_FILE).write_bytes(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY))


def load_facts(folder: Path) -> tuple[ColumnFacts, ...]:
    """What :func:`write_facts` wrote.

    :raises OSError, ValueError, TypeError: it is not there, or damaged.
    """
    found = []
    for plain in orjson.loads((folder / FACTS_FILE).read_bytes()):
        arrays = {
            "examples": tuple(plain["examples"]),
            "histogram_edges": np.array(plain["histogram_edges"], np.float64),
            "histogram_counts": np.array(plain["histogram_counts"], np.int64),
            "spark": np.array([np.nan if value is None else value for value in plain["spark"]], np.float32),
        }
        found.append(ColumnFacts(**{**plain, **arrays}))
    return tuple(found)
