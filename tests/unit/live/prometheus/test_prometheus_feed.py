from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.prometheus import STALE, FakePrometheus, fake_prometheus

from tft_dash.errors import SourceUnreachableError
from tft_dash.live.feeds.prometheus import PrometheusFeed, open_prometheus
from tft_dash.live.feeds.prometheus.client import QueryRefusedError
from tft_dash.live.samples import Samples

T0 = 1_700_000_010  # a whole number of steps of 5 s, 10 s and 15 s
MAPPING = """
apiVersion: tft-dash/v1
kind: PrometheusMapping
metadata: {name: test}
spec:
  select: job="node"
  step: 10s
  profile: {labels: [role]}
  columns:
    cpu_pct: {query: "cpu{$select}"}
    latency_ms: {query: "latency{$select}", unit: s}
"""
NODE = {"instance": "a:9100", "job": "node", "role": "web"}


@pytest.fixture
def fake() -> Iterator[FakePrometheus]:
    with fake_prometheus() as found:
        found.now = T0 + 600
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text(MAPPING)
    return tmp_path


def feed_of(fake: FakePrometheus, folder: Path, **options: str) -> PrometheusFeed:
    return open_prometheus(fake.url + "/", {"mapping": str(folder / "m.yaml"), **options})


def at(second: float) -> np.datetime64:
    return np.datetime64(round(second * 1000), "ms")


def fetched(feed: PrometheusFeed, first: float, last: float) -> Samples:
    """Ticks ``first`` to ``last``, in seconds after T0."""
    try:
        return feed.fetch(at(T0 + first - feed.step_seconds), at(T0 + last))
    finally:
        feed.close()


def told(samples: Samples, metric: str = "cpu_pct") -> dict[str, list[tuple[float, Any]]]:
    """Server → (seconds after T0, value or None, up)."""
    found: dict[str, list[tuple[float, Any]]] = {}
    for row in np.argsort(samples.times, kind="stable"):
        second = float((samples.times[row] - at(T0)) / np.timedelta64(1, "ms")) / 1000
        value = float(samples.metrics[metric][row])
        shown: Any = None if np.isnan(value) else round(value, 3)
        if samples.up is not None and not samples.up[row]:
            shown = "down" if shown is None else f"down with {shown}"
        found.setdefault(samples.servers[row], []).append((second, shown))
    return found


def scraped(fake: FakePrometheus, seconds: list[float], up: int = 1, value: float = 40.0, **labels: str) -> None:
    """Scrapes of one target, ``seconds`` after T0."""
    target = {**NODE, **labels}
    fake.add("up", target, [(T0 + second, up) for second in seconds])
    fake.add("cpu", target, [(T0 + second, value) for second in seconds])


def test_samples_have_the_true_time_of_the_scrape_and_the_name_without_its_port(
    fake: FakePrometheus, folder: Path
) -> None:
    scraped(fake, [-3, 7, 17])
    samples = fetched(feed_of(fake, folder), 0, 20)
    assert told(samples) == {"a": [(-3, 40), (7, 40), (17, 40)]}
    assert list(samples.profiles) == ["web"] * 3
    assert samples.now == at(T0 + 600)
    assert samples.rejected == ()


def test_what_is_only_repeated_within_the_lookback_is_missing(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [-3, 7])  # then Prometheus itself was killed: no marker ends the series
    assert told(fetched(feed_of(fake, folder), 0, 300)) == {"a": [(-3, 40), (7, 40)]}


def test_a_target_that_is_down_is_offline_and_one_that_vanished_is_missing(fake: FakePrometheus, folder: Path) -> None:
    seconds = [7, 17, 27]
    fake.add("up", NODE, [(T0 + 7, 1), (T0 + 17, 0), (T0 + 27, 0)])
    fake.add("cpu", NODE, [(T0 + second, 50) for second in seconds])  # as rate() goes on over what it still has
    gone = {**NODE, "instance": "gone:9100"}
    fake.add("up", gone, [(T0 + 7, 1), (T0 + 17, STALE)])
    fake.add("cpu", gone, [(T0 + 7, 60)])
    assert told(fetched(feed_of(fake, folder), 10, 30)) == {
        "a": [(7, 50), (17, "down"), (27, "down")],
        "gone": [(7, 60)],
    }


def test_a_target_that_is_up_without_a_value_has_a_sample_without_one(fake: FakePrometheus, folder: Path) -> None:
    fake.add("up", NODE, [(T0 + 7, 1)])
    fake.add("cpu", NODE, [(T0 + 7, "NaN")])
    assert told(fetched(feed_of(fake, folder), 10, 10)) == {"a": [(7, None)]}


def test_jitter_of_a_scrape_loses_no_tick(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [9.9, 20.2, 29.8])  # tick 20 has only the sample of 9.9, a tenth of a second too old
    assert [second for second, _ in told(fetched(feed_of(fake, folder), 10, 30))["a"]] == [9.9, 10.001, 29.8]


def test_units_are_the_contracts_and_impossible_values_are_told(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7], value=140)
    fake.add("latency", NODE, [(T0 + 7, 0.25)])
    other = {**NODE, "instance": "b:9100"}
    scraped(fake, [7], instance="b:9100")
    fake.add("latency", other, [(T0 + 7, "+Inf")])
    samples = fetched(feed_of(fake, folder), 10, 10)
    assert told(samples, "latency_ms") == {"a": [(7, 250)], "b": [(7, None)]}
    assert told(samples) == {"a": [(7, None)], "b": [(7, 40)]}
    rules = {one.rule: (one.count, one.examples) for one in samples.rejected}
    assert rules["out-of-range"] == (1, ("cpu_pct 140 of a at 2023-11-14T22:13:40.000Z",))
    assert rules["infinite-value"][0] == 1


def test_two_ports_of_one_host_are_told_and_the_higher_counts(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7], value=10)
    scraped(fake, [8], value=30, instance="a:9101")
    samples = fetched(feed_of(fake, folder), 10, 10)
    assert told(samples) == {"a": [(8, 30)]}
    assert [(one.rule, one.count) for one in samples.rejected] == [("duplicate-row", 1)]
    assert 'instance="a:9101"' in samples.rejected[0].examples[0]
    kept = fetched(feed_of(fake, folder, port="keep"), 10, 10)
    assert told(kept) == {"a:9100": [(7, 10)], "a:9101": [(8, 30)]}
    assert kept.rejected == ()


def test_a_server_with_one_port_down_is_up_and_with_both_is_down(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7, 17], value=10)
    fake.add("up", {**NODE, "instance": "a:9101"}, [(T0 + 7, 0), (T0 + 17, 0)])
    fake.series[0][2][1] = (T0 + 17, 0)
    assert told(fetched(feed_of(fake, folder), 10, 20)) == {"a": [(7, 10), (17, "down")]}


def test_series_without_a_name_are_told(fake: FakePrometheus, folder: Path) -> None:
    fake.add("up", {"job": "node"}, [(T0 + 7, 1)])
    samples = fetched(feed_of(fake, folder), 10, 10)
    assert len(samples) == 0
    assert samples.rejected[0].rule == "bad-server-name"


def test_instants_are_whole_steps_and_never_ahead_of_the_sources_clock(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7, 17])
    fake.now = T0 + 21
    feed = feed_of(fake, folder)
    feed.fetch(at(T0 + 3), at(T0 + 58))
    feed.close()
    spans = {(query["start"], query["end"], query["step"]) for query in fake.queries()}
    assert spans == {(f"{T0 + 10}.000", f"{T0 + 20}.000", "10.000")}


def test_a_span_without_an_instant_asks_only_for_the_time(fake: FakePrometheus, folder: Path) -> None:
    feed = feed_of(fake, folder)
    assert len(feed.fetch(at(T0 + 1), at(T0 + 9))) == 0
    feed.close()
    assert fake.queries() == []


def test_long_spans_are_asked_in_pieces_that_give_the_same_as_one(fake: FakePrometheus, folder: Path) -> None:
    ticks = 25_000
    fake.now = T0 + ticks
    scraped(fake, [second + 0.5 for second in range(0, ticks, 1000)])
    feed = feed_of(fake, folder, step="1s")
    found = told(fetched(feed, 1, ticks))
    assert [second for second, _ in found["a"]] == [second + 0.5 for second in range(0, ticks, 1000)]
    points = [1 + round(float(query["end"]) - float(query["start"])) for query in fake.queries()]
    assert max(points) == 11_000


def test_what_is_too_much_for_the_server_is_asked_in_halves(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, list(range(0, 300, 10)))
    fake.most = 7
    assert len(told(fetched(feed_of(fake, folder), 0, 290))["a"]) == 30
    fake.most = 0
    with pytest.raises(SourceUnreachableError, match="too many samples"):
        fetched(feed_of(fake, folder), 0, 290)


def test_warnings_are_told_or_refused(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7])
    fake.warnings = ["receive series from store-2: unavailable"]
    samples = fetched(feed_of(fake, folder), 10, 10)
    assert told(samples) == {"a": [(7, 40)]}
    assert samples.rejected[0].rule == "partial-answer"
    assert "store-2" in samples.rejected[0].examples[0]
    with pytest.raises(SourceUnreachableError, match=r"only a part .* store-2"):
        fetched(feed_of(fake, folder, partial="refuse"), 10, 10)
    assert fake.queries()[-1]["partial_response"] == "false"


def test_a_query_that_is_none_names_its_column(fake: FakePrometheus, folder: Path) -> None:
    (folder / "m.yaml").write_text(MAPPING.replace("cpu{$select}", "cpu{$select} +"))
    with pytest.raises(QueryRefusedError, match="cpu_pct: parse error"):
        fetched(feed_of(fake, folder), 10, 10)


def test_native_histograms_are_told(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7])
    fake.results['latency{job="node"}'] = [{"metric": NODE, "histograms": [[T0 + 10, {"count": "1"}]]}]
    samples = fetched(feed_of(fake, folder), 10, 10)
    assert told(samples) == {"a": [(7, 40)]}
    assert [one.rule for one in samples.rejected] == ["unusable-column"]
    assert "histogram_quantile" in samples.rejected[0].examples[0]


def test_a_column_may_have_a_selector_of_its_own_for_its_age(fake: FakePrometheus, folder: Path) -> None:
    own = MAPPING.replace('"latency{$select}", unit: s', '"latency{$select}", unit: s, seen: "latency{$select}"')
    (folder / "m.yaml").write_text(own)
    scraped(fake, [7, 17])
    fake.add("latency", NODE, [(T0 + 7, 0.25)])
    samples = fetched(feed_of(fake, folder), 10, 20)
    assert told(samples, "latency_ms") == {"a": [(7, 250), (17, None)]}


def test_max_age_lets_values_stand_that_are_scraped_less_often(fake: FakePrometheus, folder: Path) -> None:
    scraped(fake, [7, 37])
    ages = told(fetched(feed_of(fake, folder, max_age="30s"), 10, 60))["a"]
    assert [second for second, _ in ages] == [7, 10.001, 20.001, 37, 40.001, 50.001]
