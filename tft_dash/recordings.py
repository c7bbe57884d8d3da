"""Generated recordings on disk: named by their document, watched, and removed by age and size.

::

    <folder>/<name>/<name>.parquet         the rows
    <folder>/<name>/<name>.scenario.yaml   the document
    <folder>/<name>/<name>_metadata.json   written last: where it is, the recording is whole
    <folder>/<name>/.watched               touched while somebody looks at it
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tft_dash.errors import LimitError, StorageError, UnknownNameError, UsageError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.document import Scenario, document_digest
from tft_dash.scenarios.files import generate_drill, is_current
from tft_dash.scenarios.format.fields import SLUG_PATTERN
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import RUN

WATCHED_SECONDS: Final = 180.0
"""A recording that was watched within so many seconds is never removed."""
FRESH_SECONDS: Final = 30.0
"""Nor is one that was made within so many to make room: whoever asked for it is about to open it."""
TOUCH_SECONDS: Final = 10.0
ABANDONED_SECONDS: Final = 120.0
"""A file that is being written grows all the time; one that has not for so long belongs to a dead process."""

_NAME_ROOM: Final = 50
_ROW_BYTES, _FILE_BYTES = 24, 65_536
_REMOVED: Final = ".removed-"
_FRESH_LOOK_SECONDS: Final = 0.2
"""One that was made a moment ago is not said to be gone."""

_LOG = logging.getLogger(__name__)


def recording_name(scenario: Scenario) -> str:
    """What the recording of a document is called: the same document always has the same one."""
    return f"{scenario.name[:_NAME_ROOM]}-{document_digest(scenario)[:8]}"


def expected_bytes(rows: int) -> int:
    """The room that a recording of so many rows takes at most, as experience has it."""
    return _FILE_BYTES + rows * _ROW_BYTES


@dataclass(frozen=True, slots=True)
class Recording:
    """A complete generated recording.

    :param path: of its Parquet file.
    :param bytes: of all its files.
    :param watched: when somebody last looked at it; None = nobody has.
    """

    name: str
    path: Path
    bytes: int
    made: datetime
    watched: datetime | None

    @property
    def used(self) -> datetime:
        """When it was last of use: made or watched."""
        return self.made if self.watched is None else max(self.made, self.watched)


class Recordings:
    """The generated recordings in ``folder``, shared by every process of the portal.

    :param disk_bytes: room for recordings and uploads together.
    :param keep_seconds: how long one is kept that nobody watches.
    :param exchange: gives them to the portal's other hosts; None = there are none.
    """

    def __init__(self, folder: Path, *, disk_bytes: int, keep_seconds: float, exchange: Exchange | None = None) -> None:
        self.folder = folder
        self._exchange = exchange
        self.disk_bytes = disk_bytes
        self._keep_seconds = keep_seconds

    def all(self) -> tuple[Recording, ...]:
        """The complete ones, the newest first."""
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except OSError:
            return ()
        found = [recording for name in names if (recording := self.find(name)) is not None]
        return tuple(sorted(found, key=lambda recording: (recording.made, recording.name), reverse=True))

    def find(self, name: str) -> Recording | None:
        """The recording called ``name``, if it is there and complete."""
        if not re.fullmatch(SLUG_PATTERN, name):
            return None
        home = self.folder / name
        path = home / f"{name}.parquet"
        try:
            made = (home / f"{name}_metadata.json").stat().st_mtime
            path.stat()
            files = list(home.iterdir())
        except OSError:  # not there, or removed at this very moment
            return None
        size = sum(map(_bytes_of, files))
        return Recording(name, path, size, _instant(made), _mark(home))

    def is_there(self, name: str) -> bool:
        """Whether there is a recording of that name, complete, on this host or on another one.

        :raises StorageError: the store that tells cannot be reached.
        """
        if self.find(name) is not None:
            return True
        if self._exchange is None:
            return False
        return name in self._exchange.given(RUN) or name in self._exchange.given(RUN, seconds=_FRESH_LOOK_SECONDS)

    def arriving(self, name: str) -> float | None:
        """How much of a recording that another host has made is here, 0–1; None = there is none of that name.

        :raises StorageError: the store that tells cannot be reached.
        """
        return None if self._exchange is None else self._exchange.arriving(RUN, name)

    def watch(self, name: str) -> None:
        """Somebody looks at the recording now; it stays for at least :data:`WATCHED_SECONDS`. Any name may be given."""
        if not re.fullmatch(SLUG_PATTERN, name):
            return
        mark = self.folder / name / ".watched"
        with contextlib.suppress(OSError):  # no such recording, or a disk that refuses: watching goes on all the same
            if mark.exists() and 0 <= time.time() - mark.stat().st_mtime < TOUCH_SECONDS:
                return
            mark.touch()

    def remove(self, name: str) -> None:
        """Remove a recording with its files.

        :raises UnknownNameError: there is none of that name.
        :raises UsageError: somebody watches it.
        :raises StorageError: the folder cannot be written to.
        """
        found = self.find(name)
        if found is None:
            raise UnknownNameError("generated recording", name, (recording.name for recording in self.all()))
        if _is_watched(found):
            raise UsageError(
                f"The recording '{name}' is being watched and was not removed. Try again "
                f"{WATCHED_SECONDS / 60:.0f} minutes after the last viewer has left."
            )
        self._discard(name)

    def make_room(self, needed: int, *, others: int = 0) -> None:
        """Remove what has not been of use for too long, then the oldest, until ``needed`` bytes fit.

        What is being watched, or has just been made, stays.

        :param others: bytes of the shared room that other things take: uploads, recordings that are being made.
        :raises LimitError: they do not fit even so; nothing was removed for them.
        """
        self._sweep()
        kept = []
        for recording in self.all():
            if _age(recording.used) > self._keep_seconds and not _is_watched(recording):
                self._discard(recording.name)
            else:
                kept.append(recording)
        excess = sum(recording.bytes for recording in kept) + others + needed - self.disk_bytes
        loose = [one for one in kept if not _is_watched(one) and _age(one.made) >= FRESH_SECONDS]
        if needed and excess > sum(recording.bytes for recording in loose):
            raise LimitError(self._no_room(needed, others, kept))
        for recording in sorted(loose, key=lambda one: one.used):
            if excess <= 0:
                return
            self._discard(recording.name)
            excess -= recording.bytes

    def make(self, scenario: Scenario, progress: Progress = silent) -> Recording:
        """The recording of a document, made unless it is there and current; it appears whole or not at all.

        :param progress: may raise to stop the work; nothing is left of it then.
        :raises StorageError: the folder cannot be written to, or the disk is full.
        """
        name = recording_name(scenario)
        if not self.is_current(scenario):
            self._fetch(name)
        if not self.is_current(scenario):
            self._make_home(name)
            try:
                generate_drill(scenario, self.folder / name, name, ("parquet",), progress)
            finally:
                self._drop_if_empty(name)
            self._give(name)
        found = self.find(name)
        if found is None:
            raise StorageError(f"The recording '{name}' was removed while it was being made. Run it again.")
        return found

    def is_current(self, scenario: Scenario) -> bool:
        """Whether the recording of a document is there, whole, and what would be made now."""
        name = recording_name(scenario)
        return is_current(self.folder / name, name, scenario, ("parquet",))

    def _no_room(self, needed: int, others: int, kept: list[Recording]) -> str:
        used = sum(recording.bytes for recording in kept) + others
        return (
            f"There is no room for this recording: it may take {_size(needed)}, and {_size(used)} of "
            f"{_size(self.disk_bytes)} are used by uploads and by recordings that are being watched or made. "
            "Remove what is not needed, make a smaller drill, or raise TFT_DASH_DISK_GB."
        )

    def _make_home(self, name: str) -> None:
        try:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            os.utime(self.folder / name)  # it may be an old one: nobody shall take it for abandoned now
        except OSError as error:
            raise StorageError(
                f"The folder {shorten(str(self.folder), 200)} cannot be written: {error.strerror}. "
                "Free some space or mend its permissions, or point TFT_DASH_DATA to another folder."
            ) from error

    def _fetch(self, name: str) -> None:
        """Have what another host has made already; what fails is made here."""
        if self._exchange is None or self.find(name) is not None:
            return
        try:
            row = self._exchange.elsewhere(RUN, name)
            if row is not None:
                self._exchange.fetch(RUN, name, row)
        except (OSError, StorageError) as error:
            _LOG.warning("The recording '%s' of another host cannot be had: %s", name, error)

    def _give(self, name: str) -> None:
        """Give a recording to the other hosts before anyone hears that it is done; what fails is tried again later."""
        if self._exchange is None:
            return
        try:
            self._exchange.publish(RUN, name)
        except (OSError, StorageError) as error:
            _LOG.warning("The recording '%s' is not on the other hosts yet: %s", name, error)

    def _discard(self, name: str) -> None:
        """Let a recording vanish at once for everybody, then free its room; whoever has it open reads on."""
        if self._exchange is not None:
            self._exchange.remove(RUN, name)
        grave = self.folder / f"{_REMOVED}{secrets.token_hex(6)}"
        try:
            (self.folder / name).rename(grave)
        except FileNotFoundError:  # another process was faster
            return
        except OSError as error:
            raise StorageError(
                f"The recording '{name}' cannot be removed: {error.strerror}. Mend the permissions of "
                f"{shorten(str(self.folder), 200)}."
            ) from error
        shutil.rmtree(grave, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what dead processes left behind."""
        for path in self._listed():
            if path.name.startswith(_REMOVED):
                shutil.rmtree(path, ignore_errors=True)
            elif re.fullmatch(SLUG_PATTERN, path.name):
                # A folder that has just been made is empty because another process is about to write into it.
                abandoned = _is_abandoned(path)
                with contextlib.suppress(OSError):  # another process may be removing all of it
                    for part in filter(_is_abandoned, path.glob(".*.part")):
                        part.unlink()
                if abandoned:
                    self._drop_if_empty(path.name)

    def _listed(self) -> Iterator[Path]:
        try:
            yield from sorted(self.folder.iterdir())
        except OSError:
            return

    def _drop_if_empty(self, name: str) -> None:
        home = self.folder / name
        with contextlib.suppress(OSError):  # it holds files
            if not (home / f"{name}.parquet").exists():
                (home / ".watched").unlink(missing_ok=True)
            home.rmdir()


def _bytes_of(path: Path) -> int:
    """The size of a file; 0 = it has gone, as does what another process was writing beside a whole recording."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _is_abandoned(path: Path) -> bool:
    """Whether nothing has been written to a file, or put into a folder, for long."""
    try:
        return time.time() - path.stat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return False


def _mark(home: Path) -> datetime | None:
    try:
        return _instant((home / ".watched").stat().st_mtime)
    except OSError:
        return None


def _age(instant: datetime) -> float:
    return time.time() - instant.timestamp()


def _is_watched(recording: Recording) -> bool:
    return recording.watched is not None and _age(recording.watched) < WATCHED_SECONDS


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"
