"""Users, roles, sessions and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Key


class AppUser(Base):
    """A person who signs in."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("language in ('kk','ru')", name="language"),
        Index("uq_app_user_login_folded", func.lower(text("login")), unique=True),
    )
    id: Mapped[Key]
    login: Mapped[str]
    display_name: Mapped[str]
    password_hash: Mapped[str]
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"), index=True)
    language: Mapped[str] = mapped_column(server_default=text("'kk'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    failed_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[Created]


class Role(Base):
    """A named set of permissions."""

    __tablename__ = "role"
    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    permissions: Mapped[list[str]]


class UserRole(Base):
    """A role that a user has in an organisation and all below it."""

    __tablename__ = "user_role"
    __table_args__ = (UniqueConstraint("user_id", "role_id", "organisation_id"),)
    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))


class UserSession(Base):
    """A signed-in browser; only the hash of its token is stored."""

    __tablename__ = "user_session"
    id: Mapped[Key]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    created_at: Mapped[Created]
    last_seen_at: Mapped[Created]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]


class AuditEvent(Base):
    """Who did what to which object, when and why; nobody changes or deletes it."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_object", "object_table", "object_id"),)
    id: Mapped[Key]
    at: Mapped[Created]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    action: Mapped[str]
    object_table: Mapped[str | None]
    object_id: Mapped[int | None]
    organisation_id: Mapped[int | None]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None]
