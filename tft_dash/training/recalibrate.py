"""Fits a model's probabilities to a fleet's own history, and says on later data whether that helped."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import DataError, StorageError, UsageError, shorten
from tft_dash.models.forecasting.artefact import Artefact, load_artefact
from tft_dash.models.forecasting.calibration import HORIZON_NODES, Calibration, HorizonName
from tft_dash.models.forecasting.card import CALIBRATION_FILE, CARD_FILE, EVIDENCE_FILE
from tft_dash.models.forecasting.layout import NODES
from tft_dash.models.forecasting.runtime import Runtime
from tft_dash.progress import Progress, silent
from tft_dash.training.calibrating import fitted_calibration
from tft_dash.training.fleets import Fleet
from tft_dash.training.histories import Histories, Rows, joined
from tft_dash.training.measuring.predicting import raw_chances
from tft_dash.training.measuring.scores import Forecasts, areas, brier_skills, calibration_errors, resamples

LEAST_INCIDENTS: Final = 20
EARLIER: Final = 0.6
"""The share of the time on which the calibration is fitted; the rest measures it."""
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """Probabilities held against what happened later; None where nothing happened to hold them against."""

    brier_skill: float | None
    auc: float | None
    calibration_error: float | None
    said: float
    happened: float


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A new calibration, and what it changes on later data, by horizon: before and after."""

    calibration: Calibration
    before: dict[HorizonName, Quality]
    after: dict[HorizonName, Quality]
    later_incidents: int


def recalibrated(artefact: Artefact, fleets: Sequence[Fleet], progress: Progress = silent) -> Recalibration:
    """Fit on the earlier part of the fleets' time, measure on the later one.

    :raises DataError: there are too few incidents to fit two numbers per horizon to.
    """
    history = joined([fleet.history for fleet in fleets])
    earlier, later = _counted(history, 0.0, EARLIER), _counted(history, EARLIER, 1.0)
    incidents = [_incidents(history, 0.0, EARLIER), _incidents(history, EARLIER, 1.0)]
    if incidents[0] < LEAST_INCIDENTS or not len(earlier) or not len(later):
        raise DataError(
            f"There {'is 1 incident' if incidents[0] == 1 else f'are {incidents[0]} incidents'} in the first "
            f"{EARLIER:.0%} of the time, and {LEAST_INCIDENTS} are the least to fit probabilities to; nothing was "
            "changed. Give a longer history, or more servers."
        )
    names = ", ".join(fleet.name for fleet in fleets)
    runtime = Runtime(artefact)
    raw = raw_chances(runtime, history, earlier, lambda share: progress(0.6 * share))
    calibration = fitted_calibration(
        *raw, _truth(history, earlier), incidents=incidents[0],
        fitted_on=shorten(f"the first {EARLIER:.0%} of {names}, {history.servers} servers", 400),
    )  # fmt: skip
    raw = raw_chances(runtime, history, later, lambda share: progress(0.6 + 0.4 * share))
    before, after = artefact.calibration.apply(*raw), calibration.apply(*raw)
    return Recalibration(
        calibration, _qualities(history, later, before), _qualities(history, later, after), incidents[1]
    )


def _counted(history: Histories, first: float, last: float) -> Rows:
    rows = history.usable(first=first, last=last)
    return rows[history.counted[rows]]


def _incidents(history: Histories, first: float, last: float) -> int:
    onsets = np.flatnonzero(history.onset)
    share = history.tick_of(onsets) / history.ticks[history.server_of(onsets)]
    return int(((share >= first) & (share < last)).sum())


def _truth(history: Histories, rows: Rows) -> NDArray[np.bool_]:
    return np.stack([history.first[rows] <= NODES[node] for node in HORIZON_NODES.values()])


def _qualities(history: Histories, rows: Rows, said: tuple[Reals, Reals]) -> dict[HorizonName, Quality]:
    server, truth = history.server_of(rows), _truth(history, rows)
    counts = resamples(history.servers, 0)
    found: dict[HorizonName, Quality] = {}
    for place, name in enumerate(HORIZON_NODES):
        forecasts = Forecasts(truth[place], said[place], server, history.servers)
        both = bool(truth[place].any()) and not truth[place].all()
        found[name] = Quality(
            float(brier_skills(forecasts, counts)[0]) if both else None,
            float(areas(forecasts, counts)[0][0]) if both else None,
            float(calibration_errors(forecasts, counts)[0]),
            float(said[place].mean()),
            float(truth[place].mean()),
        )
    return found


def write_version(artefact: Artefact, calibration: Calibration, shelf: Path, version: str) -> Artefact:
    """The model with another calibration, as a version of its own in the folder ``shelf``; the old one stays.

    :raises UsageError: there is such a version already.
    :raises StorageError: the folder cannot be written.
    """
    folder = shelf / version
    if folder.exists():
        raise UsageError(f"{shorten(str(folder), 200)} is there already. Give another --version.")
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{version}.", dir=shelf) as place:
            work = Path(place) / version
            shutil.copytree(artefact.folder, work, ignore=shutil.ignore_patterns(EVIDENCE_FILE))
            _exchange(work, artefact, calibration, version)
            load_artefact(work)
            work.replace(folder)
    except OSError as error:
        raise StorageError(f"{shorten(str(folder), 200)} cannot be written: {error.strerror}.") from error
    return load_artefact(folder)


def _exchange(work: Path, artefact: Artefact, calibration: Calibration, version: str) -> None:
    content = calibration.model_dump_json(indent=2) + "\n"
    (work / CALIBRATION_FILE).write_text(content)
    files = {**artefact.card.files, CALIBRATION_FILE: sha256(content.encode()).hexdigest()}
    # Scores and the alarm threshold were measured with the other calibration, and would say something untrue of this.
    changed = {"version": version, "files": files, "scores": {}, "alarm_threshold": None,
               "created": datetime.now(UTC).replace(microsecond=0)}  # fmt: skip
    card = artefact.card.model_copy(update=changed)
    (work / CARD_FILE).write_text(json.dumps(card.model_dump(mode="json"), ensure_ascii=False) + "\n")
