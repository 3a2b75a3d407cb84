"""Secrets sealed with a key that lies in a file outside the database, so that a stolen database is worth little."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.core.errors import DomainError

_VERSION = "1"
_NONCE_BYTES = 12


class KeyFileBox:
    """Seals with AES-256-GCM; signs with HMAC-SHA-256. Each purpose has a key of its own, derived from the file's."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise DomainError("The key file must hold 32 bytes in base64.")
        self._key = key
        self._cipher = AESGCM(self._derive("seal"))

    def seal(self, plain: str) -> str:
        """Encrypt for the database: version, nonce and ciphertext as text."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, plain.encode(), _VERSION.encode())
        return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        """Decrypt. Raises DomainError when the key is not the one it was sealed with, or the text was changed."""
        version, _, text = sealed.partition(".")
        try:
            data = base64.urlsafe_b64decode(text)
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], version.encode()).decode()
        except (ValueError, InvalidTag) as error:
            raise DomainError("A stored secret cannot be opened with this key file. Please enter it again.") from error

    def mac(self, purpose: str, message: bytes) -> bytes:
        """A 32-byte keyed digest of the message."""
        return hmac.digest(self._derive("mac " + purpose), message, "sha256")

    def _derive(self, purpose: str) -> bytes:
        # One HKDF-Expand step (RFC 5869 section 2.3); the file's key is uniform, so Extract adds nothing.
        return hmac.digest(self._key, b"nightdesk " + purpose.encode() + b"\x01", "sha256")


def load_box(path: Path) -> KeyFileBox:
    """The box of the key file, which is made when it is not there (readable by its owner only).

    Raises DomainError when the file cannot be read or holds no key.
    """
    if not path.exists():
        _create(path)
    try:
        key = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except (OSError, ValueError) as error:
        raise DomainError(f"The key file {path} cannot be read: {error}.") from error
    return KeyFileBox(key)


def _create(path: Path) -> None:
    """Linked into place, so that two processes that start together end with the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    except OSError:
        fresh.replace(path)  # a file system without hard links
        return
    fresh.unlink()
