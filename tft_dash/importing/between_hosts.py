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
from tft_dash.sharing.places import RECEIVED, UPLOAD
from tft_dash.store.engine import Store
from tft_dash.store.uploads import SharedUploadTable

_STATE: Final = "state.json"
_TEXTS: Final = (ABOUT, _STATE, "progress", "proposal.yaml", SIGNATURE, "mapping.yaml", DRAFT)
_NOTE: Final = ".shared"
"""What was exchanged last, beside an upload."""


class DesksBetweenHosts:
    """The uploads of a portal whose hosts have a folder each.

    :param exchange: gives what was received to the other hosts.
    """

    def __init__(self, exchange: Exchange, store: Store) -> None:
        self._exchange = exchange
        self._table = SharedUploadTable(store)

    def ids(self) -> frozenset[str]:
        """The uploads that all hosts know."""
        return self._table.ids()

    def give(self, desk: Desk) -> None:
        """Let the other hosts have an upload that arrived here.

        :raises StorageError: it cannot be read, or the store cannot be reached.
        """
        texts = _texts(desk)
        with storing():
            self._exchange.publish(RECEIVED, desk.folder.name)
        version = self._table.add(desk.folder.name, json.dumps(texts))
        _note(desk, version, texts)

    def take(self, desk: Desk) -> bool:
        """Have what other hosts have written of an upload since; whether its state is this host's to find out.

        One that was discarded elsewhere goes.

        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        note, row = desk.read(_NOTE), self._table.get(desk.folder.name)
        if row is None:
            if note:
                desk.abandon()
            return True
        mine = row.worker == self._exchange.host
        if not mine and note.get("version") != row.version:
            with storing():
                desk.folder.mkdir(parents=True, exist_ok=True)
                texts: dict[str, str] = json.loads(row.body)
                for name in _TEXTS:
                    if name in texts:
                        desk.write_text(name, texts[name])
                    else:
                        (desk.folder / name).unlink(missing_ok=True)
                _note(desk, row.version, texts)
        return mine or not row.is_alive

    def tell(self, desk: Desk) -> None:
        """Let the other hosts know how an upload stands, if that is news. One that is a dataset is, once they have it.

        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        note, texts, state = desk.read(_NOTE), _texts(desk), desk.read(_STATE)
        works, ready = state.get("state") == WORKING, state.get("state") == READY
        if not note or (not works and note.get("texts") == texts):
            return
        if ready and self.is_coming(str(state.get("name"))):
            return
        version = self._table.save(desk.folder.name, json.dumps(texts), host=self._exchange.host, works=works)
        if version is None:
            return
        with storing():
            _note(desk, version, texts)
        if ready:
            self._exchange.remove(RECEIVED, desk.folder.name)

    def bring(self, desk: Desk) -> None:
        """Have what was received, wherever that was.

        :raises UsageError: it is nowhere any more.
        :raises StorageError: the store cannot be reached, or the folder cannot be written.
        """
        if desk.original.exists():
            return
        row = self._exchange.elsewhere(RECEIVED, desk.folder.name)
        with storing():
            if row is None or not self._exchange.fetch(RECEIVED, desk.folder.name, row):
                raise UsageError(
                    "What was received is not there any more. Discard the upload, and send the file again."
                )

    def claim(self, desk: Desk) -> bool:
        """Begin to work on an upload; False = another host does.

        :raises StorageError: the store cannot be reached.
        """
        return not desk.read(_NOTE) or self._table.claim(desk.folder.name, self._exchange.host)

    def remove(self, upload_id: str) -> None:
        """No host has an upload any more.

        :raises StorageError: the store cannot be reached.
        """
        self._table.remove(upload_id)
        self._exchange.remove(RECEIVED, upload_id)

    def is_coming(self, name: str) -> bool:
        """Whether a dataset is not yet where it is asked for, or not yet where the others can have it.

        :raises StorageError: the store cannot be reached.
        """
        return self._exchange.is_coming(UPLOAD, name)

    def is_over(self, desk: Desk) -> bool:
        """Whether an upload is a dataset, and every host knows it."""
        return desk.read(_STATE).get("state") == READY and desk.read(_NOTE).get("texts") == _texts(desk)

    def adopt(self, desk: Desk) -> None:
        """Give what was received before there were other hosts.

        :raises StorageError: it cannot be read, or the store cannot be reached.
        """
        if not desk.read(_NOTE) and desk.read(_STATE).get("state") in (RECEIVED_HERE, NEEDS_MAPPING, REFUSED):
            self.give(desk)


def _texts(desk: Desk) -> dict[str, str]:
    return {name: text for name in _TEXTS if (text := desk.text(name)) is not None}


def _note(desk: Desk, version: int, texts: dict[str, str]) -> None:
    content: dict[str, Any] = {"version": version, "texts": texts}
    desk.write(_NOTE, content)
