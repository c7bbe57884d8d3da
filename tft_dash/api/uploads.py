"""Uploads over HTTP: a file is sent, looked at, mapped where it must be, and admitted among the sources."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, cast

from flask import Flask, Response, request

from tft_dash.api.answers import answer_error, json_answer, make_blueprint
from tft_dash.errors import LimitError, UsageError
from tft_dash.importing.mapping import LONGEST_DOCUMENT, Mapping, as_plain, parse_mapping, read_mapping, to_yaml
from tft_dash.importing.mapping import json_schema as mapping_schema
from tft_dash.importing.preview import PREVIEW_ROWS
from tft_dash.importing.uploads import Upload
from tft_dash.services import Services

_MOST_ROWS = 50
_NO_FORM = (
    "The file was sent as a form. Send it as the body itself: "
    'curl --data-binary @FILE "…/api/v1/datasets?filename=NAME".'
)


def register_uploads(server: Flask, services: Services) -> None:
    """Add ``/api/v1/uploads/…`` and the writing half of ``/api/v1/datasets`` under the base path."""
    blueprint = make_blueprint("api-uploads")
    uploads = services.uploads

    blueprint.register_error_handler(UsageError, _answer_usage)

    @blueprint.post("/api/v1/datasets")
    def receive() -> Response:
        if request.mimetype == "multipart/form-data":
            raise UsageError(_NO_FORM)
        # The body is the file itself: a form would be parsed, and copied, before anybody could refuse it.
        stream = cast(BinaryIO, request.stream)
        upload = uploads.receive(request.args.get("filename", ""), stream, request.content_length)
        place = f"{services.settings.base_path}api/v1/uploads/{upload.id}"
        return json_answer(upload_payload(upload), 201, {"Location": place})

    @blueprint.get("/api/v1/uploads")
    def pending() -> Response:
        return json_answer([upload_payload(upload) for upload in uploads.pending()])

    @blueprint.get("/api/v1/uploads/<upload_id>")
    def state(upload_id: str) -> Response:
        return json_answer(upload_payload(uploads.get(upload_id)))

    @blueprint.delete("/api/v1/uploads/<upload_id>")
    def discard(upload_id: str) -> Response:
        uploads.discard(upload_id)
        return json_answer({"id": upload_id, "deleted": True})

    @blueprint.post("/api/v1/uploads/<upload_id>/mapping")
    def preview(upload_id: str) -> Response:
        uploads.get(upload_id)
        body = _body()
        mapping = read_mapping(body, "The mapping") if body.strip() else None
        rows = request.args.get("rows", default=PREVIEW_ROWS, type=int)
        shown = uploads.preview(upload_id, mapping, max(1, min(rows, _MOST_ROWS)))
        return json_answer({"valid": not shown.problems, **shown.as_dict()})

    @blueprint.post("/api/v1/uploads/<upload_id>/admit")
    def admit(upload_id: str) -> Response:
        uploads.get(upload_id)
        name, mapping = _admission()
        return json_answer(upload_payload(uploads.admit(upload_id, name=name, mapping=mapping)), 202)

    @blueprint.delete("/api/v1/datasets/<name>")
    def remove(name: str) -> Response:
        services.remove(name)
        return json_answer({"name": name, "deleted": True})

    @blueprint.get("/api/v1/mappings/schema")
    def schema() -> Response:
        return json_answer(mapping_schema())

    base = services.settings.base_path.rstrip("/")
    server.register_blueprint(blueprint, url_prefix=base or None)


def upload_payload(upload: Upload) -> dict[str, Any]:
    """An upload as plain values; the mapping as a document and as its text."""
    return {
        "id": upload.id,
        "filename": upload.label,
        "bytes": upload.bytes,
        "received": upload.received.isoformat(),
        "state": upload.state,
        "progress": upload.progress,
        "message": upload.message,
        "name": upload.name,
        "remembered": upload.remembered,
        "mapping": None if upload.mapping is None else as_plain(upload.mapping),
        "mapping_yaml": None if upload.mapping is None else to_yaml(upload.mapping),
    }


def _answer_usage(error: UsageError) -> Response:
    """A request that does not fit is 400; what is more particular has its own status."""
    return json_answer({"error": str(error)}, 400) if type(error) is UsageError else answer_error(error)


def _body() -> bytes:
    if (request.content_length or 0) > LONGEST_DOCUMENT:
        raise LimitError(f"The request is larger than {LONGEST_DOCUMENT:,} bytes; a mapping is a small document.")
    return request.stream.read(LONGEST_DOCUMENT + 1)


def _admission() -> tuple[str | None, Mapping | None]:
    """The name and the mapping that a request gives; ``{}`` or no body at all gives neither."""
    body = _body()
    if not body.strip():
        return None, None
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict) or not plain.keys() <= {"name", "mapping"}:
        raise UsageError('Give a JSON object with "name" and "mapping", both optional.')
    name, mapping = plain.get("name"), plain.get("mapping")
    if name is not None and not isinstance(name, str):
        raise UsageError("The name must be text.")
    if isinstance(mapping, str):
        return name, read_mapping(mapping, "The mapping")
    return name, None if mapping is None else parse_mapping(mapping, "The mapping")
