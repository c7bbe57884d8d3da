"""The small parts: words beside every icon, phases where the scrubber has them, texts that people read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.frames import CARD, describe, frame_at, silent, with_risks

from tft_dash import components, ids
from tft_dash.pages import monitor, shell
from tft_dash.schema import Phase

ROOT = Path(__file__).parents[2]
STYLES = "".join(path.read_text() for path in sorted((ROOT / "assets").glob("[1-9]*.css")))
SCRIPT = (ROOT / "assets" / "monitor.js").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "tft_dash").rglob("*.py"))


def words(component: Any) -> str:
    """All text in a component, in reading order."""
    if isinstance(component, str):
        return component
    if isinstance(component, list | tuple):
        return " ".join(filter(None, map(words, component)))
    return words(getattr(component, "children", None) or "")


@pytest.mark.parametrize("kind", components.STATUS_WORDS)
def test_every_status_has_a_word_and_an_icon_of_its_own(kind: str) -> None:
    pill = components.status_pill(kind)
    assert words(pill) == components.STATUS_WORDS[kind]
    assert pill.className == f"status-pill status-{kind}"
    drawings = dict(re.findall(r'((?:\.status-[\w-]+|\.icon-[\w-]+)[^{}]*)\{\s*--icon: (url\("[^"]*"\))', STYLES))
    own = [drawing for selectors, drawing in drawings.items() if re.search(rf"\.status-{kind}\b", selectors)]
    assert len(own) == 1


def test_the_script_and_the_page_use_the_same_status_words() -> None:
    table = re.search(r"const WORDS = \{(.*?)\};", SCRIPT, re.DOTALL)
    assert table is not None
    found = {key.strip('"'): word for key, word in re.findall(r'("?[\w-]+"?): "([^"]+)"', table[1])}
    assert found == components.STATUS_WORDS


def test_every_drawing_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r"\.icon-([\w-]+)", STYLES))
    used = set(re.findall(r'icon\("([\w-]+)"\)', SOURCES)) | {
        "play",
        "pause",
        "theme-auto",
        "theme-light",
        "theme-dark",
    }
    used |= set(re.findall(r'icon_button\([^,]+, "([\w-]+)"', SOURCES))
    used |= {f"health-{band}" for band in ("green", "yellow", "red", "unknown")}
    assert used <= drawn


def test_phases_lie_where_the_scrubber_has_them() -> None:
    first, last = components.phase_segments((Phase("calm", 0, 24), Phase("storm", 25, 99)), 100)
    assert (first.style["left"], last.style["left"]) == ("0.0000%", "25.2525%")
    assert last.style["width"] == "74.7475%"
    assert (getattr(last, "data-tick"), getattr(last, "data-last")) == ("25", "99")
    assert last.title == getattr(last, "aria-label") == "Jump to storm (2)"


def test_a_phase_beyond_the_digit_keys_names_none() -> None:
    phases = tuple(Phase(f"p{place}", place, place) for place in range(8))
    assert components.phase_segments(phases, 8)[7].title == "Jump to p7"


def test_a_recording_of_one_tick_has_its_phase() -> None:
    (only,) = components.phase_segments((Phase("calm", 0, 0),), 1)
    assert only.style == {"left": "0.0000%", "width": "100.0000%"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (95, "1:35"), (3599, "59:59"), (3600, "1:00:00"), (100_000, "27:46:40"), (200_000, "2 d 7 h")],
)
def test_durations_read_like_a_clock(seconds: float, text: str) -> None:
    assert components.duration(seconds) == text


def test_elapsed_and_total_are_written_alike() -> None:
    assert components.elapsed(frame_at(1, describe(1, 5000, step_seconds=60.0))) == "0 d 0 h of 3 d 11 h"
    assert components.elapsed(frame_at(1, describe(1, 60, step_seconds=300.0))) == "0:05:00 of 4:55:00"


@pytest.mark.parametrize(("seconds", "text"), [(60, "60 s"), (720, "12 min"), (10_800, "3 h"), (259_200, "3 d")])
def test_spans_are_in_one_unit(seconds: float, text: str) -> None:
    assert components.span_words(seconds) == text


def test_the_clock_shows_the_ticks_time_and_zone() -> None:
    assert words(components.clock(frame_at(19))) == "1:35 of 4:55 2024-01-01 00:01:35 UTC"


def test_the_model_note_names_the_model_and_its_weaknesses() -> None:
    assert words(components.model_note(CARD)) == "Thresholds v1 uncalibrated"
    scripted = replace(CARD, title="Scripted", uses_labels=True, calibrated=True)
    assert words(components.model_note(scripted)) == "Scripted v1 reads the script"


def test_notices_are_folded_and_counted() -> None:
    assert components.notices(()) == []
    assert words(components.notices(("one",))) == "1 data note one"
    assert words(components.notices(("one", "two"))) == "2 data notes one two"


def test_a_banner_says_what_and_what_to_do() -> None:
    said = components.banner("It failed.", "The file is short.\n\nExport it again.")
    assert words(said) == "It failed. The file is short. Export it again."


def test_the_summary_names_run_time_probabilities_and_top_three() -> None:
    frame = with_risks(frame_at(59, describe(5)), [0.1, 0.9, 0.3, 0.8, 0.2])
    text = words(components.summary(frame))
    assert "4:55" in text
    assert f"{frame.prob_30m:.0%}" in text
    assert f"{frame.prob_8h:.0%}" in text
    assert re.findall(r"web-\d+ \d+% \w+", text) == ["web-002 90% severe", "web-004 80% severe", "web-003 30% elevated"]


def test_a_summary_of_nothing_has_dashes() -> None:
    assert words(components.summary(silent(frame_at(59)))).count("—") == 2


def identified(component: Any) -> list[str]:
    own = [component.id] if getattr(component, "id", None) else []
    return own + [each.id for each in component._traverse() if getattr(each, "id", None)]


def test_the_page_has_every_id_exactly_once() -> None:
    page, frame = monitor.layout(("one", "two"), ("thresholds",)), shell.layout([("Live monitor", "/")])
    own = ("MAIN", "SHELL_", "MONITOR_", "KPI_")
    wanted = {value for name, value in vars(ids).items() if name.startswith(own) and isinstance(value, str)}
    found = identified(page) + [each for each in identified(frame) if each in wanted]
    assert sorted(found) == sorted(wanted)


def test_the_first_source_and_model_are_preselected() -> None:
    page = monitor.layout(("one", "two"), ("thresholds", "scripted"), {"source": "one"})
    assert (page[ids.MONITOR_SOURCE].value, page[ids.MONITOR_MODEL].value) == ("one", "thresholds")
    assert page[ids.MONITOR_CATALOGUE].data == {"source": "one"}


def test_a_page_without_sources_can_be_built() -> None:
    assert monitor.layout((), ())[ids.MONITOR_SOURCE].value is None


@pytest.mark.parametrize("button", [name for name in dir(ids) if name.startswith("MONITOR_")])
def test_every_button_without_words_has_a_label_and_a_title(button: str) -> None:
    page = monitor.layout(("one",), ("thresholds",))
    component = page[getattr(ids, button)] if getattr(ids, button) in identified(page) else None
    if type(component).__name__ == "Button":
        assert getattr(component, "aria-label")
        assert component.title


def test_the_navigation_lists_the_pages() -> None:
    frame = shell.layout([("Live monitor", "/"), ("Alerts", "/alerts")])
    links = [each for each in frame._traverse() if type(each).__name__ == "NavLink"]
    assert [(link.children, link.href) for link in links] == [("Live monitor", "/"), ("Alerts", "/alerts")]


def test_what_may_be_out_of_date_is_said_without_unfolding_anything() -> None:
    folded = components.notices(["a note"], aged=["Not looked at since 03:10."]).to_plotly_json()["props"]
    words = str(folded["children"][0])
    assert components.AGED in words
    assert "data note" not in words
    assert str(folded["children"][1]).index("Not looked at") < str(folded["children"][1]).index("a note")
    assert components.AGED not in str(components.notices(["a note"]))
