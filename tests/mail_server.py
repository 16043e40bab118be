"""A mail server on loopback: aiosmtpd, with the encryption and the passwords that a test asks for."""

import contextlib
import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "fengsui", "hunter2/+& secret"


@dataclass
class MailBox:
    """What came, and what the server refuses.

    Attributes:
        mails: With whom the envelope was for.
        refuses: Recipient to the answer that it gets instead of 250; ``hangs_s`` how long each body waits.
    """

    mails: list[tuple[tuple[str, ...], EmailMessage]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answer: str = "250 taken"
    hangs_s: float = 0.0
    port: int = 0
    was_encrypted: list[bool] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(  # noqa: N802 - the library's hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's hook
        if self.hangs_s:
            self.released.wait(self.hangs_s)
        assert isinstance(envelope.content, bytes)
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        if self.answer.startswith("250"):
            self.mails.append((tuple(envelope.rcpt_tos), found))
            self.was_encrypted.append(session.ssl is not None)
        return self.answer


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401 - the library's own
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=is_right)


class OnAnyPort(Controller):
    """The library asks the port that it was given whether it listens; that is 0 here."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def mail_server(box: MailBox, pair: tuple[Path, Path] | None = None) -> Iterator[MailBox]:
    """Run one; with a certificate it wants STARTTLS and a password, without it neither."""
    more: dict[str, Any] = {}
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*pair)
        more = {"tls_context": context, "require_starttls": True, "authenticator": _check, "auth_required": True}
    controller = OnAnyPort(box, hostname="127.0.0.1", port=0, **more)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        box.released.set()
        controller.stop()
