"""The sample rules for Prometheus and the configuration in the guide, by Debian's promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.installed import demand

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def programs() -> None:
    demand("promtool")


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_acceptable_and_fire_when_they_should() -> None:
    assert "13 rules found" in promtool("check", "rules", str(DOCS / "prometheus" / "rules.yml"))
    assert "SUCCESS" in promtool("test", "rules", str(DOCS / "prometheus" / "rules_test.yml"))


def test_the_guide_shows_a_configuration_that_prometheus_takes(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", (DOCS / "live.md").read_text(), re.DOTALL)
    (tmp_path / "prometheus.yml").write_text(block)
    (tmp_path / "rules.yml").write_text((DOCS / "prometheus" / "rules.yml").read_text())
    assert "SUCCESS" in promtool("check", "config", str(tmp_path / "prometheus.yml"))
