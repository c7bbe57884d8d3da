"""The model on parts of what was measured: by profile, by kind of incident; and where it is blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.evidence import Group
from tft_dash.models.forecasting.layout import PROFILES, STEP_SECONDS
from tft_dash.training.building import FleetFacts
from tft_dash.training.histories import Histories
from tft_dash.training.measuring.scores import Scored, brier_skills

OTHER: Final = "not drawn"
"""Incidents that no single drawn one explains: build-ups that went too far, bursts on a busy server."""
_STEP_MS: Final = round(STEP_SECONDS * 1000)
_BLIND_RECALL: Final = 0.5
_LEAST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Caught:
    """Incidents and how early each was announced.

    :param onsets: rows at which they begin.
    :param lead: minutes, NaN = not announced.
    """

    onsets: NDArray[np.int64]
    lead: NDArray[np.float64]

    def group(self, name: str, chosen: NDArray[np.bool_], **more: float | None) -> Group:
        """The incidents in ``chosen`` as a group."""
        lead = self.lead[chosen]
        caught = ~np.isnan(lead)
        return Group.model_validate(
            {
                "name": name,
                "incidents": len(lead),
                "recall": float(caught.mean()) if len(lead) else None,
                "median_lead_minutes": float(np.median(lead[caught])) if caught.any() else None,
                **more,
            }
        )


def by_profile(soon: Scored, late: Scored, history: Histories, caught: Caught) -> tuple[Group, ...]:
    """A group per profile that has servers here."""
    of_onset = history.profile[history.server_of(caught.onsets)]
    codes = np.array([code for code in range(len(PROFILES)) if (history.profile == code).any()])
    counts = (history.profile == codes[:, None]).astype(np.float64)
    skills = brier_skills(soon, counts), brier_skills(late, counts)
    return tuple(
        caught.group(
            PROFILES[code], of_onset == code, servers=int(counts[place].sum()),
            brier_skill_30m=_known(skills[0][place]), brier_skill_8h=_known(skills[1][place]),
        )
        for place, code in enumerate(codes)
    )  # fmt: skip


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def by_kind(fleets: Sequence[FleetFacts], history: Histories, caught: Caught) -> tuple[Group, ...]:
    """A group per kind of incident, as the simulator drew it, and of those that came again or from elsewhere.

    Empty for recordings: nobody knows of which kind their incidents were.
    """
    if not any(fleet.incidents for fleet in fleets):
        return ()
    kind, origin = _drawn(fleets, history, caught.onsets)
    names = sorted({*kind} - {OTHER})
    groups = [caught.group(name, np.array([one == name for one in kind], bool)) for name in names]
    groups += [
        caught.group(name, np.array([one == name for one in origin], bool)) for name in ("recurrence", "cascade")
    ]
    groups.append(caught.group(OTHER, np.array([one == OTHER for one in kind], bool)))
    return tuple(group for group in groups if group.incidents)


def _drawn(fleets: Sequence[FleetFacts], history: Histories, onsets: NDArray[np.int64]) -> tuple[list[str], list[str]]:
    """Kind and origin of each onset: those of the drawn incident in whose span it begins."""
    spans: dict[int, list[tuple[int, int, str, str]]] = {}
    first = 0
    for fleet in fleets:
        for it in fleet.incidents:
            span = (it.begin_ms // _STEP_MS, -(-it.end_ms // _STEP_MS), it.kind, it.origin)
            spans.setdefault(first + it.server, []).append(span)
        first += fleet.servers
    kinds, origins = [], []
    for server, tick in zip(history.server_of(onsets), history.tick_of(onsets), strict=True):
        hit = next((span for span in spans.get(int(server), []) if span[0] <= tick <= span[1]), None)
        kinds.append(OTHER if hit is None else hit[2])
        origins.append(OTHER if hit is None else hit[3])
    return kinds, origins


def blind_spots(kinds: Sequence[Group], *, simulated: bool) -> tuple[str, ...]:
    """What the model does not see, in words, from the figures."""
    found = [
        f"Of {group.incidents} incidents of the kind '{group.name}', {group.recall:.0%} were announced."
        for group in kinds
        if group.recall is not None and group.recall < _BLIND_RECALL and group.incidents >= _LEAST_TOLD
    ]
    found.append("Incidents that nothing in the metrics announces cannot be foreseen; they show when they are there.")
    if simulated:
        found.append(
            "Everything here was measured on simulated fleets. On a real fleet the probabilities mean nothing until "
            "they have been fitted to its own history (tft-dash calibrate)."
        )
    return tuple(found)
