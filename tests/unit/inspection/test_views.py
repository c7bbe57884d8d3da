"""Views are plain values: what is not as it must be is refused with its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tft_dash.errors import UsageError
from tft_dash.inspection.views import parse_view

BAD_VIEWS: dict[str, Any] = {
    "an object": [],
    "no field 'where'": {"where": "1 = 1"},
    "filters must be a list": {"filters": "cpu_pct > 90"},
    "filters[0] must be an object": {"filters": ["cpu_pct > 90"]},
    "filters[0].column must be": {"filters": [{"kind": "text", "operator": "blank"}]},
    "filters[0].kind is 'regex'": {"filters": [{"column": "a", "kind": "regex", "operator": "equals", "value": ".*"}]},
    "filters[0].operator is '__class__'": {"filters": [{"column": "a", "kind": "text", "operator": "__class__"}]},
    "filters[0].value is 'ten', not a number": {
        "filters": [{"column": "a", "kind": "number", "operator": "less", "value": "ten"}]
    },
    "filters[0].value is 'True', not a number": {
        "filters": [{"column": "a", "kind": "number", "operator": "less", "value": True}]
    },
    "filters[0].value_to is 'None', not a number": {
        "filters": [{"column": "a", "kind": "number", "operator": "between", "value": 1}]
    },
    "filters[0].value is 'noon', not a time": {
        "filters": [{"column": "a", "kind": "time", "operator": "less", "value": "noon"}]
    },
    "filters[0].value is '2024-05-01T12:00:00+02:00', not a time in UTC": {
        "filters": [{"column": "a", "kind": "time", "operator": "less", "value": "2024-05-01T12:00:00+02:00"}]
    },
    "filters[0].value must be text": {
        "filters": [{"column": "a", "kind": "text", "operator": "contains", "value": {"$ne": 1}}]
    },
    "filters[0].value is 'maybe'; it is true or false": {
        "filters": [{"column": "a", "kind": "flag", "operator": "equals", "value": "maybe"}]
    },
    "sorts[0].descending is 'yes'": {"sorts": [{"column": "a", "descending": "yes"}]},
    "sorts[0] has no field 'by'": {"sorts": [{"column": "a", "by": 1}]},
    "sorts must be a list of at most 32": {"sorts": [{"column": "a"}] * 33},
}


@pytest.mark.parametrize("words", BAD_VIEWS)
def test_a_view_that_cannot_be_is_refused_with_its_field(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_view(BAD_VIEWS[words])
    assert words in str(caught.value)


def test_a_view_survives_its_way_through_an_address() -> None:
    plain = {
        "filters": [{"column": "c1", "kind": "time", "operator": "between", "value": "2024-01", "value_to": "2025-01"}],
        "sorts": [{"column": "c2", "descending": True}],
    }
    view = parse_view(plain)
    assert parse_view(json.loads(json.dumps(view.as_dict()))) == view
