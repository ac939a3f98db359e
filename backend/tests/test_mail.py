"""Codes that are sent by mail, to a real SMTP server."""

import asyncio
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from src.app import create_app
from src.core import mail
from tests.support import Person, expect_problem, make_settings, serve, stranger
from tests.test_reset import reset

PLACE = "/api/auth/reset/mail"


class Postbox:
    """Takes mail."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.refuses = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(envelope)
        return f"550 no such person: {envelope.rcpt_tos[0]}" if self.refuses else "250 OK"

    def wait(self) -> tuple[str, str]:
        """To whom the next mail goes, and its text."""
        deadline = time.monotonic() + 10
        while not self.mails:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        envelope = self.mails.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert (message["From"], message["To"]) == ("todo@example.com", envelope.rcpt_tos[0])
        return envelope.rcpt_tos[0], str(message.get_content())


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield postbox, port
    controller.stop()


@pytest.fixture
def mailing_url(database_url: str, postbox: tuple[Postbox, int]) -> Iterator[str]:
    settings = make_settings(database_url, smtp_url=f"smtp://127.0.0.1:{postbox[1]}?from=todo@example.com")
    with serve(create_app(settings)) as address:
        yield address


def test_a_code_comes_by_mail(mailing_url: str, alice: Person, postbox: tuple[Postbox, int]) -> None:
    assert stranger.get(f"{mailing_url}/api/auth/reset").json() == {"mail": True}
    answer = stranger.post(f"{mailing_url}{PLACE}", json={"email": alice.email.upper()})
    assert (answer.status_code, answer.json()) == (202, {"mail": True})
    to, text = postbox[0].wait()
    assert to == alice.email
    (code,) = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert reset(mailing_url, alice.email, code).status_code == 204


def test_nobody_learns_whether_there_is_an_account(
    mailing_url: str, alice: Person, postbox: tuple[Postbox, int]
) -> None:
    answers = [stranger.post(f"{mailing_url}{PLACE}", json={"email": e}) for e in ("no@example.com", alice.email)]
    assert [(a.status_code, a.content) for a in answers] == [(202, answers[0].content)] * 2
    assert postbox[0].wait()[0] == alice.email
    assert postbox[0].mails == []
    for email in ("no@example.com", alice.email):
        assert stranger.post(f"{mailing_url}{PLACE}", json={"email": email}).status_code == 202
        expect_problem(stranger.post(f"{mailing_url}{PLACE}", json={"email": email}), "rate_limited", 429)


def test_without_a_server_no_mail_is_promised(url: str, alice: Person) -> None:
    assert stranger.get(f"{url}/api/auth/reset").json() == {"mail": False}
    for email in ("no@example.com", alice.email):
        expect_problem(stranger.post(f"{url}{PLACE}", json={"email": email}), "mail_not_configured", 409)


def _send(url: str, caplog: pytest.LogCaptureFixture) -> str:

    asyncio.run(mail.Mailer(url).send("ada@example.com", "Code", "7KQ2"))
    return "".join(str(vars(record)) for record in caplog.records if record.name == "src.core.mail")


def test_what_keeps_a_mail_from_being_sent_is_logged_without_whom_it_is_for(
    postbox: tuple[Postbox, int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, port = postbox
    box.refuses = True
    logged = _send(f"smtp://127.0.0.1:{port}?from=todo@example.com", caplog)
    assert "550" in logged
    logged += _send(f"smtp://u:hunter2@127.0.0.1:{port}?from=todo@example.com", caplog)
    assert "no TLS, without which there is no login" in logged
    logged += _send(f"smtps://127.0.0.1:{port}?from=todo@example.com", caplog)
    assert "SSLError" in logged
    monkeypatch.setattr(mail, "MAX_WAITING", 0)
    logged += _send(f"smtp://127.0.0.1:{port}?from=todo@example.com", caplog)
    assert "too many wait" in logged
    for secret in ("ada@example.com", "7KQ2", "hunter2"):
        assert secret not in logged
    assert len(box.mails) == 1


def test_the_mailer_speaks_tls_where_it_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []

    class Server:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def __enter__(self) -> "Server":
            return self

        def __exit__(self, *_: object) -> None: ...

        def has_extn(self, name: str) -> bool:
            return name == "starttls"

        def __getattr__(self, name: str) -> Any:
            return lambda *given, **_: said.append((name, *given) if name == "login" else name)

    monkeypatch.setattr("smtplib.SMTP", Server)

    asyncio.run(mail.Mailer("smtp://u:p%40ss@mail?from=a@b.c").send("ada@example.com", "Code", "7KQ2"))
    assert said == ["ehlo", "starttls", "ehlo", ("login", "u", "p@ss"), "send_message"]
