"""An SMS provider in memory that records and can be told to fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from portal.core.errors import GatewayError
from portal.core.ports import InboundSms, SentSms


class FakeSms:
    """Scriptable `SmsGateway`. `sent` holds what the provider accepted, in order."""

    name = "twilio"

    def __init__(self):
        self.sent: list[SentSms] = []
        self.refs: list[str] = []
        self.inbox: list[InboundSms] = []
        self.states: dict[str, tuple[str, str]] = {}
        self.calls: list[str] = []
        self._faults: list[tuple[GatewayError, bool]] = []
        self._lookup_faults: list[GatewayError] = []
        self.now = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)

    def fail_next(self, count=1, *, permanent=False, maybe_done=False, accepts=False, code="", retry_after=None):
        """The next sends raise; with `accepts` the text is taken all the same."""
        error = GatewayError(
            f"scripted {code}", permanent=permanent, maybe_done=maybe_done, code=code, retry_after=retry_after
        )
        self._faults += [(error, accepts)] * count

    def fail_lookups(self, count=1):
        self._lookup_faults += [GatewayError("no answer")] * count

    def send(self, ref, to, text):
        self.calls.append("send")
        error, accepts = self._faults.pop(0) if self._faults else (None, True)
        sent = SentSms(f"F{len(self.sent) + 1}", "accepted", to, text, self.now)
        if accepts:
            self.sent.append(sent)
            self.refs.append(ref)
        if error:
            raise error
        return sent

    def find_sent(self, to, since, ref, text):
        self.calls.append("find")
        if self._lookup_faults:
            raise self._lookup_faults.pop(0)
        return next((sent for sent, known in zip(self.sent, self.refs, strict=True) if known == ref), None)

    def fetch_status(self, provider_id):
        self.calls.append("status")
        sent = next(sent for sent in self.sent if sent.provider_id == provider_id)
        state, code = self.states.get(provider_id, ("delivered", ""))
        return SentSms(provider_id, state, sent.to, sent.text, sent.created_at, code, f"error {code}" if code else "")

    def list_inbound(self, since):
        self.calls.append("list")
        if self._lookup_faults:
            raise self._lookup_faults.pop(0)
        return list(self.inbox)

    def check_account(self):
        return "fine"

    def reply(self, sender, text):
        """A phone answers."""
        at = self.now + timedelta(seconds=len(self.inbox))
        self.inbox.append(InboundSms(f"R{len(self.inbox) + 1}", sender, text, at))

    def texts(self, to=None):
        """The words sent to one phone, or to all."""
        return [sent.text for sent in self.sent if to is None or sent.to == to]
