"""How a CSV file is written, told from its first bytes and the values in them."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from tft_dash.importing.parts import Csv

_LOOK_BYTES: Final = 1 << 20
_LOOK_LINES: Final = 200
_SEPARATORS: Final[tuple[Literal[",", ";", "\t", "|"], ...]] = (",", ";", "\t", "|")

_THOUSANDS: Final = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+\s*%?\s*")


def guess_dialect(path: Path) -> Csv:
    """The dialect that the file's beginning speaks for."""
    with path.open("rb") as file:
        head = file.read(_LOOK_BYTES)
    encoding = guess_encoding(path, head)
    text = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    lines = text.splitlines()[: _LOOK_LINES + 1]
    if len(lines) > 1 and len(head) == _LOOK_BYTES:
        lines = lines[:-1]
    separator, skipped = _guess_separator(lines)
    return Csv(
        separator=separator,
        decimal=_guess_decimal(lines[skipped + 1 :], separator),
        encoding=encoding,
        skip_lines=skipped,
    )


def guess_encoding(path: Path, head: bytes) -> Literal["utf-8", "latin-1", "windows-1252"]:
    """UTF-8 where the whole file is; else Windows-1252 where it has that one's own letters, else Latin-1."""
    if head.startswith(b"\xef\xbb\xbf") or _is_utf8(path):
        return "utf-8"
    own = [byte for byte in set(head) if 0x80 <= byte <= 0x9F]
    undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    return "windows-1252" if own and not undefined.intersection(own) else "latin-1"


def _is_utf8(path: Path) -> bool:
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_LOOK_BYTES):
            whole = rest + chunk
            try:
                whole.decode("utf-8")
                rest = b""
            except UnicodeDecodeError as error:
                # A letter may be cut in two by the end of the piece.
                if error.end < len(whole) or len(whole) - error.start > 3:
                    return False
                rest = whole[error.start :]
    return not rest


def _guess_separator(lines: Sequence[str]) -> tuple[Literal[",", ";", "\t", "|"], int]:
    """The separator that cuts most lines into the same number of parts, and how many lines stand before the header."""
    best: tuple[tuple[float, int], Literal[",", ";", "\t", "|"], int] = ((-1.0, 0), ",", 0)
    for separator in _SEPARATORS:
        widths = _widths(lines, separator)
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width) * (width > 1), width))
        share = widths.count(usual) / len(widths) if usual > 1 else 0.0
        skipped = next((place for place, width in enumerate(widths) if width == usual), 0) if usual > 1 else 0
        score = (round(share, 1), usual)
        if score > best[0]:
            best = (score, separator, skipped)
    return best[1], best[2]


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    try:
        return [len(row) for row in csv.reader(lines, delimiter=separator)]
    except csv.Error:
        return []


def _guess_decimal(lines: Sequence[str], separator: str) -> Literal[".", ","]:
    if separator == ",":
        # Quoted numbers with a comma: between thousands, or before decimals.
        cells = [cell for row in csv.reader(lines, delimiter=",") for cell in row if not _THOUSANDS.fullmatch(cell)]
    else:
        cells = list(itertools.chain.from_iterable(line.split(separator) for line in lines))
    commas = sum(_is_number(cell.strip().strip('"'), ",") for cell in cells)
    points = sum(_is_number(cell.strip().strip('"'), ".") for cell in cells)
    return "," if commas > points else "."


def _is_number(cell: str, decimal: str) -> bool:
    whole, found, part = cell.lstrip("+-").rstrip("% ").partition(decimal)
    return bool(found) and whole.isdigit() and part.isdigit()
