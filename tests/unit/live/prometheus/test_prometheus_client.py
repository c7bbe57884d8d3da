from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.prometheus import FakePrometheus, fake_prometheus

from tft_dash.errors import SourceUnreachableError, TftDashError, UsageError
from tft_dash.live.feeds.prometheus.client import Client, QueryRefusedError, TooMuchError
from tft_dash.live.feeds.prometheus.configuration import Access, configured

FINE = '{"status":"success","data":{"resultType":"matrix","result":[]}}'


@pytest.fixture
def fake() -> Iterator[FakePrometheus]:
    with fake_prometheus() as found:
        yield found


def client_of(fake: FakePrometheus, slept: list[float] | None = None, **options: str) -> Client:
    configuration = configured(f"{fake.url}/", options)
    pauses = [] if slept is None else slept
    seconds = configuration.timeout_seconds
    return Client(configuration.base, configuration.access, seconds, sleep=pauses.append)


def ask(client: Client, query: str = "up") -> Any:
    try:
        return client.ask("query_range", {"query": query, "start": "0", "end": "0", "step": "1"}, "up")
    finally:
        client.close()


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((401, {}, ""), SourceUnreachableError, "lets nobody in without authentication: status 401"),
        ((403, {}, "no"), SourceUnreachableError, "status 403"),
        ((404, {}, "404 page not found"), SourceUnreachableError, "no Prometheus API there"),
        (
            (302, {"Location": "https://login.example/?token=secret"}, ""),
            SourceUnreachableError,
            "https://login.example",
        ),
        ((200, {}, "<html>hello</html>"), SourceUnreachableError, "something else than Prometheus"),
        ((200, {}, '{"status":"success","data":[]}'), SourceUnreachableError, "something else"),
        ((200, {}, "[1]"), SourceUnreachableError, "something else"),
        (
            (500, {}, '{"status":"error","errorType":"internal","error":"disk"}'),
            SourceUnreachableError,
            r"500 \(disk\)",
        ),
        ((502, {}, "Bad Gateway"), SourceUnreachableError, "status 502"),
        (
            (400, {}, '{"status":"error","errorType":"bad_data","error":"parse error"}'),
            QueryRefusedError,
            "parse error",
        ),
        ((422, {}, '{"status":"error","errorType":"execution","error":"too many"}'), TooMuchError, "too many"),
        ((503, {}, '{"status":"error","errorType":"timeout","error":"timed out"}'), TooMuchError, "timed out"),
        ((504, {}, ""), TooMuchError, "504"),
    ],
)
def test_every_answer_that_is_none_is_told_in_words(
    fake: FakePrometheus, answer: tuple[int, dict[str, str], str], kind: type[TftDashError], words: str
) -> None:
    fake.answers.append(answer)
    with pytest.raises(kind, match=words) as caught:
        ask(client_of(fake))
    assert "secret" not in str(caught.value)
    assert len(fake.asked) == 1


def test_one_that_is_busy_is_asked_again_when_it_says(fake: FakePrometheus) -> None:
    slept: list[float] = []
    fake.answers += [(429, {"Retry-After": "2"}, ""), (503, {}, ""), (200, {}, FINE)]
    assert ask(client_of(fake, slept)).series == []
    assert slept == [2, 1]


def test_one_that_says_come_at_once_is_asked_a_little_later_and_not_for_ever(fake: FakePrometheus) -> None:
    slept: list[float] = []
    fake.answers += [(429, {"Retry-After": "0"}, "")] * 50
    with pytest.raises(SourceUnreachableError, match="too much to do"):
        ask(client_of(fake, slept))
    assert slept == [0.5] * 10


@pytest.mark.parametrize("asked", ["86400", "9" * 400, "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_one_that_asks_to_be_left_alone_for_a_day_is_asked_again_in_minutes(fake: FakePrometheus, asked: str) -> None:
    fake.answers.append((429, {"Retry-After": asked}, ""))
    with pytest.raises(SourceUnreachableError, match="asked again in 300 s"):
        ask(client_of(fake))


def test_one_that_stays_busy_is_left_alone_until_it_says(fake: FakePrometheus) -> None:
    slept: list[float] = []
    client = client_of(fake, slept)
    fake.answers.append((429, {"Retry-After": "60"}, ""))
    with pytest.raises(SourceUnreachableError, match="asked again in 60 s"):
        ask(client)
    with pytest.raises(SourceUnreachableError, match="left alone for another"):
        ask(client)
    assert len(fake.asked) == 1
    assert slept == []


def test_a_date_to_come_again_is_read(fake: FakePrometheus) -> None:
    fake.answers.append((503, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}, ""))
    with pytest.raises(SourceUnreachableError, match="asked again in"):
        ask(client_of(fake))


def test_a_silent_server_is_left_in_time(fake: FakePrometheus) -> None:
    fake.delay_seconds = 0.6
    with pytest.raises(TooMuchError, match=r"within 0\.2 s"):
        ask(client_of(fake, timeout="200ms"))


def test_a_server_that_is_not_there_is_told(fake: FakePrometheus) -> None:
    client = Client("http://127.0.0.1:1", Access(), 1.0)
    with pytest.raises(SourceUnreachableError, match=r"cannot be reached.*[Rr]efused"):
        ask(client)
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        ask(Client("http://no-such-host.invalid", Access(), 1.0))


def test_long_questions_are_posted(fake: FakePrometheus) -> None:
    query = 'up{job="' + "x" * 3000 + '"}'
    assert ask(client_of(fake), query).series == []
    assert fake.asked[0][1]["query"] == query


def test_a_connection_that_the_server_has_closed_meanwhile_is_opened_anew(fake: FakePrometheus) -> None:
    client = client_of(fake)
    client.ask("query", {"query": "time()"}, "the time")
    fake.hang_ups = 1
    assert ask(client).series == []
    assert len(fake.asked) == 3
    fake.hang_ups = 1
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        ask(client_of(fake))


def test_a_token_is_read_anew_each_time(fake: FakePrometheus, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    client = client_of(fake, token_file=str(file))
    client.ask("query", {"query": "time()"}, "the time")
    file.write_text("second\n")
    client.ask("query", {"query": "time()"}, "the time")
    assert [headers["Authorization"] for _, _, headers in fake.asked] == ["Bearer first", "Bearer second"]
    file.unlink()
    with pytest.raises(SourceUnreachableError, match=r"token_file=.*no such file"):
        ask(client)
    file.write_text("\n")
    with pytest.raises(SourceUnreachableError, match="there is nothing"):
        ask(client)


def test_a_user_has_a_password_from_a_file_or_the_environment(
    fake: FakePrometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("hunter2")
    ask(client_of(fake, user="Ünï", password_file=str(tmp_path / "password")))
    variable = "PROM_PASSWORD"
    monkeypatch.setenv(variable, "hunter3")
    ask(client_of(fake, user="me", password_env=variable, tenant="team-a"))
    sent = [base64.b64decode(headers["Authorization"].split()[1]).decode() for _, _, headers in fake.asked]
    assert sent == ["Ünï:hunter2", "me:hunter3"]
    assert fake.asked[1][2]["X-Scope-OrgID"] == "team-a"


def test_a_netrc_is_not_used(fake: FakePrometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    ask(client_of(fake))
    assert "Authorization" not in fake.asked[0][2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mappping": "node"}, r"no option 'mappping' here. Did you mean 'mapping'"),
        ({"mapping": "nodes"}, "Did you mean 'node'"),
        ({"mapping": "/nowhere/m.yaml"}, "no such file"),
        ({"select": "job=node"}, "must be matchers such as"),
        ({"select": 'job="a"} or up{job="b"'}, "must be matchers"),
        ({"window": "soon"}, "window=soon: expected a time"),
        ({"max_age": "1s"}, "expected 15 s or more"),
        ({"timeout": "0s"}, "timeout=0s"),
        ({"port": "yes"}, "expected drop or keep"),
        ({"partial": ""}, "partial= is empty"),
        ({"server_label": "a-b"}, "no name of a label"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file=.*no such file"),
        ({"key_file": "/etc/hostname"}, "key_file needs cert_file"),
        ({"user": "me"}, "no password for the user 'me'"),
        ({"password_file": "/x"}, "There is a password, but no user"),
        ({"token_file": "/x", "token_env": "X"}, "both say where"),
        ({"token_file": "/x", "user": "me"}, "Leave one of both out"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_asked(options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        configured("prometheus+http://127.0.0.1:9090/", options)


def test_the_address_may_have_a_path_and_the_apis_own() -> None:
    for path in ("/prom", "/prom/", "/prom/api/v1", "/prom/api/v1/"):
        assert configured(f"prometheus+https://host{path}", {}).base == "https://host/prom"
    with pytest.raises(UsageError, match="names no host"):
        configured("prometheus+http:///x", {})


def test_without_matchers_a_query_is_still_one() -> None:
    found = configured("prometheus+http://h/", {"mapping": "red"})
    plain = type(found)(**{name: getattr(found, name) for name in found.__slots__} | {"select": ""})
    assert plain.promql('x{code="5",$select}[$window]') == 'x{code="5"}[1m]'
    assert plain.promql('x{$select,code="5"}') == 'x{code="5"}'
    assert plain.promql("up{$select}") == "up{}"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS server that speaks for ``localhost`` alone, and its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(FINE)))
            self.end_headers()
            self.wfile.write(FINE.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f":{server.server_address[1]}/", certificate
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_server_must_prove_who_it_is(secure: tuple[str, Path]) -> None:
    place, certificate = secure

    def client(host: str, **options: str) -> Client:
        found = configured(f"prometheus+https://{host}{place}", options)
        return Client(found.base, found.access, 5.0)

    assert ask(client("localhost", ca_file=str(certificate))).series == []
    with pytest.raises(SourceUnreachableError, match=r"does not prove who it is.*ca_file"):
        ask(client("localhost"))
    with pytest.raises(SourceUnreachableError, match="does not prove who it is"):
        ask(client("127.0.0.1", ca_file=str(certificate)))
