"""Everything that is measured of a model on some histories, as the document that ``/models`` shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import DataError
from tft_dash.models.forecasting.calibration import Calibration, HorizonName
from tft_dash.models.forecasting.evidence import Alarms, Evidence, Horizon, ModelScores
from tft_dash.models.forecasting.layout import STEP_SECONDS
from tft_dash.progress import Progress
from tft_dash.training.fleets import Fleet
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.measuring.alarms import AlarmJudge, alarms_of
from tft_dash.training.measuring.bands import band_scores
from tft_dash.training.measuring.groups import Caught, blind_spots, by_kind, by_profile
from tft_dash.training.measuring.predicting import Predictor, chances
from tft_dash.training.measuring.references import (
    BOOSTING,
    CLIMATOLOGY,
    HORIZON_STEPS,
    PERSISTENCE,
    References,
    outcomes,
    risks,
)
from tft_dash.training.measuring.scores import Forecasts, scores_of
from tft_dash.training.measuring.whole import fleet_reliability

HORIZONS: Final[tuple[HorizonName, ...]] = ("30m", "8h")
MODEL: Final = "tft"
NO_ALARMS: Final = (CLIMATOLOGY, PERSISTENCE)
"""References that cannot tell when to raise an alarm."""
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured.

    :param command: the one command that makes the evidence anew.
    """

    predictor: Predictor
    calibration: Calibration
    version: str
    command: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers of the model and of every reference on some rows."""

    history: Histories
    rows: Rows
    said: Mapping[str, tuple[Reals, Reals]]

    def forecasts(self, name: str, horizon: int) -> Forecasts:
        """One model at one horizon, on the rows that count."""
        counted = self.history.counted[self.rows]
        rows = self.rows[counted]
        truth = self.history.first[rows] <= HORIZON_STEPS[horizon]
        server = self.history.server_of(rows)
        return Forecasts(truth, self.said[name][horizon][counted], server, self.history.servers)

    def everywhere(self, name: str) -> Reals:
        """P(30 min) for every row of the history, NaN where nothing was asked."""
        found = np.full(self.history.rows, np.nan)
        found[self.rows] = self.said[name][0]
        return found


def measured(
    subject: Subject, history: Histories, rows: Rows, others: tuple[References, Sequence[Fleet]], progress: Progress
) -> Measured:
    """Ask the model and every reference for ``rows`` of a history.

    :param others: the references, and the fleets whose series make up the history.
    """
    references, fleets = others
    mine = chances(subject.predictor, subject.calibration, history, rows, progress)
    return Measured(history, rows, {MODEL: mine, **references.chances(history, rows, risks(fleets))})


def evidence_of(subject: Subject, fleets: Sequence[Fleet], found: Measured, fitted: tuple[Histories, Rows]) -> Evidence:
    """The document.

    :param fitted: histories and rows on which the naive forecasts' errors are measured.
    :raises DataError: nothing happened in the histories, so that nothing can be measured.
    """
    history = found.history
    if not history.incidents or not outcomes(history, found.rows).any(1).all():
        raise DataError(
            "There is not a single incident in these histories (a server that turns critical by the contract's "
            "thresholds), so that no forecast can be measured on them. Take longer ones, or those of more servers."
        )
    judge = AlarmJudge(history, _seen(history, found.rows))
    alarms: dict[str, Alarms] = {}
    leads: Reals = np.zeros(0)
    for name in (name for name in found.said if name not in NO_ALARMS):
        alarms[name], lead = alarms_of(judge, found.everywhere(name))
        leads = lead if name == MODEL else leads
    bands = band_scores(subject.predictor, history, found.rows, *fitted)
    caught = Caught(judge.onsets, leads)
    kinds = by_kind(fleets, history, caught)
    sizes = [len(fleet.window.servers) for fleet in fleets]
    content: dict[str, Any] = {
        "format": "tft-dash/evidence/1",
        "model": MODEL,
        "version": subject.version,
        "command": subject.command,
        "simulated": subject.simulated,
        "sources": tuple(fleet.name for fleet in fleets),
        "servers": history.servers,
        "days": round(float(history.ticks.mean()) * STEP_SECONDS / 86_400, 3),
        "incidents": len(judge.onsets),
        "horizons": {name: _horizon(found, place) for place, name in enumerate(HORIZONS)},
        "alarms": alarms,
        "bands": bands.bands,
        "pinball_ratio": bands.pinball_ratio,
        "coverage_80": bands.coverage_80,
        "fleet": fleet_reliability(sizes, history, found.rows, found.said[MODEL]),
        "by_profile": by_profile(found.forecasts(MODEL, 0), found.forecasts(MODEL, 1), history, caught),
        "by_kind": kinds,
        "blind_spots": blind_spots(kinds, simulated=subject.simulated),
    }
    return _digested(content)


def _horizon(found: Measured, place: int) -> Horizon:
    reference = found.forecasts(BOOSTING, place)
    models: dict[str, ModelScores] = {
        name: scores_of(found.forecasts(name, place), None if name == BOOSTING else reference) for name in found.said
    }
    minutes = round(HORIZON_STEPS[place] * STEP_SECONDS / 60)
    return Horizon(minutes=minutes, count=len(reference.truth), positives=int(reference.truth.sum()), models=models)


def _seen(history: Histories, rows: Rows) -> NDArray[np.bool_]:
    found = np.zeros(history.rows, bool)
    found[rows] = True
    return found


def _digested(content: dict[str, Any]) -> Evidence:
    """The document with the digest of everything else in it."""
    plain = Evidence.model_validate({**content, "digest": ""}).model_dump(mode="json", exclude={"digest"})
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Evidence.model_validate({**content, "digest": hashlib.sha256(text.encode()).hexdigest()})
