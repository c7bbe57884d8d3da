"""The cards of the library."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from support.scenarios import everything, parts

from tft_dash.pages.scenarios import Card, layout, picture, refused, shelf
from tft_dash.scenarios.document import parse_document
from tft_dash.scenarios.library import load_scenario, preset_names


def card(shelf_name: str = "own", **metadata: str) -> Card:
    document = everything()
    document["metadata"].update(metadata)
    return Card("a-key", shelf_name, 3, parse_document(document, "test"), "saved 1 Jan 2026 by Ann")


@pytest.mark.parametrize("name", preset_names())
def test_a_picture_is_a_drawing_of_lines_within_its_frame(name: str) -> None:
    drawing = ElementTree.fromstring(picture(load_scenario(name)))  # noqa: S314 - our own
    assert len(drawing) >= 2
    for path in drawing:
        numbers = path.attrib["d"].replace("M", " ").replace("L", " ").replace("Z", "").split()
        across, down = [float(each) for each in numbers[::2]], [float(each) for each in numbers[1::2]]
        assert min(across) >= 0
        assert max(across) <= 200
        assert min(down) >= 0
        assert max(down) <= 48


def test_a_picture_shows_faults_that_have_a_time_of_their_own() -> None:
    paths = ElementTree.fromstring(picture(card().scenario))  # noqa: S314 - our own
    assert len(paths) == 2 + 3


def test_what_a_card_shows_is_told_as_plain_text() -> None:
    title = "<script>alert(1)</script>"
    facts = shelf([card("archived", title=title)], "stamp")["cards"][0]
    assert facts["title"] == title
    assert (facts["key"], facts["shelf"], facts["version"]) == ("a-key", "archived", 3)
    assert (facts["name"], facts["owner"]) == ("everything", "Ops")
    assert facts["changed"] == "saved 1 Jan 2026 by Ann"
    assert "two" in facts["tags"]
    assert facts["picture"] == picture(card().scenario)


def test_addresses_stay_below_the_base_path() -> None:
    links = [each.href for each in parts(layout(shelf([card()], ""), "/fleet/")) if getattr(each, "href", None)]
    assert links
    assert all(link.startswith("/fleet/") for link in links)


def test_what_is_wrong_with_a_file_is_listed_with_its_paths() -> None:
    told = list(parts(refused([("a.yaml", (("spec.clock", "is missing."), ("kind", "is missing.")))])))
    assert [each.children for each in told if type(each).__name__ == "Code"] == ["spec.clock", "kind"]
