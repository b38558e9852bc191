"""Passwords: Argon2id (RFC 9106, the library's low-memory profile) and the rule for new ones."""

from __future__ import annotations

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters or digits that look alike on paper


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """The hash that is stored."""
    return _hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is right.

    With no stored hash the work is done all the same, so that time tells nothing.
    """
    try:
        return _hasher().verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def acceptable(password: str, login: str) -> bool:
    """Long enough, not built of one character, and not the login."""
    return len(password) >= MINIMUM and len(set(password)) > 3 and login.lower() not in password.lower()


def generate() -> str:
    """A password to hand over once: 60 bits in three groups, easy to read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
