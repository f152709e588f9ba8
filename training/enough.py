"""Whether data suffice for a training that means anything."""

from typing import Any

from training.recipe import Dataset, Recipe, TrainingError

MIN_ROWS = 40
MIN_ROWS_OF_A_CLASS = 5


def check_enough(recipe: Recipe[Any], data: Dataset) -> None:
    """Raises TrainingError for too few rows, or a class with too few or none."""
    if len(data.features) < MIN_ROWS:
        raise TrainingError(f"{data.source}: {len(data.features)} rows are too few: at least {MIN_ROWS} are needed")
    target = data.target.tolist()
    counts = {label: target.count(index) for index, label in enumerate(recipe.labels)}
    scarce = [f"{count} of {label}" for label, count in counts.items() if count < MIN_ROWS_OF_A_CLASS]
    if scarce:
        raise TrainingError(
            f"{data.source}: too few rows of a class ({', '.join(scarce)}): at least {MIN_ROWS_OF_A_CLASS} of each of "
            f"{', '.join(recipe.labels)} are needed"
        )
