"""The guide to alert rules says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import yaml

from tft_dash.alerts.alert import Phase
from tft_dash.alerts.delivery.receivers import parse_receivers
from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.alerts.gathering.onsets import ONSET_RISK
from tft_dash.alerts.grouping import USUAL
from tft_dash.alerts.problem import MOST_ENTRIES, MOST_SERVERS, OUTCOMES
from tft_dash.alerts.rulebook import json_schema, parse_rules
from tft_dash.alerts.rules import SEVERITIES, Rule

GUIDE = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()
DOCUMENTS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]


def column(heading: str) -> list[str]:
    text = GUIDE.split(heading, 1)[1]
    return re.findall(r"^\| `?([\w]+)`? \|", text.split("|---", 1)[1].split("\n\n", 1)[0], re.MULTILINE)


def test_its_documents_are_read() -> None:
    rules, dependencies, receivers = DOCUMENTS
    assert len(parse_receivers(receivers, "docs/alerts.md").receivers) == 3
    assert parse_rules(rules, "docs/alerts.md").name == "shop"
    assert parse_dependencies(dependencies, "docs/alerts.md").upstream("database", "web")


def test_it_lists_every_field_of_a_rule() -> None:
    assert column("## A document") == [field.alias or name for name, field in Rule.model_fields.items()]


def test_it_lists_every_check() -> None:
    parts = json_schema()["$defs"].values()
    checks = [part["properties"]["check"] for part in parts if "check" in part.get("properties", {})]
    known = {name for check in checks for name in check.get("enum", [check.get("const")])}
    assert set(column("## Conditions")) == known


def test_it_lists_every_phase_and_word() -> None:
    assert tuple(column("## The life of an alert")) == get_args(Phase)
    assert all(f"`{word}`" in GUIDE for word in (*SEVERITIES, *OUTCOMES))


def test_its_numbers_are_those_of_the_code() -> None:
    text = " ".join(GUIDE.split())
    assert f"at most {USUAL.together_ms // 60_000} minutes old, or three steps" in text
    assert USUAL.together_steps == 3
    assert "Within half an hour after its end" in text
    assert USUAL.reopen_ms == 1_800_000
    assert f"whose risk went above {ONSET_RISK}" in text
    assert f"the last {MOST_ENTRIES // 2} entries" in text
    assert f"and {MOST_SERVERS} servers" in text
