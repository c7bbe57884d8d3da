"""The cache of cubes: each made once, by one process, and used by all.

::

    <cache>/cubes/<key>/    a cube, see cube.py; the key stands for the files' content, the step, and the layout
    <cache>/digests/        which file has which content

All of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tft_dash.artefacts import build_once, build_progress
from tft_dash.errors import StorageError, shorten
from tft_dash.progress import Progress
from tft_dash.sources.cubes.cube import VERSION, Cube, made_from, open_cube, write_meta
from tft_dash.sources.cubes.digest import file_digest
from tft_dash.sources.files.tables import Table
from tft_dash.sources.findings import Finding, Findings, shown_notices, worst_first
from tft_dash.sources.recording.collection import collect_tables, demand_path
from tft_dash.sources.recording.origin import Origin, read_origin
from tft_dash.sources.recording.scanning import Scanned, scan_recording

Digest = Callable[[Path, Path], str]

_CONTENT_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Collected:
    """A recording's files, before their rows are read.

    :param digests: of the files, in the tables' order.
    :param step_seconds: the step as asked for or declared; None = it will be inferred.
    :param key: identifies the cube: equal keys mean equal arrays.
    :param findings: about the files and columns; the scan adds its own.
    :param early: rule and column of those that were there before the scan.
    :param about: findings about the declaration, which may change while the files stay.
    """

    path: Path
    tables: tuple[Table, ...]
    digests: tuple[str, ...]
    origin: Origin
    step_seconds: float | None
    key: str
    findings: Findings
    early: frozenset[tuple[str, str | None]]
    about: Findings


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording ready to be read.

    :param key: identifies the cube: equal keys mean equal arrays.
    :param notices: what a viewer must know, the cube's own included.
    """

    key: str
    cube: Cube
    origin: Origin
    notices: tuple[str, ...]


def collect_recording(
    path: Path, cache: Path, *, step_seconds: float | None = None, digest: Digest = file_digest
) -> Collected:
    """The files at ``path``, identified.

    :param step_seconds: the step; None = as the recording declares it, else inferred.
    :param digest: gives a file's digest, given the folder of those that are remembered.
    :raises SourceMissingError: nothing is at ``path``, or it may not be read.
    :raises TableError: what is there is no metrics table.
    """
    demand_path(path)
    findings, about = Findings(), Findings()
    tables = collect_tables(path, findings)
    digests = tuple(digest(table.path, cache / "digests") for table in tables)
    early = frozenset((finding.rule, finding.column) for finding in findings.listed())
    origin = read_origin(path, tables, digests, about)
    step = origin.step_seconds if step_seconds is None else step_seconds
    key = _key(tables, digests, step, by_name=path.is_dir())
    return Collected(path, tables, digests, origin, step, key, findings, early, about)


def open_recording(path: Path, cache: Path, *, step_seconds: float | None, progress: Progress) -> OpenRecording:
    """The recording at ``path``, from the cache or made now.

    :param step_seconds: the step; None = as the recording declares it, else inferred.
    :raises SourceMissingError: nothing is at ``path``, or it may not be read.
    :raises TableError: what is there cannot be played.
    :raises StorageError: the cache cannot be written.
    """
    collected = collect_recording(path, cache, step_seconds=step_seconds)
    cube = make_cube(collected, cache, progress)
    notices = (*cube.meta.notices, *shown_notices(collected.about.listed()))
    return OpenRecording(collected.key, cube, collected.origin, notices)


def make_cube(collected: Collected, cache: Path, progress: Progress) -> Cube:
    """The cube of a recording, from the cache or made now; raises what :func:`open_recording` raises."""

    def scan(partial: Path, report: Progress) -> Scanned:
        return scan_recording(
            collected.tables,
            partial,
            collected.findings,
            step_seconds=collected.step_seconds,
            path=collected.path,
            progress=report,
        )

    folder = _folder(cache, collected.key)
    cube = open_cube(folder) or _make(folder, collected.path, scan, progress)
    progress(1.0)
    return cube


def known_cube(collected: Collected, cache: Path) -> Cube | None:
    """The cube of a recording if it is in the cache."""
    return open_cube(_folder(cache, collected.key))


def cube_progress(collected: Collected, cache: Path) -> float:
    """How far whoever makes the cube is, 0–1."""
    return build_progress(_folder(cache, collected.key))


def forget_cube(collected: Collected, cache: Path) -> None:
    """Remove a recording's cube; whoever has it mapped keeps it until it lets go."""
    folder = _folder(cache, collected.key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)


def findings_of(collected: Collected, cube: Cube) -> tuple[Finding, ...]:
    """All that was found in a cube, worst first."""
    found = cube.found if collected.path.is_dir() else tuple(_renamed(one, collected) for one in cube.found)
    return all_findings(collected, found)


def all_findings(collected: Collected, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """``found`` and what is odd about the declaration, in the order in which a check without a cache lists it."""
    first = [finding for finding in found if (finding.rule, finding.column) in collected.early]
    rest = [finding for finding in found if (finding.rule, finding.column) not in collected.early]
    return worst_first([*first, *collected.about.listed(), *rest])


def _renamed(finding: Finding, collected: Collected) -> Finding:
    """The cube may have been made from a copy under another name."""
    name = collected.tables[0].label
    return replace(finding, examples=tuple(replace(one, file=name) if one.file else one for one in finding.examples))


def _folder(cache: Path, key: str) -> Path:
    return cache / "cubes" / key


def _key(tables: Sequence[Table], digests: Sequence[str], step: float | None, *, by_name: bool) -> str:
    """A file's name does not matter; within a folder it does, for it orders the rows and may stand for a column."""
    content = [(table.label if by_name else "", digest) for table, digest in zip(tables, digests, strict=True)]
    contents = hashlib.sha256(repr((VERSION, content)).encode()).hexdigest()[:_CONTENT_LENGTH]
    return f"{contents}-{'auto' if step is None else f'{step!r}s'}"


def _make(folder: Path, path: Path, scan: Callable[[Path, Progress], Scanned], progress: Progress) -> Cube:
    """The cube in ``folder``, by ``scan`` unless another process makes it first.

    :raises StorageError: the cache cannot be written.
    """

    def build(partial: Path, report: Progress) -> None:
        scanned = scan(partial, report)
        write_meta(partial, scanned.meta, scanned.found)
        _forget_older(folder, path)

    build_once(folder, build, progress, usable=lambda found: open_cube(found) is not None)
    cube = open_cube(folder)
    if cube is None:
        raise StorageError(f"The cube in {shorten(str(folder))} was damaged while it was made. Try again.")
    return cube


def _forget_older(made: Path, path: Path) -> None:
    """Remove cubes of earlier contents of the same path; whoever has one mapped keeps it until it lets go."""
    contents = made.name[:_CONTENT_LENGTH]
    for folder in made.parent.iterdir():
        if not folder.name.startswith(contents) and made_from(folder) == str(path.absolute()):
            shutil.rmtree(folder, ignore_errors=True)
