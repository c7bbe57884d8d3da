"""One address of an object store and its copy here: looked at now and then, by one process for all."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from tft_dash.artefacts import build_once, build_progress, exclusive
from tft_dash.errors import CancelledError, StorageError, TftDashError, UnreachableError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.sources.remote.address import last_part, shown
from tft_dash.sources.remote.asking import Wanted, ask_copy, ask_look
from tft_dash.sources.remote.copies import (
    Hold,
    is_whole,
    make_room,
    read_about,
    remove_others,
    write_about,
)
from tft_dash.sources.remote.objects import Look
from tft_dash.sources.remote.state import NotedState, State

LOOK_SECONDS: Final = 30.0
LIMIT_BYTES: Final = 20 * 10**9
_OVERDUE: Final = 4
"""A look that is so many times as old as looks are apart is told of."""
_LEAST_OVERDUE_SECONDS: Final = 60.0
_LEFT_OUT_SHOWN: Final = 3
_ENDPOINTS: Final = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "CLOUD_STORAGE_EMULATOR_ENDPOINT",
)
"""The same address means another object where the stores' libraries find another of these."""

AskLook = Callable[[str, Wanted], Look]
AskCopy = Callable[[str, Look, Path, Progress, Wanted], Look]


class Mirror:
    """The copy of what lies at an address.

    :param location: the address, secrets and all.
    :param cache: where copies are kept.
    :param look_seconds: at least so long are two looks apart, of all processes together.
    :param limit_bytes: of all copies from object stores.
    """

    def __init__(
        self,
        location: str,
        cache: Path,
        *,
        look_seconds: float = LOOK_SECONDS,
        limit_bytes: int = LIMIT_BYTES,
        ask: tuple[AskLook, AskCopy] = (ask_look, ask_copy),
    ) -> None:
        self.location, self.shown = location, shown(location)
        endpoints = [f"{name}={os.environ[name]}" for name in _ENDPOINTS if os.environ.get(name)]
        key = hashlib.sha256("\n".join([location, *endpoints]).encode()).hexdigest()[:32]
        self._objects = cache / "objects"
        self._folder = self._objects / key
        self._look_seconds, self._limit_bytes = look_seconds, limit_bytes
        self._ask_look, self._ask_copy = ask
        self._closed = threading.Event()
        self._fetching: Path | None = None
        self._noted = NotedState(self._folder)

    def state(self) -> State:
        """What was found last, by whichever process."""
        return self._noted.read()

    def version(self) -> str:
        """The version of the copy that is current; "" = there is none."""
        version = self.state().version
        return version if version and self._copy(version).is_dir() else ""

    def remarks(self) -> tuple[str, ...]:
        """What a viewer must know of how current the copy is; empty while the store was looked at lately."""
        state = self.state()
        if not state.looked_at:
            return ()
        known = f"What is shown is what was there at {_clock(state.looked_at)}"
        if state.failing_since:
            since = _clock(state.failing_since)
            return (f"Not looked at since {since}: {state.problem} {known}; it may have changed since.",)
        if time.time() - state.looked_at > self._overdue_seconds:
            return (f"{shorten(self.shown, 200)} was last looked at {_clock(state.looked_at)}. {known}.",)
        return ()

    def due(self) -> bool:
        """Whether it is time for a look."""
        return not 0 <= time.time() - self.state().tried_at < self._look_seconds

    def share(self) -> float:
        """How far the copy is that is being made, by whichever process, 0–1."""
        fetching = self._fetching
        if fetching is None:
            told = next(iter((self._folder / "versions").glob("*.progress")), None)
            fetching = None if told is None else told.with_suffix("")
        return 0.0 if fetching is None else build_progress(fetching)

    def look(self, progress: Progress = silent, *, wait: bool = False, fresh: bool = False) -> None:
        """Look at the address, if it is time, and copy what has changed; what is wrong is told by :meth:`remarks`.

        :param wait: whether to wait for another process that looks; else nothing is done then.
        :param fresh: whether to look even if somebody just has.
        :raises TftDashError: there is no copy, and none can be made.
        """
        with self._looking(wait=wait) as mine:
            if not mine:
                return
            self._noted.forget()  # another process may just have looked
            if not fresh and not self.due():
                self._demand_copy()
                return
            began, before = time.time(), self.state()
            try:
                version = self._look(progress)
            except CancelledError:
                raise
            except TftDashError as error:
                since = before.failing_since or began
                self._write(replace(before, tried_at=began, failing_since=since, problem=str(error)))
                if not self.version():
                    raise
                return
            self._write(State(version, looked_at=began, tried_at=began))
            remove_others(self._copy(version))

    def _tell_known_problem(self) -> None:
        """Whoever only reads need not wait for another look that fails: somebody looks again and again."""
        state = self.state()
        if state.problem and 0 <= time.time() - state.tried_at < self._overdue_seconds:
            raise UnreachableError(state.problem)

    @property
    def _overdue_seconds(self) -> float:
        return max(_OVERDUE * self._look_seconds, _LEAST_OVERDUE_SECONDS)

    def _demand_copy(self) -> None:
        if not self.version():
            raise UnreachableError(self.state().problem or f"There is no copy of {shorten(self.shown, 200)} yet.")

    def open(self, progress: Progress = silent, *, look_first: bool = False) -> tuple[str, Path, Hold]:
        """The version, path and hold of the current copy; makes one if there is none.

        :param look_first: whether to look at the address even if there is a copy.
        :raises TftDashError: there is no copy, and none can be made.
        """
        if not look_first and not self.version():
            self._tell_known_problem()
        if look_first or not self.version():
            self.look(progress, wait=True, fresh=look_first)
        for _ in range(3):
            version = self.version()
            if version:
                hold = Hold(self._copy(version))
                found = read_about(self._copy(version))
                if found is not None and is_whole(self._copy(version)):
                    return version, self._path(version, found), hold
                hold.release()
                self._forget()
            self.look(progress, wait=True, fresh=True)
        raise UnreachableError(f"The copy of {shorten(self.shown, 200)} goes while it is opened. Try again.")

    def known_path(self) -> Path | None:
        """Where the current copy lies; None = there is none."""
        version = self.version()
        found = read_about(self._copy(version)) if version else None
        return None if found is None else self._path(version, found)

    def left_out(self) -> tuple[str, ...]:
        """What is said of the tables that the current copy lacks, as no file can be called so."""
        version = self.version()
        found = read_about(self._copy(version)) if version else None
        keys = () if found is None else found.left_out
        if not keys:
            return ()
        listed = ", ".join(shorten(key, 60) for key in keys[:_LEFT_OUT_SHOWN])
        more = ", …" if len(keys) > _LEFT_OUT_SHOWN else ""
        return (f"{len(keys)} of the tables in the store left out, as no file can be called so: {listed}{more}.",)

    def renamed(self, words: str, path: Path) -> str:
        """``words`` with the address in the place of the copy's path, as messages write it."""
        for local in (str(path), *(shorten(str(path), limit) for limit in (80, 200))):
            words = words.replace(local, shorten(self.shown, 200))
        return words

    def close(self) -> None:
        """Stop whatever runs here."""
        self._closed.set()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed.is_set()

    def _look(self, progress: Progress) -> str:
        found = self._ask_look(self.location, self._wanted)
        current = self.version()
        held = read_about(self._copy(current)) if current else None
        if held is not None and held.same(self._named(found)) and is_whole(self._copy(current)):
            progress(1.0)
            return current
        return self._fetch(found, progress)

    def _fetch(self, found: Look, progress: Progress) -> str:
        version = hashlib.sha256(json.dumps(found.as_dict()).encode()).hexdigest()[:32]
        folder = self._copy(version)

        def build(work: Path, report: Progress) -> None:
            needed = sum(one.size for one in found.objects)
            claim = partial(write_about, work, self._named(found))
            make_room(self._objects, needed, self._limit_bytes, self.shown, claim)
            inside = work / last_part(self.location) if found.folder else work
            inside.mkdir(exist_ok=True)
            copied = self._ask_copy(self.location, found, inside, report, self._wanted)
            write_about(work, self._named(copied))

        self._fetching = folder
        try:
            build_once(folder, build, progress, usable=is_whole)
        finally:
            self._fetching = None
        return version

    def _named(self, found: Look) -> Look:
        """With names relative to the copy's folder, of which a prefix fills one more."""
        if not found.folder:
            return found
        inside = last_part(self.location)
        return replace(found, objects=tuple(replace(one, name=f"{inside}/{one.name}") for one in found.objects))

    def _copy(self, version: str) -> Path:
        return self._folder / "versions" / version

    def _path(self, version: str, found: Look) -> Path:
        return self._copy(version) / (last_part(self.location) if found.folder else found.objects[0].name)

    def _wanted(self) -> bool:
        return not self._closed.is_set()

    @contextlib.contextmanager
    def _looking(self, *, wait: bool) -> Iterator[bool]:
        """Whether this process, and this thread of it, is the one that looks."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / "look.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield _locked(descriptor, wait=wait)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _forget(self) -> None:
        """The copy is damaged: the next look makes another."""
        with exclusive(self._folder / "look.lock"):
            self._write(replace(self.state(), version=""))

    def _write(self, state: State) -> None:
        try:
            self._noted.write(state)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StorageError:
        reason = error.strerror or type(error).__name__
        return StorageError(
            f"The cache folder {shorten(str(self._objects.parent))} cannot be written: {reason}. "
            "Mend its permissions, or point TFT_DASH_CACHE to another folder."
        )


def _locked(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
