"""Both themes: readable text, visible marks, one source for figures and style sheets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tft_dash.schema import HEALTH_BANDS, RISK_BANDS, UNKNOWN_BAND
from tft_dash.theme import DARK, LIGHT, THEMES, Theme, stylesheet, theme_of

ASSETS = Path(__file__).parents[2] / "assets"
TEXT, MARK = 4.5, 3.0

each_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@each_theme
@pytest.mark.parametrize("ground", ["page", "surface", "sunken"])
@pytest.mark.parametrize("text", ["text", "muted", "accent", "prob_30m", "prob_8h"])
def test_text_can_be_read_on_every_ground(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= TEXT


@each_theme
def test_text_on_cards_and_buttons_can_be_read(theme: Theme) -> None:
    assert contrast(theme.warning_line, theme.surface) >= TEXT
    assert contrast(theme.critical_line, theme.surface) >= TEXT
    assert contrast(theme.on_accent, theme.accent) >= TEXT
    assert contrast(theme.surface, theme.text) >= TEXT


@each_theme
def test_a_bands_word_can_be_read_and_its_mark_seen(theme: Theme) -> None:
    for band in theme.band_text:
        assert contrast(theme.band_text[band], theme.surface) >= TEXT
        assert contrast(theme.band_text[band], theme.band_tint[band]) >= TEXT
        assert contrast(theme.text, theme.band_tint[band]) >= TEXT
        assert contrast(theme.band_fill[band], theme.surface) >= MARK


@each_theme
def test_what_is_written_on_cells_can_be_read(theme: Theme) -> None:
    for colour in (*theme.heat, theme.missing):
        assert contrast(theme.heat_text, colour) >= TEXT


@each_theme
def test_lines_and_controls_can_be_seen(theme: Theme) -> None:
    for name in ("series", "prob_30m", "prob_8h", "control", "accent"):
        assert contrast(getattr(theme, name), theme.surface) >= MARK


@each_theme
def test_every_band_has_its_colours(theme: Theme) -> None:
    names = {band.name for band in (*HEALTH_BANDS, *RISK_BANDS, UNKNOWN_BAND)}
    assert set(theme.band_text) == set(theme.band_fill) == set(theme.band_tint) == names
    assert len(set(theme.heat)) == 10


@pytest.mark.parametrize(
    ("name", "theme"), [("dark", DARK), ("light", LIGHT), ("mauve", LIGHT), (None, LIGHT), (3, LIGHT)]
)
def test_an_unknown_theme_is_the_light_one(name: object, theme: Theme) -> None:
    assert theme_of(name) is theme


def test_the_shipped_style_sheet_has_the_themes_colours() -> None:
    assert (ASSETS / "10-theme.css").read_text() == stylesheet()


def test_no_other_style_sheet_names_a_colour_or_an_unknown_variable() -> None:
    known = set(re.findall(r"(--[\w-]+):", stylesheet()))
    for sheet in sheets():
        text = re.sub(r'url\("data:[^"]*"\)', "", sheet.read_text())
        own = set(re.findall(r"(--[\w-]+):", text)) | {"--done", "--drawing", "--icon", "--picture"}
        assert not re.findall(r"#[0-9a-f]{3,8}\b(?![^{]*\{)", text), sheet.name
        assert set(re.findall(r"var\((--[\w-]+)", text)) - known - own - shared_variables() == set(), sheet.name


def test_nothing_is_loaded_from_elsewhere() -> None:
    for sheet in (*sheets(), ASSETS / "00-bootstrap.min.css"):
        for address in re.findall(r'url\(["\']?([^)]*?)["\']?\)', sheet.read_text()):
            assert address.startswith("data:") or (ASSETS / address).is_file(), (sheet.name, address)


def test_bootstrap_comes_first_and_keeps_its_licence() -> None:
    served = sorted(path.name for path in ASSETS.glob("*.css"))
    assert served[0] == "00-bootstrap.min.css"
    assert "Licensed under MIT" in (ASSETS / served[0]).read_text()[:400]
    assert "SIL Open Font License" in (ASSETS / "fonts" / "inter-OFL.txt").read_text()


def sheets() -> list[Path]:
    return [path for path in sorted(ASSETS.glob("*.css")) if path.name[:2] not in ("00", "10")]


def shared_variables() -> set[str]:
    return {name for sheet in sheets() for name in re.findall(r"(--[\w-]+):", sheet.read_text())}
