"""What the builder says beside its form: outcomes, mistakes, a conflict, and its head's buttons."""

from __future__ import annotations

import json
from typing import Any

from support.scenarios import everything, marked, parts

from tft_dash.pages.builder import answers, layout
from tft_dash.pages.builder.curves import curve_shape
from tft_dash.pages.builder.faults import effect_shape, selector_shape
from tft_dash.pages.builder.fields import written

HOSTILE = "<script>alert(1)</script>"


def words_of(component: object) -> str:
    """All text in a component, in order."""
    found = []
    for each in parts(component):
        inner = getattr(each, "children", None)
        found += [text for text in (inner if isinstance(inner, list | tuple) else [inner]) if isinstance(text, str)]
    return " | ".join(found)


def test_an_outcome_is_told_by_icon_and_word_and_not_by_colour_alone() -> None:
    for ok, word, icon in (
        (True, "holds", "health-green"),
        (False, "broken", "health-red"),
        (None, "not judged", "unknown"),
    ):
        told = answers.verdict(ok)
        assert word in words_of(told)
        assert any(icon in str(getattr(each, "className", "")) for each in parts(told)), word


def test_outcomes_come_with_what_was_measured_and_how_many_are_broken() -> None:
    told = words_of(answers.outcomes([("p above 0.6", "measured 0.84", True), ("q below 0.1", "measured 0.5", False)]))
    assert "measured 0.84" in told
    assert "measured 0.5" in told
    assert "1 of 2 not broken" in told


def test_a_drill_without_expectations_says_where_to_add_one() -> None:
    assert "add expectations" in words_of(answers.outcomes([]))


def test_a_conflict_shows_both_sides_and_every_way_on() -> None:
    told = answers.conflict("Anna saved version 2.", [("metadata.title", "A", HOSTILE)], [])
    assert set(marked(told, "data-act")) == {"take-theirs", "save-copy", "save-over"}
    words = words_of(told)
    assert all(each in words for each in ("Anna saved version 2.", "metadata.title", HOSTILE, "Nothing."))
    assert "dangerously" not in json.dumps(told.to_plotly_json(), default=str)


def test_a_value_in_a_table_is_short_and_a_missing_one_is_a_dash() -> None:
    assert answers.shown(None) == "—"
    assert answers.shown({"to": 96}) == "to: 96"
    assert answers.shown(["a", "b"]) == "a, b"
    assert len(answers.shown("x" * 500)) <= answers.SHOWN_VALUE


def test_what_needs_a_sound_document_is_marked_and_what_does_not_is_not() -> None:
    page = layout({"key": None, "document": everything(), "base": "/"}, [("thresholds", "Thresholds")])
    acts: dict[str, Any] = marked(page, "data-act")
    waiting = {name for name, button in acts.items() if "data-needs-sound" in button.to_plotly_json()["props"]}
    assert waiting == {"run", "export-yaml", "export-json"}


def test_every_model_can_be_chosen() -> None:
    models = [("thresholds", "Adaptive thresholds"), ("scripted", "Scripted")]
    page = layout({"key": None, "document": everything(), "base": "/"}, models)
    chosen = next(each for each in parts(page) if getattr(each, "id", None) == "builder-model")
    assert [option["value"] for option in chosen.options] == ["thresholds", "scripted"]


CURVES: dict[str, Any] = {"none": None, "constant": 0.5, "line": {"start": 0, "end": 1}, "points": {"points": []}}
SELECTORS: dict[str, Any] = {
    "first-of-each": None,
    "names": {"names": []},
    "share": {"share": 1, "profile": "web"},
    "profile": {"profile": "web"},
}
WRITTEN: tuple[tuple[Any, str], ...] = (
    (None, ""), (True, "true"), (3.0, "3"), (0.25, "0.25"), (["a", 1], "a, 1"), ({"x": 1}, ""), (1e300, "1e+300")
)  # fmt: skip


def test_the_way_a_part_is_written_is_told_from_the_document() -> None:
    assert {kind: curve_shape(curve) for kind, curve in CURVES.items()} == {kind: kind for kind in CURVES}
    assert {kind: selector_shape(whom) for kind, whom in SELECTORS.items()} == {kind: kind for kind in SELECTORS}
    assert (effect_shape(3), effect_shape({"times": 2}), effect_shape({})) == ("add", "times", "to")


def test_a_value_stands_in_its_field_as_its_author_would_type_it() -> None:
    for value, text in WRITTEN:
        assert written(value) == text
