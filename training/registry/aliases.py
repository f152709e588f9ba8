"""Move aliases to a registered version."""

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from offpath.contracts.names import CHAMPION
from offpath.contracts.promotion import Verdict
from training.registry.promotion import Measured, decide
from training.training_spec import AliasPlan


def move_aliases(client: MlflowClient, version: ModelVersion, plan: AliasPlan) -> Verdict | None:
    """Move aliases to the version as planned; to do so again changes nothing. Raises MlflowException.

    The verdict is the promotion's; None if there was none to decide.
    """
    if plan.alias:
        client.set_registered_model_alias(version.name, plan.alias, version.version)
    if not plan.promotion:
        return None
    verdict = decide(plan.promotion, _measured(client, version), _champion(client, version.name))
    if verdict.promoted:
        client.set_registered_model_alias(version.name, CHAMPION, version.version)
    return verdict


def _champion(client: MlflowClient, name: str) -> Measured | None:
    number = client.get_registered_model(name).aliases.get(CHAMPION)
    return _measured(client, client.get_model_version(name, number)) if number else None


def _measured(client: MlflowClient, version: ModelVersion) -> Measured:
    number = str(version.version)
    try:
        run = client.get_run(version.run_id) if version.run_id else None
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        run = None
    if run is None:
        return Measured(number)
    rows = {name: run.data.params.get(name) for name in ("seed", "test_share")}
    return Measured(number, run.data.metrics, rows | {"data.sha256": run.data.tags.get("data.sha256")})
