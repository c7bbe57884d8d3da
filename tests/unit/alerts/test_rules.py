"""Rule documents: what is read, what is refused and how it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.alerts import rule_of, rules_of

from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.alerts.documents import AlertDocumentError
from tft_dash.alerts.rulebook import (
    as_mapping,
    json_schema,
    parse_rules,
    rules_digest,
    shipped_names,
    shipped_rules,
    to_yaml,
)
from tft_dash.errors import UnknownNameError
from tft_dash.schema import METRIC_NAMES, THRESHOLDS


def problems(*rules: Any) -> dict[str, str]:
    with pytest.raises(AlertDocumentError) as caught:
        rules_of(*rules)
    return dict(caught.value.problems)


def risk(**fields: Any) -> dict[str, Any]:
    return {"when": {"check": "risk", "above": 0.5}, **fields}


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_rules_are_read_and_written_back_equal(name: str) -> None:
    rules = shipped_rules(name)
    assert rules.name == name
    assert parse_rules(to_yaml(rules), "again") == rules
    assert parse_rules(json.dumps(as_mapping(rules)), "again") == rules
    assert rules_digest(parse_rules(to_yaml(rules), "again")) == rules_digest(rules)


def test_shipped_rules_look_at_everything_that_there_is() -> None:
    checks = {rule.when.check for rule in shipped_rules().rules}
    assert checks >= {"prob_30m", "prob_8h", "risk", "server_prob_30m", "metric", "server_silent", "source_silent"}
    metric = next(rule for rule in shipped_rules().rules if rule.when.check == "metric")
    assert set(metric.when.metrics) == set(THRESHOLDS)
    assert metric.when.bars("cpu_pct") == (THRESHOLDS["cpu_pct"].critical, THRESHOLDS["cpu_pct"].warning, 1)
    assert all(rule.annotations["summary"] for rule in shipped_rules().rules)


def test_an_unknown_name_of_shipped_rules_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'default'"):
        shipped_rules("defaults")


def test_every_mistake_is_told_at_once_with_its_path() -> None:
    found = problems_of_many()
    assert found["spec.rules[0].alert"].startswith("must be letters, digits")
    assert found["spec.rules[0].when.above"] == "must be at most 1, not 1.5."
    assert found["spec.rules[0].when.cleer"] == "is not a field here. Did you mean 'clear_at'?"
    assert "Write seconds (90) or units" in found["spec.rules[0].for"]
    assert "Write severity: beside labels" in found["spec.rules[0].labels.severity"]
    assert "not starting with a digit" in found["spec.rules[0].labels.a-b"]
    assert found["spec.rules[1].when.metrics[2]"].startswith("must be 'cpu_pct'")
    assert found["spec.rules[1].when.metrics[3]"] == "'cpu_pct' stands twice."
    assert "no such line for disk_io_mb_s;" in found["spec.rules[1].when.above"]
    assert found["spec.rules[1].when.clear_at"] == "must be a number, warning or critical, not 'high'."
    assert "could take for ever" in found["spec.rules[1].where[0]"]
    assert "must be a matcher in one text" in found["spec.rules[1].where[1]"]
    assert "is no matcher" in found["spec.rules[1].where[2]"]
    assert "which is not filled in; write {{ $value }}" in found["spec.rules[1].annotations.summary"]
    assert "without }}" in found["spec.rules[1].annotations.other"]
    assert "https://" in found["spec.rules[1].runbook_url"]
    assert found["spec.rules[2].alert"] == "is called 'A' like rule 2; give it a name of its own."
    assert "check must be one of 'prob_30m'" in found["spec.rules[2].when"]
    assert found["spec.rules[2].keep_firing_for"] == "must be at most 7d, not 900d."
    assert "must be 'info', 'warning' or 'critical'" in found["spec.rules[2].severity"]
    assert "must say what it looks at" in found["spec.rules[3].when"]
    assert found["spec.rules[3].enabled"] == "must be true or false, not 'yes'."
    assert found["spec.rules[3].alert"] == "is missing."
    assert found["spec.rules[4]"] == "must be a group of fields, not 7."
    assert len(found) == 24


def problems_of_many() -> dict[str, str]:
    text = """
apiVersion: tft-dash/v1
kind: AlertRules
metadata: {name: many}
spec:
  rules:
    - alert: 9x
      when: {check: risk, above: 1.5, clear_at: 0.9, cleer: 1}
      for: soon
      labels: {severity: high, a-b: x}
    - alert: A
      when: {check: metric, metrics: [cpu_pct, disk_io_mb_s, foo, cpu_pct], above: critical, clear_at: high}
      where: ["server_name=~(a|b)*", 5, "x"]
      annotations: {summary: "{{ $valu }}", other: "{{"}
      runbook_url: ftp://x
    - {alert: A, when: {check: nothing}, keep_firing_for: 900d, severity: bad}
    - {when: {above: 0.3}, enabled: "yes"}
    - 7
"""
    with pytest.raises(AlertDocumentError) as caught:
        parse_rules(text, "many.yaml")
    assert str(caught.value).startswith("many.yaml: 24 mistakes in the document of alert rules.")
    return dict(caught.value.problems)


@pytest.mark.parametrize(
    ("when", "path", "words"),
    [
        ({"check": "risk", "above": 0.5, "clear_at": 0.7}, "clear_at", "would clear as it fires"),
        ({"check": "metric", "metrics": ["cpu_pct"], "above": 50, "clear_at": "warning"}, "clear_at", "for cpu_pct"),
        ({"check": "metric", "metrics": ["net_in_mb_s"], "below": 5, "clear_at": 3}, "clear_at", "must not be below"),
        ({"check": "metric", "metrics": ["cpu_pct"]}, "", "needs above or below"),
        ({"check": "metric", "metrics": ["cpu_pct"], "above": 1, "below": 0}, "", "needs above or below"),
        ({"check": "metric", "metrics": [], "above": 1}, "metrics", "at least 1"),
        ({"check": "metric", "metrics": ["cpu_pct"], "above": float("nan")}, "above", "must be a number"),
        ({"check": "metric", "metrics": ["cpu_pct"], "above": True}, "above", "must be a number"),
        ({"check": "risk"}, "above", "is missing"),
        ({"check": "risk", "above": "0.5"}, "above", "must be a number"),
        ({"check": "server_silent", "above": 0.5}, "above", "is not a field here"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(when: dict[str, Any], path: str, words: str) -> None:
    found = problems({"when": when})
    assert words in found["spec.rules[0].when" + (f".{path}" if path else "")]


@pytest.mark.parametrize("name", ["alertname", "severity", "source", "server_name", "profile", "metric"])
def test_a_rule_cannot_set_the_labels_that_every_alert_has(name: str) -> None:
    assert f"spec.rules[0].labels.{name}" in problems(risk(labels={name: "x"}))


def test_a_runbook_stands_in_one_place() -> None:
    both = risk(runbook_url="https://a.example", annotations={"runbook_url": "https://b.example"})
    assert "write it once" in problems(both)["spec.rules[0].annotations.runbook_url"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not nothing"),
        ("[1]", "kind: AlertRules"),
        ("{", "is not readable"),
        (b"\xff\xfe", "is not UTF-8"),
        ("a: *b", "aliases"),
        ("a: 1\na: 2", "stands twice"),
        ("x" * 300_000, "too long"),
        (b"x" * 2_000_000, "too long"),
    ],
)
def test_what_is_no_document_is_refused_in_words(text: str | bytes, words: str) -> None:
    with pytest.raises(AlertDocumentError, match=words):
        parse_rules(text, "request")


def test_too_many_mistakes_are_counted() -> None:
    with pytest.raises(AlertDocumentError) as caught:
        rules_of(*[{"when": {"check": "risk", "above": 2, "x": number}} for number in range(200)] * 2)
    assert caught.value.problems[-1][0] == "document"
    assert "more mistakes" in caught.value.problems[-1][1]


def test_the_schema_describes_every_field() -> None:
    schema = json_schema()
    assert schema["properties"]["kind"]["const"] == "AlertRules"
    parts = [schema, *schema["$defs"].values()]
    fields = {name: field for part in parts for name, field in part.get("properties", {}).items()}
    assert {"alert", "for", "keep_firing_for", "labels", "annotations", "runbook_url", "clear_at"} <= set(fields)
    assert [name for name, field in fields.items() if "description" not in field] == []


def test_a_rule_that_is_off_is_not_judged() -> None:
    rules = rules_of(risk(enabled=False), risk())
    assert [rule.alert for rule in rules.rules] == ["Rule1"]
    assert len(rules.spec.rules) == 2


def test_the_condition_is_equal_where_the_bars_are_and_not_by_durations() -> None:
    assert rule_of(**{"for": "1m"}).condition == rule_of().condition
    assert rule_of(above=0.6).condition != rule_of().condition
    assert rule_of(where=["profile=web"]).condition != rule_of().condition


def test_metrics_are_those_of_the_contract() -> None:
    for name in METRIC_NAMES:
        assert rule_of("metric", metrics=[name], above=1).when.metrics == (name,)


def dependencies(depends_on: Any) -> dict[str, Any]:
    document = {"apiVersion": "tft-dash/v1", "kind": "Dependencies", "metadata": {"name": "d"}}
    return {**document, "spec": {"depends_on": depends_on}}


def test_dependencies_reach_over_steps_and_tell_strangers_apart() -> None:
    graph = parse_dependencies(dependencies({"web": ["api"], "api": ["database", "cache"], "mail": []}), "d")
    assert graph.upstream("database", "web")
    assert not graph.upstream("web", "database")
    assert graph.related("cache", "web")
    assert not graph.related("mail", "web")
    assert not graph.related("cache", "database")
    assert graph.related("unheard-of", "web")


@pytest.mark.parametrize(
    ("depends_on", "path", "words"),
    [
        ({"web": ["api"], "api": ["database"], "database": ["web"]}, "web", "web → api → database → web"),
        ({"web": ["web"]}, "web", "web → web"),
        ({"web": "api"}, "web", "must be a list"),
        ({"Web!": []}, "Web!", "must be 1 to 64"),
    ],
)
def test_dependencies_that_cannot_be_are_refused(depends_on: Any, path: str, words: str) -> None:
    with pytest.raises(AlertDocumentError) as caught:
        parse_dependencies(dependencies(depends_on), "d")
    assert words in dict(caught.value.problems)[f"spec.depends_on.{path}"]
