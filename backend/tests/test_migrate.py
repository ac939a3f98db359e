"""The migration as a process, and the schema that it makes."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine

import src.app  # noqa: F401  (all tables)
from src import migrate
from src.app import create_app
from src.core.database import Base
from src.core.schema_version import REQUIRED_REVISION, is_current
from tests.support import BACKEND, Person, Proxy, expect_problem, make_settings, run_module, serve, stranger


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in rows}


def test_the_newest_migration_is_the_one_that_the_code_requires() -> None:
    scripts = ScriptDirectory(str(BACKEND / "migrations"))
    assert scripts.get_heads() == [REQUIRED_REVISION]
    numbers = sorted(int(script.revision) for script in scripts.walk_revisions())
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_migrations_make_exactly_the_tables_of_the_code(database_url: str) -> None:
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_up_down_and_up_again(new_database: Callable[..., str], migrated: str) -> None:
    url = new_database(migrated)
    tables = _tables(url)
    assert {"users", "tasks", "alembic_version"} < tables
    alembic = subprocess.run(
        [sys.executable, "-m", "alembic", "downgrade", "base"],
        cwd=BACKEND,
        env={"DATABASE_URL": url, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert alembic.returncode == 0, alembic.stderr
    assert _tables(url) == {"alembic_version"}
    assert run_module("src.migrate", env={"DATABASE_URL": url}).returncode == 0
    assert _tables(url) == tables


def test_several_at_once(new_database: Callable[[], str]) -> None:
    url = new_database()
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: run_module("src.migrate", env={"DATABASE_URL": url}), range(3)))
    assert [e.returncode for e in ended] == [0, 0, 0], [e.stderr for e in ended]
    output = "".join(e.stdout for e in ended)
    assert output.count('"message": "migrated"') == 1
    assert output.count('"message": "the schema is current"') == 2


def test_a_migration_that_fails_changes_nothing(new_database: Callable[[], str]) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE tasks (id int)")  # in the way of the first migration
    ended = run_module("src.migrate", env={"DATABASE_URL": url})
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("migration failed, nothing was changed: ")
    assert 'relation "tasks" already exists' in line
    assert _tables(url) == {"tasks"}


def test_who_may_not_create_extensions_gets_a_slow_search(new_database: Callable[..., str]) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE todo_test_guest LOGIN PASSWORD 'guest'")
        try:
            connection.execute("GRANT ALL ON SCHEMA public TO todo_test_guest")
            parts = conninfo_to_dict(url)
            guest = f"postgresql://todo_test_guest:guest@{parts['host']}:{parts['port']}/{parts['dbname']}"
            ended = run_module("src.migrate", env={"DATABASE_URL": guest})
            with (
                serve(create_app(make_settings(guest))) as address,
                closing(Person(address, "g@example.com")) as person,
            ):
                person.add("Buy milk", tags=["home"])
                assert person.titles(q="milk", tag="home") == ["Buy milk"]
        finally:
            connection.execute("DROP OWNED BY todo_test_guest")
            connection.execute("DROP ROLE todo_test_guest")
    assert ended.returncode == 0, ended.stderr
    assert "searching tasks stays slow" in ended.stdout
    assert "permission denied" in ended.stdout


def test_a_migration_does_not_wait_long_for_a_table_that_is_in_use(new_database: Callable[..., str]) -> None:
    """All requests to the table would wait behind it."""
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.commit()
        connection.execute("LOCK TABLE alembic_version IN SHARE MODE")
        ended = run_module("src.migrate", env={"DATABASE_URL": url})
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("migration failed, nothing was changed: ")
    assert line.endswith("canceling statement due to lock timeout")
    assert _tables(url) == {"alembic_version"}


def test_old_code_on_a_newer_schema(new_database: Callable[..., str], migrated: str) -> None:
    url = new_database(migrated)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE tasks ADD COLUMN colour text")
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    ended = run_module("src.migrate", env={"DATABASE_URL": url})
    assert ended.returncode == 0, ended.stderr
    assert '"message": "the schema is current", "revision": "0999"' in ended.stdout
    with serve(create_app(make_settings(url))) as address:
        ready = stranger.get(f"{address}/health/ready")
        assert ready.status_code == 200
        assert ready.json() == {"status": "ready", "schema_revision": "0999"}
        body = {"email": "a@example.com", "password": "correct horse"}
        assert stranger.post(f"{address}/api/auth/register", json=body).status_code == 201


def test_new_code_on_an_old_schema_is_not_ready(new_database: Callable[[], str]) -> None:
    url = new_database()
    with serve(create_app(make_settings(url))) as address:
        answer = stranger.get(f"{address}/health/ready")
        problem = expect_problem(answer, "schema_outdated", 503)
        assert problem["detail"] == f"The database schema is at nothing, this version needs {REQUIRED_REVISION}."
        assert answer.headers["retry-after"] == "5"
        assert stranger.get(f"{address}/health").status_code == 200
        # It recovers by itself, without a restart.
        assert run_module("src.migrate", env={"DATABASE_URL": url}).returncode == 0
        assert stranger.get(f"{address}/health/ready").status_code == 200


def test_revisions_are_compared_as_numbers() -> None:
    assert not is_current(None)
    assert not is_current("0000")
    assert is_current(REQUIRED_REVISION)
    assert is_current("10000")


def test_it_waits_for_a_database_that_is_still_starting(new_database: Callable[[], str]) -> None:
    url = new_database()
    parts = conninfo_to_dict(url)
    proxy = Proxy(str(parts["host"]), int(parts["port"] or 5432))
    proxy.close()
    waiting = url.replace(f"{parts['host']}:{parts['port']}", f"127.0.0.1:{proxy.port}")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "src.migrate"],
        cwd=BACKEND,
        env={"DATABASE_URL": waiting},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert '"message": "waiting for the database"' in line
    assert "Connection refused" in line
    proxy.reopen()
    _, err = process.communicate(timeout=120)
    proxy.close()
    assert (process.returncode, err) == (0, "")
    assert "tasks" in _tables(url)


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setattr(migrate, "configure_logging", lambda _: None)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://todo:hunter2@127.0.0.1:{port}/todo")
    with pytest.raises(SystemExit) as stopped:
        migrate.main(["--wait", "0.5"])
    assert stopped.value.code == 1
    line = capsys.readouterr().err
    assert line.startswith("migration failed: DATABASE_URL: ")
    assert "Connection refused" in line
    assert line.count("\n") == 1
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("change", "words"), [({"dbname": "no_such"}, "does not exist"), ({"user": "nobody_here"}, "")], ids=str
)
def test_what_waiting_does_not_cure_is_said_at_once(database_url: str, change: dict[str, str], words: str) -> None:
    parts: dict[str, Any] = {**conninfo_to_dict(database_url), **change}
    password = parts.get("password", "hunter2")
    url = f"postgresql://{parts['user']}:{password}@{parts['host']}:{parts.get('port', 5432)}/{parts['dbname']}"
    started = time.monotonic()
    ended = run_module("src.migrate", env={"DATABASE_URL": url})
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("migration failed: DATABASE_URL: ")
    assert words in line
    assert f":{password}@" not in line
    assert time.monotonic() - started < migrate.WAIT_SECONDS


def test_the_development_command_sees_no_difference(database_url: str, tmp_path: Path) -> None:
    config = Config(toml_file=str(BACKEND / "pyproject.toml"))
    assert config.get_alembic_option("script_location") == str(BACKEND / "migrations")
    checked = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        cwd=BACKEND,
        env={"DATABASE_URL": database_url, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
