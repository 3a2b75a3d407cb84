"""What the Graph simulator keeps: mailboxes, folders, messages and what changed in them, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

WELL_KNOWN = {"inbox": "Inbox", "sentitems": "Sent Items", "drafts": "Drafts", "junkemail": "Junk Email"}


@dataclass
class Item:
    """One message. Its immutable id stays when it moves inside the mailbox; the other kind does not."""

    number: int
    raw: bytes
    received_at: datetime
    folder: str
    conversation: str
    is_read: bool = False
    is_draft: bool = False

    @property
    def parsed(self) -> Message:
        return message_from_bytes(self.raw, policy=compat32)

    def id(self, *, immutable: bool) -> str:
        kind = "AAkALgAAAA" if immutable else f"AAMkAGI2{self.folder[-2:]}"
        return f"{kind}-{self.number:06d}_BAAA="


@dataclass
class Box:
    """One mailbox. `log` is what happened, in order: (folder id, message number)."""

    address: str
    folders: dict[str, str] = field(default_factory=dict)  # id -> display name
    parents: dict[str, str] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        for name in WELL_KNOWN.values():
            self.add_folder(name)

    def add_folder(self, name: str, *, parent: str = "") -> str:
        """Its id."""
        folder_id = f"AQMkAFolder{len(self.folders):02d}"
        self.folders[folder_id], self.parents[folder_id] = name, parent
        return folder_id

    def folder(self, name: str) -> str | None:
        """The id of a folder given by its id or its well-known name; None when there is none."""
        if name in self.folders:
            return name
        display = WELL_KNOWN.get(name.lower())
        return next((key for key, shown in self.folders.items() if shown == display), None) if display else None

    def deliver(self, raw: bytes, *, at: datetime, folder: str = "inbox", conversation: str = "") -> Item:
        """A message arrives."""
        place = self.folder(folder)
        assert place is not None
        self.count += 1
        number = self.count  # an immutable id is never used again
        item = Item(number, raw, at, place, conversation or f"conv-{number}=")
        self.items[number] = item
        self.log.append((place, number))
        return item

    def move(self, item: Item, folder: str) -> None:
        """To another folder: gone there, new here."""
        place = self.folder(folder)
        assert place is not None
        self.log += [(item.folder, item.number), (place, item.number)]
        item.folder = place

    def touch(self, item: Item) -> None:
        """Somebody reads it."""
        item.is_read = True
        self.log.append((item.folder, item.number))

    def delete(self, item: Item) -> None:
        """For good."""
        del self.items[item.number]
        self.log.append((item.folder, item.number))

    def remove_folder(self, name: str) -> None:
        """With all that lies in it."""
        place = self.folder(name)
        assert place is not None
        del self.folders[place]
        self.items = {number: item for number, item in self.items.items() if item.folder != place}

    def find(self, item_id: str, *, immutable: bool) -> Item | None:
        return next((item for item in self.items.values() if item.id(immutable=immutable) == item_id), None)


def shown(item: Item, fields: list[str], *, immutable: bool) -> dict:
    """A message as Graph answers it: the id always, the rest as selected."""
    parsed = item.parsed
    values = {
        "receivedDateTime": item.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "internetMessageId": str(parsed["Message-ID"] or f"<made-up-{item.number}@graph>"),
        "conversationId": item.conversation,
        "subject": str(parsed["Subject"] or ""),
        "isRead": item.is_read,
        "isDraft": item.is_draft,
        "hasAttachments": parsed.is_multipart(),
        "parentFolderId": item.folder,
        "internetMessageHeaders": [{"name": name, "value": str(value)} for name, value in parsed.items()],
    }
    wanted = fields or [name for name in values if name != "internetMessageHeaders"]
    return {"@odata.etag": f'W/"{item.number}"', "id": item.id(immutable=immutable)} | {
        name: values[name] for name in wanted if name in values
    }
