"""The tuner: what a rule, or the same rule with other bars, would have done over recorded history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.alerts.grouping import USUAL, Terms
from tft_dash.alerts.rules import FLEET_CHECKS, Rule
from tft_dash.alerts.tuning.episodes import Episode, Replay
from tft_dash.alerts.tuning.paging import pages_of
from tft_dash.alerts.tuning.recorded import History, Incident, series_of

WEEK_MS: Final = 7 * 86_400_000
LATE_MS: Final = 1_800_000
"""An alert that fires so long after an incident began is late; later, it is about something else."""
_HORIZON_MS: Final = {"prob_8h": 8 * 3_600_000, "server_prob_8h": 8 * 3_600_000}
_USUAL_HORIZON_MS: Final = 1_800_000
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a rule would have done.

    :param weeks: of history in which something was said.
    :param alerts: how many fired; ``pages`` is how often people would have been told: alerts that belong together are
        one page, as in problems.
    :param false_pages: pages without an alert that announced an incident or was late for one.
    :param incidents: how many there were.
    :param announced: of those, how many an alert that was on before it began announced: one that stood as it began, or
        had ended within the model's horizon before.
    :param late: of the others, how many an alert told of within half an hour after it began.
    :param missed: the rest.
    :param median_lead_minutes: between the first alert that announced an incident and its beginning, or, where that
        alert had announced the incident before it already, between the two; None = none was announced.
    """

    weeks: float
    alerts: int
    pages: int
    false_pages: int
    incidents: int
    announced: int
    late: int
    missed: int
    median_lead_minutes: float | None

    @property
    def pages_per_week(self) -> float | None:
        """None where there is no history."""
        return self.pages / self.weeks if self.weeks else None

    @property
    def false_pages_per_week(self) -> float | None:
        """None where there is no history."""
        return self.false_pages / self.weeks if self.weeks else None


class Tuner:
    """Judges a rule with other bars and durations over one history.

    :param incidents: those of single servers, or, for a rule about the fleet, those of the fleet; see
        :func:`tft_dash.alerts.tuning.recorded.incidents_of`.
    :raises UsageError: the rule has no bar, or the history does not have what it looks at.
    """

    def __init__(self, rule: Rule, history: History, incidents: Iterable[Incident], terms: Terms = USUAL) -> None:
        series = series_of(rule, history)
        self._replay = Replay(history, series)
        self._incidents = tuple(sorted(incidents))
        self._source, self._terms = history.source, terms
        told = np.zeros(len(history.times), bool)
        for one in series:
            told |= ~np.isnan(one.values[:, list(one.places)]).all(axis=1) if one.places else False
        self._weeks = int(history.steps[told].sum()) / WEEK_MS
        self._step = int(history.steps.max(initial=0))

    def tune(self, rule: Rule) -> Tuning:
        """What ``rule`` would have done; it reads what the tuner's own rule reads."""
        return tuned(
            self._replay.episodes(rule), self._incidents, rule, weeks=self._weeks, source=self._source,
            step_ms=self._step, terms=self._terms,
        )  # fmt: skip


def tuned(
    episodes: Sequence[Episode],
    incidents: Sequence[Incident],
    rule: Rule,
    *,
    weeks: float,
    source: str,
    step_ms: int,
    terms: Terms = USUAL,
) -> Tuning:
    """What alerts, however they were found, are worth against incidents."""
    fleet = rule.when.check in FLEET_CHECKS
    horizon = _HORIZON_MS.get(rule.when.check, _USUAL_HORIZON_MS)
    mine: defaultdict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        mine["" if fleet else episode.server].append(episode)
    leads, late, right = [], 0, set[Episode]()
    before_it: dict[str, int] = {}
    for incident in sorted(incidents):
        near = mine[incident.server]
        before = [one for one in near if _announces(one, incident, horizon)]
        after = [one for one in near if 0 <= one.fired_ms - incident.onset_ms <= LATE_MS]
        right.update(before, after)
        if before:
            since = max(min(one.fired_ms for one in before), before_it.get(incident.server, 0))
            leads.append(incident.onset_ms - since)
        elif after:
            late += 1
        before_it[incident.server] = incident.onset_ms
    pages = pages_of(episodes, source, rule, step_ms, terms)
    return Tuning(
        weeks=weeks,
        alerts=len(episodes),
        pages=len(pages),
        false_pages=sum(right.isdisjoint(page) for page in pages),
        incidents=len(incidents),
        announced=len(leads),
        late=late,
        missed=len(incidents) - len(leads) - late,
        median_lead_minutes=float(np.median(leads)) / _MINUTE_MS if leads else None,
    )


def _announces(episode: Episode, incident: Incident, horizon_ms: int) -> bool:
    before = episode.fired_ms < incident.onset_ms
    return before and (episode.resolved_ms is None or incident.onset_ms <= episode.resolved_ms + horizon_ms)


def with_bar(rule: Rule, above: float, clear_at: float | None = None) -> Rule:
    """The rule with its bar elsewhere; the one to clear at keeps its distance where none is given.

    Both stay from 0 to 1 for rules on probabilities and risks. A rule below its bar is moved likewise.
    """
    fire, clear, sign = rule.when.bars(rule.when.metrics[0])
    beyond = above + (clear - fire) if clear_at is None else clear_at
    if rule.when.check != "metric":
        above, beyond = min(max(above, 0.0), 1.0), min(max(beyond, 0.0), 1.0)
    moved = {"above" if sign > 0 else "below": round(above, 6), "clear_at": round(beyond, 6)}
    return rule.model_copy(update={"when": rule.when.model_copy(update=moved)})
