"""The forms of the sorting pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, FloatField, Form, FormField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.core.rules import LABELS, Condition, ConditionKind, Rule, RuleActions
from portal.core.tickets import PRIORITIES

ROWS = 3  # empty conditions offered below those there are
_LEAVE = SelectChoice("", "Leave as it is")
_PRIORITIES = [SelectChoice(str(number), f"P{number} {word.lower()}") for number, word in PRIORITIES.items()]
_PAGING = {"": None, "yes": True, "no": False}
_SOURCES = [
    SelectChoice("mail", "Mail"),
    SelectChoice("form", "Web form"),
    SelectChoice("staff", "Entered by staff"),
    SelectChoice("import", "Import"),
]
_KINDS = [SelectChoice("", "No condition"), *(SelectChoice(str(kind), text) for kind, text in LABELS.items())]


class ConditionForm(Form):  # type: ignore[misc]
    """One condition; without a kind the row is empty."""

    kind = SelectField("Condition", choices=_KINDS)
    value = StringField("Looks for", validators=[Length(max=500)])


class RuleForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", validators=[InputRequired("Give the rule a name."), Length(max=200)])
    match = SelectField(
        "The rule applies when",
        choices=[SelectChoice("all", "all conditions hold"), SelectChoice("any", "any condition holds")],
    )
    conditions = FieldList(FormField(ConditionForm))
    category = SelectField("Category")
    priority = SelectField("Priority", choices=[_LEAVE, *_PRIORITIES])
    queue = SelectField("Queue")
    assignee = SelectField("Assign to")
    page = SelectField(
        "Waking people",
        choices=[_LEAVE, SelectChoice("yes", "Page whoever is on call"), SelectChoice("no", "Do not page")],
        description="“Page” also rings during business hours.",
    )
    stop = BooleanField("Look at no later rule")
    is_enabled = BooleanField("Switched on", default=True)

    def offer(self, *, categories: Iterable[str], queues: Iterable[str], people: Sequence[tuple[str, str]]) -> None:
        """Fill the menus. `people` are (mail address, name)."""
        self.category.choices = [_LEAVE, *map(SelectChoice, categories)]
        self.queue.choices = [_LEAVE, *map(SelectChoice, queues)]
        self.assignee.choices = [_LEAVE, *(SelectChoice(email, name) for email, name in people)]

    def fill(self, rule: Rule | None) -> None:
        """Show what is stored, and some empty conditions."""
        if rule is not None:
            actions = rule.actions
            self.name.data, self.match.data, self.is_enabled.data = rule.name, rule.match, rule.is_enabled
            self.category.data, self.queue.data, self.assignee.data = actions.category, actions.queue, actions.assignee
            self.priority.data = str(actions.priority or "")
            self.page.data = "" if actions.page is None else "yes" if actions.page else "no"
            self.stop.data = actions.stop
            for condition in rule.conditions:
                self.conditions.append_entry({"kind": str(condition.kind), "value": condition.value})
        for _ in range(ROWS):
            self.conditions.append_entry({"kind": "", "value": ""})

    def read_rule(self) -> Rule:
        """The rule as typed; services/rules.py checks it."""
        rows = [row.form for row in self.conditions if row.form.kind.data]
        return Rule(
            name=" ".join((self.name.data or "").split()),
            conditions=tuple(Condition(ConditionKind(row.kind.data), (row.value.data or "").strip()) for row in rows),
            actions=RuleActions(
                category=self.category.data or "",
                priority=int(self.priority.data) if self.priority.data else None,
                queue=self.queue.data or "",
                assignee=self.assignee.data or "",
                page=_PAGING[self.page.data or ""],
                stop=bool(self.stop.data),
            ),
            match=self.match.data or "all",
            is_enabled=bool(self.is_enabled.data),
        )


class QueueForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", validators=[InputRequired("Give it a name.")])
    calendar_id = SelectField("Business hours", coerce=int, default=0)

    def offer(self, calendars: Iterable[tuple[int, str]]) -> None:
        """Fill the menu of calendars beside the site's own, which is 0."""
        known = (SelectChoice(str(id), name) for id, name in calendars)
        self.calendar_id.choices = [SelectChoice("0", "As the site"), *known]


class CategoryForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", validators=[InputRequired("Give it a name.")])
    queue_id = SelectField("Its tickets go to", coerce=int)

    def offer(self, queues: Iterable[tuple[int, str]]) -> None:
        """Fill the menu of queues; 0 is none."""
        self.queue_id.choices = [SelectChoice("0", "No queue"), *(SelectChoice(str(id), name) for id, name in queues)]


class TermForm(FlaskForm):  # type: ignore[misc]
    term = StringField("Word or phrase", validators=[InputRequired("Type a word or a phrase.")])
    weight = FloatField(
        "Weight",
        default=2,
        description="3 strong, 2 usual, 1 weak; below 0 speaks against.",
        validators=[InputRequired("Give a number.")],
    )


class TryForm(FlaskForm):  # type: ignore[misc]
    subject = StringField("Subject", validators=[Length(max=300)])
    body = TextAreaField("Text", validators=[Length(max=50_000)], render_kw={"rows": 8})
    sender = StringField("Sender’s mail address", validators=[Length(max=254)])
    source = SelectField("Came by", choices=_SOURCES, default="mail")
    is_emergency = BooleanField("The requester declared an emergency")
    is_after_hours = BooleanField("Outside business hours", default=True)
