"""Everything that is measured of a model on some histories, as the document that ``/models`` shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.models.forecasting.evidence import AlarmPoint, Alarms, Evidence, Horizon, ModelScores
from tft_dash.models.forecasting.layout import STEP_SECONDS
from tft_dash.training.histories import Histories, Rows
from tft_dash.training.measuring.alarms import AlarmJudge, Judged, alarms_of, pooled
from tft_dash.training.measuring.answers import MODEL, Answers, Subject, stretch_of, stretches
from tft_dash.training.measuring.bands import band_sums
from tft_dash.training.measuring.each import each_fleet, mean_of
from tft_dash.training.measuring.groups import Caught, blind_spots, by_kind, by_profile
from tft_dash.training.measuring.references import BOOSTING, CLIMATOLOGY, HORIZON_STEPS, PERSISTENCE
from tft_dash.training.measuring.scores import resamples, row_counts, scores_of
from tft_dash.training.measuring.whole import fleet_reliability

HORIZONS: Final[tuple[HorizonName, ...]] = ("30m", "8h")
NO_ALARMS: Final = (CLIMATOLOGY, PERSISTENCE)
"""References that cannot tell when to raise an alarm."""
Reals = NDArray[np.float64]


def evidence_of(subject: Subject, answers: Answers, fitted: tuple[Histories, Rows]) -> Evidence:
    """The document.

    :param answers: on histories in which an incident could be announced.
    :param fitted: histories and rows on which the naive forecasts' errors are measured.
    """
    data, history = answers.data, answers.data.history
    alarms = judged(answers)
    own = alarms[MODEL]
    bands = band_sums(subject.predictor, history, answers.rows, *fitted)
    pooled_bands = bands.scored(resamples(history.servers))
    caught = Caught(own.onsets, own.lead)
    kinds = by_kind(data.fleets, history, caught)
    each = each_fleet(answers, HORIZONS, own.fleets, bands)
    content: dict[str, Any] = {
        "format": "tft-dash/evidence/1",
        "model": MODEL,
        "version": subject.version,
        "command": subject.command,
        "simulated": subject.simulated,
        "sources": tuple(fleet.name for fleet in data.fleets),
        "servers": history.servers,
        "days": round(float(history.ticks.mean()) * STEP_SECONDS / 86_400, 3),
        "incidents": len(own.onsets),
        "horizons": {name: _horizon(answers, place) for place, name in enumerate(HORIZONS)},
        "alarms": {name: found.alarms for name, found in alarms.items()},
        "bands": pooled_bands.bands,
        "pinball_ratio": pooled_bands.pinball_ratio,
        "coverage_80": pooled_bands.coverage_80,
        "fleet": fleet_reliability(answers, MODEL),
        "each": each,
        "mean": mean_of(each),
        "by_profile": by_profile(answers.forecasts(MODEL, 0), answers.forecasts(MODEL, 1), history, caught),
        "by_kind": kinds,
        "blind_spots": blind_spots(kinds, simulated=subject.simulated),
    }
    return _digested(content)


@dataclass(frozen=True, slots=True)
class ModelAlarms:
    """One model's alarms on all fleets together, and on each with a threshold of its own.

    :param onsets: rows at which incidents begin; ``lead``: minutes, NaN = not announced.
    :param fleets: how many of them are each fleet's, and what its own threshold gives.
    """

    alarms: Alarms
    onsets: Rows
    lead: Reals
    fleets: tuple[tuple[int, AlarmPoint | None], ...]


def judged(answers: Answers) -> dict[str, ModelAlarms]:
    """The alarms of every model that can raise some, judged stretch by stretch."""
    data = answers.data
    names = [name for name in answers.said if name not in NO_ALARMS]
    curves: dict[str, list[list[Judged]]] = {name: [] for name in names}
    onsets, owner = [], []
    for stretch in stretches(data):
        begin, part = stretch_of(data, stretch)
        span = slice(begin, begin + part.history.rows)
        judge = AlarmJudge(part.history, ~np.isnan(answers.between(MODEL, 0, span)))
        onsets.append(judge.onsets + begin)
        owner.append(stretch.fleet)
        for name in names:
            curves[name].append(judge.curve(answers.between(name, 0, span)))
    found = {}
    for name, parts in curves.items():
        alarms, lead = alarms_of(_pooled(parts))
        own = [
            [curve for curve, fleet in zip(parts, owner, strict=True) if fleet == at] for at in range(len(data.fleets))
        ]
        fleets = tuple((len(curve[0].lead), alarms_of(curve)[0].chosen) for curve in map(_pooled, own))
        found[name] = ModelAlarms(alarms, np.concatenate(onsets), lead, fleets)
    return found


def _pooled(curves: Sequence[Sequence[Judged]]) -> list[Judged]:
    return [pooled(parts) for parts in zip(*curves, strict=True)]


def _horizon(answers: Answers, place: int) -> Horizon:
    reference = answers.forecasts(BOOSTING, place)
    models: dict[str, ModelScores] = {
        name: scores_of(answers.forecasts(name, place), None if name == BOOSTING else reference)
        for name in answers.said
    }
    minutes = round(HORIZON_STEPS[place] * STEP_SECONDS / 60)
    count, positives = row_counts(reference)
    return Horizon(minutes=minutes, count=count, positives=positives, models=models)


def _digested(content: dict[str, Any]) -> Evidence:
    """The document with the digest of everything else in it."""
    plain = Evidence.model_validate({**content, "digest": ""}).model_dump(mode="json", exclude={"digest"})
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Evidence.model_validate({**content, "digest": hashlib.sha256(text.encode()).hexdigest()})
