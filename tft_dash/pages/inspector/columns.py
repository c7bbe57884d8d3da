"""One row for each column of the file: what it holds, how its values lie, how they run over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import html

from tft_dash.figures import columns as drawings
from tft_dash.pages.wording import DASH, Verdict, day, mark, number, plural, share, whole

if TYPE_CHECKING:
    from tft_dash.inspection.facts import ColumnFacts

SHOWN: Final = 60
"""So many columns stand on the page at first, and so many more come at a press."""
_HEADS: Final = (
    "Column", "Type", "Values", "Min", "p50", "p99", "Max", "Distinct", "Histogram", "Over time", "Stuck",
)  # fmt: skip
_NUMBERS: Final = ("Min", "p50", "p99", "Max", "Distinct")


def found(columns: Sequence[ColumnFacts], words: str) -> list[ColumnFacts]:
    """The columns in whose name the words stand."""
    wanted = words.casefold().strip()
    return [column for column in columns if wanted in column.name.casefold()]


def table(columns: Sequence[ColumnFacts], limit: int) -> Any:  # noqa: ANN401 - a table or a sentence
    """The first ``limit`` columns as a table."""
    if not columns:
        return html.P("No column has this in its name.", className="quiet")
    heads = [html.Th(head, scope="col", className="cell-number" if head in _NUMBERS else None) for head in _HEADS]
    rows = [_row(column) for column in columns[:limit]]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table columns-list")


def more_words(shown: int, total: int) -> str | None:
    """What the button for further columns says; None = all are there."""
    left = total - shown
    return None if left <= 0 else f"Show {min(left, SHOWN):,} more of {total:,} columns"


def _row(column: ColumnFacts) -> html.Tr:
    return html.Tr(
        [
            _name(column),
            html.Td(column.type, className="cell-type"),
            html.Td(_present(column)),
            *_values(column),
            html.Td(_distinct(column), className="cell-number"),
            html.Td(_drawing(drawings.histogram(column.histogram_counts), f"Histogram of {column.name}")),
            html.Td(_drawing(drawings.sparkline(column.spark), f"{column.name} over time")),
            html.Td(_stuck(column), className="cell-stuck"),
        ]
    )


def _name(column: ColumnFacts) -> html.Th:
    unit = f" ({column.unit})" if column.unit else ""
    known = (
        html.Span("contract", className="tag") if column.in_contract else html.Span("kept as it is", className="tag")
    )
    notes = [html.Span(text, className="cell-note") for text in (column.meaning, column.note) if text]
    name = html.Span([html.Bdi(column.name, title=column.name), unit], className="column-name")
    return html.Th([name, known, *notes], scope="row", className="cell-name")


def _present(column: ColumnFacts) -> html.Div:
    part = column.present / column.rows if column.rows else 0.0
    return html.Div(
        [
            html.Span(f"{column.present:,}", className="present-count"),
            html.Span(share(part), className="present-share"),
            html.Span(html.Span(style={"width": f"{100 * part:.2f}%"}), className="bar", **{"aria-hidden": "true"}),
        ],
        className="present",
    )


def _values(column: ColumnFacts) -> list[html.Td]:
    if column.low is None and column.examples:
        texts: list[Any] = []
        for text in column.examples[:4]:
            texts += [html.Bdi(text or "(empty)", title=text), ", "]
        return [html.Td(html.Span(["most often ", *texts[:-1]], className="cell-examples"), colSpan=4)]
    time = column.kind == "time"
    write, name = (_moment, "cell-number cell-time") if time else (number, "cell-number")
    return [html.Td(write(value), className=name) for value in (column.low, column.p50, column.p99, column.high)]


def _moment(value: float | None) -> str:
    return DASH if value is None else day(value)


def _distinct(column: ColumnFacts) -> str:
    return whole(column.distinct) if column.distinct is not None else f"more than {column.distinct_limit:,}"


def _drawing(address: str | None, words: str) -> Any:  # noqa: ANN401 - a drawing or a dash
    if address is None:
        return DASH
    return html.Span(className="drawing", role="img", style={"--drawing": f'url("{address}")'}, **{"aria-label": words})


def _stuck(column: ColumnFacts) -> Any:  # noqa: ANN401 - a mark or a word
    if not column.stuck_runs:
        return html.Span("none", className="quiet") if column.low is not None else DASH
    longest = [f"longest {column.longest_stuck:,} samples"]
    if column.stuck_server:
        longest.append(f" at {column.stuck_server}")
    return [mark(Verdict("warning", plural(column.stuck_runs, "run"))), html.Span(longest, className="cell-note")]
