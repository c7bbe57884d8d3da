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
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.artefacts import build_once
from tft_dash.errors import StorageError, shorten
from tft_dash.progress import Progress
from tft_dash.sources.cubes.cube import VERSION, Cube, CubeMeta, made_from, open_cube, write_meta
from tft_dash.sources.cubes.digest import file_digest
from tft_dash.sources.files.tables import Table
from tft_dash.sources.findings import Findings, shown_notices
from tft_dash.sources.recording.collection import collect_tables, demand_path
from tft_dash.sources.recording.origin import Origin, read_origin
from tft_dash.sources.recording.scanning import scan_recording

_CONTENT_LENGTH: Final = 40


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


def open_recording(path: Path, cache: Path, *, step_seconds: float | None, progress: Progress) -> OpenRecording:
    """The recording at ``path``, from the cache or made now.

    :param step_seconds: the step; None = as the recording declares it, else inferred.
    :raises SourceMissingError: nothing is at ``path``, or it may not be read.
    :raises TableError: what is there cannot be played.
    :raises StorageError: the cache cannot be written.
    """
    demand_path(path)
    findings = Findings()
    tables = collect_tables(path, findings)
    digests = [file_digest(table.path, cache / "digests") for table in tables]
    about = Findings()
    origin = read_origin(path, tables, digests, about)
    step = origin.step_seconds if step_seconds is None else step_seconds
    key = _key(tables, digests, step, by_name=path.is_dir())

    def scan(partial: Path, report: Progress) -> CubeMeta:
        return scan_recording(tables, partial, findings, step_seconds=step, path=path, progress=report).meta

    folder = cache / "cubes" / key
    cube = open_cube(folder) or _make(folder, path, scan, progress)
    progress(1.0)
    return OpenRecording(key, cube, origin, (*cube.meta.notices, *shown_notices(about.listed())))


def _key(tables: Sequence[Table], digests: Sequence[str], step: float | None, *, by_name: bool) -> str:
    """A file's name does not matter; within a folder it does, for it orders the rows and may stand for a column."""
    content = [(table.label if by_name else "", digest) for table, digest in zip(tables, digests, strict=True)]
    contents = hashlib.sha256(repr((VERSION, content)).encode()).hexdigest()[:_CONTENT_LENGTH]
    return f"{contents}-{'auto' if step is None else f'{step!r}s'}"


def _make(folder: Path, path: Path, scan: Callable[[Path, Progress], CubeMeta], progress: Progress) -> Cube:
    """The cube in ``folder``, by ``scan`` unless another process makes it first.

    :raises StorageError: the cache cannot be written.
    """

    def build(partial: Path, report: Progress) -> None:
        write_meta(partial, scan(partial, report))
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
