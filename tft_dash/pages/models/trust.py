"""Whether a probability kept its word: sentences and diagrams of what was said and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash import ids
from tft_dash.figures.models.reliability import FEW
from tft_dash.figures.models.values import between, cases, known, share
from tft_dash.figures.plot import graph
from tft_dash.pages.models.wording import HORIZONS

if TYPE_CHECKING:
    from tft_dash.models.forecasting.evidence import Evidence, ReliabilityBin

MOST_RANGES: Final = 8
"""So many ranges are told one by one."""
FIGURES: Final = {"30m": ids.MODELS_RELIABILITY_30M, "8h": ids.MODELS_RELIABILITY_8H}
_FIFTHS: Final = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0))


def reliability(evidence: Evidence) -> list[Any]:
    """One column for each horizon: sentences, and the diagram that has them all."""
    columns = [_column(key, words, bins_of(evidence, key)) for key, words in HORIZONS]
    how = (
        "A case is one server at one five-minute step, so one incident makes many cases. In brackets, and as the "
        f"shaded band, stands the 95% bootstrap interval over servers. An open point has fewer than {FEW} cases."
    )
    return [html.Div(columns, className="model-columns"), html.P(how, className="quiet")]


def bins_of(evidence: Evidence, horizon: str) -> Sequence[ReliabilityBin]:
    """The reliability of the evidence's own model at a horizon; empty where it was not measured."""
    measured = {str(name): one for name, one in evidence.horizons.items()}.get(horizon)
    scores = measured.models.get(evidence.model) if measured is not None else None
    return () if scores is None else scores.reliability


def sentences(bins: Sequence[ReliabilityBin]) -> list[str]:
    """``When it said 60–80%, it happened in 71% of 412 cases (66% to 76%).`` for each range that has cases."""
    told = []
    for one in ranges(bins):
        happened, low, high = (known(value) for value in one.happened)
        words = (
            f"When it said {between(one.low, one.high)}, it happened in {share(happened or 0)} of {cases(one.count)}"
        )
        if low is not None and high is not None:
            words += f" ({share(low)} to {share(high)})"
        told.append(f"{words}{': too few to tell' if one.count < FEW else ''}.")
    return told


def ranges(bins: Sequence[ReliabilityBin]) -> list[ReliabilityBin]:
    """What was measured, in few ranges: many are put together in fifths, without an interval, if they fit into them."""
    told = [one for one in bins if one.count and known(one.happened[0]) is not None]
    if len(told) <= MOST_RANGES:
        return told
    found = []
    for low, high in _FIFTHS:
        inside = [one for one in told if one.low >= low - 1e-9 and one.high <= high + 1e-9]
        if inside:
            found.append(_together(low, high, inside))
    return found if sum(one.count for one in found) == sum(one.count for one in told) else told


def _together(low: float, high: float, inside: Sequence[ReliabilityBin]) -> ReliabilityBin:
    count = sum(one.count for one in inside)
    said = sum(one.count * one.said for one in inside) / count
    happened = sum(one.count * (one.happened[0] or 0) for one in inside) / count
    changed = {"low": low, "high": high, "count": count, "said": said, "happened": (happened, None, None)}
    return inside[0].model_copy(update=changed)


def _column(key: str, words: str, bins: Sequence[ReliabilityBin]) -> html.Div:
    told = sentences(bins) or ["Nothing was measured."]
    return html.Div(
        [
            html.H3(f"Within {words}", className="small-title"),
            html.Ul([html.Li(one) for one in told], className="sentences"),
            html.Div(graph(FIGURES[key], zoom=False), className="model-plot model-plot-tall"),
        ],
        className="model-column",
        role="group",
        **{"aria-label": f"Within {words}"},
    )
