"""Rules that many shops want, as proposals: a person looks at each, completes it and saves it.

The subjects are those the programs send unless somebody changed them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.core.mail_rules import Action, Condition, ConditionKind, MailRule


@dataclass(frozen=True)
class Preset:
    """A proposal. `help` says what to look at before saving."""

    slug: str
    title: str
    help: str
    rule: MailRule


def _monitor(slug: str, title: str, opens: tuple[str, ...], closes: tuple[str, ...], help: str) -> Preset:
    sender = (Condition(ConditionKind.SENDER_IS),)
    return Preset(slug, title, help, MailRule(title, Action.MONITOR, sender, opens=opens, closes=closes))


_SENDER = "Enter the address it sends from: everybody can write such a subject."

PRESETS = (
    _monitor(
        "nagios",
        "Nagios, Naemon, Icinga 1",
        ("** PROBLEM Service Alert: {key} is {*}", "** PROBLEM Host Alert: {key} is {*}"),
        ("** RECOVERY Service Alert: {key} is {*}", "** RECOVERY Host Alert: {key} is {*}"),
        _SENDER,
    ),
    _monitor(
        "icinga",
        "Icinga 2",
        ("[PROBLEM] Host {key} is {*}", "[PROBLEM] {key} is {*}"),
        ("[RECOVERY] Host {key} is {*}", "[RECOVERY] {key} is {*}"),
        _SENDER,
    ),
    _monitor(
        "zabbix",
        "Zabbix",
        ("Problem: {key}",),
        ("Resolved in {*}: {key}", "Resolved: {key}"),
        f"{_SENDER} In Zabbix, put the host into both subjects, such as “Problem: {{HOST.NAME}} {{EVENT.NAME}}”: "
        "without it two hosts with the same trouble are one ticket.",
    ),
    _monitor(
        "prtg",
        "PRTG",
        ("[{*}] {key} Down ({*}", "[{*}] {key} Down ESCALATION {*}"),
        ("[{*}] {key} Down ended {*}", "[{*}] {key} Up ({*}"),
        _SENDER,
    ),
    _monitor("kuma", "Uptime Kuma", ("[{key}] [🔴 Down]{*}",), ("[{key}] [✅ Up]{*}",), _SENDER),
    _monitor(
        "veeam",
        "Veeam Backup",
        ("[Failed] {key} ({*}", "[Warning] {key} ({*}", "[Failed] {key}", "[Warning] {key}"),
        ("[Success] {key} ({*}", "[Success] {key}"),
        f"{_SENDER} Leave out “Warning” if a warning needs nobody.",
    ),
    _monitor(
        "nas",
        "NAS (QNAP and others with the level in front)",
        ("[Error][{key}]{*}", "[Warning][{key}]{*}", "[Critical][{key}]{*}"),
        (),
        f"{_SENDER} A NAS tells of its troubles one by one and of no end: all of them join the ticket of the NAS until "
        "somebody resolves it.",
    ),
    Preset(
        "allow",
        "Let only these senders in",
        "Enter addresses and domains. Your own people and answers to tickets always come in.",
        MailRule(
            "Only known senders",
            Action.QUARANTINE,
            (Condition(ConditionKind.SENDER_NOT), Condition(ConditionKind.STARTS_NEW)),
        ),
    ),
    Preset(
        "block",
        "Ignore these senders",
        "Enter addresses and domains. What is ignored stays in the ledger and can be released.",
        MailRule("Blocked senders", Action.IGNORE, (Condition(ConditionKind.SENDER_IS),)),
    ),
    Preset(
        "spam",
        "Set marked spam aside",
        "Look at a marked mail for the header your mail server writes.",
        MailRule("Marked as spam", Action.QUARANTINE, (Condition(ConditionKind.HEADER_IS, "X-Spam-Flag: YES"),)),
    ),
    Preset(
        "cc",
        "Ignore mail that only copies us",
        "For a mailbox that is put into Cc for the record. Answers to tickets still come in.",
        MailRule(
            "Only in Cc",
            Action.IGNORE,
            (Condition(ConditionKind.ONLY_CC), Condition(ConditionKind.STARTS_NEW)),
        ),
    ),
)


def find_preset(slug: str) -> Preset | None:
    """The proposal of this name."""
    return next((one for one in PRESETS if one.slug == slug), None)


def rule_from_mail(sender: str, headers: Mapping[str, Sequence[str]]) -> MailRule:
    """A proposal to ignore mails like this one: of its mailing list where it has one, else of its sender."""
    list_id = next(iter(headers.get("list-id", ())), "")
    if list_id:
        return MailRule("A mailing list", Action.IGNORE, (Condition(ConditionKind.HEADER_IS, f"List-Id: {list_id}"),))
    return MailRule(f"Mail from {sender}", Action.IGNORE, (Condition(ConditionKind.SENDER_IS, sender),))
