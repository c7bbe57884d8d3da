"""Whatever the ticks, the values and the gaps: a figure continued by patches is the figure drawn whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.frames import describe, frame_at
from support.patching import applied

from tft_dash.figures import FIGURES
from tft_dash.frame import Frame, History
from tft_dash.theme import LIGHT

share = st.one_of(st.floats(0, 1, width=32), st.just(float("nan")))


@st.composite
def recordings(draw: st.DrawFn) -> tuple[int, list[Frame]]:
    """A recording's length and three of its frames."""
    ticks = draw(st.sampled_from([1, 2, 60, 1999, 2000, 2001, 4500]))
    source = describe(draw(st.integers(1, 70)), ticks)
    series = draw(arrays(np.float32, (5, 16), elements=share))
    whole = np.resize(series, (5, ticks))
    return ticks, [
        at_tick(draw(arrays(np.float32, len(source.servers), elements=share)), whole, tick, source)
        for tick in draw(st.lists(st.integers(0, ticks - 1), min_size=3, max_size=3))
    ]


def at_tick(risk: np.ndarray, whole: np.ndarray, tick: int, source: object) -> Frame:
    return replace(frame_at(tick, source), risk=risk, history=History(*whole[:, : tick + 1]))


@settings(max_examples=60, deadline=None)
@given(recordings())
def test_a_figure_continued_by_patches_is_the_figure_drawn_whole(recording: tuple[int, list[Frame]]) -> None:
    _, frames = recording
    for module in FIGURES:
        figure = module.figure(frames[0], LIGHT)
        for earlier, later in pairwise(frames):
            change = module.patch(later, earlier.tick)
            assert change is not None
            figure = applied(figure, change)
        assert figure == module.figure(frames[-1], LIGHT)
