"""A mapping as a document: what the columns of a foreign file mean, in which units, and how its times are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Group
from functools import cache
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from tft_dash.errors import DocumentError, shorten
from tft_dash.importing.parts import SERVER_MARK, Columns, Metadata, Part, Spec
from tft_dash.scenarios.format.fields import show
from tft_dash.scenarios.format.loader import WHOLE, dump_text, load_text
from tft_dash.scenarios.format.wording import document_order, path_text, problems_of
from tft_dash.schema import COLUMNS

LONGEST_DOCUMENT: Final = 262_144


class MappingError(DocumentError):
    """A mapping document is invalid; carries every problem with its path."""

    def __init__(self, source: str, problems: Any) -> None:  # noqa: ANN401 - as its base
        super().__init__(source, problems)
        self.args = (str(self.args[0]).replace("in the scenario document.", "in the mapping document.", 1),)


class Mapping(Part):
    """A whole document."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["Mapping"] = Field(description="Always Mapping.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="The mapping itself.")

    @property
    def name(self) -> str:
        """Short name."""
        return self.metadata.name


def read_mapping(content: bytes | str, source: str) -> Mapping:
    """The mapping that a YAML or JSON text describes.

    :param source: what to call it in messages: a path, or "the request".
    :raises MappingError: with every mistake and its path.
    """
    if isinstance(content, bytes):
        if len(content) > LONGEST_DOCUMENT:
            raise MappingError(source, [(WHOLE, f"is {len(content):,} bytes long; at most {LONGEST_DOCUMENT:,}.")])
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MappingError(source, [(WHOLE, "is not UTF-8 text. Save it as UTF-8.")]) from error
    try:
        loaded = load_text(content, source)
    except DocumentError as error:
        raise MappingError(source, error.problems) from error
    return parse_mapping(loaded, source)


def parse_mapping(value: object, source: str) -> Mapping:
    """The mapping in a document's plain values.

    :raises MappingError: with every mistake and its path.
    """
    if not isinstance(value, Group):
        words = "is no mapping: it must be a group of fields with apiVersion, kind, metadata and spec, not "
        raise MappingError(source, [(WHOLE, f"{words}{'nothing' if value is None else show(value)}.")])
    mapping, problems = None, []
    try:
        mapping = Mapping.model_validate(value)
    except ValidationError as error:
        problems = problems_of(error, _field_names())
    problems += _cross_problems(mapping)
    if problems or mapping is None:
        ordered = sorted(problems, key=document_order(value))
        raise MappingError(source, [(path_text(location), words) for location, words in ordered])
    return mapping


def _cross_problems(mapping: Mapping | None) -> list[tuple[tuple[int | str, ...], str]]:
    """Mistakes between the parts of a document whose parts are right by themselves."""
    if mapping is None:
        return []
    spec, found = mapping.spec, list[tuple[tuple[int | str, ...], str]]()
    if spec.layout == "narrow" and spec.narrow is None:
        found.append((("spec", "narrow"), "is missing; a narrow table needs metric and value."))
    if spec.layout != "narrow" and spec.narrow is not None:
        found.append((("spec", "narrow"), f"goes with layout narrow only, not with {spec.layout}."))
    found += _keep_problems(spec.keep)
    if spec.layout != "wide":
        return found
    if spec.columns.server_name is not None:
        words = "is not given in a wide table; the columns' names have the servers."
        found.append((("spec", "columns", "server_name"), words))
    for name, given in spec.columns.metrics().items():
        if given.from_.count(SERVER_MARK) != 1:
            words = f"must have {SERVER_MARK} once, where the server's name stands, not '{shorten(given.from_, 40)}'."
            found.append((("spec", "columns", name, "from"), words))
    return found


def _keep_problems(names: Sequence[str]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for place, name in enumerate(names):
        if name in COLUMNS:
            yield ("spec", "keep", place), f"'{name}' is a column of the contract; give it under columns."
        elif name in names[:place]:
            yield ("spec", "keep", place), f"'{shorten(name)}' stands twice."


def as_plain(mapping: Mapping) -> dict[str, Any]:
    """The document as plain values, without what is left at its default."""
    spec = mapping.spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    columns = dict(spec.get("columns", {}))
    for name, part in mapping.spec.columns.metrics().items():
        columns[name] = {"from": part.from_, "unit": part.unit}
    plain = {"layout": mapping.spec.layout, **spec}
    if columns:
        plain["columns"] = {name: columns[name] for name in Columns.model_fields if name in columns}
    metadata = mapping.metadata.model_dump(mode="json", exclude_defaults=True)
    return {"apiVersion": mapping.api_version, "kind": mapping.kind, "metadata": metadata, "spec": plain}


def to_yaml(mapping: Mapping) -> str:
    """The document as YAML that :func:`read_mapping` reads back as an equal mapping."""
    return dump_text(as_plain(mapping))


def mapping_digest(mapping: Mapping) -> str:
    """SHA-256 of the document in a canonical form; equal for documents that say the same."""
    text = json.dumps(as_plain(mapping), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping document, with a description for every field."""
    return Mapping.model_json_schema(by_alias=True)


@cache
def _field_names() -> tuple[str, ...]:
    schema = json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))
