"""Rules as a document: as a form with every mistake beside its field, as text, and the versions that there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from tft_dash import components, ids
from tft_dash.errors import shorten
from tft_dash.pages.alerts import frame
from tft_dash.pages.alerts import wording as say

LEAD: Final = "When an alert fires, when it is over, how urgent it is. What is saved counts from the next tick on."
FIELDS: Final = ("alert", "above", "below", "clear_at", "for", "keep_firing_for", "severity", "runbook_url", "enabled")
_LABELS: Final = {
    "alert": "Name",
    "above": "Fires above",
    "below": "Fires below",
    "clear_at": "Clears at",
    "for": "Must hold for",
    "keep_firing_for": "Must be clear for",
    "severity": "Severity",
    "runbook_url": "Runbook (address)",
    "enabled": "Judged at all",
}
_SEVERITIES: Final = ("critical", "warning", "info")
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """The rules in force.

    :param rules: of the document, as plain values.
    :param text: the whole as YAML.
    :param origin: ``file``, ``saved`` or ``shipped``.
    :param trouble: what is wrong with the file; "" = nothing.
    """

    rules: Sequence[Rule]
    text: str
    origin: str
    version: int
    editable: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was saved."""

    version: int
    author: str
    saved_ms: int


def layout(base: str, document: Document, versions: Sequence[Version]) -> html.Div:
    """The page."""
    content = [
        *_origin(document),
        html.Div(id=ids.ALERTS_CONFLICT, role="alert"),
        html.Div(editor(document), id=ids.ALERTS_RULES),
        html.Div(listed(versions, document.version), id=ids.ALERTS_VERSIONS),
        dcc.Store(id=ids.ALERTS_VERSION, data=document.version),
    ]
    return frame.page(base, "rules", "Rules", html.P(LEAD), content)


def broken(base: str, words: str, versions: Sequence[Version]) -> html.Div:
    """The rules cannot be read; an earlier version of them can be put in force again.

    The empty fields stand for the form's, which saving reads and writes.
    """
    banner = components.banner("The rules cannot be read", words)
    if not versions:
        return frame.page(base, "rules", "Rules", html.P(LEAD), [banner], name=False)
    newest = max(one.version for one in versions)
    fields = html.Div([dbc.Textarea(id=ids.ALERTS_TEXT, value=""), html.Div(id=ids.ALERTS_TEXT_PROBLEMS)], hidden=True)
    content = [
        html.Div(id=ids.ALERTS_CONFLICT, role="alert"),
        html.Div([banner, fields], id=ids.ALERTS_RULES),
        html.Div(listed(versions, newest, "cannot be read"), id=ids.ALERTS_VERSIONS),
        dcc.Store(id=ids.ALERTS_VERSION, data=newest),
    ]
    return frame.page(base, "rules", "Rules", html.P(LEAD), content)


def _origin(document: Document) -> list[Any]:
    found = []
    if document.trouble:
        found.append(
            components.banner(
                "The file of rules has a mistake", f"{document.trouble}\nWhat it said before stays in force."
            )
        )
    if not document.editable:
        words = "Change that file; it is read anew when it changes. What is here is only shown."
        found.append(components.banner("The rules stand in a file that the settings name", words, kind="info"))
    elif document.origin == "shipped":
        words = "These are the ones that come with the product. Saving makes a document of your own."
        found.append(components.banner("Nobody has saved rules yet", words, kind="info"))
    return found


def editor(document: Document) -> list[Any]:
    """The form and the text; either can be saved."""
    cards = [_card(rule, place, editable=document.editable) for place, rule in enumerate(document.rules)]
    save = [html.Button("Save the form", id={"type": ids.ALERTS_SAVE, "how": "form"}, type="button",
                        className="button button-main")]  # fmt: skip
    text_save = [html.Button("Save the text", id={"type": ids.ALERTS_SAVE, "how": "text"}, type="button",
                             className="button button-main")]  # fmt: skip
    text = dbc.Textarea(
        id=ids.ALERTS_TEXT,
        value=document.text,
        className="rules-text",
        spellCheck=False,
        readonly=not document.editable,
    )
    words = "The whole document: here rules are added, removed, and given matchers, labels and texts. YAML or JSON."
    return [
        frame.section(
            f"{len(cards)} rules" if len(cards) != 1 else "1 rule",
            [html.Div(cards), html.Div(save if document.editable else [], className="form-row")],
        ),
        frame.section(
            "As text",
            [
                frame.quiet(words),
                html.Label([html.Span("Document", className="visually-hidden"), text], className="say-comment"),
                html.Div(id=ids.ALERTS_TEXT_PROBLEMS, role="alert"),
                html.Div(text_save if document.editable else [], className="form-row"),
            ],
        ),
    ]


def _card(rule: Rule, place: int, *, editable: bool) -> html.Details:
    enabled = rule.get("enabled", True)
    head = html.Summary(
        [
            say.severity_mark(str(rule.get("severity", "warning"))),
            html.Span(str(rule["alert"]), className="rule-name"),
            components.icon("chevron"),
            html.Span(condition(rule), className="quiet"),
            *([] if enabled else [html.Span("turned off", className="tag")]),
            html.Span(
                id={"type": ids.ALERTS_RULE_ERROR, "rule": place, "field": ""}, className="field-error", role="alert"
            ),
        ]
    )
    fields = [_field(rule, place, name, editable=editable) for name in fields_of(rule)]
    return html.Details([head, html.Div(html.Div(fields, className="form-grid"))], className="rule-card")


def fields_of(rule: Rule) -> tuple[str, ...]:
    """The fields of a rule's form: one that has no bar has none to be changed."""
    check = rule["when"]["check"]
    if check.endswith("_silent"):
        return tuple(name for name in FIELDS if name not in ("above", "below", "clear_at"))
    other = "below" if "above" in rule["when"] or check != "metric" else "above"
    return tuple(name for name in FIELDS if name != other)


def condition(rule: Rule) -> str:
    """What a rule looks at, in a sentence's half."""
    when = rule["when"]
    about = ", ".join(when.get("metrics", ())) or when["check"]
    bar = next((f"{word} {when[word]}" for word in ("above", "below") if when.get(word) is not None), "")
    where = f" where {', '.join(rule['where'])}" if rule.get("where") else ""
    held = f" for {rule['for']}" if rule.get("for") else ""
    return f"{about} {bar}{held}{where}".strip()


def value_of(rule: Rule, name: str) -> Any:  # noqa: ANN401 - text or a switch
    """A field's value as its form shows it."""
    if name == "enabled":
        return rule.get("enabled", True)
    found = rule["when"].get(name) if name in ("above", "below", "clear_at") else rule.get(name)
    if name == "severity":
        return found or "warning"
    return "" if found is None else str(found)


def _field(rule: Rule, place: int, name: str, *, editable: bool) -> html.Div:
    identity = {"type": ids.ALERTS_RULE_FIELD, "rule": place, "field": name}
    value = value_of(rule, name)
    control: Any
    if name == "severity":
        options = [{"value": word, "label": word} for word in _SEVERITIES]
        control = dbc.Select(id=identity, options=options, value=value, disabled=not editable)
    elif name == "enabled":
        control = dbc.Checkbox(id=identity, value=value, disabled=not editable)
    else:
        control = dbc.Input(id=identity, type="text", value=value, maxlength=500, readonly=not editable)
    error = {"type": ids.ALERTS_RULE_ERROR, "rule": place, "field": name}
    return html.Div(
        [
            html.Label([html.Span(_LABELS[name], className="field-label"), control]),
            html.Span(id=error, className="field-error", role="alert"),
        ],
        className="form-field",
    )


def mistakes(problems: Sequence[tuple[str, str]], title: str) -> Any:  # noqa: ANN401 - a Dash component
    """Every mistake with its path in the document."""
    items = [html.Li([html.Code(shorten(path, 120)), " ", words]) for path, words in problems]
    return html.Div(
        [components.icon("alert"), html.Div([html.Strong(title), html.Ul(items)], className="banner-text")],
        className="banner banner-error",
    )


def conflict(
    who: str, theirs: Sequence[tuple[str, str, str]], mine: Sequence[tuple[str, str, str]], way: str
) -> html.Div:
    """Somebody saved meanwhile: what they changed, what you changed, and the two ways on.

    :param theirs: ``(path, before, after)``; ``mine`` likewise.
    :param way: whether it was the ``form`` or the ``text`` that was to be saved.
    """
    buttons = [
        html.Button(words, id={"type": ids.ALERTS_SAVE, "how": how}, type="button", className="button")
        for how, words in (("theirs", "Take theirs: show the rules in force"), (f"over-{way}", "Save mine over theirs"))
    ]
    words = "Nothing was overwritten. Whatever you choose, every version stays in the list below."
    return html.Div(
        [
            html.Div([components.icon("alert"), html.Strong(who)], className="conflict-head"),
            html.P(words),
            html.Div([_changes("They changed", theirs), _changes("You changed", mine)], className="conflict-sides"),
            html.Div(buttons, className="form-row"),
        ],
        className="banner banner-error alerts-conflict",
    )


def _changes(title: str, rows: Sequence[tuple[str, str, str]]) -> html.Div:
    items = [html.Li([html.Code(path), f": {before} → {after}"]) for path, before, after in rows]
    return html.Div([html.H3(title, className="small-title"), html.Ul(items) if items else frame.quiet("nothing")])


def listed(versions: Sequence[Version], current: int, state: str = "in force") -> Any:  # noqa: ANN401 - a Dash component
    """What was ever saved, each to be put in force again.

    :param state: of the current one, in words.
    """
    if not versions:
        return frame.section("Versions", [frame.quiet("None was saved yet.")])
    rows = []
    for one in versions:
        again: Any = state
        if one.version != current:
            again = html.Button(
                "Put in force again", id={"type": ids.ALERTS_RESTORE, "version": one.version}, type="button",
                className="button",
            )  # fmt: skip
        cells = [say.moment(one.saved_ms), one.author or "somebody", again]
        rows.append(html.Tr([html.Th(f"{one.version}", scope="row"), *(html.Td(cell) for cell in cells)]))
    head = html.Tr([html.Th(name, scope="col") for name in ("Version", "Saved", "By", "")])
    body = html.Table([html.Thead(head), html.Tbody(rows)], className="table")
    box = html.Div(body, className="table-box", role="region", tabIndex="0", **{"aria-label": "Versions"})
    return frame.section("Versions", [box])
