from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def document() -> dict[str, Any]:
    """A small valid document, fresh for each test: 3 servers, 20 ticks, one fault on web-001 in the middle."""
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": "small"},
        "spec": {
            "seed": 7,
            "clock": {"duration": "100s", "tick": "5s"},
            "fleet": {"profiles": [{"name": "web", "count": 2}, {"name": "database", "count": 1}]},
            "phases": [
                {"name": "calm", "from": 0, "to": "40s"},
                {"name": "storm", "from": "40s", "to": "80s", "intensity": 1},
                {"name": "after", "from": "80s", "to": "100s", "intensity": 0},
            ],
            "faults": [{"id": "hot", "what": "cpu", "whom": {"profile": "web", "first": 1}}],
        },
    }
