"""Alert rules as a document: read with every mistake found, written back, described by JSON Schema; those shipped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from tft_dash.alerts.documents import read
from tft_dash.alerts.rules import OWN_LABELS, RuleSet, bar_of
from tft_dash.errors import UnknownNameError
from tft_dash.scenarios.format.fields import is_number, show
from tft_dash.scenarios.format.loader import dump_text
from tft_dash.scenarios.format.wording import Location, Problem
from tft_dash.schema import METRIC_NAMES, THRESHOLDS

_FOLDER: Final = Path(__file__).parent / "shipped"
DEFAULT_RULES: Final = "default"
Group = Mapping[str, Any]


def parse_rules(document: str | bytes | Mapping[str, Any], source: str) -> RuleSet:
    """The rules that a YAML or JSON text, its bytes, or the mapping in one, describes.

    :param source: what to call it in messages: a path, or "the request".
    :raises AlertDocumentError: with every mistake and its path, in the order of the document.
    """
    return read(RuleSet, document, source, _problems)


def shipped_names() -> tuple[str, ...]:
    """The names of the documents that come with the package, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def shipped_rules(name: str = DEFAULT_RULES) -> RuleSet:
    """The rules of that name that come with the package.

    :raises UnknownNameError: there are none of that name.
    """
    if name not in shipped_names():
        raise UnknownNameError("document of alert rules", name, shipped_names())
    return parse_rules((_FOLDER / f"{name}.yaml").read_bytes(), f"shipped rules '{name}'")


def as_mapping(rules: RuleSet) -> dict[str, Any]:
    """The document as plain values, without what is left at its default; durations as ``1m30s``."""
    plain = rules.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = rules.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for whole, short in zip(plain["spec"]["rules"], kept["spec"]["rules"], strict=True):
        short["when"] = {"check": whole["when"]["check"], **short["when"]}
    return {
        "apiVersion": plain["apiVersion"],
        "kind": plain["kind"],
        "metadata": kept["metadata"],
        "spec": kept["spec"],
    }


def to_yaml(rules: RuleSet) -> str:
    """The document as YAML that :func:`parse_rules` reads back as equal rules."""
    return dump_text(as_mapping(rules))


def rules_digest(rules: RuleSet) -> str:
    """SHA-256 of the document in a canonical form; equal for documents that say the same."""
    text = json.dumps(as_mapping(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a document of alert rules, with a description for every field."""
    return RuleSet.model_json_schema(by_alias=True)


def _problems(document: Group) -> Iterator[Problem]:
    """Mistakes between fields, read from the document as it was written, so that one mistake hides no other."""
    spec = document.get("spec")
    rules = spec.get("rules") if isinstance(spec, Mapping) else None
    if not isinstance(rules, list | tuple):
        return
    names: dict[str, int] = {}
    for place, rule in enumerate(rules):
        if isinstance(rule, Mapping):
            here: Location = ("spec", "rules", place)
            yield from _name_problems(rule, here, names)
            yield from _label_problems(rule, here)
            yield from _check_problems(rule.get("when"), (*here, "when"))


def _name_problems(rule: Group, here: Location, names: dict[str, int]) -> Iterator[Problem]:
    name = rule.get("alert")
    if not isinstance(name, str):
        return
    if name in names:
        yield (*here, "alert"), f"is called {show(name)} like rule {names[name] + 1}; give it a name of its own."
    names.setdefault(name, int(here[-1]))


def _label_problems(rule: Group, here: Location) -> Iterator[Problem]:
    labels = rule.get("labels")
    for name in labels if isinstance(labels, Mapping) else ():
        if name in OWN_LABELS:
            instead = "Write severity: beside labels." if name == "severity" else "Remove it."
            yield (*here, "labels", name), f"is set by itself on every alert. {instead}"
    annotations = rule.get("annotations")
    if isinstance(annotations, Mapping) and "runbook_url" in annotations and rule.get("runbook_url") is not None:
        yield (*here, "annotations", "runbook_url"), "stands beside labels already; write it once."


def _check_problems(check: object, here: Location) -> Iterator[Problem]:
    if not isinstance(check, Mapping):
        return
    if check.get("check") == "metric":
        yield from _metric_problems(check, here)
    elif is_number(above := check.get("above")) and is_number(clear := check.get("clear_at")) and clear > above:
        yield (*here, "clear_at"), f"must not be above the bar of {show(above)}: such an alert would clear as it fires."


def _metric_problems(check: Group, here: Location) -> Iterator[Problem]:
    above, below = check.get("above"), check.get("below")
    if (above is None) == (below is None):
        yield here, "needs above or below, one of the two."
        return
    listed = check.get("metrics")
    given = list(listed) if isinstance(listed, list | tuple) else []
    metrics = [name for name in given if name in METRIC_NAMES]
    for place, name in enumerate(given):
        if name in metrics and name in given[:place]:
            yield (*here, "metrics", place), f"{show(name)} stands twice."
    for field in ("above", "below", "clear_at"):
        lineless = [name for name in metrics if check.get(field) in ("warning", "critical") and name not in THRESHOLDS]
        if lineless:
            words = f"the contract has no such line for {', '.join(lineless)}; write a number, in a rule of its own."
            yield (*here, field), words
    yield from _crossed(check, metrics, here)


def _crossed(check: Group, metrics: list[str], here: Location) -> Iterator[Problem]:
    """A bar to clear at that lies beyond the one to fire at."""
    fire, clear = check.get("above", check.get("below")), check.get("clear_at")
    if not all(is_number(bar) or bar in ("warning", "critical") for bar in (fire, clear)):
        return
    sign = 1 if check.get("above") is not None else -1
    for name in metrics:
        if sign * bar_of(clear, name) > sign * bar_of(fire, name):
            side = "above" if sign > 0 else "below"
            words = f"must not be {side} the bar of {show(fire)} for {name}: such an alert would clear as it fires."
            yield (*here, "clear_at"), words
            return
