"""Tables. Importing this package registers every one of them."""

from portal.models.base import Base, UtcDateTime
from portal.models.blobs import Blob, BlobChunk, SessionBlobStore
from portal.models.database import Database, DatabaseBusyError, ReadSession, UnitOfWork, is_unavailable, is_writing
from portal.models.mail import KnownMessageId, MailboxRow, MailFolder, MailLedger, MailToken, OutgoingMail
from portal.models.mail_rules import (
    AutomaticMail,
    BreakerTrip,
    MailRule,
    MailSuspension,
    MailTemplate,
    MonitorKey,
)
from portal.models.paging import InboundText, Notification, Page, PageCode, PageDecisionRow, PageTicket
from portal.models.people import AuditEvent, OneTimeLink, Phone, SignInAttempt, User
from portal.models.site import (
    Alarm,
    BusinessPeriod,
    Check,
    EscalationStepRow,
    HolidayRow,
    Job,
    JobRun,
    Lease,
    RestartRequest,
    SettingRow,
    ShiftRow,
)
from portal.models.tickets import (
    Attachment,
    Category,
    FormPost,
    LexiconTerm,
    Message,
    Queue,
    Requester,
    RuleRow,
    SearchDocument,
    Ticket,
    TicketCopy,
    TicketCount,
    TicketEvent,
)

__all__ = [
    "Alarm", "Attachment", "AuditEvent", "AutomaticMail", "Base", "Blob", "BlobChunk", "BreakerTrip",
    "BusinessPeriod", "Category", "Check", "Database", "DatabaseBusyError", "EscalationStepRow", "FormPost",
    "HolidayRow", "InboundText", "Job", "JobRun", "KnownMessageId", "Lease", "LexiconTerm", "MailFolder",
    "MailLedger", "MailRule", "MailSuspension", "MailTemplate", "MailToken", "MailboxRow", "Message",
    "MonitorKey", "Notification", "OneTimeLink", "OutgoingMail", "Page", "PageCode", "PageDecisionRow",
    "PageTicket", "Phone", "Queue", "ReadSession", "Requester", "RestartRequest", "RuleRow", "SearchDocument",
    "SessionBlobStore", "SettingRow", "ShiftRow", "SignInAttempt", "Ticket", "TicketCopy", "TicketCount",
    "TicketEvent", "UnitOfWork", "User", "UtcDateTime", "is_unavailable", "is_writing",
]  # fmt: skip
