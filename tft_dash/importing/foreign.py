"""A foreign file as named columns, read in blocks with bounded memory: CSV in any of the usual dialects, or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from tft_dash.errors import TableError, shorten
from tft_dash.importing.parts import Csv
from tft_dash.sources.files.formats import CSV, damaged_parquet, detect_format

MOST_COLUMNS: Final = 20_000
_BLOCK_ROWS: Final = 65_536
_BLOCK_BYTES: Final = 2 << 20
_HEADER_BYTES: Final = 4 << 20
_SIMPLE: Final = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_boolean,
    pa.types.is_timestamp,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_decimal,
    pa.types.is_null,
)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of a foreign file.

    :param columns: name → values; Parquet keeps its own types, CSV is text.
    :param done: share of the file that is read once this block is.
    """

    columns: Mapping[str, pa.Array]
    rows: int
    done: float


class Foreign(Protocol):
    """A foreign file.

    :ivar columns: the names in the file's order; a repeated one is ``name (2)``, one without a name ``column 3``.
    :ivar unusable: name → type of the columns that cannot be read.
    :ivar malformed: rows that had too few or too many values; counted while blocks are read.
    """

    columns: tuple[str, ...]
    unusable: dict[str, str]
    malformed: int

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """The rows, with the columns called ``names``.

        :raises TableError: the file is damaged.
        """
        ...


def open_foreign(path: Path, dialect: Csv) -> Foreign:
    """The file at ``path``.

    :raises SourceMissingError: it is not there or may not be read.
    :raises TableError: it is neither CSV nor Parquet, damaged, or has too many columns.
    """
    table: Foreign = ForeignCsv(path, dialect) if detect_format(path) == CSV else ForeignParquet(path)
    if len(table.columns) > MOST_COLUMNS:
        raise TableError(
            f"{shorten(path.name)} has {len(table.columns):,} columns; at most {MOST_COLUMNS:,} are read. "
            "Split it, or leave columns out."
        )
    return table


class ForeignCsv:
    """A CSV file; every value is text, an empty one is null."""

    def __init__(self, path: Path, dialect: Csv) -> None:
        self._path, self._dialect = path, dialect
        names, self._offset = read_foreign_header(path, dialect)
        self.columns = distinct_names(names)
        self.unusable: dict[str, str] = {}
        self.malformed = 0

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """See :class:`Foreign`."""
        self.malformed = 0
        size = max(1, self._path.stat().st_size)
        if size <= self._offset:
            return
        places = {name: str(place) for place, name in enumerate(self.columns)}
        wanted = {name: places[name] for name in dict.fromkeys(names)}
        file = pa.OSFile(str(self._path), "rb")
        file.seek(self._offset)
        try:
            for batch in self._open(file, list(wanted.values())):
                columns = dict(zip(wanted, batch.columns, strict=True))
                yield Block(columns, batch.num_rows, min(1.0, file.tell() / size))
        except MemoryError:
            raise  # Arrow's own is an ArrowException, too; it says nothing of the file
        except (OSError, ValueError, pa.ArrowException) as error:
            raise TableError(_csv_damage(self._path, str(error), self._dialect)) from error

    def _open(self, file: pa.OSFile, places: list[str]) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                column_names=[str(place) for place in range(len(self.columns))],
                encoding=self._dialect.encoding.replace("utf-8", "utf8"),
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._dialect.separator, newlines_in_values=True, invalid_row_handler=self._skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=places,
                column_types=dict.fromkeys(places, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    def _skip(self, _row: Any) -> str:  # noqa: ANN401 - pyarrow exports no type for it
        self.malformed += 1
        return "skip"


class ForeignParquet:
    """A Parquet file, read by row group."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _opened(path) as file:
            schema = file.schema_arrow
        self.columns = distinct_names(schema.names)
        kinds = zip(self.columns, (field.type for field in schema), strict=True)
        self.unusable = {name: str(kind) for name, kind in kinds if not _is_simple(kind)}
        self.malformed = 0

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """See :class:`Foreign`."""
        wanted = [name for name in dict.fromkeys(names) if name not in self.unusable]
        places = {name: place for place, name in enumerate(self.columns)}
        read = 0
        with _opened(self._path) as file:
            total = max(1, file.metadata.num_rows)
            plain = list(file.schema_arrow.names)
            try:
                for batch in file.iter_batches(_BLOCK_ROWS, columns=[plain[places[name]] for name in wanted]):
                    # Damaged bytes may make text that is none, or that lies outside its buffer.
                    batch.validate(full=True)
                    read += batch.num_rows
                    yield Block(self._picked(batch, wanted, plain, places), batch.num_rows, read / total)
            except MemoryError:
                raise
            except (OSError, ValueError, pa.ArrowException) as error:
                reason = shorten(str(error), 160).rstrip(".")
                raise TableError(
                    f"{shorten(self._path.name)} is damaged after row {read:,}: {reason}. Copy or write it again."
                ) from error

    @staticmethod
    def _picked(
        batch: pa.RecordBatch, wanted: Sequence[str], plain: Sequence[str], places: Mapping[str, int]
    ) -> dict[str, pa.Array]:
        picked = {}
        for name in wanted:
            own = plain[places[name]]
            twin = sum(other == own for other in plain[: places[name]])
            picked[name] = batch.column(batch.schema.get_all_field_indices(own)[twin])
        return picked


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names by which every column can be told: ``cpu``, ``cpu (2)``, and ``column 3`` for one without a name."""
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        label = name.strip() or f"column {place}"
        number, wish = 2, label
        while wish in found:
            wish, number = f"{label} ({number})", number + 1
        found[wish] = None
    return tuple(found)


def read_foreign_header(path: Path, dialect: Csv) -> tuple[list[str], int]:
    """The column names of a CSV file in ``dialect``, and the byte where its rows begin.

    :raises TableError: there is no header, or it is in another encoding or endless.
    """
    where = shorten(path.name)
    with path.open("rb") as file:
        for _ in range(dialect.skip_lines):
            file.readline(_HEADER_BYTES)
        lines = _decoded_lines(file, dialect.encoding)
        try:
            rows = csv.reader(lines, delimiter=dialect.separator, strict=True)
            names = next((row for row in rows if any(cell.strip() for cell in row)), [])
        except UnicodeDecodeError as error:
            raise TableError(
                f"{where}: its header is not {dialect.encoding} text. Choose another encoding, or save it as UTF-8."
            ) from error
        except csv.Error as error:
            raise TableError(f"{where}: {_header_damage(error)}") from error
        offset = file.tell()
    if not names:
        raise TableError(f"{where} has no header line. Write it again with the columns' names in its first line.")
    return names, offset


def _header_damage(error: csv.Error) -> str:
    if "new-line" in str(error):
        return "its lines end as on an old Mac, or it is no text at all. Save it as CSV (UTF-8) with usual line ends."
    return f"its first line is not a CSV header ({error}). Write it again with the columns' names in its first line."


def _decoded_lines(file: Any, encoding: str) -> Iterator[str]:  # noqa: ANN401 - a binary file
    first = file.tell() == 0
    while line := file.readline(_HEADER_BYTES):
        if len(line) == _HEADER_BYTES:
            raise csv.Error(f"no line end within {_HEADER_BYTES:,} bytes")
        yield line.decode("utf-8-sig" if first and encoding == "utf-8" else encoding)
        first = False


def _is_simple(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in _SIMPLE)


def _opened(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path, pre_buffer=False)
    except MemoryError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TableError(damaged_parquet(path.name, error)) from error


def _csv_damage(path: Path, reason: str, dialect: Csv) -> str:
    where = shorten(path.name)
    if "straddling" in reason:
        return (
            f"{where}: a row is longer than {_BLOCK_BYTES >> 20} MB; most likely a quotation mark is never closed. "
            "Close it, or write the file again."
        )
    if "UTF8" in reason or "codec" in reason:
        return f"{where} is not {dialect.encoding} text throughout. Choose another encoding, or save it as UTF-8."
    return f"{where} cannot be read as CSV: {shorten(reason, 200)}. Write it again, in UTF-8."
