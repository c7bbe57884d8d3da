"""Measures a model on fresh simulated fleets, or on recordings with a past, beside every reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tft_dash.errors import UsageError
from tft_dash.models.forecasting.artefact import Artefact
from tft_dash.models.forecasting.evidence import Evidence
from tft_dash.models.forecasting.runtime import Runtime
from tft_dash.progress import Progress, silent
from tft_dash.training.fleets import Fleet, Simulated, require_length, simulated_fleets
from tft_dash.training.histories import Histories, Rows, joined
from tft_dash.training.measuring.evidence import Subject, evidence_of, measured
from tft_dash.training.measuring.references import References

FRESH_SEED: Final = 1001
FRESH_SEEDS: Final = 3
REFERENCE_SEEDS: Final = 10
REFERENCE_FIRST: Final = 1
"""Seeds of the fleets on which the references are fitted where the card names none."""
LEAST_DAYS: Final = 4.0
_SEED: Final = re.compile(r"seed (\d+)")


@dataclass(frozen=True, slots=True)
class _Grounds:
    """Where to measure, and where the references and the naive forecasts are fitted."""

    fleets: Sequence[Fleet]
    history: Histories
    rows: Rows
    fitted_fleets: Sequence[Fleet]
    fitted_history: Histories
    fitted_rows: Rows


def evaluate_simulated(artefact: Artefact, plan: Simulated, command: str, progress: Progress = silent) -> Evidence:
    """On fleets of fresh seeds; the references learn from the fleets of the model's own seeds.

    :raises UsageError: the model has learnt from one of the seeds.
    :raises SettingError: the size is impossible.
    """
    learnt = learnt_seeds(artefact)
    for seed in plan.seeds:
        if seed in learnt:
            raise UsageError(
                f"--seed {seed}: the model has learnt from this fleet. Take seeds from {max(learnt) + 1} on."
            )
    fleets = list(simulated_fleets(plan))
    require_length(fleets, 2.0, "measuring")
    teachers = sorted(learnt) or list(range(REFERENCE_FIRST, REFERENCE_FIRST + REFERENCE_SEEDS))
    fitted = list(simulated_fleets(Simulated(tuple(teachers[:REFERENCE_SEEDS]), max(plan.servers, 24), 28.0)))
    history, fitted_history = joined([fleet.history for fleet in fleets]), joined([fleet.history for fleet in fitted])
    grounds = _Grounds(fleets, history, history.usable(), fitted, fitted_history, fitted_history.usable())
    return _evidence(artefact, grounds, command, simulated=True, progress=progress)


def evaluate_recorded(
    artefact: Artefact, fleets: Sequence[Fleet], command: str, progress: Progress = silent
) -> Evidence:
    """On the later half of recordings; the references learn from the earlier half.

    :raises DataError: a recording is too short, or nothing happens in them.
    """
    require_length(fleets, LEAST_DAYS, "measuring beside references that learn from the first half")
    history = joined([fleet.history for fleet in fleets])
    grounds = _Grounds(fleets, history, history.usable(first=0.5), fleets, history, history.usable(last=0.5))
    return _evidence(artefact, grounds, command, simulated=False, progress=progress)


def _evidence(artefact: Artefact, grounds: _Grounds, command: str, *, simulated: bool, progress: Progress) -> Evidence:
    subject = Subject(Runtime(artefact), artefact.calibration, artefact.card.version, command, simulated)
    references = References(grounds.fitted_history, grounds.fitted_rows, grounds.fitted_fleets,
                            lambda share: progress(0.2 * share))  # fmt: skip
    found = measured(subject, grounds.history, grounds.rows, (references, grounds.fleets),
                     lambda share: progress(0.2 + 0.75 * share))  # fmt: skip
    evidence = evidence_of(subject, grounds.fleets, found, (grounds.fitted_history, grounds.fitted_rows))
    progress(1.0)
    return evidence


def learnt_seeds(artefact: Artefact) -> frozenset[int]:
    """The simulator's seeds that the model has learnt from, by its card."""
    found = (_SEED.fullmatch(source) for source in artefact.card.trained_on.sources)
    return frozenset(int(match.group(1)) for match in found if match is not None)
