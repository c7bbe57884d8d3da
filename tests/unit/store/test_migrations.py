"""A store comes forward from any older revision whole or not at all, once, and never from a newer one."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from support.revisions import SHIPPED, differences, grown, leave_version_1, rows

from tft_dash.errors import RevisionError, StorageError
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store
from tft_dash.store.runs import RunTable

ALERTS = 'op.create_table("later_alerts", sa.Column("id", sa.Integer, primary_key=True))'
WIDER = """
with op.batch_alter_table("documents") as batch:
    batch.add_column(sa.Column("note", sa.String(9), nullable=False, server_default="none"))
    batch.alter_column("author", type_=sa.String(200), existing_type=sa.String(120), existing_nullable=False)
"""
RENAMED = 'op.alter_column("documents", "author", new_column_name="writer")'


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


def test_the_revisions_make_what_the_schema_says(url: str) -> None:
    with Store(url).read() as connection:
        assert differences(connection) == []


def test_a_store_from_before_all_revisions_becomes_what_the_schema_says(url: str) -> None:
    leave_version_1(url)
    with Store(url).read() as connection:
        assert differences(connection) == []


def test_each_revision_is_named_by_its_file_and_follows_the_one_before_it() -> None:
    script = ScriptDirectory(str(SHIPPED.folder.parent), version_locations=[str(SHIPPED.folder)])
    chain = [script.get_revision(name) for name in SHIPPED.names]
    assert script.get_heads() == [SHIPPED.newest]
    assert [each.down_revision for each in chain] == [None, *SHIPPED.names[:-1]]
    assert [int(name[:4]) for name in SHIPPED.names] == list(range(1, len(SHIPPED.names) + 1))
    assert max(map(len, SHIPPED.names)) <= 32


def test_a_store_from_before_all_revisions_loses_nothing(url: str) -> None:
    leave_version_1(url)
    store = Store(url)
    scenarios, mappings = Documents(store, "scenario"), Documents(store, "mapping")
    assert [(one.version, one.author, one.body) for one in scenarios.history("cascade")] == [
        (2, "Ann", {"seed": 2}),
        (1, "Ben", {"seed": 1}),
    ]
    mapping = mappings.get("night")
    assert mapping is not None
    assert (mapping.archived, mapping.created) == (True, datetime(2026, 5, 1, 9, tzinfo=UTC))
    run = RunTable(store).get("r1")
    assert run is not None
    assert (run.title, run.rows, run.position) == ("Cascade", 7, 1)
    assert scenarios.save("cascade", {"seed": 3}, version=2).version == 3


OPEN = """
from pathlib import Path
from tft_dash.store.engine import Store
from tft_dash.store.migrations.revisions import Revisions
url, folder = sys.argv[1:]
store = Store(url, Revisions(Path(folder)))
sys.stdin.readline()
with store.read() as connection:
    print(*connection.exec_driver_sql("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)").one())
"""


def test_of_four_processes_that_open_an_old_store_one_migrates_and_all_see_the_whole(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    step = """
op.execute("CREATE TABLE {0} AS SELECT * FROM documents")
with open({1!r}, "a") as log: log.write("{0} ")
import time; time.sleep(0.3)
"""
    log = str(tmp_path / "log")
    later = grown(tmp_path / "later", one=step.format("one", log), two=step.format("two", log))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", f"import sys\n{OPEN}", url, str(later.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    said = [process.communicate("go\n", timeout=60)[0] for process in processes]
    assert said == ["2 2\n"] * 4
    assert Path(log).read_text() == "one two "


def test_what_fails_leaves_the_store_as_it_was_and_says_which_way_it_failed(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    bad = grown(tmp_path / "bad", alerts=ALERTS, wider=WIDER, broken='op.execute("UPDATE nowhere SET x = 1")')
    with pytest.raises(RevisionError) as caught:
        Documents(Store(url, bad), "scenario").all()
    said = str(caught.value)
    assert "from revision '0001_documents_and_runs' to revision '9003_broken', and was left as it was" in said
    assert "no such table: nowhere" in said
    engine = create_engine(url)
    with engine.connect() as connection:
        assert (
            rows(connection, "SELECT name FROM sqlite_master WHERE name LIKE '%alerts%' OR name LIKE '%alembic%'") == []
        )
        assert rows(connection, "SELECT version FROM layout") == [(1,)]
        assert "note" not in [column["name"] for column in inspect(connection).get_columns("documents")]
    engine.dispose()
    assert len(Documents(Store(url), "scenario").all()) == 1


@pytest.mark.parametrize("body", ['raise KeyError("colour")', "this is no Python"])
def test_a_revision_whose_code_is_wrong_is_told_and_leaves_an_empty_store_empty(
    url: str, tmp_path: Path, body: str
) -> None:
    with pytest.raises(RevisionError, match="could not be brought from an empty database to revision '9001_odd'"):
        Store(url, grown(tmp_path / "odd", odd=body)).open()
    with Store(url).read() as connection:
        assert differences(connection) == []


def test_a_table_that_is_rebuilt_keeps_what_refers_to_it(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    store = Store(url, grown(tmp_path / "wider", wider=WIDER))
    with store.read() as connection:
        assert rows(connection, "SELECT note FROM documents") == [("none",), ("none",)]
        assert rows(connection, "SELECT count(*) FROM document_versions") == [(3,)]
        assert rows(connection, "PRAGMA foreign_key_list(document_versions)")[0][2] == "documents"
    with pytest.raises(StorageError) as caught, store.write() as connection:
        connection.execute(text("DELETE FROM documents"))
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_a_revision_that_leaves_rows_which_refer_to_nothing_is_undone(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    with pytest.raises(RevisionError, match="rows of document_versions would refer to nothing"):
        Store(url, grown(tmp_path / "loss", loss='op.execute("DELETE FROM documents")')).open()
    assert len(Documents(Store(url), "scenario").all()) == 1


def test_a_process_that_is_killed_while_it_migrates_leaves_the_way_to_the_next(url: str, tmp_path: Path) -> None:
    leave_version_1(url)
    killed = ALERTS + "\nimport os; os.kill(os.getpid(), 9)"
    folder = grown(tmp_path / "killed", alerts=killed).folder
    code = f"import sys\n{OPEN.replace('sys.stdin.readline()', 'store.open()')}"
    done = subprocess.run([sys.executable, "-c", code, url, str(folder)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with Store(url, grown(tmp_path / "whole", alerts=ALERTS)).read() as connection:
        assert rows(connection, "SELECT count(*) FROM later_alerts") == [(0,)]
        assert rows(connection, "SELECT count(*) FROM documents") == [(2,)]


def test_a_newer_store_is_refused_with_both_revisions_named_and_left_as_it_is(url: str, tmp_path: Path) -> None:
    Documents(Store(url, grown(tmp_path / "later", alerts=ALERTS)), "scenario").add("a", {})
    before = (tmp_path / "store.sqlite").read_bytes()
    with pytest.raises(RevisionError) as caught:
        Store(url).open()
    for word in ("newer version", "'9001_alerts'", f"'{SHIPPED.newest}'", "Update the app", "TFT_DASH_STORE"):
        assert word in str(caught.value)
    assert (tmp_path / "store.sqlite").read_bytes() == before
    with create_engine(url).connect() as connection:  # by this number older versions know that it is not theirs
        assert rows(connection, "SELECT version FROM layout") == [(9001,)]


def test_a_store_with_an_unknown_layout_and_no_revision_is_refused(url: str) -> None:
    leave_version_1(url)
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE layout SET version = 99"))
    with pytest.raises(RevisionError, match=r"layout \[99\] and names no revision"):
        Store(url).open()


def test_one_that_runs_while_a_newer_version_migrates_saves_nothing_more(url: str, tmp_path: Path) -> None:
    documents = Documents(Store(url), "scenario")
    documents.add("a", {})
    Store(url, grown(tmp_path / "later", alerts=ALERTS)).open()
    with pytest.raises(
        RevisionError, match=r"to revision '9001_alerts'.*while this one ran.*Nothing was saved"
    ) as caught:
        documents.add("b", {})
    assert SHIPPED.newest in str(caught.value)
    assert [one.key for one in documents.all()] == ["a"]
    Store(url, grown(tmp_path / "last", alerts=ALERTS, renamed=RENAMED)).open()
    with pytest.raises(RevisionError, match="'9002_renamed'"):
        documents.all()


def test_a_store_that_is_up_to_date_costs_no_alembic(url: str) -> None:
    Store(url).open()
    code = "import sys\nfrom tft_dash.store.engine import Store\nStore(sys.argv[1]).open()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, url], check=True, capture_output=True, text=True, timeout=60)
    loaded = done.stdout.split()
    assert "sqlalchemy" in loaded
    assert "alembic" not in loaded
