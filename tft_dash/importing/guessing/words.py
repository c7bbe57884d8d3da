"""What foreign column names usually mean: words to the contract's columns and to units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tft_dash.importing.units import own_unit
from tft_dash.schema import METRIC_NAMES, PROFILE, SERVER_NAME, STATE, TIMESTAMP

_SYNONYMS: Final[Mapping[str, str]] = {
    TIMESTAMP: "timestamp time date datetime ts t when at epoch unixtime unix_time event_time eventtime time_stamp "
    "date_time sample_time sampled_at created created_at recorded_at collected_at zeit zeitstempel datum uhrzeit",
    SERVER_NAME: "server_name server servername host hostname host_name instance instance_id instanceid pod pod_name "
    "node nodename node_name machine machine_name vm vm_name vmname container container_name device computer "
    "name entity target rechner rechnername knoten maschine",
    PROFILE: "profile role type tier kind class server_type server_profile service_type",
    STATE: "state status health",
    "incident_phase": "incident_phase",
    "problem_child": "problem_child",
}
_EXACT: Final[Mapping[str, str]] = {word: column for column, words in _SYNONYMS.items() for word in words.split()}

_METRIC_RULES: Final = (
    ("gc_pause_ms", r"(^|_)(gc|garbage_collection)(_|$)", r"count|collections"),
    ("error_rate", r"error|failure|(^|_)err(_|$)|5xx|fehler(rate|quote)", r"count|total|message|code"),
    ("latency_ms", r"latency|latenz|response_time|antwortzeit|duration|resp_time|(^|_)rt(_|$)|elapsed", r"count"),
    ("net_out_mb_s", (r"(net|network|nic|eth).*(out|tx|sent|transmit|send|upload|egress)|bytes_(sent|out)"
     r"|netzwerk.*(aus|gesendet)|(^|_)(tx|egress|transmit)(_|$)"), r"packet|drop|err|total"),
    ("net_in_mb_s", (r"(net|network|nic|eth).*(in|rx|recv|receive|download|ingress)|bytes_(recv|rcvd|received|in)"
     r"|netzwerk.*(ein|empfangen)|(^|_)(rx|ingress|receive)(_|$)"), r"packet|drop|err|total|in_use|auslastung"),
    ("disk_io_mb_s", r"disk.*(io|throughput|bytes|rate|mb|kb)|(^|_)io_(rate|throughput)|diskio",
     r"free|used|total|size|full|space|count|ops|iops|wait|time"),
    ("mem_pct", r"(^|_)(mem|memory|ram|arbeitsspeicher)(_|$)|memory|pct_committed_bytes_in_use",
     r"free|total|avail|usable|bytes(?!_in_use)|cached|buffer|swap|(^|_)([gmk]i?b)(_|$)"),
    ("cpu_pct", r"(^|_)(cpu|processor)|cpu(_|$)",
     r"count|cores|temp|idle|wait|limit|request|freq|num|steal|credit|id(_|$)"),
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
        (r"gib", "GiB/s"),
        (r"mib", "MiB/s"),
        (r"kib", "KiB/s"),
        (r"(^|_)gb(_|$)|gb_s|gbytes|gigabytes", "GB/s"),
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
RATE_WORDS: Final = re.compile(r"per_?s|(^|_)s$|rate|[bkm]ps(_|$)|throughput|_s(_|$)|(^|_)sec(_|$)")
"""What tells that a name speaks of something per second."""
PART_WORDS: Final = re.compile(r"(^|_)(user|usr)(_|$)")
"""What tells that a name speaks of a part of the processor's time only."""
REQUEST_WORDS: Final = re.compile(r"(^|_)(rps|qps|tps|requests?|queries|throughput|hits|req)(_|$)")


_BYTES: Final = re.compile(r"(?<![A-Z])([KkMG]i?)?B(ps)?(?![A-Za-z])")
"""kB, MiB, MBps: capitals that are units and no new words."""
_BITS: Final = re.compile(r"(?<![A-Za-z])([MG])b(?=/s)")


def _as_word(unit: re.Match[str]) -> str:
    return f" {(unit[1] or '').lower()}b{'_s' if unit[2] else ''} "


def plain_word(name: str) -> str:
    """A name in small letters, its parts joined by underscores: ``CPUUsage`` and ``cpu usage [%]`` alike."""
    text = _BITS.sub(r" \1bit ", _BYTES.sub(_as_word, name.replace("%", " pct ").replace("µ", "u")))
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
        return own_unit(metric)
    return next((unit for pattern, unit in _UNIT_RULES[_KINDS[metric]] if re.search(pattern, word)), None)


def kind_of(metric: str) -> str:
    """``percent``, ``time`` or ``rate``."""
    return _KINDS[metric]
