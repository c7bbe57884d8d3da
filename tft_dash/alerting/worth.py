"""What alerts were worth, by the word of those who were called: the outcomes of problems, by source and model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tft_dash.alerting.kept import Kept
from tft_dash.alerts.problem import OUTCOMES


@dataclass(frozen=True, slots=True)
class Worth:
    """The problems that a model opened on a source, counted by what people said of them.

    :param model: its name and version; "" = it is not known any more.
    :param unsaid: problems of which nobody has said anything.
    """

    source: str
    model: str
    true: int
    false: int
    unclear: int
    unsaid: int

    @property
    def problems(self) -> int:
        """How many there were."""
        return self.true + self.false + self.unclear + self.unsaid

    @property
    def precision(self) -> float | None:
        """The share of true ones among those that are clearly one or the other; None = there is none such."""
        clear = self.true + self.false
        return self.true / clear if clear else None


def worth_of(found: Iterable[Kept]) -> tuple[Worth, ...]:
    """One for each source and model, in their order.

    That nothing comes from a source is no model's word: such problems do not count.
    """
    counts: dict[tuple[str, str], Counter[str | None]] = defaultdict(Counter)
    for one in found:
        if one.problem.kind == "incident":
            counts[one.problem.source, one.problem.model][one.remarks.outcome] += 1
    return tuple(
        Worth(source, model, **{name: said[name] for name in OUTCOMES}, unsaid=said[None])
        for (source, model), said in sorted(counts.items())
    )
