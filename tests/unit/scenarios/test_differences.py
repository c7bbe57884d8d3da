"""What has changed between two documents."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tft_dash.scenarios.differences import Difference, differences
from tft_dash.scenarios.document import as_mapping
from tft_dash.scenarios.library import load_scenario, preset_names

Document = dict[str, Any]


@pytest.fixture
def cascade() -> Document:
    return as_mapping(load_scenario("cascade"))


@pytest.mark.parametrize("name", preset_names())
def test_a_document_does_not_differ_from_itself(name: str) -> None:
    document = as_mapping(load_scenario(name))
    assert differences(document, copy.deepcopy(document)) == ()


def test_one_changed_field_is_one_difference_with_both_values(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    other["spec"]["seed"] = 7
    assert differences(cascade, other) == (Difference("spec.seed", 42, 7),)


def test_what_is_not_there_on_one_side_is_none(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    other["metadata"]["owner"] = "Ada"
    assert differences(cascade, other) == (Difference("metadata.owner", None, "Ada"),)
    assert differences(other, cascade) == (Difference("metadata.owner", "Ada", None),)


def test_a_fault_put_in_front_moves_no_other(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    fault = {"id": "new", "what": "cpu", "whom": {"first_of_each": True}}
    other["spec"]["faults"].insert(0, fault)
    assert differences(cascade, other) == (Difference("spec.faults[new]", None, fault),)
    assert differences(other, cascade) == (Difference("spec.faults[new]", fault, None),)


def test_a_change_within_a_phase_is_told_by_the_phases_name(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    phase = other["spec"]["phases"][1]
    phase["to"] = "1m31s"
    found = differences(cascade, other)
    assert [difference.path for difference in found] == [f"spec.phases[{phase['name']}].to"]
    assert found[0].after == "1m31s"


def test_named_entries_in_another_order_are_one_difference(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    other["spec"]["faults"].reverse()
    names = [fault["id"] for fault in cascade["spec"]["faults"]]
    assert differences(cascade, other) == (Difference("spec.faults", names, names[::-1]),)


def test_an_expectation_put_in_front_is_one_difference(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    check = {"check": "health", "never_worse_than": "GREEN"}
    other["spec"]["expect"].insert(0, check)
    assert differences(cascade, other) == (Difference("spec.expect[0]", None, check),)
    assert differences(other, cascade) == (Difference("spec.expect[0]", check, None),)


def test_a_changed_expectation_differs_in_its_field_alone(cascade: Document) -> None:
    other = copy.deepcopy(cascade)
    other["spec"]["expect"].append({"check": "prob_30m", "above": 0.5})
    third = copy.deepcopy(other)
    third["spec"]["expect"][-1]["above"] = 0.6
    place = len(third["spec"]["expect"]) - 1
    assert differences(other, third) == (Difference(f"spec.expect[{place}].above", 0.5, 0.6),)


def test_lists_of_plain_words_differ_as_a_whole() -> None:
    assert differences({"tags": ["a"]}, {"tags": ["a", "b"]}) == (Difference("tags", ["a"], ["a", "b"]),)
    assert differences({"tags": ["a"]}, {}) == (Difference("tags", ["a"], None),)


def test_true_is_not_one_but_one_point_zero_is() -> None:
    assert differences({"a": 1, "b": [1]}, {"a": 1.0, "b": [1.0]}) == ()
    assert differences({"a": 1}, {"a": True}) == (Difference("a", 1, True),)
    assert len(differences({"a": [1]}, {"a": [True]})) == 1


def test_entries_that_share_a_name_are_told_by_their_places() -> None:
    twins = [{"name": "a", "value": 1}, {"name": "a", "value": 2}]
    other = [{"name": "a", "value": 1}, {"name": "a", "value": 3}]
    assert differences({"x": twins}, {"x": other}) == (Difference("x[1].value", 2, 3),)


def test_any_two_presets_differ_and_the_other_way_round_alike() -> None:
    documents = [as_mapping(load_scenario(name)) for name in preset_names()]
    for one in documents:
        for other in documents:
            there, back = differences(one, other), differences(other, one)
            assert bool(there) is (one is not other)
            assert len(there) == len(back)
