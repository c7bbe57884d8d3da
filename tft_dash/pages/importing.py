"""The import step: what the columns of a foreign file mean, with its first rows before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dash import dcc, html

from tft_dash import components, ids
from tft_dash.pages.inspector.page import section
from tft_dash.pages.wording import DASH

if TYPE_CHECKING:
    from tft_dash.importing.preview import MappingPreview, Sample

POLL_MS: Final = 500


def layout(upload_id: str) -> html.Div:
    """The page before the upload has been looked at."""
    return html.Div(
        [
            dcc.Store(id=ids.IMPORT_OPEN, data={"id": upload_id}),
            dcc.Store(id=ids.IMPORT_ABOUT),
            dcc.Store(id=ids.IMPORT_ASKED),
            dcc.Store(id=ids.IMPORT_ANSWER),
            dcc.Interval(id=ids.IMPORT_CLOCK, interval=POLL_MS, disabled=True),
            dcc.Download(id=ids.IMPORT_DOWNLOAD),
            dcc.Location(id=ids.IMPORT_GO, refresh=True),
            html.Div(
                [
                    html.Nav(
                        html.A("Datasets", href="../../datasets", className="back-link"), **{"aria-label": "Breadcrumb"}
                    ),
                    html.H1("Map the columns", className="page-title"),
                    html.P("Looking at the file.", id=ids.IMPORT_LABEL),
                ],
                className="page-head",
            ),
            html.Div([], id=ids.IMPORT_REMEMBERED),
            html.Div([], id=ids.IMPORT_PROBLEMS, role="status"),
            html.Div([], id=ids.IMPORT_FORM, className="import-form"),
            _sides(),
            _finish(),
            _document(),
        ],
        className="dataset page",
    )


def _sides() -> html.Div:
    return html.Div(
        [
            section("First rows before", html.Div([], id=ids.IMPORT_BEFORE)),
            section("First rows after", html.Div([], id=ids.IMPORT_AFTER, **{"aria-live": "polite"})),
        ],
        className="import-sides",
    )


def _finish() -> html.Div:
    name = html.Div(
        [
            html.Label("Name of the dataset", htmlFor=ids.IMPORT_NAME),
            dcc.Input(id=ids.IMPORT_NAME, type="text", className="text-field", autoComplete="off", maxLength=100),
        ],
        className="form-item",
    )
    return html.Div(
        [
            html.Div(
                [
                    name,
                    html.Button(
                        "Import", id=ids.IMPORT_START, type="button", className="button button-main", disabled=True
                    ),
                    html.Button("Discard the upload", id=ids.IMPORT_DISCARD, type="button", className="button"),
                ],
                className="import-actions",
            ),
            html.Div([], id=ids.IMPORT_STATE, role="status"),
        ]
    )


def _document() -> html.Section:
    buttons = [
        html.Button("Download", id=ids.IMPORT_SAVE, type="button", className="button"),
    ]
    paste = html.Details(
        [
            html.Summary("Use a document that you have"),
            html.Label("Mapping document (YAML or JSON)", htmlFor=ids.IMPORT_PASTE, className="form-label"),
            dcc.Textarea(id=ids.IMPORT_PASTE, className="paste-area", spellCheck=False),
            html.Button("Use this document", id=ids.IMPORT_PASTE_USE, type="button", className="button"),
            html.Div([], id=ids.IMPORT_PASTE_BANNER, role="alert"),
        ],
        className="fold",
    )
    shown = html.Details(
        [
            html.Summary("Show the document"),
            html.Pre(
                "",
                id=ids.IMPORT_YAML,
                className="document",
                tabIndex="0",
                role="region",
                **{"aria-label": "Mapping document"},
            ),
        ],
        className="fold",
    )
    words = html.P(
        [
            "The mapping is kept, and offered for the next file with these columns. ",
            html.Code("tft-dash import"),
            " reads it, too.",
        ]
    )
    return section("Mapping document", html.Div([words, shown, paste]), aside=html.Div(buttons))


def sample(shown: Sample) -> Any:  # noqa: ANN401 - a table or a sentence
    """First rows as a table."""
    if not shown.columns:
        return waiting()
    heads = [html.Th(html.Bdi(name), scope="col") for name in shown.columns]
    rows = [html.Tr([html.Td(DASH if text is None else html.Bdi(text)) for text in row]) for row in shown.rows]
    left = shown.total_columns - len(shown.columns)
    return html.Div(
        [
            html.Div(
                html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table sample"),
                className="table-box",
                role="group",
                tabIndex="0",
                **{"aria-label": "First rows"},
            ),
            html.P(f"and {left:,} more columns", className="quiet") if left > 0 else None,
        ]
    )


def waiting() -> html.P:
    """Stands where rows would be."""
    return html.P("They come when nothing is missing above.", className="quiet")


def progress(share: float) -> html.Div:
    """How far the import is."""
    bar = html.Progress(max="1", value=f"{share:.3f}", className="progress", **{"aria-label": "Import"})
    return html.Div([bar, html.Span(f"Importing: {share:.0%}")], className="scan")


def done(words: str, href: str) -> html.Div:
    """The import is done; where to go on."""
    return html.Div(
        [html.Span(words, className="scan-words"), html.A("Inspect it", href=href, className="button button-main")],
        className="scan",
    )


def after(preview: MappingPreview) -> list[Any]:
    """The rows after the mapping, what could not be read, and the contract's verdict on them."""
    parts: list[Any] = [sample(preview.after)]
    parts += [html.P(note, className="form-problem") for note in preview.notes]
    if preview.report:
        verdict = preview.report.split("\n", 1)[0]
        words = html.Summary(f"{verdict} ({preview.rows_checked:,} rows looked at)")
        report = html.Pre(preview.report, className="document", tabIndex="0", role="region", **{"aria-label": "Report"})
        parts.append(html.Details([words, report], className="fold"))
    return parts


def problems_banner(problems: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - a banner or nothing
    """What is wrong and belongs to no single field."""
    if not problems:
        return []
    return components.banner("The mapping is not complete", "\n".join(f"{path}: {words}" for path, words in problems))
