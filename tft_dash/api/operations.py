"""Every address of version 1 of the JSON interface, what it takes and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_YAML: Final = "application/yaml"
_CSV: Final = "text/csv"
_PARQUET: Final = "application/vnd.apache.parquet"
_ANY_FILE: Final = "application/octet-stream"
DOCUMENT: Final = (_YAML, "application/json")
"""What a document is sent as; the kind that a request declares is not believed."""

SAMPLES: Final = ("application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream")
KEY: Final = "Key of a scenario in the library."
FILTERS: Final = "JSON: {filters: [{column, kind, operator, value, value_to}], sorts: [{column, descending}]}."


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    :param gives: status → words of :mod:`tft_dash.api.shapes`, or ``file:`` and a media type; ``""`` = no body.
    :param fails: statuses of refusals; 403 and 503 need no mention, they can always be.
    :param query: name → what it means.
    :param headers: likewise.
    :param takes: a word for the JSON body, a tuple of media types for a document or a file, None for no body.
    :param schema: the word of a document that is sent.
    """

    method: str
    path: str
    summary: str
    gives: Mapping[int, str]
    fails: tuple[int, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: str | tuple[str, ...] | None = None
    schema: str | None = None


PATH_WORDS: Final[Mapping[str, str]] = {
    "name": "Name of a source; it may hold slashes.",
    "tick": "Number of a tick, from 0; latest; or a time such as 2026-11-27T03:10:00Z: the last tick not after it.",
    "key": KEY,
    "run_id": "Id of a run.",
    "upload_id": "Id of an upload.",
    "problem": "Id of a problem.",
    "source": "Name of a source that is pushed: one configured as name=push://name.",
}
WHOLE_NUMBERS: Final = ("version", "first", "limit", "rows")
REPEATED: Final = ("column",)
_FORMAT: Final = {"format": "yaml or json: the document alone, as a file that can be imported elsewhere."}
_VERSION: Final = {"version": "The version that was edited, where no If-Match says it."}
_IF_MATCH: Final = {"If-Match": 'The version that was edited, as in "3".'}
_PAGE: Final = {
    "first": "The first row, from 0.",
    "limit": "How many rows, at most 500.",
    "view": FILTERS,
    "column": "Only this column; may be given several times.",
}
_LIBRARY: Final = "/api/v1/scenarios"
_DATA: Final = "/api/v1/datasets"
_UPLOAD: Final = "/api/v1/uploads/{upload_id}"
_WAIT: Final = (404, 422)

OPERATIONS: Final = (
    Operation("get", "/api/v1/openapi.json", "This description.", {200: "object"}),
    Operation("get", "/api/v1/sources", "The sources that are served.", {200: "[#Source]"}),
    Operation("get", "/api/v1/models", "The risk models.", {200: "[#Model]"}),
    Operation(
        "get", "/api/v1/sources/{name}/ticks/{tick}", "One tick of a source, judged by a model.", {200: "#Frame"},
        fails=_WAIT, query={"model": "Name of a risk model; without it the default one."},
    ),
    Operation(
        "post", "/api/v1/sources/{name}/watching",
        "Somebody watches the source: a generated recording is kept for three minutes more.", {204: ""}, fails=(404,),
    ),
    Operation(
        "get", "/api/v1/alerts", "Every alert that is pending, firing, recovering, or was resolved a little while ago.",
        {200: "[#Alert]"}, query={"source": "Only of this source."},
    ),
    Operation(
        "get", "/api/v1/problems", "What alerts make together, the newest first.", {200: "[#Problem]"}, fails=(400,),
        query={"source": "Only of this source.", "standing": "true: only those that are not over.",
               "limit": "How many, at most 1000; 200 without it."},
    ),
    Operation(
        "get", "/api/v1/problems/{problem}", "A problem with its timeline.", {200: "#ProblemEntry"}, fails=(404,)
    ),
    Operation(
        "get", "/api/v1/problems/{problem}/post-mortem.html", "All that is on record of a problem, as one file.",
        {200: "file:text/html"}, fails=(404,),
    ),
    Operation(
        "get", "/api/v1/problems/outcomes.csv", "What people have said of problems, as calibrate --outcomes reads it.",
        {200: f"file:{_CSV}"}, fails=(404,), query={"source": "Only of this live source."},
    ),
    Operation(
        "get", _LIBRARY, "The library: the saved scenarios, newest change first, then the presets.",
        {200: "[#ScenarioSummary]"}, query={"archived": "true: the archived ones instead."},
    ),
    Operation(
        "post", _LIBRARY, "Add a document; where its name is taken, its key gets -2, -3 and so on.",
        {201: "#ScenarioEntry"}, fails=(422,), takes=DOCUMENT, schema="#Scenario",
    ),
    Operation(
        "post", f"{_LIBRARY}/check", "Whether a document is fine; nothing is kept.", {200: "#Checked"}, fails=(422,),
        takes=DOCUMENT, schema="#Scenario",
    ),
    Operation(
        "get", f"{_LIBRARY}/{{key}}", "A scenario with its document; its version is the ETag.",
        {200: f"#ScenarioEntry file:{_YAML}"}, fails=(400, *_WAIT), query=_FORMAT,
    ),
    Operation(
        "put", f"{_LIBRARY}/{{key}}", "Save the next version of a scenario.", {200: "#ScenarioEntry"},
        fails=(404, 409, 422, 428), query=_VERSION, headers=_IF_MATCH, takes=DOCUMENT, schema="#Scenario",
    ),
    Operation("delete", f"{_LIBRARY}/{{key}}", "Take a scenario out of the library.", {200: "#Deleted"}, fails=_WAIT),
    Operation(
        "post", f"{_LIBRARY}/{{key}}/restore", "Bring a deleted scenario back.", {200: "#ScenarioEntry"}, fails=_WAIT
    ),
    Operation(
        "post", f"{_LIBRARY}/{{key}}/duplicate", "Add a copy of a scenario or preset.", {201: "#ScenarioEntry"},
        fails=_WAIT,
    ),
    Operation("post", f"{_LIBRARY}/{{key}}/archive", "Put a scenario away.", {200: "#ScenarioEntry"}, fails=_WAIT),
    Operation(
        "post", f"{_LIBRARY}/{{key}}/unarchive", "Take it out again.", {200: "#ScenarioEntry"}, fails=_WAIT
    ),
    Operation(
        "post", f"{_LIBRARY}/{{key}}/runs",
        "Make the scenario's recording in the background; 200 where it is there already.",
        {202: "#Run", 200: "#Run"}, fails=(404, 413, 422),
    ),
    Operation("get", "/api/v1/runs", "The newest runs first.", {200: "[#Run]"}),
    Operation("get", "/api/v1/runs/{run_id}", "How far a run is.", {200: "#Run"}, fails=(404,)),
    Operation("delete", "/api/v1/runs/{run_id}", "Stop a run; nothing is left of it.", {200: "#Run"}, fails=(404,)),
    Operation("get", _DATA, "Everything that can be inspected, with what is known of it.", {200: "[#Dataset]"}),
    Operation(
        "post", _DATA, "Send a CSV or Parquet file as the body.", {201: "#Upload"}, fails=(400, 413),
        query={"filename": "What the file is called; only a label."}, takes=(_ANY_FILE,),
    ),
    Operation("delete", f"{_DATA}/{{name}}", "Remove an upload or a recording.", {200: "#Removed"}, fails=(400, 404)),
    Operation(
        "get", f"{_DATA}/{{name}}/report", "The verdict, as tft-dash check --json gives it.", {200: "object"},
        fails=_WAIT,
    ),
    Operation("get", f"{_DATA}/{{name}}/columns", "What is in each column.", {200: "[object]"}, fails=_WAIT),
    Operation(
        "get", f"{_DATA}/{{name}}/gaps", "Samples present, missing, duplicate and offline by server and time.",
        {200: "object"}, fails=_WAIT,
    ),
    Operation(
        "get", f"{_DATA}/{{name}}/rows", "A page of rows, filtered and sorted.", {200: "#RowPage"},
        fails=(400, *_WAIT), query=_PAGE,
    ),
    Operation(
        "get", f"{_DATA}/{{name}}/rows.csv", "The rows of a view as CSV.", {200: f"file:{_CSV}"}, fails=(400, *_WAIT),
        query={"view": FILTERS},
    ),
    Operation(
        "get", f"{_DATA}/{{name}}/rows.parquet", "The rows of a view as Parquet.", {200: f"file:{_PARQUET}"},
        fails=(400, *_WAIT), query={"view": FILTERS},
    ),
    Operation("get", "/api/v1/uploads", "Files that were sent and are no dataset yet.", {200: "[#Upload]"}),
    Operation("get", _UPLOAD, "How far an upload is.", {200: "#Upload"}, fails=(404,)),
    Operation("delete", _UPLOAD, "Throw an upload away.", {200: "#Discarded"}, fails=(404,)),
    Operation(
        "post", f"{_UPLOAD}/mapping", "The first rows before and after a mapping; without one, as proposed.",
        {200: "object"}, fails=(400, 404, 413, 422), query={"rows": "How many rows, at most 50."}, takes=DOCUMENT,
        schema="#Mapping",
    ),
    Operation(
        "post", f"{_UPLOAD}/admit", "Take an upload in as a dataset; ask how far it is until it is ready.",
        {202: "#Upload"}, fails=(400, 404, 413, 422), takes="#Admission",
    ),
    Operation(
        "post", "/api/v1/ingest/{source}",
        "Push samples to a source: a list of rows, or an object with that list as samples; gzip is understood. Sending "
        "them again changes nothing. 202: a part of them was not taken, and errors says why.",
        {200: "#Pushed", 202: "#Pushed"}, fails=(400, 401, 403, 404, 413, 415, 422, 429),
        headers={"Authorization": "Bearer and a token that is configured for the source."}, takes=SAMPLES,
        schema="[#Sample]",
    ),
    Operation("get", "/api/v1/mappings/schema", "JSON Schema of a mapping document.", {200: "object"}),
)  # fmt: skip
