"""The evidence as a table for a terminal, with the rows of the targets."""

from __future__ import annotations

from collections.abc import Iterator

from tft_dash.errors import shorten
from tft_dash.models.forecasting.evidence import Evidence, Interval


def table(evidence: Evidence) -> str:
    """The figures that a model is held to, each beside its references."""
    return "\n".join(_lines(evidence))


def _lines(evidence: Evidence) -> Iterator[str]:
    what = "simulated fleets" if evidence.simulated else "recordings"
    yield f"{evidence.model} {evidence.version} on {what}: {', '.join(evidence.sources)}"
    yield f"{evidence.servers} servers, {evidence.days:g} days each, {evidence.incidents} incidents"
    for name, horizon in evidence.horizons.items():
        yield ""
        head = f"P({name}), {horizon.positives:,} of {horizon.count:,} ticks"
        yield f"{head:<34}{'Brier skill':>24}{'AUC':>22}{'PR-AUC':>8}{'ECE':>8}{'skill minus boosting':>24}"
        for model, scores in horizon.models.items():
            yield (
                f"  {model:<32}{_spread(scores.brier_skill):>24}{_spread(scores.auc):>22}{_one(scores.pr_auc):>8}"
                f"{_one(scores.calibration_error, 4):>8}{_spread(scores.skill_minus_gradient_boosting):>24}"
            )
    yield ""
    head = "alarms, at most 1 false/server-week"
    yield f"{head:<36}{'threshold':>10}{'recall':>8}{'precision':>10}{'lead min':>9}{'false/week':>11}{'in alarm':>9}"
    for model, alarms in evidence.alarms.items():
        point = alarms.chosen
        if point is None:
            yield f"  {model:<34}no threshold keeps to it"
            continue
        lead = "–" if point.median_lead_minutes is None else f"{point.median_lead_minutes:.0f}"
        yield (
            f"  {model:<34}{point.threshold:>10.3f}{point.recall:>8.3f}{point.precision:>10.3f}{lead:>9}"
            f"{point.false_per_server_week:>11.2f}{point.share_in_alarm:>9.1%}"
        )
    yield ""
    yield f"{'bands':<24}{'pinball / best naive':>28}{'coverage of 80 %':>26}"
    for band in evidence.bands:
        yield f"  {band.metric:<22}{_spread(band.pinball_ratio):>28}{_spread(band.coverage_80):>26}  {band.best_naive}"
    yield f"  {'all':<22}{_spread(evidence.pinball_ratio):>28}{_spread(evidence.coverage_80):>26}"
    yield from _each(evidence)
    for title, groups in (("by profile", evidence.by_profile), ("by kind of incident", evidence.by_kind)):
        if groups:
            yield ""
            yield f"{title:<24}{'incidents':>10}{'recall':>8}{'lead min':>9}"
        for group in groups:
            recall = "–" if group.recall is None else f"{group.recall:.2f}"
            lead = "–" if group.median_lead_minutes is None else f"{group.median_lead_minutes:.0f}"
            yield f"  {group.name:<22}{group.incidents:>10}{recall:>8}{lead:>9}"
    yield ""
    yield f"digest {evidence.digest}"


def _each(evidence: Evidence) -> Iterator[str]:
    """Each fleet alone, and their mean: what the targets are held to. Everything above is of all fleets together."""
    if evidence.mean is None:
        return
    yield ""
    columns = "".join(f"{name + ' skill':>11}{'AUC':>7}{'ECE':>8}{'- boost':>9}" for name in evidence.mean.horizons)
    yield f"{'each fleet alone':<18}{columns}{'recall':>8}{'lead min':>9}{'pinball':>9}{'coverage':>9}"
    for fleet in (*evidence.each, evidence.mean):
        line = f"  {shorten(fleet.source, 15):<16}"
        for rows in fleet.horizons.values():
            own = rows[evidence.model]
            line += f"{_plain(own.brier_skill):>11}{_plain(own.auc):>7}{_plain(own.calibration_error, 4):>8}"
            line += f"{_plain(own.skill_minus_gradient_boosting):>9}"
        line += f"{_plain(fleet.recall):>8}{_plain(fleet.median_lead_minutes, 0):>9}"
        yield line + f"{_plain(fleet.pinball_ratio):>9}{_plain(fleet.coverage_80):>9}"


def _plain(value: float | None, decimals: int = 3) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"


def _one(value: Interval, decimals: int = 3) -> str:
    return "–" if value[0] is None else f"{value[0]:.{decimals}f}"


def _spread(value: Interval | None) -> str:
    if value is None or value[0] is None:
        return "–"
    if value[1] is None or value[2] is None:
        return f"{value[0]:.3f}"
    return f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]"
