"""Reads an ONNX file, and cuts from it the part that one output needs, without the package ``onnx``.

An ONNX file is a protocol-buffers message; see onnx.proto for the numbers of the fields. Whatever is not named here is
left as it is. ONNX Runtime runs every node of a graph, also those that nobody asks for: what is not to be paid for must
not be in the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_GRAPH, _OPSET_IMPORT = 7, 8
_DOMAIN, _VERSION = 1, 2
_NODE, _INITIALIZER, _OUTPUT, _VALUE_INFO = 1, 5, 12, 13
_NODE_INPUT, _NODE_OUTPUT, _NODE_ATTRIBUTE = 1, 2, 5
_PORT_NAME, _INITIALIZER_NAME = 1, 8
_ATTRIBUTE_GRAPHS: Final = (6, 11)
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_LONGEST_VARINT: Final = 10


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message.

    :param raw: all its bytes, key and length included.
    """

    number: int
    value: int | bytes
    raw: bytes


def operator_sets(content: bytes) -> dict[str, int]:
    """Domain → version of the operator sets that the graph needs; ``""`` is ONNX itself.

    :raises ValueError: this is no ONNX file.
    """
    found = {}
    for field in _fields(content):
        if field.number == _OPSET_IMPORT:
            if not isinstance(field.value, bytes):
                raise ValueError("an operator set that is no message")
            parts = {part.number: part.value for part in _fields(field.value)}
            domain, version = parts.get(_DOMAIN, b""), parts.get(_VERSION, 0)
            if not isinstance(domain, bytes) or not isinstance(version, int):
                raise ValueError("an operator set without a version")
            found[domain.decode("utf-8", "replace")] = version
    return found


def part_for(content: bytes, output: str) -> bytes:
    """The same model with nothing in its graph but what ``output`` needs; all inputs stay.

    :raises ValueError: this is no ONNX file, or none of its nodes makes ``output``.
    """
    parts = []
    for field in _fields(content):
        whole = field.number != _GRAPH or not isinstance(field.value, bytes)
        parts.append(field.raw if whole else _message(_GRAPH, _cut(_message_of(field), output.encode())))
    return b"".join(parts)


def _cut(graph: bytes, output: bytes) -> bytes:
    fields = list(_fields(graph))
    needed, nodes = {output}, set()
    for place in range(len(fields) - 1, -1, -1):  # nodes are sorted: what makes a value comes before who reads it
        if fields[place].number == _NODE:
            node = _message_of(fields[place])
            if needed & set(_texts(node, _NODE_OUTPUT)):
                nodes.add(place)
                needed |= _read_by(node)
    if not nodes:
        raise ValueError(f"no node makes {output.decode(errors='replace')}")
    return b"".join(field.raw for place, field in enumerate(fields) if _stays(field, place in nodes, needed, output))


def _stays(field: _Field, is_needed: bool, needed: set[bytes], output: bytes) -> bool:
    if field.number == _NODE:
        return is_needed
    if field.number == _INITIALIZER:
        return not needed.isdisjoint(_texts(_message_of(field), _INITIALIZER_NAME))
    if field.number == _OUTPUT:
        return output in _texts(_message_of(field), _PORT_NAME)
    return field.number != _VALUE_INFO  # only hints, and of values that may be gone


def _read_by(node: bytes) -> set[bytes]:
    """The values that a node reads, those within a graph that it holds included."""
    found = set(_texts(node, _NODE_INPUT)) - {b""}  # the name of an input that is left out
    for attribute in _messages(node, _NODE_ATTRIBUTE):
        for number in _ATTRIBUTE_GRAPHS:
            for graph in _messages(attribute, number):
                found.update(*(_texts(port, _PORT_NAME) for port in _messages(graph, _OUTPUT)))
                found.update(*(_read_by(inner) for inner in _messages(graph, _NODE)))
    return found


def _messages(message: bytes, number: int) -> list[bytes]:
    return [_message_of(field) for field in _fields(message) if field.number == number]


def _texts(message: bytes, number: int) -> list[bytes]:
    return [field.value for field in _fields(message) if field.number == number and isinstance(field.value, bytes)]


def _message_of(field: _Field) -> bytes:
    if not isinstance(field.value, bytes):
        raise ValueError(f"field {field.number} is no message")
    return field.value


def _message(number: int, content: bytes) -> bytes:
    return _as_varint(number << 3 | _BYTES) + _as_varint(len(content)) + content


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _fields(content: bytes) -> Iterator[_Field]:
    """Every field of a message, in order."""
    place = 0
    while place < len(content):
        start = place
        key, place = _varint(content, place)
        kind = key & 7
        if kind == _VARINT:
            number, place = _varint(content, place)
            yield _Field(key >> 3, number, content[start:place])
            continue
        if kind == _BYTES:
            size, place = _varint(content, place)
        elif kind in (_FIXED_32, _FIXED_64):
            size = 4 if kind == _FIXED_32 else 8
        else:
            raise ValueError(f"a field of unknown kind {kind}")
        if place + size > len(content):
            raise ValueError("it ends in the middle of a field")
        yield _Field(key >> 3, content[place : place + size], content[start : place + size])
        place += size


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if place >= len(content):
            raise ValueError("it ends in the middle of a number")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, place
    raise ValueError("a number without an end")
