"""The form of a mail rule."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, Form, FormField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.core.mail_rules import ACTIONS, LABELS, Action, Condition, ConditionKind, MailRule

ROWS = 2  # empty conditions offered below those there are
MOST_SUBJECTS = 50
_KINDS = [SelectChoice("", "No condition"), *(SelectChoice(str(kind), text) for kind, text in LABELS.items())]
_SMALL = {"rows": 2}


class ConditionForm(Form):  # type: ignore[misc]
    """One condition; without a kind the row is empty."""

    kind = SelectField("Condition", choices=_KINDS)
    value = TextAreaField("Looks for", validators=[Length(max=20_000)], render_kw=_SMALL)


class MailRuleForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", validators=[InputRequired("Give the rule a name."), Length(max=200)])
    mailbox = SelectField("For mail to", coerce=int)
    conditions = FieldList(FormField(ConditionForm))
    action = SelectField("What to do with it", choices=[SelectChoice(str(one), text) for one, text in ACTIONS.items()])
    opens = TextAreaField("Subjects that open a ticket", validators=[Length(max=10_000)], render_kw={"rows": 3})
    closes = TextAreaField("Subjects that resolve it", validators=[Length(max=10_000)], render_kw={"rows": 3})
    is_enabled = BooleanField("Switched on", default=True)

    def offer(self, mailboxes: Iterable[tuple[int, str]]) -> None:
        """Fill the menu of mailboxes; 0 is every one."""
        self.mailbox.choices = [SelectChoice("0", "Every mailbox")]
        self.mailbox.choices += [SelectChoice(str(id), name) for id, name in mailboxes]

    def fill(self, rule: MailRule | None) -> None:
        """Show what is stored or proposed, and some empty conditions."""
        if rule is not None:
            self.name.data, self.mailbox.data, self.action.data = rule.name, rule.mailbox_id or 0, str(rule.action)
            self.opens.data, self.closes.data = "\n".join(rule.opens), "\n".join(rule.closes)
            self.is_enabled.data = rule.is_enabled
            for condition in rule.conditions:
                self.conditions.append_entry({"kind": str(condition.kind), "value": condition.value})
        for _ in range(ROWS):
            self.conditions.append_entry({"kind": "", "value": ""})

    def read_rule(self, rule_id: int) -> MailRule:
        """The rule as typed; services/mail_rules.py checks it."""
        rows = [row.form for row in self.conditions if row.form.kind.data]
        action = Action(self.action.data)
        is_monitor = action is Action.MONITOR
        return MailRule(
            name=" ".join((self.name.data or "").split()),
            action=action,
            conditions=tuple(Condition(ConditionKind(row.kind.data), (row.value.data or "").strip()) for row in rows),
            mailbox_id=self.mailbox.data or None,
            opens=_lines(self.opens.data) if is_monitor else (),
            closes=_lines(self.closes.data) if is_monitor else (),
            is_enabled=bool(self.is_enabled.data),
            id=rule_id,
        )


def _lines(text: str | None) -> tuple[str, ...]:
    found = (" ".join(line.split()) for line in (text or "").splitlines())
    return tuple(line for line in found if line)[:MOST_SUBJECTS]
