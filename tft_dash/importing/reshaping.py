"""Blocks of a foreign file as rows of the contract, whatever the file's layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tft_dash.errors import TableError, shorten
from tft_dash.importing.fit import servers_by_column
from tft_dash.importing.foreign import Block, Foreign
from tft_dash.importing.losses import Losses
from tft_dash.importing.parts import Columns, Narrow, Spec
from tft_dash.importing.stamps import StampReader
from tft_dash.importing.units import converted, numbers_of
from tft_dash.schema import INCIDENT_PHASE, PROBLEM_CHILD, PROFILE, SERVER_NAME, STATE
from tft_dash.sources.files.times import NO_TIME

MOST_NARROW_ROWS: Final = 20_000_000
_CELLS: Final = 1 << 18
_WORDS: Final = (SERVER_NAME, PROFILE, STATE, INCIDENT_PHASE, PROBLEM_CHILD)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the contract.

    :param times: (rows,) nanoseconds since 1970 in UTC.
    :param words: column → text, kept columns included.
    :param metrics: metric → (rows,) values in the contract's unit; NaN = missing.
    """

    times: NDArray[np.int64]
    words: Mapping[str, pa.Array]
    metrics: Mapping[str, NDArray[np.float64]]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.times)


_NO_ROWS: Final = Rows(np.empty(0, np.int64), {}, {})


def rows_of(foreign: Foreign, spec: Spec, losses: Losses, *, most_rows: int = 0) -> Iterator[tuple[Rows, float]]:
    """The rows of a file that ``spec`` fits, and the share of the file that is read with them.

    There may be no rows for a while, and then many.

    :param most_rows: how many rows of the file a narrow table is gathered from; 0 = all.
    :raises TableError: the file is damaged, or a narrow table is too long or names none of the metrics.
    """
    reader = _Reader(spec, losses)
    if spec.layout == "wide":
        yield from _wide(foreign, spec, reader)
    elif spec.narrow is not None:
        yield from _narrow(foreign, spec, reader, spec.narrow, most_rows)
    else:
        yield from _long(foreign, spec, reader)


class _Reader:
    """Reads single columns as the mapping says."""

    def __init__(self, spec: Spec, losses: Losses) -> None:
        stamp = spec.timestamp
        if stamp is None:
            raise ValueError("a mapping without a timestamp fits no file")
        self.time_columns = stamp.columns()
        self._stamps = StampReader(stamp.format, stamp.pattern, stamp.zone, spec.csv.decimal)
        self._what = f"time of the format {stamp.pattern or stamp.format}"
        self._spec, self._losses = spec, losses

    def times(self, block: Block) -> NDArray[np.int64]:
        column = _moments([block.columns[name] for name in self.time_columns])
        times = self._stamps.read(column)
        lost = times == NO_TIME
        if column.null_count:
            lost &= pc.is_valid(column).to_numpy(zero_copy_only=False)
        self._losses.mark(self.time_columns[0], self._what, lost, column)
        return times

    def metric(self, metric: str, unit: str, name: str, column: pa.Array) -> NDArray[np.float64]:
        values, text = numbers_of(column, self._spec.csv.decimal)
        self._losses.mark(name, "number", text, column)
        return converted(values, metric, unit)

    def words(self, block: Block, names: Sequence[str] = _WORDS) -> dict[str, pa.Array]:
        found = {}
        for name in names:
            given = getattr(self._spec.columns, name)
            if given is None:
                continue
            if given.from_ is None:
                found[name] = pa.repeat(pa.scalar(given.value, pa.string()), block.rows)
            else:
                found[name] = _text(block.columns[given.from_])
        return found


def _moments(parts: Sequence[pa.Array]) -> pa.Array:
    """The column of times; of a day and a time of day in columns of their own, both as one text."""
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*(_text(part) for part in parts), " ")


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        return pc.utf8_trim_whitespace(column)
    return pc.cast(column, pa.string(), safe=False)


def _sources(columns: Columns, names: Sequence[str] = _WORDS) -> list[str]:
    given = [getattr(columns, name) for name in names]
    return [part.from_ for part in given if part is not None and part.from_ is not None]


def _long(foreign: Foreign, spec: Spec, reader: _Reader) -> Iterator[tuple[Rows, float]]:
    metrics = spec.columns.metrics()
    wanted = [*reader.time_columns, *_sources(spec.columns), *(part.from_ for part in metrics.values()), *spec.keep]
    for block in foreign.blocks(wanted):
        values = {
            name: reader.metric(name, part.unit, part.from_, block.columns[part.from_])
            for name, part in metrics.items()
        }
        kept = {name: _kept(block.columns[name]) for name in spec.keep}
        yield Rows(reader.times(block), {**reader.words(block), **kept}, values), block.done


def _kept(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else pc.cast(_decoded(column), pa.string(), safe=False)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _wide(foreign: Foreign, spec: Spec, reader: _Reader) -> Iterator[tuple[Rows, float]]:
    """A row of the file becomes a row for every server, in the order in which the servers first stand in the header."""
    metrics = spec.columns.metrics()
    places = {name: servers_by_column(part.from_, foreign, spec) for name, part in metrics.items()}
    servers = list(dict.fromkeys(server for found in places.values() for server in found.values()))
    codes = {server: code for code, server in enumerate(servers)}
    others = [name for name in _WORDS if name != SERVER_NAME]
    wanted = [
        *reader.time_columns,
        *_sources(spec.columns, others),
        *(name for found in places.values() for name in found),
    ]
    for whole in foreign.blocks(wanted):
        for block in _slices(whole, max(1, _CELLS // max(1, len(servers)))):
            times = reader.times(block)
            values = {}
            for metric, part in metrics.items():
                grid = np.full((block.rows, len(servers)), np.nan)
                for column, server in places[metric].items():
                    grid[:, codes[server]] = reader.metric(metric, part.unit, column, block.columns[column])
                values[metric] = grid.reshape(-1)
            repeat = np.repeat(np.arange(block.rows), len(servers))
            words = {name: column.take(pa.array(repeat)) for name, column in reader.words(block, others).items()}
            every = np.tile(np.arange(len(servers), dtype=np.int32), block.rows)
            words[SERVER_NAME] = pa.array(servers, pa.string()).take(pa.array(every))
            yield Rows(np.repeat(times, len(servers)), words, values), block.done


def _slices(block: Block, rows: int) -> Iterator[Block]:
    for first in range(0, block.rows, rows):
        columns = {name: column.slice(first, rows) for name, column in block.columns.items()}
        yield Block(columns, min(rows, block.rows - first), block.done)


@dataclass(slots=True)
class _Pile:
    """The rows of a narrow table, gathered: what belongs together may stand far apart."""

    times: list[NDArray[np.int64]]
    metrics: list[NDArray[np.int8]]
    values: list[NDArray[np.float64]]
    words: list[pa.Table]
    rows: int = 0


def _narrow(
    foreign: Foreign, spec: Spec, reader: _Reader, narrow: Narrow, most_rows: int
) -> Iterator[tuple[Rows, float]]:
    pile = _Pile([], [], [], [])
    for block in foreign.blocks([*reader.time_columns, *_sources(spec.columns), narrow.metric, narrow.value]):
        _gather(pile, block, spec, reader, narrow)
        yield _NO_ROWS, block.done * 0.9
        if most_rows and pile.rows >= most_rows:
            break
        if pile.rows > MOST_NARROW_ROWS:
            raise TableError(
                f"A table with a row per metric can have at most {MOST_NARROW_ROWS:,} rows. Split it by time, or "
                "export it with a column per metric."
            )
    metrics = spec.columns.metrics()
    if not pile.rows:
        words = ", ".join(f"'{shorten(part.from_, 40)}'" for part in metrics.values())
        raise TableError(
            f"No row has {words} in its column {shorten(narrow.metric, 40)}. Write the words as they stand there."
        )
    yield from _pivot(pile, list(metrics))


def _gather(pile: _Pile, block: Block, spec: Spec, reader: _Reader, narrow: Narrow) -> None:
    metrics = spec.columns.metrics()
    names = pc.dictionary_encode(_text(block.columns[narrow.metric]))
    known = {part.from_: place for place, part in enumerate(metrics.values())}
    table = np.array([*(known.get(word, -1) for word in names.dictionary.to_pylist()), -1], np.int8)
    codes = table[pc.fill_null(names.indices, len(table) - 1).to_numpy(zero_copy_only=False)]
    chosen = codes >= 0
    values = np.full(block.rows, np.nan)
    for place, (metric, part) in enumerate(metrics.items()):
        rows = np.flatnonzero(codes == place)
        if len(rows):
            column = block.columns[narrow.value].take(pa.array(rows))
            values[rows] = reader.metric(metric, part.unit, part.from_, column)
    pile.times.append(reader.times(block)[chosen])
    pile.metrics.append(codes[chosen])
    pile.values.append(values[chosen])
    words = pa.table({name: pc.dictionary_encode(column) for name, column in reader.words(block).items()})
    pile.words.append(words.filter(pa.array(chosen)))
    pile.rows += int(chosen.sum())


def _pivot(pile: _Pile, metrics: Sequence[str]) -> Iterator[tuple[Rows, float]]:
    """One row for each time and server; of a metric that stands twice there the later counts."""
    times, codes = np.concatenate(pile.times), np.concatenate(pile.metrics)
    values = np.concatenate(pile.values)
    words = pa.concat_tables(pile.words).unify_dictionaries().combine_chunks()
    servers = words.column(SERVER_NAME).chunk(0)
    places: NDArray[Any] = pc.fill_null(servers.indices, -1).to_numpy(zero_copy_only=False)
    order = np.lexsort((np.arange(len(times)), places, times))
    sorted_times, sorted_places = times[order], places[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (np.diff(sorted_times) != 0) | (np.diff(sorted_places) != 0)
    group = np.cumsum(starts) - 1
    first = order[starts]
    grids = {name: np.full(len(first), np.nan) for name in metrics}
    for place, name in enumerate(metrics):
        mine = codes[order] == place
        grids[name][group[mine]] = values[order[mine]]
    step = _CELLS
    for begin in range(0, len(first), step):
        span = slice(begin, begin + step)
        rows = words.take(pa.array(first[span]))
        texts = {name: _decoded(_chunk(rows.column(name))) for name in rows.column_names}
        yield Rows(times[first[span]], texts, {name: grid[span] for name, grid in grids.items()}), 1.0


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
