"""Every fleet alone, and the mean of them: what a target such as "the mean of three seeds" is held to.

A fleet's scores are those of its own servers, with its own frequency of incidents and its own alarm threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.evidence import AlarmPoint, OneFleet, PlainScores
from tft_dash.training.building import Gathered
from tft_dash.training.measuring.answers import MODEL, Answers
from tft_dash.training.measuring.bands import BandSums
from tft_dash.training.measuring.references import BOOSTING
from tft_dash.training.measuring.scores import areas, brier_skills, calibration_errors

MEAN: Final = "mean"
Reals = NDArray[np.float64]


def each_fleet(
    answers: Answers, horizons: Sequence[str], alarms: Sequence[tuple[int, AlarmPoint | None]], bands: BandSums
) -> tuple[OneFleet, ...]:
    """The scores of every fleet.

    :param alarms: each fleet's incidents that could have been announced, and what its own alarm threshold gives.
    """
    data = answers.data
    members = _members(data)
    scores = {name: _of_horizon(answers, place, members) for place, name in enumerate(horizons)}
    found = []
    for number, fleet in enumerate(data.fleets):
        band = bands.scored(members[number : number + 1])
        incidents, point = alarms[number]
        found.append(
            OneFleet(
                source=fleet.name,
                servers=fleet.servers,
                incidents=incidents,
                horizons={name: rows[number] for name, rows in scores.items()},
                recall=None if point is None else point.recall,
                median_lead_minutes=None if point is None else point.median_lead_minutes,
                false_per_server_week=None if point is None else point.false_per_server_week,
                share_in_alarm=None if point is None else point.share_in_alarm,
                pinball_ratio=band.pinball_ratio[0],
                coverage_80=band.coverage_80[0],
            )
        )
    return tuple(found)


def mean_of(fleets: Sequence[OneFleet]) -> OneFleet | None:
    """The mean of every figure; one that a fleet lacks has no mean. None where there are not two fleets."""
    if len(fleets) < 2:
        return None
    content = _mean([fleet.model_dump(exclude={"source", "servers", "incidents"}) for fleet in fleets])
    return OneFleet.model_validate(
        {
            **content,
            "source": MEAN,
            "servers": sum(fleet.servers for fleet in fleets),
            "incidents": sum(fleet.incidents for fleet in fleets),
        }
    )


def _mean(values: Sequence[Any]) -> Any:  # noqa: ANN401 - a tree of numbers
    if isinstance(values[0], Mapping):
        return {name: _mean([one[name] for one in values]) for name in values[0]}
    return None if any(value is None for value in values) else float(np.mean(values))


def _members(data: Gathered) -> Reals:
    """(fleets, servers) 1 where a server belongs to a fleet."""
    owner = np.repeat(np.arange(len(data.fleets)), [fleet.servers for fleet in data.fleets])
    return (owner == np.arange(len(data.fleets))[:, None]).astype(np.float64)


def _of_horizon(answers: Answers, horizon: int, members: Reals) -> list[dict[str, PlainScores]]:
    """Per fleet: model → scores."""
    skills = {name: brier_skills(answers.forecasts(name, horizon), members) for name in answers.said}
    found: list[dict[str, PlainScores]] = [{} for _ in members]
    for name in answers.said:
        forecasts = answers.forecasts(name, horizon)
        roc, errors = areas(forecasts, members)[0], calibration_errors(forecasts, members)
        lead = skills[name] - skills[BOOSTING]
        for number, row in enumerate(found):
            row[name] = PlainScores(
                brier_skill=_known(skills[name][number]),
                auc=_known(roc[number]),
                calibration_error=_known(errors[number]),
                skill_minus_gradient_boosting=_known(lead[number]) if name == MODEL else None,
            )
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
