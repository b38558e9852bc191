"""The administrator's screens, and the command that adds users."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kmis.settings import Settings
from operational.domains.identity.commands import add_user
from operational.domains.identity.errors import LoginTaken, UnknownRole
from operational.domains.identity.passwords import acceptable, generate, hash_password, matches, outdated
from operational.domains.identity.roles import role_definitions
from tests.operational.web.conftest import PASSWORD, post

MakeUser = Callable[..., tuple[int, str]]
SignedIn = Callable[..., TestClient]


def handed(page: str) -> str:
    found = re.search(r"<dd>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</dd>", page)
    assert found is not None
    return html.unescape(found.group(1))


def new_user(world: dict[str, int], **change: str) -> dict[str, str]:
    base = {"login": "new.user", "display_name": "Жаңа Қызметкер", "role": "registrar"}
    return {**base, "organisation_id": str(world["polyclinic"]), **change}


def test_user_is_made_and_must_change_the_password(app: FastAPI, world: dict[str, int], signed_in: SignedIn) -> None:
    admin = signed_in("administrator", organisation="region")
    page = post(admin, "/users/new", new_user(world, login="first.day"))
    assert page.status_code == 200
    password = handed(page.text)
    browser = TestClient(app, raise_server_exceptions=False)
    answer = post(browser, "/sign-in", {"login": "first.day", "password": password}, "/sign-in")
    assert answer.status_code == 303
    assert browser.get("/", follow_redirects=False).headers["location"] == "/account"
    change = {"current": password, "new": "Own-Word-2026", "repeat": "Own-Word-2026"}
    assert post(browser, "/account/password", change).status_code == 303
    assert browser.get("/", follow_redirects=False).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"login": "кириллица"}, 422, "login"),
        ({"login": ""}, 422, "login"),
        ({"display_name": "х"}, 422, "display_name"),
        ({"role": "king"}, 422, "role"),
        ({"organisation_id": "0"}, 422, "organisation_id"),
    ],
)
def test_bad_new_user_names_the_field(
    world: dict[str, int], signed_in: SignedIn, change: dict[str, str], status: int, field: str
) -> None:
    answer = post(signed_in("administrator"), "/users/new", new_user(world, **change))
    assert answer.status_code == status
    assert f'id="e-{field}"' in answer.text


def test_login_is_unique_and_organisation_in_scope(world: dict[str, int], signed_in: SignedIn) -> None:
    admin = signed_in("administrator")
    taken = post(admin, "/users/new", new_user(world, login=admin.login.upper()))
    assert taken.status_code == 409
    assert 'id="e-login"' in taken.text
    elsewhere = post(admin, "/users/new", new_user(world, login="elsewhere", organisation_id=str(world["other"])))
    assert elsewhere.status_code == 422
    assert 'id="e-organisation_id"' in elsewhere.text


def test_blocking_ends_sessions_and_can_be_undone(signed_in: SignedIn) -> None:
    admin, victim = signed_in("administrator"), signed_in("doctor")
    address = f"/users/{victim.user_id}"
    assert post(admin, f"{address}/block", {}).status_code == 303
    page = admin.get(address).text
    assert f'action="{address}/unblock"' in page
    assert "toast-undo" in page
    assert victim.get("/account", follow_redirects=False).status_code == 303
    login = {"login": victim.login, "password": PASSWORD}
    assert post(victim, "/sign-in", login, "/sign-in").status_code == 422
    assert post(admin, f"{address}/unblock", {}).status_code == 303
    assert post(victim, "/sign-in", login, "/sign-in").status_code == 303
    password = handed(post(admin, f"{address}/password", {}).text)
    assert post(victim, "/sign-in", login, "/sign-in").status_code == 422
    assert post(victim, "/sign-in", {**login, "password": password}, "/sign-in").status_code == 303


def test_nobody_blocks_themselves_or_a_stranger(signed_in: SignedIn) -> None:
    admin = signed_in("administrator")
    stranger = signed_in("doctor", organisation="other")
    assert post(admin, f"/users/{admin.user_id}/block", {}).status_code == 409
    for act in ("block", "password"):
        assert post(admin, f"/users/{stranger.user_id}/{act}", {}).status_code == 404
    assert admin.get(f"/users/{stranger.user_id}").status_code == 404


def test_list_searches_sorts_and_pages(make_user: MakeUser, signed_in: SignedIn, settings: Settings) -> None:
    admin = signed_in("administrator")
    key, login = make_user("registrar")
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute("update app_user set display_name = 'Үмбетова Ғ%%_' where id = %s", (key,))
    found = post(admin, "/users", {"q": "ғ%_"}, "/users").text
    assert login in found
    assert found.count("<tr>") == 2
    assert "q=" not in admin.get("/users").text
    assert login not in post(admin, "/users", {"q": "х%х"}, "/users").text
    page = post(admin, "/users", {"sort_by": "login:desc"}, "/users").text
    logins = re.findall(r"<td>([a-z0-9_.]+)</td>", page)
    assert logins == sorted(logins, reverse=True)
    assert 'aria-sort="descending"' in page
    assert post(admin, "/users", {"page": "9999"}, "/users").status_code == 200


def test_command_adds_users(settings: Settings, world: dict[str, int]) -> None:
    key, password = add_user(settings, "from.command", "Команда", "doctor", world["polyclinic"])
    assert key
    assert re.fullmatch(r"[a-z0-9-]{14}", password)
    with pytest.raises(LoginTaken):
        add_user(settings, "FROM.command", "Команда", "doctor", world["polyclinic"])
    with pytest.raises(UnknownRole):
        add_user(settings, "another", "Команда", "king", world["polyclinic"])


def test_roles_have_both_names_and_permissions() -> None:
    roles = role_definitions()
    assert set(roles) == {
        "doctor", "registrar", "chief_physician", "regional_manager", "data_engineer", "administrator",
        "hospital_doctor", "nurse", "obstetrician", "maternity_officer", "laboratory_assistant", "radiographer",
    }  # fmt: skip
    for role in roles.values():
        assert role.name_kk
        assert role.name_ru
        assert len(set(role.permissions)) == len(role.permissions) > 0


def test_passwords() -> None:
    stored = hash_password("a-Good-Word-1")
    assert matches(stored, "a-Good-Word-1")
    assert not matches(stored, "a-Good-Word-2")
    assert not matches(None, "a-Good-Word-1")
    assert not matches("!", "!")
    assert not outdated(stored)
    assert acceptable(generate(), "doctor")
    assert not acceptable("x-doctor-2026", "Doctor")
    assert generate() != generate()
