"""Two recordings on one clock, and what the compare page draws of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.frames import CARD, describe, frame_at, silent

from tft_dash.comparing import INSTANTS_LIMIT, OVER, Comparison, Side, compare, greatest
from tft_dash.figures.compare import difference, lines, side, words
from tft_dash.figures.compare.elapsed import POINTS, axis_of, furthest, highest
from tft_dash.pages.compare import phase_rows
from tft_dash.schema import Phase
from tft_dash.theme import DARK, LIGHT

STEPS = (0.1, 1.0, 5.0, 7.0, 15.0, 60.0, 300.0)


def side_of(values: object, step: float = 5.0, *, digest: str = "0") -> Side:
    """A side whose probability within 30 minutes is ``values``, and within 8 hours halfway between that and 1."""
    prob = np.array(values, np.float32)
    about = describe(ticks=len(prob), step_seconds=step, digest=digest)
    return Side(about, CARD, prob, (prob + 1) / 2)


def note_of(a: Side, b: Side) -> str:
    return words.note(compare(a, b), a.source, b.source)


def probabilities(count: int, seed: int, missing: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.random(count).astype(np.float32)
    values[rng.random(count) < missing] = np.nan
    return values


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Recordings of every step, length and share of holes."""
    count, seed = draw(st.integers(1, 60)), draw(st.integers(0, 2**32 - 1))
    return side_of(probabilities(count, seed, draw(st.sampled_from([0.0, 0.3, 1.0]))), draw(st.sampled_from(STEPS)))


quick = settings(max_examples=80, deadline=None, derandomize=True)


@quick
@given(sides())
def test_a_side_against_itself_differs_by_exactly_zero(one: Side) -> None:
    found = compare(one, one)
    assert found.instants == one.ticks
    for values, gap in ((one.prob_30m, found.difference_30m), (one.prob_8h, found.difference_8h)):
        assert np.array_equal(np.isnan(gap), np.isnan(values))
        assert np.all(gap[~np.isnan(gap)] == 0)


@quick
@given(sides(), sides())
def test_swapped_sides_differ_by_exactly_the_opposite(a: Side, b: Side) -> None:
    one, other = compare(a, b), compare(b, a)
    assert np.array_equal(one.difference_30m, -other.difference_30m, equal_nan=True)
    assert np.array_equal(one.difference_8h, -other.difference_8h, equal_nan=True)
    assert np.array_equal(one.ticks_a, other.ticks_b)


@quick
@given(sides(), sides())
def test_each_side_shows_its_own_tick_at_every_instant(a: Side, b: Side) -> None:
    found = compare(a, b)
    assert found.step_seconds == min(a.source.step_seconds, b.source.step_seconds)
    for one, ticks, shown in ((a, found.ticks_a, found.prob_30m[0]), (b, found.ticks_b, found.prob_30m[1])):
        for instant, second in enumerate(found.seconds):
            due = round(second * 1000) // round(one.source.step_seconds * 1000)
            expected = due if due < one.ticks else OVER
            assert ticks[instant] == expected
            value = np.nan if expected == OVER else one.prob_30m[expected]
            assert np.array_equal(shown[instant], value, equal_nan=True)


def test_a_coarser_side_holds_its_tick_until_the_next_is_due() -> None:
    found = compare(side_of([0.1] * 6, 5.0), side_of([0.2, 0.4], 15.0))
    assert found.ticks_b.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.difference_30m == pytest.approx([0.1] * 3 + [0.3] * 3, abs=1e-6)


def test_a_side_that_has_ended_is_over_and_has_no_difference() -> None:
    found = compare(side_of([0.1, 0.2]), side_of([0.5, 0.5, 0.5]))
    assert found.ticks_a.tolist() == [0, 1, OVER]
    assert np.isnan(found.difference_30m[2])
    assert np.isnan(found.prob_30m[0][2])
    assert found.prob_30m[1][2] == 0.5


def test_steps_of_a_tenth_of_a_second_meet_those_of_a_second() -> None:
    found = compare(side_of(np.arange(1000) / 1000, 0.1), side_of(np.arange(100) / 100, 1.0))
    assert found.ticks_b.tolist() == [tick // 10 for tick in range(1000)]


def test_a_second_beside_a_year_keeps_within_the_limit_of_instants() -> None:
    found = compare(side_of([0.5] * 10, 1.0), side_of([0.5] * 400, 86400.0))
    assert 0.9 * INSTANTS_LIMIT < found.instants <= INSTANTS_LIMIT
    assert found.ticks_b[-1] == 399
    assert found.step_seconds == int(found.step_seconds)


def test_the_greatest_difference_is_the_first_of_the_largest_either_way() -> None:
    peak = greatest(np.array([np.nan, 0.1, -0.4, 0.4, np.nan], np.float32))
    assert peak is not None
    assert (peak.instant, peak.difference) == (2, pytest.approx(-0.4))
    assert greatest(np.full(3, np.nan, np.float32)) is None
    assert greatest(np.array([], np.float32)) is None


def test_buckets_keep_every_peak_and_the_sign_of_a_difference() -> None:
    values = np.array([0.1, 0.9, np.nan, np.nan, -0.8, 0.3], np.float32)
    assert np.array_equal(highest(values, 2), np.array([0.9, np.nan, 0.3], np.float32), equal_nan=True)
    assert np.array_equal(furthest(values, 2), np.array([0.9, np.nan, -0.8], np.float32), equal_nan=True)
    assert np.array_equal(furthest(values, 4), np.array([0.9, -0.8], np.float32), equal_nan=True)


def pictures(comparison: Comparison, instant: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Both figures with what they show at an instant, as the page puts them together."""
    return [
        (module.figure(comparison, horizon, LIGHT), module.marks(comparison, horizon, instant))
        for module in (lines, difference)
        for horizon in ("30m", "8h")
    ]


def drawn(figure: Mapping[str, Any], marks: Mapping[str, Any]) -> dict[str, Any]:
    """The figure that the browser draws."""
    traces = []
    for place, trace in enumerate(figure["data"]):
        if place in marks["open"]:
            traces.append({**trace, "y": [*trace["y"][: marks["opened"]], marks["open"][place]]})
        else:
            traces.append({**trace, **marks["parts"][place]})
    layout = {**figure["layout"], "yaxis": {**figure["layout"]["yaxis"], **marks["axis"]}}
    return {"data": traces, "layout": layout}


@pytest.mark.parametrize("count", [1, 2, 60, 5000])
@pytest.mark.parametrize("missing", [0.0, 1.0])
def test_plotly_accepts_the_figures_at_the_first_and_at_the_last_instant(count: int, missing: float) -> None:
    comparison = compare(side_of(probabilities(count, 1, missing)), side_of(probabilities(count // 2 + 1, 2, missing)))
    for instant in (0, comparison.instants - 1):
        for figure, marks in pictures(comparison, instant):
            go.Figure(drawn(figure, marks))
            assert all(len(trace.get("y", [])) <= POINTS for trace in figure["data"])


def test_figures_have_the_colours_of_their_theme() -> None:
    comparison = compare(side_of([0.1, 0.2]), side_of([0.3, 0.4]))
    for module in (lines, difference):
        light, dark = (str(module.figure(comparison, "30m", theme)) for theme in (LIGHT, DARK))
        assert light != dark


@pytest.mark.parametrize("count", [60, 5000, 5001])
def test_a_point_that_is_still_open_holds_nothing_of_the_time_after_the_cursor(count: int) -> None:
    values = np.linspace(0, 1, count).astype(np.float32)
    other = np.linspace(1, 0, count).astype(np.float32)
    comparison = compare(side_of(values), side_of(other))
    for instant in (0, 1, 2, count // 2, count // 2 + 1, count - 1):
        shown = drawn(lines.figure(comparison, "30m", LIGHT), lines.marks(comparison, "30m", instant))
        assert shown["data"][0]["y"][-1] == pytest.approx(values[instant], abs=1e-4)
        assert len(shown["data"][0]["y"]) == instant // axis_of(comparison).bucket + 1
        gap = drawn(difference.figure(comparison, "30m", LIGHT), difference.marks(comparison, "30m", instant))
        assert max(abs(value) for value in gap["data"][0]["y"]) <= 100.01
        assert gap["data"][2]["y"][0] == pytest.approx(100 * (other[instant] - values[instant]), abs=0.01)


def test_at_the_end_the_page_shows_the_whole_lines() -> None:
    comparison = compare(side_of(probabilities(5000, 1, 0.1)), side_of(probabilities(4000, 2, 0.1)))
    for figure, marks in pictures(comparison, comparison.instants - 1):
        shown = drawn(figure, marks)
        for place in marks["open"]:
            assert shown["data"][place]["y"] == figure["data"][place]["y"]


def test_the_names_at_the_ends_of_equal_lines_do_not_cover_each_other() -> None:
    comparison = compare(side_of([0.5, 1.0, 0.0]), side_of([0.5, 1.0, 0.0]))
    for instant in range(3):
        first, second = lines.marks(comparison, "30m", instant)["parts"][4]["y"]
        assert first - second == pytest.approx(0.1)
        assert 0 <= second <= first <= 1


def test_the_difference_axis_holds_what_was_seen_and_is_symmetric() -> None:
    comparison = compare(side_of([0.0, 0.0, 0.0, 0.0]), side_of([0.001, 0.05, 1.0, 0.0]))
    limits = [difference.marks(comparison, "30m", instant)["axis"]["range"] for instant in range(4)]
    assert [limit[1] for limit in limits] == [2, 10, 110, 110]
    assert all(low == -high for low, high in limits)


def text_of(component: Any) -> str:
    """All words in a component."""
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(text_of, component)))
    children = getattr(component, "children", component)
    return text_of(children) if children is not component else "" if component is None else str(component)


def test_equal_sides_are_called_the_same_in_words() -> None:
    one = side_of([0.1, 0.2, np.nan, 0.3])
    comparison = compare(one, one)
    assert "A and B are the same at every instant so far: the difference is exactly zero." in text_of(
        words.summary(comparison, "30m", 1)
    )
    told = text_of(words.summary(comparison, "30m", 3))
    assert "the same at every instant: the difference is exactly zero" in told
    assert "Greatest so far 0 points" in told


def test_a_difference_that_rounds_to_nothing_is_not_called_zero() -> None:
    told = text_of(words.summary(compare(side_of([0.5]), side_of([0.5001])), "30m", 0))
    assert "+<0.1 points" in told
    assert "exactly zero" not in told
    assert words.signed(0.0) == "0"
    assert words.signed(-0.125) == "−12.5"


def test_the_summary_says_nothing_of_the_future() -> None:
    comparison = compare(side_of([0.1] * 4), side_of([0.1, 0.2, 0.9, 0.1]))
    assert "+10.0 points at 0:05" in text_of(words.summary(comparison, "30m", 1))
    assert "+80.0 points at 0:10" in text_of(words.summary(comparison, "30m", 3))
    assert "above A at 50% of the instants, the same at 50%" in text_of(words.summary(comparison, "30m", 3))


def test_the_summary_says_why_there_is_no_difference() -> None:
    ended = compare(side_of([0.1]), side_of([0.1, 0.2]))
    assert "none, A is over" in text_of(words.summary(ended, "30m", 1))
    nothing = compare(side_of([np.nan]), side_of([0.1]))
    told = text_of(words.summary(nothing, "30m", 0))
    assert "none, not enough data" in told
    assert "nothing to compare yet" in told


def test_many_instants_are_said_to_share_a_point() -> None:
    assert "Each point is the highest of 3 instants" in note_of(side_of([0.1] * 5000), side_of([0.1] * 9))
    assert "Each point" not in note_of(side_of([0.1] * 50), side_of([0.1] * 9))


def test_different_lengths_and_steps_are_explained() -> None:
    told = note_of(side_of([0.1] * 60, 5.0), side_of([0.1] * 24, 300.0))
    assert "A tick of B stands for 5 min, so B holds each tick until its next one." in told
    assert "A lasts 5 min, B 2 h: where one is over there is no difference." in told
    alike = note_of(side_of([0.1] * 60), side_of([0.2] * 60))
    assert "holds" not in alike
    assert "lasts" not in alike


def test_a_side_that_is_waited_for_says_for_what() -> None:
    told = text_of(side.waiting("The recording 'x' is being made"))
    assert "Preparing" in told
    assert "The recording 'x' is being made." in told


def test_a_side_names_its_five_servers_at_highest_risk_with_words() -> None:
    frame = frame_at(30)
    told = text_of(side.body(frame, "/?tick=30"))
    for server in frame.ranking[:5]:
        assert frame.source.servers[server] in told
    assert frame.source.servers[frame.ranking[5]] not in told
    assert frame.health.word in told
    assert "peak" in told


def test_a_silent_side_shows_dashes_and_says_so() -> None:
    told = text_of(side.body(silent(frame_at(30)), "/"))
    assert "No server has a risk at this tick." in told
    assert "UNKNOWN" in told


def test_a_model_that_reads_the_script_says_so_in_the_head() -> None:
    card = type(CARD)(**{**CARD.as_dict(), "uses_labels": True})
    told = text_of(side.head(describe(notices=("Two rows share a tick.",)), card))
    for part in ("reads the script", "uncalibrated", "simulated data", "Two rows share a tick."):
        assert part in told


def test_a_phase_too_short_for_a_button_has_none_in_sight() -> None:
    rows = phase_rows([("A", [Phase("long", 0, 97), Phase("short", 98, 98)]), ("B", [])], 100)
    assert len(rows) == 1
    _, first, second = rows[0].children
    assert (first.hidden, second.hidden) == (False, True)
    assert getattr(second, "data-instant") == "98"
