"""From recordings with outcomes to a calibration for their fleet, with its record on later data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tft_dash.calibrating.cases import HORIZON_SECONDS, Cases, Told, fleet_cases, server_cases
from tft_dash.calibrating.fit import fitted, usual
from tft_dash.calibrating.measure import Reals, quality
from tft_dash.errors import DataError, shorten
from tft_dash.frame import SourceDescription
from tft_dash.models.calibrated.document import Change, FleetCalibration, Quality
from tft_dash.models.forecasting.calibration import HorizonName, Line
from tft_dash.schema import ModelCard

EARLIER: Final = 0.6
"""The share of the incidents in the part that is fitted to when the later part measures."""
LEAST_EARLIER: Final = 6
LEAST_LATER: Final = 3
"""With fewer incidents nothing is fitted: a rate would be known to a factor of two at best."""

NOTICED: Final = 0.005
"""A loss of Brier skill below this is chance."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Recordings and what happened in them.

    :param words: where the outcomes came from.
    """

    about: tuple[SourceDescription, ...]
    told: tuple[Told, ...]
    words: str


def fleet_calibration(found: Outcomes, card: ModelCard, name: str, sources: tuple[str, ...]) -> FleetCalibration:
    """Fit to the earlier part, measure on the later one, then fit to the whole.

    Where the later part shows that what was learnt misleads, the whole is given its usual rate instead.

    :param sources: the names of the sources that it is for.
    :raises DataError: there are too few incidents, or nothing is known of a horizon.
    """
    splits = [told.split(EARLIER) for told in found.told]
    earlier = [(0, split) for split in splits]
    later = [(split, told.ticks) for split, told in zip(splits, found.told, strict=True)]
    whole = [(0, told.ticks) for told in found.told]
    counts = [_incidents(found.told, spans) for spans in (earlier, later)]
    _demand(counts, found.words)
    lines: dict[str, Line] = {}
    itself: dict[str, Quality] = {}
    record: dict[str, Change] = {}
    for kind, cases_of in (("server", server_cases), ("fleet", fleet_cases)):
        for horizon in HORIZON_SECONDS:
            everything = cases_of(found.told, horizon, whole)
            _demand_both(everything, kind, horizon)
            key = f"{kind} {horizon}"
            record[key] = _change(cases_of(found.told, horizon, earlier), cases_of(found.told, horizon, later))
            line = lines[key] = usual(everything) if _misled(record[key].after) else fitted(everything)
            itself[key] = quality(everything, line.apply(everything.chance), everything.rate)
    rows = len(server_cases(found.told, "30m", whole))
    return FleetCalibration(
        name=name,
        created=datetime.now(UTC).replace(microsecond=0),
        model=card.name,
        model_identity=card.identity,
        sources=sources,
        servers=tuple(dict.fromkeys(server for about in found.about for server in about.servers)),
        outcomes=shorten(found.words, 500),
        span=shorten("; ".join(_span(about) for about in found.about), 200),
        server={horizon: lines[f"server {horizon}"] for horizon in HORIZON_SECONDS},
        fleet={horizon: lines[f"fleet {horizon}"] for horizon in HORIZON_SECONDS},
        rows=rows,
        incidents=sum(counts),
        later_incidents=counts[1],
        whole=itself,
        record=record,
    )


def _change(before: Cases, after: Cases) -> Change:
    """The line of the earlier rows, held against the later ones beside what was said without it."""
    rate = before.rate
    if not before.happened.any() or before.happened.all():
        # The earlier rows know one outcome alone: nothing can be fitted, so nothing is claimed.
        nothing = quality(after.part(np.zeros(len(after), bool)), np.zeros(0), 0.0)
        return Change(before=_raw(after, rate if len(before) else 0.0), after=nothing)
    line = fitted(before)
    return Change(before=_raw(after, rate), after=quality(after, line.apply(after.chance), rate))


def _misled(after: Quality) -> bool:
    """Whether what was learnt earlier was worse later than the rate that was known, by more than chance."""
    highest = after.skill_over_before[2]
    return highest is not None and highest < -NOTICED


def _raw(cases: Cases, rate: float) -> Quality:
    chance: Reals = cases.chance
    return quality(cases, chance, rate)


def _incidents(told: Sequence[Told], spans: Sequence[Span]) -> int:
    return sum(int(one.truth.onset[first:behind].sum()) for one, (first, behind) in zip(told, spans, strict=True))


def _demand(counts: Sequence[int], words: str) -> None:
    total = sum(counts)
    if counts[0] >= LEAST_EARLIER and counts[1] >= LEAST_LATER:
        return
    there = "There is 1 incident" if total == 1 else f"There are {total} incidents"
    raise DataError(
        f"{there} in this history ({words}), and {LEAST_EARLIER + LEAST_LATER} are the least: {LEAST_EARLIER} to fit "
        f"to, and {LEAST_LATER} later ones to measure on. Nothing was changed. Give a longer history, more servers, "
        "or more outcomes (--outcomes FILE)."
    )


def _demand_both(cases: Cases, kind: str, horizon: HorizonName) -> None:
    if cases.happened.any() and not cases.happened.all():
        return
    hours = HORIZON_SECONDS[horizon] / 3600.0
    if not len(cases):
        raise DataError(
            f"No tick of a {kind} is followed by {hours:g} hours of which it is known what happened, and of which the "
            "model said something before. Nothing was changed. Give a longer history."
        )
    what = "always" if cases.happened.all() else "never"
    raise DataError(
        f"Within {hours:g} hours of the {len(cases):,} ticks of a {kind} that count, an incident {what} began: there "
        "is nothing to tell apart. Nothing was changed. Give a longer history."
    )


def _span(about: SourceDescription) -> str:
    first, last = (str(time.astype("datetime64[m]")) for time in (about.start, about.end or about.start))
    return f"{about.name} {first} to {last}"
