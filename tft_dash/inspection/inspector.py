"""Answers everything that is asked of a recording: its verdict, columns, gaps and rows, and how far its scan is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from tft_dash.artefacts import allow_build, build_progress, cancel_build, cancelled_at
from tft_dash.background import Background
from tft_dash.errors import CancelledError, NotReadyError, SourceMissingError, StorageError, TableError, shorten
from tft_dash.inspection.facts import ColumnFacts, load_facts
from tft_dash.inspection.gaps import GapMap, load_gaps
from tft_dash.inspection.keeping import note_use
from tft_dash.inspection.rows import Rows
from tft_dash.inspection.scans import Scans, made_at, title_of
from tft_dash.inspection.stored.rowfile import RowFile
from tft_dash.inspection.subject import Subject, collectable, signature
from tft_dash.inspection.views import View
from tft_dash.sources.report import Report

T = TypeVar("T")

_OPEN_KEPT: Final = 16

NONE: Final = "none"
RUNNING: Final = "running"
CANCELLED: Final = "cancelled"
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far the scan of a recording is, whichever process makes it.

    :param state: none, running, cancelled or done.
    :param share: of the whole work, 0–1; what was covered when it was cancelled.
    :param rows_done: how many rows that stands for, about; None = nobody knows how many there are.
    :param words: the same for people.
    """

    state: str
    share: float
    rows_done: int | None
    rows_total: int | None
    words: str


class Inspector:
    """Everything that can be asked of a recording's file or folder.

    :param background: runs the scans of this process; another process waits for them rather than repeating them.

    Every answer is derived from the recording's content and lies in the cache, where all processes find it.
    """

    def __init__(self, cache: Path, background: Background) -> None:
        self._background = background
        self._scans = Scans(cache)
        self._open: dict[tuple[Path, int | None], RowFile] = {}
        self._retries: dict[Path, int] = {}
        self._lock = threading.Lock()

    def report(self, path: Path) -> Report:
        """The verdict, in the words of ``tft-dash check``.

        :raises NotReadyError: the scan still runs.
        :raises CancelledError: it was stopped before there was a verdict.
        :raises SourceMissingError: nothing is at ``path``.
        :raises StorageError: the cache cannot be written.
        """
        return self._result("report", path, lambda: self._scans.make_report(path))

    def known_report(self, path: Path) -> Report | None:
        """The verdict if it is known already; never starts work."""
        subject = self._scans.known(path)
        if subject is not None:
            return self._scans.read_report(subject)
        try:
            lacking = collectable(path)
        except SourceMissingError:
            return None
        return None if lacking is None else Report(str(path), {}, lacking.listed())

    def file_facts(self, path: Path) -> Mapping[str, Any]:
        """Size and digest of what lies at ``path``, and its rows if the file says how many; also of no metrics table.

        :raises SourceMissingError: nothing is there.
        """
        try:
            subject = self._scans.subject(path)
        except TableError:
            return {"size_bytes": path.stat().st_size} if path.is_file() else {}
        return subject.facts

    def columns(self, path: Path) -> tuple[ColumnFacts, ...]:
        """What is in each column; raises what :meth:`report` does, and TableError for what is no table."""
        return self._result("columns", path, lambda: load_facts(self._scans.make_rows(path)))

    def gaps(self, path: Path) -> GapMap:
        """When which server was silent; raises what :meth:`columns` does, and TableError without a clock."""
        kept = self._result("gaps", path, lambda: self._scans.make_gaps(path))
        found = load_gaps(kept) or load_gaps(self._scans.make_gaps(path))
        if found is None:
            raise StorageError(f"{shorten(str(kept))} was damaged while it was made. Try again.")
        return found

    def rows(self, path: Path) -> Rows:
        """The rows; raises what :meth:`columns` does."""
        folder = self._result("rows", path, lambda: self._scans.make_rows(path))
        if not made_at(folder):  # the cache was emptied since
            self._background.forget(self._job_key("rows", path))
            folder = self._result("rows", path, lambda: self._scans.make_rows(path))
        key = (folder, made_at(folder))
        with self._lock:
            if key not in self._open:
                if len(self._open) >= _OPEN_KEPT:
                    self._open.pop(next(iter(self._open)))
                self._open[key] = RowFile(folder)
            note_use(folder)
            return Rows(self._open[key])

    def arranged(self, path: Path, view: View, within_seconds: float | None = None) -> Rows:
        """The rows, with ``view`` at hand; raises what :meth:`columns` does.

        :param within_seconds: how long to wait for what is not at hand; None = as long as for anything else.
        :raises NotReadyError: the rows are still filtered or put in order, beside the requests.
        :raises UsageError: a filter or a sort does not fit its column.
        """
        rows = self.rows(path)
        if not rows.is_arranged(view):
            key = ("arrange", *self._job_key("rows", path), view)
            work = "Sorting" if view.sorts else "Filtering"
            self._background.result(
                key,
                lambda: rows.arrange(view),
                f"{work} {rows.total:,} rows",
                lambda: 0.0,
                within_seconds=within_seconds,
            )
            # It lies in the cache now, and may go from there.
            self._background.forget(key)
        return rows

    def start(self, path: Path) -> None:
        """Begin a scan unless one runs, is done or was cancelled; its answers are asked for later."""
        self._background.begin(self._job_key("rows", path), lambda: self._scans.make_rows(path))

    def cancel(self, path: Path) -> None:
        """Stop the scan, in whichever process it runs; it stays stopped until :meth:`retry`."""
        subject = self._scans.known(path)
        if subject is not None and not made_at(self._scans.folder(subject)):
            cancel_build(self._scans.folder(subject))

    def retry(self, path: Path) -> None:
        """Scan anew after :meth:`cancel`."""
        subject = self._scans.known(path)
        if subject is not None:
            allow_build(self._scans.folder(subject))
        self._retries[path] = self._retries.get(path, 0) + 1
        self.start(path)

    def progress(self, path: Path) -> ScanProgress:
        """How far the scan is; never starts one."""
        subject = self._scans.known(path)
        if subject is None:
            return ScanProgress(NONE, 0.0, None, None, "Not scanned yet.")
        folder = self._scans.folder(subject)
        if made_at(folder):
            return _told(DONE, 1.0, subject)
        stopped = cancelled_at(folder)
        if stopped is not None:
            return _told(CANCELLED, stopped, subject)
        share = build_progress(folder) or self._scans.scan_share(subject)
        return _told(RUNNING if share else NONE, share, subject)

    def forget(self, path: Path) -> None:
        """Remove what was derived from the recording at ``path``, which is about to go."""
        subject = self._scans.known(path)
        if subject is not None:
            folder = self._scans.folder(subject)
            with self._lock:
                self._open = {key: rows for key, rows in self._open.items() if key[0] != folder}
            self._scans.forget(subject)

    def _result(self, what: str, path: Path, job: Callable[[], T]) -> T:
        subject = self._scans.known(path)
        if subject is not None and what != "report":
            self._demand_allowed(subject)
        try:
            return self._background.result(
                self._job_key(what, path), job, title_of(path), lambda: self.progress(path).share
            )
        except CancelledError:
            subject = self._scans.known(path)
            if subject is not None:
                self._demand_allowed(subject)
            # It was allowed again meanwhile: the old error is not the answer.
            raise NotReadyError(title_of(path), 0.0) from None

    def _job_key(self, what: str, path: Path) -> tuple[object, ...]:
        """Another one after a retry, and after somebody emptied the cache."""
        subject = self._scans.known(path)
        made = None if subject is None or what == "report" else made_at(self._scans.folder(subject))
        return ("inspect", what, path, signature(path), self._retries.get(path, 0), made)

    def _demand_allowed(self, subject: Subject) -> None:
        folder = self._scans.folder(subject)
        stopped = None if made_at(folder) else cancelled_at(folder)
        if stopped is not None:
            raise CancelledError(_told(CANCELLED, stopped, subject).words, stopped)


def _told(state: str, share: float, subject: Subject) -> ScanProgress:
    rows = None if subject.rows is None else round(share * subject.rows)
    if rows is None:
        covered = f"about {share:.0%} of {subject.bytes / 1e6:,.1f} MB"
    else:
        covered = f"about {rows:,} of {subject.rows:,} rows"
    words = {
        NONE: "Not scanned yet.",
        RUNNING: f"{share:.0%} done: {covered}.",
        CANCELLED: f"The scan was stopped after {share:.0%}: {covered}. Start it again to see the rest.",
        DONE: "Scanned whole." if subject.rows is None else f"Scanned whole: {subject.rows:,} rows.",
    }
    return ScanProgress(state, share, rows, subject.rows, words[state])
