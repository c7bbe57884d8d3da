"""Every column of a recording's files, in blocks of rows: those outside the contract, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from tft_dash.errors import TableError, shorten
from tft_dash.inspection.stored.kinds import is_text
from tft_dash.inspection.stored.texts import TextTyper
from tft_dash.progress import Progress
from tft_dash.schema import INCIDENT_PHASE, PROFILE, SERVER_NAME, STATE
from tft_dash.sources.files.tables import CsvTable, PartitionedTable, Table

_WORDS: Final = (SERVER_NAME, PROFILE, STATE, INCIDENT_PHASE)
"""Columns of words, whatever they look like: a server may be called 007."""
_BLOCK_ROWS: Final = 65_536
_BLOCK_CELLS: Final = 1 << 22
_BLOCK_BYTES: Final = 64 << 20
_FEWEST_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a recording; a name that occurs twice in a file makes two.

    :param places: its place in every file; None = the file lacks it.
    :param types: its Arrow type in the files that have it; a CSV's as its texts were found to be.
    :param typed: whether its values are text in a file and were read as ``types`` says.
    """

    name: str
    places: tuple[int | None, ...]
    types: tuple[pa.DataType, ...]
    typed: bool


@dataclass(frozen=True, slots=True)
class FileRows:
    """Consecutive rows of one file.

    :param file: its place among the files.
    :param numbers: (rows,) row numbers in the file, from 1, the header not counted.
    :param columns: for every column of the recording; None = the file lacks it.
    :param done: share of the recording that is read once these rows are.
    """

    file: int
    numbers: NDArray[np.int64]
    columns: tuple[pa.Array | None, ...]
    done: float


class RowReader:
    """Reads all rows of a recording, with all columns.

    :param tables: its files.
    :param progress: told while the texts of CSV files are typed.
    :raises TableError: a file is damaged.
    """

    def __init__(self, tables: Sequence[Table], progress: Progress) -> None:
        self._files = [_open(table) for table in tables]
        for place, file in enumerate(self._files):
            file.learn(lambda share, place=place: progress((place + share) / len(self._files)))  # type: ignore[misc]
        self.labels = tuple(table.label for table in tables)
        self.columns = _joint(self._files)

    def blocks(self) -> Iterator[FileRows]:
        """The rows, file by file.

        :raises TableError: a file is damaged; says where.
        """
        sizes = [table.size for table in self._files]
        before = np.concatenate([[0], np.cumsum(sizes)]) / max(1, sum(sizes))
        for place, file in enumerate(self._files):
            for numbers, arrays, done in file.blocks(len(self.columns)):
                places = (column.places[place] for column in self.columns)
                wanted = tuple(None if where is None else arrays[where] for where in places)
                share = before[place] + (before[place + 1] - before[place]) * done
                yield FileRows(place, numbers, wanted, float(share))


_Blocks = Iterator[tuple[NDArray[np.int64], list[pa.Array], float]]


class _CsvRows:
    """A CSV file; its texts are typed once, by all of them."""

    def __init__(self, table: CsvTable, given: Mapping[str, str | None]) -> None:
        self._given = list(given.values())
        self.names = [*table.columns, *given]
        self.size = table.path.stat().st_size
        # Places stand in for names, so that a name that occurs twice stays readable.
        self._table = CsvTable(table.path, table.label)
        self._table.columns = tuple(str(place) for place in range(len(table.columns)))
        self._table.types = dict.fromkeys(self._table.columns, pa.string())
        self._typers = [TextTyper(text=name in _WORDS) for name in table.columns]

    @property
    def types(self) -> list[pa.DataType]:
        return [*(typer.type for typer in self._typers), *[pa.string()] * len(self._given)]

    @property
    def typed(self) -> list[bool]:
        return [*(typer.type != pa.string() for typer in self._typers), *[False] * len(self._given)]

    def learn(self, progress: Progress) -> None:
        for block in self._table.blocks(self._table.columns):
            for typer, column in zip(self._typers, block.columns.values(), strict=True):
                typer.see(column)
            progress(block.done)

    def blocks(self, _columns: int) -> _Blocks:
        for block in self._table.blocks(self._table.columns):
            columns = zip(self._typers, block.columns.values(), strict=True)
            arrays = [typer.read(column) for typer, column in columns]
            yield block.numbers, [*arrays, *_repeated(self._given, block.rows)], block.done


class _ParquetRows:
    def __init__(self, table: Table, given: Mapping[str, str | None]) -> None:
        self._path, self._given = table.path, list(given.values())
        with parquet.ParquetFile(table.path) as file:
            schema, self._meta = file.schema_arrow, file.metadata
        self.names = [*schema.names, *given]
        self.types = [*schema.types, *[pa.string()] * len(given)]
        self.typed = [False] * len(self.names)
        self.size = table.path.stat().st_size
        self._words = [field.name for field in schema if is_text(field.type)]

    def learn(self, progress: Progress) -> None:
        progress(1.0)

    def blocks(self, columns: int) -> _Blocks:
        total, read = max(1, self._meta.num_rows), 0
        groups = [self._meta.row_group(place) for place in range(self._meta.num_row_groups)]
        weight = sum(group.total_byte_size for group in groups) / total
        size = max(_FEWEST_ROWS, min(_BLOCK_ROWS, _BLOCK_CELLS // max(1, columns), int(_BLOCK_BYTES / max(weight, 1))))
        try:
            with parquet.ParquetFile(self._path, read_dictionary=self._words, pre_buffer=False) as file:
                for batch in file.iter_batches(size):
                    # Damaged bytes may make text that is none, or that lies outside its buffer.
                    batch.validate(full=True)
                    numbers = np.arange(read + 1, read + batch.num_rows + 1, dtype=np.int64)
                    read += batch.num_rows
                    yield numbers, [*batch.columns, *_repeated(self._given, batch.num_rows)], read / total
        except (OSError, ValueError, pa.ArrowException) as error:
            raise TableError(
                f"{shorten(str(self._path))} is damaged after row {read:,}: {shorten(str(error), 160)}. "
                "Copy or write it again."
            ) from error


def _open(table: Table) -> _CsvRows | _ParquetRows:
    inner = table.inner if isinstance(table, PartitionedTable) else table
    given = {name: value for name, value in partition_of(table.label).items() if name not in inner.columns}
    if isinstance(inner, CsvTable):
        return _CsvRows(inner, given)
    return _ParquetRows(inner, given)


def partition_of(label: str) -> dict[str, str | None]:
    """Columns that folders named ``column=value`` on the way to a file stand for."""
    pairs = (part.split("=", 1) for part in PurePosixPath(label).parent.parts if "=" in part)
    return {unquote(name): None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value) for name, value in pairs}


def _repeated(values: Sequence[str | None], rows: int) -> list[pa.Array]:
    return [pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), [value]) for value in values]


def _joint(files: Sequence[_CsvRows | _ParquetRows]) -> tuple[FileColumn, ...]:
    """All columns in order of their first appearance."""
    places: dict[tuple[str, int], dict[int, int]] = {}
    for number, file in enumerate(files):
        seen: dict[str, int] = {}
        for place, name in enumerate(file.names):
            seen[name] = seen.get(name, 0) + 1
            places.setdefault((name, seen[name]), {})[number] = place
    return tuple(
        FileColumn(
            name=name,
            places=tuple(where.get(number) for number in range(len(files))),
            types=tuple(files[number].types[place] for number, place in where.items()),
            typed=any(files[number].typed[place] for number, place in where.items()),
        )
        for (name, _), where in places.items()
    )
