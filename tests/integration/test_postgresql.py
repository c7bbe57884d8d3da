"""The store on a real PostgreSQL, for several threads and for two portals at once.

The server is the one that TFT_DASH_TEST_POSTGRESQL names (``postgresql+psycopg://user@host/database``), else one that
is started here from the programs of this machine.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from support.revisions import SHIPPED, differences, grown, leave_version_1, rows
from support.serving import Server, free_port, running

from tft_dash.errors import ConflictError, RevisionError, StorageError, UnknownNameError
from tft_dash.library import ScenarioLibrary
from tft_dash.scenarios.document import to_yaml
from tft_dash.scenarios.library import load_scenario
from tft_dash.store.engine import Store
from tft_dash.store.runs import RunTable

CASCADE = load_scenario("cascade")
FACTS = {"title": "", "scenario": "s", "body": "{}", "rows": 7, "author": ""}
OpenStore = Callable[..., Store]
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def programs() -> Path | None:
    """Where initdb and pg_ctl are."""
    found = shutil.which("initdb")
    return Path(found).parent if found else PROGRAMS[-1] if PROGRAMS else None


@contextlib.contextmanager
def server_of(folder: Path, bin_folder: Path) -> Iterator[str]:
    """A private server on the loopback; it does not run as root, so another user owns its folder then."""
    port, user = free_port(), {}
    if os.geteuid() == 0:
        user = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, **user)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [str(bin_folder / "pg_ctl"), "-D", f"{folder}/data", "-w"]

    def do(*command: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
        subprocess.run(command, check=True, **quiet)

    do(str(bin_folder / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "tft")
    do(*control, "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield f"postgresql+psycopg://tft@127.0.0.1:{port}/postgres"
    finally:
        do(*control, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("the driver psycopg is not installed: pip install 'psycopg[binary]'")
    given, bin_folder = os.environ.get("TFT_DASH_TEST_POSTGRESQL"), programs()
    if given:
        yield given
        return
    if bin_folder is None:
        pytest.skip("TFT_DASH_TEST_POSTGRESQL names no server, and PostgreSQL's programs are not installed")
    # Not a test's own folder: the server's user may not enter that.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, server_of(Path(folder), bin_folder) as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database."""
    name = f"test_{os.getpid()}_{abs(hash(request.node.name)) % 10**6}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield f"{server.rpartition('/')[0]}/{name}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def stores(url: str) -> Iterator[OpenStore]:
    """Opens the database as another process would, and closes all that were opened."""
    with contextlib.ExitStack() as opened:

        def make(place: str = url) -> Store:
            store = Store(place)
            opened.callback(store.close)
            return store

        yield make


def at_once(work: Callable[[int], Any], times: int) -> list[Any]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(work, range(times)))


def test_ten_that_open_a_new_database_at_once_each_get_a_key_of_their_own(stores: OpenStore) -> None:
    entries = at_once(lambda _: ScenarioLibrary(stores()).add(CASCADE, author="Ünï"), 10)
    assert len({entry.key for entry in entries}) == 10
    assert {entry.author for entry in entries} == {"Ünï"}
    assert ScenarioLibrary(stores()).get("cascade-11").scenario == CASCADE


def test_of_many_saves_of_one_version_one_is_kept_and_nothing_is_lost(stores: OpenStore) -> None:
    library = ScenarioLibrary(stores())
    key = library.add(CASCADE).key

    def save(number: int) -> int | None:
        try:
            return ScenarioLibrary(stores()).save(key, CASCADE.with_overrides(seed=number), version=1).version
        except ConflictError:
            return None

    assert sorted(at_once(save, 8), key=str) == [2, *[None] * 7]
    assert [entry.version for entry in library.versions(key)] == [2, 1]
    library.delete(key)
    with pytest.raises(UnknownNameError):
        library.get(key)
    assert library.restore(key).version == 2


def test_of_many_that_claim_runs_no_more_get_one_than_may(stores: OpenStore) -> None:
    table = RunTable(stores())
    for number in range(6):
        table.add(f"run-{number}", {**FACTS, "source": f"s-{number}"}, most_waiting=9)
    claims = [claim for claim in at_once(lambda number: RunTable(stores()).claim(f"r{number}", at_once=2), 8) if claim]
    assert sorted(claim.id for claim in claims) == ["run-0", "run-1"]
    waiting = [table.get(f"run-{number}") for number in range(2, 6)]
    assert [run and run.position for run in waiting] == [1, 2, 3, 4]
    assert table.beat(claims[0], 0.5)
    table.give_back(claims[0])
    table.finish(claims[1], "done")
    assert table.unfinished() == (5, 0)


def test_what_a_reader_sees_is_one_state_though_others_write_meanwhile(stores: OpenStore) -> None:
    store = stores()
    library = ScenarioLibrary(store)
    library.add(CASCADE)
    count = text("SELECT count(*) FROM documents")
    with store.read() as connection:
        before = connection.execute(count).scalar()
        library.add(CASCADE)
        assert connection.execute(count).scalar() == before
    with store.read() as connection:
        assert connection.execute(count).scalar() == 2


def test_a_connection_that_was_cut_is_replaced(stores: OpenStore, url: str) -> None:
    library, engine = ScenarioLibrary(stores()), create_engine(url)
    key = library.add(CASCADE).key
    with engine.connect() as connection:
        others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                      "datname = current_database()")  # fmt: skip
        connection.execute(others)
    engine.dispose()
    assert library.get(key).key == key


def test_a_server_or_database_that_is_not_there_is_told_without_the_password(stores: OpenStore, url: str) -> None:
    for place in (f"{url}_nowhere", f"postgresql+psycopg://tft:hunter2@127.0.0.1:{free_port()}/x"):
        with pytest.raises(StorageError, match="TFT_DASH_STORE") as caught:
            ScenarioLibrary(stores(place)).entries()
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("old", [False, True], ids=["empty", "version-1"])
def test_the_revisions_make_what_the_schema_says(stores: OpenStore, url: str, old: bool) -> None:
    if old:
        leave_version_1(url)
    with stores().read() as connection:
        assert differences(connection) == []
        assert rows(connection, "SELECT count(*) FROM document_versions") == [(3 * old,)]
    run_table = RunTable(stores())
    assert run_table.add("new", {**FACTS, "source": "x"}, most_waiting=9) is not None  # the numbering goes on
    assert [run.id for run in run_table.recent(9)] == (["new", "r1"] if old else ["new"])


def test_of_many_hosts_that_open_an_old_store_one_migrates_and_writers_go_on_after(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    log = tmp_path / "log"
    body = """
op.execute("CREATE TABLE {0} AS SELECT * FROM documents")
op.execute("SELECT pg_sleep(0.3)")
with open({1!r}, "a") as log: log.write("{0} ")
"""
    folder = grown(tmp_path / "later", one=body.format("one", str(log)), two=body.format("two", str(log))).folder
    code = (
        "from pathlib import Path; from tft_dash.store.engine import Store; import sys\n"
        "from tft_dash.store.migrations.revisions import Revisions\n"
        "with Store(sys.argv[1], Revisions(Path(sys.argv[2]))).write() as connection:\n"
        "    print(*connection.exec_driver_sql('SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)').one())"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, url, str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["2 2\n"] * 4
    assert log.read_text() == "one two "


def test_a_migration_that_fails_leaves_nothing_and_one_that_was_not_known_is_refused(
    stores: OpenStore, url: str, tmp_path: Path
) -> None:
    leave_version_1(url)
    alerts = 'op.create_table("later_alerts", sa.Column("id", sa.Integer, primary_key=True))'
    broken = grown(tmp_path / "broken", alerts=alerts, broken='op.execute("UPDATE nowhere SET x = 1")')
    with pytest.raises(
        RevisionError, match=r'from revision .0001_.* to revision .9002_broken., .*: relation "nowhere"'
    ):
        Store(url, broken).open()
    library = ScenarioLibrary(stores())
    with stores().read() as connection:
        assert rows(connection, "SELECT version_num, to_regclass('later_alerts') FROM alembic_version") == [
            (SHIPPED.newest, None)
        ]
    library.add(CASCADE)
    later = Store(url, grown(tmp_path / "later", alerts=alerts))
    with later.write() as newer:  # a writer of the older version waits behind it, and then must not save
        assert rows(newer, "SELECT count(*) FROM later_alerts") == [(0,)]
    later.close()
    for use in (lambda: library.add(CASCADE), lambda: ScenarioLibrary(stores()).entries()):
        with pytest.raises(RevisionError, match=rf"'9001_alerts'.*'{SHIPPED.newest}'"):
            use()
    assert library.entries()


def test_a_writer_that_waited_while_another_version_migrated_saves_nothing(
    stores: OpenStore, url: str, tmp_path: Path
) -> None:
    library = ScenarioLibrary(stores())
    library.add(CASCADE)
    engine = create_engine(url)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9001_alerts'"))
        saving = pool.submit(library.add, CASCADE)
        with engine.connect() as watcher:
            while not saving.done() and not watcher.execute(waiting).scalar():
                time.sleep(0.02)
        assert not saving.done()
        connection.commit()
        with pytest.raises(RevisionError, match="while this one ran"):
            saving.result(timeout=30)
    engine.dispose()


def test_a_user_that_may_not_make_tables_is_told(url: str, stores: OpenStore) -> None:
    guest = f"guest_{os.getpid()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {guest} LOGIN"))
        try:
            connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
            with pytest.raises(RevisionError, match=r"from an empty database .* its user may not change the tables"):
                stores(make_url(url).set(username=guest).render_as_string()).open()
        finally:
            connection.execute(text(f"DROP ROLE {guest}"))
    engine.dispose()


def asked(server: Server, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    request = urllib.request.Request(f"{server.url}/api/v1{path}", data=body or None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_two_portals_share_the_library_and_the_queue(url: str, tmp_path: Path) -> None:
    with (
        running("serve", folder=tmp_path, TFT_DASH_STORE=url) as one,
        running("serve", folder=tmp_path, TFT_DASH_STORE=url) as two,
    ):
        mine, theirs = to_yaml(CASCADE).encode(), to_yaml(CASCADE.with_overrides(seed=2)).encode()
        status, made = asked(one, "POST", "/scenarios", mine)
        assert status == 201
        assert asked(two, "PUT", f"/scenarios/{made['key']}?version=1", theirs)[0] == 200
        status, late = asked(one, "PUT", f"/scenarios/{made['key']}?version=1", mine)
        assert (status, late["version"]) == (409, 2)
        assert [each["path"] for each in late["differences"]] == ["spec.seed"]
        _, run = asked(one, "POST", f"/scenarios/{made['key']}/runs")
        for _ in range(600):
            found = asked(two, "GET", f"/runs/{run['id']}")[1]
            if found["state"] not in ("queued", "running"):
                break
            time.sleep(0.05)
        assert found["state"] == "done"
        assert asked(one, "POST", f"/scenarios/{made['key']}/runs")[0] == 200
