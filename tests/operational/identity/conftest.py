"""The same stage as the shell's tests."""

from tests.operational.web.conftest import app, cheap_hashes, client, make_user, signed_in

__all__ = ["app", "cheap_hashes", "client", "make_user", "signed_in"]
