"""One row per column: what is in it, how its values lie, and where they stand still."""

from __future__ import annotations

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
from tft_dash.inspection.stored.kinds import FLAG, NUMBER, TEXT, TIME, numbers_of
from tft_dash.inspection.stored.rowfile import RowFile, StoredColumn
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
BINS: Final = 40
SPARK_POINTS: Final = 120
EXAMPLES: Final = 5
SAMPLE_ROWS: Final = 20_000_000
"""From this many rows on, quantiles and distinct values are those of evenly spaced rows, and the facts say so."""
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
    stuck = StuckReader(rows)
    facts: list[ColumnFacts] = []
    # Sorting and counting leave the interpreter alone, so that a second thread is a second core.
    with ThreadPoolExecutor(2, thread_name_prefix="facts") as threads:
        for place, one in enumerate(threads.map(lambda column: _facts(rows, column, stuck), columns)):
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


def _facts(rows: RowFile, column: StoredColumn, stuck: StuckReader) -> ColumnFacts:
    still, spark = Stillness(), np.empty(0, np.float32)
    if column.kind in (NUMBER, TIME):
        floats = numbers_whole(rows, column)
        if column.kind == NUMBER:
            spark = _spark(rows, column.field)
            still = stuck.read(floats)
        values = _numbers(floats)
    else:
        values = _coded(rows, column) if column.coded else _texts(rows, column)
        if column.kind == FLAG:
            spark = _spark(rows, column.field)
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


def _numbers(values: NDArray[np.floating[Any]]) -> _Values:
    """Sorts ``values`` in place, once, and reads everything off the order."""
    stride = -(-len(values) // SAMPLE_ROWS) if len(values) else 1
    there = ~np.isnan(values)
    present = int(np.count_nonzero(there))
    ordered = values[there][::stride] if stride > 1 else values[there] if present < len(values) else values
    del there
    ordered.sort()
    distinct = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1])) if present else 0
    finite = ordered[np.searchsorted(ordered, -np.inf, "right") : np.searchsorted(ordered, np.inf, "left")]
    sample = len(ordered) if stride > 1 else None
    if not len(finite):
        return _Values(present, distinct, sample=sample)
    low, high = float(finite[0]), float(finite[-1])
    quantiles = (low, _quantile(finite, 0.5), _quantile(finite, 0.99), high)
    bins = min(BINS, distinct) if high > low else 1
    edges = np.linspace(low, high, bins + 1)
    # The last bin includes its upper edge.
    inner = np.searchsorted(finite, edges[1:-1].astype(finite.dtype), "left")
    counts = np.diff(np.concatenate([[0], inner, [len(finite)]]))
    return _Values(present, distinct, quantiles, (), edges, counts, sample)


def _quantile(ordered: NDArray[np.floating[Any]], share: float) -> float:
    """Linear between ranks."""
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return low + (high - low) * (place - below)


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


def _spark(rows: RowFile, field: str) -> FloatArray:
    """Means over at most :data:`SPARK_POINTS` equal spans of the recording's time."""
    ticks = rows.layout.ticks
    points = min(SPARK_POINTS, ticks)
    if not points:
        return np.empty(0, np.float32)
    sums, counts = np.zeros(points), np.zeros(points, np.int64)
    for chunk, when in zip(rows.chunks(field), rows.chunks("tick"), strict=True):
        values = numbers_of(chunk)
        tick: NDArray[Any] = when.to_numpy(zero_copy_only=False)
        good = np.isfinite(values) & (tick >= 0)
        span = tick[good].astype(np.int64) * points // ticks
        sums += np.bincount(span, values[good], points)
        counts += np.bincount(span, minlength=points)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).astype(np.float32)


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
