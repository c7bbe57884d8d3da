"""Who is told: the receivers, exactly what each would get, a test of each, and the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html

from tft_dash import components, ids
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts.told import Told, deliveries

LEAD: Final = "Who is told of problems, what each receiver gets, and whether it arrived."
EXAMPLE: Final = "example"


@dataclass(frozen=True, slots=True)
class Receiving:
    """A receiver as the page shows it; where its secrets are is nobody's business here.

    :param wants: of what it is told, in words.
    """

    name: str
    type: str
    place: str
    wants: str
    enabled: bool = True


def layout(
    base: str,
    receivers: Sequence[Receiving],
    trouble: str,
    problems: Sequence[tuple[str, str]],
    log: Any,  # noqa: ANN401
) -> html.Div:
    """The page.

    :param trouble: what is wrong with the file of receivers; "" = nothing.
    :param problems: id and title of those whose message can be looked at.
    :param log: the log.
    """
    told = [components.banner("The file of receivers has a mistake", trouble)] if trouble else []
    content = [
        *told,
        frame.section("Receivers", [_receivers(receivers, trouble)]),
        *([frame.section("Exactly what is sent", [_payload(problems)])] if receivers else []),
        html.Div(log, id=ids.ALERTS_DELIVERIES),
    ]
    return frame.page(base, "delivery", "Delivery", html.P(LEAD), content, name=False)


def _receivers(receivers: Sequence[Receiving], trouble: str) -> Any:  # noqa: ANN401 - a Dash component
    if not receivers:
        if trouble:
            return frame.quiet("None can be read.")
        return components.banner(
            "Nobody is told of alerts",
            "No file names receivers. Write one and point TFT_DASH_ALERT_RECEIVERS to it; the guide to alerts has an "
            "example. Receivers are never written here: they name the files of secrets.",
            kind="info",
        )
    head = html.Tr([html.Th(name, scope="col") for name in ("Receiver", "Type", "Where", "Is told of", "")])
    body = html.Table([html.Thead(head), html.Tbody([_row(one) for one in receivers])], className="table")
    return html.Div(body, className="table-box", role="region", tabIndex="0", **{"aria-label": "Receivers"})


def _row(one: Receiving) -> html.Tr:
    acts = [
        html.Button(
            words,
            id={"type": ids.ALERTS_RECEIVER, "act": act, "receiver": one.name},
            type="button",
            className="button",
            **{"aria-label": f"{words}: {one.name}"},
        )
        for act, words in (("payload", "Show exact payload"), ("test", "Send a test"))
    ]
    state = one.wants if one.enabled else "nothing: it is turned off"
    cells = [one.type, html.Code(one.place), state, html.Div(acts, className="row-acts")]
    return html.Tr([html.Th(one.name, scope="row"), *(html.Td(cell) for cell in cells)])


def _payload(problems: Sequence[tuple[str, str]]) -> html.Div:
    options = [{"value": EXAMPLE, "label": "an example"}, *({"value": key, "label": title} for key, title in problems)]
    about = dbc.Select(id=ids.ALERTS_PAYLOAD_OF, options=options, value=problems[0][0] if problems else EXAMPLE)
    hint = "Press “Show exact payload” at a receiver. Nothing is sent; secrets are masked."
    return html.Div(
        [
            html.Div(
                html.Div(html.Label([html.Span("About", className="field-label"), about]), className="form-field"),
                className="form-grid",
            ),
            html.Div(frame.quiet(hint), id=ids.ALERTS_PAYLOAD, className="payload-place"),
        ],
        className="alerts-form",
    )


def payload(text: str, receiver: str) -> list[Any]:
    """The exact request."""
    return [frame.quiet(f"What {receiver} would get:"), html.Pre(text, className="payload", tabIndex="0")]


def log(told: Sequence[Told], base: str) -> Any:  # noqa: ANN401 - a Dash component
    """The log of every attempt, the newest first."""
    return frame.section("Delivery log", [deliveries(told, "Nothing was sent yet.", base=base)])
