"""Logins: generated, and nowhere to be read but in Secrets Manager."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.rendered import LEAST, WITH_DOMAIN, Stack
from tests.infra.template import TEMPLATE

STACK = Stack(LEAST)
SECRETS = STACK.of_type("AWS::SecretsManager::Secret")
USERS = {
    "DatabaseSecret": "offpath",
    "MlflowAdminSecret": "admin",
    "MlflowWriterSecret": "trace-writer",
    "MlflowModelSyncSecret": "model-sync",
    "MlflowTrainerSecret": "trainer",
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value below this one as text, with the names that lead to it."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path, str(value)
        return
    for key, part in parts:
        yield from leaves(part, f"{path}/{key}")


def test_each_user_has_a_login() -> None:
    templates = {name: secret["GenerateSecretString"]["SecretStringTemplate"] for name, secret in SECRETS.items()}
    assert {name: json.loads(text) for name, text in templates.items()} == {
        name: {"username": user} for name, user in USERS.items()
    }


@pytest.mark.parametrize("name", SECRETS)
def test_a_password_is_generated_long_and_of_letters_and_digits(name: str) -> None:
    generated = SECRETS[name]["GenerateSecretString"]
    assert "SecretString" not in SECRETS[name]
    assert generated["GenerateStringKey"] == "password"
    # MySQL's limit is 41 characters; punctuation is trouble in addresses and in HTTP's basic authentication.
    assert generated["PasswordLength"] == 32
    assert generated["ExcludePunctuation"] is True


def test_a_secrets_value_is_put_into_the_databases_password_alone() -> None:
    resolved = [path for path, text in leaves(Stack(WITH_DOMAIN).resources) if "{{resolve:" in text]
    assert resolved == ["/Database/Properties/MasterUserPassword"]


def test_no_other_property_is_a_password_or_a_token() -> None:
    telling = re.compile(r"password|secret|token|credential", re.IGNORECASE)
    names = {path.rpartition("/")[2] for path, _ in leaves(STACK.resources) if telling.search(path.rpartition("/")[2])}
    in_secrets = {"PasswordLength", "SecretStringTemplate"}
    assert names == in_secrets | {"HttpTokens", "MasterUserPassword", "OFFPATH_MLFLOW_SECRET"}


def test_no_parameter_takes_a_secret() -> None:
    # What lets callers in are digests, which may be read by anybody.
    assert not any(parameter.get("NoEcho") for parameter in TEMPLATE["Parameters"].values())


@pytest.mark.parametrize("name", STACK.of_type("AWS::Lambda::Function"))
def test_a_functions_environment_names_its_secret_and_holds_none(name: str) -> None:
    variables = STACK[name]["Environment"]["Variables"]
    wanted = {
        "TraceWriterFunction": "MlflowWriterSecret",
        "SpillSweepFunction": "MlflowWriterSecret",
        "ModelSyncFunction": "MlflowModelSyncSecret",
    }
    assert variables.get("OFFPATH_MLFLOW_SECRET") == wanted.get(name)
    assert not [variable for variable in variables if variable.endswith(("_PASSWORD", "_USERNAME"))]


def test_outputs_tell_how_to_read_secrets_without_their_values() -> None:
    assert "get-secret-value" in STACK.outputs["MlflowAdminPassword"]
    assert not any("{{resolve:" in text for text in STACK.outputs.values())
