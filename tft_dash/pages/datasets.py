"""The list of datasets: everything that can be watched, what is known of it, and the way in for further files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from dash import Patch, dcc, html

from tft_dash import components, ids
from tft_dash.pages.wording import Verdict, day, mark, size_words, span, whole

FORMATS: Final = ".csv,.parquet,.tsv,.txt,.pq"


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One line of the list; what is not known yet is None.

    :param kind: what it is and where it comes from, in words.
    :param changed: seconds since 1970.
    :param why: the verdict's reason, shown on hover and read out.
    :param removable: whether it is an upload or a generated recording.
    """

    name: str
    kind: str
    servers: int | None
    rows: int | None
    span_seconds: float | None
    step_seconds: float | None
    bytes: int | None
    changed: float | None
    verdict: Verdict
    why: str = ""
    removable: bool = False


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """An upload that waits for somebody: its columns are not mapped, or it was refused.

    :param state: ``received``, ``needs-mapping``, ``working`` or ``refused``.
    """

    id: str
    filename: str
    words: str
    state: str


COLUMNS: Final = (
    ("name", "Name"),
    ("kind", "Kind"),
    ("servers", "Servers"),
    ("rows", "Rows"),
    ("span_seconds", "Span"),
    ("step_seconds", "Step"),
    ("bytes", "Size"),
    ("changed", "Last change (UTC)"),
    ("verdict", "Verdict"),
)
"""``(key, title)`` in page order; every one can be sorted by."""
NUMBERS: Final = ("servers", "rows", "span_seconds", "step_seconds", "bytes", "changed")
_DIGITS: Final = re.compile(r"(\d{1,18})")
_WORST: Final = ("bad", "warning", "working", "unknown", "good")


def layout(upload_mb: int) -> html.Div:
    """The page before its first answer.

    :param upload_mb: the largest file that may be uploaded, said beforehand and checked before sending.
    """
    return html.Div(
        [
            dcc.Store(id=ids.DATASETS_REQUEST),
            dcc.Store(id=ids.DATASETS_ANSWER),
            html.Div(
                [
                    html.H1("Datasets", className="page-title"),
                    html.P("Recordings and drills that can be watched. A click on a name opens its inspection."),
                ],
                className="page-head",
            ),
            _upload(upload_mb),
            html.Div([], id=ids.DATASETS_PENDING),
            _search(),
            html.Div([], id=ids.DATASETS_BANNER, role="alert"),
            html.Div(
                html.P("Loading the list.", className="quiet"),
                id=ids.DATASETS_TABLE,
                className="table-box",
                role="group",
                tabIndex="0",
                **{"aria-label": "Datasets"},
            ),
            _remove_dialog(),
        ],
        className="datasets page",
    )


def _upload(upload_mb: int) -> html.Section:
    words = f"CSV or Parquet, up to {upload_mb:,} MB. Foreign column names and units are mapped in the next step."
    button = html.Button("Choose a file", id=ids.DATASETS_CHOOSE, type="button", className="button button-main")
    return html.Section(
        [
            html.Div(
                [
                    components.icon("upload"),
                    html.Div([html.Strong("Drop a file here to add a dataset"), html.P(words)], className="drop-words"),
                    button,
                ],
                id=ids.DATASETS_DROP,
                className="drop",
                **{"data-limit-mb": str(upload_mb), "data-formats": FORMATS},
            ),
            # The script fills this one; Dash never writes to it.
            html.Ul([], id=ids.DATASETS_UPLOADS, className="uploads", **{"aria-live": "polite"}),
        ],
        **{"aria-label": "Upload"},
    )


def _search() -> html.Div:
    # Dash hears of it late, for that costs time in a long list; the script reads each letter.
    field = dcc.Input(
        id=ids.DATASETS_SEARCH, type="search", placeholder="Search", className="text-field", autoComplete="off",
        debounce=True,
    )  # fmt: skip
    label = html.Label("Search the datasets", htmlFor=ids.DATASETS_SEARCH, className="visually-hidden")
    return html.Div([label, field], className="search-row")


def _remove_dialog() -> html.Dialog:
    return html.Dialog(
        [
            html.H2("Remove this dataset?", className="dialog-title"),
            html.P("", id=ids.DATASETS_REMOVE_WORDS),
            html.Div(
                [
                    html.Button("Keep it", id=ids.DATASETS_REMOVE_NO, type="button", className="button"),
                    html.Button("Remove", id=ids.DATASETS_REMOVE_YES, type="button", className="button button-danger"),
                ],
                className="dialog-buttons",
            ),
        ],
        id=ids.DATASETS_REMOVE,
        className="dialog",
        **{"aria-label": "Remove this dataset"},
    )


def sorted_rows(rows: Sequence[DatasetRow], key: object, *, descending: bool) -> list[DatasetRow]:
    """The rows in order of one column; what is not known comes last, whichever way the others run."""
    if key not in dict(COLUMNS):
        return list(rows)
    name = str(key)
    known = [row for row in rows if getattr(row, name) is not None]
    unknown = [row for row in rows if getattr(row, name) is None]
    return sorted(known, key=lambda row: _order(row, name), reverse=descending) + unknown


def _order(row: DatasetRow, name: str) -> Any:  # noqa: ANN401 - numbers or texts, never mixed within a column
    value = getattr(row, name)
    if isinstance(value, Verdict):
        return _WORST.index(value.kind)
    return _natural(value) if isinstance(value, str) else value


def _natural(text: str) -> list[tuple[int, str]]:
    """``team-9`` before ``team-10``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(text.casefold())]


def matching(rows: Sequence[DatasetRow], words: object) -> list[DatasetRow]:
    """The rows in which every word of the search stands."""
    wanted = words.casefold().split() if isinstance(words, str) else []
    return [row for row in rows if all(word in _text(row) for word in wanted)]


def _text(row: DatasetRow) -> str:
    return f"{row.name} {row.kind} {row.verdict.words}".casefold()


def table(rows: Sequence[DatasetRow], base: str, *, key: str = "", descending: bool = False, total: int = 0) -> Any:  # noqa: ANN401
    """The list as a table.

    :param base: the path under which the app is served, with a slash at its end.
    :param key: the column that it is sorted by.
    :param total: how many there are when nothing is searched for.
    """
    if not rows:
        words = "There is no dataset yet. Drop a file above." if not total else "No dataset matches the search."
        return html.P(words, className="quiet")
    heads = [_head(name, title, key, descending=descending) for name, title in COLUMNS]
    heads.append(html.Th(html.Span("Actions", className="visually-hidden"), scope="col"))
    return html.Table(
        [html.Thead(html.Tr(heads)), html.Tbody([_row(row, base) for row in rows])], className="table datasets-list"
    )


def changed_rows(rows: Mapping[int, DatasetRow], base: str) -> Patch:
    """The table that is there with other rows at some places, counted from 0."""
    patch = Patch()
    for place, row in rows.items():
        patch["props"]["children"][1]["props"]["children"][place] = _row(row, base)
    return patch


def _head(name: str, title: str, key: str, *, descending: bool) -> html.Th:
    order = ("descending" if descending else "ascending") if name == key else "none"
    button = html.Button(
        [title, components.icon("sort")], type="button", className="sort-button", **{"data-sort": name}
    )
    right = "cell-number" if name in NUMBERS else None
    return html.Th(button, scope="col", className=right, **{"aria-sort": order})


def _row(row: DatasetRow, base: str) -> html.Tr:
    name = html.Th(
        html.A(html.Bdi(row.name), href=f"{base}datasets/{quote(row.name, safe='')}"),
        scope="row",
        className="cell-name",
    )
    cells: list[Any] = [
        html.Td(row.kind, **{"data-label": "Kind"}),
        *(
            html.Td(text, className="cell-number", **{"data-label": title})
            for (_, title), text in zip(COLUMNS[2:8], _numbers(row), strict=True)
        ),
        html.Td(
            [mark(row.verdict), html.Span(row.why, className="why") if row.why else None], className="cell-verdict"
        ),
        html.Td(_actions(row, base), className="cell-actions"),
    ]
    return html.Tr([name, *cells])


def _numbers(row: DatasetRow) -> tuple[str, ...]:
    return (
        whole(row.servers),
        whole(row.rows),
        span(row.span_seconds),
        span(row.step_seconds),
        size_words(row.bytes),
        day(row.changed),
    )


def _actions(row: DatasetRow, base: str) -> list[Any]:
    watch = html.A(
        [components.icon("play"), html.Span(f"Watch {row.name}", className="visually-hidden")],
        href=f"{base}?source={quote(row.name, safe='')}",
        className="icon-button",
        title="Watch in the live monitor",
    )
    if not row.removable:
        return [watch]
    remove = html.Button(
        components.icon("bin"),
        type="button",
        className="icon-button",
        title="Remove",
        **{"data-remove": row.name, "aria-label": f"Remove {row.name}"},
    )
    return [watch, remove]


def pending(uploads: Sequence[PendingUpload], base: str) -> Any:  # noqa: ANN401
    """Uploads that wait for somebody; nothing when there is none."""
    if not uploads:
        return []
    items = [_pending(upload, base) for upload in uploads]
    return html.Section(
        [html.H2("Waiting to be imported", className="section-title"), html.Ul(items, className="uploads")],
        className="section",
    )


def _pending(upload: PendingUpload, base: str) -> html.Li:
    href = f"{base}datasets/import/{quote(upload.id, safe='')}"
    whose = html.Span(f" of {upload.filename}", className="visually-hidden")
    go: Any = None
    if upload.state in ("needs-mapping", "working"):
        words = "Map its columns" if upload.state == "needs-mapping" else "See how far it is"
        go = html.A([words, whose], href=href, className="button")
    elif upload.state == "received":
        go = html.Button("Look at it", type="button", className="button", **{"data-admit": upload.id})
    discard = html.Button(
        "Discard",
        type="button",
        className="button",
        **{"data-discard": upload.id, "aria-label": f"Discard {upload.filename}"},
    )
    words = html.Span([html.Strong(html.Bdi(upload.filename)), f" {upload.words}"], className="upload-words")
    return html.Li([words, go, discard], className=f"upload upload-{upload.state}")
