"""Silences and maintenance windows: of what nobody is told, from when to when, who says so and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html

from tft_dash import ids
from tft_dash.alerts.silences import Silence
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say
from tft_dash.pages.wording import Verdict, mark

LEAD: Final = "While a silence holds, alerts that fit it are judged and shown as ever, but nobody is told of them."
LENGTHS: Final = ("30m", "1h", "2h", "4h", "8h", "1d", "3d", "7d")
FIELDS: Final = ("matchers", "reason", "from", "for")
_PLACEHOLDER: Final = "profile=database\nserver_name=~web-.*"


@dataclass(frozen=True, slots=True)
class Shown:
    """A silence as the page shows it.

    :param ended_by: who ended it before its time; "" = nobody.
    :param matching: how many of the alerts that fire now it fits.
    """

    silence: Silence
    ended_by: str
    matching: int


def layout(base: str, listed: Any, notes: Sequence[Any], given: str = "") -> html.Div:  # noqa: ANN401 - Dash children
    """The page.

    :param listed: the silences.
    :param notes: what must be known beforehand.
    :param given: matchers that the form starts with.
    """
    content = [
        *notes,
        frame.section("New silence", [_form(given)]),
        html.Div(listed, id=ids.ALERTS_SILENCES),
    ]
    return frame.page(base, "silences", "Silences", html.P(LEAD), content)


def _form(given: str) -> html.Div:
    matchers = dbc.Textarea(id=ids.ALERTS_MATCHERS, rows=3, placeholder=_PLACEHOLDER, value=given, maxlength=4000)
    hint = (
        "One a line; all must fit. Labels: alertname, severity, source, server_name, profile, metric. "
        "Operators: =, !=, =~ and !~."
    )
    lengths = [{"label": length, "value": length} for length in LENGTHS]
    until = dbc.Input(id=ids.ALERTS_FOR, type="text", value="2h", list="alerts-lengths", maxlength=20)
    start = dbc.Input(id=ids.ALERTS_FROM, type="datetime-local", step=60)
    fields = [
        field("What (matchers)", "matchers", matchers, hint, wide=True),
        field("Why", "reason", dbc.Input(id=ids.ALERTS_REASON, type="text", maxlength=1000), wide=True),
        field("From (UTC)", "from", start, "Empty: from now on."),
        field("For", "for", until, "Like 30m, 2h or 1d12h; a year at most."),
    ]
    choices = html.Datalist([html.Option(value=one["value"]) for one in lengths], id="alerts-lengths")
    kind = dbc.Checkbox(id=ids.ALERTS_MAINTENANCE, label="Planned: this is a maintenance window", value=False)
    button = html.Button("Silence", id=ids.ALERTS_SILENCE_ADD, type="button", className="button button-main")
    return html.Div(
        [html.Div(fields, className="form-grid"), choices, html.Div([kind, button], className="form-row")],
        className="alerts-form",
    )


def field(label: str, name: str, control: Any, hint: str = "", *, wide: bool = False) -> html.Div:  # noqa: ANN401
    """A field of a form with the place where its mistake is told."""
    return html.Div(
        [
            html.Label([html.Span(label, className="field-label"), control]),
            *([html.Span(hint, className="quiet")] if hint else []),
            html.Span(id={"type": ids.ALERTS_FIELD_ERROR, "field": name}, className="field-error", role="alert"),
        ],
        className=f"form-field{' form-wide' if wide else ''}",
    )


def listed(shown: Sequence[Shown], now_ms: int) -> list[Any]:
    """Those that hold or will, then those that are over."""
    current = [one for one in shown if one.silence.end_ms > now_ms]
    over = [one for one in shown if one.silence.end_ms <= now_ms]
    none = "No silence holds: whoever is to be told is told."
    return [
        frame.section("In force and to come", [_table(current, now_ms, none)]),
        frame.section("Over in the last 30 days", [_table(over, now_ms, "None.")]),
    ]


def _table(shown: Sequence[Shown], now_ms: int, nothing: str) -> Any:  # noqa: ANN401 - a Dash component
    if not shown:
        return frame.quiet(nothing)
    head = html.Tr(
        [html.Th(name, scope="col") for name in ("What", "State", "From (UTC)", "To (UTC)", "Who and why", "")]
    )
    body = html.Table([html.Thead(head), html.Tbody([_row(one, now_ms) for one in shown])], className="table")
    return html.Div(body, className="table-box", role="region", tabIndex="0", **{"aria-label": "Silences"})


def _row(one: Shown, now_ms: int) -> html.Tr:
    silence = one.silence
    what = [html.Div(html.Code(str(each))) for each in silence.matchers]
    if silence.maintenance:
        what.append(html.Span("maintenance", className="tag"))
    who = [html.B(silence.by), html.Span(silence.reason, className="cell-note")]
    end: list[Any] = []
    if silence.end_ms > now_ms:
        end = [
            html.Button(
                "End it now", id={"type": ids.ALERTS_END, "silence": silence.id}, type="button", className="button"
            )
        ]
    cells = [
        _state(one, now_ms),
        say.moment(silence.start_ms).removesuffix(" UTC"),
        say.moment(silence.end_ms).removesuffix(" UTC"),
        who,
        end,
    ]
    return html.Tr([html.Th(what, scope="row", className="cell-name"), *(html.Td(cell) for cell in cells)])


def _state(one: Shown, now_ms: int) -> Any:  # noqa: ANN401 - a Dash component
    silence = one.silence
    if silence.end_ms <= now_ms:
        words = f"ended by {one.ended_by}" if one.ended_by else "over"
        return mark(Verdict("unknown", words))
    if silence.start_ms > now_ms:
        return mark(Verdict("working", f"begins {say.ago(silence.start_ms, now_ms)}"))
    fits = "fits no alert now" if not one.matching else f"silences {one.matching:,} now"
    return [mark(Verdict("good", f"ends {say.ago(silence.end_ms, now_ms)}")), html.Span(fits, className="cell-note")]
