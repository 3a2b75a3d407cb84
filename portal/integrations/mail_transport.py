"""The MailTransport port: IMAP to read, SMTP to send, one kept connection for each mailbox."""

from __future__ import annotations

import threading

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount, Mailbox, MailSender
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from portal.integrations.smtp.adapter import SmtpSender, SmtpSettings


class ImapSmtpTransport:
    """Keeps mailboxes by the key of their account: a changed one gets a new connection."""

    def __init__(self) -> None:
        self._mailboxes: dict[str, tuple[MailAccount, Mailbox]] = {}
        self._lock = threading.Lock()

    def mailbox(self, account: MailAccount) -> Mailbox:
        """See MailTransport.mailbox."""
        with self._lock:
            kept = self._mailboxes.get(account.key)
            if kept and kept[0] == account:
                return kept[1]
            fresh = ImapMailbox(ImapSettings(**account.imap))
            self._mailboxes[account.key] = (account, fresh)
        if kept:
            kept[1].close()
        return fresh

    def sender(self, account: MailAccount) -> MailSender:
        """See MailTransport.sender."""
        if not account.smtp.get("host"):
            raise GatewayError("This mailbox has no server for outgoing mail.", permanent=True, code="login")
        return SmtpSender(SmtpSettings(**account.smtp))

    def close(self) -> None:
        """Drop every kept connection."""
        with self._lock:
            kept, self._mailboxes = self._mailboxes, {}
        for _, mailbox in kept.values():
            mailbox.close()
