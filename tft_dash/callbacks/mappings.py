"""From the fields of the import form to a mapping document, and back from its mistakes to the fields."""

from __future__ import annotations

from collections.abc import Mapping as Group
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tft_dash.components import entry_name
from tft_dash.errors import DocumentError, TftDashError, shorten
from tft_dash.importing.mapping import Mapping, parse_mapping
from tft_dash.importing.preview import MappingPreview
from tft_dash.importing.uploads import Uploads
from tft_dash.pages.mapping_form import NO_COLUMN
from tft_dash.schema import METRIC_NAMES

Problem = tuple[str, str]

PARQUET_ENDINGS: Final = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Preview:
    """What became of the form.

    :param mapping: None while the document has mistakes.
    :param shown: the rows; None when they could not be made.
    """

    mapping: Mapping | None
    shown: MappingPreview | None
    problems: tuple[Problem, ...]


def about_upload(label: str, message: str) -> str:
    """A file's name and what is said of it; a message that begins with the name does not say it twice."""
    name = shorten(label)
    if not message:
        return name
    return message if message.startswith(name) else f"{name}: {message}"


def csv_is_asked(label: str) -> bool:
    """Whether a file of this name is asked how its CSV is written."""
    return not label.lower().endswith(PARQUET_ENDINGS)


def document_of(fields: Sequence[Group[str, Any]], values: Sequence[Any], about: Group[str, Any]) -> dict[str, Any]:
    """The mapping document that the form's fields stand for; what is empty is left out.

    :param fields: the components' ids, each with its ``path``.
    :param about: has the document's ``metadata``.
    """
    plain: dict[str, Any] = {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": dict(about["metadata"])}
    for field, value in zip(fields, values, strict=True):
        if value in (None, "", [], NO_COLUMN):
            continue
        place = plain
        *parents, last = str(field["path"]).split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = [entry_name(one) for one in value] if isinstance(value, list) else value
    spec = plain.setdefault("spec", {})
    _drop_idle(spec)
    return plain


def _drop_idle(spec: dict[str, Any]) -> None:
    """A unit or a time format alone says nothing: its column was not chosen."""
    columns = spec.get("columns", {})
    for metric in METRIC_NAMES:
        if metric in columns and "from" not in columns[metric]:
            del columns[metric]
    if "from" not in spec.get("timestamp", {"from": ""}):
        del spec["timestamp"]


def judged(uploads: Uploads, upload_id: str, document: dict[str, Any], asked: int) -> Preview:
    """What the document makes of the upload's first rows.

    :param asked: the number of the page's question; of two drafts the one with the higher number is kept.
    """
    try:
        mapping = parse_mapping(document, "The mapping")
    except DocumentError as error:
        return Preview(None, None, error.problems)
    try:
        uploads.keep_draft(upload_id, mapping, asked)
        shown = uploads.preview(upload_id, mapping)
    except DocumentError as error:
        return Preview(mapping, None, error.problems)
    except TftDashError as error:
        return Preview(mapping, None, (("document", str(error)),))
    return Preview(mapping, shown, shown.problems)


def placed(problems: Sequence[Problem], places: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The words for every place of the form, and the problems that have no place."""
    words: dict[str, list[str]] = {place: [] for place in places}
    others = []
    for path, message in problems:
        place = _nearest(path, places)
        if place is None:
            others.append((path, message))
        else:
            words[place].append(message)
    return [" ".join(words[place]) for place in places], others


def _nearest(path: str, places: Sequence[str]) -> str | None:
    """The place of a path itself, of its first part in the form, or of the list that it is an entry of."""
    if path in places:
        return path
    inside = [place for place in places if place.startswith(f"{path}.")]
    if inside and path != "spec.columns":
        return inside[0]
    listed = path.split("[", 1)[0]
    return listed if listed in places else None
