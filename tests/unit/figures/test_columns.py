"""The tiny drawings of a column: nothing where nothing is, a gap where a value is missing, no text of the file's."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import numpy as np

from tft_dash.figures import columns


def svg(address: str | None) -> ET.Element:
    assert address is not None
    head, _, text = address.partition(",")
    assert head == "data:image/svg+xml"
    assert '"' not in address
    return ET.fromstring(unquote(text))  # noqa: S314 - of our own making


def test_nothing_is_drawn_of_nothing() -> None:
    assert columns.histogram(np.zeros(0)) is None
    assert columns.histogram(np.zeros(5)) is None
    assert columns.sparkline(np.zeros(0)) is None
    assert columns.sparkline(np.array([np.nan, np.nan])) is None


def test_a_bin_that_holds_anything_is_seen_beside_a_full_one() -> None:
    path = svg(columns.histogram(np.array([1, 0, 1_000_000])))[0].attrib["d"]
    heights = [float(height) for height in re.findall(r"v-([\d.]+)", path)]
    assert heights == [1.5, columns.HEIGHT]


def test_a_gap_breaks_the_line() -> None:
    path = svg(columns.sparkline(np.array([1.0, 2.0, np.nan, 3.0])))[0].attrib["d"]
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_what_never_moves_is_a_line_in_the_middle() -> None:
    path = svg(columns.sparkline(np.array([5.0, 5.0])))[0].attrib["d"]
    assert set(re.findall(r"[ML][\d.]+ ([\d.]+)", path)) == {f"{columns.HEIGHT / 2:.1f}"}


def test_infinite_values_are_gaps() -> None:
    svg(columns.sparkline(np.array([1.0, np.inf, 2.0])))
