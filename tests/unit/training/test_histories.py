from __future__ import annotations

from pathlib import Path

import numpy as np
from support.histories import joined

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, TARGETS
from tft_dash.training.histories import LATEST, Histories, thinned


def test_a_rows_window_ends_with_it_and_its_future_follows(histories: Histories) -> None:
    rows = histories.usable()[::500]
    windows, futures = histories.windows(rows), histories.futures(rows)
    assert windows.shape == (len(rows), CONTEXT, len(INPUTS))
    assert np.array_equal(windows[:, -1], histories.metrics[rows], equal_nan=True)
    at = INPUTS.index(TARGETS[2])
    assert np.array_equal(futures[:, 5, 2], histories.metrics[rows + NODES[5], at], equal_nan=True)


def test_windows_and_futures_of_usable_rows_never_reach_into_another_server(histories: Histories) -> None:
    for first, last in ((0.0, 1.0), (0.0, 0.6), (0.6, 1.0)):
        rows = histories.usable(first=first, last=last)
        server = histories.server_of(rows)
        assert (rows - CONTEXT + 1 >= histories.begin[server] + np.round(first * histories.ticks[server])).all()
        assert (rows + LATEST <= histories.begin[server] + np.round(last * histories.ticks[server])).all()
        assert len(rows)
        assert not histories.critical[rows].any()


def test_a_part_of_the_servers_is_what_it_is_in_the_whole(histories: Histories) -> None:
    part = histories.part([4, 1])
    begin, ticks = int(histories.begin[1]), int(histories.ticks[1])
    assert part.servers == 2
    assert part.profile.tolist() == histories.profile[[4, 1]].tolist()
    whole = histories.metrics[begin : begin + ticks]
    assert np.array_equal(part.metrics[part.begin[1] :], whole, equal_nan=True)


def test_histories_of_other_lengths_lie_end_to_end_in_files(histories: Histories, tmp_path: Path) -> None:
    short = histories.part([0])
    mapped = joined([histories, short], tmp_path)
    assert mapped.servers == 7
    assert isinstance(mapped.metrics, np.memmap)
    assert np.array_equal(mapped.metrics, np.concatenate([histories.metrics, short.metrics]), equal_nan=True)
    assert np.array_equal(mapped.usable()[: len(histories.usable())], histories.usable())
    last = mapped.stretch(6, 7)
    rows = short.usable()[::50]
    assert np.array_equal(last.windows(rows), short.windows(rows), equal_nan=True)
    assert np.array_equal(last.first, short.first)
    assert np.shares_memory(last.metrics, mapped.metrics)


def test_incidents_are_counted_without_copying_their_servers(histories: Histories) -> None:
    assert histories.incidents_of(range(histories.servers)) == histories.incidents > 0
    for server in range(histories.servers):
        assert histories.incidents_of([server]) == histories.part([server]).incidents


def test_some_of_the_usable_rows_are_spread_over_all_servers(histories: Histories) -> None:
    whole = histories.usable()
    assert np.array_equal(histories.some_usable(10**9), whole)
    some = histories.some_usable(2000)
    assert len(some) <= 2000
    assert set(some) <= set(whole)
    assert set(histories.server_of(some)) == set(histories.server_of(whole))
    assert len(thinned(whole, 100)) <= 100
