"""The MailTransport port: IMAP and SMTP, or Microsoft Graph; one kept connection for each mailbox.

The SDK of Graph is loaded with the first mailbox that needs it: most processes never do.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount, Mailbox, MailSender, MailSignIn
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from portal.integrations.oauth.tokens import AccessTokens, MemoryTokens, SignIn, make_provider
from portal.integrations.smtp.adapter import SmtpSender, SmtpSettings

if TYPE_CHECKING:
    from portal.integrations.graph.connection import GraphConnection

GRAPH = "graph"


class MailServers:
    """Keeps mailboxes and access tokens by the key of their account: a changed one gets new ones."""

    def __init__(self) -> None:
        self._mailboxes: dict[str, tuple[MailAccount, Mailbox]] = {}
        self._tokens: dict[str, tuple[MailAccount, AccessTokens]] = {}
        self._lock = threading.Lock()

    def mailbox(self, account: MailAccount) -> Mailbox:
        """See MailTransport.mailbox."""
        with self._lock:
            kept = self._mailboxes.get(account.key)
            if kept and kept[0] == account:
                return kept[1]
            fresh = self._open(account)
            self._mailboxes[account.key] = (account, fresh)
        if kept:
            kept[1].close()
        return fresh

    def sender(self, account: MailAccount) -> MailSender:
        """See MailTransport.sender."""
        with self._lock:
            if account.kind == GRAPH:
                from portal.integrations.graph.sender import GraphSender

                return GraphSender(self._graph(account))
            if not account.smtp.get("host"):
                raise GatewayError("This mailbox has no server for outgoing mail.", permanent=True, code="login")
            tokens = self._access(account) if account.oauth else None
            return SmtpSender(SmtpSettings(**account.smtp, access_token=tokens))

    def sign_in(self, account: MailAccount) -> MailSignIn:
        """See MailTransport.sign_in."""
        return SignIn(make_provider(account), account.tokens or MemoryTokens())

    def close(self) -> None:
        """Drop every kept connection."""
        with self._lock:
            kept, self._mailboxes = self._mailboxes, {}
            self._tokens.clear()
        for _, mailbox in kept.values():
            mailbox.close()

    def _open(self, account: MailAccount) -> Mailbox:
        if account.kind == GRAPH:
            from portal.integrations.graph.mailbox import GraphMailbox

            return GraphMailbox(self._graph(account))
        tokens = self._access(account) if account.oauth else None
        return ImapMailbox(ImapSettings(**account.imap, access_token=tokens))

    def _graph(self, account: MailAccount) -> GraphConnection:
        from portal.integrations.graph.connection import GraphConnection, GraphSettings

        return GraphConnection(GraphSettings(**account.graph), self._access(account))

    def _access(self, account: MailAccount) -> AccessTokens:
        """Reading and sending share one, so that a mailbox renews once."""
        kept = self._tokens.get(account.key)
        if kept is None or kept[0] != account:
            kept = account, AccessTokens(make_provider(account), account.tokens or MemoryTokens())
            self._tokens[account.key] = kept
        return kept[1]
