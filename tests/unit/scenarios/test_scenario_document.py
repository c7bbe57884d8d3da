from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tft_dash.errors import DocumentError, SettingError
from tft_dash.scenarios.document import document_digest, json_schema, parse_document, to_yaml
from tft_dash.scenarios.format.fields import MetricName, format_duration
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import METRIC_NAMES


def problems(document: Any) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse_document(document, "test.yaml")
    return dict(caught.value.problems)


def test_a_document_reads_the_same_as_a_mapping_as_yaml_and_as_json(document: dict[str, Any]) -> None:
    scenario = parse_document(document, "mapping")
    assert parse_document(yaml.safe_dump(document), "yaml") == scenario
    assert parse_document(json.dumps(document), "json") == scenario
    assert parse_document("\n  " + json.dumps(document, indent=4), "json") == scenario


def test_a_document_survives_being_written_and_read(document: dict[str, Any]) -> None:
    document["metadata"]["title"] = "<b>Größe & \"Maß\"</b>: 'x' #1"
    document["spec"]["phases"][1]["intensity"] = {"points": [{"at": 0, "value": 0.1}, {"at": 1, "value": 0.9}]}
    document["spec"]["faults"][0]["strength"] = {"cpu_pct": 5, "latency_ms": {"times": 2.5}}
    scenario = parse_document(document, "x")
    again = parse_document(to_yaml(scenario), "y")
    assert again == scenario
    assert document_digest(again) == document_digest(scenario)
    assert again.title == "<b>Größe & \"Maß\"</b>: 'x' #1"


def test_the_digest_tells_documents_apart_that_say_something_else(document: dict[str, Any]) -> None:
    before = document_digest(parse_document(document, "x"))
    document["spec"]["seed"] = 8
    assert document_digest(parse_document(document, "x")) != before


def test_the_digest_is_the_same_for_two_ways_to_write_the_same(document: dict[str, Any]) -> None:
    before = document_digest(parse_document(document, "x"))
    document["spec"]["clock"] = {"duration": "1m40s", "tick": 5, "playback_speed": 1}
    document["spec"]["phases"][1]["intensity"] = {"start": 1.0}
    assert document_digest(parse_document(document, "x")) == before


def test_three_mistakes_are_all_listed_with_their_paths_in_the_order_of_the_document(document: dict[str, Any]) -> None:
    document["metadata"]["name"] = "Not A Name"
    document["spec"]["clock"]["duration"] = "soon"
    document["spec"]["faults"].append({"id": "cold", "what": "cpu", "whom": {"profile": "wbe"}})
    with pytest.raises(DocumentError) as caught:
        parse_document(document, "drills/mine.yaml")
    assert [path for path, _ in caught.value.problems] == [
        "metadata.name",
        "spec.clock.duration",
        "spec.faults[1].whom.profile",
    ]
    text = str(caught.value)
    assert text.startswith("drills/mine.yaml: 3 mistakes")
    assert "Did you mean 'web'?" in text


def test_mistakes_stand_in_the_order_in_which_their_author_wrote_the_fields(document: dict[str, Any]) -> None:
    spec = document["spec"]
    spec["faults"] = [{"id": f"f{place}", "what": "cpu", "whom": {"profile": "web"}} for place in range(12)]
    for place in (11, 2):
        spec["faults"][place]["what"] = "boom"
    spec["clock"]["tick"] = "often"
    document["spec"] = {name: spec[name] for name in ("faults", "seed", "fleet", "phases", "clock")}
    document["metadata"]["name"] = "No"
    reordered = {name: document[name] for name in ("spec", "apiVersion", "kind", "metadata")}
    assert list(problems(reordered)) == [
        "spec.faults[2].what",
        "spec.faults[11].what",
        "spec.clock.tick",
        "metadata.name",
    ]


def test_a_list_whose_only_entry_is_wrong_is_not_called_empty_too(document: dict[str, Any]) -> None:
    document["spec"]["fleet"]["profiles"] = [{"name": "web", "count": "many"}]
    assert list(problems(document)) == ["spec.fleet.profiles[0].count"]


def test_a_document_that_would_make_too_many_rows_says_how_many_and_what_to_do(document: dict[str, Any]) -> None:
    document["spec"] |= {"phases": None, "clock": {"duration": "3000d", "tick": "10s"}}
    assert problems(document) == {
        "spec.clock.duration": "makes 25,920,000 ticks of 3 servers, 77,760,000 rows; at most 50,000,000 are made. "
        "Take a shorter duration, a longer tick or fewer servers."
    }


def test_a_mistake_in_one_part_hides_none_in_the_same_part(document: dict[str, Any]) -> None:
    fault = document["spec"]["faults"][0]
    fault["what"] = "boom"
    fault["whom"] = {"names": ["web-009"]}
    fault["strength"] = {"cpu_pct": {"to": 140}}
    fault["to"] = "10m"
    document["spec"]["phases"][1] |= {"intensity": 2, "from": "30s"}
    assert set(problems(document)) == {
        "spec.phases[1].from",
        "spec.phases[1].intensity.start",
        "spec.faults[0].what",
        "spec.faults[0].whom.names[0]",
        "spec.faults[0].to",
        "spec.faults[0].strength.cpu_pct.to",
    }


@pytest.mark.parametrize(
    ("place", "value", "path", "words"),
    [
        ("clock.duration", -1, "spec.clock.duration", "between 0 and ten years, not -1"),
        ("clock.duration", float("nan"), "spec.clock.duration", "is not a duration: nan"),
        ("clock.duration", float("inf"), "spec.clock.duration", "not inf"),
        ("clock.duration", 10**400, "spec.clock.duration", "between 0 and ten years"),
        ("clock.duration", True, "spec.clock.duration", "is not a duration: true"),
        ("clock.tick", "10m", "spec.clock.duration", "at least one tick (10m), not 1m40s"),
        ("clock.duration", "9y", "spec.clock.duration", "is not a duration: '9y'"),
        ("clock.tick", 0, "spec.clock.tick", "at least 0.01"),
        ("clock.start", "yesterday", "spec.clock.start", "is not a time: 'yesterday'"),
        ("clock.start", "0001-01-01T00:00:00+14:00", "spec.clock.start", "between the years"),
        ("clock.playback_speed", 0, "spec.clock.playback_speed", "more than 0"),
        ("clock.playback_speed", float("inf"), "spec.clock.playback_speed", "finite"),
        ("clock", "5m", "spec.clock", "must be a group of fields"),
        ("seed", "abc", "spec.seed", "must be a whole number, not 'abc'"),
        ("seed", -1, "spec.seed", "at least 0"),
        ("sede", 1, "spec.sede", "Did you mean 'seed'?"),
        ("fleet.profiles", [], "spec.fleet.profiles", "at least 1 entry"),
        ("fleet.profiles.0.count", 2.5, "spec.fleet.profiles[0].count", "whole number"),
        ("fleet.profiles.0.count", 10**9, "spec.fleet.profiles[0].count", "at most 20000"),
        ("fleet.profiles.1.name", "web", "spec.fleet.profiles[1].name", "stands twice"),
        ("fleet.profiles.1.prefix", "web", "spec.fleet.profiles[1].prefix", "stands twice"),
        ("fleet.profiles.0.baselines", {"cpu_pct": 140}, "spec.fleet.profiles[0].baselines.cpu_pct", "0 and 100 %"),
        ("fleet.profiles.0.baselines", {"cpu": 4}, "spec.fleet.profiles[0].baselines.cpu", "'cpu_pct'"),
        ("phases", [], "spec.phases", "at least 1 entry"),
        ("phases.0.from", 5, "spec.phases[0].from", "starts with the drill"),
        ("phases.1.from", "30s", "spec.phases[1].from", "overlaps the phase 'calm'"),
        ("phases.1.from", "50s", "spec.phases[1].from", "leaves a gap after the phase 'calm'"),
        ("phases.2.to", "90s", "spec.phases[2].to", "is before the end of the drill"),
        ("phases.2.to", "3m", "spec.phases[2].to", "lies after the end of the drill"),
        ("phases.1.name", "calm", "spec.phases[1].name", "stands twice"),
        ("phases.1.name", "", "spec.phases[1].name", "must not be empty"),
        ("phases.1.intensity", {"end": 1}, "spec.phases[1].intensity", "either start (and end) or points"),
        ("phases.1.intensity", "high", "spec.phases[1].intensity", "must be a group of fields"),
        ("faults.0.id", "A B", "spec.faults[0].id", "1 to 64 of"),
        ("faults.0.whom", {}, "spec.faults[0].whom", "exactly one of"),
        ("faults.0.whom", {"profile": "web", "share": 0.5, "first": 1}, "spec.faults[0].whom", "'first' goes with"),
        ("faults.0.whom", {"names": ["web-002", "<b>"]}, "spec.faults[0].whom.names[1]", "there is no server '<b>'"),
        ("faults.0.strength", {"cpu_pct": {"to": 90, "add": 1}}, "spec.faults[0].strength.cpu_pct", "exactly one of"),
        ("faults.0.strength", {}, "spec.faults[0].strength", "at least 1 entry"),
        ("faults.0.lag", "2m", "spec.faults[0].lag", "not shorter than the drill"),
        ("faults.0.from", "100s", "spec.faults[0].from", "not before the end of the drill"),
        ("expect", [{"check": "nope"}], "spec.expect[0]", "must be one of 'top'"),
        ("expect", [{"chek": "top"}], "spec.expect[0]", "must say what it checks"),
        ("expect", [{"check": "prob_30m"}], "spec.expect[0]", "needs above, below, or both"),
        ("expect", [{"check": "health"}], "spec.expect[0].never_worse_than", "is missing"),
        ("expect", [{"check": "top", "phase": "strom"}], "spec.expect[0].phase", "Did you mean 'storm'?"),
        ("expect", [{"check": "top", "servers": ["db-7"]}], "spec.expect[0].servers[0]", "there is no server 'db-7'"),
        ("expect", [{"check": "risk", "above": 0.9, "below": 0.1}], "spec.expect[0].above", "must be less than below"),
        ("expect", "all", "spec.expect", "must be a list"),
    ],
)
def test_each_mistake_is_named_at_its_place(
    document: dict[str, Any], place: str, value: Any, path: str, words: str
) -> None:
    here: Any = document["spec"]
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    for step in steps:
        here = here[step]
    here[last] = value
    found = problems(document)
    assert list(found) == [path]
    assert words in found[path]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no scenario"),
        ("[1, 2]", "is no scenario"),
        ("root:x:0:0", "is no scenario"),
        ("\x00\x01\x02", "no plain text: U+0000 in line 1"),
        ("kind: &a [1]\nspec: [*a, *a]", "aliases (*name) are not supported"),
        ("kind: 1\nkind: 2", "line 2): the field 'kind' stands twice"),
        ('{"kind": 1, "kind": 2}', "the field 'kind' stands twice"),
        ("kind: [" * 1000, "nested deeper than"),
        ('{"kind":' * 20_000, "is n"),
        ('!!python/object/apply:os.system ["ls"]', "the tag '!!python/object/apply:os.system' is not supported"),
        ("kind: " + "9" * 5000, "(line 1): '9999"),
        ('{"kind": ' + "9" * 5000 + "}", "is no number that can be read"),
        ("kind: !!bool maybe", "'maybe' is not true or false"),
        ("kind: !!set {a}", "the tag '!!set' is not supported"),
        ('kind: "\\UFFFFFFFF"', "cannot be read"),
        ("? [1, 2]\n: 3", "a field's name must be plain text"),
        ("kind:\n\t- b", "line 2"),
        ("kind: " + "x" * 300_000, "at most 262,144 characters are read"),
    ],
)
def test_text_that_is_no_document_is_refused_in_one_paragraph(text: str, words: str) -> None:
    found = problems(text)
    assert list(found) == ["document"]
    assert words in found["document"]
    assert len(found["document"]) < 300


def test_names_of_ten_thousand_characters_are_shortened_in_messages(document: dict[str, Any]) -> None:
    document["metadata"]["name"] = "x" * 10_000
    document["spec"]["faults"][0]["whom"] = {"profile": "y" * 10_000}
    document["spec"]["z" * 10_000] = 1
    with pytest.raises(DocumentError) as caught:
        parse_document(document, "x")
    paths = [path for path, _ in caught.value.problems]
    assert paths[0] == "metadata.name"
    assert "spec.faults[0].whom.profile" in paths
    assert paths[-1].startswith("spec.zzz")
    assert len(str(caught.value)) < 1500


def test_fields_without_a_text_name_are_reported_not_fatal(document: dict[str, Any]) -> None:
    document["spec"][5] = 1
    assert "name that is not text" in problems(document)["spec[5]"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        ("90", 90.0),
        ("1m30s", 90.0),
        ("1m 30s", 90.0),
        ("1:30", 90.0),
        ("1:05:00", 3900.0),
        ("1.5h", 5400.0),
        ("250ms", 0.25),
        ("1d2h", 93_600.0),
        (0.0014, 0.001),
    ],
)
def test_durations_are_read_as_people_write_them(document: dict[str, Any], written: Any, seconds: float) -> None:
    document["spec"]["faults"][0]["lag"] = "1s"
    document["spec"] |= {"clock": {"duration": "2d"}, "phases": None}
    document["spec"]["faults"][0]["lag"] = written
    scenario = parse_document(document, "x")
    assert scenario.spec.faults[0].lag == seconds
    assert parse_document(to_yaml(scenario), "y").spec.faults[0].lag == seconds


def test_yaml_reads_minutes_and_seconds_with_a_colon_as_a_duration(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document).replace("duration: 100s", "duration: 1:40")
    assert parse_document(text, "x").spec.clock.duration == 100.0


def test_durations_are_written_with_units() -> None:
    assert [format_duration(seconds) for seconds in (0, 90, 3600, 0.25, 93_600)] == [
        "0s",
        "1m30s",
        "1h",
        "250ms",
        "1d2h",
    ]


def test_a_start_without_a_zone_is_utc_and_one_with_a_zone_is_moved_there(document: dict[str, Any]) -> None:
    for written in ("2026-03-01T10:00:00", "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"):
        document["spec"]["clock"]["start"] = written
        assert "start: '2026-03-01T10:00:00Z'" in to_yaml(parse_document(document, "x"))


def test_without_phases_the_usual_story_fills_the_duration(document: dict[str, Any]) -> None:
    del document["spec"]["phases"]
    story = parse_document(document, "x").spec.story
    assert [(phase.name, phase.begin, phase.end) for phase in story] == [
        ("stable", 0.0, 30.0),
        ("escalation", 30.0, 50.0),
        ("peak", 50.0, 70.0),
        ("recovery", 70.0, 100.0),
    ]


def test_another_duration_moves_phases_and_faults_in_proportion(document: dict[str, Any]) -> None:
    document["spec"]["faults"][0] |= {"from": "30s", "to": "90s", "lag": "10s"}
    spec = parse_document(document, "x").with_overrides(duration_seconds=300).spec
    assert [(phase.begin, phase.end) for phase in spec.story] == [(0, 120), (120, 240), (240, 300)]
    assert (spec.faults[0].begin, spec.faults[0].end, spec.faults[0].lag) == (90, 270, 30)
    assert spec.clock.ticks == 60


def test_the_default_drill_is_the_contracts() -> None:
    spec = load_scenario("degrading").spec
    assert (spec.seed, spec.clock.duration, spec.clock.tick, spec.clock.ticks, spec.fleet.size) == (42, 300, 5, 60, 10)
    assert [(phase.name, phase.begin, phase.end, phase.intensity.line) for phase in spec.story] == [
        ("stable", 0, 90, ((0, 0), (1, 0))),
        ("escalation", 90, 150, ((0, 0.3), (1, 0.7))),
        ("peak", 150, 210, ((0, 0.8), (1, 1.0))),
        ("recovery", 210, 300, ((0, 0.7), (1, 0))),
    ]


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (1, [1, 0, 0, 0]),
        (3, [1, 1, 1, 0]),
        (4, [1, 1, 1, 1]),
        (5, [2, 1, 1, 1]),
        (10, [4, 3, 2, 1]),
        (200, [80, 60, 40, 20]),
    ],
)
def test_another_fleet_size_keeps_the_mix_and_at_least_one_of_each(size: int, counts: list[int]) -> None:
    fleet = load_scenario("degrading").with_overrides(fleet_size=size).spec.fleet
    assert [profile.count for profile in fleet.profiles] == counts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fleet_size": 0}, "fleet size must lie between 1 and 20,000, not 0"),
        ({"fleet_size": 2.5}, "fleet size must be a whole number"),
        ({"fleet_size": 10**6}, "fleet size must lie between"),
        ({"duration_seconds": -1}, "duration in seconds must lie between"),
        ({"duration_seconds": float("nan")}, "not nan"),
        ({"duration_seconds": float("inf")}, "not inf"),
        ({"duration_seconds": 10**400}, "duration in seconds must lie between"),
        ({"duration_seconds": 1e8}, "200,000,000 rows; at most 50,000,000"),
        ({"tick_seconds": 0}, "tick in seconds must lie between"),
        ({"tick_seconds": 1000}, "longer than the drill"),
        ({"seed": -1}, "seed must lie between"),
        ({"seed": True}, "seed must be a whole number"),
    ],
)
def test_impossible_overrides_are_refused_with_what_is_possible(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        load_scenario("degrading").with_overrides(**change)


def test_a_fleet_too_small_for_a_named_server_says_which(document: dict[str, Any]) -> None:
    document["spec"]["faults"][0]["whom"] = {"names": ["web-002"]}
    with pytest.raises(DocumentError, match="there is no server 'web-002'"):
        parse_document(document, "x").with_overrides(fleet_size=2)


def test_the_json_schema_describes_every_field() -> None:
    schema = json_schema()
    parts = [schema, *schema["$defs"].values()]
    groups = [group for part in parts for group in (part, *part.get("anyOf", [])) if "properties" in group]
    assert len(groups) > 12
    for group in groups:
        for name, field in group["properties"].items():
            assert "description" in field or "$ref" in field, (group["title"], name)
    assert json.loads(json.dumps(schema)) == schema


def test_the_documents_metrics_are_the_data_contracts() -> None:
    assert MetricName.__args__ == METRIC_NAMES
