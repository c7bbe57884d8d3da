"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called now and then with the share that is done, 0–1."""


def silent(_share: float) -> None:
    """A :data:`Progress` that tells nobody."""
