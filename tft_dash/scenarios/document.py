"""A scenario as a document: read with every mistake found, written back, digested, described by JSON Schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from tft_dash.errors import DocumentError
from tft_dash.scenarios.format.checks import cross_problems
from tft_dash.scenarios.format.loader import MOST_CHARACTERS, TOO_LONG, WHOLE, as_document, dump_text, load_text
from tft_dash.scenarios.format.parts import Metadata, Part, Spec
from tft_dash.scenarios.format.wording import Problem, document_order, path_text, problems_of
from tft_dash.scenarios.overrides import overridden

MOST_BYTES: Final = 4 * MOST_CHARACTERS
"""As many as the longest text can have: a character takes up to four."""
READ_BYTES: Final = MOST_BYTES + 1
"""As many as need to be read of a document of unknown length: one more shows that it is too long."""

MOST_MISTAKES: Final = 500
"""As many are told at once; a page could not show a hundred thousand."""


class Scenario(Part):
    """A whole document: with its seed it determines a drill byte for byte."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["Scenario"] = Field(description="Always Scenario.")
    metadata: Metadata = Field(description="Name and title.")
    spec: Spec = Field(description="The drill itself.")

    @property
    def name(self) -> str:
        """Short name."""
        return self.metadata.name

    @property
    def title(self) -> str:
        """Heading for people; the name where none is given."""
        return self.metadata.title or self.metadata.name

    def with_overrides(
        self,
        *,
        duration_seconds: float | None = None,
        tick_seconds: float | None = None,
        fleet_size: int | None = None,
        seed: int | None = None,
    ) -> Scenario:
        """The same story in another size; phases and faults keep their share of the duration, profiles their mix.

        :raises SettingError: a value is impossible, or the drill would be too large.
        :raises DocumentError: the document names a server or needs a span that is not there any more.
        """
        spec = overridden(
            self.spec, duration_seconds=duration_seconds, tick_seconds=tick_seconds, fleet_size=fleet_size, seed=seed
        )
        changed = self.model_copy(update={"spec": spec})
        return parse_document(as_mapping(changed), f"scenario '{self.name}' in another size")


def read_document(content: bytes, source: str) -> Scenario:
    """The scenario in the bytes of a file or a request, whatever sends them: UTF-8, with a byte order mark or without.

    :param content: the document; :data:`READ_BYTES` of a longer one are enough to refuse it.
    :param source: what to call it in messages.
    :raises DocumentError: with every mistake and its path.
    """
    if len(content) > MOST_BYTES:
        raise DocumentError(source, [(WHOLE, TOO_LONG)])
    try:
        return parse_document(content.decode("utf-8-sig"), source)
    except UnicodeDecodeError as error:
        raise DocumentError(source, [(WHOLE, "is not UTF-8 text; a scenario is written as YAML or JSON.")]) from error


def parse_document(document: str | Mapping[str, Any], source: str) -> Scenario:
    """The scenario that a YAML or JSON text, or the mapping in one, describes.

    :param source: what to call it in messages: a path, or "the request".
    :raises DocumentError: with every mistake and its path, in the order of the document.
    """
    raw = as_document(load_text(document, source) if isinstance(document, str) else document, source)
    scenario, problems = None, []
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        problems = problems_of(error, _field_names())
    problems += cross_problems(raw)
    if problems or scenario is None:
        raise DocumentError(source, _listed(sorted(problems, key=document_order(raw))))
    return scenario


def _listed(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    shown = [(path_text(location), words) for location, words in problems[:MOST_MISTAKES]]
    more = len(problems) - len(shown)
    if more:
        shown.append((WHOLE, f"has {more:,} more mistakes. They are told once these are mended."))
    return shown


def as_mapping(scenario: Scenario) -> dict[str, Any]:
    """The document as plain values; durations as ``1m30s``."""
    dumped = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: _without_empty(value) for name, value in dumped.items()}


def _without_empty(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_empty(inner) for name, inner in value.items() if inner not in ({}, [], "")}
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


def to_yaml(scenario: Scenario) -> str:
    """The document as YAML that :func:`parse_document` reads back as an equal scenario."""
    return dump_text(as_mapping(scenario))


def document_digest(scenario: Scenario) -> str:
    """SHA-256 of the document in a canonical form; equal for documents that say the same."""
    text = json.dumps(as_mapping(scenario), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario document, with a description for every field."""
    return Scenario.model_json_schema(by_alias=True)


@cache
def _field_names() -> tuple[str, ...]:
    return tuple(sorted(set(_names_in(json_schema()))))


def _names_in(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for entry in schema:
            yield from _names_in(entry)
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _names_in(part)
