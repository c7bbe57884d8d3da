"""Holding a table against the data contract, with everything that is wrong found at once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tft_dash.errors import StorageError, TableError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.sources.cubes.cube import Cube, CubeMeta
from tft_dash.sources.cubes.digest import file_digest
from tft_dash.sources.files.tables import Table
from tft_dash.sources.findings import Findings, iso_time
from tft_dash.sources.library import Collected, all_findings, findings_of
from tft_dash.sources.recording.alignment import NS_PER_MS
from tft_dash.sources.recording.collection import collect_tables, demand_path, formats_of
from tft_dash.sources.recording.origin import read_origin
from tft_dash.sources.recording.scanning import scan_recording
from tft_dash.sources.report import Report


def check_table(
    path: Path, *, cache_folder: Path | None = None, step_seconds: float | None = None, progress: Progress = silent
) -> Report:
    """Hold the table at ``path`` against the contract, by the same scan that serves it.

    :param cache_folder: where the scan may keep its arrays meanwhile; the system's temporary folder by default.
    :param step_seconds: the step; None = as the table declares it, else inferred.
    :raises SourceMissingError: nothing is at ``path``, or it may not be read.
    :raises StorageError: there is no room for the scan's arrays.
    """
    demand_path(path)
    findings, facts = Findings(), dict[str, Any]()
    try:
        if cache_folder is not None:
            cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tft-dash-check-", dir=cache_folder) as folder:
            _check(path, Path(folder), findings, facts, step_seconds=step_seconds, progress=progress)
    except TableError as error:
        findings.note("unreadable-table", detail=str(error))
    except OSError as error:
        where = shorten(str(cache_folder or tempfile.gettempdir()))
        raise StorageError(
            f"The check needs room in {where}, which cannot be written: {error.strerror or type(error).__name__}. "
            "Free some space, or point TMPDIR to another folder."
        ) from error
    if findings.rows:
        facts["rows"] = findings.rows
    return Report(str(path), facts, findings.listed())


def _check(
    path: Path,
    folder: Path,
    findings: Findings,
    facts: dict[str, Any],
    *,
    step_seconds: float | None,
    progress: Progress,
) -> None:
    tables = collect_tables(path, findings)
    digests = [file_digest(table.path, folder / "digests") for table in tables]
    facts |= file_facts(tables, digests)
    origin = read_origin(path, tables, digests, findings)
    step = origin.step_seconds if step_seconds is None else step_seconds
    scanned = scan_recording(tables, folder, findings, step_seconds=step, path=path, progress=progress)
    facts |= scan_facts(scanned.meta)
    progress(1.0)


def known_report(collected: Collected, cube: Cube, path: Path) -> Report:
    """What :func:`check_table` says of a recording whose cube is there.

    :param path: as the user gave it.
    """
    facts = {**file_facts(collected.tables, collected.digests), **scan_facts(cube.meta), "rows": cube.meta.rows}
    return Report(str(path), facts, findings_of(collected, cube))


def failed_report(collected: Collected, error: TableError, path: Path) -> Report:
    """What :func:`check_table` says of a recording whose cube could not be made.

    :param collected: with the findings of the scan that failed.
    """
    facts = file_facts(collected.tables, collected.digests)
    if collected.findings.rows:
        facts["rows"] = collected.findings.rows
    collected.findings.note("unreadable-table", detail=str(error))
    return Report(str(path), facts, all_findings(collected, collected.findings.listed()))


def file_facts(tables: Sequence[Table], digests: Sequence[str]) -> dict[str, Any]:
    """What is known of the files before their rows are read."""
    whole = digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
    return {
        "format": formats_of(tables),
        "files": len(tables),
        "size_bytes": sum(table.path.stat().st_size for table in tables),
        "digest": whole,
    }


def scan_facts(meta: CubeMeta) -> dict[str, Any]:
    """What a scan tells of the rows."""
    first = meta.start_ms * NS_PER_MS
    last = first + round((meta.ticks - 1) * meta.step_seconds * 1000) * NS_PER_MS
    return {
        "servers": len(meta.servers),
        "ticks": meta.ticks,
        "start": iso_time(first),
        "end": iso_time(last),
        "span_seconds": (last - first) / 1e9,
        "step_seconds": meta.step_seconds,
        "jitter_seconds": meta.jitter_seconds,
        "samples": meta.samples,
        "metrics": list(meta.metrics),
    }
