"""`python -m training.worker.announce` writes to S3 which recipes can be trained, for the API to read.

It is a process of its own, as the recipes' libraries take seconds to import, and memory that the worker does not need.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import training
from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import ObjectMissing, RecipesError, Transient
from offpath.contracts.names import RECIPES_KEY
from offpath.contracts.recipes import AnnouncedRecipe, Better, Recipes
from offpath.retry import attempts
from training.metrics import less_is_better, metrics_of
from training.recipe import Recipe
from training.recipes.catalog import NAMES, find_recipe
from training.worker.backoff import OUTAGE
from training.worker.parent_pipe import ParentPipe
from training.worker.settings import WorkerSettings, configure_logging

LOWEST_PRIORITY = 19

log = logging.getLogger("worker")


def announcement(names: Sequence[str] = NAMES) -> Recipes:
    """Return the announcement of these recipes. Imports their libraries."""
    return Recipes(made_from=digest_of(names), recipes={name: _announced(find_recipe(name)) for name in names})


def digest_of(names: Sequence[str]) -> str:
    """Return a digest of what the announcement is made from, the recipes' code above all. Imports nothing."""
    digest = hashlib.sha256(" ".join([version("pydantic"), *names]).encode())
    for path in sorted(Path(training.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _announced(recipe: Recipe[Any]) -> AnnouncedRecipe:
    better: dict[str, Better] = {
        name: "lower" if less_is_better(name) else "higher" for name in metrics_of(recipe.task)
    }
    return AnnouncedRecipe(
        description=recipe.description,
        parameters=recipe.parameters.model_json_schema(),
        metrics=better,
        takes_data=recipe.read is not None,
    )


def main() -> None:
    """Write the announcement unless it is there already; retry until S3 takes it."""
    ParentPipe.open()
    configure_logging()
    os.nice(LOWEST_PRIORITY)  # other processes start first
    settings = WorkerSettings.load(os.environ)
    bucket = Bucket(s3_client(), settings.bucket)
    for _ in attempts(OUTAGE):
        if _announce(bucket, settings.recipes):
            return


def _announce(bucket: Bucket, names: Sequence[str]) -> bool:
    try:
        if not _is_announced(bucket, names):
            recipes = announcement(names)
            bucket.put(RECIPES_KEY, recipes.to_json())
            log.info("announced: %s", ", ".join(recipes.recipes))
    except Transient as error:
        log.warning("the recipes could not be announced, retrying: %s", error)
        return False
    return True


def _is_announced(bucket: Bucket, names: Sequence[str]) -> bool:
    try:
        return Recipes.parse(bucket.get(RECIPES_KEY)).made_from == digest_of(names)
    except (ObjectMissing, RecipesError):
        return False


if __name__ == "__main__":
    main()
