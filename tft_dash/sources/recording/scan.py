"""Rows with a readable time and server out of a recording's files; both passes over a recording begin here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tft_dash.errors import TableError
from tft_dash.schema import SERVER_NAME, SERVER_NAME_LIMIT, TIMESTAMP
from tft_dash.sources.files.tables import Block, Table
from tft_dash.sources.files.times import NO_TIME, TimeReader
from tft_dash.sources.files.values import places_of, read_words
from tft_dash.sources.findings import Findings, Mark, Rows

BAD_NAME: Final = -1
_NAMES_LIMIT: Final = 250_000


class NameReader:
    """Numbers server names in order of appearance.

    :ivar names: the acceptable names, by their number.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str | None, int] = {None: BAD_NAME}
        self._last: tuple[pa.Array, NDArray[np.int32]] | None = None

    def read(self, column: pa.Array) -> NDArray[np.int32]:
        """(rows,) numbers; :data:`BAD_NAME` for what cannot be a name."""
        words = read_words(column)
        if self._last is None or not self._last[0].equals(words.dictionary):
            codes = [self._code(name) for name in words.dictionary.to_pylist()]
            self._last = (words.dictionary, np.array([*codes, BAD_NAME], np.int32))
        return self._last[1][places_of(words)]

    def _code(self, name: str | None) -> int:
        code = self._codes.get(name)
        if code is None:
            code = len(self.names) if is_server_name(name or "") else BAD_NAME
            self._codes[name] = code
            if code != BAD_NAME:
                self.names.append(name or "")
            if len(self._codes) > _NAMES_LIMIT:
                raise TableError(
                    f"server_name has more than {_NAMES_LIMIT:,} distinct values. Most likely another column was "
                    "exported under that name; a server's name must be the same in all its rows."
                )
        return code


def is_server_name(name: str) -> bool:
    """1 to 128 characters, not blank, none of them a control character."""
    if not name.strip() or len(name) > SERVER_NAME_LIMIT:
        return False
    return all(unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") for letter in name)


@dataclass(frozen=True, slots=True)
class GoodRows:
    """The rows of a block that have a readable time and server.

    :param columns: the block's other columns, those rows only.
    :param done: share of the recording that is read.
    """

    rows: Rows
    columns: Mapping[str, pa.Array]
    done: float


class Scan:
    """One pass over the files of a recording.

    :param findings: is told how many rows there are, and which of them are left out.
    """

    def __init__(self, tables: Sequence[Table], names: NameReader, times: TimeReader, findings: Findings) -> None:
        self._tables = tables
        self._names, self._times, self._findings = names, times, findings

    def run(self, columns: Sequence[str] = ()) -> Iterator[GoodRows]:
        """The good rows with ``columns``; the others are counted as findings."""
        sizes = [table.path.stat().st_size for table in self._tables]
        before = np.concatenate([[0], np.cumsum(sizes)]) / max(1, sum(sizes))
        for place, table in enumerate(self._tables):
            for block in table.blocks((TIMESTAMP, SERVER_NAME, *columns)):
                done = before[place] + (before[place + 1] - before[place]) * block.done
                yield self._good(block, float(done))
            self._count_malformed(table)

    def _good(self, block: Block, done: float) -> GoodRows:
        self._findings.rows += block.rows
        times = self._times.read(block.columns[TIMESTAMP])
        codes = self._names.read(block.columns[SERVER_NAME])
        timeless, nameless = times == NO_TIME, codes == BAD_NAME
        rows = Rows(block.file, block.numbers, times, codes, self._names.names)
        others = {name: column for name, column in block.columns.items() if name not in (TIMESTAMP, SERVER_NAME)}
        bad = timeless | nameless
        if not bad.any():
            return GoodRows(rows, others, done)
        Mark(self._findings, rows).mask("bad-timestamp", timeless, block.columns[TIMESTAMP])
        Mark(self._findings, rows).mask("bad-server-name", nameless, block.columns[SERVER_NAME])
        good = ~bad
        kept = Rows(block.file, block.numbers[good], times[good], codes[good], self._names.names)
        mask = pa.array(good)
        return GoodRows(kept, {name: column.filter(mask) for name, column in others.items()}, done)

    def _count_malformed(self, table: Table) -> None:
        skipped = np.asarray(table.malformed, np.int64)
        if len(skipped):
            self._findings.rows += len(skipped)
            blank = Rows(table.label, skipped, np.full(len(skipped), NO_TIME), np.full(len(skipped), -1, np.int32), ())
            Mark(self._findings, blank).mask("malformed-row", np.ones(len(skipped), bool))
