"""The folder of one upload: everything about it is a file, so that every worker sees the same.

::

    <data>/uploads/.incoming/<id>/
      original        what was received
      upload.json     its label, size and time
      state.json      where it stands, in words
      progress        how far the work on it is
      lock            held by the process that works on it; whoever gets it knows that nobody does
      cancel          somebody wants the work to end
      proposal.yaml   the mapping that is proposed
      signature.json  the names of its columns, by which a mapping is remembered
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tft_dash.scenarios.writing.atomic import ABANDONED_AFTER_SECONDS

_ID: Final = re.compile(r"[0-9a-f]{16}")

RECEIVED: Final = "received"
NEEDS_MAPPING: Final = "needs-mapping"
WORKING: Final = "working"
READY: Final = "ready"
REFUSED: Final = "refused"
_LOOK_SECONDS: Final = 0.02
FORGOTTEN_AFTER_SECONDS: Final = 7 * 86_400.0
"""An upload that nobody admitted for so long is removed."""
INTERRUPTED: Final = (
    "The work on it ended before it was done: the server was restarted, or the machine ran out of memory. Try again."
)


def is_upload_id(text: str) -> bool:
    """Whether ``text`` can be an upload's id; anything else never becomes a path."""
    return _ID.fullmatch(text) is not None


def new_upload_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Desk:
    """One upload's folder."""

    folder: Path

    @property
    def original(self) -> Path:
        """What was received."""
        return self.folder / "original"

    @property
    def dataset(self) -> Path:
        """Where the dataset is made; it is renamed when it is complete."""
        return self.folder / "dataset"

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file's content; empty when it is not there."""
        try:
            found = json.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """A JSON file, whole or not at all."""
        self.write_text(name, json.dumps(content))

    def write_text(self, name: str, text: str) -> None:
        """A text file, whole or not at all."""
        aside = self.folder / f".{name}.{secrets.token_hex(4)}"
        aside.write_text(text, "utf-8")
        aside.replace(self.folder / name)

    def text(self, name: str) -> str | None:
        """A text file's content; None when it is not there."""
        try:
            return (self.folder / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def set_state(self, state: str, message: str = "", name: str | None = None) -> None:
        """Say where the upload stands."""
        self.write("state.json", {"state": state, "message": message, "name": name})

    def report(self, share: float) -> None:
        """Say how far the work is."""
        with contextlib.suppress(OSError):
            self.write_text("progress", f"{share:.4f}")

    def progress(self) -> float:
        """How far the work is, 0–1."""
        try:
            return min(1.0, max(0.0, float(self.text("progress") or 0)))
        except ValueError:
            return 0.0

    def is_cancelled(self) -> bool:
        """Whether somebody wants the work to end, or has removed the upload."""
        return (self.folder / "cancel").exists() or not self.folder.is_dir()

    def abandon(self, wait_seconds: float = 0.0) -> None:
        """End the work on it, and remove it.

        :param wait_seconds: how long to wait for the process that works.
        """
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "cancel").touch()
            lock = self.take(wait_seconds)
            shutil.rmtree(self.folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    def take(self, wait_seconds: float = 0.0) -> int | None:
        """The lock, as a file descriptor that keeps it until it is closed; None when another process has it.

        :param wait_seconds: how long to wait for that process.
        """
        end = time.monotonic() + wait_seconds
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= end:
                    os.close(descriptor)
                    return None
                time.sleep(_LOOK_SECONDS)
            else:
                return descriptor

    def is_forgotten(self) -> bool:
        """Whether nobody can want the upload any more."""
        now, state = time.time(), self.read("state.json").get("state")
        changed = self.folder.stat().st_mtime
        if state is None:  # it never arrived as a whole; a file that still arrives is written to all the time
            latest = max([changed, *(path.stat().st_mtime for path in self.folder.iterdir())])
            return now - latest > ABANDONED_AFTER_SECONDS
        return state != WORKING and now - changed > FORGOTTEN_AFTER_SECONDS

    def is_held(self) -> bool:
        """Whether a process of this host works on it."""
        try:
            descriptor = self.take()
        except FileNotFoundError:
            return False
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def settle(self) -> None:
        """Notice that the process that worked on it has died."""
        descriptor = self.take()
        if descriptor is None:
            return
        try:
            if self.read("state.json").get("state") == WORKING:
                self.set_state(REFUSED, INTERRUPTED)
        finally:
            os.close(descriptor)
