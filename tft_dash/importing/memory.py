"""Mappings that files were admitted with, remembered by the names of the files' columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tft_dash.errors import ConflictError
from tft_dash.importing.guarded.desk import NEEDS_MAPPING, READY, Desk
from tft_dash.importing.mapping import Mapping, MappingError, as_plain, parse_mapping, read_mapping
from tft_dash.store.documents import Documents

SIGNATURE: Final = "signature.json"
"""The file beside an upload with the names of its columns."""

DRAFT: Final = "draft.yaml"
"""The mapping as somebody has changed it on the page, so that a reload loses nothing."""

_NUMBER: Final = "# draft "
_LATEST_MS: Final = 10_000
"""A draft that seems to come so much too late is none that was late: it is of a browser whose clock is behind."""


def numbered(text: str, number: int) -> str:
    """A draft that tells its number."""
    return f"{_NUMBER}{number}\n{text}"


def is_overtaken(desk: Desk, number: int) -> bool:
    """Whether a later draft than that of this number is kept already.

    :param number: milliseconds by the clock of the browser that has asked.
    """
    first = (desk.text(DRAFT) or "").partition("\n")[0].removeprefix(_NUMBER)
    return first.isdecimal() and 0 < int(first) - number < _LATEST_MS


class MappingMemory:
    """What mappings were used before.

    :param documents: where they are kept, by the signature of the columns.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def mapping_of(self, desk: Desk, state: str) -> tuple[Mapping | None, bool]:
        """The mapping of an upload, proposed or used, and whether it is that of earlier files with these columns.

        What an upload was admitted with is remembered as soon as it is seen to be ready.
        """
        given = _readable(desk.text("mapping.yaml"))
        if state == NEEDS_MAPPING:
            given = _readable(desk.text(DRAFT)) or given
        if state == NEEDS_MAPPING and given is None:
            proposed = _readable(desk.text("proposal.yaml"))
            known = proposed and self.recall(desk.read(SIGNATURE).get("signature"), proposed)
            return (known or proposed), known is not None
        if state == READY and given is not None:
            self._remember_once(desk, given)
        return given, False

    def _remember_once(self, desk: Desk, mapping: Mapping) -> None:
        about = desk.read(SIGNATURE)
        if about and not about.get("remembered"):
            self.remember(about["signature"], about["columns"], mapping)
            desk.write(SIGNATURE, {**about, "remembered": True})

    def recall(self, signature: str | None, proposed: Mapping) -> Mapping | None:
        """The mapping for files of that signature; a server's name taken from the file's stays the proposed one's."""
        found = self._documents.get(signature) if signature else None
        if found is None or found.deleted:
            return None
        try:
            known = parse_mapping(found.body["mapping"], "the remembered mapping")
        except (MappingError, KeyError):
            return None  # written by another version; the proposal stands in
        mine, theirs = known.spec.columns.server_name, proposed.spec.columns.server_name
        if mine is None or theirs is None or mine.value is None or theirs.value is None:
            return known
        columns = known.spec.columns.model_copy(update={"server_name": theirs})
        spec = known.spec.model_copy(update={"columns": columns})
        return known.model_copy(update={"spec": spec, "metadata": proposed.metadata})

    def remember(self, signature: str, columns: Sequence[str], mapping: Mapping) -> None:
        """Keep a mapping for the next file of the same columns."""
        body = {"columns": list(columns)[:1000], "mapping": as_plain(mapping)}
        known = self._documents.get(signature)
        if known is None:
            self._documents.add(signature, body)
        elif known.body.get("mapping") != body["mapping"]:
            try:
                self._documents.save(signature, body, version=known.version)
            except ConflictError:
                return  # another worker remembers the same upload at the same moment


def _readable(text: str | None) -> Mapping | None:
    """The mapping in a file of an upload; None where there is none, or it is another version's."""
    try:
        return None if text is None else read_mapping(text, "the mapping")
    except MappingError:
        return None
