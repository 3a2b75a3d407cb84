"""Our own people's words that come by mail: answers to the requester, or notes for the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portal.core.mail import MailAttachment, ParsedMail
from portal.core.mail_voices import ANSWER, NOTE, answer_text, shown_inline
from portal.core.tickets import NEW, OPEN
from portal.models import Message, Ticket, UnitOfWork
from portal.services import tickets
from portal.services.context import Context
from portal.services.tickets import Actor, NewMessage, add_message, record_event, set_status

_SEALS = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")


def take_own_words(
    context: Context, uow: UnitOfWork, ticket: Ticket, new: NewMessage, *, voice: str, by: Actor
) -> Message:
    """Add what one of us wrote by mail. An answer stops the response clock and opens what was new; what had ended stays
    so. A note changes nothing. Sending it is the caller's, once its files hang on it.
    """
    now = context.clock.now()
    if voice == NOTE:
        kept = replace(new, kind=tickets.NOTE, is_public=False, author=by.name, author_id=by.user_id)
        return add_message(uow, ticket, kept, now=now)
    said = replace(new, kind=tickets.ANSWER, is_public=True, author=by.name, author_id=by.user_id)
    if voice == ANSWER:
        name, _, address = new.author.rpartition("<")
        words = answer_text(new.body, addresses=(address.rstrip(">"),), names=(by.name, name))
        said = replace(said, body=words, html="", subject="")
    message = add_message(uow, ticket, said, now=now)
    if ticket.first_response_at is None:
        ticket.first_response_at = message.at
    record_event(uow, ticket, "answered", actor=by, now=now, by="mail")
    if ticket.status == NEW:
        set_status(uow, ticket, OPEN, actor=by, now=now)
    return message


def files_to_send(mail: ParsedMail) -> Sequence[MailAttachment]:
    """The files of an answer that may leave: no pictures of signatures and quotes, no seals of the client."""
    shown = shown_inline(mail.html)
    open_files = (one for one in mail.attachments if not one.is_inline or one.content_id in shown)
    return tuple(one for one in open_files if one.content_type not in _SEALS)
