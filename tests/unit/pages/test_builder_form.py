"""The builder's form: a field for everything in a document, whatever mistakes it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dash import html
from support.scenarios import everything, marked, parts

from tft_dash.errors import DocumentError
from tft_dash.pages.builder import form, frame, layout
from tft_dash.pages.builder.paging import PAGE
from tft_dash.scenarios.document import as_mapping, parse_document
from tft_dash.scenarios.library import load_scenario, preset_names


def whole(document: dict[str, Any], pages: dict[str, int] | None = None) -> html.Div:
    """Every part of the form, in the page's frame."""
    return html.Div([*frame(), *form(document, pages).values()])


FIXED = ("apiVersion", "kind")
SHAPED = (".check", ".first_of_each")
"""What a choice of how a part is written says, instead of a field of its own."""


def leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def shown_at(component: object) -> dict[str, Any]:
    """What stands in each field, by its path."""
    controls = (each for each in parts(component) if isinstance(getattr(each, "id", None), dict))
    return {each.id["path"]: each.value for each in controls}


DOCUMENTS = {name: as_mapping(load_scenario(name)) for name in preset_names()} | {"everything": everything()}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_everything_in_a_document_has_its_field(document: dict[str, Any]) -> None:
    fields = set(marked(whole(document), "data-path"))
    wanted = [path for path, _ in leaves(document) if path not in FIXED and not path.endswith(SHAPED)]
    assert [path for path in wanted if path not in fields] == []


def test_a_field_says_what_the_document_says() -> None:
    shown = shown_at(whole(everything()))
    assert shown["metadata.tags"] == "one, two"
    assert shown["spec.clock.duration"] == "20m"
    assert shown["spec.phases[0].intensity"] == "0.1"
    assert shown["spec.phases[1].intensity#curve"] == "line"
    assert shown["spec.faults[1].strength.cpu_pct#effect"] == "add"
    assert shown["spec.faults[1].strength.cpu_pct"] == "10"
    assert shown["spec.faults[2].whom#selector"] == "share"
    assert shown["spec.faults[0]#span"] == "phases"
    assert shown["spec.expect[1]#top"] == "fault"
    assert shown["spec.seed"] == str(2**62)


def test_every_field_has_a_label_of_its_own_words() -> None:
    for place in marked(whole(everything()), "data-path").values():
        label = next(each for each in parts(place) if type(each).__name__ == "Label")
        words = [each for each in parts(label) if type(each).__name__ == "Span"]
        assert words
        assert any(isinstance(each.children, list | str) and each.children for each in words)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"spec": 5, "metadata": []},
        {"spec": {"fleet": {"profiles": [1, None, {}]}, "phases": [3, {"intensity": {"points": [None, 4]}}]}},
        {"spec": {"faults": ["x", {"whom": 3, "strength": [], "intensity": []}], "expect": [{"check": []}, 7]}},
        {"spec": {"phases": "no", "faults": {"a": 1}, "clock": [], "fleet": {"profiles": {}}}},
    ],
)
def test_a_document_with_any_mistakes_still_has_a_form(document: dict[str, Any]) -> None:
    assert set(marked(whole(document), "data-group")) == {"story", "fleet", "timeline", "faults", "clock"}


def test_every_mistake_finds_a_place_at_its_field_or_above() -> None:
    document = everything()
    spec = document["spec"]
    spec["clock"]["tick"] = "never"
    spec["phases"][1]["from"] = "6m"
    spec["faults"][1]["whom"]["profile"] = "nobody"
    spec["faults"][0]["unknown"] = 1
    spec["expect"][3].pop("above")
    spec["fleet"]["profiles"][1]["name"] = "web"
    document["metadata"]["colour"] = "red"
    with pytest.raises(DocumentError) as found:
        parse_document(document, "test")
    places = set(marked(whole(document), "data-problem"))
    for path, _ in found.value.problems:
        assert any(path.startswith(place) for place in places), path
    exact = {"spec.clock.tick", "spec.phases[1].from", "spec.faults[1].whom.profile", "spec.expect[3]"}
    assert exact <= places & {path for path, _ in found.value.problems}


def test_a_long_list_is_shown_a_page_at_a_time() -> None:
    document = everything()
    fault = document["spec"]["faults"][0]
    document["spec"]["faults"] = [{**fault, "id": f"fault-{number}"} for number in range(3 * PAGE)]
    first, second = whole(document), whole(document, {"spec.faults": 1})
    assert f"spec.faults[{PAGE - 1}].id" in marked(first, "data-path")
    assert f"spec.faults[{PAGE}].id" not in marked(first, "data-path")
    assert f"spec.faults[{PAGE}].id" in marked(second, "data-path")
    beyond = whole(document, {"spec.faults": 99})
    assert f"spec.faults[{3 * PAGE - 1}].id" in marked(beyond, "data-path")


def test_a_word_that_no_list_offers_is_offered_where_the_document_has_it() -> None:
    document = everything()
    document["spec"]["faults"][0]["what"] = "gremlins"
    wanted = {"type": "builder-field", "path": "spec.faults[0].what"}
    control = next(each for each in parts(whole(document)) if getattr(each, "id", None) == wanted)
    assert control.value == "gremlins"
    assert "gremlins" in [option["value"] for option in control.options]


def test_the_page_holds_what_its_script_starts_from() -> None:
    page = layout({"key": None, "document": everything(), "base": "/"}, [("thresholds", "Thresholds")])
    start = next(each for each in parts(page) if getattr(each, "id", None) == "builder-start")
    assert start.data["document"] == everything()
