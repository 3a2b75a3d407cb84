"""The form of one mail's words."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from portal.core.mail_templates import Template


class WordsForm(FlaskForm):  # type: ignore[misc]
    """What may stand in it is checked by the service, which names the line of each fault."""

    subject = StringField("Subject", description="The ticket’s number is put in front of it.")
    body = TextAreaField(
        "Text",
        description="A line whose places are all empty is left out. Our reference is put below.",
        render_kw={"rows": 18, "spellcheck": "true"},
    )

    def fill(self, template: Template) -> None:
        """Show the words in force."""
        self.subject.data, self.body.data = template.subject, template.body

    def read_template(self) -> Template:
        """The words as typed."""
        return Template((self.subject.data or "").strip(), (self.body.data or "").replace("\r\n", "\n"))
