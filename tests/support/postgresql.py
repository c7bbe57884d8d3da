"""A PostgreSQL server on the loopback, from the programs of this machine, that a test can stop and start again."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from support.serving import free_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass
class PostgreSQL:
    """A server; ``folder`` is None for one that was given by its URL, which is not stopped."""

    url: str
    folder: Path | None = None
    programs: Path | None = None
    port: int = 0

    def control(self, *action: str) -> None:
        """Have pg_ctl do something; the server does not run as root, another user owns its folder then."""
        if self.folder is None or self.programs is None:
            pytest.skip("TFT_DASH_TEST_POSTGRESQL names a server, and one that is given is not stopped")
        self._do(str(self.programs / "pg_ctl"), "-D", f"{self.folder}/data", "-w", *action)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.control("-o", options, "-l", f"{self.folder}/log", "start")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self.control("-m", "immediate", "stop")

    def _do(self, *command: str) -> None:
        user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, cwd=self.folder, **quiet, **user)

    def initialise(self) -> None:
        """Make its folder."""
        assert self.folder is not None
        assert self.programs is not None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._do(str(self.programs / "initdb"), "-D", f"{self.folder}/data", "-A", "trust", "-U", "tft")


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """The server that TFT_DASH_TEST_POSTGRESQL names, else one of our own; the test is skipped where there is none."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("the driver psycopg is not installed: pip install 'psycopg[binary]'")
    given = os.environ.get("TFT_DASH_TEST_POSTGRESQL")
    if given:
        yield PostgreSQL(given)
        return
    found = shutil.which("initdb")
    programs = Path(found).parent if found else PROGRAMS[-1] if PROGRAMS else None
    if programs is None:
        pytest.skip("TFT_DASH_TEST_POSTGRESQL names no server, and PostgreSQL's programs are not installed")
    # Not a test's own folder: the server's user may not enter that.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        port = free_port()
        server = PostgreSQL(f"postgresql+psycopg://tft@127.0.0.1:{port}/postgres", Path(folder), programs, port)
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop()


@contextlib.contextmanager
def database(server: PostgreSQL) -> Iterator[str]:
    """The URL of an empty database, which goes with the block."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield f"{server.url.rpartition('/')[0]}/{name}"
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()
