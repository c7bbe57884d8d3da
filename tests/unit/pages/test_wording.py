"""How the pages write counts, sizes, shares and measured values."""

from __future__ import annotations

import math

import pytest

from tft_dash.pages import wording


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0%"), (1.0, "100%"), (0.0004, "<0.1%"), (0.9999, ">99.9%"), (0.125, "12.5%"), (0.5, "50%")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(value: float, words: str) -> None:
    assert wording.share(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "—"), (math.nan, "—"), (0.0, "0"), (42.0, "42"), (0.12345, "0.1235"), (1234.56, "1,234.6"),
     (2.5e9, "2.5e+09"), (0.00001, "1e-05")],
)  # fmt: skip
def test_a_measured_value_has_few_digits(value: float | None, words: str) -> None:
    assert wording.number(value) == words


def test_sizes_counts_and_moments() -> None:
    assert [wording.size_words(size) for size in (None, 12, 20_580, 5_000_000)] == [
        "—",
        "12 bytes",
        "20.6 kB",
        "5.0 MB",
    ]
    assert wording.plural(1, "error") == "1 error"
    assert wording.plural(1200, "error") == "1,200 errors"
    assert wording.day(0) == "1970-01-01 00:00"
    assert wording.day(None) == "—"


def test_a_state_is_an_icon_and_a_word() -> None:
    mark = wording.mark(wording.Verdict("bad", "2 errors"))
    icon, words = mark.children
    assert "icon-health-red" in icon.className
    assert words.children == "2 errors"
