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

FIGURES: Final = {"30m": ids.MODELS_RELIABILITY_30M, "8h": ids.MODELS_RELIABILITY_8H}
_BANDS: Final = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0))


def reliability(evidence: Evidence) -> list[Any]:
    """One column for each horizon: sentences, and the diagram that has them all."""
    columns = [_column(key, words, bins_of(evidence, key)) for key, words in HORIZONS]
    how = (
        "A case is one server at one five-minute step, so one incident makes many cases. The shaded band is the 95% "
        f"bootstrap interval over servers. An open point stands on fewer than {FEW} cases."
    )
    return [html.Div(columns, className="model-columns"), html.P(how, className="quiet")]


def bins_of(evidence: Evidence, horizon: str) -> Sequence[ReliabilityBin]:
    """The reliability of the evidence's own model at a horizon; empty where it was not measured."""
    measured = {str(name): one for name, one in evidence.horizons.items()}.get(horizon)
    scores = measured.models.get(evidence.model) if measured is not None else None
    return () if scores is None else scores.reliability


def sentences(bins: Sequence[ReliabilityBin]) -> list[str]:
    """``When it said 60–80%, it happened in 71% of 412 cases.`` for each fifth that has cases."""
    told = []
    for low, high, count, happened in _fifths(bins):
        few = ": too few to tell" if count < FEW else ""
        told.append(f"When it said {between(low, high)}, it happened in {share(happened)} of {cases(count)}{few}.")
    return told


def _fifths(bins: Sequence[ReliabilityBin]) -> list[tuple[float, float, int, float]]:
    """Bins put together in fifths; as they are where they do not fit into them. ``(low, high, count, happened)``."""
    known_bins = [(one, happened) for one in bins if one.count and (happened := known(one.happened[0])) is not None]
    found = []
    placed = 0
    for low, high in _BANDS:
        inside = [(one, rate) for one, rate in known_bins if one.low >= low - 1e-9 and one.high <= high + 1e-9]
        count = sum(one.count for one, _ in inside)
        placed += len(inside)
        if count:
            found.append((low, high, count, sum(one.count * rate for one, rate in inside) / count))
    if placed == len(known_bins):
        return found
    return [(one.low, one.high, one.count, rate) for one, rate in known_bins]


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
