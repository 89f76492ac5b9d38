"""The page of keys without scripts: a token shown once, and keys revoked."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.keys import list_keys
from service.pages.sessions import COOKIE
from tests.service.conftest import Api
from tests.service.pages.conftest import Page, read, show

OWN = {"Origin": "http://127.0.0.1:8080"}


def send(api: Api, path: str, token: str, page: Page, **form: str) -> Any:
    """Send a form of a page."""
    data = {"proof": page.all("input")[0]["value"], **form}
    headers = OWN | {"Cookie": f"{COOKIE}={token}"}
    return api.client.post(path, data=data, headers=headers, follow_redirects=False)


def keys_page(api: Api, token: str) -> Page:
    return read(api.ask("GET", "/pages/keys", headers={"Cookie": f"{COOKIE}={token}"}).text)


def test_the_first_key_is_an_administrators(api: Api) -> None:
    page = show(api, "/pages/keys")
    assert "No key was made yet" in page.text
    assert [one["value"] for one in page.all("option") if "selected" in one] == ["admin"]
    form = {"proof": "", "name": "me", "role": "admin"}
    made = read(api.client.post("/pages/keys", data=form, headers=OWN).text) if page else page
    assert made.links["Sign in with it"] == "/login?next=/pages/keys"
    assert api.client.get("/pages/keys", follow_redirects=False).status_code == 303


def test_a_key_is_made_used_and_revoked(api: Api) -> None:
    admin = api.key("admin", name="boss")
    page = keys_page(api, admin)
    answer = send(api, "/pages/keys", admin, page, name="<b>dash", role="read", env="prod", hec="1")
    made = read(answer.text)
    assert answer.status_code == 200
    token = next(part for part in made.text.split() if part.startswith("rk_"))
    assert f"curl -H 'Authorization: Bearer {token}' 'http://127.0.0.1:8080/search?last=1h'" in made.text
    assert api.ask("GET", "/jobs", token=token).status_code == 200
    listed = keys_page(api, admin)
    assert token not in listed.text
    assert "<b>dash" in listed.text
    assert "prod" in listed.text
    (key,) = [key for key in list_keys(api.service.tier) if key.role == "read"]
    path = f"/pages/keys/{key.id}/revoke"
    assert path in [one["action"] for one in listed.all("form")]
    asked = read(send(api, path, admin, listed).text)
    assert "Revoke “<b>dash”?" in asked.text
    assert api.ask("GET", "/jobs", token=token).status_code == 200
    assert send(api, path, admin, asked, sure="1").status_code == 303
    assert api.ask("GET", "/jobs", token=token).status_code == 401
    assert path not in [one["action"] for one in keys_page(api, admin).all("form")]


@pytest.mark.parametrize(
    ("form", "message"),
    [({"name": "x", "role": "king"}, "role"), ({"name": "x", "role": "ingest", "env": "e" * 99}, "env")],
)
def test_what_is_wrong_is_shown_beside_what_was_typed(api: Api, form: dict[str, str], message: str) -> None:
    admin = api.key("admin")
    answer = send(api, "/pages/keys", admin, keys_page(api, admin), **form)
    page = read(answer.text)
    assert (answer.status_code, message in page.text) == (400, True)
    assert page.one("input", id="name")["value"] == "x"
    assert len(list_keys(api.service.tier)) == 1


@pytest.mark.parametrize("role", ["read", "ingest"])
def test_keys_are_an_administrators_alone(api: Api, role: str) -> None:
    admin, token = api.key("admin"), api.key(role)
    own = keys_page(api, admin)
    cookie = {"Cookie": f"{COOKIE}={token}"}
    assert api.ask("GET", "/pages/keys", headers=cookie).status_code == 403
    assert send(api, "/pages/keys", token, own, name="x", role="admin").status_code == 403
    assert len(list_keys(api.service.tier)) == 2


def test_a_form_without_proof_makes_no_key(api: Api) -> None:
    headers = OWN | {"Cookie": f"{COOKIE}={api.key('admin')}"}
    for data in ({"name": "x"}, {"name": "x", "proof": "0" * 64}):
        assert api.client.post("/pages/keys", data=data, headers=headers).status_code == 403
    assert len(list_keys(api.service.tier)) == 1
