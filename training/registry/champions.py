"""The champion of a registered model, and those before it, so that there is a way back."""

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from offpath.contracts.names import CHAMPION
from training.recipe import TrainingError

# A tag of the registered model: the numbers of its champions, in their order, with commas between them.
HISTORY_TAG = "offpath.champions"
MOST = 20


def champion_of(client: MlflowClient, name: str) -> str | None:
    """Return the number of the champion, or None if there is none. Raises MlflowException."""
    number = client.get_registered_model(name).aliases.get(CHAMPION)
    return str(number) if number else None


def promote(client: MlflowClient, name: str, number: str) -> str | None:
    """Make a version champion, and return the number of the one before; to do so again changes nothing.

    Raises MlflowException.
    """
    before = champion_of(client, name)
    if before == number:
        return None
    history = _history(client, name)
    if before and history[-1:] != [before]:  # somebody moved the alias elsewhere
        history.append(before)
    _note(client, name, [*history, number])
    client.set_registered_model_alias(name, CHAMPION, number)
    return before


def roll_back(client: MlflowClient, name: str) -> tuple[str, str]:
    """Make the champion before this one champion again, and return both numbers: the one left, and the one now.

    Raises TrainingError where none is known that is still there, MlflowException.
    """
    current = champion_of(client, name)
    earlier = _earlier(_history(client, name), current)
    while earlier and not _exists(client, name, earlier[-1]):
        earlier.pop()
    if current is None or not earlier:
        raise TrainingError(f"no champion of {name} before {current or 'this'} is known: {_advice(client, name)}")
    client.set_registered_model_alias(name, CHAMPION, earlier[-1])
    _note(client, name, earlier)
    return current, earlier[-1]


def find_version(client: MlflowClient, name: str, number: str) -> ModelVersion:
    """Return a version of a model. Raises TrainingError that says which there are, MlflowException."""
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        names = ", ".join(sorted(model.name for model in client.search_registered_models(max_results=MOST))) or "none"
        raise TrainingError(f"no model {name!r} is registered; there is: {names}") from error
    if not number.isdecimal() or not _exists(client, name, number):
        raise TrainingError(f"{name} has no version {number!r}: {_advice(client, name)}")
    return client.get_model_version(name, number)


def _earlier(history: list[str], current: str | None) -> list[str]:
    """Return the champions before the current one."""
    if current in history:
        return history[: len(history) - 1 - history[::-1].index(current)]
    return list(history)


def _history(client: MlflowClient, name: str) -> list[str]:
    text = client.get_registered_model(name).tags.get(HISTORY_TAG, "")
    return [number for number in text.split(",") if number.isdecimal()]


def _note(client: MlflowClient, name: str, history: list[str]) -> None:
    client.set_registered_model_tag(name, HISTORY_TAG, ",".join(history[-MOST:]))


def _exists(client: MlflowClient, name: str, number: str) -> bool:
    try:
        client.get_model_version(name, number)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
    return True


def _advice(client: MlflowClient, name: str) -> str:
    found = client.search_model_versions(f"name = '{name}'", max_results=MOST, order_by=["version_number DESC"])
    numbers = ", ".join(str(version.version) for version in found) or "none"
    return f"versions of it are {numbers}; make one of them champion with: offpath promote {name} VERSION"
