"""The frame around every page: header, navigation, theme button, main landmark."""

from __future__ import annotations

from collections.abc import Sequence

import dash
import dash_bootstrap_components as dbc
from dash import html

from tft_dash import components, ids


def layout(pages: Sequence[tuple[str, str]]) -> html.Div:
    """The app's outermost layout.

    :param pages: ``(name, path)`` of every page, in the order of the navigation.
    """
    home = pages[0][1] if pages else "/"
    links = [_link(name, path, home) for name, path in pages]
    header = html.Header(
        [
            html.A(
                [components.icon("mark"), "tft_dash"], href=home, className="wordmark", title="tft_dash: live monitor"
            ),
            html.Nav(links, className="nav-pages", **{"aria-label": "Pages"}),
            components.icon_button(
                ids.SHELL_THEME, "theme-auto", "Theme: system. Press for the next one.", "theme-light", "theme-dark"
            ),
        ],
        className="shell-header",
    )
    return html.Div(
        [
            html.A("Skip to the content", href=f"#{ids.MAIN}", className="skip-link"),
            header,
            html.Main(dash.page_container, id=ids.MAIN, className="shell-main", tabIndex="-1"),
        ],
        className="shell",
    )


def _link(name: str, path: str, home: str) -> dbc.NavLink:
    """One page's link, which a page below that one marks as current, too; every page is below the first."""
    return dbc.NavLink(name, href=path, active="exact" if path == home else "partial", class_name="nav-page")
