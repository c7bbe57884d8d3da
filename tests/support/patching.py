"""What the browser does with a ``dash.Patch``."""

from __future__ import annotations

import copy
from typing import Any

from dash import Patch


def applied(figure: dict[str, Any], change: Patch) -> dict[str, Any]:
    """``figure`` after ``change``; the argument stays as it is."""
    result = copy.deepcopy(figure)
    for step in change.to_plotly_json()["operations"]:
        *path, last = step["location"]
        target: Any = result
        for part in path:
            target = target[part]
        if step["operation"] == "Assign":
            target[last] = step["params"]["value"]
        elif step["operation"] == "Extend":
            target[last].extend(step["params"]["value"])
        elif step["operation"] == "Delete":
            del target[last]
        else:
            raise NotImplementedError(step["operation"])
    return result
