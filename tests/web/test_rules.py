"""The pages on which a shop says how its tickets are sorted."""

import pytest

from portal.core.rules import Condition, ConditionKind, Rule, RuleActions
from portal.core.triage import Aspect, LexiconEntry
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.categories import list_categories, list_queues
from portal.services.lexicon import list_terms, save_term
from portal.services.rules import list_rules, save_rule
from tests.web.conftest import NOW

CHANGE = Change(None, NOW)
PAGES = ("/rules", "/rules/categories", "/rules/words", "/rules/words/category/Printer", "/rules/try")
EDITS = ("/rules/new", "/rules/categories/new", "/rules/categories/1", "/rules/queues/new", "/rules/queues/1")


def add_rule(web, name="Urgent", **changes) -> int:
    rule = Rule(name, (Condition(ConditionKind.TEXT_HAS, "vpn, wifi"),), RuleActions(priority=2), **changes)
    with web.database.unit_of_work() as uow:
        return save_rule(uow, rule, change=CHANGE)


def add_word(web, term="toner") -> int:
    with web.database.unit_of_work() as uow:
        return save_term(uow, LexiconEntry(term, Aspect.CATEGORY, "Printer", 3), change=CHANGE)


def read(web, load, **keywords):
    with web.database.read_session() as session:
        return load(session, **keywords)


def rules(web) -> list[Rule]:
    return [entry.rule for entry in read(web, list_rules)]


@pytest.mark.parametrize("path", PAGES)
def test_everyone_who_works_sees_how_tickets_are_sorted(web, path: str) -> None:
    add_rule(web)
    page = web.as_("bob").get(path)
    assert page.one("h1")
    assert not page.soup.select("a[href$='/new']")
    web.as_("vera").get(path, status=403)
    web.anonymous().get(path, status=303)


@pytest.mark.parametrize("path", EDITS)
def test_only_leaders_change_it(web, path: str) -> None:
    assert web.as_("carol").get(path).one("main form input[name=name]")
    web.as_("bob").get(path, status=403)
    web.as_("bob").post(path, {"name": "x"}, status=403)


@pytest.mark.parametrize("path", [*PAGES, *EDITS])
def test_every_form_names_its_action_and_method(web, path: str) -> None:
    add_rule(web)
    add_word(web)
    for form in web.as_("alice").get(path).soup.select("main form"):
        assert form["method"] == "post" and form["action"].startswith("/rules")


def test_a_rule_reads_as_when_and_then(web) -> None:
    add_rule(web)
    row = web.as_("alice").get("/rules").one("#rules tbody tr")
    assert "Subject or text contains vpn, wifi" in row.text and "priority P2" in row.text and "On" in row.text


def test_without_rules_the_page_says_what_they_are_for(web) -> None:
    assert "No rules yet" in web.as_("bob").get("/rules").text


RULE_FORM = {
    "name": "Night backup",
    "match": "any",
    "conditions-0-kind": "subject_has",
    "conditions-0-value": "backup",
    "conditions-1-kind": "",
    "conditions-1-value": "ignored",
    "conditions-2-kind": "after_hours",
    "conditions-2-value": "",
    "category": "Printer",
    "priority": "1",
    "queue": "Servers",
    "assignee": "bob@a.example",
    "page": "no",
    "stop": "y",
    "is_enabled": "y",
}


def test_a_rule_is_added_by_the_form(web) -> None:
    alice = web.as_("alice")
    answer = alice.post("/rules/new", RULE_FORM)
    assert "“Night backup” is saved" in alice.follow(answer).text
    conditions = (Condition(ConditionKind.SUBJECT_HAS, "backup"), Condition(ConditionKind.AFTER_HOURS))
    actions = RuleActions("Printer", 1, "Servers", "bob@a.example", False, True)
    assert rules(web) == [Rule("Night backup", conditions, actions, "any")]


def test_the_form_of_a_rule_shows_what_is_stored_and_offers_more_conditions(web) -> None:
    rule_id = add_rule(web)
    page = web.as_("alice").get(f"/rules/{rule_id}")
    assert page.one("input[name=name]")["value"] == "Urgent"
    assert page.one("input[name=conditions-0-value]")["value"] == "vpn, wifi"
    assert page.one("select[name=conditions-0-kind] option[selected]")["value"] == "text_has"
    assert page.one("select[name=priority] option[selected]")["value"] == "2"
    assert len(page.soup.select("select[name$=-kind]")) == 4


def test_what_a_rule_says_of_paging_survives_the_form(web) -> None:
    alice = web.as_("alice")
    alice.post("/rules/new", RULE_FORM)
    rule_id = read(web, list_rules)[0].id
    assert alice.get(f"/rules/{rule_id}").one("select[name=page] option[selected]")["value"] == "no"
    alice.post(f"/rules/{rule_id}", {**RULE_FORM, "page": "yes"})
    assert alice.get(f"/rules/{rule_id}").one("select[name=page] option[selected]")["value"] == "yes"
    assert rules(web)[0].actions.page is True


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "Give the rule a name."),
        ({"conditions-0-kind": "", "conditions-2-kind": ""}, "Add at least one condition"),
        ({"conditions-0-value": " "}, "Say what the condition “Subject contains” looks for."),
        ({"conditions-0-kind": "category_is"}, "names “backup”, which does not exist"),
    ],
)
def test_a_wrong_rule_comes_back_with_what_was_typed(web, wrong: dict, sentence: str) -> None:
    page = web.as_("alice").post("/rules/new", {**RULE_FORM, **wrong}, status=422)
    assert sentence in page.text
    assert page.one("select[name=queue] option[selected]")["value"] == "Servers"
    assert rules(web) == []


def test_a_refused_rule_is_only_the_form_for_htmx(web) -> None:
    page = web.as_("alice").post("/rules/new", {**RULE_FORM, "name": ""}, htmx=True, status=422)
    assert page.one("form#rule-form") and not page.soup.select("h1")


def test_a_rule_is_switched_and_moved_with_and_without_htmx(web) -> None:
    first, second = add_rule(web, "First"), add_rule(web, "Second")
    alice = web.as_("alice")
    page = alice.post(f"/rules/{second}/move", {"way": "up"}, htmx=True)
    assert page.one("#rules") and [rule.name for rule in rules(web)] == ["Second", "First"]
    alice.post(f"/rules/{second}/move", {"way": "down"}, status=303)
    alice.post(f"/rules/{first}/switch", {"on": "no"}, status=303)
    assert [(rule.name, rule.is_enabled) for rule in rules(web)] == [("First", False), ("Second", True)]
    assert alice.post(f"/rules/{first}/switch", {"on": "yes"}, htmx=True).one("#rules")
    assert rules(web)[0].is_enabled
    web.as_("bob").post(f"/rules/{first}/switch", {"on": "no"}, status=403)


def test_a_rule_is_removed_behind_a_question(web) -> None:
    rule_id = add_rule(web)
    alice = web.as_("alice")
    assert "Remove “Urgent”?" in alice.get(f"/rules/{rule_id}/remove").text
    assert alice.get(f"/rules/{rule_id}/remove", htmx=True).one("#confirm")
    assert rules(web)
    assert "is removed" in alice.follow(alice.post(f"/rules/{rule_id}/remove")).text
    assert rules(web) == []


@pytest.mark.parametrize(
    "path",
    [
        "/rules/99",
        "/rules/99/remove",
        "/rules/categories/99",
        "/rules/categories/99/remove",
        "/rules/queues/99",
        "/rules/queues/99/remove",
        "/rules/words/99/remove",
        "/rules/words/category/Gone",
        "/rules/words/weather/sunny",
        "/rules/words/urgency/everyone",
    ],
)
def test_what_is_not_there_is_not_found(web, path: str) -> None:
    web.as_("alice").get(path, status=404)


def test_a_gone_rule_cannot_be_moved(web) -> None:
    assert "This rule is gone" in web.as_("alice").post("/rules/99/move", {"way": "up"}, status=422).text


def test_categories_and_queues_are_added_and_changed(web) -> None:
    alice = web.as_("alice")
    assert (
        "Network is saved."
        in alice.follow(alice.post("/rules/categories/new", {"name": "Network", "queue_id": "2"})).text
    )
    alice.post("/rules/queues/new", {"name": "Archive"})
    alice.post("/rules/queues/1", {"name": "Help desk"})
    alice.post("/rules/categories/1", {"name": "Printing", "queue_id": "0"})
    assert [queue.name for queue in read(web, list_queues)] == ["Servers", "Help desk", "Archive"]
    found = {category.name: category.queue for category in read(web, list_categories)}
    assert found == {"Network": "Servers", "Printing": ""}


def test_a_queue_goes_by_hours_of_its_own(web) -> None:
    alice = web.as_("alice")
    assert not alice.get("/rules/queues/1").soup.select("#calendar_id")
    with web.database.unit_of_work() as uow:
        nights = add_calendar(uow, "Nights", change=CHANGE)
    page = alice.follow(alice.post("/rules/queues/1", {"name": "Desktop", "calendar_id": nights}))
    assert page.one(f"#queues a[href='/hours/{nights}']").text == "Nights"
    assert alice.get("/rules/queues/1").one("#calendar_id option[selected]").text == "Nights"
    alice.post("/rules/queues/1", {"name": "Help desk"})
    assert "Nights" in alice.get("/rules/categories").one("#queues").text
    alice.post("/rules/queues/1", {"name": "Desktop", "calendar_id": "0"})
    assert "Nights" not in alice.get("/rules/categories").one("#queues").text
    alice.post("/rules/queues/1", {"name": "Desktop", "calendar_id": "99"}, status=422)


def test_a_name_that_is_taken_is_told_at_the_field(web) -> None:
    for htmx in (False, True):
        page = web.as_("alice").post("/rules/queues/new", {"name": "servers"}, htmx=htmx, status=422)
        assert "There is a queue called servers already." in page.one("#name-error").text
        assert page.one("input[name=name]")["value"] == "servers"
    web.as_("alice").post("/rules/categories/new", {"name": "", "queue_id": "0"}, status=422)


def test_the_forms_in_the_dialog_are_partials(web) -> None:
    page = web.as_("alice").get("/rules/categories/1", htmx=True)
    assert page.one("form#named-form input[name=name]")["value"] == "Printer" and not page.soup.select("h1")


def test_a_category_or_queue_in_use_stays_and_that_is_told(web) -> None:
    alice = web.as_("alice")
    alice.post("/rules/categories/1", {"name": "Printer", "queue_id": "1"})
    assert "Remove Desktop?" in alice.get("/rules/queues/1/remove").text
    assert "The category Printer goes to Desktop" in alice.follow(alice.post("/rules/queues/1/remove")).text
    assert "Printer is removed." in alice.follow(alice.post("/rules/categories/1/remove")).text
    assert "Desktop is removed." in alice.follow(alice.post("/rules/queues/1/remove")).text


def test_words_are_counted_listed_and_added(web) -> None:
    add_word(web)
    alice = web.as_("alice")
    assert "Printer 1" in " ".join(alice.get("/rules/words").one("#words-category").get_text(" ").split())
    assert "toner 3" in " ".join(alice.get("/rules/words/category/Printer").one("#words table").get_text(" ").split())
    alice.post("/rules/words/category/Printer", {"term": "Ink cartridge", "weight": "2.5"}, status=303)
    page = alice.post("/rules/words/urgency/blocked", {"term": "kaputt", "weight": "1"}, htmx=True)
    assert "“kaputt” is saved" in page.one("#words").text
    assert [one.term for one in read(web, list_terms, aspect=Aspect.CATEGORY, target="Printer")] == [
        "toner",
        "ink cartridge",
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"term": "", "weight": "1"}, "Type a word or a phrase."),
        ({"term": "x", "weight": "much"}, "Not a valid float value."),
        ({"term": "x", "weight": "99"}, "A weight lies between -10 and 10"),
        ({"term": "x", "weight": "nan"}, "A weight lies between -10 and 10"),
    ],
)
def test_a_wrong_word_is_told(web, data: dict, sentence: str) -> None:
    assert sentence in web.as_("alice").post("/rules/words/category/Printer", data, status=422).text


def test_a_word_is_removed_behind_a_question(web) -> None:
    term_id = add_word(web)
    alice = web.as_("alice")
    assert "no longer speaks for Printer" in alice.get(f"/rules/words/{term_id}/remove").text
    assert "“toner” is removed." in alice.follow(alice.post(f"/rules/words/{term_id}/remove")).text
    web.as_("bob").post("/rules/words/category/Printer", {"term": "x", "weight": "1"}, status=403)


def test_a_ticket_is_tried_out_and_nothing_is_stored(web) -> None:
    add_word(web)
    add_rule(web)
    data = {"subject": "Toner for the pirnter", "body": "and teh vpn is slow", "source": "mail", "is_after_hours": "y"}
    for htmx in (False, True):
        page = web.as_("bob").post("/rules/try", data, htmx=htmx)
        outcome, why = page.one("#outcome").get_text(" "), " ".join(page.one("#why").get_text(" ").split())
        assert "Printer" in outcome and "P2" in outcome and "Would page" in outcome
        assert "Rule “Urgent”, because the body has “vpn”: priority P2" in why
        assert "“toner” in the subject: Printer (+6)" in why
        assert [part.text for part in page.soup.select("#why ins")] == ["printer", "the"]
    with web.database.read_session() as session:
        assert session.connection().exec_driver_sql("select count(*) from ticket").scalar() == 0


def test_in_business_hours_nobody_would_be_woken(web) -> None:
    page = web.as_("bob").post("/rules/try", {"subject": "Toner", "body": "", "source": "mail"})
    assert "Would wake nobody" in page.one("#outcome").text
    assert "No word speaks clearly" in page.one("#why").text


def test_a_text_that_is_too_long_is_refused_with_a_reason(web) -> None:
    page = web.as_("bob").post("/rules/try", {"subject": "x" * 301, "source": "mail"}, status=422)
    assert "longer than 300 characters" in page.text and not page.soup.select("#outcome")
