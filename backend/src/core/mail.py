"""Mail, by way of an SMTP server."""

import asyncio
import logging
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from src.core.logging import reason

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""How long the server may take for each answer."""

MAX_WAITING = 50
_PORTS = {"smtp": 25, "smtps": 465}


class Mailer:
    """Sends from the address and through the server that a URL names.

    smtps:// speaks TLS from the beginning; smtp:// as soon as the server offers it, and logs in nowhere without.
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that cannot be used. Connects at the first mail, not here."""
        try:
            parts = urlsplit(url)
            senders = parse_qs(parts.query).get("from", [])
            usable = parts.scheme in _PORTS and parts.hostname and len(senders) == 1 and "@" in senders[0]
            port = parts.port
        except ValueError:  # its words repeat a part of the URL
            usable = None
        if not usable:
            raise ValueError("must be like smtps://user:password@mail.example.com?from=todo@example.com")
        assert parts.hostname is not None
        self._tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, port or _PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._sender = senders[0]
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")
        self._waiting = 0

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail. What keeps it from being sent is in the log: nobody waits for it."""
        if self._waiting >= MAX_WAITING:
            logger.error("mail not sent", extra={"reason": "too many wait"})
            return
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=self._sender.rpartition("@")[2])
        message.set_content(text)
        self._waiting += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._send, message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Some servers repeat the recipient in what they say.
            said = reason(error).replace(to, "…")
            logger.error("mail not sent", extra={"reason": f"{type(error).__name__}: {said}"})
        finally:
            self._waiting -= 1

    def _send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        if self._tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=context)
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        with connection as server:
            server.ehlo()
            encrypted = self._tls
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                encrypted = True
            if self._login is not None:
                if not encrypted:
                    raise ValueError("the server offers no TLS, without which there is no login")
                server.login(*self._login)
            server.send_message(message)
