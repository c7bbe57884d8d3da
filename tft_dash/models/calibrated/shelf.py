"""The calibrations that were fitted here, and which of them answers for which source.

::

    <data>/calibrations/<name>.json    one each
    <data>/calibrations/active.json    source → model → the one that answers, and the one before

Every process looks at the files at most once a second, so that neither activation nor rollback needs a restart.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tft_dash.artefacts import exclusive
from tft_dash.errors import ModelRefusedError, StorageError, UnknownNameError, UsageError, shorten
from tft_dash.files import status_of, write_whole
from tft_dash.models.calibrated.document import FleetCalibration
from tft_dash.models.forecasting.card import VERSION_PATTERN

logger = logging.getLogger(__name__)

ACTIVE_FILE: Final = "active.json"
LOOK_SECONDS: Final = 1.0
_ADVICE: Final = "Fit it anew (tft-dash calibrate), or remove it (tft-dash models remove)."


class Use(BaseModel):
    """The calibration that answers for one source and model, and the one that did before; None = the model's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None
    previous: str | None = None


class Uses(BaseModel):
    """``active.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["tft-dash/calibrations/1"] = "tft-dash/calibrations/1"
    sources: dict[str, dict[str, Use]] = {}


@dataclass(frozen=True, slots=True)
class ShelvedCalibration:
    """One calibration of the shelf.

    :param active: the sources for which it answers.
    :param calibration: None where the file cannot be read as one.
    :param problem: why not.
    """

    name: str
    active: tuple[str, ...]
    calibration: FleetCalibration | None
    problem: str | None


class CalibrationShelf:
    """The calibrations in ``folder``.

    :param look_seconds: how long a change on disk may go unnoticed.
    """

    def __init__(self, folder: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        self.folder = folder
        self._look_seconds = look_seconds
        self._lock = threading.RLock()
        self._looked_at = float("-inf")
        self._seen: object = None
        self._uses = Uses()
        self._known: dict[Path, tuple[object, FleetCalibration | ModelRefusedError]] = {}

    def current(self, source: str, model: str) -> FleetCalibration | None:
        """The calibration that was chosen for a source and a model; None = the model's own probabilities stand.

        :raises ModelRefusedError: the chosen one cannot be read.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at >= self._look_seconds:
                self._looked_at = now
                self._look()
            use = self._uses.sources.get(source, {}).get(model)
            return None if use is None or use.name is None else self._load(self._path(use.name))

    def all(self) -> tuple[ShelvedCalibration, ...]:
        """Every calibration, by name; a broken one with its problem."""
        uses = self._read_uses()
        found = []
        for path in self._paths():
            active = sorted(
                source for source, models in uses.sources.items() if path.stem in {use.name for use in models.values()}
            )
            try:
                found.append(ShelvedCalibration(path.stem, tuple(active), self._load(path), None))
            except ModelRefusedError as error:
                found.append(ShelvedCalibration(path.stem, tuple(active), None, str(error)))
        return tuple(found)

    def names(self) -> tuple[str, ...]:
        """The names that are taken."""
        return tuple(path.stem for path in self._paths())

    def add(self, calibration: FleetCalibration) -> Path:
        """Write a calibration; it answers for nothing yet.

        :raises UsageError: its name is taken.
        :raises StorageError: it cannot be written.
        """
        path = self._path(calibration.name)
        if path.exists():
            raise UsageError(f"There is a calibration '{calibration.name}' already ({path}). Give another --name.")
        self._write(path, calibration.model_dump_json(indent=1) + "\n")
        return path

    def activate(self, name: str) -> FleetCalibration:
        """Let a calibration answer for its sources from now on, in every process.

        :raises UnknownNameError: there is none of that name.
        :raises ModelRefusedError: it cannot be read; what answers now goes on.
        """
        if name not in self.names():
            raise UnknownNameError("calibration", name, self.names())
        calibration = self._load(self._path(name))
        for source in calibration.sources:
            self._choose(source, calibration.model, name)
        return calibration

    def remove(self, name: str) -> None:
        """Remove a calibration.

        :raises UnknownNameError: there is none of that name.
        :raises UsageError: it answers for a source.
        :raises StorageError: it cannot be removed.
        """
        if name not in self.names():
            raise UnknownNameError("calibration", name, self.names())
        answers = sorted(
            source
            for source, models in self._read_uses(mend=True).sources.items()
            if name in {use.name for use in models.values()}
        )
        if answers:
            raise UsageError(
                f"The calibration '{name}' answers for {', '.join(answers)}. Take it back first: "
                f"tft-dash models rollback --source {answers[0]}"
            )
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(self._path(name), error) from error

    def rollback(self, source: str) -> dict[str, str | None]:
        """Let what answered for a source before do so again: the calibration by model, None = the model's own.

        One that has been removed since answers no more: the model's own probabilities do then.

        :raises UsageError: nothing has been activated for it.
        """
        uses = self._read_uses().sources.get(source, {})
        if not uses:
            raise UsageError(
                f"There is nothing to go back to: no calibration has been active for '{shorten(source)}'. "
                "See: tft-dash models"
            )
        back = {model: use.previous if use.previous in self.names() else None for model, use in uses.items()}
        for model, name in back.items():
            self._choose(source, model, name)
        return back

    def _choose(self, source: str, model: str, name: str | None) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self.folder / f".{ACTIVE_FILE}.lock"):
                uses = self._read_uses(mend=True)
                before = uses.sources.get(source, {}).get(model, Use(name=None))
                use = Use(name=name, previous=before.previous if before.name == name else before.name)
                sources = {**uses.sources, source: {**uses.sources.get(source, {}), model: use}}
                self._write(self.folder / ACTIVE_FILE, Uses(sources=sources).model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise self._unwritable(self.folder, error) from error
        self._looked_at = float("-inf")

    def _look(self) -> None:
        signature = status_of(self.folder / ACTIVE_FILE)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._uses = self._read_uses()
        except ModelRefusedError as error:  # what was chosen before goes on
            logger.warning("%s", error)

    def _read_uses(self, *, mend: bool = False) -> Uses:
        path = self.folder / ACTIVE_FILE
        try:
            return Uses.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return Uses()
        except OSError as error:
            raise ModelRefusedError(path, f"it cannot be read ({error.strerror})", _ADVICE) from error
        except ValidationError as error:
            if mend:  # a damaged choice is what choosing anew mends
                return Uses()
            advice = "Activate the calibrations anew: tft-dash models activate NAME."
            raise ModelRefusedError(path, "it does not say which calibration answers", advice) from error

    def _load(self, path: Path) -> FleetCalibration:
        """The calibration in a file, read once for each state of it."""
        signature = status_of(path)
        with self._lock:
            known = self._known.get(path)
            if known is None or known[0] != signature:
                known = (signature, _read(path))
                self._known[path] = known
        if isinstance(known[1], ModelRefusedError):
            raise known[1]
        return known[1]

    def _paths(self) -> list[Path]:
        try:
            found = [path for path in self.folder.glob("*.json") if path.name != ACTIVE_FILE]
        except OSError:
            return []
        return sorted(path for path in found if re.fullmatch(VERSION_PATTERN, path.stem))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _write(self, path: Path, content: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise self._unwritable(path, error) from error

    def _unwritable(self, path: Path, error: OSError) -> StorageError:
        return StorageError(
            f"{shorten(str(path), 200)} cannot be written: {error.strerror}. "
            "Mend its permissions, or point TFT_DASH_DATA to another folder."
        )


def _read(path: Path) -> FleetCalibration | ModelRefusedError:
    try:
        found = FleetCalibration.model_validate_json(path.read_bytes())
    except OSError as error:
        return ModelRefusedError(path, f"it cannot be read ({error.strerror})", _ADVICE)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        return ModelRefusedError(path, f"{where}: {shorten(first['msg'])}", _ADVICE)
    if {*found.server} != {"30m", "8h"} or {*found.fleet} != {"30m", "8h"}:
        return ModelRefusedError(path, "it lacks a horizon", _ADVICE)
    if found.name != path.stem:
        return ModelRefusedError(path, f"it is '{found.name}'", f"Rename the file to {found.name}.json.")
    return found
