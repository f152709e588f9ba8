"""`python -m training.worker.announce`: write down in S3 what can be trained, for the API to read.

A process of its own: the recipes' libraries take seconds to import, and much memory that the worker has no use for.
"""

import logging
import os
import time
from typing import Any

from offpath.aws import Bucket, s3_client
from offpath.errors import Transient
from offpath.recipes import KEY, AnnouncedRecipe, Better, Recipes
from training.catalog import NAMES, find_recipe
from training.recipe import Recipe
from training.scores import less_is_better, metrics_of
from training.worker.leash import Leash
from training.worker.log import configure
from training.worker.settings import WorkerSettings

LOWEST_PRIORITY = 19
PAUSE_SECONDS = 5.0

log = logging.getLogger("worker")


def announcement() -> Recipes:
    """Every recipe that can be imported here; imports their libraries."""
    return Recipes(recipes={recipe.name: _announced(recipe) for recipe in map(find_recipe, NAMES)})


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
    """Write it, trying until S3 takes it."""
    Leash()
    configure()
    os.nice(LOWEST_PRIORITY)  # it is in nobody's way while the rest starts
    bucket, recipes = Bucket(s3_client(), WorkerSettings.load(os.environ).bucket), announcement()
    while not _written(bucket, recipes):
        time.sleep(PAUSE_SECONDS)
    log.info("announced: %s", ", ".join(recipes.recipes))


def _written(bucket: Bucket, recipes: Recipes) -> bool:
    try:
        bucket.put(KEY, recipes.to_json())
    except Transient as error:
        log.warning("the recipes could not be announced, retrying: %s", error)
        return False
    return True


if __name__ == "__main__":
    main()
