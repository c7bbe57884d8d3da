"""Uploads: received into a folder, looked at by a guarded process, and admitted among the sources."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from tft_dash.errors import StorageError, UnknownNameError, UsageError
from tft_dash.importing.between_hosts import DesksBetweenHosts
from tft_dash.importing.guarded.datasets import INCOMING, Dataset, Datasets
from tft_dash.importing.guarded.desk import (
    NEEDS_MAPPING,
    READY,
    RECEIVED,
    WORKING,
    Desk,
    is_upload_id,
    new_upload_id,
)
from tft_dash.importing.guarded.guard import Limits
from tft_dash.importing.guarded.launching import Launcher
from tft_dash.importing.guarded.publishing import ABOUT
from tft_dash.importing.guarded.receiving import receive_file, storing
from tft_dash.importing.mapping import Mapping, MappingError, to_yaml
from tft_dash.importing.memory import DRAFT, MappingMemory, is_overtaken, numbered
from tft_dash.importing.naming import demand_name, label_of, name_of
from tft_dash.importing.preview import MappingPreview
from tft_dash.sharing.places import UPLOAD
from tft_dash.store.documents import Documents

_CANCEL_SECONDS: Final = 10.0

_LOG = logging.getLogger(__name__)


def _no_names() -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received, and where it stands.

    :param label: the file's name as it is shown; never a path.
    :param state: ``received``, ``needs-mapping``, ``working``, ``ready`` or ``refused``.
    :param progress: of the work on it, 0–1.
    :param message: why it was refused, what to map, or what was imported.
    :param name: the source's name once it is ready.
    :param mapping: what is proposed (needs-mapping), or what it was admitted with.
    :param remembered: whether the proposal is the mapping that earlier files with these columns were admitted with.
    """

    id: str
    label: str
    bytes: int
    received: datetime
    state: str
    progress: float = 0.0
    message: str = ""
    name: str | None = None
    mapping: Mapping | None = None
    remembered: bool = False


class Uploads:
    """The uploads of a portal; every worker has one over the same folder, and all see the same.

    :param folder: where uploads lie.
    :param cache: where the contract's check keeps its arrays.
    :param documents: where mappings are remembered.
    :param room: makes room for so many bytes, or raises :class:`LimitError`.
    :param taken: names that a dataset cannot have, because another source has them.
    :param between: has other hosts go on with an upload, and gives them datasets; None = there are none.
    :param prepare: ``module:function``, called in the guarded process with the table's path, the cache and a progress
        before a dataset is admitted, so that what the pages ask is there at once.
    """

    def __init__(  # noqa: PLR0913 - what the portal hands over; all but three by name
        self,
        folder: Path,
        cache: Path,
        documents: Documents,
        *,
        limit_bytes: int,
        room: Callable[[int], None],
        taken: Callable[[], Collection[str]] = _no_names,
        prepare: str = "",
        limits: Limits | None = None,
        between: DesksBetweenHosts | None = None,
    ) -> None:
        self._folder = folder
        self._memory = MappingMemory(documents)
        self._datasets = Datasets(folder, None if between is None else between.exchange)
        self._between = between
        self._told: dict[str, str] = {}
        if between is not None:
            between.exchange.make_way[UPLOAD.key] = self._make_way
        self._limit_bytes, self._room, self._taken = limit_bytes, room, taken
        self._launcher = Launcher(folder, cache, prepare, limits or Limits(), limit_bytes)

    def receive(self, filename: str, stream: BinaryIO, length: int | None) -> Upload:
        """Store what ``stream`` gives; nothing of it is read as a table yet.

        :param filename: what the sender calls it; only a label.
        :param length: how many bytes are announced; None = not known.
        :raises LimitError: it is larger than the limit, or there is no room; nothing is kept.
        :raises UsageError: it ended early.
        :raises StorageError: it cannot be written; nothing is kept.
        """
        self.tidy()
        upload_id, label = new_upload_id(), label_of(filename)
        desk = Desk(self._incoming() / upload_id)
        with storing():
            desk.folder.mkdir(parents=True)
        try:
            with storing():
                size = receive_file(stream, desk.original, length, limit_bytes=self._limit_bytes, room=self._room)
                received = datetime.now(UTC).isoformat(timespec="seconds")
                desk.write(ABOUT, {"id": upload_id, "label": label, "bytes": size, "received": received})
            if self._between is not None:
                self._between.give(desk)
            # From now on it is there: its state comes last.
            with storing():
                desk.set_state(RECEIVED)
            if self._between is not None:
                self._between.announce(desk)
        except BaseException:
            shutil.rmtree(desk.folder, ignore_errors=True)
            if self._between is not None:
                with contextlib.suppress(StorageError):
                    self._between.remove(upload_id)
            raise
        return self.get(upload_id)

    def get(self, upload_id: str) -> Upload:
        """Where an upload stands.

        :raises UnknownNameError: there is none of that id.
        """
        return self._upload(self._desk(upload_id))

    def _upload(self, desk: Desk) -> Upload:
        state = desk.read("state.json")
        about = desk.read(ABOUT)
        if not about or not state:
            raise UnknownNameError("upload", desk.folder.name, [])
        mapping, remembered = self._memory.mapping_of(desk, state["state"])
        said, progress = state["state"], desk.progress() if state["state"] == WORKING else 0.0
        if said == READY:
            progress = 1.0
            if self._between is not None and self._between.is_coming(str(state["name"])):
                said = WORKING
        return Upload(
            desk.folder.name,
            about["label"],
            about["bytes"],
            datetime.fromisoformat(about["received"]),
            said,
            progress,
            state["message"],
            state["name"],
            mapping,
            remembered,
        )

    def pending(self) -> tuple[Upload, ...]:
        """Uploads that are not admitted yet, newest first; those refused included."""
        found = []
        for folder in {*self._ids(), *(() if self._between is None else self._between.ids())}:
            with contextlib.suppress(UnknownNameError):
                found.append(self.get(folder))
        waiting = [upload for upload in found if upload.state != READY]
        return tuple(sorted(waiting, key=lambda upload: (upload.received, upload.id), reverse=True))

    def admit(self, upload_id: str, *, name: str | None = None, mapping: Mapping | None = None) -> Upload:
        """Begin to take an upload in among the sources; :meth:`get` tells how it goes.

        :param name: what the source shall be called; by default after the file. A taken name gets a number.
        :param mapping: how to read it; None = it keeps the contract as it is, else a mapping is proposed.
        :raises UnknownNameError: there is none of that id.
        :raises UsageError: the name cannot be one, or the upload is admitted already or being worked on.
        """
        desk = self._desk(upload_id)
        upload = self._upload(desk)
        if name is not None:
            demand_name(name)
        if upload.state == READY:
            raise UsageError(f"'{upload.label}' is admitted already, as {upload.name}.")
        self._room(upload.bytes)
        if self._between is not None:
            self._between.bring(desk)
            if not self._between.claim(desk):
                raise UsageError(f"'{upload.label}' is being worked on. Wait for the end, or discard it.")
        # A process that has just written down how it ended still has the lock for a moment.
        lock = desk.take(0.0 if upload.state == WORKING else _CANCEL_SECONDS)
        if lock is None:
            raise UsageError(f"'{upload.label}' is being worked on. Wait for the end, or discard it.")
        try:
            with storing():
                taken = {*self._taken(), *self._datasets.taken()}
                self._launcher.admit(desk, lock, name or name_of(upload.label), mapping, taken)
        finally:
            os.close(lock)
            self._tell(desk)
        return self.get(upload_id)

    def preview(self, upload_id: str, mapping: Mapping | None = None, rows: int = 8) -> MappingPreview:
        """The first rows before and after ``mapping``, or the proposed one; read by a guarded process.

        :raises UnknownNameError: there is none of that id.
        :raises UsageError: it cannot be read; says why.
        """
        desk = self._desk(upload_id)
        upload = self._upload(desk)
        if upload.state == READY:
            raise UsageError(f"'{upload.label}' is admitted already, as {upload.name}.")
        if self._between is not None:
            self._between.bring(desk)
        with storing():
            outcome = self._launcher.preview(desk, mapping or upload.mapping, rows)
        self._tell(desk)
        if "preview" in outcome:
            return MappingPreview.from_dict(outcome["preview"])
        if outcome.get("problems"):
            raise MappingError("The mapping", [(path, message) for path, message in outcome["problems"]])
        raise UsageError(outcome.get("message") or f"'{upload.label}' could not be looked at. Try again.")

    def keep_draft(self, upload_id: str, mapping: Mapping, number: int) -> None:
        """Keep a mapping that is being changed; whoever opens the upload again goes on from it.

        :param number: higher for a later draft, whichever comes first.
        :raises UnknownNameError: there is none of that id.
        :raises StorageError: it cannot be written.
        """
        desk = self._desk(upload_id)
        upload = self._upload(desk)
        if upload.state == NEEDS_MAPPING and upload.mapping != mapping and not is_overtaken(desk, number):
            with storing():
                desk.write_text(DRAFT, numbered(to_yaml(mapping), number))
            self._tell(desk)

    def discard(self, upload_id: str) -> None:
        """Remove an upload that is not admitted, and end the work on it.

        :raises UnknownNameError: there is none of that id.
        """
        desk = self._desk(upload_id)
        if self._between is not None:
            self._between.remove(upload_id)
        desk.abandon(_CANCEL_SECONDS)

    def datasets(self) -> tuple[Dataset, ...]:
        """What was admitted, by name."""
        return self._datasets.all()

    def remove(self, name: str) -> None:
        """Remove a dataset.

        :raises UnknownNameError: there is none of that name.
        """
        self._datasets.remove(name)

    def used_bytes(self) -> int:
        """Room that uploads take, admitted or not."""
        return self._datasets.used_bytes()

    def tidy(self) -> None:
        """Remove uploads that nobody admitted for a week, and what was left of interrupted ones."""
        for upload_id in self._ids():
            desk = Desk(self._incoming() / upload_id)
            with contextlib.suppress(OSError, StorageError):
                if desk.is_forgotten():
                    if self._between is not None:
                        self._between.remove(upload_id)
                    shutil.rmtree(desk.folder, ignore_errors=True)
        self._datasets.tidy()

    def exchange(self) -> None:
        """Let the other hosts know how the uploads on this one stand, and have what they did with them.

        What fails is logged, and tried again the next time.
        """
        if self._between is None:
            return
        for upload_id in self._ids():
            desk, said = Desk(self._incoming() / upload_id), ""
            try:
                if not self._between.is_over(desk):
                    self._desk(upload_id)
                    self._between.adopt(desk)
            except UnknownNameError:  # it was discarded
                continue
            except StorageError as error:  # one hinders no other
                said = str(error)
            if said and self._told.get(upload_id) != said:
                _LOG.warning("The upload %s cannot be gone on with on other hosts: %s", upload_id, said)
            self._told[upload_id] = said

    def arriving(self, name: str) -> float | None:
        """How much of a dataset that another host has is here, 0–1; None = there is none of that name.

        :raises StorageError: the store that tells cannot be reached.
        """
        return self._datasets.arriving(name)

    def _make_way(self, name: str) -> None:
        """Another host's dataset has that name: this host's gets another one, and its upload says which."""
        other = self._datasets.make_way(name)
        for upload_id in self._ids():
            desk = Desk(self._incoming() / upload_id)
            state = desk.read("state.json")
            if (state.get("state"), state.get("name")) == (READY, name):
                desk.set_state(READY, str(state.get("message") or ""), other)

    def _tell(self, desk: Desk) -> None:
        if self._between is not None:
            self._between.tell(desk)

    def _incoming(self) -> Path:
        return self._folder / INCOMING

    def _ids(self) -> list[str]:
        try:
            return [path.name for path in self._incoming().iterdir() if is_upload_id(path.name)]
        except OSError:
            return []

    def _desk(self, upload_id: str) -> Desk:
        """The folder of an upload, as it stands now on whichever host works on it."""
        if not is_upload_id(upload_id):
            raise UnknownNameError("upload", upload_id, [])
        desk = Desk(self._incoming() / upload_id)
        is_ours = self._between is None or self._between.take(desk)
        if not desk.folder.is_dir():
            raise UnknownNameError("upload", upload_id, [])
        if is_ours and desk.read("state.json").get("state") == WORKING:
            desk.settle()
        self._tell(desk)
        return desk
