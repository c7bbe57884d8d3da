"""Text to plain values: YAML or JSON, guarded against text that is made to hurt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from tft_dash.errors import DocumentError
from tft_dash.scenarios.format.fields import show

MOST_CHARACTERS: Final = 262_144
DEEPEST: Final = 40
WHOLE: Final = "document"
"""The path of mistakes that concern the document as a whole."""


def load_text(text: str, source: str) -> object:
    """The value that ``text`` holds, as YAML or JSON.

    :raises DocumentError: it is too long or too deep, neither YAML nor JSON, uses YAML's aliases, or names a field
        twice.
    """
    if len(text) > MOST_CHARACTERS:
        raise _refused(source, f"is {len(text):,} characters long; at most {MOST_CHARACTERS:,} are read.")
    try:
        value = _load_json(text) if text.lstrip().startswith("{") else _load_yaml(text)
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise _refused(source, f"is not readable{where}: {error.problem or error.context}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _refused(source, "is neither YAML nor JSON, or holds a value that cannot be read.") from error
    return value


def as_document(value: object, source: str) -> Mapping[str, Any]:
    """``value``, if it is a group of fields.

    :raises DocumentError: it is something else.
    """
    if isinstance(value, Mapping) and ("apiVersion" in value or "kind" in value or "spec" in value):
        return value
    found = "nothing" if value is None else show(value)
    raise _refused(
        source, f"is no scenario: it must be a group of fields with apiVersion, kind, metadata and spec, not {found}."
    )


def _refused(source: str, message: str) -> DocumentError:
    return DocumentError(source, [(WHOLE, message)])


def _load_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError:
        return _load_yaml(text)


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise yaml.MarkedYAMLError(problem=f"the field {show(name)} stands twice in one place")
        found[name] = value
    return found


def _load_yaml(text: str) -> object:
    loader = _Loader(text)
    try:
        value: object = loader.get_single_data()
        return value
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """YAML's safe loader without aliases (they can grow a short text beyond any memory) and without repeated keys."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not supported; write it out", problem_mark=event.start_mark
            )
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"it is nested deeper than {DEEPEST} levels")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a field's name must be plain text", problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"the field {show(key.value)} stands twice in one place"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
