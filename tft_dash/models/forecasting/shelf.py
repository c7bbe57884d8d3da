"""The forecast models that there are, and which of them answers.

::

    <package>/models/artifacts/<version>/   shipped, read-only
    <data>/models/<version>/                the team's own
    <data>/models/active.json               which one answers; without it, the newest that is shipped

Every process looks at the files at most once a second, so that activation and rollback need no restart. What the files
are decides, never what a process did before: a model that is damaged while it answers answers in no process any more,
whether that started before the damage or after it.
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tft_dash.errors import ModelRefusedError, StorageError, UnknownNameError, UsageError, shorten
from tft_dash.files import status_of, write_whole
from tft_dash.models.forecasting.artefact import Artefact, load_artefact, load_evidence
from tft_dash.models.forecasting.card import CARD_FILE, EVIDENCE_FILE, VERSION_PATTERN, VOUCHED_FILES
from tft_dash.models.forecasting.evidence import Evidence

logger = logging.getLogger(__name__)

ACTIVE_FILE: Final = "active.json"
ACTIVE_FORMAT: Final = "tft-dash/active/1"
LOOK_SECONDS: Final = 1.0


class Choice(BaseModel):
    """``active.json``: the version that answers, and the one that did before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field(ACTIVE_FORMAT, pattern=f"^{ACTIVE_FORMAT}$")
    version: str = Field(pattern=VERSION_PATTERN)
    previous: str | None = Field(None, pattern=VERSION_PATTERN)


@dataclass(frozen=True, slots=True)
class Shelved:
    """One model of the shelf.

    :param shipped: whether it came with the package.
    :param active: whether it is the one that answers.
    :param artefact: None where it is refused.
    :param problem: why it is refused.
    """

    version: str
    folder: Path
    shipped: bool
    active: bool
    artefact: Artefact | None
    problem: str | None


def shipped_folder() -> Path:
    """Where the models that travel with the package lie."""
    return Path(__file__).parents[1] / "artifacts"


def shipped_versions() -> tuple[str, ...]:
    """The shipped models, the newest last."""
    return _versions(shipped_folder())


@cache
def shipped_artefact() -> Artefact:
    """The newest shipped model; nobody changes it while the program runs.

    :raises ModelRefusedError: the installation lacks it, or it is damaged.
    """
    versions = shipped_versions()
    if not versions:
        raise ModelRefusedError(shipped_folder(), "there is none", "Install tft-dash again.")
    return load_artefact(shipped_folder() / versions[-1])


class Shelf:
    """The shipped models and those in ``folder``; one for each process.

    :param look_seconds: how long a change on disk may go unnoticed.
    """

    def __init__(self, folder: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        self.folder = folder
        self._look_seconds = look_seconds
        self._lock = threading.RLock()
        self._looked_at = float("-inf")
        self._running: Artefact | None = None
        self._refused: ModelRefusedError | None = None
        self._evidence: tuple[object, Evidence | None] = (None, None)
        self._known: dict[Path, tuple[object, Artefact | ModelRefusedError]] = {}

    def current(self) -> Artefact:
        """The model that answers, as its files are now.

        :raises ModelRefusedError: the chosen one is refused.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at >= self._look_seconds:
                self._looked_at = now
                self._look()
            if self._running is None:
                raise self._refused or ModelRefusedError(self.folder, "there is no model", "Install tft-dash again.")
            return self._running

    def evidence(self) -> Evidence | None:
        """What was measured of the model that answers; None where nothing was, or none answers.

        :raises ModelRefusedError: the document is damaged.
        """
        try:
            folder = self.current().folder
        except ModelRefusedError:
            return None
        signature = (folder, status_of(folder / EVIDENCE_FILE))
        with self._lock:
            if self._evidence[0] != signature:
                self._evidence = (signature, load_evidence(folder))
            return self._evidence[1]

    def problem(self) -> str | None:
        """Why the chosen model does not answer; None = it does."""
        with contextlib.suppress(ModelRefusedError):
            self.current()
        return None if self._refused is None else str(self._refused)

    def all(self) -> tuple[Shelved, ...]:
        """Every model with its problem if it has one, the newest last; the shipped ones first."""
        try:
            active = self._choice().version
        except ModelRefusedError:
            active = None
        return tuple(self._shelved(folder, active) for folder in self._folders())

    def activate(self, version: str) -> Artefact:
        """Let ``version`` answer from now on, in every process.

        :raises UnknownNameError: there is no such version.
        :raises ModelRefusedError: it is refused; what answers now goes on.
        :raises StorageError: the choice cannot be written.
        """
        found = {folder.name: folder for folder in self._folders()}
        if version not in found:
            raise UnknownNameError("model version", version, found)
        artefact = self._checked(found[version])
        try:
            before: str | None = self._choice().version
        except ModelRefusedError:  # a damaged choice is what activating mends
            before = None
        self._write(Choice(version=version, previous=before if before != version else self._previous()))
        return artefact

    def rollback(self) -> Artefact:
        """Let the version answer that did before.

        :raises UsageError: none did.
        """
        previous = self._previous()
        if previous is None:
            raise UsageError(
                "There is nothing to go back to: no other model has been active before. See: tft-dash models"
            )
        return self.activate(previous)

    def remove(self, version: str) -> None:
        """Remove one of the team's own models.

        :raises UnknownNameError: there is none of that version among them.
        :raises UsageError: it answers.
        :raises StorageError: it cannot be removed.
        """
        if version not in _versions(self.folder):
            raise UnknownNameError("own model", version, _versions(self.folder))
        with contextlib.suppress(ModelRefusedError):  # nothing answers then
            if self._choice().version == version:
                raise UsageError(f"tft {version} answers now. Activate another version first, then remove it.")
        try:
            # Renamed first: half a model would be taken for a changed one.
            aside = self.folder / f".removed-{secrets.token_hex(6)}"
            (self.folder / version).rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise _unwritable(self.folder / version, error) from error

    def _look(self) -> None:
        try:
            self._running, self._refused = self._checked(self._folder_of(self._choice().version)), None
        except ModelRefusedError as error:
            if str(error) != str(self._refused):
                logger.warning("%s", error)
            self._running, self._refused = None, error

    def _choice(self) -> Choice:
        path = self.folder / ACTIVE_FILE
        advice = "Choose a model anew: tft-dash models activate VERSION."
        try:
            return Choice.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            versions = shipped_versions()
            if not versions:
                raise ModelRefusedError(shipped_folder(), "there is none", "Install tft-dash again.") from None
            return Choice(version=versions[-1])
        except OSError as error:
            raise ModelRefusedError(path, f"it cannot be read ({error.strerror})", advice) from error
        except ValidationError as error:
            raise ModelRefusedError(path, "it does not name a version", advice) from error

    def _previous(self) -> str | None:
        try:
            return self._choice().previous
        except ModelRefusedError:
            return None

    def _folders(self) -> tuple[Path, ...]:
        """The shipped ones, then the team's own; a version of the team's that is shipped, too, is never reached."""
        shipped = shipped_versions()
        own = [version for version in _versions(self.folder) if version not in shipped]
        return (*(shipped_folder() / version for version in shipped), *(self.folder / version for version in own))

    def _folder_of(self, version: str) -> Path:
        return (shipped_folder() if version in shipped_versions() else self.folder) / version

    def _shelved(self, folder: Path, active: str | None) -> Shelved:
        shipped, is_active = folder.parent == shipped_folder(), folder.name == active
        try:
            return Shelved(folder.name, folder, shipped, is_active, self._checked(folder), None)
        except ModelRefusedError as error:
            return Shelved(folder.name, folder, shipped, is_active, None, str(error))

    def _checked(self, folder: Path) -> Artefact:
        """The model in ``folder``, verified once for each state of its files."""
        signature = _signature(folder)
        with self._lock:
            known = self._known.get(folder)
            if known is None or known[0] != signature:
                known = (signature, _verdict(folder))
                self._known[folder] = known
        if isinstance(known[1], ModelRefusedError):
            raise known[1]
        return known[1]

    def _write(self, choice: Choice) -> None:
        path = self.folder / ACTIVE_FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, choice.model_dump_json() + "\n")
        except OSError as error:
            raise _unwritable(path, error) from error
        self._looked_at = float("-inf")


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{shorten(str(path), 200)} cannot be changed: {error.strerror}. Mend its permissions, or point TFT_DASH_DATA "
        "to another folder."
    )


def _verdict(folder: Path) -> Artefact | ModelRefusedError:
    try:
        artefact = load_artefact(folder)
        if artefact.card.version != folder.name:
            words = f"it is version {artefact.card.version}"
            raise ModelRefusedError(folder, words, f"Rename the folder to {artefact.card.version}.")
    except ModelRefusedError as error:
        return error
    return artefact


def _signature(folder: Path) -> object:
    """Changes when a file of the model does."""
    return tuple(status_of(folder / name) for name in (CARD_FILE, *VOUCHED_FILES))


def _versions(folder: Path) -> tuple[str, ...]:
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir() and re.fullmatch(VERSION_PATTERN, path.name)]
    except OSError:
        return ()
    return tuple(sorted(names, key=_natural))


def _natural(version: str) -> tuple[tuple[int, str], ...]:
    """Numbers as numbers: 0.10 comes after 0.9."""
    parts = re.findall(r"\d+|\D+", version)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
