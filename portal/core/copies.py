"""Who else a requester wrote to, and so is copied on our answers."""

from __future__ import annotations

import re
from collections.abc import Collection

from portal.core.mail import ParsedMail

MOST = 10
# A mail to more people than this is a circular: nobody of them waits for our answer.
CIRCULAR = 20
_ADDRESS = re.compile(r"[^\s@<>\"(),;:\\]{1,64}@[^\s@<>\"(),;:\\]+\.[^\s@<>\"(),;:\\.]{2,63}")
_LIST_HEADERS = ("list-id", "list-post", "list-unsubscribe", "mailing-list")
_LIST_LOCAL = re.compile(
    r"(.*[-_.+])?(l|list|liste|lists|all|alle|tous|todos|everyone|everybody|staff|users|members|announce|announcements"
    r"|newsletter|verteiler|bounces?|request|owner|subscribe|unsubscribe|no-?reply|do-?not-?reply|mailer-daemon"
    r"|postmaster|undisclosed-recipients)|(owner|bounces?|list|all|alle|no-?reply)[-_.+].*"
)


def find_copies(mail: ParsedMail, *, own: Collection[str], most: int = MOST) -> tuple[str, ...]:
    """The addresses to copy on answers, in lower case: those in To and Cc of a person's mail, its sender excepted.

    Never one of our own mailboxes (`own`, in lower case), a mailing list or a robot, and nobody at all of a mail that
    came by a list or went to very many.
    """
    sender = mail.sender.key if mail.sender else ""
    named = list(dict.fromkeys(one.email.strip().lower() for one in (*mail.to, *mail.cc)))
    if any(name in mail.headers for name in _LIST_HEADERS) or len(named) > CIRCULAR:
        return ()
    fit = [one for one in named if _may_be_copied(one) and one not in own and one != sender]
    return tuple(fit[:most])


def is_list_address(address: str) -> bool:
    """Whether an address is named like a list's or a robot's."""
    return _LIST_LOCAL.fullmatch(address.lower().partition("@")[0]) is not None


def _may_be_copied(address: str) -> bool:
    return len(address) <= 254 and _ADDRESS.fullmatch(address) is not None and not is_list_address(address)
