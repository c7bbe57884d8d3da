"""What the people who were called say of the alerts: the evidence from the fleets that are watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from tft_dash.figures.models.values import share
from tft_dash.pages.models.wording import table
from tft_dash.pages.wording import CALIBRATE, DASH, whole

if TYPE_CHECKING:
    from tft_dash.alerting.worth import Worth


def outcomes(found: Sequence[Worth], newest: int | None) -> list[Any]:
    """A row for each live source and model.

    :param newest: only so many of the newest problems were counted; None = all.
    """
    head = ["Source", "Model", "Problems", "True", "False", "Unclear", "Nobody said", "True of the clear ones"]
    rows = [
        [one.source, one.model or DASH, *map(whole, (one.problems, one.true, one.false, one.unclear, one.unsaid)),
         _precision(one)]
        for one in found
    ]  # fmt: skip
    what = (
        "Problems with their outcome, as people say it on the page Alerts, by the model that judged the tick which "
        "opened them. Fit the probabilities to what was said: "
    )
    how = html.P(
        [what,
         html.Code(CALIBRATE),
         ", with a recording of that fleet and the file that the page Alerts gives."],
        className="quiet",
    )  # fmt: skip
    whose = "Outcomes of problems" if newest is None else f"Outcomes of the newest {newest:,} problems"
    limit = [html.P(f"Counted are outcomes of the newest {newest:,} problems.", className="quiet")] if newest else []
    return [table(head, rows, whose), *limit, how]


def _precision(one: Worth) -> str:
    return DASH if one.precision is None else f"{share(one.precision)} of {whole(one.true + one.false)}"
