"""Uploads that any host of a portal can go on with: their small files are in the store, beside what was received."""

from __future__ import annotations

import json
from typing import Any, Final

from tft_dash.errors import UsageError
from tft_dash.importing.guarded.desk import NEEDS_MAPPING, READY, REFUSED, WORKING, Desk
from tft_dash.importing.guarded.desk import RECEIVED as RECEIVED_HERE
from tft_dash.importing.guarded.publishing import ABOUT
from tft_dash.importing.guarded.receiving import storing
from tft_dash.importing.memory import DRAFT, SIGNATURE
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.items import DamagedError
from tft_dash.sharing.places import RECEIVED, UPLOAD
from tft_dash.store.engine import Store
from tft_dash.store.uploads import SharedUpload, SharedUploadTable

_STATE: Final = "state.json"
_TEXTS: Final = (ABOUT, _STATE, "progress", "proposal.yaml", SIGNATURE, "mapping.yaml", DRAFT)
_NOTE: Final = ".shared"
"""What was exchanged last, beside an upload."""


class DesksBetweenHosts:
    """The uploads of a portal whose hosts have a folder each.

    :param exchange: gives what was received to the other hosts.
    """

    def __init__(self, exchange: Exchange, store: Store) -> None:
        self.exchange = exchange
        self._table = SharedUploadTable(store)

    def ids(self) -> frozenset[str]:
        """The uploads that all hosts know."""
        return self._table.ids()

    def give(self, desk: Desk) -> bool:
        """Let the other hosts have an upload that arrived here; False = it is being given.

        :raises StorageError: it cannot be read, or the store cannot be reached.
        """
        name = desk.folder.name
        with storing():
            if not self.exchange.publish(RECEIVED, name) and self.exchange.elsewhere(RECEIVED, name) is None:
                return False
        return True

    def announce(self, desk: Desk) -> None:
        """Let the other hosts know of an upload that they have.

        :raises StorageError: the store cannot be reached.
        """
        self._table.add(desk.folder.name, json.dumps(_texts(desk)))
        row = self._table.get(desk.folder.name)
        if row is not None and not row.removed:
            with storing():
                _note(desk, row.version, json.loads(row.body))

    def take(self, desk: Desk) -> bool:
        """Have what other hosts have written of an upload since; whether its state is this host's to find out.

        One that was discarded elsewhere goes.

        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        note, row = desk.read(_NOTE), self._table.get(desk.folder.name)
        if row is None:  # it is not given yet, or the store was lost
            if note:
                (desk.folder / _NOTE).unlink(missing_ok=True)
            return True
        if row.removed:
            if desk.folder.is_dir():
                desk.abandon()
            return True
        mine = row.worker == self.exchange.host or _is_final(desk)
        if not mine and note.get("version") != row.version:
            with storing():
                self._write(desk, row)
        return mine or not row.is_alive

    @staticmethod
    def _write(desk: Desk, row: SharedUpload) -> None:
        texts: dict[str, str] = json.loads(row.body)
        desk.folder.mkdir(parents=True, exist_ok=True)
        for name in _TEXTS:
            if name in texts:
                desk.write_text(name, texts[name])
            else:
                (desk.folder / name).unlink(missing_ok=True)
        _note(desk, row.version, texts)
        if _state(texts).get("state") == READY:  # the dataset has what was received
            desk.original.unlink(missing_ok=True)

    def tell(self, desk: Desk) -> None:
        """Let the other hosts know how an upload stands, if that is news. One that is a dataset is, once they have it.

        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        note, texts = desk.read(_NOTE), _texts(desk)
        state = _state(texts)
        works, ready = state.get("state") == WORKING, state.get("state") == READY
        if not note:
            return
        if ready and self.is_coming(str(state.get("name"))):
            self._table.beat(desk.folder.name, self.exchange.host)
            return
        if note.get("texts") == texts:
            if works:
                self._table.beat(desk.folder.name, self.exchange.host)
            return
        version = self._table.save(desk.folder.name, json.dumps(texts), host=self.exchange.host, works=works)
        if version is None:
            return
        with storing():
            _note(desk, version, texts)
        if ready:
            self.exchange.remove(RECEIVED, desk.folder.name)

    def bring(self, desk: Desk) -> None:
        """Have what was received, wherever that was.

        :raises UsageError: it is nowhere any more.
        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        if desk.original.exists():
            return
        try:
            row = self.exchange.elsewhere(RECEIVED, desk.folder.name)
            with storing():
                there = row is not None and self.exchange.fetch(RECEIVED, desk.folder.name, row)
        except DamagedError:
            there = False
        if not there:
            raise UsageError("What was received is not there any more. Discard the upload, and send the file again.")

    def claim(self, desk: Desk) -> bool:
        """Begin to work on an upload; False = another host does.

        :raises StorageError: the store cannot be reached.
        """
        return not desk.read(_NOTE) or self._table.claim(desk.folder.name, self.exchange.host)

    def remove(self, upload_id: str) -> None:
        """No host has an upload any more.

        :raises StorageError: the store cannot be reached.
        """
        self._table.remove(upload_id)
        self.exchange.remove(RECEIVED, upload_id)

    def is_coming(self, name: str) -> bool:
        """Whether a dataset is not yet where it is asked for, or not yet where the others can have it.

        :raises StorageError: the store cannot be reached.
        """
        return self.exchange.is_coming(UPLOAD, name)

    def is_over(self, desk: Desk) -> bool:
        """Whether an upload is a dataset, and every host knows it."""
        return desk.read(_STATE).get("state") == READY and desk.read(_NOTE).get("texts") == _texts(desk)

    def adopt(self, desk: Desk) -> None:
        """Give what was received before there were other hosts, or was not given to the end.

        :raises StorageError: it cannot be read, or the store cannot be reached.
        """
        waits = desk.read(_STATE).get("state") in (RECEIVED_HERE, NEEDS_MAPPING, REFUSED)
        if not desk.read(_NOTE) and waits and desk.original.exists() and self.give(desk):
            self.announce(desk)


def _is_final(desk: Desk) -> bool:
    """Whether this host knows better than any other how an upload stands: it is done here, or being worked on."""
    state = desk.read(_STATE).get("state")
    return state == READY or (state == WORKING and desk.is_held())


def _state(texts: dict[str, str]) -> dict[str, Any]:
    try:
        found = json.loads(texts.get(_STATE, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(desk: Desk) -> dict[str, str]:
    return {name: text for name in _TEXTS if (text := desk.text(name)) is not None}


def _note(desk: Desk, version: int, texts: dict[str, str]) -> None:
    content: dict[str, Any] = {"version": version, "texts": texts}
    desk.write(_NOTE, content)
