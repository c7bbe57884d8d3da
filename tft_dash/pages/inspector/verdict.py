"""The verdict and what was found, in the words of ``tft-dash check``, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dash import html

from tft_dash import components
from tft_dash.errors import shorten
from tft_dash.pages.wording import DASH, Verdict, mark, plural, share

if TYPE_CHECKING:
    from tft_dash.sources.findings import Example, Finding
    from tft_dash.sources.report import Report

SHOWN: Final = 25
FOLDED: Final = 300
SEVERITY_KINDS: Final = {"error": "bad", "warning": "warning", "notice": "unknown"}


def verdict_of(report: Report) -> Verdict:
    """A report in a few words."""
    counts = {kind: sum(found.severity == kind for found in report.findings) for kind in SEVERITY_KINDS}
    if counts["error"]:
        return Verdict("bad", plural(counts["error"], "error"))
    if counts["warning"]:
        return Verdict("warning", plural(counts["warning"], "warning"))
    return Verdict("good", "keeps the contract")


def verdict(report: Report, base: str, name: str) -> html.Section:
    """The verdict's sentence, then every finding with its first rows and what to do."""
    sentence = report.as_text().split("\n", 1)[0]
    kind = verdict_of(report).kind
    link = html.A(
        "The report as JSON", href=f"{base}api/v1/datasets/{quote(name, safe='')}/report", className="quiet-link"
    )
    return html.Section(
        [
            html.Div(
                [html.H2(mark(Verdict(kind, sentence)), className="verdict-words"), link],
                className=f"verdict verdict-{kind}",
            ),
            *_findings(report.findings),
        ],
        **{"aria-label": "Verdict"},
    )


def _findings(findings: Sequence[Finding]) -> list[Any]:
    """All findings, those beyond the first folded: a file of thousands of unknown columns has one for each."""
    parts: list[Any] = [html.Ol([_finding(finding) for finding in findings[:SHOWN]], className="findings")]
    folded = findings[SHOWN : SHOWN + FOLDED]
    if folded:
        listed = html.Ol([_finding(finding) for finding in folded], className="findings")
        summary = html.Summary(f"Show {plural(len(folded), 'further finding')}")
        parts.append(html.Details([summary, listed], className="fold"))
    left = len(findings) - SHOWN - FOLDED
    if left > 0:
        parts.append(html.P(f"{plural(left, 'more finding')} in the report as JSON.", className="quiet"))
    return parts


def _finding(finding: Finding) -> html.Li:
    facts = [
        mark(Verdict(SEVERITY_KINDS[finding.severity], finding.severity)),
        html.Code(finding.rule, className="rule"),
        _fact("column", finding.column),
        _fact("count", None if finding.count is None else f"{finding.count:,}"),
        _fact("share", None if finding.share is None else share(finding.share)),
    ]
    return html.Li(
        [
            html.Div(facts, className="finding-head"),
            html.P(finding.sentence, className="finding-sentence"),
            _examples(finding.examples),
            html.P([html.Strong("What to do: "), finding.advice], className="finding-advice"),
        ],
        className=f"finding finding-{finding.severity}",
    )


def _fact(label: str, value: str | None) -> Any:  # noqa: ANN401 - a component or nothing
    if value is None:
        return None
    return html.Span([f"{label} ", html.Bdi(value)], className="finding-fact")


def _examples(examples: tuple[Example, ...]) -> Any:  # noqa: ANN401 - a component or nothing
    if not examples:
        return None
    heads = [html.Th(title, scope="col") for title in ("First rows", "Time", "Server", "Value")]
    rows = [_example(example) for example in examples]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table examples")
    return html.Div(table, className="table-box", role="group", tabIndex="0", **{"aria-label": "First rows"})


def _example(example: Example) -> html.Tr:
    place: Any = shorten(example.file, 40) or DASH
    if example.row is not None:
        place = html.Button(
            [components.icon("down"), f"row {example.row:,}"],
            type="button",
            className="link-button",
            title=f"Show row {example.row:,} of {shorten(example.file)} among the rows",
            **{"data-row": str(example.row), "data-file": example.file},
        )
    texts = (example.time or "no time", example.server or "no name", example.value)
    return html.Tr([html.Td(place), *(html.Td(html.Bdi(DASH if text is None else text)) for text in texts)])
