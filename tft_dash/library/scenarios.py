"""The library of scenarios: the presets that come with the package, and the documents that the team has saved."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tft_dash.errors import DocumentError, UnknownNameError, UsageError
from tft_dash.scenarios.document import Scenario, as_mapping, document_digest, parse_document
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.store.documents import Documents, StoredDocument
from tft_dash.store.engine import Store

KIND: Final = "scenario"
_NAME_LENGTH, _TITLE_LENGTH = 64, 120
_LOG: Final = logging.getLogger(__name__)
_COPY: Final = re.compile(r" \(copy( \d+)?\)$")
_COPY_NAME: Final = re.compile(r"-copy(-\d+)?$")
_Version = tuple[str, int]

DELETED_SHOWN: Final = 50
"""So many deleted scenarios are offered to be brought back; the others are kept, too."""

ADDRESS_OF_A_NEW_ONE: Final = "new"
"""No document is kept under this key: the page that starts another one stands at its address."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario of the library.

    :param key: what it is called in addresses; the document's own name may differ.
    :param version: to be given when it is saved; a preset's is always 1.
    :param created: None for a preset.
    :param updated: when this version was saved; None for a preset.
    :param digest: of the document.
    :param deleted: whether it was taken out of the library; it can be restored.
    """

    key: str
    preset: bool
    version: int
    scenario: Scenario
    author: str
    created: datetime | None
    updated: datetime | None
    archived: bool
    digest: str
    deleted: bool = False


class ScenarioLibrary:
    """Presets and saved scenarios under one set of keys. Every method may raise :class:`StorageError`."""

    def __init__(self, store: Store) -> None:
        self._documents = Documents(store, KIND)
        # A saved version never changes, so what it was read as may be kept.
        self._read: dict[_Version, tuple[Scenario, str]] = {}
        self._unreadable: set[_Version] = set()
        self._presets: dict[str, Entry] = {}

    def entries(self, *, archived: bool = False) -> tuple[Entry, ...]:
        """The saved scenarios, the newest change first, then the presets; or only the archived ones.

        A saved document that this version of the app cannot read is left out, and kept in the store.
        """
        stored = self._documents.all()
        self._forget({(document.key, document.version) for document in stored})
        saved = [self._readable(document) for document in stored if document.archived is archived]
        found = tuple(entry for entry in saved if entry is not None)
        if archived:
            return found
        hidden = {document.key for document in stored}
        return (*found, *(self._preset(name) for name in preset_names() if name not in hidden))

    def whole(self) -> tuple[Entry, ...]:
        """The saved scenarios, the archived among them, the newest change first; the presets; those last deleted."""
        stored, deleted = self._documents.all(), self._documents.all(deleted=True, limit=DELETED_SHOWN)
        self._forget({(document.key, document.version) for document in (*stored, *deleted)})
        saved, gone = (tuple(map(self._readable, documents)) for documents in (stored, deleted))
        hidden = {document.key for document in stored}
        presets = (self._preset(name) for name in preset_names() if name not in hidden)
        return tuple(entry for entry in (*saved, *presets, *gone) if entry is not None)

    def stamp(self) -> str:
        """A short text that is another one whenever anything saved has changed."""
        return self._documents.stamp()

    def presets(self) -> tuple[Entry, ...]:
        """What can be shown without the store."""
        return tuple(self._preset(name) for name in preset_names())

    def get(self, key: str) -> Entry:
        """The scenario under ``key``, an archived one too.

        :raises UnknownNameError: there is none.
        :raises DocumentError: it was saved by another version of the app and cannot be read by this one.
        """
        document = self._documents.get(key)
        if document is not None and not document.deleted:
            return self._entry(document)
        if key in preset_names():
            return self._preset(key)
        raise UnknownNameError(KIND, key, self._keys())

    def add(self, scenario: Scenario, *, author: str = "") -> Entry:
        """Save a scenario as a new one, under its name or the next free one: ``cascade-2`` beside the preset.

        The document itself is not changed by that.
        """
        taken = (*preset_names(), ADDRESS_OF_A_NEW_ONE)
        return self._entry(self._documents.add(scenario.name, as_mapping(scenario), author, taken=taken))

    def save(self, key: str, scenario: Scenario, *, version: int, author: str = "") -> Entry:
        """Save the next version.

        :param version: the version that was edited.
        :raises UnknownNameError: there is no such scenario.
        :raises UsageError: it is a preset.
        :raises ConflictError: another version is in force by now; nothing was overwritten.
        """
        self._demand_saved(key)
        return self._entry(self._documents.save(key, as_mapping(scenario), version=version, author=author))

    def duplicate(self, key: str, *, author: str = "") -> Entry:
        """A copy under a name and title of its own: ``(copy)``, ``(copy 2)``, …"""
        scenario = self.get(key).scenario
        taken = {entry.scenario.title for entry in self.entries()}
        plain, name = _COPY.sub("", scenario.title), _COPY_NAME.sub("", scenario.name)
        number = 1
        while (title := _copied(plain, " (copy{})", number, " ", _TITLE_LENGTH)) in taken:
            number += 1
        return self.add(_renamed(scenario, _copied(name, "-copy{}", number, "-", _NAME_LENGTH), title), author=author)

    def rename(self, key: str, *, name: str | None, title: str | None, version: int, author: str = "") -> Entry:
        """Give the document another name or title; it stays under its key.

        :param name: None = as it is.
        :param title: None = as it is.
        :raises DocumentError: the name or title is not possible.
        :raises ConflictError: another version is in force by now.
        """
        self._demand_saved(key)
        return self.save(key, _renamed(self.get(key).scenario, name, title), version=version, author=author)

    def archive(self, key: str, archived: bool = True) -> Entry:
        """Put a saved scenario away, or take it out again.

        :raises UsageError: it is a preset.
        """
        self._demand_saved(key)
        return self._entry(self._documents.mark(key, archived=archived))

    def delete(self, key: str) -> None:
        """Take a saved scenario out of the library; :meth:`restore` brings it back.

        :raises UsageError: it is a preset.
        """
        self._demand_saved(key)
        self._documents.mark(key, deleted=True)

    def restore(self, key: str) -> Entry:
        """Bring a deleted scenario back as it was.

        :raises UnknownNameError: there never was one under that key.
        """
        if self._documents.get(key) is None:
            raise UnknownNameError(KIND, key, self._keys())
        return self._entry(self._documents.mark(key, deleted=False))

    def versions(self, key: str) -> tuple[Entry, ...]:
        """Every version that was ever saved, the newest first; of a deleted scenario too.

        :raises UnknownNameError: there never was one under that key.
        """
        if self._documents.get(key) is None:
            return (self.get(key),)
        found = (self._readable(document) for document in self._documents.history(key))
        return tuple(entry for entry in found if entry is not None)

    def _demand_saved(self, key: str) -> None:
        document = self._documents.get(key)
        if document is None and key in preset_names():
            raise UsageError(f"'{key}' is a preset and stays as it is. Duplicate it and change the copy.")
        if document is None:
            raise UnknownNameError(KIND, key, self._keys())

    def _keys(self) -> tuple[str, ...]:
        return (*(document.key for document in self._documents.all()), *preset_names())

    def _preset(self, name: str) -> Entry:
        if name not in self._presets:
            scenario = load_scenario(name)
            digest = document_digest(scenario)
            self._presets[name] = Entry(name, True, 1, scenario, "", None, None, False, digest)
        return self._presets[name]

    def _readable(self, document: StoredDocument) -> Entry | None:
        known = (document.key, document.version)
        if known in self._unreadable:
            return None
        try:
            return self._entry(document)
        except DocumentError as error:
            _LOG.warning("A saved scenario is left out, because this version of the app cannot read it. %s", error)
            self._unreadable.add(known)
            return None

    def _entry(self, document: StoredDocument) -> Entry:
        known = (document.key, document.version)
        read = self._read.get(known)
        if read is None:
            label = f"saved scenario '{document.key}', version {document.version}"
            scenario = parse_document(document.body, label)
            read = self._read[known] = (scenario, document_digest(scenario))
        return Entry(
            document.key, False, document.version, read[0], document.author, document.created, document.updated,
            document.archived, read[1], document.deleted,
        )  # fmt: skip

    def _forget(self, listed: set[_Version]) -> None:
        """Keep no more than what is listed now."""
        for version in set(self._read) - listed:
            self._read.pop(version, None)


def _copied(text: str, end: str, number: int, before: str, longest: int) -> str:
    """``text`` with an end that says which copy it is, no longer than possible."""
    told = end.format("" if number == 1 else f"{before}{number}")
    return f"{text[: longest - len(told)].rstrip()}{told}"


def _renamed(scenario: Scenario, name: str | None, title: str | None) -> Scenario:
    document: dict[str, Any] = as_mapping(scenario)
    metadata: Mapping[str, Any] = document["metadata"]
    given = {key: value for key, value in (("name", name), ("title", title)) if value is not None}
    return parse_document({**document, "metadata": {**metadata, **given}}, "the new name and title")
