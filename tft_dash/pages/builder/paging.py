"""Long lists of the form, a page at a time: a browser draws a few hundred fields at once, not thousands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from dash import html

from tft_dash.pages.builder.fields import action

PAGE: Final = 20


def shown(listed: Sequence[Any], page: int) -> list[tuple[int, Any]]:
    """The entries of one page, each with its number in the whole list."""
    first = min(max(page, 0), _last(len(listed))) * PAGE
    return list(enumerate(listed))[first : first + PAGE]


def pager(path: str, count: int, page: int) -> Any:  # noqa: ANN401 - a Dash component or nothing
    """Buttons to the earlier and later entries; nothing where all fit on one page."""
    if count <= PAGE:
        return None
    last = _last(count)
    page = min(max(page, 0), last)
    words = f"{page * PAGE + 1} to {min((page + 1) * PAGE, count)} of {count}"
    return html.Div(
        [
            action("page", path, "Earlier", drawing="left", page=str(page - 1)) if page else None,
            html.Span(words),
            action("page", path, "Later", drawing="right", page=str(page + 1)) if page < last else None,
        ],
        className="pager",
    )


def _last(count: int) -> int:
    return max(math.ceil(count / PAGE) - 1, 0)
