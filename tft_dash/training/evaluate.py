"""Measures a model on fresh simulated fleets, or on recordings with a past, beside every reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from tft_dash.errors import DataError, UsageError
from tft_dash.models.forecasting.artefact import Artefact
from tft_dash.models.forecasting.evidence import Evidence
from tft_dash.models.forecasting.runtime import Runtime
from tft_dash.progress import Progress, silent
from tft_dash.training.building import Crew, Gathered, RecordedOrigin, gathered, simulated_origins
from tft_dash.training.fleets import Simulated, require_length
from tft_dash.training.histories import Histories
from tft_dash.training.measuring.answers import Subject, asked_by_stretch
from tft_dash.training.measuring.evidence import evidence_of
from tft_dash.training.measuring.references import HORIZON_STEPS, MOST_ROWS, References, outcomes

FRESH_SEED: Final = 1001
FRESH_SEEDS: Final = 3
REFERENCE_SEEDS: Final = 20
REFERENCE_FIRST: Final = 1
"""Seeds of the fleets on which the references are fitted where the card names none."""
REFERENCE_SERVERS: Final = 24
REFERENCE_DAYS: Final = 28.0
"""What the references learn from however little is measured: a reference that learnt little flatters the model."""
LEAST_DAYS: Final = 4.0
NO_WINDOW: Final = (
    "No window of 16 hours in which a server reports and is not critical is left to measure on. "
    "Give histories with fewer gaps, or longer ones."
)
_SEED: Final = re.compile(r"seed (\d+)")


@dataclass(frozen=True, slots=True)
class Means:
    """With what it is measured.

    :param folder: for histories and answers; whoever gives it removes it.
    """

    folder: Path
    crew: Crew = field(default_factory=Crew)
    progress: Progress = silent


def evaluate_simulated(artefact: Artefact, plan: Simulated, command: str, means: Means) -> Evidence:
    """On fleets of fresh seeds; the references learn from the fleets of the model's own seeds.

    :raises UsageError: the model has learnt from one of the seeds.
    :raises DataError: nothing happens in them.
    :raises SettingError: the size is impossible.
    """
    learnt = learnt_seeds(artefact)
    for seed in plan.seeds:
        if seed in learnt:
            raise UsageError(
                f"--seed {seed}: the model has learnt from this fleet. Take seeds from {max(learnt) + 1} on."
            )
    origins = simulated_origins(plan)
    facts = [origin.facts() for origin in origins]
    require_length(facts, 2.0, "measuring")
    data = gathered(origins, facts, means.folder / "fresh", means.crew, _share(means, 0.0, 0.05))
    _demand_incidents(data.history, 0.0)
    others = range(REFERENCE_FIRST, REFERENCE_FIRST + REFERENCE_SEEDS + len(plan.seeds))
    teachers = sorted(learnt) or [seed for seed in others if seed not in plan.seeds]
    size = max(plan.servers, REFERENCE_SERVERS), REFERENCE_DAYS
    taught = simulated_origins(Simulated(tuple(teachers[:REFERENCE_SEEDS]), *size))
    told = [origin.facts() for origin in taught]
    teaching = gathered(taught, told, means.folder / "taught", means.crew, _share(means, 0.05, 0.1))
    return _evidence(artefact, _Grounds(data, 0.0, teaching, 1.0, command, simulated=True), means)


def evaluate_recorded(artefact: Artefact, origins: Sequence[RecordedOrigin], command: str, means: Means) -> Evidence:
    """On the later half of recordings; the references learn from the earlier half.

    :raises DataError: a recording is too short, or nothing happens in them.
    """
    facts = [origin.facts() for origin in origins]
    require_length(facts, LEAST_DAYS, "measuring beside references that learn from the first half")
    data = gathered(origins, facts, means.folder / "recorded", means.crew, _share(means, 0.0, 0.15))
    _demand_incidents(data.history, 0.5)
    return _evidence(artefact, _Grounds(data, 0.5, data, 0.5, command, simulated=False), means)


@dataclass(frozen=True, slots=True)
class _Grounds:
    """Where to measure, from which share of the time on; and where the references learn, up to which share."""

    data: Gathered
    first: float
    teaching: Gathered
    last: float
    command: str
    simulated: bool


def _evidence(artefact: Artefact, grounds: _Grounds, means: Means) -> Evidence:
    subject = Subject(
        Runtime(artefact), artefact.calibration, artefact.card.version, grounds.command, grounds.simulated
    )
    taught = grounds.teaching.history.some_usable(MOST_ROWS, last=grounds.last)
    if not len(taught):
        raise DataError(NO_WINDOW)
    references = References(grounds.teaching, taught, _share(means, 0.15, 0.1))
    answers = asked_by_stretch(
        (subject, references), grounds.data, grounds.first, means.folder / "answers", _share(means, 0.25, 0.65)
    )
    evidence = evidence_of(subject, answers, (grounds.teaching.history, taught))
    means.progress(1.0)
    return evidence


def _demand_incidents(history: Histories, first: float) -> None:
    """Refuse, before hours of work, what nothing can be measured on: both horizons and the alarms need an incident.

    :param first: the share of the time from which on it is measured.
    """
    there, announced, happened = False, False, np.zeros(len(HORIZON_STEPS), bool)
    for server in range(history.servers):
        rows = history.usable([server], first=first)
        there |= bool(len(rows))
        announced |= bool(history.onset[rows + 1].any())  # a usable row is never the last of its series
        happened |= outcomes(history, rows[history.counted[rows]]).any(1)
    if not there:
        raise DataError(NO_WINDOW)
    if not announced or not happened.all():
        raise DataError(
            "There is not a single incident to measure on in these histories (a server that turns critical by the "
            "contract's thresholds, after a window of 8 hours and before a horizon of 8 hours). Take longer ones, or "
            "those of more servers."
        )


def _share(means: Means, begin: float, size: float) -> Progress:
    return lambda share: means.progress(begin + size * share)


def learnt_seeds(artefact: Artefact) -> frozenset[int]:
    """The simulator's seeds that the model has learnt from, by its card."""
    found = (_SEED.fullmatch(source) for source in artefact.card.trained_on.sources)
    return frozenset(int(match.group(1)) for match in found if match is not None)
