"""Reads from an ONNX file which operator sets it needs, without the package ``onnx``.

An ONNX file is a protocol-buffers message. Only two of its fields are looked at: ``ModelProto.opset_import`` (8) and
in it ``domain`` (1) and ``version`` (2); see onnx.proto. Everything else is skipped unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_OPSET_IMPORT: Final = 8
_DOMAIN, _VERSION = 1, 2
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_LONGEST_VARINT: Final = 10


def operator_sets(content: bytes) -> dict[str, int]:
    """Domain → version of the operator sets that the graph needs; ``""`` is ONNX itself.

    :raises ValueError: this is no ONNX file.
    """
    found = {}
    for field, value in _fields(content):
        if field == _OPSET_IMPORT:
            if not isinstance(value, bytes):
                raise ValueError("an operator set that is no message")
            parts = dict(_fields(value))
            domain, version = parts.get(_DOMAIN, b""), parts.get(_VERSION, 0)
            if not isinstance(domain, bytes) or not isinstance(version, int):
                raise ValueError("an operator set without a version")
            found[domain.decode("utf-8", "replace")] = version
    return found


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field of a message."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        kind = key & 7
        if kind == _VARINT:
            number, place = _varint(content, place)
            yield key >> 3, number
            continue
        if kind == _BYTES:
            size, place = _varint(content, place)
        elif kind in (_FIXED_32, _FIXED_64):
            size = 4 if kind == _FIXED_32 else 8
        else:
            raise ValueError(f"a field of unknown kind {kind}")
        if place + size > len(content):
            raise ValueError("it ends in the middle of a field")
        yield key >> 3, content[place : place + size]
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
