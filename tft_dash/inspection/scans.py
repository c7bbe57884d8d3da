"""The scans behind an inspection: each made once, by one process, and kept in the cache for all.

::

    <cache>/inspections/<key>/    the key stands for the files' content, and the layout
      rows.arrow …     the rows, see rowfile.py
      facts.json       one entry per column
      views/           orders and filtered views of the rows
      made-from        the path that it was made from
    <cache>/inspections/<key>.gaps.npz          the map of gaps
    <cache>/inspections/<key>.….failed.json     the verdict on what cannot be played; any other lies in the cube
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import orjson

from tft_dash.artefacts import build_once, until_cancelled
from tft_dash.errors import StorageError, TableError, shorten
from tft_dash.inspection.facts import FACTS_FILE, read_facts, write_facts
from tft_dash.inspection.gaps import load_gaps, read_gaps, save_gaps
from tft_dash.inspection.keeping import MADE_FROM, keep_within, remove_inspection
from tft_dash.inspection.stored.reading import RowReader
from tft_dash.inspection.stored.rowfile import RowFile
from tft_dash.inspection.stored.whole import write_whole
from tft_dash.inspection.stored.writing import finish_rows, write_rows
from tft_dash.inspection.subject import Subject, collectable, find_subject, known_subject, signature
from tft_dash.progress import Progress, Shares
from tft_dash.sources.cubes.cube import Cube
from tft_dash.sources.library import collect_recording, cube_progress, forget_cube, known_cube, make_cube
from tft_dash.sources.report import Report
from tft_dash.sources.validate import failed_report, known_report

_SCAN_SHARE: Final = 0.4
_TYPING_SHARE: Final = 0.05
_ROWS_SHARE: Final = 0.25
_FACTS_SHARE: Final = 0.3
_BEGUN: Final = 0.001
_SUBJECTS_KEPT: Final = 256


class Scans:
    """Makes and finds what is derived from recordings; every call that makes something may take long."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._subjects: dict[Path, tuple[object, Subject]] = {}
        self._lock = threading.Lock()

    def known(self, path: Path) -> Subject | None:
        """The subject at ``path``, if finding it reads no file through."""
        looks = signature(path)
        found = self._subjects.get(path)
        if found is not None and found[0] == looks:
            return found[1]
        subject = known_subject(path, self._cache)
        return None if subject is None else self._remember(path, looks, subject)

    def subject(self, path: Path) -> Subject:
        """The subject at ``path``; reads it through for its digest unless that is remembered."""
        known = self.known(path)
        if known is not None:
            return known
        looks = signature(path)
        return self._remember(path, looks, find_subject(path, self._cache))

    def _remember(self, path: Path, looks: object, subject: Subject) -> Subject:
        with self._lock:
            while len(self._subjects) >= _SUBJECTS_KEPT:
                self._subjects.pop(next(iter(self._subjects)))
            self._subjects[path] = (looks, subject)
        return subject

    def folder(self, subject: Subject) -> Path:
        """Where everything that is derived from the rows lies, or will."""
        return self._cache / "inspections" / subject.key

    def gaps_file(self, subject: Subject) -> Path:
        """Where the map of gaps lies, or will."""
        return self._cache / "inspections" / f"{subject.key}.gaps.npz"

    def make_report(self, path: Path) -> Report:
        """The verdict, by the scan that serves the recording, unless it is there."""
        lacking = collectable(path)
        if lacking is not None:
            return Report(str(path), {}, lacking.listed())
        subject = self.subject(path)
        known = self.read_report(subject)
        if known is not None:
            return known
        folder = self.folder(subject)
        collected = collect_recording(path, self._cache)
        try:
            cube = make_cube(collected, self._cache, until_cancelled(folder, title_of(path)))
        except TableError as error:
            return self._keep_failure(subject, failed_report(collected, error, path))
        return known_report(collected, cube, path)

    def read_report(self, subject: Subject) -> Report | None:
        """The verdict if it is known; makes nothing."""
        if not subject.playable:
            lacking = collectable(subject.path)
            return None if lacking is None else Report(str(subject.path), {}, lacking.listed())
        try:
            return Report.from_dict(orjson.loads(self._verdict_file(subject).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            collected = collect_recording(subject.path, self._cache)
            cube = known_cube(collected, self._cache)
            return None if cube is None else known_report(collected, cube, subject.path)

    def make_rows(self, path: Path) -> Path:
        """The folder of everything that is derived from the rows, made now unless it is there."""
        subject = self.subject(path)
        folder = self.folder(subject)
        stop = until_cancelled(folder, title_of(path))

        def build(work: Path, report: Progress) -> None:
            report(_BEGUN)
            self._derive(subject, work, Shares(report))
            (work / MADE_FROM).write_text(str(path.absolute()), "utf-8", "surrogateescape")
            _forget_older(folder, path)

        build_once(folder, build, stop, usable=lambda found: made_at(found) is not None)
        keep_within(folder.parent)
        return folder

    def _derive(self, subject: Subject, work: Path, shares: Shares) -> None:
        """Rows and facts into the folder ``work``."""
        # The two read the same files, but neither needs the other until both are done; most of it is outside Python.
        with ThreadPoolExecutor(1, thread_name_prefix="verdict") as beside:
            verdict = beside.submit(self._cube, subject, shares.part(_SCAN_SHARE))
            reader = RowReader(subject.tables, shares.part(_TYPING_SHARE))
            written = write_rows(reader, work, shares.part(_ROWS_SHARE))
            cube = verdict.result()
        finish_rows(written, work, None if cube is None else cube.meta)
        facts = read_facts(RowFile(work), shares.part(_FACTS_SHARE))
        write_facts(facts, work)

    def _cube(self, subject: Subject, progress: Progress) -> Cube | None:
        """The recording's cube; None when it cannot be played, which the verdict says."""
        if not subject.playable:
            return None
        collected = collect_recording(subject.path, self._cache)
        try:
            return make_cube(collected, self._cache, progress)
        except TableError as error:
            self._keep_failure(subject, failed_report(collected, error, subject.path))
            return None

    def make_gaps(self, path: Path) -> Path:
        """The file with the map of gaps, made now unless it is there."""
        subject = self.subject(path)
        kept = self.gaps_file(subject)
        if load_gaps(kept) is None:
            collected = collect_recording(path, self._cache)
            stop = until_cancelled(self.folder(subject), title_of(path))
            gaps = read_gaps(make_cube(collected, self._cache, stop))
            try:
                kept.parent.mkdir(parents=True, exist_ok=True)
                save_gaps(gaps, kept)
            except OSError as error:
                raise StorageError(f"{shorten(str(kept))} cannot be written: {error.strerror}.") from error
        return kept

    def scan_share(self, subject: Subject) -> float:
        """How far the scan for the verdict is, where that alone was asked for."""
        if not subject.playable:
            return 0.0
        share = cube_progress(collect_recording(subject.path, self._cache), self._cache)
        return 0.0 if share == 1.0 else share * _SCAN_SHARE

    def forget(self, subject: Subject) -> None:
        """Remove what was derived from a recording."""
        remove_inspection(self.folder(subject))
        if subject.playable:
            with contextlib.suppress(TableError):
                forget_cube(collect_recording(subject.path, self._cache), self._cache)

    def _verdict_file(self, subject: Subject) -> Path:
        # It names the path.
        return self._cache / "inspections" / f"{subject.key}.{subject.name_key}.failed.json"

    def _keep_failure(self, subject: Subject, report: Report) -> Report:
        with contextlib.suppress(OSError):
            kept = self._verdict_file(subject)
            kept.parent.mkdir(parents=True, exist_ok=True)
            plain = orjson.dumps(report.as_dict(), option=orjson.OPT_SERIALIZE_NUMPY)
            write_whole(kept, lambda file: file.write(plain))
        return report


def _forget_older(folder: Path, path: Path) -> None:
    """Remove what was derived from earlier contents of the same path; who has it mapped keeps it."""
    for other in folder.parent.iterdir():
        if "." not in other.name and other != folder and _origin(other) == str(path.absolute()):
            remove_inspection(other)


def _origin(folder: Path) -> str | None:
    try:
        return (folder / MADE_FROM).read_text("utf-8", "surrogateescape")
    except OSError:
        return None


def made_at(folder: Path) -> int | None:
    """What identifies a complete folder; None = it is not there."""
    try:
        return (folder / FACTS_FILE).stat().st_mtime_ns
    except OSError:
        return None


def title_of(path: Path) -> str:
    """Names the work in messages."""
    return f"Inspecting {shorten(path.name)}"
