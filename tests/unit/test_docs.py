"""The guides say what the code does."""

import re
from pathlib import Path

import pytest

from tft_dash.schema import COLUMNS, METRICS, THRESHOLDS
from tft_dash.settings import SETTINGS

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def rows_of(guide: str, heading: str) -> list[list[str]]:
    text = (ROOT / "docs" / guide).read_text().split(heading, 1)[1]
    table = re.search(r"\n\|.*\n\|[-| ]+\n((?:\|.*\n)+)", text)
    assert table is not None
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.group(1).splitlines()]


def test_the_hosting_guide_lists_every_setting_with_its_words() -> None:
    listed = {row[0]: row[1] for row in rows_of("hosting.md", "## Settings")}
    assert listed == {setting.variable: setting.help for setting in SETTINGS}


def test_the_contract_lists_every_column_in_order() -> None:
    assert tuple(row[0] for row in rows_of("data-contract.md", "# Data contract")) == COLUMNS


def test_the_contract_gives_every_range_as_the_code_has_it() -> None:
    listed = {row[0]: row[1] for row in rows_of("data-contract.md", "# Data contract")}
    for metric in METRICS:
        bounds = f"≥ {metric.low:g}" if metric.high == float("inf") else f"{metric.low:g}–{metric.high:g}"
        assert listed[metric.name].startswith(bounds), metric.name


def test_the_contract_lists_every_threshold() -> None:
    listed = {row[0]: row[1:] for row in rows_of("data-contract.md", "## Thresholds")}
    assert listed == {
        name: [f"{threshold.warning:g}", f"{threshold.critical:g}", "yes" if threshold.sets_state else "no"]
        for name, threshold in THRESHOLDS.items()
    }


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_local_link_leads_somewhere(guide: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text()):
        assert (guide.parent / target).exists(), f"{guide.name} links to {target}"


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60
