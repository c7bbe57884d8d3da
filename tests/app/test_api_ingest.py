"""Pushing samples over HTTP: what is taken, what is not and why, and who may."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient
from pyarrow import feather
from werkzeug.test import TestResponse

TOKEN = "a-token-of-the-test"  # noqa: S105
PUSHED = "fleet=push://fleet?step=5s"
ADDRESS = "/api/v1/ingest/fleet"
ARROW = "application/vnd.apache.arrow.stream"
Row = Mapping[str, Any]


@pytest.fixture
def pushed(make_client: MakeClient) -> FlaskClient:
    return make_client(PUSHED, push_token=TOKEN)


def now() -> int:
    return round(time.time() * 1000)


def a_row(**values: Any) -> dict[str, Any]:
    return {"timestamp": now(), "server_name": "web-1", "cpu_pct": 12.5, **values}


def post(
    client: FlaskClient, body: Sequence[Row] | Mapping[str, Any] | bytes, address: str = ADDRESS, **headers: str
) -> TestResponse:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **given}
    return client.post(address, data=sent, headers=told)


def answer(response: TestResponse, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return json.loads(response.text)


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def a_table(rows: int = 3, **columns: Any) -> pa.Table:
    times = pa.array([now()] * rows, pa.int64()).cast(pa.timestamp("ms", "UTC"))
    names = pa.array([f"web-{row}" for row in range(rows)])
    return pa.table({"timestamp": times, "server_name": names, "cpu_pct": [5.0] * rows, **columns})


def test_rows_are_taken_once_whatever_they_come_in(pushed: FlaskClient) -> None:
    rows = [a_row(), a_row(server_name="web-2", profile="web", state="warning", mem_pct=None)]
    first = answer(post(pushed, rows))
    assert (first["rows"], first["accepted"], first["duplicate"], first["errors"]) == (2, 2, 0, [])
    lines = "\n".join(map(json.dumps, rows)).encode()
    for again in (
        post(pushed, {"samples": rows}),
        post(pushed, lines, Content_Type="application/x-ndjson"),
        post(pushed, gzip.compress(json.dumps(rows).encode()), Content_Encoding="gzip"),
        post(pushed, gzip.compress(lines[:50]) + gzip.compress(lines[50:]), Content_Encoding="gzip",
             Content_Type="application/x-ndjson"),
    ):  # fmt: skip
        found = answer(again)
        assert (found["accepted"], found["duplicate"]) == (0, 2)
    assert answer(post(pushed, rows[0]))["duplicate"] == 1
    assert answer(post(pushed, []))["rows"] == 0


def test_arrow_is_taken_as_a_stream_and_as_a_file(pushed: FlaskClient) -> None:
    table = a_table(profile=pa.array(["web", "db", "web"]).dictionary_encode())
    assert answer(post(pushed, stream(table), Content_Type=ARROW))["accepted"] == 3
    sink = io.BytesIO()
    feather.write_feather(table, sink, compression="uncompressed")
    assert answer(post(pushed, sink.getvalue(), Content_Type=ARROW))["duplicate"] == 3
    packed = gzip.compress(stream(table))
    assert answer(post(pushed, packed, Content_Type=ARROW, Content_Encoding="gzip"))["duplicate"] == 3


def test_every_row_and_value_that_is_not_taken_is_told_with_its_rule_and_what_to_do(pushed: FlaskClient) -> None:
    rows = [
        a_row(),
        a_row(server_name="web-2", cpu_pct=140, mem_pct="much", latency_ms=3),
        a_row(timestamp="soon"),
        a_row(server_name=" "),
        a_row(server_name="web-5", cpu_pct=None),
        a_row(server_name="web-6", cpu_pct=-1),
        a_row(server_name="web-7", timestamp=now() + 60_000),
        a_row(server_name="web-8", timestamp="2001-01-01T00:00:00Z"),
        a_row(server_name="web-9", state="broken", profile="x" * 200, cpu_pct=True, latency_ms=1),
    ]
    found = answer(post(pushed, rows), 202)
    counts = {name: found[name] for name in ("accepted", "late", "future", "rejected", "values_rejected")}
    assert counts == {"accepted": 3, "late": 1, "future": 1, "rejected": 4, "values_rejected": 6}
    told = {(error["row"], error["column"], error["rule"], error["value"]) for error in found["errors"]}
    assert told == {
        (2, "cpu_pct", "out-of-range", "140"),
        (2, "mem_pct", "text-in-number", "much"),
        (3, "timestamp", "bad-timestamp", "soon"),
        (4, "server_name", "bad-server-name", " "),
        (5, None, "empty-row", None),
        (6, "cpu_pct", "out-of-range", "-1"),
        (7, None, "future-sample", None),
        (8, None, "late-sample", None),
        (9, "state", "unknown-state", "broken"),
        (9, "profile", "bad-profile", "x" * 39 + "…" + "x" * 39),
        (9, "cpu_pct", "text-in-number", "true"),
    }
    assert all(error["advice"].endswith(".") for error in found["errors"])
    assert {error["server_name"] for error in found["errors"] if error["row"] == 2} == {"web-2"}
    assert found["accepted"] + found["late"] + found["future"] + found["rejected"] == found["rows"]


def test_of_many_errors_the_first_hundred_are_listed_and_all_are_counted(pushed: FlaskClient) -> None:
    rows = [a_row(server_name=f"web-{number}", cpu_pct=200) for number in range(250)]
    found = answer(post(pushed, rows), 422)
    assert "None of the 250 rows" in found["error"]
    assert (len(found["errors"]), found["errors_left_out"], found["rejected"]) == (100, 150, 250)
    assert found["findings"][0]["count"] == 250


def test_a_value_that_comes_later_joins_those_of_its_instant(pushed: FlaskClient) -> None:
    row = a_row()
    answer(post(pushed, [row]))
    more = {name: row[name] for name in ("timestamp", "server_name")} | {"mem_pct": 30}
    assert answer(post(pushed, [more]))["accepted"] == 1
    assert answer(post(pushed, [row, more]))["duplicate"] == 2


def test_columns_that_nobody_knows_are_told_with_the_name_that_is_meant(pushed: FlaskClient) -> None:
    found = answer(post(pushed, [a_row(cpu=3, memory_pct=3, incident_phase="peak")]))
    told = {finding["rule"]: finding["column"] for finding in found["findings"]}
    assert told["label-column"] == "incident_phase"
    assert any("is it 'mem_pct'?" in finding["sentence"] for finding in found["findings"])
    missing = answer(post(pushed, [{"time": now(), "host": "a", "cpu_pct": 1}]), 422)
    assert "'timestamp'; is it 'time'?" in missing["error"]
    assert "cpu_pct" in answer(post(pushed, [{"timestamp": now(), "server_name": "a", "cpu": 1}]), 422)["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"nonsense", "not JSON"),
        (b'[{"cpu_pct": NaN}]', "NaN"),
        (b"", "not JSON"),
        (b'"text"', "is text"),
        (b"[1]", "Row 1 is a number"),
        (b'[{"timestamp": 1}, null]', "Row 2 is null"),
        (b'{"samples": 3}', "a number"),
        (b'{"samples": [], "strict": true}', "'strict'"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_body_that_is_no_list_of_rows_is_refused_in_words(pushed: FlaskClient, body: bytes, words: str) -> None:
    assert words in answer(post(pushed, body), 400)["error"]


def test_a_damaged_line_is_named(pushed: FlaskClient) -> None:
    body = json.dumps(a_row()).encode() + b"\n\n{\n"
    assert "Line 3" in answer(post(pushed, body, Content_Type="application/x-ndjson"), 400)["error"]


def test_what_is_not_read_here_is_415(pushed: FlaskClient) -> None:
    assert "text/csv" in answer(post(pushed, b"a,b", Content_Type="text/csv"), 415)["error"]
    assert "'br'" in answer(post(pushed, b"x", Content_Encoding="br"), 415)["error"]
    assert "Content-Type" in answer(post(pushed, b"[]", Content_Type=""), 415)["error"]


def test_a_small_body_that_stands_for_a_large_one_is_refused_before_it_is_unpacked(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN, push_mb=1)
    bomb = gzip.compress(b" " * 300_000_000)
    assert len(bomb) < 1_000_000
    assert "TFT_DASH_PUSH_MB" in answer(post(client, bomb, Content_Encoding="gzip"), 413)["error"]
    assert "TFT_DASH_PUSH_MB" in answer(post(client, b" " * 1_000_001), 413)["error"]
    assert answer(post(client, b"xx", Content_Encoding="gzip"), 400)
    cut = gzip.compress(json.dumps([a_row()]).encode())[:-9]
    assert "too early" in answer(post(client, cut, Content_Encoding="gzip"), 400)["error"]
    packed = stream(a_table(1000, mem_pct=[0.0] * 1000), compression="zstd")
    assert "packed" in answer(post(client, packed, Content_Type=ARROW), 400)["error"]
    shared = pa.DictionaryArray.from_arrays([0] * 3, ["9" * 100_000])
    found = answer(post(client, stream(a_table(mem_pct=shared)), Content_Type=ARROW))
    assert [finding["rule"] for finding in found["findings"]] == ["unusable-column"]


def test_damaged_arrow_is_refused_in_words(pushed: FlaskClient) -> None:
    whole = stream(a_table())
    for body in (b"", b"ARROW1\0\0", whole[: len(whole) // 2], b"\xff" * 100, whole[:8] + b"\0" * 300):
        assert "Arrow" in answer(post(pushed, body, Content_Type=ARROW), 400)["error"]
    for place in range(8, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        assert post(pushed, bytes(damaged), Content_Type=ARROW).status_code in (200, 202, 400, 413, 422), place


def test_more_rows_than_the_settings_allow_are_refused(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN, push_rows=2)
    rows = [a_row(server_name=name) for name in "abc"]
    assert "TFT_DASH_PUSH_ROWS" in answer(post(client, rows), 413)["error"]
    assert "TFT_DASH_PUSH_ROWS" in answer(post(client, stream(a_table()), Content_Type=ARROW), 413)["error"]
    lines = "\n".join(map(json.dumps, rows)).encode()
    assert answer(post(client, lines, Content_Type="application/x-ndjson"), 413)


def test_a_source_that_sends_too_fast_is_told_when_to_come_again(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN, push_rate=1)
    rows = [a_row(server_name=f"web-{number}") for number in range(40)]
    assert answer(post(client, rows))["accepted"] == 40
    refused = post(client, [a_row(server_name="another")])
    assert "TFT_DASH_PUSH_RATE" in answer(refused, 429)["error"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert post(client, b"not even read").status_code == 429


def test_where_nobody_collects_the_room_is_bounded(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN, push_gb=0.001)
    rows = [a_row(server_name=f"web-{number}") for number in range(4000)]
    assert answer(post(client, rows))["accepted"] == 4000
    refused = post(client, [a_row(server_name="another")])
    assert "TFT_DASH_PUSH_GB" in answer(refused, 429)["error"]
    assert int(refused.headers["Retry-After"]) >= 1


def test_without_a_token_that_is_configured_nothing_is_taken(make_client: MakeClient) -> None:
    client = make_client(PUSHED)
    assert "no token is configured" in answer(post(client, [a_row()]), 403)["error"]


def test_only_the_right_token_opens_and_it_is_asked_before_anything_is_read(pushed: FlaskClient) -> None:
    for shown in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"):
        refused = post(pushed, b"not even read", Authorization=shown)
        assert answer(refused, 401)["error"]
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in refused.text
    assert answer(post(pushed, [a_row()], Authorization=f"bearer  {TOKEN}"))["accepted"] == 1


def test_tokens_in_a_file_are_renewed_without_a_restart(make_client: MakeClient, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    client = make_client(f"fleet=push://fleet?token_file={tokens}", push_token="for-all-others")  # noqa: S106
    assert "no such file" in answer(post(client, [a_row()]), 503)["error"]
    tokens.write_text("# nobody yet\n\n")
    assert answer(post(client, [a_row()]), 403)
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f"# the old and the new one\nold-token\nsha256:{digest}\n")
    assert answer(post(client, [a_row()]))["accepted"] == 1
    assert answer(post(client, [a_row(server_name="b")], Authorization="Bearer old-token"))["accepted"] == 1
    assert answer(post(client, [a_row()], Authorization=f"Bearer sha256:{digest}"), 401)
    assert answer(post(client, [a_row()], Authorization="Bearer for-all-others"), 401)
    tokens.write_text("another\n")
    assert answer(post(client, [a_row()]), 401)


def test_a_token_in_the_environment_opens_its_source_alone(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    client = make_client("fleet=push://fleet?token_env=FLEET_TOKEN", "other=push://other")
    assert answer(post(client, [a_row()]))["accepted"] == 1
    assert answer(post(client, [a_row()], "/api/v1/ingest/other"), 403)
    monkeypatch.delenv("FLEET_TOKEN")
    assert "FLEET_TOKEN" in answer(post(client, [a_row()]), 503)["error"]


def test_tokens_are_shown_nowhere(pushed: FlaskClient) -> None:
    for address in ("/api/v1/sources", "/readyz", "/api/v1/openapi.json"):
        assert TOKEN not in pushed.get(address).text


def test_addresses_that_take_no_samples_say_so(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN)
    assert "fleet" in answer(post(client, [a_row()], "/api/v1/ingest/flet"), 404)["error"]
    assert answer(client.get(ADDRESS), 404)
    assert "push://" in answer(post(make_client(), [a_row()]), 404)["error"]
    assert post(client, [a_row()], Sec_Fetch_Site="cross-site").status_code == 403


def test_the_address_lies_below_the_base_path(make_client: MakeClient) -> None:
    client = make_client(PUSHED, push_token=TOKEN, base_path="/portal")
    assert answer(post(client, [a_row()], "/portal/api/v1/ingest/fleet"))["accepted"] == 1
