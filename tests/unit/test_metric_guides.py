"""The sample dashboard, the sample rules and the guide use the metrics that there are, and every one is explained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tft_dash.api.metrics.exposition import Family, Sample, exposition
from tft_dash.api.metrics.route import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana" / "dashboard.json").read_text())
RULES = yaml.safe_load((DOCS / "prometheus" / "rules.yml").read_text())


def named(text: str) -> set[str]:
    """The metrics in an expression; what rules record has a colon in its name."""
    return set(re.findall(r"(?<![:\w])tft_dash_\w+(?![:\w])", text))


def expressions() -> dict[str, str]:
    panels = {panel["title"]: target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    return {**panels, **{rule.get("alert") or rule["record"]: rule["expr"] for rule in rules}}


@pytest.mark.parametrize(("name", "expression"), expressions().items(), ids=expressions())
def test_what_is_asked_for_is_there(name: str, expression: str) -> None:
    asked = named(expression)
    assert asked, name
    assert asked <= set(FAMILIES)


def test_the_guide_explains_every_metric_of_live_fleets_and_no_other() -> None:
    explained = named((DOCS / "live.md").read_text())
    assert explained == {name for name in FAMILIES if not name.startswith("tft_dash_forecast_")}


def test_no_two_panels_lie_on_each_other_and_none_lies_outside() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place: dict[str, Any] = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(across for across, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_panel_asks_the_chosen_prometheus() -> None:
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(?!__)(\w+)", json.dumps(DASHBOARD)))
    assert used == variables == {"datasource", "source"}


def test_what_is_missing_is_no_sample_and_what_is_endless_is_one() -> None:
    families = {"a": Family("A.", "counter"), "b": Family("B.")}
    samples = [Sample("a", {"x": '\\\n"'}, 2.0), Sample("b", {}, float("nan")), Sample("a", {}, float("inf"))]
    assert exposition(families, samples) == '# HELP a A.\n# TYPE a counter\na{x="\\\\\\n\\""} 2\na{} +Inf\n'
