"""The delivery log: to whom what was sent, when, and whether it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dash import dcc, html

from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.wording import Verdict, mark

VERDICTS: Final = {
    "sent": Verdict("good", "sent"),
    "failed": Verdict("warning", "failed, is tried again"),
    "gave-up": Verdict("bad", "given up"),
    "refused": Verdict("bad", "refused"),
    "silenced": Verdict("unknown", "not told: silenced"),
    "past": Verdict("unknown", "not told: over before"),
    "waiting": Verdict("working", "waiting"),
    "test": Verdict("good", "sent as a test"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the log.

    :param problem: its id; "" = none, a test.
    :param status: of HTTP; None = there was no answer, or nothing was sent.
    :param attempt: 0 = nothing was attempted.
    """

    at_ms: int
    receiver: str
    event: str
    outcome: str
    attempt: int
    status: int | None
    took_ms: int
    words: str
    problem: str = ""


def deliveries(told: Sequence[Told], nothing: str, *, base: str | None = None) -> Any:  # noqa: ANN401 - a component
    """The log as a table.

    :param nothing: what to say when it is empty.
    :param base: the app's base path, where lines link to their problems.
    """
    if not told:
        return frame.quiet(nothing)
    names = ["When (UTC)", "Receiver", "About", "Outcome", "Attempt", "Answer"]
    head = html.Tr([html.Th(name, scope="col") for name in names])
    body = html.Table([html.Thead(head), html.Tbody([_row(one, base) for one in told])], className="table")
    return html.Div(body, className="table-box", role="region", tabIndex="0", **{"aria-label": "Delivery log"})


def _row(one: Told, base: str | None) -> html.Tr:
    about: Any = one.event
    if base is not None and one.problem:
        about = [f"{one.event}: ", dcc.Link(one.problem, href=f"{base}alerts/{one.problem}")]
    answer = "" if one.status is None else f"HTTP {one.status} in {one.took_ms:,} ms"
    said = [html.Span(answer)] if answer else []
    if one.words:
        said.append(html.Span(one.words, className="cell-note"))
    cells = [one.receiver, about, mark(VERDICTS.get(one.outcome, Verdict("unknown", one.outcome))),
             f"{one.attempt}" if one.attempt else "—", said or "—"]  # fmt: skip
    when = say.moment(one.at_ms).removesuffix(" UTC")
    return html.Tr([html.Th(when, scope="row"), *(html.Td(cell) for cell in cells)])
