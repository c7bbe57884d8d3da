"""What is being inspected: the files at a path, identified by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyarrow import parquet

from tft_dash.errors import TableError, TftDashError
from tft_dash.sources.cubes.cube import VERSION as CUBE_VERSION
from tft_dash.sources.cubes.digest import file_digest, known_digest
from tft_dash.sources.files.formats import PARQUET
from tft_dash.sources.files.tables import Table, format_of, open_table
from tft_dash.sources.findings import Findings
from tft_dash.sources.library import Digest, collect_recording
from tft_dash.sources.recording.collection import collect_tables, demand_path
from tft_dash.sources.validate import file_facts

VERSION: Final = 2
"""Part of every key: raise it when what is derived from a recording's rows changes."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A recording, or a table that is none, before its rows are read.

    :param playable: whether it has the columns of a metrics table.
    :param key: equal keys mean the same rows, columns and gaps.
    :param name_key: identifies the path, for what names it.
    :param rows: how many rows there are; None = nobody knows before they are read.
    :param facts: of the files, as a report has them.
    """

    path: Path
    tables: tuple[Table, ...]
    playable: bool
    key: str
    name_key: str
    bytes: int
    rows: int | None
    facts: Mapping[str, Any]


def find_subject(path: Path, cache: Path, digest: Digest = file_digest) -> Subject:
    """What lies at ``path``; reads it through once for its digest unless that is remembered.

    :raises SourceMissingError: nothing is there, or it may not be read.
    :raises TableError: it is no table at all.
    """
    demand_path(path)
    playable, step = True, None
    try:
        collected = collect_recording(path, cache, digest=digest)
        tables, digests, step = collected.tables, collected.digests, collected.step_seconds
    except TableError:
        if path.is_dir():
            raise
        # A table without the contract's columns can be looked at all the same.
        playable, tables = False, (open_table(path),)
        digests = tuple(digest(table.path, cache / "digests") for table in tables)
    # A file's name does not matter, so that a copy, or a file that was moved, shares what was derived.
    content = [(table.label if path.is_dir() else "", one) for table, one in zip(tables, digests, strict=True)]
    rows = _count_rows(tables)
    identity = repr((VERSION, CUBE_VERSION, playable, step, content))
    return Subject(
        path=path,
        tables=tuple(tables),
        playable=playable,
        key=hashlib.sha256(identity.encode()).hexdigest()[:32],
        name_key=hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()[:12],
        bytes=sum(table.path.stat().st_size for table in tables),
        rows=rows,
        facts={**file_facts(tables, digests), **({} if rows is None else {"rows": rows})},
    )


def known_subject(path: Path, cache: Path) -> Subject | None:
    """What lies at ``path`` if its digest is remembered; reads no file through."""

    def recall(file: Path, remembered: Path) -> str:
        known = known_digest(file, remembered)
        if known is None:
            raise _UnknownDigestError(file)
        return known

    try:
        return find_subject(path, cache, recall)
    except (_UnknownDigestError, TftDashError):
        return None


class _UnknownDigestError(Exception):
    """A file's digest is not remembered."""


def collectable(path: Path) -> Findings | None:
    """The findings about the files at ``path`` when they are no metrics table; None when they are one.

    :raises SourceMissingError: nothing is there, or it may not be read.
    """
    demand_path(path)
    findings = Findings()
    try:
        collect_tables(path, findings)
    except TableError as error:
        findings.note("unreadable-table", detail=str(error))
        return findings
    return None


def signature(path: Path) -> object:
    """Changes when the file, or any file in the folder, does; so does what lies beside it and declares it."""
    try:
        side = path.with_name(f"{path.stem}_metadata.json")
        files = sorted(path.rglob("*")) if path.is_dir() else [path, *([side] if side.exists() else [])]
        found = [(str(file), file.stat()) for file in files]
    except OSError:
        return None
    return tuple((name, status.st_mtime_ns, status.st_size, status.st_ino) for name, status in found)


def _count_rows(tables: Sequence[Table]) -> int | None:
    if any(format_of(table) != PARQUET for table in tables):
        return None
    total = 0
    for table in tables:
        with parquet.ParquetFile(table.path) as file:
            total += file.metadata.num_rows
    return total
