"""MiniStack's CloudFormation does not look at ExcludePunctuation where a secret's password is generated."""

import json
import string
from typing import Any

from ministack.services.cloudformation import provisioners

from local.emulator.resource_types import Properties

_former = provisioners._sm_secret_string


def is_needed() -> bool:
    """Return whether there is punctuation in a password that may have none."""
    made = {"SecretStringTemplate": "{}", "GenerateStringKey": "p", "PasswordLength": 400, "ExcludePunctuation": True}
    password = json.loads(provisioners._sm_secret_string({"GenerateSecretString": made}))["p"]
    return not set(string.punctuation).isdisjoint(password)


def install() -> None:
    """Say it by ExcludeCharacters, which MiniStack looks at."""
    provisioners._sm_secret_string = _secret_string


def _secret_string(props: Properties) -> Any:
    made = props.get("GenerateSecretString") or {}
    if str(made.get("ExcludePunctuation", "")).lower() == "true":
        props = {**props, "GenerateSecretString": {**made, "ExcludeCharacters": string.punctuation}}
    return _former(props)
