"""Mappings that files were admitted with, remembered by the names of the files' columns."""

from __future__ import annotations

from collections.abc import Sequence

from tft_dash.errors import ConflictError
from tft_dash.importing.mapping import Mapping, MappingError, as_plain, parse_mapping
from tft_dash.store.documents import Documents


class MappingMemory:
    """What mappings were used before.

    :param documents: where they are kept, by the signature of the columns.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

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
