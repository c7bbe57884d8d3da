from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tft_dash.errors import UsageError
from tft_dash.live.feeds.prometheus.document import (
    PrometheusMappingError,
    json_schema,
    mapping_named,
    parse_mapping,
    shipped_mapping,
    shipped_names,
)
from tft_dash.live.feeds.prometheus.identity import Identity
from tft_dash.live.feeds.prometheus.parts import Profile, Server
from tft_dash.scenarios.format.loader import dump_text


def document(**spec: Any) -> dict[str, Any]:
    columns = {"cpu_pct": {"query": "cpu"}}
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "PrometheusMapping",
        "metadata": {"name": "own"},
        "spec": {"columns": columns, **spec},
    }


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_mappings_are_complete_and_survive_a_round_trip(name: str) -> None:
    mapping = shipped_mapping(name)
    assert mapping.metadata.name == name
    assert mapping.metadata.description
    assert "cpu_pct" in mapping.spec.columns.given()
    assert parse_mapping(dump_text(mapping.plain()), "again") == mapping


def test_counters_go_through_rate_in_every_shipped_mapping() -> None:
    for name in shipped_names():
        for column in shipped_mapping(name).spec.columns.given().values():
            for word in re.findall(r"[a-z_]+_(?:total|sum|count|bucket)\{", column.query):
                used = column.query.split(word)
                assert all(before.endswith("rate(") for before in used[:-1]), (name, word)


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ({"columns": {}}, "spec.columns", "must have at least one of cpu_pct"),
        ({"columns": {"cpu": {"query": "x"}}}, "spec.columns.cpu", "Did you mean 'cpu_pct'"),
        ({"columns": {"cpu_pct": {"query": " "}}}, "spec.columns.cpu_pct.query", "must not be empty"),
        ({"columns": {"cpu_pct": {"query": "x[$windw]"}}}, "spec.columns.cpu_pct.query", "there are $select, $window"),
        ({"columns": {"cpu_pct": {"query": "x", "unit": "s"}}}, "spec.columns.cpu_pct.unit", "'percent' or 'fraction'"),
        ({"columns": {"cpu_pct": {}}}, "spec.columns.cpu_pct.query", "is missing"),
        ({"up": "sum(up)"}, "spec.up", "one plain selector"),
        ({"up": "up[5m]"}, "spec.up", "one plain selector"),
        ({"up": "up offset 5m"}, "spec.up", "one plain selector"),
        ({"seen": "-up"}, "spec.seen", "one plain selector"),
        ({"up": None}, "spec", "needs up or seen"),
        ({"select": "job=node"}, "spec.select", "must be matchers"),
        ({"step": "0s"}, "spec.step", "at least 1"),
        ({"step": "often"}, "spec.step", "is not a duration"),
        ({"server": {"labels": []}}, "spec.server.labels", "at least 1"),
        ({"server": {"labels": ["a-b"]}}, "spec.server.labels[0]", "no name of a label"),
        ({"server": {"pattern": "("}}, "spec.server.pattern", "no regular expression"),
        ({"server": {"port": "off"}}, "spec.server.port", "'drop' or 'keep'"),
        ({"profile": {"rules": [{"pattern": "db", "profile": "database"}]}}, "spec.profile", "needs labels"),
    ],
)
def test_every_mistake_is_told_with_its_path(spec: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(PrometheusMappingError) as caught:
        parse_mapping(document(**spec), "own.yaml")
    assert any(where == path and words in said for where, said in caught.value.problems), caught.value
    assert "mistake in the mapping document" in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(PrometheusMappingError) as caught:
        parse_mapping(document(up="sum(up)", step="x", server={"port": "off"}), "own.yaml")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "selector",
    [
        "up",
        "up{}",
        "up{$select}",
        'up{job="a",$select}',
        'up{$select,job=~"a|b{2}"}',
        '{__name__="up"}',
        "job:up{a!='b',}",
    ],
)
def test_plain_selectors_are_read(selector: str) -> None:
    assert parse_mapping(document(up=selector), "own").spec.up == selector


def test_a_dollar_in_a_text_is_no_placeholder() -> None:
    query = 'label_replace(x{a=~"b$"}, "instance", "$1", "pod", "(.*)")'
    assert parse_mapping(document(columns={"cpu_pct": {"query": query}}), "own").spec.columns.cpu_pct is not None


def test_a_mapping_is_found_by_name_or_path(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(dump_text(document()))
    assert mapping_named(str(file)).metadata.name == "own"
    with pytest.raises(UsageError, match=r"There is no mapping for Prometheus 'noed'\. Did you mean 'node'"):
        mapping_named("noed")
    with pytest.raises(UsageError, match=r"mapping=.*is a directory"):
        mapping_named(_folder(tmp_path))
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PrometheusMappingError, match="not UTF-8"):
        mapping_named(str(file))
    file.write_text("[]")
    with pytest.raises(PrometheusMappingError, match="kind: PrometheusMapping"):
        mapping_named(str(file))


def _folder(tmp_path: Path) -> str:
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    return str(folder)


def test_the_schema_describes_every_field() -> None:
    schema = json_schema()
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), name


@pytest.mark.parametrize(
    ("rule", "labels", "name"),
    [
        ({}, {"instance": "web-1:9100"}, "web-1"),
        ({}, {"instance": "web-1"}, "web-1"),
        ({}, {"instance": "[::1]:9100"}, "::1"),
        ({}, {"instance": "fe80::1:9100"}, "fe80::1:9100"),
        ({}, {"instance": "10.0.0.1:9100"}, "10.0.0.1"),
        ({"port": "keep"}, {"instance": "web-1:9100"}, "web-1:9100"),
        ({"labels": ("node", "instance")}, {"instance": "x:1", "node": "n"}, "n"),
        ({"labels": ("node", "instance")}, {"instance": "x:1", "node": ""}, "x"),
        ({"pattern": r"([^.]+)\..*"}, {"instance": "web-1.example.com:9100"}, "web-1"),
        ({"pattern": r"web-.*"}, {"instance": "web-1:9100"}, "web-1"),
        ({"pattern": r"web-.*"}, {"instance": "db-1:9100"}, None),
        ({}, {"instance": "x" * 200}, ""),
        ({}, {"instance": "a\nb"}, ""),
        ({}, {"job": "x"}, ""),
    ],
)
def test_what_a_server_is_called(rule: dict[str, Any], labels: dict[str, str], name: str | None) -> None:
    identity = Identity(Server(**rule), Profile())
    assert identity.name(identity.target(labels)) == name


@pytest.mark.parametrize(
    ("rule", "labels", "profile"),
    [
        ({}, {"job": "db"}, ""),
        ({"labels": ("job",)}, {"job": "db"}, "db"),
        ({"labels": ("role", "job")}, {"job": "db", "role": "cache"}, "cache"),
        ({"labels": ("role",), "value": "web"}, {"job": "db"}, "web"),
        ({"labels": ("job",), "rules": ({"pattern": "^db", "profile": "database"},)}, {"job": "db-eu"}, "database"),
        ({"labels": ("job",), "rules": ({"pattern": "^db", "profile": "database"},)}, {"job": "web"}, ""),
    ],
)
def test_what_profile_a_server_has(rule: dict[str, Any], labels: dict[str, str], profile: str) -> None:
    assert Identity(Server(), Profile(**rule)).profile(labels) == profile
