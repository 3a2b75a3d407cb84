"""The pages of mail rules."""

import pytest

from portal.core.mail_rule_presets import PRESETS
from portal.core.mail_rules import Action, Condition, ConditionKind, MailRule
from portal.models import MailboxRow, MailLedger, SessionBlobStore
from portal.services.audit import Change
from portal.services.mail_rules import list_mail_rules, save_mail_rule
from tests.mails import mail_bytes
from tests.web.conftest import NOW

FORM = {
    "name": "Ads",
    "mailbox": "0",
    "conditions-0-kind": "sender_is",
    "conditions-0-value": "@ads.example\nbob@b.example",
    "conditions-1-kind": "",
    "conditions-1-value": "not counted",
    "action": "ignore",
    "opens": "left over {key}",
    "closes": "",
    "is_enabled": "y",
}


@pytest.fixture(autouse=True)
def mailbox(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(
            MailboxRow(id=5, name="Help", kind="imap", address="help@shop.example", next_at=NOW, options={}, secrets={})
        )


def add_rule(web, name="Ads", **changes) -> int:
    rule = MailRule(name, Action.IGNORE, (Condition(ConditionKind.SENDER_IS, "@ads.example"),), **changes)
    with web.database.unit_of_work() as uow:
        return save_mail_rule(uow, rule, change=Change(None, NOW))


def add_mail(web, raw=b"", **changes) -> int:
    raw = raw or mail_bytes()
    with web.database.unit_of_work() as uow:
        row = MailLedger(**{
            "mailbox_id": 5, "folder": "INBOX", "provider_id": str(changes), "sender": "dana@customer.example",
            "subject": "Printer on fire", "size": 1, "received_at": NOW, "listed_at": NOW, "verdict_at": NOW,
            "sha256": SessionBlobStore(uow.session).put(raw), "state": "done", "verdict": "ticket", "kind": "person",
            **changes,
        })  # fmt: skip
        uow.session.add(row)
        uow.session.flush()
        return row.id


def rules(web) -> list[MailRule]:
    with web.database.read_session() as session:
        return list_mail_rules(session)


def test_everyone_who_works_sees_the_rules_and_leaders_change_them(web):
    rule_id = add_rule(web)
    page = web.as_("bob").get("/mail/rules")
    assert "Sender is @ads.example" in page.text and not page.soup.select("main form") and "Use it" not in page.text
    web.as_("vera").get("/mail/rules", status=403)
    web.anonymous().get("/mail/rules", status=303)
    for path in ("/mail/rules/new", f"/mail/rules/{rule_id}", f"/mail/rules/{rule_id}/remove"):
        web.as_("bob").get(path, status=403)
        assert web.as_("carol").get(path).one("main form[method=post][action]")
    for path in ("move", "switch", "remove"):
        web.as_("bob").post(f"/mail/rules/{rule_id}/{path}", status=403)


def test_without_rules_the_page_says_what_they_are_for(web):
    page = web.as_("carol").get("/mail/rules")
    assert "No rules yet" in page.text and len(page.soup.select("#presets li")) == len(PRESETS)


def test_a_rule_is_added_by_the_form(web):
    carol = web.as_("carol")
    assert "“Ads” is saved and holds for the next mail." in carol.follow(carol.post("/mail/rules/new", FORM)).text
    (rule,) = rules(web)
    assert rule.conditions == (Condition(ConditionKind.SENDER_IS, "@ads.example\nbob@b.example"),)
    assert (rule.action, rule.mailbox_id, rule.opens, rule.is_enabled) == (Action.IGNORE, None, (), True)


def test_a_monitor_keeps_its_subjects_a_line_each(web):
    words = {"action": "monitor", "mailbox": "5", "opens": "DOWN {key}\n\n DOWN  {key} again ", "closes": "UP {key}"}
    web.as_("carol").post("/mail/rules/new", {**FORM, **words})
    (rule,) = rules(web)
    assert (rule.opens, rule.closes, rule.mailbox_id) == (("DOWN {key}", "DOWN {key} again"), ("UP {key}",), 5)
    page = web.as_("carol").get(f"/mail/rules/{rule.id}")
    assert page.one("textarea[name=opens]").text.split("\n")[-2:] == ["DOWN {key}", "DOWN {key} again"] or (
        page.one("textarea[name=opens]").text.strip() == "DOWN {key}\nDOWN {key} again"
    )
    assert page.one("select[name=mailbox] option[selected]").text == "Help"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Give the rule a name"),
        ({"conditions-0-kind": ""}, "at least one condition"),
        ({"conditions-0-value": " "}, "looks for"),
        ({"action": "monitor", "opens": "DOWN"}, "exactly once"),
        ({"action": "explode"}, "Not a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(web, change, says):
    page = web.as_("carol").post("/mail/rules/new", {**FORM, **change}, status=422)
    assert says in page.text and "not counted" in page.text and not rules(web)


def test_a_rule_is_changed_moved_switched_and_removed(web):
    first, second = add_rule(web, "First"), add_rule(web, "Second")
    carol = web.as_("carol")
    carol.post(f"/mail/rules/{first}", {**FORM, "name": "Renamed"})
    carol.post(f"/mail/rules/{second}/move", {"way": "up"})
    page = carol.post(f"/mail/rules/{second}/switch", {"on": "no"}, htmx=True)
    assert page.one("#mail-rules") and not page.soup.select("html")
    assert [(rule.name, rule.is_enabled) for rule in rules(web)] == [("Second", False), ("Renamed", True)]
    assert "Remove “Second”?" in carol.get(f"/mail/rules/{second}/remove").text
    assert "“Second” is removed." in carol.follow(carol.post(f"/mail/rules/{second}/remove")).text
    carol.get(f"/mail/rules/{second}", status=404)
    carol.post(f"/mail/rules/{second}/move", status=404)


def test_trying_a_rule_saves_nothing_and_shows_what_would_differ(web):
    add_mail(web)
    add_mail(web, mail_bytes(sender="x@ads.example"), sender="x@ads.example", subject="Offer")
    carol = web.as_("carol")
    page = carol.post("/mail/rules/new", {**FORM, "do": "try"})
    assert "1 of the last 2 mails. The rule is not saved yet." in page.text
    cells = [cell.text for cell in page.soup.select("#rehearsal tbody td")]
    assert cells[1:] == ["x@ads.example", "Offer", "taken in as usual", "ignored"] and not rules(web)
    assert "@ads.example" in page.one("textarea[name=conditions-0-value]").text
    calm = carol.post("/mail/rules/new", {**FORM, "conditions-0-value": "@z.example", "do": "try"}, htmx=True)
    assert "Nothing: the last 2 mails" in calm.text and not calm.soup.select("html")


def test_trying_without_mails_says_so(web):
    assert "no mails yet" in web.as_("carol").post("/mail/rules/new", {**FORM, "do": "try"}).text


def test_a_proposal_fills_the_form(web):
    page = web.as_("carol").get("/mail/rules/new?preset=icinga")
    assert "[PROBLEM] Host {key} is {*}" in page.one("textarea[name=opens]").text
    assert "Enter the address it sends from" in page.text
    assert web.as_("carol").get("/mail/rules/new?preset=nothing").one("input[name=name]").get("value", "") == ""


def test_a_rule_is_made_from_a_mail(web):
    ledger_id = add_mail(web)
    carol = web.as_("carol")
    link = carol.get(f"/mail/{ledger_id}").one("a[href^='/mail/rules/new']")
    page = carol.get(link["href"])
    assert page.one("input[name=name]")["value"] == "Mail from dana@customer.example"
    assert page.one("textarea[name=conditions-0-value]").text.strip() == "dana@customer.example"
    of_list = add_mail(web, mail_bytes(extra={"List-Id": "<news.c.example>"}), subject="News")
    assert "List-Id: <news.c.example>" in carol.get(f"/mail/rules/new?mail={of_list}").text


def test_what_is_not_there_is_missing(web):
    web.as_("carol").get("/mail/rules/99", status=404)
    web.as_("carol").get("/mail/rules/99/remove", status=404)
    assert web.as_("carol").get("/mail/rules/new?mail=99&x=y").one("form#mail-rule-form")
