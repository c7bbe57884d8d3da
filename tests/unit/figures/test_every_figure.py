"""What holds for each Plotly figure: valid when full, empty or tiny, and continued by patches without a difference."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace

import orjson
import plotly.graph_objects as go
import pytest
from support.frames import describe, frame_at, silent, trace_of, with_risks
from support.patching import applied

from tft_dash.figures import FIGURES, FigureModule, kpi, server
from tft_dash.frame import Frame
from tft_dash.theme import DARK, LIGHT

SMALLEST_TEXT = 11
NAMED = replace(describe(3), servers=("<b>a</b>", "x" * 128, "ü %{z} $a$"), profiles=("web", "web", "<i>"))

FRAMES = {
    "full": frame_at(40),
    "nothing reported": silent(frame_at(40)),
    "first tick": frame_at(0),
    "one server, one tick": frame_at(0, describe(1, 1)),
    "one metric, no phases": frame_at(30, describe(4, metrics=("cpu_pct",), phases=())),
    "no metric that the rows show": frame_at(30, describe(4, metrics=("disk_io_mb_s",))),
    "1,000 servers": frame_at(40, describe(1000)),
    "more ticks than points": frame_at(4321, describe(3, 5631)),
    "live": frame_at(70, describe(3, None)),
    "strange names": frame_at(5, NAMED),
}
STEPS = {
    "next tick": (frame_at(20), frame_at(21)),
    "first to second": (frame_at(0), frame_at(1)),
    "same tick": (frame_at(20), frame_at(20)),
    "a leap": (frame_at(3), frame_at(58)),
    "back": (frame_at(58), frame_at(3)),
    "back to the start": (frame_at(58), frame_at(0)),
    "risks appear": (with_risks(frame_at(9), [math.nan] * 10), frame_at(10)),
    "risks vanish": (frame_at(9), with_risks(frame_at(10), [math.nan] * 10)),
    "within a bucket": (frame_at(3000, describe(3, 5631)), frame_at(3001, describe(3, 5631))),
    "into the next bucket": (frame_at(3001, describe(3, 5631)), frame_at(3002, describe(3, 5631))),
    "over many buckets": (frame_at(17, describe(3, 5631)), frame_at(5000, describe(3, 5631))),
    "live": (frame_at(70, describe(3, None)), frame_at(75, describe(3, None))),
    "large fleet": (frame_at(5, describe(1000)), frame_at(6, describe(1000))),
}

each_figure = pytest.mark.parametrize("module", FIGURES, ids=lambda module: module.name)


@each_figure
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_figure_is_valid_and_plain(module: FigureModule, frame: Frame) -> None:
    figure = module.figure(frame, LIGHT)
    go.Figure(figure)
    assert "NaN" not in json.dumps(figure)


@each_figure
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_patched_figure_is_the_later_figure(module: FigureModule, step: tuple[Frame, Frame]) -> None:
    earlier, later = step
    change = module.patch(later, earlier.tick)
    assert change is not None
    assert applied(module.figure(earlier, LIGHT), change) == module.figure(later, LIGHT)


@each_figure
def test_a_patch_serves_every_theme(module: FigureModule) -> None:
    change = module.patch(frame_at(21), 20)
    assert change is not None
    assert applied(module.figure(frame_at(20), DARK), change) == module.figure(frame_at(21), DARK)


@each_figure
def test_a_patch_touches_data_only(module: FigureModule) -> None:
    change = module.patch(frame_at(21), 20)
    assert change is not None
    assert {step["location"][0] for step in change.to_plotly_json()["operations"]} == {"data"}


@each_figure
def test_a_figure_is_the_same_every_time(module: FigureModule) -> None:
    assert module.figure(frame_at(40), LIGHT) == module.figure(frame_at(40), LIGHT)


@pytest.mark.parametrize("name", ["top", "heatmap"])
def test_a_servers_name_is_never_read_as_markup(name: str) -> None:
    module = next(each for each in FIGURES if each.name == name)
    drawn = json.dumps(module.figure(frame_at(5, NAMED), LIGHT))
    assert "&lt;b&gt;a&lt;/b&gt;" in drawn
    assert "<b>a</b>" not in drawn


@each_figure
def test_every_text_is_large_enough_to_read(module: FigureModule) -> None:
    sizes = font_sizes(module.figure(frame_at(40), LIGHT))
    assert min(sizes) >= SMALLEST_TEXT


def font_sizes(part: object) -> list[float]:
    if isinstance(part, list):
        return [size for each in part for size in font_sizes(each)]
    if not isinstance(part, dict):
        return []
    fonts = [each["size"] for name, each in part.items() if name.endswith("font") and "size" in each]
    return fonts + [size for each in part.values() for size in font_sizes(each)]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_servers_panel_is_valid_and_plain(frame: Frame) -> None:
    figure = server.figure(frame, trace_of(frame, 0), LIGHT)
    go.Figure(figure)
    assert "NaN" not in json.dumps(figure)


def test_a_patched_panel_is_the_later_panel() -> None:
    earlier, later = frame_at(100, describe(ticks=300)), frame_at(150, describe(ticks=300))
    change = server.patch(later, trace_of(later, 2))
    assert applied(server.figure(earlier, trace_of(earlier, 2), LIGHT), change) == server.figure(
        later, trace_of(later, 2), LIGHT
    )


def test_a_tick_of_a_thousand_servers_is_three_kilobytes_at_most() -> None:
    frame = frame_at(41, describe(1000))
    changes = [module.patch(frame, 40) for module in FIGURES]
    plain = [change.to_plotly_json() for change in changes if change is not None]
    body = orjson.dumps([[*target, value] for target, value in kpi.texts(frame).items()]) + orjson.dumps(plain)
    assert len(gzip.compress(body, 6)) <= 3000
