"""The library: presets and saved scenarios under one set of keys."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tft_dash.errors import ConflictError, DocumentError, UnknownNameError, UsageError
from tft_dash.library.scenarios import ScenarioLibrary
from tft_dash.scenarios.document import as_mapping, document_digest
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store

CASCADE = load_scenario("cascade")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.sqlite")


@pytest.fixture
def library(store: Store) -> ScenarioLibrary:
    return ScenarioLibrary(store)


def keys(library: ScenarioLibrary, *, archived: bool = False) -> list[str]:
    return [entry.key for entry in library.entries(archived=archived)]


def test_a_new_library_holds_the_presets(library: ScenarioLibrary) -> None:
    assert keys(library) == list(preset_names())
    entry = library.get("cascade")
    assert (entry.preset, entry.version, entry.created) == (True, 1, None)
    assert entry.scenario == CASCADE
    assert entry.digest == document_digest(CASCADE)


def test_saving_leaves_the_document_as_it_is_whatever_its_key(library: ScenarioLibrary) -> None:
    added = library.add(CASCADE, author="Ann")
    assert (added.key, added.preset, added.version, added.author) == ("cascade-2", False, 1, "Ann")
    assert added.scenario == CASCADE
    assert library.get("cascade-2") == added
    assert library.add(CASCADE).key == "cascade-3"
    assert library.get("cascade").preset


def test_saved_scenarios_come_first_the_newest_change_on_top(library: ScenarioLibrary) -> None:
    library.add(CASCADE)
    library.add(load_scenario("critical"))
    library.save("cascade-2", load_scenario("healthy"), version=1)
    assert keys(library) == ["cascade-2", "critical-2", *preset_names()]


def test_what_one_process_saves_another_sees_at_once(store: Store, library: ScenarioLibrary) -> None:
    other = ScenarioLibrary(store)
    library.add(CASCADE)
    assert keys(other)[0] == "cascade-2"
    other.save("cascade-2", load_scenario("healthy"), version=1, author="Ben")
    assert library.get("cascade-2").scenario.name == "healthy"
    assert [(one.version, one.scenario.name) for one in library.versions("cascade-2")] == [
        (2, "healthy"), (1, "cascade"),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="changed meanwhile by Ben") as caught:
        library.save("cascade-2", CASCADE, version=1)
    assert caught.value.version == 2


def test_presets_stay_as_they_are(library: ScenarioLibrary) -> None:
    for change in (
        lambda: library.save("cascade", CASCADE, version=1),
        lambda: library.rename("cascade", name="x", title=None, version=1),
        lambda: library.archive("cascade"),
        lambda: library.delete("cascade"),
    ):
        with pytest.raises(UsageError, match="'cascade' is a preset and stays as it is"):
            change()
    assert [entry.key for entry in library.versions("cascade")] == ["cascade"]


def test_a_copy_has_a_name_and_title_of_its_own(library: ScenarioLibrary) -> None:
    copy = library.duplicate("cascade", author="Ann")
    assert (copy.key, copy.scenario.name, copy.scenario.title) == (
        "cascade-copy", "cascade-copy", f"{CASCADE.title} (copy)",
    )  # fmt: skip
    assert copy.scenario.spec == CASCADE.spec
    second, third = library.duplicate("cascade"), library.duplicate(copy.key)
    assert (second.key, second.scenario.name) == ("cascade-copy-2", "cascade-copy-2")
    assert second.scenario.title == f"{CASCADE.title} (copy 2)"
    assert (third.key, third.scenario.title) == ("cascade-copy-3", f"{CASCADE.title} (copy 3)")


def test_the_longest_name_and_title_can_be_copied(library: ScenarioLibrary) -> None:
    library.add(CASCADE)
    named = library.rename("cascade-2", name="n" * 64, title="t " * 59 + "tt", version=1)
    copy = library.duplicate(named.key)
    assert len(copy.scenario.name) == 64
    assert copy.scenario.name.endswith("-copy")
    assert copy.scenario.title.endswith("t (copy)")


def test_renaming_changes_the_document_and_keeps_the_key(library: ScenarioLibrary) -> None:
    library.add(CASCADE)
    renamed = library.rename("cascade-2", name="monday", title=None, version=1, author="Ann")
    assert (renamed.key, renamed.version, renamed.scenario.name) == ("cascade-2", 2, "monday")
    assert renamed.scenario.title == CASCADE.title
    assert library.rename("cascade-2", name=None, title="Mondays", version=2).scenario.title == "Mondays"
    with pytest.raises(DocumentError, match=r"metadata\.name"):
        library.rename("cascade-2", name="../up", title=None, version=3)
    with pytest.raises(ConflictError):
        library.rename("cascade-2", name="late", title=None, version=1)


def test_archived_scenarios_are_listed_apart(library: ScenarioLibrary) -> None:
    library.add(CASCADE)
    assert library.archive("cascade-2").archived
    assert keys(library) == list(preset_names())
    assert keys(library, archived=True) == ["cascade-2"]
    assert library.get("cascade-2").archived
    library.archive("cascade-2", False)
    assert keys(library, archived=True) == []
    assert keys(library)[0] == "cascade-2"


def test_a_deletion_can_be_undone(library: ScenarioLibrary) -> None:
    added = library.add(CASCADE)
    library.delete("cascade-2")
    assert keys(library) == list(preset_names())
    with pytest.raises(UnknownNameError, match="cascade-2"):
        library.get("cascade-2")
    assert len(library.versions("cascade-2")) == 1
    assert library.add(CASCADE).key == "cascade-3"
    assert library.restore("cascade-2") == added


def test_what_is_not_there_is_named_with_the_nearest(library: ScenarioLibrary) -> None:
    library.add(load_scenario("healthy"))
    with pytest.raises(UnknownNameError, match="Did you mean 'healthy-2'"):
        library.get("helthy-2")
    for act in (library.delete, library.restore, library.archive, library.duplicate, library.versions):
        with pytest.raises(UnknownNameError):
            act("nothing\x00")


def test_a_document_that_cannot_be_read_any_more_hides_no_other(
    store: Store, library: ScenarioLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    library.add(CASCADE)
    old = {**as_mapping(CASCADE), "apiVersion": "tft-dash/v0"}
    Documents(store, "scenario").add("old", old)
    with caplog.at_level(logging.WARNING):
        assert keys(library) == ["cascade-2", *preset_names()]
        assert keys(library) == ["cascade-2", *preset_names()]
    assert len([record for record in caplog.records if "saved scenario 'old'" in record.message]) == 1
    with pytest.raises(DocumentError, match="saved scenario 'old', version 1"):
        library.get("old")
    kept = Documents(store, "scenario").get("old")
    assert kept is not None
    assert kept.body == old


def test_a_saved_scenario_of_a_presets_name_is_found_under_it(store: Store, library: ScenarioLibrary) -> None:
    Documents(store, "scenario").add("cascade", as_mapping(load_scenario("healthy")))
    assert library.get("cascade").scenario.name == "healthy"
    assert keys(library).count("cascade") == 1


def test_no_scenario_is_kept_at_the_address_that_starts_another_one(library: ScenarioLibrary) -> None:
    made = load_scenario("healthy")
    named = made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": "new"})})
    assert library.add(named).key == "new-2"


def test_the_whole_library_has_everything_once_and_its_stamp_tells_of_each_change(library: ScenarioLibrary) -> None:
    own, put_away, gone = (library.duplicate("cascade").key for _ in range(3))
    stamps = [library.stamp()]
    library.archive(put_away)
    stamps.append(library.stamp())
    library.delete(gone)
    stamps.append(library.stamp())
    library.rename(own, name=None, title="Mine", version=1)
    stamps.append(library.stamp())
    assert len(set(stamps)) == len(stamps)
    assert library.stamp() == stamps[-1]
    found = {entry.key: (entry.preset, entry.archived, entry.deleted) for entry in library.whole()}
    assert len(found) == len(library.whole()) == 3 + len(preset_names())
    assert found[own] == (False, False, False)
    assert found[put_away] == (False, True, False)
    assert found[gone] == (False, False, True)
    assert found["cascade"] == (True, False, False)
    assert {entry.key for entry in library.presets()} == set(preset_names())
