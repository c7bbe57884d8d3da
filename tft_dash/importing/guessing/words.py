"""What foreign column names usually mean: words to the contract's columns and to units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tft_dash.schema import METRIC_NAMES, PROFILE, SERVER_NAME, STATE, TIMESTAMP

_SYNONYMS: Final[Mapping[str, str]] = {
    TIMESTAMP: "timestamp time date datetime ts t when at epoch unixtime unix_time event_time eventtime time_stamp "
    "date_time sample_time sampled_at created created_at recorded_at collected_at zeit zeitstempel datum",
    SERVER_NAME: "server_name server servername host hostname host_name instance instance_id instanceid pod pod_name "
    "node nodename node_name machine machine_name vm vm_name vmname container container_name device computer "
    "name entity target",
    PROFILE: "profile role type tier kind class server_type server_profile service_type",
    STATE: "state status health",
    "incident_phase": "incident_phase",
    "problem_child": "problem_child",
}
_EXACT: Final[Mapping[str, str]] = {word: column for column, words in _SYNONYMS.items() for word in words.split()}

_METRIC_RULES: Final = (
    ("gc_pause_ms", r"(^|_)(gc|garbage_collection)(_|$)", r"count|collections"),
    ("error_rate", r"error|failure|(^|_)err(_|$)|5xx", r"count|total|message|code"),
    ("latency_ms", r"latency|response_time|duration|resp_time|(^|_)rt(_|$)|elapsed", r"count"),
    ("net_out_mb_s", (r"(net|network|nic|eth).*(out|tx|sent|transmit|send|upload|egress)|bytes_(sent|out)"
     r"|(^|_)(tx|egress|transmit)(_|$)"), r"packet|drop|err|total"),
    ("net_in_mb_s", (r"(net|network|nic|eth).*(in|rx|recv|receive|download|ingress)|bytes_(recv|received|in)"
     r"|(^|_)(rx|ingress|receive)(_|$)"), r"packet|drop|err|total"),
    ("disk_io_mb_s", r"disk.*(io|throughput|bytes|rate|mb|kb)|(^|_)io_(rate|throughput)|diskio",
     r"free|used|total|size|full|space|count|ops|iops|wait|time"),
    ("mem_pct", r"(^|_)(mem|memory|ram)(_|$)|memory",
     r"free|total|available|bytes|cached|buffer|swap|(^|_)(gb|mb|kb)(_|$)"),
    ("cpu_pct", r"(^|_)(cpu|processor)|cpu(_|$)", r"count|cores|temp|idle|limit|request|freq|num|steal|credit|id(_|$)"),
)  # fmt: skip
_UNIT_RULES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "percent": (
        (r"(^|_)(pct|percent|percentage|prozent)(_|$)", "percent"),
        (r"(^|_)(ratio|fraction|frac|share)(_|$)", "fraction"),
    ),
    "time": (
        (r"(^|_)(ms|msec|millis|milliseconds)(_|$)", "ms"),
        (r"(^|_)(us|usec|micros|microseconds)(_|$)", "us"),
        (r"(^|_)(ns|nsec|nanos|nanoseconds)(_|$)", "ns"),
        (r"(^|_)(s|sec|secs|seconds)(_|$)", "s"),
    ),
    "rate": (
        (r"gbps|gbit", "Gbit/s"),
        (r"mbps|mbit", "Mbit/s"),
        (r"kbps|kbit", "kbit/s"),
        (r"(^|_)bps(_|$)|bits?(_|$)", "bit/s"),
        (r"mib", "MiB/s"),
        (r"kib", "KiB/s"),
        (r"(^|_)mb(_|$)|mb_s|mbytes|megabytes", "MB/s"),
        (r"(^|_)kb(_|$)|kb_s|kbytes|kilobytes", "kB/s"),
        (r"bytes|(^|_)b_s(_|$)", "B/s"),
    ),
}
_KINDS: Final[Mapping[str, str]] = {
    "cpu_pct": "percent",
    "mem_pct": "percent",
    "error_rate": "percent",
    "latency_ms": "time",
    "gc_pause_ms": "time",
    "disk_io_mb_s": "rate",
    "net_in_mb_s": "rate",
    "net_out_mb_s": "rate",
}
REQUEST_WORDS: Final = re.compile(r"(^|_)(rps|qps|tps|requests?|queries|throughput|hits|req)(_|$)")


def plain_word(name: str) -> str:
    """A name in small letters, its parts joined by underscores: ``CPUUsage`` and ``cpu usage [%]`` alike."""
    text = name.replace("%", " pct ").replace("µ", "u")
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def column_for(name: str) -> str | None:
    """The contract's column that a foreign name usually means; None = no idea."""
    word = plain_word(name)
    if word in METRIC_NAMES:
        return word
    return _EXACT.get(word) or metric_for(name)


def metric_for(name: str) -> str | None:
    """The metric that a foreign name usually means; None = no idea."""
    word = plain_word(name)
    if word in METRIC_NAMES:
        return word
    for metric, pattern, excluded in _METRIC_RULES:
        if re.search(pattern, word) and not re.search(excluded, word):
            return metric
    return None


def unit_for(metric: str, name: str) -> str | None:
    """The unit that a name says, as in ``latency_seconds``; None = it says none."""
    word = plain_word(name)
    if word == metric:
        return None
    return next((unit for pattern, unit in _UNIT_RULES[_KINDS[metric]] if re.search(pattern, word)), None)


def kind_of(metric: str) -> str:
    """``percent``, ``time`` or ``rate``."""
    return _KINDS[metric]
