"""Fixtures: a database of its own for the run, the application on it, and people who use it."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from fake_openai.server import create_app as create_fake_openai
from src.app import create_app
from src.auth import passwords
from src.core import database
from tests.support import Person, Proxy, make_settings, run_module, serve

REAL_HASHER = passwords._hasher
REAL_LIMITS = {
    f"{name}_SECONDS": getattr(database, f"{name}_SECONDS")
    for name in ("SESSION", "STATEMENT", "LOCK", "IDLE", "START", "QUEUE")
}


def pytest_configure() -> None:
    # Nothing here speaks TLS, and to read the usual certificates costs each client more than most tests do.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = os.devnull
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.exit(
            "TEST_DATABASE_URL is not set: give the URL of a PostgreSQL where the tests may create databases", 2
        )


def _url(conninfo: str, **changes: str | int) -> str:
    parts = conninfo_to_dict(make_conninfo(conninfo, **changes))
    password = f":{parts['password']}" if parts.get("password") else ""
    return f"postgresql://{parts['user']}{password}@{parts['host']}:{parts.get('port', 5432)}/{parts['dbname']}"


@contextmanager
def _hasher(hasher: PasswordHash) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", hasher)
        passwords._no_ones_hash.cache_clear()
        yield
    passwords._no_ones_hash.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Nearly every test registers someone; what a hash costs is the subject of few (see `real_passwords`)."""
    with _hasher(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))):
        yield


@contextmanager
def _database_limits(factor: float) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in REAL_LIMITS.items():
            patch.setattr(database, name, seconds * factor)
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """On a machine with much to do the database may take its time; when it is given up is the subject of few tests."""
    with _database_limits(10):
        yield


@pytest.fixture(scope="module")
def short_limits() -> Iterator[None]:
    """Limits of the database that can be waited for, and that a machine with much to do keeps all the same."""
    with _database_limits(3):
        yield


@pytest.fixture
def real_passwords() -> Iterator[None]:
    """Hashes as they are outside of the tests."""
    with _hasher(REAL_HASHER):
        yield


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[..., str]]:
    """Makes databases beside TEST_DATABASE_URL, whose own data is left alone; they go when the tests end.

    They are empty, or copies of `template`.
    """
    base = os.environ["TEST_DATABASE_URL"].replace("+psycopg", "", 1)
    names: list[str] = []
    with psycopg.connect(base, autocommit=True) as admin:

        def make(template: str = "template1") -> str:
            names.append(f"todo_test_{uuid.uuid4().hex[:12]}")
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            admin.execute(create.format(sql.Identifier(names[-1]), sql.Identifier(template)))
            return _url(base, dbname=names[-1])

        yield make
        for name in names:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrated(new_database: Callable[..., str]) -> str:
    """The name of a migrated database, as a template for others. Nobody else connects to it."""
    url = new_database()
    ended = run_module("src.migrate", env={"DATABASE_URL": url})
    assert ended.returncode == 0, ended.stderr
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture(scope="session")
def database_url(new_database: Callable[..., str], migrated: str) -> str:
    """A migrated database."""
    return new_database(migrated)


@pytest.fixture
def sql_connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """For looking into the database, and for moving its clocks."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def url(database_url: str) -> Iterator[str]:
    """The application with the offline assistant."""
    with serve(create_app(make_settings(database_url))) as address:
        yield address


@pytest.fixture(scope="session")
def fake_openai() -> Iterator[str]:
    """The fake model's base URL."""
    with serve(create_fake_openai()) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="session")
def openai_url(database_url: str, fake_openai: str) -> Iterator[str]:
    """The application with the fake model."""
    settings = make_settings(database_url, openai_base_url=fake_openai, openai_api_key="sk-fake")
    with serve(create_app(settings)) as address:
        yield address


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """A proxy in front of the database."""
    parts = conninfo_to_dict(database_url)
    proxy = Proxy(str(parts["host"]), int(parts["port"] or 5432))
    yield proxy
    proxy.thaw()
    proxy.close()


@pytest.fixture
def proxied_url(database_url: str, proxy: Proxy) -> Iterator[str]:
    """The application, with the proxy between it and the database."""
    settings = make_settings(_url(database_url, host="127.0.0.1", port=proxy.port))
    with serve(create_app(settings)) as address:
        yield address


@pytest.fixture
def register(url: str) -> Iterator[Callable[..., Person]]:
    """Makes accounts."""
    people: list[Person] = []

    def make(address: str = url) -> Person:
        people.append(Person(address, f"{uuid.uuid4().hex}@example.com"))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def alice(register: Callable[..., Person]) -> Person:
    return register()


@pytest.fixture
def bob(register: Callable[..., Person]) -> Person:
    return register()


@pytest.fixture
def modeller(register: Callable[..., Person], openai_url: str) -> Person:
    """Someone whose assistant is the fake model."""
    return register(openai_url)


@pytest.fixture(scope="module")
def collector(url: str, database_url: str) -> Iterator[Person]:
    """Someone with as many tasks as are allowed, but one."""
    with closing(Person(url, f"{uuid.uuid4().hex}@example.com")) as person:
        user_id = person.get("/api/auth/me").json()["id"]
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO tasks (id, user_id, title, description, priority, tags) "
                "SELECT gen_random_uuid(), %s, 'Task ' || md5(n::text), md5((n * 7)::text), 1 + mod(n, 3), "
                "CASE WHEN n = 1 THEN ARRAY['rare'] ELSE ARRAY['often'] END FROM generate_series(1, 9999) AS n",
                [user_id],
            )
            connection.execute("VACUUM ANALYZE tasks")
        yield person
