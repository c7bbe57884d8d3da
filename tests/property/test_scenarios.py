from __future__ import annotations

import copy
import string
from itertools import pairwise
from typing import Any

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tft_dash.errors import DocumentError, TftDashError
from tft_dash.scenarios.document import document_digest, parse_document, to_yaml
from tft_dash.scenarios.fleet import resized
from tft_dash.scenarios.format.fields import format_duration, parse_duration
from tft_dash.scenarios.format.parts import Fleet, Profile
from tft_dash.scenarios.generate import drill_blocks, simulate
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.scenarios.profiles import USUAL_EFFECTS
from tft_dash.schema import METRIC_NAMES, METRICS, NO_STATE, OFFLINE, derive_states

Document = dict[str, Any]

SHARES = st.floats(0, 1, width=16)
SLUGS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
PROFILES = st.sampled_from(["web", "api", "database", "cache", "generic", "queue"])
CURVES = st.one_of(
    SHARES,
    st.fixed_dictionaries({"start": SHARES}, optional={"end": SHARES}),
    st.lists(SHARES, min_size=1, max_size=4).map(
        lambda values: {"points": [{"at": place / len(values), "value": value} for place, value in enumerate(values)]}
    ),
)
WHOM: list[Document] = [{"first_of_each": True}, {"share": 0.5}]
EFFECTS = st.one_of(
    st.floats(-200, 5000),
    st.fixed_dictionaries({"times": st.floats(0, 50)}),
    st.fixed_dictionaries({"to": SHARES}),
)


@st.composite
def faults(draw: st.DrawFn, profiles: list[str], duration: int) -> Document:
    what = draw(st.sampled_from(sorted(USUAL_EFFECTS)))
    fault: Document = {
        "what": what,
        "whom": draw(st.sampled_from([*WHOM, {"profile": profiles[0]}, {"profile": profiles[-1], "first": 1}])),
        "lag": draw(st.integers(0, duration - 1)),
        "jitter": draw(SHARES),
    }
    if what not in ("crash", "gaps") and draw(st.booleans()):
        fault["strength"] = draw(st.dictionaries(st.sampled_from(METRIC_NAMES), EFFECTS, min_size=1, max_size=3))
    if draw(st.booleans()):
        begin = draw(st.integers(0, duration - 1))
        fault |= {"from": begin, "to": draw(st.integers(begin + 1, duration)), "intensity": draw(CURVES)}
    return fault


@st.composite
def documents(draw: st.DrawFn) -> Document:
    names = draw(st.lists(PROFILES, min_size=1, max_size=3, unique=True))
    profiles = [{"name": name, "count": draw(st.integers(1, 3)), "noise": draw(st.floats(0, 3))} for name in names]
    duration = draw(st.integers(10, 120))
    bounds = sorted({0, duration, *draw(st.lists(st.integers(1, duration - 1), max_size=3))})
    phases = [
        {"name": f"phase {number}", "from": begin, "to": end, "intensity": draw(CURVES)}
        for number, (begin, end) in enumerate(pairwise(bounds))
    ]
    struck = draw(st.lists(faults(names, duration), max_size=3))
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": draw(SLUGS), "title": draw(st.sampled_from(["", "A drill", "<b>"]))},
        "spec": {
            "seed": draw(st.integers(0, 2**63 - 1)),
            "clock": {"duration": duration, "tick": draw(st.sampled_from([1, 2.5, "5s", "0.5s"]))},
            "fleet": {"profiles": profiles},
            "phases": phases,
            "faults": [{"id": f"fault-{number}", **fault} for number, fault in enumerate(struck)],
        },
    }


@settings(max_examples=60, deadline=None)
@given(documents())
def test_any_valid_document_makes_values_in_range_with_states_that_follow_from_them(document: Document) -> None:
    drill = simulate(parse_document(document, "test"))
    silent = (drill.states == OFFLINE) | (drill.states == NO_STATE)
    for metric in METRICS:
        values = drill.window.metrics[metric.name]
        assert values.shape == (drill.ticks, len(drill.window.servers))
        assert np.array_equal(np.isnan(values), silent)
        assert (values[~silent] >= metric.low).all()
        assert (values[~silent] <= metric.high).all()
        scaled = values[~silent].astype(np.float64) * 10**metric.decimals
        assert np.allclose(scaled, np.rint(scaled), rtol=1e-6, atol=0.01)
    assert np.array_equal(drill.states[~silent], derive_states(drill.window.metrics)[~silent])
    assert len(drill.phases) == drill.ticks
    assert not silent[:, ~np.isin(drill.window.servers, drill.affected)].any()


@settings(max_examples=40, deadline=None)
@given(documents(), st.integers(1, 400))
def test_the_same_document_makes_the_same_drill_however_it_is_cut(document: Document, rows: int) -> None:
    spec = parse_document(document, "test").spec
    whole, parts = next(drill_blocks(spec)), list(drill_blocks(parse_document(document, "again").spec, rows=rows))
    assert np.array_equal(np.concatenate([part.scaled for part in parts], axis=1), whole.scaled)
    assert np.array_equal(np.concatenate([part.states for part in parts]), whole.states)


@settings(max_examples=40, deadline=None)
@given(documents(), st.integers(1, 3))
def test_adding_a_server_changes_no_other(document: Document, more: int) -> None:
    for fault in document["spec"]["faults"]:
        fault["whom"] = {"first_of_each": True}
    larger = copy.deepcopy(document)
    larger["spec"]["fleet"]["profiles"][0]["count"] += more
    small, large = simulate(parse_document(document, "test")), simulate(parse_document(larger, "test"))
    same = [large.window.servers.index(server) for server in small.window.servers]
    for name in METRIC_NAMES:
        assert np.array_equal(small.window.metrics[name], large.window.metrics[name][:, same], equal_nan=True), name
    assert np.array_equal(small.states, large.states[:, same])


@settings(max_examples=60, deadline=None)
@given(documents())
def test_a_document_survives_being_written_and_read(document: Document) -> None:
    scenario = parse_document(document, "test")
    again = parse_document(to_yaml(scenario), "again")
    assert again == scenario
    assert document_digest(again) == document_digest(scenario)
    assert to_yaml(again) == to_yaml(scenario)


MISTAKES: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "metadata.name": (("metadata", "name"), "Not a name"),
    "metadata.colour": (("metadata", "colour"), "red"),
    "spec.seed": (("spec", "seed"), "abc"),
    "spec.clock.duration": (("spec", "clock", "duration"), "soon"),
    "spec.clock.playback_speed": (("spec", "clock", "playback_speed"), float("nan")),
    "spec.fleet.profiles[0].baselines.cpu_pct": (("spec", "fleet", "profiles", 0, "baselines"), {"cpu_pct": 140}),
    "spec.phases[0].from": (("spec", "phases", 0, "from"), 0.5),
    "spec.faults[0].what": (("spec", "faults", 0, "what"), "boom"),
    "spec.faults[0].whom.profile": (("spec", "faults", 0, "whom"), {"profile": "nobody"}),
    "spec.expect[0].phase": (("spec", "expect"), [{"check": "top", "phase": "never"}]),
}


@settings(max_examples=60, deadline=None)
@given(documents(), st.lists(st.sampled_from(sorted(MISTAKES)), min_size=3, max_size=5, unique=True))
def test_every_mistake_is_reported_at_its_path_and_no_other(document: Document, paths: list[str]) -> None:
    document["spec"]["faults"] = [{"id": "it", "what": "cpu", "whom": {"first_of_each": True}}]
    for path in paths:
        steps, value = MISTAKES[path]
        here: Any = document
        for step in steps[:-1]:
            here = here[step]
        here[steps[-1]] = value
    try:
        parse_document(document, "test")
    except DocumentError as error:
        assert sorted(path for path, _ in error.problems) == sorted(paths)
    else:
        raise AssertionError("the mistakes were not noticed")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(preset_names()), st.randoms(use_true_random=False), ANYTHING)
def test_any_damage_to_a_document_is_either_harmless_or_a_document_error(name: str, chance: Any, damage: Any) -> None:
    document = yaml.safe_load(to_yaml(load_scenario(name)))
    here: Any = document
    while True:
        key = chance.choice(list(here) if isinstance(here, dict) else range(len(here)))
        if not isinstance(here[key], dict | list) or not here[key] or chance.random() < 0.2:
            here[key] = damage
            break
        here = here[key]
    try:
        assert parse_document(to_yaml(parse_document(document, "test")), "again")
    except DocumentError as error:
        assert error.problems
        assert len(str(error)) < 20_000


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused_as_a_document(text: str) -> None:
    for candidate in (text, "apiVersion: tft-dash/v1\n" + text, "{" + text):
        try:
            parse_document(candidate, "test")
        except DocumentError as error:
            assert error.problems


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10 * 365 * 86_400_000))
def test_durations_survive_being_written_and_read(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any), st.integers(1, 500))
def test_a_resized_fleet_has_its_size_its_mix_and_one_of_each(counts: list[int], size: int) -> None:
    profiles = tuple(Profile(name=f"p{place}", count=count) for place, count in enumerate(counts))
    found = [profile.count for profile in resized(Fleet(profiles=profiles), size).profiles]
    assert sum(found) == size
    present = [place for place, count in enumerate(counts) if count]
    assert all(found[place] == 0 for place in range(len(counts)) if place not in present)
    if size >= len(present):
        assert all(found[place] >= 1 for place in present)
        for place in present:
            assert found[place] <= max(1, counts[place] * size / sum(counts) + 1)
    if size == sum(counts):
        assert found == counts


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(preset_names()),
    st.fixed_dictionaries(
        {},
        optional={
            "duration_seconds": st.floats(),
            "tick_seconds": st.floats(),
            "fleet_size": st.integers(),
            "seed": st.integers(),
        },
    ),
)
def test_any_overrides_give_a_sound_scenario_or_an_error_of_ours(name: str, changes: dict[str, Any]) -> None:
    try:
        scenario = load_scenario(name).with_overrides(**changes)
    except TftDashError:
        return
    assert parse_document(to_yaml(scenario), "again") == scenario
    assert scenario.spec.clock.ticks >= 1
