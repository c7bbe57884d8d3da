"""What ``tft-dash check`` says of a table: for people as text, for scripts as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tft_dash.errors import shorten
from tft_dash.sources.findings import Example, Finding, counted
from tft_dash.sources.recording.alignment import duration
from tft_dash.sources.rules import ERROR, SEVERITIES

_WIDTH: Final = 110
_INDENT: Final = "  "
_UNITS: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found in one table.

    :param path: as the user gave it.
    :param facts: rows, servers, span, step, jitter, size, digest, format; what could not be found out is absent.
    :param findings: worst first.
    """

    path: str
    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]

    @property
    def acceptable(self) -> bool:
        """Whether the table keeps the contract: no finding is an error."""
        return all(finding.severity != ERROR for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "path": self.path,
            "acceptable": self.acceptable,
            "facts": dict(self.facts),
            "findings": [finding.as_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Report:
        """The report that :meth:`as_dict` wrote."""
        return cls(plain["path"], plain["facts"], tuple(Finding.from_dict(one) for one in plain["findings"]))

    def as_text(self) -> str:
        """For people: the verdict, the facts, and each finding with its first rows and what to do."""
        lines = [self._verdict(), *_facts(self.facts)]
        for finding in self.findings:
            lines += ["", *_finding(finding)]
        return "\n".join(lines)

    def _verdict(self) -> str:
        counts = [
            counted(number, severity)
            for severity in SEVERITIES
            if (number := sum(finding.severity == severity for finding in self.findings))
        ]
        word = "keeps the data contract" if self.acceptable else "breaks the data contract"
        return f"{shorten(self.path)} {word}: {', '.join(counts) or 'nothing to report'}."


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    shown = {
        "format": facts.get("format"),
        "files": facts.get("files"),
        "size": _size(facts["size_bytes"]) if "size_bytes" in facts else None,
        "rows": f"{facts['rows']:,}" if "rows" in facts else None,
        "servers": f"{facts['servers']:,}" if "servers" in facts else None,
        "ticks": f"{facts['ticks']:,}" if "ticks" in facts else None,
        "from": facts.get("start"),
        "to": facts.get("end"),
        "span": duration(facts["span_seconds"]) if "span_seconds" in facts else None,
        "step": duration(facts["step_seconds"]) if "step_seconds" in facts else None,
        "jitter": duration(facts["jitter_seconds"]) if facts.get("jitter_seconds") else None,
        "metrics": ", ".join(facts["metrics"]) if "metrics" in facts else None,
        "digest": facts.get("digest"),
    }
    lines = [f"{_INDENT}{name:<10}{value}" for name, value in shown.items() if value is not None]
    if lines:
        yield ""
        yield from lines


def _finding(finding: Finding) -> Iterator[str]:
    head = f"{finding.severity:<9}{finding.rule}"
    yield head
    yield from _wrapped(finding.sentence)
    yield from _examples(finding.examples)
    yield from _wrapped(f"What to do: {finding.advice}")


def _wrapped(text: str) -> list[str]:
    # A break inside a word would cut paths and names.
    return textwrap.wrap(
        text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )


def _examples(examples: tuple[Example, ...]) -> Iterator[str]:
    several_files = len({example.file for example in examples}) > 1
    rows = [_cells(example, several_files=several_files) for example in examples]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for row in rows:
        yield (_INDENT * 2 + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()


def _cells(example: Example, *, several_files: bool) -> tuple[str, str, str, str]:
    row = "" if example.row is None else f"row {example.row:,}"
    where = f"{shorten(example.file)} {row}" if several_files and row else row
    value = "" if example.row is None or example.value is None else shorten(example.value, 40)
    return where, example.time or "no time", example.server or "no name", value


def _size(count: int) -> str:
    for size, word in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {word}"
    return counted(count, "byte")
