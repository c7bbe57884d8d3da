"""The files that make up a recording: one file, or those of a folder that are metrics tables."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from tft_dash.errors import SourceMissingError, TableError, TftDashError, shorten
from tft_dash.schema import COLUMNS, LABEL_COLUMNS, METRIC_NAMES, SERVER_NAME, STATE, TIMESTAMP
from tft_dash.sources.files.formats import PARQUET, detect_format
from tft_dash.sources.files.tables import Table, format_of, open_table
from tft_dash.sources.findings import Findings

_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_TABLE_ENDINGS: Final = (".csv", ".parquet", ".pq", ".csv.gz")
_UNKNOWN_COLUMNS_LISTED: Final = 20
_NAMES_IN_MESSAGE: Final = 12
_ANY_METRIC: Final = "metrics"
_COLUMN_WORDS: Final[Mapping[str, str]] = {_ANY_METRIC: "metric column"}


def collect_tables(path: Path, findings: Findings) -> tuple[Table, ...]:
    """The metrics tables at ``path``, a file or a folder, in order of their names.

    :param findings: is told what is left out and what is odd about the columns.
    :raises SourceMissingError: nothing is there, or it may not be read.
    :raises TableError: a file is damaged, or no file is a metrics table.
    """
    tables = list(_folder_tables(path, findings)) if path.is_dir() else [open_table(path)]
    good = tuple(table for table in tables if not _lack(table))
    _note_columns(good or tables, findings)
    _note_lacking(tables, findings, alone=not good)
    if not good:
        raise TableError(_no_table(path, tables))
    _refuse_several_drills(path, good)
    return good


def _note_lacking(tables: Sequence[Table], findings: Findings, *, alone: bool) -> None:
    """Note what tables lack; ``alone`` when no other table stands in for them."""
    for name in (TIMESTAMP, SERVER_NAME, _ANY_METRIC):
        labels = [table.label for table in tables if name in _lack(table)]
        if labels:
            whose = "There is" if alone else f"{_listed(labels)} left out, having"
            findings.note("missing-column", name, detail=f"{whose} no {_COLUMN_WORDS.get(name, f'column {name}')}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(name, 40) for name in names[:_NAMES_IN_MESSAGE])
    return f"{shown}, …" if len(names) > _NAMES_IN_MESSAGE else shown


def _folder_tables(folder: Path, findings: Findings) -> Iterator[Table]:
    paths = sorted(_candidates(folder))
    parquet_stems = {path.with_suffix("") for path, kind in paths if kind == PARQUET}
    for path, kind in paths:
        label = path.relative_to(folder).as_posix()
        if kind != PARQUET and path.with_suffix("") in parquet_stems:
            findings.note(
                "table-left-out", label, detail=f"{shorten(label)} is left out: a Parquet file of its name is there"
            )
        elif kind is None:
            findings.note("table-left-out", label, detail=f"{shorten(label)} is left out: it is empty")
        else:
            yield open_table(path, label=label, partition=_partition(path.relative_to(folder).parent))


def _candidates(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Files that are or should be tables with their format, None for an empty one; the rest is no concern of ours."""
    for root, folders, files in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in files:
            path = Path(root, name)
            named = name.lower().endswith(_TABLE_ENDINGS)
            if not path.is_file() or name.startswith(".") or (name.startswith("_") and not named):
                continue
            if named and path.stat().st_size == 0:
                yield path, None
            elif named or _is_table(path, _partition(path.relative_to(folder).parent)):
                yield path, detect_format(path)


def _refuse_folder(error: OSError) -> None:
    where = shorten(str(error.filename))
    raise SourceMissingError(f"{where} cannot be read: {error.strerror}. Check its permissions.") from error


def _is_table(path: Path, partition: Mapping[str, str | None]) -> bool:
    """Whether a file whose name does not say so is a metrics table."""
    try:
        return not _lack(open_table(path, partition=partition))
    except TftDashError:
        return False


def _partition(folder: Path) -> Mapping[str, str | None]:
    """Columns that folders named ``column=value`` stand for."""
    pairs = (part.split("=", 1) for part in folder.parts if "=" in part)
    return {unquote(name): None if value == _HIVE_NULL else unquote(value) for name, value in pairs}


def _lack(table: Table) -> list[str]:
    """The columns that a table would need to be a metrics table; empty when it is one."""
    lacking = [name for name in (TIMESTAMP, SERVER_NAME) if name not in table.types]
    if not any(name in table.types for name in METRIC_NAMES):
        lacking.append(_ANY_METRIC)
    return lacking


def _no_table(path: Path, tables: Sequence[Table]) -> str:
    where = shorten(str(path))
    if not tables:
        return f"{where} holds no CSV or Parquet file. Give a file, or a folder with metrics tables in it."
    table = tables[0]
    if len(tables) > 1:
        where = f"None of the {len(tables)} tables in {where} is a metrics table; {shorten(table.label)}"
    lacking = ", no ".join(_COLUMN_WORDS.get(name, name) for name in _lack(table))
    unusable = "".join(f" {name} is of type {kind}, which cannot be read." for name, kind in table.unusable.items())
    return (
        f"{where} has no {lacking}. Its columns are: {_listed(table.columns)}.{unusable}{_guesses(table)} "
        f"A metrics table has {TIMESTAMP}, {SERVER_NAME} and at least one of {', '.join(METRIC_NAMES)}, in one row "
        "per server and time; rename or add the columns."
    )


def _guesses(table: Table) -> str:
    """Hints for columns that are almost named as the contract wants."""
    hints = []
    for name in table.columns:
        plain = re.sub(r"[\s.-]+", "_", name.strip().lower())
        near = difflib.get_close_matches(plain, COLUMNS, n=1, cutoff=0.8)
        if name not in COLUMNS and near and near[0] not in table.columns:
            hints.append(f" '{shorten(name, 40)}' may be {near[0]}.")
    return "".join(hints[:3])


def _refuse_several_drills(path: Path, tables: Sequence[Table]) -> None:
    drills = {table.metadata.get(b"tft_dash"): table.label for table in tables if b"tft_dash" in table.metadata}
    if len(drills) > 1:
        raise TableError(
            f"{shorten(str(path))} holds {len(drills)} different drills, which cannot be played as one recording: "
            f"{_listed(sorted(drills.values()))}. Give one of the files."
        )


def _note_columns(tables: Sequence[Table], findings: Findings) -> None:
    for table in tables:
        for name, times in Counter(table.columns).items():
            if times > 1:
                findings.note("duplicate-column", name)
        for name, kind in table.unusable.items():
            findings.note("unusable-column", name, detail=str(kind))
    unknown = list(dict.fromkeys(name for table in tables for name in table.columns if name not in COLUMNS))
    for name in unknown[:_UNKNOWN_COLUMNS_LISTED]:
        findings.note("unknown-column", name or "A column without a name")
    rest = len(unknown) - _UNKNOWN_COLUMNS_LISTED
    if rest > 0:
        findings.note("unknown-column", f"{rest} further columns")
    present = {name for table in tables for name in table.types}
    for name in LABEL_COLUMNS:
        if name in present:
            findings.note("label-column", name)
    if STATE not in present and not present.isdisjoint(METRIC_NAMES):
        findings.note("no-state", STATE)


def formats_of(tables: Sequence[Table]) -> str:
    """``"csv"``, ``"parquet"``, or both."""
    return ", ".join(sorted({format_of(table) for table in tables}))


def demand_path(path: Path) -> None:
    """Complain early about a path that leads nowhere.

    :raises SourceMissingError: nothing is there.
    """
    where = shorten(str(path))
    try:
        path.stat()
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "it does not exist" if missing else getattr(error, "strerror", None) or str(error)
        raise SourceMissingError(f"The source {where} cannot be opened: {reason}. Check the path.") from error
    if not (path.is_file() or path.is_dir()):
        raise SourceMissingError(f"The source {where} is neither a file nor a folder. Check the path.")
