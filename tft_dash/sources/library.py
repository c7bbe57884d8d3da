"""The cache of cubes: each made once, by one process, and used by all.

::

    <cache>/cubes/<key>/       a cube, see cube.py; the key stands for the files' content, the step, and the layout
    <cache>/cubes/<key>.lock   held while the cube is made
    <cache>/digests/           which file has which content

All of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.errors import StorageError, shorten
from tft_dash.progress import Progress
from tft_dash.sources.cubes.cube import VERSION, Cube, made_from, open_cube, write_meta
from tft_dash.sources.cubes.digest import file_digest
from tft_dash.sources.cubes.lock import exclusive
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
    cube = open_cube(cache / "cubes" / key)
    if cube is None:
        maker = _Maker(path, tables, cache / "cubes", key)
        cube = maker.make(findings, step, progress)
    progress(1.0)
    return OpenRecording(key, cube, origin, (*cube.meta.notices, *shown_notices(about.listed())))


def _key(tables: Sequence[Table], digests: Sequence[str], step: float | None, *, by_name: bool) -> str:
    """A file's name does not matter; within a folder it does, for it orders the rows and may stand for a column."""
    content = [(table.label if by_name else "", digest) for table, digest in zip(tables, digests, strict=True)]
    contents = hashlib.sha256(repr((VERSION, content)).encode()).hexdigest()[:_CONTENT_LENGTH]
    return f"{contents}-{'auto' if step is None else f'{step!r}s'}"


@dataclass(frozen=True, slots=True)
class _Maker:
    path: Path
    tables: Sequence[Table]
    folder: Path
    key: str

    def make(self, findings: Findings, step: float | None, progress: Progress) -> Cube:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self.folder / f"{self.key}.lock"):
                # Another process may have made it while this one waited.
                cube = open_cube(self.folder / self.key)
                return cube or self._make(findings, step, progress)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StorageError(
                f"The cache folder {shorten(str(self.folder.parent))} cannot be written: {reason}. "
                "Free some space or mend its permissions, or point TFT_DASH_CACHE to another folder."
            ) from error

    def _forget_older(self) -> None:
        """Remove cubes of earlier contents of the same path; whoever has one mapped keeps it until it lets go."""
        contents = self.key[:_CONTENT_LENGTH]
        for folder in self.folder.iterdir():
            if not folder.name.startswith(contents) and made_from(folder) == str(self.path.absolute()):
                shutil.rmtree(folder, ignore_errors=True)

    def _make(self, findings: Findings, step: float | None, progress: Progress) -> Cube:
        for left_behind in self.folder.glob(f"{self.key}.partial-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        partial = self.folder / f"{self.key}.partial-{os.getpid()}-{threading.get_ident()}"
        partial.mkdir()
        try:
            scanned = scan_recording(
                self.tables, partial, findings, step_seconds=step, path=self.path, progress=progress
            )
            write_meta(partial, scanned.meta)
            target = self.folder / self.key
            if target.exists():
                target.replace(partial.with_name(f"{partial.name}-damaged"))
            partial.replace(target)
            self._forget_older()
        finally:
            for left_behind in self.folder.glob(f"{self.key}.partial-*"):
                shutil.rmtree(left_behind, ignore_errors=True)
        cube = open_cube(target)
        if cube is None:
            raise StorageError(f"The cube in {shorten(str(target))} was damaged while it was made. Try again.")
        return cube
