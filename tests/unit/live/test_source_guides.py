"""The guides of the sources that are asked name every option there is, and their documents can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tft_dash.importing.mapping import read_mapping
from tft_dash.live.feeds.prometheus.configuration import OPTIONS as PROMETHEUS_OPTIONS
from tft_dash.live.feeds.prometheus.document import parse_mapping, shipped_names
from tft_dash.live.feeds.sql.configuration import OPTIONS as SQL_OPTIONS

DOCS = Path(__file__).parents[3] / "docs"


def text_of(guide: str) -> str:
    return (DOCS / guide).read_text()


@pytest.mark.parametrize(("guide", "options"), [("prometheus.md", PROMETHEUS_OPTIONS), ("sql.md", SQL_OPTIONS)])
def test_every_option_stands_in_the_guide(guide: str, options: tuple[str, ...]) -> None:
    rows = [line.split("|")[1] for line in text_of(guide).splitlines() if line.startswith("| `")]
    assert sorted(name for row in rows for name in re.findall(r"`([a-z_]+)`", row)) == sorted(options)


def test_the_guides_documents_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", text_of("prometheus.md"), re.DOTALL)
    assert [parse_mapping(block, "guide").metadata.name for block in blocks] == ["shop"]
    head = "apiVersion: tft-dash/v1\nkind: Mapping\nmetadata: {name: own}\n"
    blocks = re.findall(r"```yaml\n(.*?)```", text_of("sql.md"), re.DOTALL)
    texts = [block if block.startswith("apiVersion") else head + block for block in blocks]
    assert [read_mapping(one, "guide").spec.layout for one in texts] == ["long", "narrow", "wide"]


def test_every_shipped_mapping_stands_in_the_guide() -> None:
    for name in shipped_names():
        assert f"\n`{name}` is for " in text_of("prometheus.md")
