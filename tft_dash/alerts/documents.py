"""Reading the documents of this room: every mistake at once, each with its path, as scenario documents are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from tft_dash.errors import DocumentError
from tft_dash.scenarios.format.fields import show
from tft_dash.scenarios.format.loader import MOST_CHARACTERS, TOO_LONG, WHOLE, load_text
from tft_dash.scenarios.format.wording import Location, Problem, document_order, path_text, problems_of

MOST_MISTAKES: Final = 500
MOST_BYTES: Final = 4 * MOST_CHARACTERS
_OWN_WORDS: Final = {
    "union_tag_not_found": "must say what it looks at, as check: risk or check: metric.",
    "union_tag_invalid": "looks at something unknown; check must be one of {expected_tags}.",
}
Document = TypeVar("Document", bound=BaseModel)
Between = Callable[[Mapping[str, Any]], Iterator[Problem]]
"""What finds the mistakes between the parts of a document."""


class AlertDocumentError(DocumentError):
    """A document of alert rules or dependencies is invalid; carries every problem with its path."""

    def __init__(self, source: str, problems: Sequence[tuple[str, str]], what: str = "alert rules") -> None:
        self.what = f"document of {what}"
        super().__init__(source, problems)


def read(model: type[Document], document: str | bytes | Mapping[str, Any], source: str, between: Between) -> Document:
    """The document that a YAML or JSON text, its bytes, or the mapping in one, describes.

    :raises AlertDocumentError: with every mistake and its path, in the order of the document.
    """
    raw = _mapping(model, document, source)
    found, problems = None, []
    try:
        found = model.model_validate(raw)
    except ValidationError as error:
        problems = [(_location(place), words) for place, words in problems_of(error, _fields(model), _OWN_WORDS)]
    problems += between(raw)
    if problems or found is None:
        ordered = sorted(problems, key=document_order(raw))
        shown = [(path_text(place), words) for place, words in ordered[:MOST_MISTAKES]]
        more = len(ordered) - len(shown)
        if more:
            shown.append((WHOLE, f"has {more:,} more mistakes. They are told once these are mended."))
        raise AlertDocumentError(source, shown, _what(model))
    return found


def _mapping(model: type[BaseModel], document: str | bytes | Mapping[str, Any], source: str) -> Mapping[str, Any]:
    try:
        if isinstance(document, bytes):
            if len(document) > MOST_BYTES:
                raise AlertDocumentError(source, [(WHOLE, TOO_LONG)], _what(model))
            document = document.decode("utf-8-sig")
        value = load_text(document, source) if isinstance(document, str) else document
    except UnicodeDecodeError as error:
        raise AlertDocumentError(source, [(WHOLE, "is not UTF-8 text. Save it as UTF-8.")], _what(model)) from error
    except DocumentError as error:
        raise AlertDocumentError(source, error.problems, _what(model)) from error
    if isinstance(value, Mapping):
        return value
    words = f"must be a group of fields with apiVersion, kind: {_kind(model)}, metadata and spec, not "
    raise AlertDocumentError(source, [(WHOLE, f"{words}{'nothing' if value is None else show(value)}.")], _what(model))


def _kind(model: type[BaseModel]) -> str:
    """What the document's kind must be."""
    return str(getattr(model.model_fields["kind"].annotation, "__args__", ("",))[0])


def _what(model: type[BaseModel]) -> str:
    """The same in words: alert rules."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _kind(model)).lower()


def _location(location: Location) -> Location:
    """As the author wrote it: without the name of the kind of check that pydantic puts in."""
    tagged = location[:2] == ("spec", "rules") and location[3:4] == ("when",) and len(location) > 5
    return location[:4] + location[5:] if tagged else location


@cache
def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))
