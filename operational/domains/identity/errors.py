"""Refusals of identity."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class WrongCredentials(BusinessError):
    """Login or password is wrong, or the user is blocked: the answer is the same for all three."""

    message_key = "identity.error.credentials"
    status = 422


class TooManyAttempts(BusinessError):
    """Sign-in is closed for a while after several failures."""

    message_key = "identity.error.locked"
    status = 429


class WrongPassword(BusinessError):
    """The present password does not match."""

    message_key = "identity.error.password"
    field = "current"


class PasswordTooWeak(BusinessError):
    """The new password breaks the rule: twelve characters, not the login."""

    message_key = "identity.error.weak"
    field = "new"


class PasswordsDiffer(BusinessError):
    """The repetition is not the same."""

    message_key = "identity.error.differ"
    field = "repeat"


class LoginTaken(Conflict):
    """Another user has this login."""

    message_key = "identity.error.login_taken"
    field = "login"


class UnknownRole(BusinessError):
    """There is no such role."""

    message_key = "identity.error.role"
    field = "role"


class UnknownOrganisation(BusinessError):
    """There is no such organisation in the scope of who grants the role."""

    message_key = "identity.error.organisation"
    field = "organisation_id"


class OwnAccount(BusinessError):
    """Nobody blocks themselves."""

    message_key = "identity.error.own_account"
    status = 409
