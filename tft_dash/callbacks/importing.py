"""The import step's callbacks: the form from a mapping, the mapping from the form, and the rows that it makes."""

from __future__ import annotations

from collections.abc import Mapping as Group
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from tft_dash import components, ids
from tft_dash.callbacks.mappings import Preview, about_upload, csv_is_asked, document_of, judged, placed
from tft_dash.errors import TftDashError, UnknownNameError
from tft_dash.importing.mapping import as_plain, parse_mapping, read_mapping, to_yaml
from tft_dash.importing.uploads import Upload
from tft_dash.pages import importing as page
from tft_dash.pages import mapping_form
from tft_dash.pages.wording import day
from tft_dash.services import Services

_FIELDS: Final = {"type": "import-field", "path": ALL}
_GONE: Final = "It was discarded, or nobody imported it for a week. Send the file again on the page Datasets."
_PROBLEMS: Final = {"type": "import-problem", "path": ALL}


def register_importing(app: Dash, services: Services) -> None:
    """Add the callbacks of the import step to ``app``."""
    _opening(app, services)
    _editing(app, services)
    _documents(app)
    _finishing(app, services)


def _opening(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.IMPORT_LABEL, "children"),
        Output(ids.IMPORT_FORM, "children"),
        Output(ids.IMPORT_ABOUT, "data"),
        Output(ids.IMPORT_NAME, "value"),
        Output(ids.IMPORT_REMEMBERED, "children"),
        Output(ids.IMPORT_PASTE_BANNER, "children"),
        Input(ids.IMPORT_OPEN, "data"),
        Input(ids.IMPORT_PASTE_USE, "n_clicks"),
        State(ids.IMPORT_PASTE, "value"),
        State(ids.IMPORT_ABOUT, "data"),
    )
    def open_(opened: dict[str, Any], _clicks: int | None, text: str | None, about: dict[str, Any] | None) -> Any:  # noqa: ANN401
        if ctx.triggered_id == ids.IMPORT_PASTE_USE and about:
            return _pasted(about, text)
        return _opened(services, str(opened["id"]))


def _opened(services: Services, upload_id: str) -> tuple[Any, ...]:
    """The page of an upload: its name, the form, what the page must know, the dataset's name, what is remembered."""
    nothing: tuple[Any, ...] = ("", [], None, "")
    try:
        upload = services.uploads.get(upload_id)
        words = about_upload(upload.label, upload.message)
        if upload.state == "ready":
            return (*nothing, _already(services, upload), [])
        if upload.state == "refused" and upload.mapping is None:
            return (upload.label, *nothing[1:], components.banner("This file was refused", upload.message), [])
        preview = services.uploads.preview(upload_id)
        upload = services.uploads.get(upload_id)
    except UnknownNameError:
        return (*nothing, components.banner("This upload is not here any more", _GONE), [])
    except TftDashError as error:
        return (*nothing, components.banner("This upload cannot be mapped", str(error)), [])
    plain = as_plain(upload.mapping) if upload.mapping is not None else _empty()
    about = {
        "id": upload_id,
        "columns": list(preview.columns),
        "csv": csv_is_asked(upload.label),
        "metadata": plain["metadata"],
    }
    form = mapping_form.form(preview.columns, plain["spec"], csv=about["csv"])
    return words, form, about, str(plain["metadata"]["name"]), _remembered(services, upload), []


def _empty() -> dict[str, Any]:
    return {"metadata": {"name": "mapping"}, "spec": {"layout": "long"}}


def _already(services: Services, upload: Upload) -> Any:  # noqa: ANN401 - a banner
    href = f"{services.settings.base_path}datasets/{quote(upload.name or '', safe='')}"
    return page.done(f"{upload.label} is imported already, as {upload.name}.", href)


def _remembered(services: Services, upload: Upload) -> Any:  # noqa: ANN401 - a banner or nothing
    if upload.mapping is None:
        return []
    if not upload.remembered:
        notes = upload.mapping.metadata.description
        return components.banner("How the file was read", notes, kind="info") if notes else []
    columns = as_plain(upload.mapping)["spec"].get("columns")
    found = [one for one in services.mappings.all() if _columns_of(one.body) == columns]
    when = f" of {day(found[0].updated.timestamp())} UTC" if found else ""
    words = f"The mapping{when} for a file with the same columns is filled in. Look it over, then import."
    return components.banner("Remembered", words, kind="info")


def _columns_of(body: Group[str, Any]) -> object:
    mapping = body.get("mapping")
    return mapping.get("spec", {}).get("columns") if isinstance(mapping, Group) else None


def _pasted(about: dict[str, Any], text: str | None) -> tuple[Any, ...]:
    """The form of a document that somebody pasted; what is wrong with it beside it."""
    try:
        mapping = read_mapping(text or "", "The document")
    except TftDashError as error:
        return (no_update,) * 5 + (components.banner("This document cannot be used", str(error)),)
    plain = as_plain(mapping)
    form = mapping_form.form(about["columns"], plain["spec"], csv=about["csv"])
    done = components.banner("The form above is filled in from the document", kind="info")
    return no_update, form, {**about, "metadata": plain["metadata"]}, no_update, [], done


def _editing(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.IMPORT_FORM, "children", allow_duplicate=True),
        Input({"type": "import-field", "path": "spec.layout"}, "value"),
        Input({"type": "import-field", "path": "spec.timestamp.format"}, "value"),
        State(_FIELDS, "value"),
        State(_FIELDS, "id"),
        State(ids.IMPORT_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def reshape(_layout: str, _format: str, values: Sequence[Any], fields: Sequence[Any], about: dict[str, Any]) -> Any:  # noqa: ANN401
        """Another layout has other fields; what both have keeps its value."""
        spec = document_of(fields, values, about)["spec"]
        if mapping_form.fields_of(spec) == {field["path"] for field in fields} & mapping_form.CHANGING:
            return no_update
        return mapping_form.form(about["columns"], spec, csv=about["csv"])

    app.clientside_callback(
        ClientsideFunction("tft_dash", "importAsk"),
        Output(ids.IMPORT_ASKED, "data"),
        Input(_FIELDS, "value"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.IMPORT_ANSWER, "data"),
        Input(ids.IMPORT_ASKED, "data"),
        State(_FIELDS, "value"),
        State(_FIELDS, "id"),
        State(_PROBLEMS, "id"),
        State(ids.IMPORT_ABOUT, "data"),
        prevent_initial_call=True,
    )
    def show(
        asked: int | None,
        values: Sequence[Any],
        fields: Sequence[Any],
        places: Sequence[Any],
        about: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - Dash's own word for none
        if not about or not fields or not asked:
            return no_update
        found = judged(services.uploads, str(about["id"]), document_of(fields, values, about), asked)
        return _shown(found, [place["path"] for place in places], asked)

    app.clientside_callback(
        ClientsideFunction("tft_dash", "importLand"),
        Output(ids.IMPORT_YAML, "children"),
        Output(ids.IMPORT_BEFORE, "children"),
        Output(ids.IMPORT_AFTER, "children"),
        Output(ids.IMPORT_PROBLEMS, "children"),
        Output(ids.IMPORT_START, "disabled"),
        Output(_PROBLEMS, "children"),
        Input(ids.IMPORT_ANSWER, "data"),
        State(_PROBLEMS, "id"),
        prevent_initial_call=True,
    )


def _shown(found: Preview, places: Sequence[str], number: int) -> dict[str, Any]:
    """What the page shows, unless it has asked again since.

    :param number: of the question, as the page counts.
    """
    beside, others = placed(found.problems, places)
    shown = found.shown
    return {
        "number": number,
        "text": "" if found.mapping is None else to_yaml(found.mapping),
        "before": None if shown is None else page.sample(shown.before),
        "after": page.waiting() if shown is None else page.after(shown),
        "problems": page.problems_banner(others),
        "disabled": bool(found.problems),
        "beside": dict(zip(places, beside, strict=True)),
    }


def _documents(app: Dash) -> None:
    @app.callback(
        Output(ids.IMPORT_DOWNLOAD, "data"),
        Input(ids.IMPORT_SAVE, "n_clicks"),
        State(ids.IMPORT_YAML, "children"),
        State(ids.IMPORT_NAME, "value"),
        prevent_initial_call=True,
    )
    def save(_clicks: int, text: str | None, name: str | None) -> Any:  # noqa: ANN401 - Dash's own form of a file
        if not text:
            return no_update
        return {"content": text, "filename": f"{name or 'dataset'}.mapping.yaml", "type": "text/yaml"}


def _finishing(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.IMPORT_STATE, "children"),
        Output(ids.IMPORT_CLOCK, "disabled"),
        Output(ids.IMPORT_GO, "href"),
        Input(ids.IMPORT_START, "n_clicks"),
        Input(ids.IMPORT_CLOCK, "n_intervals"),
        State(_FIELDS, "value"),
        State(_FIELDS, "id"),
        State(ids.IMPORT_ABOUT, "data"),
        State(ids.IMPORT_NAME, "value"),
        State(ids.IMPORT_OPEN, "data"),
        prevent_initial_call=True,
    )
    def run(
        _clicks: int | None,
        _ticks: int | None,
        values: Sequence[Any],
        fields: Sequence[Any],
        about: dict[str, Any] | None,
        name: str | None,
        opened: dict[str, Any],
    ) -> tuple[Any, bool, Any]:
        try:
            if ctx.triggered_id == ids.IMPORT_START:
                # From the fields themselves: what was shown last may be older than the last change.
                mapping = parse_mapping(document_of(fields, values, about), "The mapping") if about else None
                upload = services.uploads.admit(str(opened["id"]), name=(name or "").strip() or None, mapping=mapping)
            else:
                upload = services.uploads.get(str(opened["id"]))
        except TftDashError as error:
            return components.banner("This cannot be imported", str(error)), True, no_update
        return _state(services, upload)

    @app.callback(
        Output(ids.IMPORT_GO, "href", allow_duplicate=True),
        Output(ids.IMPORT_STATE, "children", allow_duplicate=True),
        Input(ids.IMPORT_DISCARD, "n_clicks"),
        State(ids.IMPORT_OPEN, "data"),
        prevent_initial_call=True,
    )
    def discard(_clicks: int, opened: dict[str, Any]) -> tuple[Any, Any]:
        try:
            services.uploads.discard(str(opened["id"]))
        except TftDashError as error:
            return no_update, components.banner("The upload was not discarded", str(error))
        return f"{services.settings.base_path}datasets", no_update


def _state(services: Services, upload: Upload) -> tuple[Any, bool, Any]:
    """What the page says of the import, whether it stops asking, and where it goes."""
    if upload.state == "ready":
        href = f"{services.settings.base_path}datasets/{quote(upload.name or '', safe='')}"
        return page.done(upload.message or f"Imported as {upload.name}.", href), True, href
    if upload.state == "working":
        return page.progress(upload.progress), False, no_update
    return components.banner("This was not imported", upload.message), True, no_update
