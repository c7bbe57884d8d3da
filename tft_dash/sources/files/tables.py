"""One file of a recording, read in blocks of rows with bounded memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray
from pyarrow import parquet

from tft_dash.errors import SourceMissingError, TableError, shorten
from tft_dash.schema import COLUMNS, INCIDENT_PHASE, PROFILE, SERVER_NAME, STATE
from tft_dash.sources.files.formats import CSV, PARQUET, damaged_parquet, demand_utf8, detect_format, read_header
from tft_dash.sources.files.values import can_hold

_BLOCK_ROWS: Final = 65_536
_BLOCK_BYTES: Final = 2 << 20
_WORD_COLUMNS: Final = (SERVER_NAME, PROFILE, STATE, INCIDENT_PHASE)
"""Columns with few distinct values: read as dictionaries, so that no row becomes a Python object."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of one file.

    :param columns: the contract's columns that the file has, as Arrow arrays; Parquet keeps its own types, CSV is text.
    :param numbers: (rows,) row numbers in the file, from 1, the header not counted.
    :param done: share of the file that is read once this block is.
    """

    file: str
    columns: Mapping[str, pa.Array]
    numbers: NDArray[np.int64]
    done: float

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.numbers)


class Table(Protocol):
    """One file of a recording."""

    @property
    def path(self) -> Path:
        """Where the file lies."""
        ...

    @property
    def label(self) -> str:
        """The file's name within its recording."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column name in the file's order, repeated names included."""
        ...

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Name → Arrow type of the contract's columns that can be read; text for all of a CSV's."""
        ...

    @property
    def unusable(self) -> Mapping[str, pa.DataType]:
        """Name → Arrow type of the contract's columns that cannot be read."""
        ...

    @property
    def metadata(self) -> Mapping[bytes, bytes]:
        """The file's own key-value metadata."""
        ...

    @property
    def malformed(self) -> Sequence[int]:
        """Numbers of rows that had too few or too many values; filled while blocks are read."""
        ...

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """The rows, with those of ``columns`` that the file has.

        :raises TableError: the file is damaged; says where.
        """
        ...


def open_table(path: Path, *, label: str = "", partition: Mapping[str, str | None] | None = None) -> Table:
    """The table in the file at ``path``.

    :param label: the file's name within its recording; its own name by default.
    :param partition: column → value that a folder's name gives to every row of the file.
    :raises SourceMissingError: the file is not there or may not be read.
    :raises TableError: it is neither CSV nor Parquet, or damaged.
    """
    kind = detect_format(path)
    label = label or path.name
    table = CsvTable(path, label) if kind == CSV else ParquetTable(path, label)
    given = {name: value for name, value in (partition or {}).items() if name in COLUMNS and name not in table.columns}
    return PartitionedTable(table, given) if given else table


def format_of(table: Table) -> str:
    """``"csv"`` or ``"parquet"``."""
    inner = table.inner if isinstance(table, PartitionedTable) else table
    return CSV if isinstance(inner, CsvTable) else PARQUET


class CsvTable:
    """A CSV file: commas, UTF-8, a header. Every value is read as text; an empty one is null."""

    def __init__(self, path: Path, label: str) -> None:
        names, self._offset = read_header(path)
        self._is_utf8 = False
        self.path, self.label = path, label
        self.columns: tuple[str, ...] = tuple(names)
        self.types: Mapping[str, pa.DataType] = {name: pa.string() for name in names if name in COLUMNS}
        self.unusable: Mapping[str, pa.DataType] = {}
        self.metadata: Mapping[bytes, bytes] = {}
        self.malformed: array[int] = array("q")

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """See :class:`Table`."""
        wanted = {name: f"{self.columns.index(name)}" for name in columns if name in self.types}
        if not self._is_utf8:
            demand_utf8(self.path)
            self._is_utf8 = True
        self.malformed = array("q")
        size = max(1, self.path.stat().st_size)
        read = 0
        # Never closed by hand: Arrow reads ahead in a thread, and lets go of the file when the last reader is gone.
        file = pa.OSFile(str(self.path), "rb")
        file.seek(self._offset)
        for batch in self._batches(file, list(wanted.values())):
            numbers = self._numbers(read, batch.num_rows)
            read += batch.num_rows
            arrays = dict(zip(wanted, batch.columns, strict=True))
            yield Block(self.label, arrays, numbers, min(1.0, file.tell() / size))

    def _batches(self, file: pa.OSFile, places: list[str]) -> Iterator[pa.RecordBatch]:
        if file.tell() == file.size():
            return
        words = {f"{self.columns.index(name)}" for name in _WORD_COLUMNS if name in self.types}
        text, word = pa.string(), pa.dictionary(pa.int32(), pa.string())
        try:
            yield from arrow_csv.open_csv(
                file,
                # Places stand in for names, so that a name that occurs twice stays readable.
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    column_names=[str(place) for place in range(len(self.columns))],
                ),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=self._skip),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=places,
                    column_types={place: word if place in words else text for place in places},
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except (OSError, pa.ArrowInvalid) as error:
            raise TableError(_csv_damage(self.path, str(error))) from error

    def _skip(self, row: Any) -> str:  # noqa: ANN401 - pyarrow exports no type for it
        self.malformed.append(row.number)
        return "skip"

    def _numbers(self, read: int, count: int) -> NDArray[np.int64]:
        """Numbers in the file of good rows ``read`` … ``read + count``, malformed ones counted too."""
        numbers = np.arange(read + 1, read + count + 1, dtype=np.int64)
        if self.malformed:
            skipped = np.asarray(self.malformed, np.int64) - np.arange(len(self.malformed))
            numbers += np.searchsorted(skipped, numbers, side="right")
        return numbers


def _csv_damage(path: Path, reason: str) -> str:
    where = shorten(str(path))
    if "straddling" in reason:
        return (
            f"{where}: a row is longer than {_BLOCK_BYTES >> 20} MB; most likely a quotation mark is never closed. "
            "Close it, or write the file again."
        )
    return f"{where} cannot be read as CSV: {shorten(reason, 200)}. Write it again with commas, in UTF-8."


class ParquetTable:
    """A Parquet file, read by row group."""

    def __init__(self, path: Path, label: str) -> None:
        self.path, self.label = path, label
        with _opened(path) as file:
            schema = file.schema_arrow
        self.columns: tuple[str, ...] = tuple(schema.names)
        known = [name for name in COLUMNS if name in self.columns]
        types = {name: schema.field(schema.get_all_field_indices(name)[0]).type for name in known}
        self.types: Mapping[str, pa.DataType] = {name: kind for name, kind in types.items() if can_hold(name, kind)}
        self.unusable: Mapping[str, pa.DataType] = {
            name: kind for name, kind in types.items() if name not in self.types
        }
        self.metadata: Mapping[bytes, bytes] = schema.metadata or {}
        self.malformed: array[int] = array("q")

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """See :class:`Table`."""
        wanted = [name for name in columns if name in self.types]
        read = 0
        with _opened(self.path, [name for name in _WORD_COLUMNS if name in self.types]) as file:
            total = max(1, file.metadata.num_rows)
            try:
                for batch in file.iter_batches(_BLOCK_ROWS, columns=wanted, use_threads=False):
                    # Damaged bytes may make text that is none, or that lies outside its buffer.
                    batch.validate(full=True)
                    places = {name: batch.schema.get_all_field_indices(name)[0] for name in wanted}
                    arrays = {name: batch.column(place) for name, place in places.items()}
                    numbers = np.arange(read + 1, read + batch.num_rows + 1, dtype=np.int64)
                    read += batch.num_rows
                    yield Block(self.label, arrays, numbers, read / total)
            except MemoryError:
                raise  # Arrow's own is an ArrowException, too; it says nothing of the file
            except (OSError, ValueError, pa.ArrowException) as error:
                raise TableError(
                    f"{shorten(str(self.path))} is damaged after row {read:,}: {shorten(str(error), 160).rstrip('.')}. "
                    "Copy or write it again."
                ) from error


def _opened(path: Path, words: Sequence[str] = ()) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path, read_dictionary=list(words), pre_buffer=False)
    except FileNotFoundError as error:
        raise SourceMissingError(f"There is no file {shorten(str(path))}. Check the path.") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TableError(damaged_parquet(str(path), error)) from error


@dataclass(slots=True)
class PartitionedTable:
    """A table in folders named ``column=value``: those values are columns of every row.

    :param given: column → the folder's value; None = the folder says that it is missing.
    """

    inner: CsvTable | ParquetTable
    given: Mapping[str, str | None]
    path: Path = field(init=False)
    label: str = field(init=False)
    columns: tuple[str, ...] = field(init=False)
    types: Mapping[str, pa.DataType] = field(init=False)
    unusable: Mapping[str, pa.DataType] = field(init=False)
    metadata: Mapping[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.path, self.label, self.metadata = self.inner.path, self.inner.label, self.inner.metadata
        self.columns = (*self.inner.columns, *self.given)
        self.unusable = self.inner.unusable
        self.types = {**self.inner.types, **dict.fromkeys(self.given, pa.string())}

    @property
    def malformed(self) -> Sequence[int]:
        """See :class:`Table`."""
        return self.inner.malformed

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """See :class:`Table`."""
        given = {name: value for name, value in self.given.items() if name in columns}
        for block in self.inner.blocks(columns):
            added = {name: pa.repeat(pa.scalar(value, pa.string()), block.rows) for name, value in given.items()}
            yield Block(block.file, {**block.columns, **added}, block.numbers, block.done)
