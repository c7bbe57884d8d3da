"""Errors say what, which and what to do; registries load lazily."""

import json

import pytest

from tft_dash.errors import (
    DocumentError,
    MissingExtraError,
    StorageError,
    TftDashError,
    UnknownNameError,
    UnreachableError,
    UsageError,
    shorten,
)
from tft_dash.registry import Registry

TABLE = {"one": "json:dumps", "broken": "module_that_is_not_there:Thing"}


def make_registry() -> Registry[object]:
    return Registry("thing", TABLE, group="tft_dash.test_things", extras={"broken": "train"})


def test_every_error_has_one_of_the_three_exit_statuses() -> None:
    pending = [TftDashError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        assert kind.exit_status in (1, 2, 3)
    assert UsageError.exit_status == 2
    assert UnreachableError.exit_status == StorageError.exit_status == 3


def test_an_unknown_name_lists_the_known_ones_and_suggests_the_nearest() -> None:
    error = UnknownNameError("scenario", "degradin", ["degrading", "healthy"])
    assert "Did you mean 'degrading'?" in str(error)
    assert "degrading, healthy" in str(error)


def test_a_name_that_resembles_nothing_is_not_guessed() -> None:
    assert "Did you mean" not in str(UnknownNameError("scenario", "zzz", ["degrading"]))


def test_a_document_error_lists_every_mistake_with_its_path() -> None:
    text = str(DocumentError("a.yaml", [("spec.seed", "must be whole"), ("spec.clock.tick", "must be above 0")]))
    assert "2 mistakes" in text
    assert "spec.seed: must be whole" in text
    assert "spec.clock.tick: must be above 0" in text


def test_long_or_unprintable_names_are_cut_for_a_message() -> None:
    assert len(shorten("x" * 10_000)) <= 80
    assert "\x1b" not in shorten("\x1b[31mred")


def test_a_registry_imports_a_member_at_first_use() -> None:
    assert make_registry().load("one") is json.dumps


def test_a_registry_names_the_known_members_for_an_unknown_one() -> None:
    with pytest.raises(UnknownNameError, match="broken, one"):
        make_registry().load("two")


def test_a_member_whose_packages_are_missing_prints_its_pip_line() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'tft-dash\[train\]'"):
        make_registry().load("broken")
