"""The first rows of a foreign file, before and after a mapping, and what the contract says of the result."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping as Group
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tft_dash.errors import TableError, shorten
from tft_dash.importing.convert import write_table
from tft_dash.importing.fit import fit_problems
from tft_dash.importing.foreign import Foreign, open_foreign
from tft_dash.importing.losses import Losses
from tft_dash.importing.mapping import Mapping
from tft_dash.schema import TIMESTAMP
from tft_dash.sources.validate import check_table

PREVIEW_ROWS: Final = 8
_COLUMNS_SHOWN: Final = 40
_ROWS_CHECKED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows as text.

    :param columns: at most 40 of them.
    :param rows: a text for each column; None = missing.
    :param total_columns: how many columns there are.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    total_columns: int


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """What a mapping makes of a file.

    :param columns: every column of the file.
    :param after: empty while there are problems.
    :param problems: path and message of every mistake.
    :param notes: what could not be read in the first rows, and is counted as missing.
    :param report: the contract's verdict on the first rows, as ``tft-dash check`` words it; empty with problems.
    :param rows_checked: how many rows of the result the notes and the verdict are about.
    """

    columns: tuple[str, ...]
    before: Sample
    after: Sample
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    report: str
    rows_checked: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Group[str, Any]) -> MappingPreview:
        """What :meth:`as_dict` gave."""
        samples = {name: _sample_from(plain[name]) for name in ("before", "after")}
        return cls(
            columns=tuple(plain["columns"]),
            problems=tuple((path, message) for path, message in plain["problems"]),
            notes=tuple(plain["notes"]),
            report=plain["report"],
            rows_checked=plain["rows_checked"],
            **samples,
        )


def preview_mapping(path: Path, mapping: Mapping, rows: int = PREVIEW_ROWS) -> MappingPreview:
    """The first ``rows`` rows of the file at ``path``, before and after ``mapping``.

    :raises SourceMissingError: the file is not there.
    :raises TableError: it cannot be read at all.
    """
    foreign = open_foreign(path, mapping.spec.csv)
    before = _before(foreign, mapping, rows)
    problems, losses = list(fit_problems(foreign, mapping)), Losses()
    after, report, checked = Sample((), (), 0), "", 0
    if not problems:
        try:
            after, report, checked = _after(path, mapping, losses, rows)
        except TableError as error:
            problems.append(("document", str(error)))
    return MappingPreview(foreign.columns, before, after, tuple(problems), losses.words(), report, checked)


def _before(foreign: Foreign, mapping: Mapping, rows: int) -> Sample:
    readable = [name for name in foreign.columns if name not in foreign.unusable]
    stamp = mapping.spec.timestamp
    shown = sorted(readable, key=lambda name: stamp is None or name != stamp.from_)[:_COLUMNS_SHOWN]
    shown = [name for name in readable if name in set(shown)]
    block = next(iter(islice(foreign.blocks(shown), 1)), None) if shown else None
    if block is None:
        return Sample(tuple(shown), (), len(foreign.columns))
    return Sample(tuple(shown), _texts([block.columns[name].slice(0, rows) for name in shown]), len(foreign.columns))


def _after(path: Path, mapping: Mapping, losses: Losses, rows: int) -> tuple[Sample, str, int]:
    buffer = io.BytesIO()
    written = write_table(path, mapping, buffer, losses, most_rows=_ROWS_CHECKED)
    buffer.seek(0)
    table = pq.read_table(buffer).slice(0, rows)
    names = tuple(table.column_names[:_COLUMNS_SHOWN])
    columns = [_shown(table.column(name).combine_chunks(), name) for name in names]
    with tempfile.TemporaryDirectory(prefix="tft-dash-preview-") as folder:
        copy = Path(folder) / "preview.parquet"
        copy.write_bytes(buffer.getvalue())
        report = check_table(copy, cache_folder=Path(folder)).as_text().replace(str(copy), "The beginning")
    return Sample(names, _texts(columns), len(table.column_names)), report, written


def _shown(column: pa.Array, name: str) -> pa.Array:
    if name == TIMESTAMP:
        return pc.replace_substring_regex(pc.cast(pc.cast(column, pa.timestamp("ns")), pa.string()), r"\.?0+$", "")
    return column


def _texts(columns: list[pa.Array]) -> tuple[tuple[str | None, ...], ...]:
    texts = [[_text(value) for value in column.to_pylist()] for column in columns]
    return tuple(zip(*texts, strict=True))


def _text(value: object) -> str | None:
    if value is None:
        return None
    return shorten(f"{value:.6g}" if isinstance(value, float) else str(value), 60)


def _sample_from(plain: Group[str, Any]) -> Sample:
    return Sample(tuple(plain["columns"]), tuple(tuple(row) for row in plain["rows"]), plain["total_columns"])
