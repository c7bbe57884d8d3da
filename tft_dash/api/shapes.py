"""What the JSON interface's answers look like, as JSON Schemas made from short words.

A field's type is a word: ``string``, ``integer``, ``number``, ``boolean``, ``object``, ``time``; ``#Name`` for another
shape; ``[x]`` for a list of x; and ``x?`` for x or null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tft_dash.schema import METRIC_NAMES

Shape = Mapping[str, str]

SHAPES: Final[Mapping[str, tuple[str, Shape]]] = {
    "Error": ("What went wrong and what to do.", {"error": "string"}),
    "Mistake": ("One mistake in a document.", {"path": "string", "message": "string"}),
    "Mistakes": ("Every mistake in a document, in its order.", {"error": "string", "errors": "[#Mistake]"}),
    "NotReady": (
        "It is being prepared: ask again after Retry-After seconds. progress is the share that is done.",
        {"error": "string", "progress": "number"},
    ),
    "Difference": (
        "One field that differs; null where it is not there. Phases, faults and profiles stand by name in the path.",
        {"path": "string", "before": "any", "after": "any"},
    ),
    "Conflict": (
        "Somebody else has saved meanwhile. version and document are in force now; nothing was overwritten.",
        {"error": "string", "version": "integer", "document": "#Scenario", "differences": "[#Difference]"},
    ),
    "Phase": ("A named span: ticks first to last.", {"name": "string", "first": "integer", "last": "integer"}),
    "Source": (
        "A source that is served; one that cannot be shown has error and nulls.",
        {
            "name": "string", "kind": "string?", "title": "string?", "servers": "integer?", "metrics": "[string]",
            "ticks": "integer?", "step_seconds": "number?", "start": "time?", "end": "time?", "live": "boolean?",
            "simulated": "boolean", "phases": "[#Phase]", "notices": "[string]", "digest": "string",
            "error": "string?",
        },
    ),
    "Model": (
        "A risk model and how far it can be trusted.",
        {
            "name": "string", "title": "string", "version": "string", "summary": "string", "calibrated": "boolean",
            "uses_labels": "boolean", "step_seconds": "number?", "context_ticks": "integer",
            "horizons_minutes": "[integer]", "metrics": "[string]", "trained_on": "string", "simulated": "boolean",
            "forecasts": "boolean", "digest": "string", "fitted": "string",
        },
    ),
    "ServerNow": (
        "One server at a tick; null = nothing was reported.",
        {
            "server_name": "string", "profile": "string", "state": "string", "risk": "number?",
            **dict.fromkeys(METRIC_NAMES, "number?"), "drivers": "[string]",
        },
    ),
    "Frame": (
        "One tick of a source, judged by a model; instead tells why it is another one than was asked for.",
        {
            "source": "string", "tick": "integer", "ticks": "integer?", "timestamp": "time", "phase": "string?",
            "progress": "number?", "health": "string", "prob_30m": "number?", "prob_8h": "number?",
            "active_servers": "integer", "total_servers": "integer", "model": "#Model", "instead": "string?",
            "servers": "[#ServerNow]",
        },
    ),
    "ScenarioSummary": (
        "A scenario of the library; url is the page that opens it.",
        {
            "key": "string", "preset": "boolean", "version": "integer", "name": "string", "title": "string",
            "description": "string", "tags": "[string]", "owner": "string?", "author": "string", "created": "time?",
            "updated": "time?", "archived": "boolean", "duration_seconds": "number", "ticks": "integer",
            "servers": "integer", "digest": "string", "url": "string",
        },
    ),
    "Checked": ("The document has no mistake.", {"valid": "boolean", "digest": "string"}),
    "Deleted": ("It is gone from the library; restore brings it back.", {"key": "string", "deleted": "boolean"}),
    "Run": (
        "A recording that is made, or was: queued, running, done, failed or cancelled. url is the live monitor on it.",
        {
            "id": "string", "title": "string", "scenario": "string", "source": "string", "state": "string",
            "progress": "number", "position": "integer?", "message": "string", "rows": "integer", "author": "string",
            "created": "time", "started": "time?", "finished": "time?", "url": "string?",
        },
    ),
    "Dataset": (
        "A dataset and what is known of it without reading it; changed is in seconds since 1970.",
        {
            "name": "string", "kind": "string", "origin": "string", "format": "string?", "servers": "integer?",
            "rows": "integer?", "ticks": "integer?", "span_seconds": "number?", "step_seconds": "number?",
            "bytes": "integer?", "changed": "number?", "verdict": "string?", "error": "string?",
        },
    ),
    "RowColumn": (
        "A column of the row view; field is what the rows call it.",
        {"field": "string", "name": "string", "type": "string", "kind": "string", "note": "string?"},
    ),
    "RowPage": (
        "Some rows of a view: those from first on, how many match it, and how many there are.",
        {
            "columns": "[#RowColumn]", "rows": "[object]", "first": "integer", "matching": "integer",
            "total": "integer",
        },
    ),
    "Upload": (
        "A file that was sent: received, needs-mapping, working, ready or refused. name is the source's, once ready.",
        {
            "id": "string", "filename": "string", "bytes": "integer", "received": "time", "state": "string",
            "progress": "number", "message": "string", "name": "string?", "remembered": "boolean",
            "mapping": "#Mapping?", "mapping_yaml": "string?",
        },
    ),
    "Discarded": ("The upload is gone.", {"id": "string", "deleted": "boolean"}),
    "Removed": ("The dataset is gone.", {"name": "string", "deleted": "boolean"}),
    "Admission": ("What to admit an upload as; both optional.", {"name": "string?", "mapping": "#Mapping?"}),
}  # fmt: skip
"""Shape → what it says, and its fields."""


def shape_schemas() -> dict[str, Any]:
    """A JSON Schema for every shape."""
    found = {name: _object(words, fields) for name, (words, fields) in SHAPES.items()}
    whole = {"allOf": [schema_of("#ScenarioSummary"), _object("", {"document": "#Scenario"})]}
    return {**found, "ScenarioEntry": {"description": "A scenario with its document.", **whole}}


def schema_of(word: str) -> dict[str, Any]:
    """The JSON Schema that a word stands for."""
    if word.endswith("?"):
        return {"anyOf": [schema_of(word[:-1]), {"type": "null"}]}
    if word.startswith("["):
        return {"type": "array", "items": schema_of(word[1:-1])}
    if word.startswith("#"):
        return {"$ref": f"#/components/schemas/{word[1:]}"}
    if word == "time":
        return {"type": "string", "format": "date-time"}
    return {} if word == "any" else {"type": word}


def _object(words: str, fields: Shape) -> dict[str, Any]:
    properties = {name: schema_of(word) for name, word in fields.items()}
    return {"type": "object", **({"description": words} if words else {}), "properties": properties}
