"""How a mail address tells which customer somebody belongs to."""

from __future__ import annotations

import re

from portal.core.errors import DomainError
from portal.core.mail_domains import PUBLIC_DOMAINS

LONGEST_NAME = 100
LONGEST_ADDRESS = 254
_LABEL = r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")
_LOCAL = re.compile(r"[^\s@<>,;\"]+")


def parse_address(text: str) -> str:
    """A domain or a mail address as it is stored: lower case, without what people write around it ("@acme.example",
    "*.acme.example"), other scripts as they travel (IDNA). Raises DomainError, also for a provider's whole domain."""
    given = text.strip().rstrip(".").lower()
    local, _, domain = given.rpartition("@")
    domain = _ascii(domain.removeprefix("*."))
    if len(given) > LONGEST_ADDRESS or not _DOMAIN.fullmatch(domain) or (local and not _LOCAL.fullmatch(local)):
        raise DomainError(f"“{text.strip()[:60]}” is neither a domain like acme.com nor a mail address.")
    if not local and domain in PUBLIC_DOMAINS:
        raise DomainError(f"{domain} is used by people of many companies. Write whole addresses instead.")
    return f"{local}@{domain}" if local else domain


def parse_addresses(text: str) -> tuple[str, ...]:
    """Several between spaces, commas or lines, each once, in order. Raises DomainError as `parse_address`."""
    return tuple(dict.fromkeys(parse_address(one) for one in re.split(r"[\s,;]+", text) if one))


def list_keys(email: str) -> tuple[str, ...]:
    """What a customer may have written down for this mail address, the closest first: itself, its domain, and the
    domains above it but for the last part. Empty for what is no address."""
    local, _, domain = email.strip().lower().rpartition("@")
    if not local or not domain:
        return ()
    domain = _ascii(domain)
    parts = domain.split(".")
    return f"{local}@{domain}", *(".".join(parts[place:]) for place in range(max(len(parts) - 1, 1)))


def list_spellings(address: str) -> tuple[str, ...]:
    """How a stored domain or address may stand in a mail: as it travels, or in its own script."""
    local, at, domain = address.rpartition("@")
    try:
        own = domain.encode("ascii").decode("idna")
    except UnicodeError:
        own = domain
    return tuple(dict.fromkeys((address, f"{local}{at}{own}")))


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        return domain
