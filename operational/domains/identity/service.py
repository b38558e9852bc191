"""Sign-in, sessions, passwords and accounts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.session import token_hash
from operational.domains.identity import errors, passwords, repository
from operational.domains.identity.limiter import FailureWindow
from operational.domains.identity.models import AppUser, UserRole, UserSession
from operational.kit.audit import audit
from operational.kit.errors import BusinessError, NotFound

SESSION_LIFE = timedelta(hours=12)  # a working day with its overtime
FAILURES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Outcome of an attempt: a token and its end, or why not.

    A refusal is data, so that its trace is committed.
    """

    token: str | None
    expires_at: datetime | None
    user_id: int | None
    refusal: BusinessError | None


def _refused(session: Session, reason: str, ip: str, user: AppUser | None, refusal: BusinessError) -> SignIn:
    key = user.id if user else None
    detail = {"ip": ip, "reason": reason}
    table = "app_user" if user else None
    audit(session, "sign_in.failed", object_table=table, object_id=key, detail=detail, user_id=key)
    return SignIn(None, None, None, refusal)


def sign_in(session: Session, login: str, password: str, ip: str, user_agent: str, now: datetime) -> SignIn:
    """Check login and password; open a session. Five failures close the account for a quarter of an hour."""
    user = repository.user_by_login(session, login, lock=True)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None:
        return _refused(session, "login", ip, None, errors.WrongCredentials())
    if user.locked_until and user.locked_until > now:
        return _refused(session, "locked", ip, user, errors.TooManyAttempts())
    if not right or not user.active:
        user.failed_attempts = 0 if user.locked_until else user.failed_attempts
        user.failed_attempts += 1
        user.locked_until = now + LOCK if user.failed_attempts >= FAILURES_BEFORE_LOCK else None
        reason = "password" if user.active else "blocked"
        return _refused(session, reason, ip, user, errors.WrongCredentials())
    user.failed_attempts, user.locked_until = 0, None
    if passwords.outdated(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    token = secrets.token_urlsafe(32)
    expires_at = now + SESSION_LIFE
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
            ip=ip,
            user_agent=user_agent[:300],
        )
    )
    audit(session, "sign_in", object_table="app_user", object_id=user.id, detail={"ip": ip}, user_id=user.id)
    return SignIn(token, expires_at, user.id, None)


def guarded_sign_in(
    session: Session, failures: FailureWindow, login: str, password: str, ip: str, user_agent: str, now: datetime
) -> SignIn:
    """`sign_in` behind the brake on addresses that guess."""
    if failures.closed(ip, now):
        return SignIn(None, None, None, errors.TooManyAttempts())
    outcome = sign_in(session, login, password, ip, user_agent, now)
    if outcome.refusal is not None:
        failures.failed(ip, now)
    return outcome


def sign_out(session: Session, user_id: int, session_id: int, now: datetime) -> None:
    """End the session."""
    repository.revoke_sessions(session, user_id, now, only=session_id)
    audit(session, "sign_out", object_table="user_session", object_id=session_id)


def revoke(session: Session, user_id: int, session_id: int, now: datetime) -> None:
    """End one of one's own sessions. Raises NotFound for another's."""
    if not repository.revoke_sessions(session, user_id, now, only=session_id):
        raise NotFound
    audit(session, "session.revoked", object_table="user_session", object_id=session_id)


def change_password(
    session: Session, user_id: int, session_id: int, current: str, new: str, repeat: str, now: datetime
) -> None:
    """Change one's own password; every other session ends. Raises an error that names the field."""
    user = repository.user_by_id(session, user_id)
    if user is None or not passwords.matches(user.password_hash, current):
        raise errors.WrongPassword
    if not passwords.acceptable(new, user.login):
        raise errors.PasswordTooWeak(minimum=passwords.MINIMUM)
    if new != repeat:
        raise errors.PasswordsDiffer
    user.password_hash = passwords.hash_password(new)
    user.must_change_password = False
    repository.revoke_sessions(session, user_id, now, but=session_id)
    audit(session, "password.changed", object_table="app_user", object_id=user_id)


def choose_language(session: Session, user_id: int, language: str) -> None:
    """Remember the language of the user."""
    user = repository.user_by_id(session, user_id)
    if user is not None:
        user.language = language


def create_user(
    session: Session,
    *,
    login: str,
    display_name: str,
    role: str,
    organisation_id: int,
    allowed: Iterable[int] | None,
    password: str | None = None,
    practitioner_id: int | None = None,
    language: str = "kk",
) -> tuple[AppUser, str]:
    """A new user with one role; the password handed over once, to be changed at the first sign-in when it
    was made up.

    `allowed` are the organisations in which the creator may give roles; None stands for the command line.
    """
    found = repository.role_by_code(session, role)
    if found is None:
        raise errors.UnknownRole
    if allowed is not None and organisation_id not in set(allowed):
        raise errors.UnknownOrganisation
    handed = password or passwords.generate()
    user = AppUser(
        login=login.strip(), display_name=display_name.strip(), password_hash=passwords.hash_password(handed),
        practitioner_id=practitioner_id, language=language, active=True,
        must_change_password=password is None,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
    except IntegrityError as error:
        raise errors.LoginTaken from error
    session.add(UserRole(user_id=user.id, role_id=found.id, organisation_id=organisation_id))
    session.flush()
    audit(
        session, "user.created", object_table="app_user", object_id=user.id, organisation_id=organisation_id,
        detail={"role": role},
    )  # fmt: skip
    return user, handed


def _managed(session: Session, user_id: int, allowed: Iterable[int]) -> AppUser:
    user = repository.user_in_scope(session, user_id, allowed)
    if user is None:
        raise NotFound
    return user


def set_active(session: Session, user_id: int, active: bool, *, by: int, allowed: Iterable[int], now: datetime) -> None:
    """Block a user (their sessions end at once) or let them in again."""
    user = _managed(session, user_id, allowed)
    if user.id == by:
        raise errors.OwnAccount
    user.active = active
    user.failed_attempts, user.locked_until = 0, None
    if not active:
        repository.revoke_sessions(session, user.id, now)
    audit(session, "user.unblocked" if active else "user.blocked", object_table="app_user", object_id=user.id)


def reset_password(session: Session, user_id: int, *, allowed: Iterable[int], now: datetime) -> str:
    """A new password to hand over once; the user's sessions end, and the first sign-in asks for another."""
    user = _managed(session, user_id, allowed)
    handed = passwords.generate()
    user.password_hash = passwords.hash_password(handed)
    user.must_change_password = True
    user.failed_attempts, user.locked_until = 0, None
    repository.revoke_sessions(session, user.id, now)
    audit(session, "password.reset", object_table="app_user", object_id=user.id)
    return handed
