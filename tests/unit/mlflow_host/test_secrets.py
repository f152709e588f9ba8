"""Logins in secrets."""

import pytest

from offpath_host.secrets import Login, SecretError, login


def test_a_login_is_read() -> None:
    secrets = {"arn:admin": '{"username": "admin", "password": "pass-1", "engine": "postgres"}'}
    assert login(secrets.__getitem__, "arn:admin") == Login("admin", "pass-1")


def test_a_password_is_not_shown() -> None:
    assert "pass-1" not in repr(Login("admin", "pass-1"))


@pytest.mark.parametrize(("text", "wrong"), [("", "JSON"), ("pass-1", "JSON"), ('{"password": "pass-1"}', "username")])
def test_a_secret_without_a_login_is_named_and_not_shown(text: str, wrong: str) -> None:
    with pytest.raises(SecretError, match=f"arn:admin.*wrong: {wrong}") as raised:
        login(lambda _: text, "arn:admin")
    assert "pass-1" not in str(raised.value)
    assert raised.value.__suppress_context__
