"""Text to plain values: YAML or JSON, guarded against text that is made to hurt.

Both give the same values for what looks the same: plain words are read as YAML 1.2 and JSON do. ``no`` and ``12:30``
are text, ``010`` is ten, ``1e3`` is a number, and a date is text that the field it stands in reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Never

import yaml

from tft_dash.errors import DocumentError
from tft_dash.scenarios.format.fields import show

MOST_CHARACTERS: Final = 262_144
TOO_LONG: Final = f"is too long; at most {MOST_CHARACTERS:,} characters are read."
DEEPEST: Final = 40
WHOLE: Final = "document"
"""The path of mistakes that concern the document as a whole."""

_TAG: Final = "tag:yaml.org,2002:"
_WORDS: Final = {"true": True, "false": False}
_NUMBER_BASES: Final = {"0o": 8, "0x": 16}
_RESOLVERS: Final = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)


def load_text(text: str, source: str) -> object:
    """The value that ``text`` holds, as YAML or JSON: groups with text for names, lists, text, numbers, true, false.

    :raises DocumentError: it is too long or too deep, neither YAML nor JSON, uses YAML's aliases or tags of its own,
        or names a field twice.
    """
    if len(text) > MOST_CHARACTERS:
        raise _refused(source, TOO_LONG)
    try:
        value = _load_json(text) if text.lstrip().startswith("{") else _load_yaml(text)
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise _refused(source, f"is not readable{where}: {error.problem or error.context}.") from error
    except yaml.reader.ReaderError as error:
        # A binary file has such characters, too: the line says where to look for one in a text.
        where = f"line {text.count(chr(10), 0, error.position) + 1}"
        raise _refused(source, f"is no plain text: U+{error.character:04X} in {where} cannot stand there.") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise _refused(source, "is neither YAML nor JSON, or holds a value that cannot be read.") from error
    if ("\\u" in text.lower() or not text.isascii()) and _is_broken(value):
        raise _refused(source, "holds half a character (one of \\ud800 to \\udfff alone); write the whole one.")
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


def dump_text(value: object) -> str:
    """Plain values as YAML, which :func:`load_text` and any other reader of YAML read back as they are."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _refused(source: str, message: str) -> DocumentError:
    return DocumentError(source, [(WHOLE, message)])


def _is_broken(value: object) -> bool:
    """Whether a text in it is none that can be sent or stored."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _load_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_int=_whole)
    except json.JSONDecodeError:
        return _load_yaml(text)


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise yaml.MarkedYAMLError(problem=f"the field {show(name)} stands twice in one place")
        found[name] = value
    return found


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise yaml.MarkedYAMLError(problem=f"{show(text)} is no number that can be read") from error


def _load_yaml(text: str) -> object:
    loader = _Loader(text)
    try:
        value: object = loader.get_single_data()
        return value
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """YAML without aliases (they can grow a short text beyond any memory), repeated names, or values JSON has not."""

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
        """The fields under their names as they are written, as JSON would have them."""
        if not isinstance(node, yaml.MappingNode):
            raise yaml.MarkedYAMLError(problem="a group of fields is expected here", problem_mark=node.start_mark)
        found: dict[Any, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a field's name must be plain text", problem_mark=key.start_mark)
            if key.value in found:
                problem = f"the field {show(key.value)} stands twice in one place"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            found[key.value] = self.construct_object(value, deep=deep)
        return found

    def construct_undefined(self, node: yaml.Node) -> Never:
        """A tag of YAML's that asks for more than a plain value."""
        tag = str(node.tag).replace(_TAG, "!!")
        problem = f"the tag {show(tag)} is not supported; write a plain value"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)

    def number(self, node: yaml.ScalarNode) -> Any:  # noqa: ANN401 - int or float
        """A whole number or one with a point, as the node's tag has it."""
        text = str(self.construct_scalar(node))
        try:
            if node.tag == f"{_TAG}int":
                return int(text, _NUMBER_BASES.get(text[:2], 10))
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError as error:
            problem = f"{show(text)} is no number that can be read"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error

    def word(self, node: yaml.ScalarNode) -> bool:
        """True or false."""
        text = str(self.construct_scalar(node))
        if text.lower() not in _WORDS:
            raise yaml.MarkedYAMLError(problem=f"{show(text)} is not true or false", problem_mark=node.start_mark)
        return _WORDS[text.lower()]


_Loader.yaml_implicit_resolvers = {}
_Loader.yaml_constructors = {
    f"{_TAG}null": yaml.SafeLoader.construct_yaml_null,
    f"{_TAG}bool": _Loader.word,
    f"{_TAG}int": _Loader.number,
    f"{_TAG}float": _Loader.number,
    f"{_TAG}str": yaml.SafeLoader.construct_yaml_str,
    f"{_TAG}seq": yaml.SafeLoader.construct_yaml_seq,
    f"{_TAG}map": yaml.SafeLoader.construct_yaml_map,
    None: _Loader.construct_undefined,
}


class _Dumper(yaml.SafeDumper):
    """Quotes what an older reader of YAML takes for no text (``no``, ``12:30``), and what this one does (``1e3``)."""


for _name, _pattern, _starts in _RESOLVERS:
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", _pattern, _starts)
    _Dumper.add_implicit_resolver(f"{_TAG}{_name}", _pattern, _starts)
