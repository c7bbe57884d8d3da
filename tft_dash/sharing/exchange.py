"""Exchanges files with the other hosts of a portal, through the store that they share.

What is whole on this host and new goes to the store; what another host has put there is fetched; what was removed
anywhere is removed here. Of two that differ and have the same name the store's stays, and nothing that only this host
has is lost: it is set aside, or gets another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tft_dash.artefacts import exclusive
from tft_dash.errors import StorageError, shorten
from tft_dash.files import write_whole
from tft_dash.sharing.items import DamagedError, Item, Known, Signature, read, work_folder, written
from tft_dash.sharing.places import Place
from tft_dash.store.engine import Store
from tft_dash.store.shared import REMOVED, STALE_MS, WHOLE, WRITING, SharedFile, SharedTable

LOOK_SECONDS: Final = 1.0
SETTLE_SECONDS: Final = 1.0
"""A file that somebody has written by hand is shared when it has not changed for so long."""
MARK_MS: Final = 10_000
UNFINISHED_SECONDS: Final = 120.0
"""What is not whole and has not changed for so long is being made by nobody."""
AGAIN_SECONDS: Final = 60.0
LEFT_SECONDS: Final = 3600.0
UNFINISHED_MS: Final = 600_000
"""After so long a new version that was never finished is replaced by the one before, from a host that has it."""
_NOTES: Final = ".shared"

_LOG = logging.getLogger(__name__)


class Exchange:
    """What this host shares with the others.

    :param data: this host's data folder; what it knows of the others' lies in its ``.shared``.

    :ivar make_way: by a place's key: gives what lies there under a name another one, for two that differ.
    """

    def __init__(self, data: Path, store: Store) -> None:
        self.data = data
        self.notes = data / _NOTES
        self.table = SharedTable(store)
        self.make_way: dict[str, Callable[[str], None]] = {}
        self._host = ""
        self._failed: dict[tuple[str, str], tuple[str, float]] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._given: dict[str, tuple[float, Mapping[str, SharedFile]]] = {}

    @property
    def host(self) -> str:
        """What tells this data folder from those of other hosts.

        :raises StorageError: the folder cannot be written.
        """
        if not self._host:
            path = self.notes / "host"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with exclusive(path.with_name("host.lock")):
                    if not path.exists():
                        write_whole(path, secrets.token_hex(16))
                    # A folder that was copied to another host is that host's.
                    self._host = hashlib.sha256(f"{path.read_text()} {socket.gethostname()}".encode()).hexdigest()[:32]
            except OSError as error:
                raise _unwritable(self.data, error) from error
        return self._host

    def synchronise(self, places: Collection[Place], *, settle_seconds: float = SETTLE_SECONDS) -> None:
        """Exchange everything in some places, once; other processes of this host wait meanwhile.

        What cannot be exchanged is logged, and tried again the next time.

        :raises StorageError: the store cannot be reached, or the data folder cannot be written.
        """
        lock = self.notes / f"{'-'.join(place.key for place in places)[:100]}.lock"
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            with exclusive(lock):
                self._round(places, settle_seconds)
        except OSError as error:
            raise _unwritable(self.data, error) from error

    def _round(self, places: Collection[Place], settle_seconds: float) -> None:
        there = {(one.place, one.name): one for one in self.table.listed([place.key for place in places])}
        for place in places:
            names = {*place.names(self.data), *(name for key, name in there if key == place.key)}
            marks: dict[str, int] = {}
            for name in sorted(names):
                row = there.get((place.key, name))
                marks.update(self._guarded(place, name, row, settle_seconds))
            if marks:
                self.table.watched(place.key, marks)

    def _guarded(self, place: Place, name: str, row: SharedFile | None, settle_seconds: float) -> Mapping[str, int]:
        """Exchange one; a bad one hinders no other. When it was last watched here, if the others do not know."""
        said, marks = "", dict[str, int]()
        try:
            item = Item(self.data, place, name)
            self._settle(item, row, settle_seconds)
            if place.mark and row is not None and row.state == WHOLE:
                marks = self._marked(item, row)
        except OSError as error:
            said = str(error)
        except (ValueError, KeyError, TypeError):
            said = (
                "the store tells of it in words that this version of the app does not know; update the app on this host"
            )
        if said and self._told.get((place.key, name)) != said:
            _LOG.warning("'%s' (%s) cannot be shared with the other hosts: %s", shorten(name), place.key, said)
        self._told[place.key, name] = said
        return marks

    def _settle(self, item: Item, row: SharedFile | None, settle_seconds: float) -> None:
        known = item.known()
        if not item.is_here():
            if row is not None and row.state == WHOLE:
                self._bring(item, row, None)
            elif known is not None and row is not None and row.state == REMOVED:
                item.forget()
            return
        signature = item.signature()
        changed = known is None or known.signature != signature
        # The store was set back to an earlier state: what this host has of it is newer.
        ahead = known is not None and row is not None and known.serial > row.serial
        if row is not None and row.state == WRITING and row.idle_ms < (STALE_MS if changed else UNFINISHED_MS):
            return
        if row is not None and row.state == WHOLE and not ahead:
            self._settle_whole(item, row, known, signature, settle_seconds)
        elif row is not None and row.state == REMOVED and not changed and not ahead:
            now = self.table.find(item.place.key, item.name)
            if now is not None and (now.state, now.stamp) == (REMOVED, row.stamp):
                item.drop()
                item.forget()
        elif known is not None and known.is_lacking(signature):
            raise OSError("a file of it is missing, and no other host has it; put it back, or remove it whole")
        elif item.is_settled(settle_seconds, time.time()):
            self.publish(item.place, item.name, instead_of=row if ahead else None)

    def _settle_whole(
        self, item: Item, row: SharedFile, known: Known | None, signature: Signature, settle_seconds: float
    ) -> None:
        """It is here, and in the store."""
        same = known is not None and known.stamp == row.stamp
        if known is not None and known.signature == signature:
            if not same:
                self._bring(item, row, signature)
            return
        facts = self.table.files(item.place.key, item.name, row.stamp)
        if facts is None or not item.is_settled(settle_seconds, time.time()):
            return
        if item.holds(facts):
            item.note(row.stamp, row.serial, signature)
        elif known is not None and known.is_lacking(signature):
            self._bring(item, row, signature)
        elif same:
            self.publish(item.place, item.name)
        else:
            self._give_way(item)
            self._bring(item, row, signature if item.is_here() else None)

    def _bring(self, item: Item, row: SharedFile, seen: Signature | None) -> None:
        """Fetch, but not again and again what cannot be had, and never over what somebody is making.

        :param seen: what lies there whole; None = nothing does.
        """
        key = (item.place.key, item.name)
        stamp, until = self._failed.get(key, ("", 0.0))
        if stamp == row.stamp and time.monotonic() < until:
            return
        if seen is None and item.path.exists():  # not whole
            if not item.is_remainder(item.known()) and not item.is_idle(UNFINISHED_SECONDS, time.time()):
                return
            if item.known() is None and not item.place.derived:
                self._set_aside(item)
            else:
                item.drop()
        try:
            self.fetch(item.place, item.name, row, seen)
        except OSError:
            self._failed[key] = (row.stamp, time.monotonic() + AGAIN_SECONDS)
            raise

    def _give_way(self, item: Item) -> None:
        """Another host's came first under this name."""
        if item.place.derived:
            return
        make_way = self.make_way.get(item.place.key)
        if make_way is not None:
            make_way(item.name)
            return
        self._set_aside(item)

    @staticmethod
    def _set_aside(item: Item) -> None:
        aside = item.set_aside(f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
        _LOG.warning(
            "Another host of this portal has another '%s' (%s). That one counts on all hosts; this host's own was "
            "moved to %s.", item.name, item.place.key, aside,
        )  # fmt: skip

    def publish(self, place: Place, name: str, *, instead_of: SharedFile | None = None) -> bool:
        """Give what is here to the other hosts, whole or not at all; False = another host's is there.

        :param instead_of: what it replaces in the store; None = what was exchanged last.
        :raises OSError: it cannot be read, or changes meanwhile.
        :raises StorageError: the store cannot be reached.
        """
        item, stamp = Item(self.data, place, name), secrets.token_hex(16)
        before, known = item.signature(), item.known()
        base = instead_of.stamp if instead_of is not None else known.stamp if known is not None else None
        # Given again as it was, it is no newer than it was.
        serial = known.serial if known is not None and known.signature == before else 0
        serial = self.table.begin(place.key, name, stamp, instead_of=base, serial=serial)
        if not serial:
            return False
        writer = _Writer(self.table, place.key, name, stamp)
        try:
            facts = item.facts(writer)
            if item.signature() != before:
                raise OSError("it changed while it was read")
            if not self.table.finish(place.key, name, stamp, sum(fact.bytes for fact in facts), written(facts)):
                return False
        except BaseException:
            self.table.give_up(place.key, name, stamp)
            raise
        item.note(stamp, serial, before)
        return True

    def fetch(self, place: Place, name: str, row: SharedFile, seen: Signature | None = None) -> bool:
        """Put what another host has in its place here; False = it has changed or gone meanwhile, there or here.

        :param seen: what lies in its place and may be replaced; None = nothing does.
        :raises OSError: it cannot be written, or what came is damaged.
        :raises StorageError: the store cannot be reached.
        """
        item = Item(self.data, place, name)
        lock = self.notes / place.key / f"{name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(lock):
            known = item.known()
            if item.is_here() and known is not None and (known.stamp, known.signature) == (row.stamp, item.signature()):
                return True  # somebody else has just fetched it
            facts = self.table.files(place.key, name, row.stamp)
            if facts is None:
                return False
            try:
                return item.install(row.stamp, row.serial, read(facts), self._parts(row.stamp), seen)
            except DamagedError:
                now = self.table.find(place.key, name)
                if now is not None and (now.stamp, now.state) == (row.stamp, WHOLE):
                    raise
                return False

    def given(self, place: Place, *, seconds: float = LOOK_SECONDS) -> Mapping[str, SharedFile]:
        """What every host has or is about to have, by name; as it was so many seconds ago at most.

        :raises StorageError: the store cannot be reached.
        """
        now = time.monotonic()
        known = self._given.get(place.key)
        if known is None or now - known[0] >= seconds:
            rows = self.table.listed([place.key])
            known = self._given[place.key] = (now, {row.name: row for row in rows if row.state == WHOLE})
        return known[1]

    def elsewhere(self, place: Place, name: str) -> SharedFile | None:
        """What the hosts have under a name now, whether or not this one has it yet; None = nothing.

        :raises StorageError: the store cannot be reached.
        """
        found = self.table.find(place.key, name)
        return found if found is not None and found.state == WHOLE else None

    def arriving(self, place: Place, name: str) -> float | None:
        """How much of what other hosts have is here, 0–1; None = they have nothing of that name.

        :raises StorageError: the store cannot be reached.
        """
        if not place.fits(name):
            return None
        row = self.elsewhere(place, name)
        if row is None:
            return None
        arrived = (work_folder(self.data, place) / row.stamp).glob("*")
        return min(1.0, sum(map(_bytes_of, arrived)) / max(row.bytes, 1))

    def is_coming(self, place: Place, name: str) -> bool:
        """Whether something is here that the other hosts do not know yet, or they have it, and it is on its way here.

        :raises StorageError: the store cannot be reached.
        """
        item = Item(self.data, place, name)
        return item.known() is None if item.is_here() else name in self.given(place)

    def tidy(self, places: Collection[Place]) -> None:
        """Remove what was left of work that was interrupted, here and in the store, and notes of what is nowhere.

        :raises StorageError: the store cannot be reached.
        """
        for place in places:
            for left in work_folder(self.data, place).glob("*"):
                with contextlib.suppress(OSError):  # it is being removed
                    # What was unpacked has the times of change that it had on its host.
                    changed = max(path.stat().st_ctime for path in (left, *left.glob("*")))
                    if time.time() - changed > LEFT_SECONDS:
                        shutil.rmtree(left, ignore_errors=True)
        self.table.sweep()
        rows = self.table.listed([place.key for place in places])
        there = {(row.place, row.name) for row in rows if row.state != REMOVED}
        for place in places:
            for note in (self.notes / place.key).glob("*"):
                name = note.stem  # of a note or a lock
                if place.fits(name) and (place.key, name) not in there and not place.is_whole(self.data, name):
                    note.unlink(missing_ok=True)

    def remove(self, place: Place, name: str) -> None:
        """Take it away from every host; this one's goes like the others'.

        :raises StorageError: the store cannot be reached; nothing is removed.
        """
        self.table.remove(place.key, name)
        self._given.pop(place.key, None)

    def _parts(self, stamp: str) -> Iterator[bytes]:
        number = 0
        while (part := self.table.part(stamp, number)) is not None:
            yield part
            number += 1

    @staticmethod
    def _marked(item: Item, row: SharedFile) -> dict[str, int]:
        """When it was last watched: the later of here and elsewhere counts in both."""
        here = item.marked_ms()
        if row.watched_ms > here and item.is_here():
            item.mark(row.watched_ms)
        return {item.name: here} if here >= row.watched_ms + MARK_MS else {}


class _Writer:
    """Writes the parts of one file."""

    def __init__(self, table: SharedTable, place: str, name: str, stamp: str) -> None:
        self._table, self._place, self._name, self._stamp = table, place, name, stamp
        self._number = 0

    def __call__(self, part: bytes) -> None:
        if not self._table.put(self._place, self._name, self._stamp, self._number, part):
            raise OSError("another process has taken it over")
        self._number += 1


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it has arrived
        return 0


def _unwritable(data: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The folder {shorten(str(data), 200)} cannot be written: {error.strerror or error}. Free some space or mend "
        "its permissions, or point TFT_DASH_DATA to another folder."
    )
