"""How good a forecast is: pinball, coverage, Brier skill, AUC, calibration error, alarms with their lead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def auc(truth: NDArray[np.bool_], score: Reals) -> float:
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ordered = score[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        ranks[order[low:high]] = (low + high + 1) / 2
    good, bad = int(truth.sum()), int((~truth).sum())
    return float((ranks[truth].sum() - good * (good + 1) / 2) / (good * bad)) if good and bad else float("nan")


def brier_skill(truth: NDArray[np.bool_], chance: Reals) -> float:
    base = truth.mean()
    return float(1.0 - np.mean((chance - truth) ** 2) / np.mean((base - truth) ** 2))


def calibration_error(truth: NDArray[np.bool_], chance: Reals, bins: int = 20) -> float:
    """Expected calibration error over bins of equal counts... of equal width."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    total = 0.0
    for number in range(bins):
        here = place == number
        if here.any():
            total += here.mean() * abs(chance[here].mean() - truth[here].mean())
    return float(total)


def alarms(chance: NDArray[np.float64], onset: NDArray[np.bool_], counted: NDArray[np.bool_], critical: NDArray[np.bool_],
           *, per_week: float = 1.0, most_share: float = 0.03) -> dict[str, float]:
    """Recall and lead at the lowest threshold that keeps to the false alarms allowed. All (servers, ticks)."""
    weeks = counted.sum() * 300 / 604800
    best: dict[str, float] = {"threshold": float("nan"), "recall": 0.0, "lead": float("nan")}
    for threshold in np.r_[np.arange(0.02, 0.3, 0.02), np.arange(0.3, 0.96, 0.05)]:
        hot = (chance >= threshold) & ~critical
        false, caught, leads, total = 0, 0, [], 0
        for row, begun, near in zip(hot, onset, critical, strict=True):
            episodes = _episodes(row, 3)
            onsets = np.flatnonzero(begun)
            total += len(onsets)
            used = set()
            for first, last in episodes:
                hits = onsets[(onsets > first) & (onsets <= last + 6)]
                if len(hits):
                    if int(hits[0]) not in used:
                        used.add(int(hits[0])); leads.append((int(hits[0]) - first) * 5)
                elif not near[max(0, first - 6) : first + 1].any():
                    false += 1
            caught += len(used)
        share = float(hot[counted].mean())
        if false / weeks <= per_week and share <= most_share:
            best = {"threshold": float(threshold), "recall": caught / max(total, 1), "lead": float(np.median(leads)) if leads else float("nan"),
                    "false": false / weeks, "share": share, "incidents": total}
            break
    return best


def _episodes(row: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    places = np.flatnonzero(row)
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > gap)
    starts, ends = np.r_[0, cuts + 1], np.r_[cuts, len(places) - 1]
    return [(int(places[a]), int(places[b])) for a, b in zip(starts, ends, strict=True)]
