"""Bad configuration stops the process: one line, which variable, never its value."""

import re
from typing import Any

import pytest

from src.core.settings import Settings, load_settings
from tests.support import BACKEND, SECRET, run_module

GOOD = {"DATABASE_URL": "postgresql://todo:hunter2hunter2@127.0.0.1:1/todo", "JWT_SECRET": SECRET}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"DATABASE_URL": None}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://todo:hunter2hunter2@db/todo"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "hunter2hunter2"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://todo:hunter2hunter2@[db/todo"}, "DATABASE_URL is not a valid URL"),
        ({"DATABASE_URL": "postgresql://todo:hunter2hunter2@/todo"}, "DATABASE_URL names no host"),
        ({"DATABASE_URL": "postgresql://todo:hunter2hunter2@db"}, "DATABASE_URL names no database"),
        (
            {"DATABASE_URL": "postgresql://todo:hunter2hunter2@db/todo?pgbouncer=true"},
            "DATABASE_URL has the unknown parameter 'pgbouncer'",
        ),
        ({"JWT_SECRET": None}, "JWT_SECRET is not set"),
        ({"JWT_SECRET": SECRET[:31]}, "JWT_SECRET must be at least 32 bytes long"),
        ({"JWT_SECRET": "changeme" * 4}, "JWT_SECRET must be random, not a default word or a repeated character"),
        ({"JWT_SECRET": "your-secret-key-change-me" + "0" * 20}, None),
        ({"JWT_SECRET": "a" * 64}, "JWT_SECRET must be random, not a default word or a repeated character"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL should be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'"),
        ({"ENVIRONMENT": "No Such"}, "ENVIRONMENT should match pattern '^[a-z][a-z0-9-]{0,31}$'"),
        ({"API_VERSION": "1"}, "API_VERSION should match pattern '^v[0-9]{1,3}$'"),
        ({"OPENAI_BASE_URL": "api.openai.com"}, "OPENAI_BASE_URL should match pattern '^https?://[^\\s/]+(/\\S*)?$'"),
        ({"OPENAI_MODEL": "x" * 101}, "OPENAI_MODEL should have at most 100 characters"),
        *(
            (
                {"SMTP_URL": url},
                "SMTP_URL must be like smtps://user:password@mail.example.com?from=todo@example.com",
            )
            for url in (
                "http://mail?from=a@b.c",
                "smtp://mail",
                "smtps://u:hunter2#x@mail?from=a@b.c",
                "smtp:///?from=a@b.c",
            )
        ),
        ({"SESSION_HOURS": "forever"}, "SESSION_HOURS should be a valid integer, unable to parse string as an integer"),
        ({"RATE_LIMIT_LOGIN": "0"}, "RATE_LIMIT_LOGIN should be greater than or equal to 1"),
        (
            {"TRUSTED_PROXIES": "10.0.0.1/8"},
            "TRUSTED_PROXIES must be a comma-separated list such as 10.0.0.0/8,fc00::/7",
        ),
        (
            {"TRUSTED_ORIGINS": "*"},
            "TRUSTED_ORIGINS must be a comma-separated list such as https://todo.example,http://localhost:3000",
        ),
    ],
)
def test_the_line(
    changes: dict[str, str | None],
    line: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**GOOD, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    if line is None:
        load_settings(Settings)
        return
    with pytest.raises(SystemExit) as stopped:
        load_settings(Settings)
    assert stopped.value.code == 2
    output = capsys.readouterr()
    assert output.err == f"configuration error: {line}\n"
    assert output.out == ""


@pytest.mark.parametrize("module", ["src.migrate", "src.serve"])
def test_the_process_stops_and_tells_no_secret(module: str) -> None:
    arguments = ["--port", "0"] if module == "src.serve" else []
    env: dict[str, Any] = {"DATABASE_URL": "mysql://todo:hunter2hunter2@db/todo", "JWT_SECRET": "hunter2"}
    ended = run_module(module, *arguments, env=env)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("configuration error: DATABASE_URL must begin with postgresql://")
    assert ("JWT_SECRET" in line) == (module == "src.serve")
    assert "hunter2" not in line


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_urls_as_hosts_hand_them_out(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = "://me:p%40ss@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"
    monkeypatch.setenv("DATABASE_URL", scheme + rest)
    monkeypatch.setenv("JWT_SECRET", SECRET)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("TRUSTED_ORIGINS", "https://a.example/, http://localhost:3000")
    settings = load_settings(Settings)
    assert settings.database_url.get_secret_value() == "postgresql" + rest
    assert settings.log_level == "DEBUG"
    assert settings.trusted_origins == ("https://a.example", "http://localhost:3000")
    assert SECRET not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", (BACKEND / "README.md").read_text(), re.M)
    defaults = {
        name.upper(): "required" if field.is_required() else f"`{field.default}`" if field.default else "none"
        for name, field in Settings.model_fields.items()
    }
    assert dict(rows) == defaults
