"""The form of a mapping: a field for each part, and from the fields the same document again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dash.development.base_component import Component

from tft_dash.callbacks.mappings import about_upload, csv_is_asked, document_of, placed
from tft_dash.importing.mapping import as_plain, parse_mapping
from tft_dash.importing.preview import Sample
from tft_dash.pages import importing, mapping_form

METADATA = {"name": "export", "description": "A file."}
ABOUT = {"metadata": METADATA}
LONG = {
    "layout": "long",
    "csv": {"separator": ";", "decimal": ","},
    "timestamp": {"from": "Zeit", "format": "epoch-s"},
    "columns": {
        "server_name": {"from": "Host"},
        "profile": {"value": "web"},
        "cpu_pct": {"from": "CPU", "unit": "fraction"},
        "net_in_mb_s": {"from": "in", "unit": "KiB/s"},
    },
    "keep": ["Speicher"],
}
WIDE = {
    "layout": "wide",
    "timestamp": {"from": "time", "format": "custom", "pattern": "%d %b %Y"},
    "columns": {"cpu_pct": {"from": "{server}.cpu", "unit": "percent"}},
}
NARROW = {
    "layout": "narrow",
    "narrow": {"metric": "name", "value": "value"},
    "timestamp": {"from": "time"},
    "columns": {"server_name": {"value": "one"}, "latency_ms": {"from": "p95", "unit": "s"}},
}
COLUMNS = ("Zeit", "Host", "CPU", "in", "Speicher", "time", "name", "value")


def parts(component: Any) -> Iterator[Component]:
    """Every component in a layout."""
    if isinstance(component, list | tuple):
        for one in component:
            yield from parts(one)
    elif isinstance(component, Component):
        yield component
        yield from parts(getattr(component, "children", None))


def fields(form: list[Any]) -> dict[str, Any]:
    """Path → value of every field."""
    return {
        part.id["path"]: getattr(part, "value", None)
        for part in parts(form)
        if isinstance(getattr(part, "id", None), dict) and part.id["type"] == "import-field"
    }


def written(spec: dict[str, Any], columns: tuple[str, ...] = COLUMNS) -> dict[str, Any]:
    """The document of an untouched form."""
    found = fields(mapping_form.form(columns, spec, csv=True))
    return document_of([{"path": path} for path in found], list(found.values()), ABOUT)


@pytest.mark.parametrize("spec", [LONG, WIDE, NARROW], ids=["long", "wide", "narrow"])
@pytest.mark.parametrize(
    "columns", [COLUMNS, COLUMNS + tuple(f"x{place}" for place in range(3000))], ids=["few", "many"]
)
def test_an_untouched_form_stands_for_its_own_document(spec: dict[str, Any], columns: tuple[str, ...]) -> None:
    plain = {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": METADATA, "spec": spec}
    assert as_plain(parse_mapping(written(spec, columns), "x")) == as_plain(parse_mapping(plain, "x"))


def test_a_unit_alone_says_nothing() -> None:
    document = written({"layout": "long"})
    assert document["spec"]["columns"] == {}
    assert "timestamp" not in document["spec"]


def test_the_fields_change_with_the_layout_as_the_form_says() -> None:
    for spec in (LONG, WIDE, NARROW):
        assert (
            mapping_form.fields_of(spec)
            == set(fields(mapping_form.form(COLUMNS, spec, csv=True))) & mapping_form.CHANGING
        )


def test_parquet_is_not_asked_how_its_csv_is_written() -> None:
    assert not csv_is_asked("Export.PARQUET")
    assert csv_is_asked("export.tsv")
    assert not any("csv" in path for path in fields(mapping_form.form(COLUMNS, LONG, csv=False)))


def test_every_field_has_a_place_for_what_is_wrong_with_it() -> None:
    form = mapping_form.form(COLUMNS, LONG, csv=True)
    places = {part.id["path"] for part in parts(form) if isinstance(getattr(part, "id", None), dict)
              and part.id["type"] == "import-problem"}  # fmt: skip
    assert places == set(fields(form))


def test_mistakes_stand_beside_their_fields_and_the_rest_above() -> None:
    places = ["spec.timestamp.from", "spec.timestamp.zone", "spec.columns.server_name.from", "spec.keep"]
    problems = [
        ("spec.timestamp", "is missing."),
        ("spec.timestamp.zone", "is no zone."),
        ("spec.columns.server_name", "is missing."),
        ("spec.keep[1]", "stands twice."),
        ("spec.columns", "have no metric."),
        ("metadata.name", "is wrong."),
    ]
    beside, others = placed(problems, places)
    assert beside == ["is missing.", "is no zone.", "is missing.", "stands twice."]
    assert others == problems[4:]


def test_a_message_that_names_the_file_does_not_name_it_twice() -> None:
    assert about_upload("a.csv", "a.csv: it is odd.") == "a.csv: it is odd."
    assert about_upload("a.csv", "It is odd.") == "a.csv: It is odd."
    assert about_upload("a.csv", "") == "a.csv"


def test_missing_values_and_further_columns_are_said() -> None:
    shown = importing.sample(Sample(("a", "<b>"), (("1", None),), 50))
    texts = [str(part.children) for part in parts(shown) if isinstance(getattr(part, "children", None), str)]
    assert "—" in texts
    assert "<b>" in texts
    assert "and 48 more columns" in texts


def test_no_list_of_the_form_gets_a_word_that_would_change_every_object_of_the_page() -> None:
    spec = {**LONG, "keep": ["__proto__", "a__PROTO__b", "Speicher"]}
    form = mapping_form.form((*COLUMNS, "__proto__", "a__PROTO__b"), spec, csv=True)
    (picker,) = [part for part in parts(form) if getattr(part, "id", None) == mapping_form.field_id("spec.keep")]
    assert not [value for value in (*picker.options, *picker.value) if "__proto__" in value.lower()]
    document = document_of([mapping_form.field_id("spec.keep")], [picker.value], ABOUT)
    assert document["spec"]["keep"] == ["__proto__", "a__PROTO__b", "Speicher"]
