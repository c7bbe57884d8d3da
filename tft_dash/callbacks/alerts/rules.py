"""Rules: shown as a form and as text, saved with every mistake beside its field, two people kept from each other."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from tft_dash import ids
from tft_dash.alerts.documents import AlertDocumentError
from tft_dash.alerts.rulebook import as_mapping, parse_rules, shipped_rules, to_yaml
from tft_dash.alerts.rules import RuleSet
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import ConflictError, NotThereError, TftDashError, shorten
from tft_dash.pages.alerts import frame, rules
from tft_dash.scenarios.differences import Difference, differences
from tft_dash.services import Services

logger = logging.getLogger(__name__)

WHAT: Final = "the rules"
CHANGES_SHOWN: Final = 30
Fields = Mapping[tuple[int, str], Any]
"""Rule and field → what the form says."""

_PLACE: Final = re.compile(r"spec\.rules\[(\d+)\](?:\.(.*))?\Z")
_IN_WHEN: Final = ("above", "below", "clear_at")
_PARTS: Final = ("said", "rules", "versions", "version", "conflict", "text")


def open_rules(services: Services, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page."""
    try:
        return rules.layout(services.settings.base_path, document(services), versions(services))
    except TftDashError as error:
        return rules.broken(services.settings.base_path, str(error), _restorable(services))


def document(services: Services) -> rules.Document:
    """The rules in force."""
    found = services.alerts.rules()
    plain = as_mapping(found.rules)["spec"]["rules"]
    return rules.Document(plain, to_yaml(found.rules), found.origin, found.version, found.editable, found.problem)


def versions(services: Services) -> list[rules.Version]:
    """What was ever saved."""
    return [
        rules.Version(one.version, one.author, round(one.updated.timestamp() * 1000))
        for one in services.alerts.rule_versions()
    ]


def _restorable(services: Services) -> list[rules.Version]:
    """What can be put in force in place of saved rules that cannot be read; a file of rules is mended by hand."""
    try:
        return [] if services.settings.alert_rules else versions(services)
    except TftDashError:  # the page says already that the store cannot be read
        return []


def register_rules(app: Dash, services: Services) -> None:
    """Add the callbacks of the page to ``app``."""

    @app.callback(
        Output(ids.ALERTS_SAID, "children", allow_duplicate=True),
        Output(ids.ALERTS_RULES, "children"),
        Output(ids.ALERTS_VERSIONS, "children"),
        Output(ids.ALERTS_VERSION, "data"),
        Output(ids.ALERTS_CONFLICT, "children"),
        Output(ids.ALERTS_TEXT_PROBLEMS, "children"),
        Output({"type": ids.ALERTS_RULE_ERROR, "rule": ALL, "field": ALL}, "children"),
        Input({"type": ids.ALERTS_SAVE, "how": ALL}, "n_clicks"),
        Input({"type": ids.ALERTS_RESTORE, "version": ALL}, "n_clicks"),
        State({"type": ids.ALERTS_RULE_FIELD, "rule": ALL, "field": ALL}, "value"),
        State(ids.ALERTS_TEXT, "value"),
        State(ids.ALERTS_VERSION, "data"),
        State(ids.ALERTS_NAME, "value"),
        prevent_initial_call=True,
    )
    def act(_save: object, _again: object, _fields: object, text: object, version: object, name: object) -> list[Any]:
        places = [(output["id"]["rule"], output["id"]["field"]) for output in ctx.outputs_list[-1]]
        asked = ctx.triggered_id
        if not isinstance(asked, Mapping) or not ctx.triggered[0]["value"]:
            return [*[no_update] * len(_PARTS), [no_update] * len(places)]
        given = {(one["id"]["rule"], one["id"]["field"]): one.get("value") for one in ctx.states_list[0]}
        asking = _Asked(given, _text(text), version if isinstance(version, int) else 0, _text(name))
        shown, wrong = _Saving(services, asking).done(str(asked.get("how") or ""), asked.get("version"))
        if "rules" in shown:  # the form is made anew, with no mistakes in it
            return [*(shown.get(part, no_update) for part in _PARTS), [no_update] * len(places)]
        return [*(shown.get(part, no_update) for part in _PARTS), _beside(wrong, places)]


class _Asked:
    """What the page says: its form, its text, the version that it shows, and who is there."""

    def __init__(self, fields: Fields, text: str, version: int, by: str) -> None:
        self.fields, self.text, self.version, self.by = fields, text, version, by


class _Saving:
    """One act on the page."""

    def __init__(self, services: Services, asked: _Asked) -> None:
        self._services, self._asked = services, asked

    def done(self, how: str, version: object) -> tuple[dict[str, Any], Sequence[tuple[str, str]]]:
        """What the page's parts show now, and the mistakes to be told beside fields."""
        way = how.rpartition("-")[2]
        try:
            if how == "theirs":
                return {**self._fresh("These are the rules in force."), "conflict": []}, ()
            made = self._made(way) if how else self._old(version)
            over = how.startswith("over-") or not how
            current = self._newest() if over else self._asked.version
            return self._saved(made, current, way), ()
        except AlertDocumentError as error:
            return self._refused(error, way), error.problems if way == "form" else ()
        except TftDashError as error:
            return {"said": frame.said(str(error), good=False)}, ()
        except Exception:
            logger.exception("saving rules failed")
            return {"said": frame.said(OWN_ERROR, good=False)}, ()

    def _newest(self) -> int:
        """The version that was saved last, also one that cannot be read."""
        return max((one.version for one in self._services.alerts.rule_versions()), default=0)

    def _made(self, way: str) -> RuleSet:
        if way == "text":
            return parse_rules(self._asked.text, WHAT)
        return parse_rules(filled(as_mapping(self._base()), self._asked.fields), WHAT)

    def _base(self) -> RuleSet:
        """The document that the form shows."""
        return shipped_rules() if not self._asked.version else self._old(self._asked.version)

    def _old(self, version: object) -> RuleSet:
        found = next((one for one in self._services.alerts.rule_versions() if one.version == version), None)
        if found is None:
            raise NotThereError(f"There is no version {version} of the rules. Load the page again.")
        return parse_rules(found.body, f"version {version} of the rules")

    def _saved(self, made: RuleSet, version: int, way: str) -> dict[str, Any]:
        try:
            stored = self._services.alerts.save_rules(made, version=version, author=self._asked.by)
        except ConflictError:
            return self._conflict(made, way)
        return {**self._fresh(f"Version {stored.version} is in force from the next tick on."), "conflict": []}

    def _fresh(self, words: str) -> dict[str, Any]:
        found = document(self._services)
        return {
            "said": frame.said(words),
            "rules": rules.editor(found),
            "versions": rules.listed(versions(self._services), found.version),
            "version": found.version,
        }

    def _conflict(self, mine: RuleSet, way: str) -> dict[str, Any]:
        newest = self._services.alerts.rule_versions()[0]
        base = _named(as_mapping(self._base()))
        theirs = differences(base, _named(newest.body))
        own = differences(base, _named(as_mapping(mine)))
        who = (
            f"{newest.author or 'Somebody'} saved version {newest.version} at {newest.updated:%H:%M} UTC while you "
            "were editing."
        )
        return {
            "said": frame.said("Not saved: somebody else was faster. See below.", good=False),
            "conflict": rules.conflict(who, _rows(theirs), _rows(own), way or "form"),
        }

    def _refused(self, error: AlertDocumentError, way: str) -> dict[str, Any]:
        count = len(error.problems)
        words = f"Not saved: {count} {'mistake' if count == 1 else 'mistakes'} to mend first. What you wrote is kept."
        title = "The text was not saved" if way == "text" else "The form was not saved"
        return {"said": frame.said(words, good=False), "text": rules.mistakes(error.problems, title)}


def filled(plain: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """The document with what a form says in place of what it said; what was not touched stays as it was written."""
    made = deepcopy(dict(plain))
    for place, rule in enumerate(made["spec"]["rules"]):
        for name in rules.fields_of(plain["spec"]["rules"][place]):
            if (place, name) not in fields:
                continue
            given = fields[place, name]
            if given == rules.value_of(plain["spec"]["rules"][place], name):
                continue
            home = rule["when"] if name in _IN_WHEN else rule
            value = _as_number(given) if name in _IN_WHEN else given
            if value in ("", None):
                home.pop(name, None)
            else:
                home[name] = value
    return made


def _as_number(given: object) -> Any:  # noqa: ANN401 - a number where it is one
    try:
        return float(str(given))
    except ValueError:
        return given


def _beside(problems: Sequence[tuple[str, str]], places: Sequence[tuple[int, str]]) -> list[str]:
    """The mistakes of each field; what belongs to no field of a rule stands at its head."""
    found: dict[tuple[int, str], list[str]] = {}
    for path, words in problems:
        match = _PLACE.match(path)
        if match is None:
            continue
        number, field = int(match[1]), (match[2] or "").removeprefix("when.")
        place = (number, field) if (number, field) in places else (number, "")
        found.setdefault(place, []).append(words if place[1] else f"{field} {words}".strip())
        if place[1]:
            found.setdefault((number, ""), []).append(f"{field}: see below.")
    return [" ".join(dict.fromkeys(found.get(place, []))) for place in places]


def _named(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The document with names by which changes of rules are told apart."""
    listed = [{"name": rule.get("alert"), **rule} for rule in plain["spec"]["rules"]]
    return {**plain, "spec": {**plain["spec"], "rules": listed}}


def _rows(found: Sequence[Difference]) -> list[tuple[str, str, str]]:
    rows = [(one.path, _shown(one.before), _shown(one.after)) for one in found[:CHANGES_SHOWN]]
    if len(found) > CHANGES_SHOWN:
        rows.append((f"and {len(found) - CHANGES_SHOWN} more", "", ""))
    return rows


def _shown(value: object) -> str:
    return "nothing" if value is None else shorten(str(value), 80)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
