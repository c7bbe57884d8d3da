"""What a feed has met that is not acceptable."""

from __future__ import annotations

from tft_dash.live.samples import EXAMPLES_KEPT, Rejected


class Complaints:
    """What was not acceptable, counted by rule, with the first few examples."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, list[str]]] = {}

    def add(self, rule: str, count: int, example: str) -> None:
        """``count`` more by ``rule``."""
        if count:
            before, examples = self._found.get(rule, (0, []))
            if len(examples) < EXAMPLES_KEPT and example not in examples:
                examples = [*examples, example]
            self._found[rule] = before + count, examples

    def all(self) -> tuple[Rejected, ...]:
        """One entry for every rule."""
        return tuple(Rejected(rule, count, tuple(examples)) for rule, (count, examples) in self._found.items())
