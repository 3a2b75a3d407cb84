"""Randomness from the operating system."""

from __future__ import annotations

import random
import secrets


class SystemRandomness:
    """Tokens nobody can guess, and jitter."""

    def token(self, size: int) -> bytes:
        """`size` bytes from the operating system."""
        return secrets.token_bytes(size)

    def jitter(self) -> float:
        """A number in [0, 1)."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing
