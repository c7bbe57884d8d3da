"""Everything that can be wrong with a table, or worth knowing about it: one row for every rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tft_dash.schema import SERVER_NAME_LIMIT, STATES

ERROR: Final = "error"
WARNING: Final = "warning"
NOTICE: Final = "notice"
SEVERITIES: Final = (ERROR, WARNING, NOTICE)
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    :param sentence: what was found; ``{column}``, ``{rows}`` ("3 rows"), ``{values}``, ``{samples}``,
        ``{share}`` and ``{detail}`` are filled in.
    :param advice: what to do.
    :param shown: whether a viewer of the page must know; the others stand in the report only.
    """

    severity: str
    sentence: str
    advice: str
    shown: bool


RULES: Final[Mapping[str, Rule]] = {
    "unreadable-table": Rule(ERROR, "{detail}", "Nothing can be shown before that is mended.", shown=False),
    "missing-column": Rule(
        ERROR,
        "{detail}.",
        "Add the column, or map the file's own names with tft-dash import or by an upload on the page Datasets.",
        shown=True,
    ),
    "unusable-column": Rule(
        ERROR, "{column} is of type {detail} and is left out.", "Write it as plain numbers, text or times.", shown=True
    ),
    "duplicate-column": Rule(
        ERROR, "{column} occurs more than once in the header; the first is read.", "Rename or drop the others.", True
    ),
    "malformed-row": Rule(
        ERROR,
        "{rows} with too few or too many values ({share}), left out.",
        "Quote values that hold commas or quotation marks; write the last line completely.",
        shown=True,
    ),
    "bad-timestamp": Rule(
        ERROR,
        "{rows} without a readable timestamp ({share}), left out.",
        "Write times in ISO 8601 with a zone, such as 2024-05-01T12:00:00Z.",
        shown=True,
    ),
    "bad-server-name": Rule(
        ERROR,
        "{rows} with an impossible server name ({share}), left out.",
        f"Give every row a name of 1 to {SERVER_NAME_LIMIT} printable characters.",
        shown=True,
    ),
    "text-in-number": Rule(
        ERROR,
        "{column}: {values} of text instead of a number ({share}), treated as missing.",
        "Write plain numbers with a decimal point, without units; leave a missing value empty.",
        shown=True,
    ),
    "infinite-value": Rule(
        ERROR,
        "{column}: {values} of infinite size ({share}), treated as missing.",
        "Leave a value that was not measured empty.",
        shown=True,
    ),
    "out-of-range": Rule(
        ERROR,
        "{column}: {values} outside {detail} ({share}), treated as missing.",
        "Correct the unit or the export.",
        shown=True,
    ),
    "unknown-state": Rule(
        ERROR,
        "state: {values} outside the contract's words ({share}); derived from the metrics instead.",
        f"Use {', '.join(STATES)}, or leave the column out.",
        shown=True,
    ),
    "duplicate-row": Rule(
        WARNING,
        "{rows} repeating the server and time of another ({share}; {detail}); the last one wins.",
        "Drop repeated rows.",
        shown=True,
    ),
    "shared-tick": Rule(
        WARNING,
        "{rows} sharing a tick with a later row of the server ({share}); the later one wins.",
        "Declare a shorter step if the samples are meant to be apart.",
        shown=True,
    ),
    "gap": Rule(
        WARNING,
        "{samples} missing between a server's first and last one ({share}); {detail}.",
        "Nothing, if the servers were silent then; they are shown without data.",
        shown=False,
    ),
    "jitter": Rule(
        WARNING,
        "{rows} more than a tenth of a step away from their server's rhythm ({share}); {detail}.",
        "Nothing, if the sampling is meant to be loose; otherwise declare the step.",
        shown=False,
    ),
    "unsorted": Rule(
        WARNING, "{rows} older than an earlier row of their server ({share}).", "Nothing: they are put in order.", False
    ),
    "mixed-zones": Rule(
        WARNING,
        "timestamp is written in several zones ({detail}); all are shown in UTC.",
        "Write all times in one zone, best UTC.",
        shown=True,
    ),
    "empty-metric": Rule(
        WARNING, "{column} has no value at all and is left out.", "Drop the column or fill it.", False
    ),
    "sparse-metric": Rule(
        WARNING, "{column} is missing in {rows} ({share}).", "Nothing, if only some servers measure it.", shown=False
    ),
    "unreadable-label": Rule(
        WARNING, "{column}: {detail}; the column is left out.", "Correct the column or drop it.", shown=True
    ),
    "profile-change": Rule(
        WARNING, "{rows} with another profile than their server's first ({share}); the first is kept.", "Use one.", True
    ),
    "table-left-out": Rule(NOTICE, "{detail}.", "Nothing, or give the file by its own path.", shown=True),
    "no-profile": Rule(
        NOTICE,
        "There is no profile for {detail}; 'generic' stands in.",
        "Add a profile column (web, api, database, cache, …) to group the fleet.",
        shown=True,
    ),
    "no-state": Rule(
        NOTICE, "There is no state column; states are derived from the metrics.", "Nothing, or add it.", shown=False
    ),
    "unknown-column": Rule(NOTICE, "{column} is not part of the contract; it is ignored.", "Nothing.", shown=False),
    "label-column": Rule(
        NOTICE, "{column} is a drill's script; no model but 'scripted' reads it.", "Nothing.", shown=False
    ),
    "naive-timestamp": Rule(
        NOTICE, "{rows} with a time without a zone ({share}), read as UTC.", "Write the zone, best UTC.", shown=False
    ),
    "epoch-timestamp": Rule(
        NOTICE,
        "timestamp is a number; it is read as {detail} since 1970 in UTC.",
        "Nothing, if that is what it is; otherwise write ISO 8601.",
        shown=True,
    ),
    "default-step": Rule(
        NOTICE, "No server has two samples, so that the step is unknown; {detail}.", "Declare the step.", shown=True
    ),
    "empty-row": Rule(
        ERROR,
        "{rows} with neither a metric nor a state ({share}), left out.",
        "Send what was measured; leave out a server that says nothing.",
        shown=True,
    ),
    "bad-profile": Rule(
        ERROR,
        "profile: {values} that cannot be one ({share}), treated as not said.",
        f"Use a word of at most {SERVER_NAME_LIMIT} printable characters: web, api, database or the like.",
        shown=True,
    ),
    "late-sample": Rule(
        ERROR,
        "{rows} too late: their tick is recorded, or they are older than samples are kept ({share}); left out.",
        "Send samples sooner, check the sender's clock, or leave ticks open longer: delay= in the source's address.",
        shown=True,
    ),
    "future-sample": Rule(
        ERROR,
        "{rows} more than a step ahead of the server's clock ({share}), left out.",
        "Set the sender's clock, and write the zone of its times.",
        shown=True,
    ),
    "partial-answer": Rule(
        WARNING,
        "The source says that a part of its answer may be missing: {detail}.",
        "Look at the source's own state; what was missing then stays missing.",
        shown=True,
    ),
    "bad-metadata": Rule(NOTICE, "{detail}; it is ignored.", "Correct or remove it.", shown=True),
}
