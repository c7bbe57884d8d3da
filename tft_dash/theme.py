"""Every colour of the page, for figures and style sheets alike, in a light and a dark theme.

Text keeps a contrast of at least 4.5:1 on what it stands on, marks at least 3:1 (WCAG 2.2, 1.4.3 and 1.4.11). A colour
never carries a state alone: a word, a symbol or a dash pattern stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

FONT: Final = "Inter Variable, Inter, system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
SMALL: Final = 11
"""Smallest text inside a figure, px."""
BODY: Final = 12
"""Usual text inside a figure, px."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme. Colours are ``#rrggbb``.

    :param page: what everything lies on.
    :param surface: cards, bars, panels.
    :param sunken: wells within a surface: tracks, fields, hover.
    :param muted: text of second rank.
    :param band_text: band name → colour of its word and icon.
    :param band_fill: band name → colour of its bar or mark.
    :param band_tint: band name → background behind its word.
    :param heat: colours of risk 0–10 %, 10–20 %, … 90–100 %; three greens, four yellows, three reds.
    :param heat_text: what is written on any of the heat colours and on ``missing``.
    :param missing: a cell without a risk.
    """

    name: str
    page: str
    surface: str
    sunken: str
    border: str
    grid: str
    control: str
    text: str
    muted: str
    accent: str
    on_accent: str
    prob_30m: str
    prob_8h: str
    series: str
    warning_line: str
    critical_line: str
    missing: str
    heat_text: str
    heat: tuple[str, ...]
    band_text: Mapping[str, str]
    band_fill: Mapping[str, str]
    band_tint: Mapping[str, str]


LIGHT: Final = Theme(
    name="light",
    page="#f5f6f8",
    surface="#ffffff",
    sunken="#eef0f3",
    border="#e1e5ea",
    grid="#edf0f3",
    control="#7a8799",
    text="#16202c",
    muted="#566273",
    accent="#2a5bd7",
    on_accent="#ffffff",
    prob_30m="#c62f26",
    prob_8h="#2563c9",
    series="#35506f",
    warning_line="#a06a00",
    critical_line="#c62f26",
    missing="#dde1e7",
    heat_text="#16202c",
    heat=(
        "#d9f1e3",
        "#c2e7d2",
        "#a8dbbf",
        "#fdeeb5",
        "#fbe48d",
        "#f8d964",
        "#f3cb3c",
        "#f6b3aa",
        "#f09388",
        "#e97367",
    ),
    band_text={"green": "#15724a", "yellow": "#805500", "orange": "#a8470a", "red": "#b3261e", "unknown": "#566273"},
    band_fill={"green": "#2c9766", "yellow": "#c08a00", "orange": "#de6a1f", "red": "#d13b30", "unknown": "#7f8b9a"},
    band_tint={"green": "#e3f5eb", "yellow": "#fdf3d0", "orange": "#fdebdd", "red": "#fce6e4", "unknown": "#eef0f3"},
)

DARK: Final = Theme(
    name="dark",
    page="#0e1319",
    surface="#161d26",
    sunken="#1f2832",
    border="#2a3541",
    grid="#212b36",
    control="#6b7a8c",
    text="#e8edf3",
    muted="#a0adbc",
    accent="#7ea6ff",
    on_accent="#0e1319",
    prob_30m="#ff7f75",
    prob_8h="#78aeff",
    series="#a9c3e2",
    warning_line="#e0b040",
    critical_line="#ff7f75",
    missing="#313c49",
    heat_text="#f4f7fa",
    heat=(
        "#16382b",
        "#1a4735",
        "#1f573f",
        "#5a4a14",
        "#6a5613",
        "#796112",
        "#866a10",
        "#8f322b",
        "#a93a32",
        "#c0423a",
    ),
    band_text={"green": "#56c596", "yellow": "#e6bd4a", "orange": "#ff9f5f", "red": "#ff8a80", "unknown": "#a0adbc"},
    band_fill={"green": "#37a775", "yellow": "#d8a926", "orange": "#ee8038", "red": "#e5544a", "unknown": "#76859a"},
    band_tint={"green": "#16332a", "yellow": "#3a3117", "orange": "#40291a", "red": "#422323", "unknown": "#1f2832"},
)

THEMES: Final[Mapping[str, Theme]] = {"light": LIGHT, "dark": DARK}

_STYLED: Final = (
    "page",
    "surface",
    "sunken",
    "border",
    "control",
    "text",
    "muted",
    "accent",
    "on_accent",
    "prob_30m",
    "prob_8h",
    "heat_text",
    "missing",
)


def theme_of(name: object) -> Theme:
    """The theme called ``name``; the light one for anything else, as the page has before its script has run."""
    return THEMES.get(name, LIGHT) if isinstance(name, str) else LIGHT


def stylesheet() -> str:
    """The colours as CSS variables: the whole text of ``assets/10-theme.css``."""
    head = "/* Written from tft_dash/theme.py: run `python -m tft_dash.theme > assets/10-theme.css`. */\n"
    return head + "".join(_rule(theme) for theme in THEMES.values())


def _rule(theme: Theme) -> str:
    plain = {field.name: getattr(theme, field.name) for field in fields(theme) if field.name in _STYLED}
    bands = {
        f"{kind}_{band}": colour
        for kind, colours in (("text", theme.band_text), ("fill", theme.band_fill), ("tint", theme.band_tint))
        for band, colour in colours.items()
    }
    steps = {f"heat_{place}": colour for place, colour in enumerate(theme.heat)}
    lines = [f"  --{name.replace('_', '-')}: {value};" for name, value in {**plain, **bands, **steps}.items()]
    return "\n".join([f'[data-bs-theme="{theme.name}"] {{', f"  color-scheme: {theme.name};", *lines, "}\n"])


if __name__ == "__main__":
    import sys

    sys.stdout.write(stylesheet())
