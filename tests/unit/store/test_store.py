"""The store opens itself, in any number of processes, and says plainly why it cannot."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

from tft_dash.errors import SettingError, StorageError
from tft_dash.settings import load_settings
from tft_dash.store.documents import Documents
from tft_dash.store.engine import Store, store_url
from tft_dash.store.opening import connect_arguments
from tft_dash.store.schema import LAYOUT, METADATA


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def together(script: str, arguments: Sequence[str]) -> list[str]:
    """What several processes say that run ``script`` at the same moment, one for each argument."""
    # Each says that it has started, and goes on when all have.
    code = f"import sys; print('ready', flush=True); sys.stdin.readline()\n{script}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for argument in arguments
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


ADD = """
from tft_dash.store.engine import Store
from tft_dash.store.documents import Documents
print(Documents(Store(sys.argv[1]), "scenario").add("cascade", {"a": 1}).key)
"""


def test_four_processes_that_start_at_once_share_one_new_store(tmp_path: Path) -> None:
    url = url_of(tmp_path / "new" / "store.sqlite")
    said = together(ADD, [url] * 4)
    assert sorted(said) == ["cascade\n", "cascade-2\n", "cascade-3\n", "cascade-4\n"]
    assert len(Documents(Store(url), "scenario").all()) == 4


SAVE = """
from tft_dash.errors import ConflictError
from tft_dash.store.engine import Store
from tft_dash.store.documents import Documents
url, author = sys.argv[1].split(" ")
documents = Documents(Store(url), "scenario")
try:
    print("saved", documents.save("drill", {"by": author}, version=1, author=author).version)
except ConflictError as error:
    print("conflict", error.version)
    documents.save("drill", {"by": author}, version=error.version, author=author)
"""


def test_of_two_processes_that_save_the_same_version_one_is_told_and_both_texts_stay(tmp_path: Path) -> None:
    url = url_of(tmp_path / "store.sqlite")
    documents = Documents(Store(url), "scenario")
    documents.add("drill", {"by": "first"})
    said = together(SAVE, [f"{url} ann", f"{url} ben"])
    assert sorted(said) == ["conflict 2\n", "saved 2\n"]
    history = documents.history("drill")
    assert [one.version for one in history] == [3, 2, 1]
    assert {one.body["by"] for one in history} == {"first", "ann", "ben"}


def test_the_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "store.sqlite"
    Documents(Store(url_of(path)), "scenario").add("a", {})
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("store.sqlite*[!k]")} == {0o600}


def test_a_forked_process_opens_its_own_connections(tmp_path: Path) -> None:
    url = url_of(tmp_path / "store.sqlite")
    script = """
import os
from tft_dash.store.engine import Store
from tft_dash.store.documents import Documents
store = Store(sys.argv[1])
documents = Documents(store, "scenario")
documents.add("before", {})
engine = store._engine()
child = os.fork()
assert (store._engine() is engine) == bool(child)
documents.add("child" if child == 0 else "parent", {})
if child:
    assert os.waitpid(child, 0)[1] == 0
print(sorted(document.key for document in documents.all()) if child else "child")
"""
    code = "import sys\n" + script
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "['before', 'child', 'parent']" in done.stdout


def test_a_writer_has_what_it_has_read_for_itself(tmp_path: Path) -> None:
    store = Store(url_of(tmp_path / "store.sqlite"))
    documents = Documents(store, "counter")
    documents.add("n", {"n": 0})

    def count() -> None:
        for _ in range(10):
            with store.write() as connection:
                version = connection.execute(select(METADATA.tables["documents"].c.version)).scalar_one()
                connection.execute(update(METADATA.tables["documents"]).values(version=version + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = documents.get("n")
    assert found is not None
    assert found.version == 41


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = Store(url_of(tmp_path / "store.sqlite"))
    with pytest.raises(RuntimeError), store.write() as connection:
        connection.execute(insert(LAYOUT).values(version=0))
        raise RuntimeError("power cut")
    with store.read() as connection:
        assert 0 not in connection.execute(select(LAYOUT.c.version)).scalars().all()


def test_a_closed_store_opens_again(tmp_path: Path) -> None:
    store = Store(url_of(tmp_path / "store.sqlite"))
    documents = Documents(store, "scenario")
    store.close()
    documents.add("a", {})
    store.close()
    store.close()
    assert [document.key for document in documents.all()] == ["a"]


def test_a_file_that_is_no_store_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("these are my holiday notes" * 100)
    with pytest.raises(StorageError, match=r"store\.sqlite cannot be used: it is no SQLite file\. Move that file away"):
        Documents(Store(url_of(path)), "scenario").all()
    assert path.read_text().startswith("these are my holiday notes")


def test_a_store_that_was_mended_works_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("no store" * 1000)
    documents = Documents(Store(url_of(path)), "scenario")
    with pytest.raises(StorageError):
        documents.all()
    path.unlink()
    assert documents.all() == ()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"file/data/store\.sqlite cannot be made: .*TFT_DASH_STORE"):
        Documents(Store(url_of(tmp_path / "file" / "data" / "store.sqlite")), "scenario").all()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Permission denied"):
            Documents(Store(url_of(tmp_path / "store.sqlite")), "scenario").all()
    finally:
        tmp_path.chmod(0o700)


def test_a_store_that_has_become_read_only_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(url_of(path))
    documents = Documents(store, "scenario")
    documents.add("a", {})
    with store.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StorageError, match="it is read-only"):
        documents.add("b", {})


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(url_of(path))
    documents = Documents(store, "scenario")
    documents.add("a", {})
    with store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match="the disk is full"):
        documents.add("b", {"long": "x" * 100_000})
    assert [document.key for document in documents.all()] == ["a"]


def test_a_store_that_another_process_holds_is_told_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(url_of(path))
    documents = Documents(store, "scenario")
    documents.add("a", {})
    with store.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageError, match="another process has held it for too long"):
            documents.add("b", {})
        assert len(documents.all()) == 1
    finally:
        holder.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is no database URL. Write it like sqlite:////srv"),
        ("", "is no database URL"),
        ("oracel://u:hunter2@h/x", "unknown kind of database, 'oracel'"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:////tmp/x?mode=ro", "without options"),
        ("mssql+pyodbc://u:hunter2@h/x", "needs the Python package 'pyodbc'.*pip"),
        ("http://u:hunter2@h/x", "unknown kind of database, 'http'"),
        ("postgresql://u:hunter2@h:port/x", "is no database URL"),
    ],
)
def test_an_impossible_url_is_refused_without_repeating_its_password(url: str, words: str) -> None:
    with pytest.raises(SettingError, match=words) as caught:
        Store(url)
    assert "hunter2" not in str(caught.value)


def test_a_connection_to_postgresql_waits_only_so_long_but_as_its_url_says() -> None:
    plain = connect_arguments(make_url("postgresql+psycopg://h/x?connect_timeout=3&sslmode=require"))
    assert plain == {
        "tcp_user_timeout": 10_000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
        "options": "-c idle_in_transaction_session_timeout=60s",
    }  # fmt: skip
    asked = connect_arguments(make_url("postgresql+psycopg://h/x?options=-csearch_path%3Da&tcp_user_timeout=1"))
    assert set(asked) == {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count"}
    assert connect_arguments(make_url("sqlite:////x")) == {"timeout": 10.0}


def test_the_store_lies_in_the_data_folder_unless_another_is_set(tmp_path: Path) -> None:
    data = {"TFT_DASH_DATA": str(tmp_path / "my data é#%41")}
    default = load_settings(environ=data, folder=tmp_path)
    Documents(Store(store_url(default)), "scenario").add("a", {})
    assert (tmp_path / "my data é#%41" / "store.sqlite").is_file()
    given = load_settings(environ={**data, "TFT_DASH_STORE": "sqlite:////srv/x.sqlite"}, folder=tmp_path)
    assert store_url(given) == "sqlite:////srv/x.sqlite"


def test_the_tables_can_be_made_in_postgresql_too() -> None:
    said = [str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in METADATA.sorted_tables]
    assert any("TIMESTAMP WITH TIME ZONE" in words for words in said)


def test_a_store_that_is_removed_meanwhile_takes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "data" / "store.sqlite"
    documents = Documents(Store(url_of(path)), "scenario")
    documents.add("one", {})
    kept = tmp_path / "kept"
    path.parent.rename(kept)
    for use in (documents.all, lambda: documents.add("two", {})):
        with pytest.raises(StorageError, match="was removed or replaced while the app ran"):
            use()
    kept.rename(path.parent)
    assert [document.key for document in documents.all()] == ["one"]


def test_a_store_in_whose_place_another_was_put_is_not_mixed_with_it(tmp_path: Path) -> None:
    path, other = tmp_path / "store.sqlite", tmp_path / "backup.sqlite"
    store, backup = Store(url_of(path)), Store(url_of(other))
    Documents(store, "scenario").add("one", {})
    Documents(backup, "scenario").add("two", {})
    backup.close()
    other.rename(path)
    with pytest.raises(StorageError, match="replaced while the app ran"):
        Documents(store, "scenario").all()
