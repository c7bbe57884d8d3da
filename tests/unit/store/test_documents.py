"""Documents keep every version, and nobody overwrites what they have not seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tft_dash.errors import ConflictError, UnknownNameError
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.sqlite")


@pytest.fixture
def documents(store: Store) -> Documents:
    return Documents(store, "scenario")


def keys(documents: Documents) -> list[str]:
    return [document.key for document in documents.all()]


def test_a_document_comes_back_as_it_was_added(documents: Documents) -> None:
    body = {"z": [1, 2.5, None, True], "a": {"title": "Ünïcode ␀ \x00 \ud800 <script>"}}
    before = datetime.now(UTC)
    added = documents.add("drill", body, "Ann")
    assert documents.get("drill") == added
    assert added.body == body
    assert list(added.body) == ["z", "a"]
    assert (added.kind, added.key, added.version, added.author) == ("scenario", "drill", 1, "Ann")
    assert before <= added.created == added.updated <= datetime.now(UTC)
    assert (added.archived, added.deleted) == (False, False)


def test_a_taken_key_gets_a_number_and_a_deleted_one_stays_taken(documents: Documents) -> None:
    documents.add("drill", {})
    documents.mark("drill", deleted=True)
    assert documents.add("drill", {}).key == "drill-2"
    assert documents.add("drill", {}, taken=("drill-3",)).key == "drill-4"
    assert documents.add("dri", {}).key == "dri"


def test_keys_are_taken_letter_by_letter(documents: Documents) -> None:
    documents.add("a_b", {})
    documents.add("axb-2", {})
    assert documents.add("a_b", {}).key == "a_b-2"


def test_a_long_key_still_gets_its_number(documents: Documents) -> None:
    wish = "x" * 64
    found = [documents.add(wish, {}).key for _ in range(3)]
    assert len(set(found)) == 3
    assert max(map(len, found)) == 64


def test_kinds_do_not_meet(store: Store, documents: Documents) -> None:
    mappings = Documents(store, "mapping")
    documents.add("a", {"kind": "scenario"})
    mappings.add("a", {"kind": "mapping"})
    assert [one.body["kind"] for one in mappings.all()] == ["mapping"]
    mappings.mark("a", deleted=True)
    assert keys(documents) == ["a"]


def test_each_save_is_a_version_and_all_of_them_stay(documents: Documents) -> None:
    documents.add("drill", {"n": 1}, "Ann")
    saved = documents.save("drill", {"n": 2}, version=1, author="Ben")
    assert (saved.version, saved.body, saved.author) == (2, {"n": 2}, "Ben")
    assert documents.get("drill") == saved
    history = documents.history("drill")
    assert [(one.version, one.body["n"], one.author) for one in history] == [(2, 2, "Ben"), (1, 1, "Ann")]
    assert history[0] == saved
    assert history[1].updated == history[1].created < saved.updated


def test_a_save_from_an_old_version_changes_nothing_and_names_the_one_in_force(documents: Documents) -> None:
    documents.add("drill", {"n": 1})
    documents.save("drill", {"n": 2}, version=1, author="Ben")
    with pytest.raises(ConflictError, match="changed meanwhile by Ben: version 2 is in force") as caught:
        documents.save("drill", {"n": 3}, version=1)
    assert caught.value.version == 2
    assert [one.body["n"] for one in documents.history("drill")] == [2, 1]
    with pytest.raises(ConflictError):
        documents.save("drill", {"n": 3}, version=3)


def test_a_deleted_document_is_not_saved_over_and_comes_back_whole(documents: Documents) -> None:
    documents.add("drill", {"n": 1})
    kept = documents.save("drill", {"n": 2}, version=1)
    documents.mark("drill", deleted=True)
    assert keys(documents) == []
    found = documents.get("drill")
    assert found is not None
    assert found.deleted
    with pytest.raises(ConflictError, match="was deleted meanwhile"):
        documents.save("drill", {"n": 3}, version=2)
    assert documents.mark("drill", deleted=False) == kept
    assert len(documents.history("drill")) == 2


def test_archived_documents_are_listed_and_marked(documents: Documents) -> None:
    documents.add("drill", {})
    assert documents.mark("drill", archived=True).archived
    assert [one.archived for one in documents.all()] == [True]
    assert not documents.mark("drill", archived=False).archived


def test_the_newest_change_comes_first(documents: Documents) -> None:
    for key in ("a", "b", "c"):
        documents.add(key, {})
    documents.save("b", {}, version=1)
    assert keys(documents) == ["b", "c", "a"]


def test_what_never_was_is_none_or_named(documents: Documents) -> None:
    documents.add("cascade", {})
    for key in ("casacde", "../etc", "a\x00b", "\ud800", "x" * 500, ""):
        assert documents.get(key) is None
    with pytest.raises(UnknownNameError, match="Did you mean 'cascade'"):
        documents.save("casacde", {}, version=1)
    with pytest.raises(UnknownNameError):
        documents.mark("a\x00b", deleted=True)
    with pytest.raises(UnknownNameError):
        documents.history("\ud800")


def test_an_author_of_any_length_or_letters_is_kept_printable(documents: Documents) -> None:
    assert documents.add("a", {}, "Ann\x00\ud800").author == "Ann��"
    assert len(documents.add("b", {}, "x" * 1000).author) <= 120
