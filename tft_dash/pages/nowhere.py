"""What stands at an address that no page has."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html


def layout(pages: Sequence[tuple[str, str]]) -> html.Div:
    """The page.

    :param pages: ``(name, path)`` of the pages that there are.
    """
    return html.Div(
        [
            html.H1("There is no page at this address", className="page-title"),
            html.P("The link may be cut off or mistyped. These pages are there:"),
            html.Ul([html.Li(html.A(name, href=path)) for name, path in pages], className="nowhere-pages"),
        ],
        className="page nowhere",
    )
