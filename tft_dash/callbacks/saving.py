"""What becomes of saving, exporting and the document's text, and of two people who save the same scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from dash import no_update

from tft_dash import ids
from tft_dash.callbacks.documents import author_of, brief, guarded, plain, read_plain, text_of
from tft_dash.errors import ConflictError, DocumentError
from tft_dash.library import Entry
from tft_dash.pages.builder import answers
from tft_dash.scenarios.differences import Difference, differences
from tft_dash.scenarios.document import Scenario, as_mapping, parse_document, to_yaml
from tft_dash.scenarios.format.loader import as_document, load_text
from tft_dash.services import Services

Request = Mapping[str, Any]
WHAT: Final = "the document"
TASK_TARGETS: Final = (
    (ids.BUILDER_CONFLICT, "children"),
    (ids.BUILDER_TEXT_PROBLEMS, "children"),
    (ids.BUILDER_DOWNLOAD, "data"),
    (ids.BUILDER_RESULT, "data"),
)
CHANGES_SHOWN: Final = 30


class Saving:
    """Answers the builder's requests that concern the saved document.

    :param services: the library.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def task(self, request: object) -> list[Any]:
        """The values of :data:`TASK_TARGETS` for saving, exporting, and the document's text."""
        asked = request if isinstance(request, Mapping) else {}
        shown: dict[tuple[str, str], Any] = dict.fromkeys(TASK_TARGETS, no_update)
        shown[ids.BUILDER_CONFLICT, "children"] = [] if asked.get("act") in ("save", "copy") else no_update
        does = {
            "save": self._save,
            "copy": self._save,
            "text": self._text,
            "apply": self._apply,
            "export": self._export,
            "differ": self._differ,
        }
        act = does.get(str(asked.get("act")), self._nothing)
        shown[ids.BUILDER_RESULT, "data"] = guarded(
            lambda: {"act": asked.get("act"), **act(asked, shown)}, asked.get("id")
        )
        return [shown[target] for target in TASK_TARGETS]

    def _nothing(self, _asked: Request, _shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        return {}

    def _save(self, asked: Request, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        try:
            scenario = read_plain(asked.get("document"), WHAT)
        except DocumentError as error:
            return {"mistakes": len(error.problems)}
        library, key = self._services.library, asked.get("key")
        version, author = asked.get("version"), author_of(asked)
        if (
            asked.get("act") == "copy"
            or not isinstance(key, str)
            or asked.get("preset")
            or not isinstance(version, int)
        ):
            return {"saved": saved(library.add(scenario, author=author))}
        try:
            return {"saved": saved(library.save(key, scenario, version=version, author=author))}
        except ConflictError:
            return self._conflict(key, version, scenario, shown)

    def _conflict(self, key: str, version: int, mine: Scenario, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        """What they changed and what you changed since the version that both began with.

        What is word for word in force is saved, whoever saved it: a browser asks again after an answer that was lost.
        """
        library = self._services.library
        theirs = library.get(key)
        if as_mapping(theirs.scenario) == as_mapping(mine):
            return {"saved": saved(theirs)}
        begun = next((entry for entry in library.versions(key) if entry.version == version), None)
        base, now, own = (
            as_mapping(each) for each in (begun.scenario if begun else theirs.scenario, theirs.scenario, mine)
        )
        when = f" at {theirs.updated:%H:%M} UTC" if theirs.updated else ""
        who = f"{theirs.author or 'Somebody'} saved version {theirs.version}{when} while you were editing."
        shown[ids.BUILDER_CONFLICT, "children"] = answers.conflict(
            who, _rows(differences(base, now)), _rows(differences(base, own))
        )
        return {"conflict": saved(theirs)}

    def _differ(self, asked: Request, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        """What has been saved since the version that a draft began with, where something has."""
        key, version = asked.get("key"), asked.get("version")
        if (
            not isinstance(key, str)
            or not isinstance(version, int)
            or self._services.library.get(key).version == version
        ):
            return {}
        try:
            return self._conflict(key, version, read_plain(asked.get("document"), WHAT), shown)
        except DocumentError:
            return {}  # a draft with mistakes is held against theirs when it is saved

    def _text(self, asked: Request, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        shown[ids.BUILDER_TEXT_PROBLEMS, "children"] = []
        return {"text": text_of(asked.get("document"))}

    def _apply(self, asked: Request, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        """The document in a text; with mistakes it is taken nevertheless, and they are listed."""
        problems, text = (ids.BUILDER_TEXT_PROBLEMS, "children"), str(asked.get("text"))
        try:
            document = plain(as_document(load_text(text, "the text"), "the text"))
        except DocumentError as error:
            shown[problems] = answers.mistakes(error.problems, "The text was not applied")
            return {}
        shown[problems] = []
        try:
            parse_document(text, WHAT)  # the text itself: a browser's numbers are not quite those of a file
        except DocumentError as error:
            count = len(error.problems)
            words = f"Applied, with {count} {'mistake' if count == 1 else 'mistakes'} in it"
            shown[problems] = answers.mistakes(error.problems, words)
        return {"document": document}

    def _export(self, asked: Request, shown: dict[tuple[str, str], Any]) -> dict[str, Any]:
        try:
            scenario = read_plain(asked.get("document"), WHAT)
        except DocumentError as error:
            return {"mistakes": len(error.problems)}
        as_json = asked.get("format") == "json"
        text = orjson.dumps(as_mapping(scenario), option=orjson.OPT_INDENT_2).decode() if as_json else to_yaml(scenario)
        ending = "json" if as_json else "yaml"
        shown[ids.BUILDER_DOWNLOAD, "data"] = {
            "content": text,
            "filename": f"{scenario.name}.{ending}",
            "type": f"application/{ending}",
            "base64": False,
        }
        return {"exported": True}


def saved(entry: Entry) -> dict[str, Any]:
    """What the browser must know of a saved scenario."""
    return {
        "key": entry.key,
        "version": entry.version,
        "preset": entry.preset,
        "author": entry.author,
        "updated": None if entry.updated is None else entry.updated.isoformat(),
        "document": brief(entry.scenario),
    }


def _rows(found: tuple[Difference, ...]) -> list[tuple[str, str, str]]:
    rows = [(each.path, answers.shown(each.before), answers.shown(each.after)) for each in found[:CHANGES_SHOWN]]
    if len(found) > CHANGES_SHOWN:
        rows.append((f"and {len(found) - CHANGES_SHOWN} more", "", ""))
    return rows
