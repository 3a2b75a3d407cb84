"""From the sections of the settings file to the database, each by the service that its page uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.escalation import EscalationPolicy, Step, person_target
from portal.core.permissions import Role
from portal.core.rules import Rule, parse_rule
from portal.core.settings import BY_KEY
from portal.core.site_file import EnvRef, Fault, SiteFile
from portal.core.triage import Aspect, LexiconEntry, fold_words
from portal.models import Category, LexiconTerm, MailboxRow, Queue, RuleRow, UnitOfWork, User
from portal.services import categories, lexicon, mailboxes, people, rules
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.escalation_steps import load_policy, save_policy
from portal.services.mailboxes_graph import make_form, save_graph_mailbox
from portal.services.settings import list_set_secrets, load_settings, save_settings
from portal.services.site_file_calendars import SITE_SECTIONS, apply_calendars, apply_site_calendar
from portal.services.site_file_customers import apply_customers
from portal.services.site_file_holidays import apply_feeds, apply_holidays, apply_rules
from portal.services.site_file_mail_rules import apply_mail_rules
from portal.services.site_file_mail_words import apply_mail_words
from portal.services.site_file_schedules import apply_schedules, apply_shifts, set_queue_times
from portal.services.site_file_sign_in import read_oauth, read_place, read_secret_reference

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROLES_ASKED = ("on_call", "fallback", "managers")


@dataclass
class Run:
    """One import at work: what changed so far, what is wrong, and the links of new people."""

    uow: UnitOfWork
    file: SiteFile
    change: Change
    context: Context
    environ: Mapping[str, str]
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def at(self, section: str, place: Any = None) -> Iterator[None]:
        """What a service refuses inside becomes a fault of this line, and the import goes on to find the others."""
        try:
            yield
        except DomainError as error:
            line = self.file.line(section, place)
            self.faults.extend(Fault(line, sentence) for sentence in str(error).split("\n"))

    def person_id(self, mail: str) -> int:
        """Who has this address. Raises DomainError."""
        found = self.uow.session.scalar(select(User.id).where(User.email == mail.strip().lower()))
        if found is None:
            raise DomainError(f"Nobody here has the address {mail}.")
        return found

    def queue_id(self, name: str) -> int | None:
        """The queue of this name, None for "". Raises DomainError."""
        found = self.uow.session.scalar(select(Queue.id).where(Queue.name == name)) if name else None
        if name and found is None:
            raise DomainError(f"There is no queue “{name}”.")
        return found

    def secret(self, ref: EnvRef | None, *, is_stored: bool, what: str) -> str:
        """The secret behind a reference; "" keeps the stored one. Raises DomainError when there is neither."""
        if ref is None:
            return ""
        value = self.environ.get(ref.name, "")
        if not value and not is_stored:
            raise DomainError(f"{ref.name} is not set in the environment, and {what} needs it.")
        if not value:
            self.notes.append(f"{ref.name} is not set in the environment: {what} stays as it is.")
        return value


def apply_sections(run: Run) -> None:
    """Everything the file holds, in an order in which each finds what it refers to."""
    for name, apply in _APPLY.items():
        if name in run.file.sections:
            apply(run, run.file.sections[name])
            run.uow.session.flush()


def _people(run: Run, entries: list[dict[str, Any]]) -> None:
    # Administrators first and leavers last, so that there is always one.
    order = sorted(enumerate(entries), key=lambda pair: (not pair[1]["active"], pair[1]["role"] != Role.ADMIN))
    seen: set[str] = set()
    for place, entry in order:
        with run.at("people", place):
            mail = entry["mail"].strip().lower()
            if mail in seen:
                raise DomainError(f"{mail} stands here twice.")
            seen.add(mail)
            _person(run, entry)


def _person(run: Run, entry: dict[str, Any]) -> None:
    profile = people.Profile(entry["mail"], entry["name"], entry["role"], tuple(entry.get("phones", ())))
    user = people.find_by_email(run.uow.session, profile.email)
    is_new = user is None
    if user is None:
        user = people.add_person(run.uow, profile, change=run.change)
        run.changes.append(f"people: {user.email} added")
    else:
        before = _person_facts(user)
        people.edit_person(run.uow, user.id, profile, change=run.change)
        if before != _person_facts(user):
            run.changes.append(f"people: {user.email} changed")
    if entry["active"] != user.is_active:
        if entry["active"]:
            people.enable_person(run.uow, user.id, change=run.change)
        else:
            # Who comes here disabled was never on call, also not in the past that the file may hold.
            people.disable_person(run.uow, user.id, change=run.change, since=_EVER if is_new else None)
        run.changes.append(f"people: {user.email} {'enabled' if entry['active'] else 'disabled'}")
    if user.is_active and not user.password_hash:
        _let_in(run, user, entry.get("password"), is_new=is_new)


def _let_in(run: Run, user: User, ref: EnvRef | None, *, is_new: bool) -> None:
    """A password from the environment, or an invitation for somebody new."""
    password = run.environ.get(ref.name, "") if ref else ""
    if ref and not password:
        raise DomainError(f"{ref.name} is not set in the environment, and {user.email} has no password yet.")
    if password:
        people.set_password(run.uow, user, people.make_password(password), change=run.change)
        run.changes.append(f"people: {user.email} has a password")
    elif is_new:
        token = people.make_link(run.uow, user, people.INVITE, random=run.context.random, change=run.change)
        run.links.append((user.email, token))
        run.changes.append(f"people: {user.email} invited")


def _person_facts(user: User) -> tuple[Any, ...]:
    return user.email, user.name, user.role, tuple(phone.number for phone in user.phones)


def _settings(run: Run, values: dict[str, Any]) -> None:
    stored = list_set_secrets(run.uow.session)
    before = load_settings(run.uow.session)
    for key, given in values.items():
        spec, value = BY_KEY[key], given
        with run.at("settings", key):
            if spec.kind == "secret":
                value = run.secret(given, is_stored=key in stored, what=spec.label)
            elif spec.kind == "person":
                value = run.person_id(given) if given else 0
            if save_settings(run.uow, {key: value}, change=run.change, box=run.context.box):
                was = "" if spec.kind == "secret" else f": {getattr(before, spec.attribute)!r} becomes {given!r}"
                run.changes.append(f"settings: {key}{was or ': replaced'}")


def _queues(run: Run, entries: list[Any]) -> None:
    named = [entry if isinstance(entry, dict) else {"name": entry} for entry in entries]
    for place, entry in enumerate(named):
        with run.at("queues", place):
            row = run.uow.session.scalar(select(Queue).where(Queue.name == entry["name"]))
            if row is None:
                categories.add_queue(run.uow, entry["name"], change=run.change)
                run.changes.append(f"queues: {entry['name']} added")
            set_queue_times(run, entry)
    _order(run, Queue, [entry["name"] for entry in named], "queues")


def _categories(run: Run, entries: list[dict[str, str]]) -> None:
    for place, entry in enumerate(entries):
        with run.at("categories", place):
            queue_id = run.queue_id(entry["queue"])
            row = run.uow.session.scalar(select(Category).where(Category.name == entry["name"]))
            if row is None:
                categories.add_category(run.uow, entry["name"], queue_id=queue_id, change=run.change)
                run.changes.append(f"categories: {entry['name']} added")
            elif row.queue_id != queue_id:
                categories.edit_category(run.uow, row.id, name=row.name, queue_id=queue_id, change=run.change)
                run.changes.append(f"categories: {row.name} goes to {entry['queue'] or 'no queue'}")
    _order(run, Category, [entry["name"] for entry in entries], "categories")


def _order(run: Run, table: type[Queue] | type[Category], names: list[str], section: str) -> None:
    """The order of the file; what it does not name follows."""
    wanted = {name: place for place, name in enumerate(names)}
    rows: list[Queue | Category] = list(run.uow.session.scalars(select(table).order_by(table.position, table.name)))
    if [row.name for row in rows if row.name in wanted] == [name for name in names if name in {r.name for r in rows}]:
        return
    rows.sort(key=lambda row: (wanted.get(row.name, len(wanted)), row.position))
    for position, row in enumerate(rows):
        row.position = position
    run.changes.append(f"{section}: another order")


def _words(run: Run, aspects: dict[str, dict[str, dict[str, float]]]) -> None:
    session = run.uow.session
    known = {(row.aspect, row.target, row.term): row for row in session.scalars(select(LexiconTerm))}
    kept, saved = set(), 0
    for aspect, targets in aspects.items():
        with run.at("words", aspect):
            for target, terms in targets.items():
                for term, weight in terms.items():
                    key = (aspect, target, " ".join(fold_words(term)))
                    kept.add(key)
                    if key not in known or known[key].weight != weight:
                        entry = LexiconEntry(term, Aspect(aspect), target, weight)
                        lexicon.save_term(run.uow, entry, change=run.change)
                        saved += 1
    gone = [row for key, row in known.items() if key not in kept]
    for row in gone:
        lexicon.remove_term(run.uow, row.id, change=run.change)
    if saved or gone:
        run.changes.append(f"words: {saved} set, {len(gone)} removed")


def _escalation(run: Run, entries: list[dict[str, Any]]) -> None:
    steps = []
    for place, entry in enumerate(entries):
        with run.at("escalation", place):
            ask = entry["ask"]
            target = ask if ask in _ROLES_ASKED else person_target(run.person_id(ask))
            steps.append(Step((target,), entry["wait_minutes"], entry["repeats"]))
    with run.at("escalation"):
        policy, before = EscalationPolicy(tuple(steps)), load_policy(run.uow.session)
        if len(steps) == len(entries):
            save_policy(run.uow, policy, change=run.change)
            if policy != before:
                run.changes.append("escalation: changed")


def _mailboxes(run: Run, entries: list[dict[str, Any]]) -> None:
    for place, entry in enumerate(entries):
        with run.at("mailboxes", place):
            row = run.uow.session.scalar(select(MailboxRow).where(MailboxRow.name == entry["name"].strip()))
            at_graph = read_place(entry, row)
            is_stored, what = bool(row and row.secrets.get("oauth")), f"the application of {entry['name']}"
            form = mailboxes.MailboxForm(
                name=entry["name"],
                address=entry["address"],
                imap=_server(run, row, "imap", entry),
                smtp=_server(run, row, "smtp", entry),
                sender_name=entry["sender_name"],
                queue_id=run.queue_id(entry["queue"]),
                signature=entry["signature"].strip(),
                folders=tuple(entry["folder"]),
                sent_folder=entry["sent_folder"],
                interval_s=entry["interval_s"],
                is_enabled=entry["enabled"],
                secret_expires_on=entry.get("secret_expires_on"),
                takes_duplicates=entry["takes_duplicates"],
                oauth=read_oauth(entry),
                client_secret=run.secret(read_secret_reference(entry), is_stored=is_stored, what=what),
                read_from_at=row.read_from_at if row else None,
            )
            form = make_form(form, at_graph) if at_graph else form
            if row is None or _differs(run, row, form):
                row_id = row.id if row else None
                if at_graph:
                    save_graph_mailbox(
                        run.uow, form, at_graph, box=run.context.box, change=run.change, mailbox_id=row_id
                    )  # fmt: skip
                else:
                    mailboxes.save_mailbox(run.uow, form, box=run.context.box, change=run.change, mailbox_id=row_id)
                run.changes.append(f"mailboxes: {form.name} {'changed' if row_id else 'added'}")


def _server(run: Run, row: MailboxRow | None, kind: str, entry: dict[str, Any]) -> mailboxes.Server:
    data = entry.get(kind)
    if not data:
        return mailboxes.Server("", 0, "tls")
    is_stored = bool(row and row.secrets.get(kind))
    password = run.secret(
        data.get("password"), is_stored=is_stored, what=f"the {kind.upper()} server of {entry['name']}"
    )
    return mailboxes.Server(data["host"], data["port"], data["security"], data["user"], password)


def _differs(run: Run, row: MailboxRow, form: mailboxes.MailboxForm) -> bool:
    account = mailboxes.load_account(row, run.context.box)
    known = {key: value for key, value in account.oauth.items() if key != "client_secret"}
    if (known, account.graph) != (form.oauth, form.graph):
        return True
    if form.client_secret and form.client_secret != account.oauth.get("client_secret"):
        return True
    for server, stored in ((form.imap, account.imap), (form.smtp, account.smtp)):
        keys = ("host", "port", "security", "user") if server.host else ()
        if bool(server.host) != bool(stored) or any(getattr(server, key) != stored.get(key) for key in keys):
            return True
        if server.password and server.password != stored.get("password"):
            return True
    now = (
        row.address, row.sender_name, row.signature, row.queue_id, mailboxes.inbox_folders(row), row.interval_s,
        row.options.get("sent_folder", ""), row.is_enabled, row.secret_expires_on, row.takes_duplicates,
    )  # fmt: skip
    return now != (
        form.address, form.sender_name, form.signature, form.queue_id, form.folders, form.interval_s,
        form.sent_folder, form.is_enabled, form.secret_expires_on, form.takes_duplicates,
    )  # fmt: skip


def _rules(run: Run, entries: list[dict[str, Any]]) -> None:
    session = run.uow.session
    known = {entry.rule.name: entry for entry in rules.list_rules(session)}
    names = [entry["name"] for entry in entries]
    for place, entry in enumerate(entries):
        with run.at("rules", place):
            if names.index(entry["name"]) != place:
                raise DomainError(f"The rule “{entry['name']}” stands here twice.")
            rule, stored = _rule(entry), known.get(entry["name"])
            if stored is None or stored.rule != rule:
                rules.save_rule(run.uow, rule, rule_id=stored.id if stored else None, change=run.change)
                run.changes.append(f"rules: {rule.name} {'changed' if stored else 'added'}")
    for name, stored in known.items():
        if name not in names:
            rules.remove_rule(run.uow, stored.id, change=run.change)
            run.changes.append(f"rules: {name} removed")
    rows = session.scalars(select(RuleRow).order_by(RuleRow.position, RuleRow.id)).all()
    if [row.name for row in rows] != names and not run.faults:
        for row in rows:
            row.position = names.index(row.name)
        run.changes.append("rules: another order")


def _rule(entry: dict[str, Any]) -> Rule:
    items = [{"kind": item["kind"], "value": item["value"]} for item in entry["conditions"]]
    try:
        conditions = {"match": entry["match"], "items": items}
        return parse_rule(entry["name"], conditions, entry["actions"], is_enabled=entry["enabled"])
    except ValueError as error:
        raise DomainError(str(error)) from None


_APPLY: dict[str, Callable[[Run, Any], None]] = {
    "people": _people,
    "settings": _settings,
    **{name: partial(apply_site_calendar, name=name) for name in SITE_SECTIONS},
    "calendars": apply_calendars,
    "schedules": apply_schedules,
    "queues": _queues,
    "customers": apply_customers,
    "categories": _categories,
    "words": _words,
    "holidays": apply_holidays,
    "holiday_rules": apply_rules,
    "holiday_feeds": apply_feeds,
    "escalation": _escalation,
    "shifts": apply_shifts,
    "mailboxes": _mailboxes,
    "rules": _rules,
    "mail_rules": apply_mail_rules,
    "mail_words": apply_mail_words,
}
