"""Move aliases to a registered version."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from offpath.contracts.names import CHAMPION
from offpath.contracts.promotion import Verdict
from training.promotion import Measured
from training.registry.champions import champion_of, promote
from training.training_spec import AliasPlan

# Scores of a version on the rows that were held out from the new one; None if it cannot be asked.
Rescore = Callable[[ModelVersion], Mapping[str, float] | None]


def move_aliases(
    client: MlflowClient, version: ModelVersion, plan: AliasPlan, rescore: Rescore | None = None
) -> Verdict | None:
    """Move aliases to the version as planned; to do so again changes nothing. Raises MlflowException.

    The verdict is that of the plan's rule; None if there is none. rescore: measures a champion whose own scores are of
    other rows.
    """
    name, number = version.name, str(version.version)
    if plan.alias == CHAMPION:
        promote(client, name, number)
    elif plan.alias:
        client.set_registered_model_alias(name, plan.alias, number)
    if not plan.rule:
        return None
    new = _measured(client, version)
    verdict = plan.rule.decide(new, _champion(client, name, new, rescore))
    if verdict.promoted:
        promote(client, name, number)
    return verdict


def _champion(client: MlflowClient, name: str, new: Measured, rescore: Rescore | None) -> Measured | None:
    """Return the champion, with scores on the same rows as the new version's where it can be had."""
    number = champion_of(client, name)
    if number is None:
        return None
    version = client.get_model_version(name, number)
    champion = _measured(client, version)
    if rescore is None or champion.version == new.version or champion.was_held_out_as(new):
        return champion
    scores = rescore(version)
    return champion if scores is None else replace(champion, metrics={**champion.metrics, **scores}, rows=new.rows)


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
    is_synthetic = run.data.tags.get("data.synthetic") == "true"
    return Measured(number, run.data.metrics, rows | {"data.sha256": run.data.tags.get("data.sha256")}, is_synthetic)
