"""The forms of the ticket pages."""

from __future__ import annotations

import re
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    MultipleFileField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp

from portal.core.tickets import ON_HOLD, PRIORITIES, RESOLVED, WAITING_REQUESTER, WAITING_THIRD, next_statuses
from portal.core.uploads import LIMITS
from portal.services.choices import Choice, Choices
from portal.services.ticket_work import Arrangement

_LONGEST = 200_000
_PRIORITIES = {str(number): f"P{number} {name}" for number, name in PRIORITIES.items()}


def _menu(choices: tuple[Choice, ...], nothing: str, *, keep: int | None = None) -> dict[str, str]:
    offered = {str(choice.id): choice.name for choice in choices if choice.is_offered or choice.id == keep}
    return {"": nothing, **offered}


class ArrangeForm(FlaskForm):  # type: ignore[misc]
    """Where a ticket belongs."""

    no_customer = "No customer"

    priority = SelectField("Priority", choices=_PRIORITIES)
    queue = SelectField("Queue")
    category = SelectField("Category")
    customer = SelectField("Customer", default="")
    assignee = SelectField("Assigned to")

    def offer(self, choices: Choices, *, assignee_id: int | None = None) -> None:
        """Fill the menus; the present assignee stays in them even when disabled."""
        self.queue.choices = _menu(choices.queues, "No queue")
        self.category.choices = _menu(choices.categories, "No category")
        self.customer.choices = _menu(choices.customers, self.no_customer)
        self.assignee.choices = _menu(choices.people, "Nobody", keep=assignee_id)

    def fill(self, ticket: Any) -> None:
        """Show what is."""
        self.priority.data = str(ticket.priority)
        self.queue.data, self.category.data = str(ticket.queue_id or ""), str(ticket.category_id or "")
        self.assignee.data, self.customer.data = str(ticket.assignee_id or ""), str(ticket.customer_id or "")

    def read(self, *, customer_id: int | None = None) -> Arrangement:
        """What was chosen. `customer_id` stays where the form did not ask, since there were no customers."""

        def id_of(field: SelectField) -> int | None:
            return int(field.data) if field.data else None

        customer = id_of(self.customer) if self.customer.raw_data else customer_id
        queue, category, assignee = map(id_of, (self.queue, self.category, self.assignee))
        return Arrangement(int(self.priority.data), queue, category, assignee, customer)


class CalledInForm(ArrangeForm):
    """A ticket for somebody who called."""

    no_customer = "The one of the mail address"

    name = StringField("Name", [Optional(), Length(max=200)], render_kw={"autocomplete": "off"})
    email = EmailField(
        "Mail address",
        [Optional(), Length(max=254), Regexp(r"^[^@\s]+@[^@\s]+$", message="This does not look like a mail address.")],
        description="Answers go there. Without it nothing is sent.",
        render_kw={"autocomplete": "off"},
    )
    phone = TelField("Phone", [Optional(), Length(max=40)], render_kw={"autocomplete": "off"})
    subject = StringField("Subject", [InputRequired("Give it a short title."), Length(max=300)])
    body = TextAreaField("What is wrong", [InputRequired("Say what is wrong."), Length(max=_LONGEST)])
    files = MultipleFileField("Files", description=LIMITS)


class ReplyForm(FlaskForm):  # type: ignore[misc]
    """An answer to the requester or a note for the team: the button says which."""

    body = TextAreaField("Your words", [InputRequired("Write a few words first."), Length(max=_LONGEST)])
    files = MultipleFileField("Files", description=LIMITS)
    then = SelectField("Then", default="")

    def offer(self, status: str) -> None:
        """What the ticket may become with the answer. Resolving has its own form, since it asks for a note."""
        waits = [one for one in (WAITING_REQUESTER, WAITING_THIRD, ON_HOLD) if one in next_statuses(status)]
        self.then.choices = {"": "leave the status", **{one: f"set to {one}" for one in waits}}


class StatusForm(FlaskForm):  # type: ignore[misc]
    """Another status, but resolved: that has a form of its own, since it asks for a note."""

    status = SelectField("New status")
    tell = BooleanField("Tell the requester by mail")

    def offer(self, status: str) -> None:
        """What the table allows now."""
        self.status.choices = {one: one.capitalize() for one in next_statuses(status) if one != RESOLVED}


class MergeForm(FlaskForm):  # type: ignore[misc]
    """Which ticket this one is part of."""

    number = StringField(
        "Number of the other ticket",
        [
            InputRequired("Give a ticket number, like #1234."),
            Length(max=30),
            Regexp(r".*?(?<!\d)\d{1,15}\s*$", message="Give a ticket number, like #1234."),
        ],
        description="Its page then shows both. Mail for this one goes there.",
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )

    def wanted(self) -> int:
        """The number, with or without what stands before it."""
        found = re.search(r"[0-9]{1,15}\s*$", self.number.data or "")
        return int(found.group()) if found else 0


class ResolveForm(FlaskForm):  # type: ignore[misc]
    """The end of the work."""

    status = HiddenField(default=RESOLVED)
    note = TextAreaField(
        "How was it solved?",
        [InputRequired("Say in a few words how it was solved."), Length(max=_LONGEST)],
        description="The requester gets this by mail.",
    )
