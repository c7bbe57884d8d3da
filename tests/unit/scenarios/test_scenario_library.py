from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tft_dash.errors import DocumentError, SourceMissingError, UnknownNameError
from tft_dash.scenarios.document import to_yaml
from tft_dash.scenarios.library import load_scenario, preset_names


def test_the_presets_are_the_contracts() -> None:
    assert preset_names() == (
        "cascade",
        "critical",
        "degrading",
        "early-warning",
        "fleet-history",
        "healthy",
        "memory-leak",
    )


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_called_as_its_file_and_is_described(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title != name
    assert len(scenario.metadata.description) > 60
    assert scenario.spec.expect


def test_the_default_drills_name_finds_its_scenario() -> None:
    assert load_scenario("demo_dataset") == load_scenario("degrading")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no scenario 'degradin'\. Did you mean 'degrading'\? Known: cascade"):
        load_scenario("degradin")


@pytest.mark.parametrize("name", ["nosuch", "", "x" * 10_000, "<script>"])
def test_a_name_that_is_nothing_like_a_preset_lists_them_all(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_scenario(name)
    assert "early-warning" in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("ending", ["yaml", "yml", "json"])
def test_a_document_is_read_from_its_path(
    tmp_path: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path = tmp_path / f"with space.{ending}"
    text = json.dumps(document, indent="\t") if ending == "json" else yaml.safe_dump(document)
    path.write_text(text, "utf-8-sig")
    monkeypatch.chdir(tmp_path)
    assert load_scenario(path) == load_scenario(str(path)) == load_scenario(path.name)
    assert load_scenario(path).name == "small"


@pytest.mark.parametrize("name", ["no.yaml", "no/such/file", "./healthy", "nul\0.yaml"])
def test_a_missing_document_is_said_to_be_missing(name: str) -> None:
    with pytest.raises(SourceMissingError, match="scenario document"):
        load_scenario(name)


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError, match="cannot be read: Is a directory"):
        load_scenario(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not UTF-8 text"),
        (b"", "is no scenario"),
        (b"a,b,c\n1,2,3\n", "is no scenario"),
        (b"kind: " + b"x" * 2_000_000, "characters are read"),
    ],
)
def test_a_file_that_is_no_document_is_refused_by_its_path(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "drill.yaml"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=words) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_there_is_read_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("drill.txt").write_text(to_yaml(load_scenario("cascade")))
    Path("healthy").write_text("nonsense")
    assert load_scenario("drill.txt") == load_scenario("cascade")
    assert load_scenario("healthy").name == "healthy"
