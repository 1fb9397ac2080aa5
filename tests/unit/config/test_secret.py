"""Secrets that do not print themselves."""

import pickle

import pytest

from config.secret import Secret, secrets_in
from config.settings import Database, Settings
from connectors.asterisk.settings import AsteriskSettings


def test_a_secret_shows_itself_only_when_revealed() -> None:
    secret = Secret("hunter2")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret, str([secret])):  # noqa: UP031
        assert "hunter2" not in text
    assert secret.reveal() == "hunter2"


def test_a_secret_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("hunter2"))


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_all_secrets_of_the_settings_are_found_and_of_addresses_the_password_alone() -> None:
    pbx = AsteriskSettings(kind="asterisk", name="p", username="u", secret=Secret("ami"))
    database = Database(url=Secret("postgresql+asyncpg://perezvon:p%40ss@h/x"))
    assert set(secrets_in(Settings(connectors=(pbx,), database=database))) == {"ami", "p%40ss", "p@ss"}


def test_an_address_without_a_password_hides_nothing() -> None:
    assert list(secrets_in(Settings())) == []
