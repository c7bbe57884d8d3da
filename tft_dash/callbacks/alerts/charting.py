"""The chart on a problem's page."""

from __future__ import annotations

from tft_dash.alerting.review import fleet_line
from tft_dash.figures.alerts import chances
from tft_dash.figures.alerts.marks import marks_of
from tft_dash.figures.plot import Figure
from tft_dash.services import Services
from tft_dash.theme import Theme


def chart(services: Services, identity: str, theme: Theme) -> Figure:
    """The fleet's probabilities around a problem.

    :raises NotThereError: there is no such problem.
    """
    desk = services.alerts
    problem = desk.problem(identity).problem
    line = fleet_line(services.live, problem, services.live.state(problem.source))
    return chances.figure(line.times, line.prob_30m, line.prob_8h, marks_of(desk.changes(problem=identity)), theme)
