"""The feed on Debian's Prometheus and node_exporter, killed and started again; the shipped PromQL by promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.installed import demand
from support.scraping import Prometheus, awaited, node_exporter, prometheus, service

from tft_dash.cli import main
from tft_dash.errors import SourceUnreachableError
from tft_dash.live.feeds.prometheus import PrometheusFeed, open_prometheus
from tft_dash.live.feeds.prometheus.document import shipped_mapping, shipped_names
from tft_dash.live.samples import Samples
from tft_dash.scenarios.format.loader import dump_text

SECOND = np.timedelta64(1, "s")
BCRYPT_OF_HUNTER2 = "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm"


@pytest.fixture(autouse=True)
def programs() -> None:
    demand("prometheus", "promtool", "prometheus-node-exporter")


def now() -> np.datetime64:
    return np.datetime64("now", "ms")


def last(feed: PrometheusFeed, seconds: int, until: np.datetime64 | None = None) -> Samples:
    """The samples of the last few seconds, but for the very last one."""
    end = now() - SECOND if until is None else until
    return feed.fetch(end - seconds * SECOND, end)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Prometheus]:
    with node_exporter(tmp_path) as (target, _), prometheus(tmp_path, {"node": [target]}) as found:
        yield found


def feed_of(server: Prometheus, **options: str) -> PrometheusFeed:
    return open_prometheus(server.url, {"step": "1s", **options})


def test_promtool_finds_nothing_wrong_with_the_shipped_queries(tmp_path: Path) -> None:
    for name in shipped_names():
        configuration = open_prometheus("prometheus+http://h/", {"mapping": name}).configuration
        given = shipped_mapping(name).spec.columns.given()
        rules = [{"record": f"x:{metric}", "expr": configuration.promql(one.query)} for metric, one in given.items()]
        file = tmp_path / f"{name}.yaml"
        file.write_text(dump_text({"groups": [{"name": name, "rules": rules}]}))
        done = subprocess.run(["promtool", "check", "rules", str(file)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert f"{len(given)} rules found" in done.stdout


CASES = {
    # series at 0, 15, 30 … seconds; what is asked at 2 minutes: metric → value, None = missing
    "node": [
        (
            {
                'node_cpu_seconds_total{instance="a:1",job="node",cpu="0",mode="idle"}': "0+3x20",
                'node_cpu_seconds_total{instance="a:1",job="node",cpu="0",mode="iowait"}': "0+6x20",
                'node_cpu_seconds_total{instance="a:1",job="node",cpu="0",mode="user"}': "0+6x20",
                'node_cpu_seconds_total{instance="a:1",job="node",cpu="1",mode="idle"}': "0+15x20",
                'node_disk_read_bytes_total{instance="a:1",job="node",device="sda"}': "0+1500x20",
                'node_disk_written_bytes_total{instance="a:1",job="node",device="sda"}': "0+3000x20",
                'node_disk_read_bytes_total{instance="a:1",job="node",device="dm-0"}': "0+1500x20",
                'node_disk_written_bytes_total{instance="a:1",job="node",device="dm-0"}': "0+3000x20",
                'node_network_receive_bytes_total{instance="a:1",job="node",device="eth0"}': "0+150x20",
                'node_network_receive_bytes_total{instance="a:1",job="node",device="lo"}': "0+9000x20",
            },
            {"cpu_pct": 20, "mem_pct": None, "disk_io_mb_s": 300, "net_in_mb_s": 10, "net_out_mb_s": None},
        )
    ],
    "red": [
        ({'http_requests_total{instance="a:1",job="shop"}': "0+150x20"}, {"error_rate": None, "latency_ms": None}),
        ({'http_requests_total{instance="a:1",job="shop",code="200"}': "0+150x20"}, {"error_rate": 0}),
        (
            {
                'http_requests_total{instance="a:1",job="shop",status="200"}': "0+90x20",
                'http_requests_total{instance="a:1",job="shop",status="503"}': "0+30x20",
                'http_requests_total{instance="a:1",job="shop",status="404"}': "0+30x20",
            },
            {"error_rate": 0.2},
        ),
        ({'http_requests_total{instance="a:1",job="shop",code="500"}': "7+0x20"}, {"error_rate": None}),
        (
            {
                'http_server_request_duration_seconds_bucket{instance="a:1",job="shop",le="0.1"}': "0+150x20",
                'http_server_request_duration_seconds_bucket{instance="a:1",job="shop",le="+Inf"}': "0+150x20",
                'jvm_gc_pause_seconds_sum{instance="a:1",job="shop"}': "0+1x20",
                'jvm_gc_pause_seconds_count{instance="a:1",job="shop"}': "0+10x20",
            },
            {"latency_ms": 0.095, "gc_pause_ms": 0.1},
        ),
        ({'process_cpu_seconds_total{instance="a:1",job="shop"}': "0+30x20"}, {"cpu_pct": 100}),
        ({'process_cpu_seconds_total{instance="a:1",job="node"}': "0+3x20"}, {"cpu_pct": None}),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_the_shipped_queries_give_what_they_should(tmp_path: Path, name: str) -> None:
    configuration = open_prometheus("prometheus+http://h/", {"mapping": name}).configuration
    given = shipped_mapping(name).spec.columns.given()
    tests = []
    for series, wanted in CASES[name]:
        questions = []
        for metric, value in wanted.items():
            labels = '{instance="a:1", job="%s"}' % ("node" if name == "node" else "shop")
            samples = [] if value is None else [{"labels": labels, "value": value}]
            # Rounded, for promtool compares to the last bit; what is no number is missing, too.
            expr = f"round({configuration.promql(given[metric].query)}, 0.0001) >= 0"
            questions.append({"expr": expr, "eval_time": "2m", "exp_samples": samples})
        inputs = [{"series": one, "values": values} for one, values in series.items()]
        tests.append({"interval": "15s", "input_series": inputs, "promql_expr_test": questions})
    file = tmp_path / "tests.yaml"
    file.write_text(dump_text({"evaluation_interval": "15s", "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_machine_is_seen_with_every_metric_of_the_mapping(node: Prometheus) -> None:
    feed = feed_of(node)

    def whole() -> Samples | None:
        found = last(feed, 3)
        seen = found.metrics.get("cpu_pct", np.zeros(0))
        return found if len(found) and not np.isnan(seen).any() else None

    samples = awaited(whole, "CPU of the machine")
    feed.close()
    assert set(samples.servers) == {"127.0.0.1"}
    assert samples.rejected == ()
    assert samples.now is not None and abs(samples.now - now()) < 5 * SECOND
    for name in ("cpu_pct", "mem_pct", "net_in_mb_s", "net_out_mb_s"):
        assert np.isfinite(samples.metrics[name]).all(), name
    assert (samples.metrics["mem_pct"] > 0).all()
    # The times are those of the scrapes, not those of the questions.
    assert len({int(time.astype(np.int64)) % 1000 for time in samples.times} - {0}) >= 1


def test_a_machine_that_is_down_is_offline_and_one_that_is_not_scraped_any_more_is_missing(tmp_path: Path) -> None:
    with (
        node_exporter(tmp_path) as (target, program),
        service() as other,
        prometheus(tmp_path, {"node": [target], "node-exporter": [other.target]}) as server,
    ):
        feed = feed_of(server, port="keep")
        awaited(lambda: set(last(feed, 2).servers) == {target, other.target}, "both targets")
        program.kill()

        def down() -> bool:
            found = last(feed, 2)
            mine = found.servers == target
            return found.up is not None and bool(mine.any()) and not found.up[mine].any()

        awaited(down, "the target is down")
        found = last(feed, 2)
        assert np.isnan(found.metrics["cpu_pct"][found.servers == target]).all()
        server.configure({"node": [target]})
        awaited(lambda: set(last(feed, 3).servers) == {target}, "the other target has vanished")
        feed.close()


def test_what_was_while_prometheus_was_away_is_missing_and_what_was_before_is_still_there(node: Prometheus) -> None:
    feed = feed_of(node)
    awaited(lambda: len(last(feed, 5)) >= 5, "five samples")
    before = last(feed, 4)
    node.program.kill()
    killed = now()
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        last(feed, 4)
    time.sleep(6)
    node.program.start()
    awaited(lambda: len(last(feed, 3)) >= 3, "samples again")
    again = feed.fetch(killed - 10 * SECOND, now() - SECOND)
    feed.close()
    silent = (again.times > killed + SECOND) & (again.times < killed + 5 * SECOND)
    assert not silent.any()
    assert set(before.times) <= set(again.times)


def test_requests_errors_and_durations_of_a_service(tmp_path: Path) -> None:
    with service() as app, prometheus(tmp_path, {"shop": [app.target]}) as server:
        feed = feed_of(server, mapping="red")

        def measured(latency: float, errors: float) -> bool:
            found = last(feed, 1)
            if not len(found) or "latency_ms" not in found.metrics:
                return False
            seen = found.metrics["latency_ms"][-1], found.metrics["error_rate"][-1]
            return bool(np.allclose(seen, (latency, errors), rtol=0.05, atol=0.005))

        # No answer was an error yet: that is a rate of zero, not a missing one.
        awaited(lambda: measured(48, 0), "a quiet service")
        app.begun, app.each_second = time.time(), (100, 50, 0.2)
        awaited(lambda: measured(240, 0.5), "half of the answers are errors")
        found = last(feed, 2)
        assert found.profiles is not None and set(found.profiles) == {"shop"}
        assert set(found.servers) == {app.target}
        feed.close()


def test_a_day_of_seconds_is_under_the_limits_of_a_real_server(tmp_path: Path) -> None:
    options = ("--query.max-samples=20000",)
    with service() as app, prometheus(tmp_path, {"shop": [app.target]}, *options) as server:
        feed = feed_of(server, mapping="red")
        awaited(lambda: len(last(feed, 2)) >= 2, "samples")
        end = now() - SECOND
        day = feed.fetch(end - 86_400 * SECOND, end)
        short = feed.fetch(day.times.min() - SECOND, end)
        feed.close()
        assert sorted(day.times) == sorted(short.times)
        assert len(day) >= 2


@pytest.mark.skipif(shutil.which("openssl") is None, reason="not installed: openssl")
def test_tls_and_a_password(tmp_path: Path) -> None:
    certificate, key, password = (tmp_path / name for name in ("cert.pem", "key.pem", "password"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    web = {
        "tls_server_config": {"cert_file": str(certificate), "key_file": str(key)},
        "basic_auth_users": {"reader": BCRYPT_OF_HUNTER2},
    }
    (tmp_path / "web.yml").write_text(dump_text(web))
    with prometheus(tmp_path, {}, f"--web.config.file={tmp_path}/web.yml", secure=True) as server:
        url = f"prometheus+https://reader@localhost:{server.port}/"
        options = {"step": "1s", "ca_file": str(certificate), "password_file": str(password)}
        password.write_text("hunter2\n")
        feed = open_prometheus(url, options)
        assert len(last(feed, 2)) == 0
        password.write_text("wrong\n")
        with pytest.raises(SourceUnreachableError, match="lets nobody in with what it was given: status 401"):
            last(feed, 2)
        feed.close()
        feed = open_prometheus(url, {**options, "ca_file": "/etc/ssl/certs/ca-certificates.crt"})
        with pytest.raises(SourceUnreachableError, match="does not prove who it is"):
            last(feed, 2)
        feed.close()


def test_the_command_says_what_there_is_and_what_is_missing(node: Prometheus) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["source", "test", *arguments])
        return result.exit_code, result.output

    def fine() -> bool:
        status, output = run(f"{node.url}?step=1s", "--json")
        return status == 0 and "cpu_pct" in json.loads(output)["columns"]

    awaited(fine, "the source is acceptable")
    plain = json.loads(run(f"{node.url}?step=1s", "--json")[1])
    assert plain["servers"] == [{"server_name": "127.0.0.1", "profile": None}]
    assert plain["missing_columns"] == ["latency_ms", "error_rate", "gc_pause_ms"]
    assert 0.8 < plain["median_gap_seconds"] < 1.2
    status, output = run(f'{node.url}?step=1s&select=job="other"')
    assert status == 1
    assert 'Its jobs, with their targets: node (1). Choose with select=job="node".' in output
