"""The model beside simpler ones, at both horizons; and the truth about gradient boosting, computed from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash.figures.models.values import known
from tft_dash.pages.models.wording import (
    BOOSTING,
    CLIMATOLOGY,
    HORIZONS,
    MEANINGS,
    decimal,
    measured,
    minutes,
    model_name,
    table,
)
from tft_dash.pages.wording import plural, share, whole
from tft_dash.schema import METRIC

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence, Horizon, ModelScores

_ORDER: Final = ("tft", BOOSTING, "thresholds", "persistence", CLIMATOLOGY)
_COLUMNS: Final = (("brier_skill", 3, True), ("auc", 3, True), ("calibration_error", 4, False))
"""Field, places, and whether more is better."""


def comparison(evidence: Evidence) -> list[Any]:
    """A table with a sentence for each horizon."""
    parts: list[Any] = []
    for key, words in HORIZONS:
        horizon = {str(name): one for name, one in evidence.horizons.items()}.get(key)
        if horizon is not None:
            parts.append(_horizon(evidence, horizon, words))
    if not parts:
        return [html.P("Nothing was measured.", className="quiet")]
    gloss = html.Dl(
        [
            _term("Brier skill", "how much of the error of always saying the usual rate is saved. 1 is perfect, 0 no "
                  "better, below 0 worse."),
            _term("AUC", "how often a server that turned critical was ranked above one that did not. 0.5 is a coin's "
                  "toss."),
            _term("Calibration error", "how far what was said lay from what happened, on average. Climatology cannot "
                  "be far off, for it says the usual rate of every server; it is left out of the best."),
        ],
        className="gloss",
    )  # fmt: skip
    return [html.Div(parts, className="model-columns"), *_each(evidence), gloss]


def _each(evidence: Evidence) -> list[Any]:
    """The model on every fleet alone, and the mean; nothing where there is one fleet, or nobody measured it."""
    if evidence.mean is None:
        return []
    head = ["Fleet"]
    for _, words in HORIZONS:
        head += [f"{words}: Brier skill", "AUC", "Calibration error"]
    rows = []
    for fleet in (*evidence.each, evidence.mean):
        name = f"Mean of {len(evidence.each)}" if fleet is evidence.mean else fleet.source
        cells: list[Any] = [html.Strong(name) if fleet is evidence.mean else name]
        horizons = {str(key): one for key, one in fleet.horizons.items()}
        for key, _ in HORIZONS:
            own = horizons.get(key, {}).get(evidence.model)
            for field, places, _ in _COLUMNS:
                cells.append(decimal(None if own is None else getattr(own, field), places))
        rows.append([*cells, share(fleet.recall), minutes(fleet.median_lead_minutes)])
    why = "Each fleet by itself, with its own alarm threshold. The tables above are of all fleets together."
    return [
        html.H3("Each fleet alone", className="small-title"),
        table([*head, "Announced", "Median lead"], rows, "Scores of each fleet alone"),
        html.P(why, className="quiet"),
    ]


def bands(evidence: Evidence) -> list[Any]:
    """How good the forecast bands of each metric are; nothing where none was measured."""
    if not evidence.bands:
        return []
    rows = [
        [METRIC[one.metric].label if one.metric in METRIC else one.metric, measured(one.pinball_ratio), one.best_naive,
         measured(one.coverage_80)]
        for one in evidence.bands
    ]  # fmt: skip
    rows.append(["All", measured(evidence.pinball_ratio), "", measured(evidence.coverage_80)])
    head = ["Metric", "Loss against the best naive one", "Best naive forecast", "Share within the 80% band"]
    why = "A loss below 1 is better than the naive forecast. Of an honest 80% band, 0.8 of the values lie within it."
    return [table(head, rows, "Forecast bands"), html.P(why, className="quiet")]


def verdict(evidence: Evidence, horizon: Horizon, words: str) -> str:
    """Whether the model is better than gradient boosting, as the paired difference has it."""
    own, other = horizon.models.get(evidence.model), horizon.models.get(BOOSTING)
    if own is None or other is None:
        return f"Within {words} it was not measured beside gradient boosting."
    value, low, high = (known(one) for one in own.skill_minus_gradient_boosting or (None, None, None))
    if value is None:
        return _unpaired(own, other, words)
    size = f"by {decimal(abs(value))} of Brier skill"
    if low is None or high is None:
        side = "ahead of" if value > 0 else "behind"
        return f"Within {words} it is {side} gradient boosting {size}; whether that is chance was not measured."
    around = f"95% interval of the difference: {decimal(low)} to {decimal(high)}"
    if low > 0:
        return f"Within {words} it is better than gradient boosting {size} ({around})."
    if high < 0:
        return f"Within {words} it is behind gradient boosting {size} ({around}): the simpler method is better here."
    side = "ahead" if value > 0 else "behind" if value < 0 else "level"
    return (
        f"Within {words} no difference to gradient boosting can be told: {side} {size}, which may be chance ({around})."
    )


def _unpaired(own: ModelScores, other: ModelScores, words: str) -> str:
    mine, theirs = known(own.brier_skill[0]), known(other.brier_skill[0])
    if mine is None or theirs is None:
        return f"Within {words} it was not measured beside gradient boosting."
    side = "ahead of" if mine > theirs else "behind" if mine < theirs else "level with"
    gap = decimal(abs(mine - theirs))
    told = f"Within {words} it is {side} gradient boosting by {gap} of Brier skill"
    return f"{told}; whether that is chance was not measured."


def _horizon(evidence: Evidence, horizon: Horizon, words: str) -> html.Div:
    names: list[str] = [name for name in _ORDER if name in horizon.models]
    names += [name for name in horizon.models if name not in _ORDER]
    best = {field: _best(horizon, field, more=more) for field, _, more in _COLUMNS}
    rows = []
    for name in names:
        cells: list[Any] = [_named(name, evidence.model)]
        for field, places, _ in _COLUMNS:
            score, *around = measured(getattr(horizon.models[name], field), places)
            mark = [html.Span("best", className="tag best")] if best[field] == name else []
            cells.append([score, *mark, *around])
        rows.append(cells)
    rate = share(horizon.positives / horizon.count) if horizon.count else "—"
    about = f"{whole(horizon.count)} cases, of which {rate} came true ({plural(horizon.positives, 'case')})."
    head = ["Method", "Brier skill", "AUC", "Calibration error"]
    return html.Div(
        [
            html.H3(f"Within {words}", className="small-title"),
            html.P(verdict(evidence, horizon, words), className="versus"),
            table(head, rows, f"Scores within {words}"),
            html.P(about, className="quiet"),
        ],
        className="model-column",
    )


def _best(horizon: Horizon, field: str, *, more: bool) -> str | None:
    """The method with the best value, where at least two were measured."""
    values = {name: known(getattr(one, field)[0]) for name, one in horizon.models.items()}
    told = {name: value for name, value in values.items() if value is not None}
    if not more:
        told.pop(CLIMATOLOGY, None)
    if len(told) < 2:
        return None
    return max(told, key=lambda name: told[name] if more else -told[name])


def _named(name: str, own: str) -> list[Any]:
    if name == own:
        return [html.Strong(model_name(name)), html.Span("this model", className="method-note")]
    meaning = MEANINGS.get(name)
    return [model_name(name), html.Span(meaning, className="method-note")] if meaning else [model_name(name)]


def _term(name: str, words: str) -> html.Div:
    return html.Div([html.Dt(name), html.Dd(words)])
