"""The recipes that can be trained, as the worker announced them: read on demand, and kept for a minute."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from offpath.aws.s3 import Fetched
from offpath.contracts.errors import ObjectMissing, RecipesError, Transient
from offpath.contracts.names import RECIPES_KEY
from offpath.contracts.recipes import AnnouncedRecipe, Recipes
from prediction_api.errors import TrainingUnavailable, UnknownRecipe

KEEP_SECONDS = 60.0


class Announcements(Protocol):
    """The store of the announcement."""

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object; None if its entity tag is still that one. Raises ObjectMissing or Transient."""


class RecipeBook:
    """The recipes. Those read last stay while a newer announcement cannot be read."""

    def __init__(self, announcements: Announcements, clock: Callable[[], float] = time.monotonic) -> None:
        self._announcements = announcements
        self._clock = clock
        self._lock = threading.Lock()
        self._recipes: Recipes | None = None
        self._etag: str | None = None
        self._due = clock()

    def recipes(self) -> Recipes:
        """Return all recipes. Raises TrainingUnavailable while no worker has announced any."""
        with self._lock:
            if self._clock() >= self._due:
                self._read()
            if self._recipes is None:
                raise TrainingUnavailable(
                    f"no training worker has announced itself yet: there is no {RECIPES_KEY} in the bucket"
                )
            return self._recipes

    def find(self, name: str) -> AnnouncedRecipe:
        """Return the recipe of that name. Raises UnknownRecipe or TrainingUnavailable."""
        recipes = self.recipes().recipes
        if name not in recipes:
            names = sorted(recipes)
            detail = f"there is no recipe {name[:200]!r} to train; there is: {', '.join(names)}"
            raise UnknownRecipe(detail, names)
        return recipes[name]

    def _read(self) -> None:
        try:
            fetched = self._announcements.get_if_changed(RECIPES_KEY, self._etag)
            if fetched:
                self._recipes, self._etag = Recipes.parse(fetched.content), fetched.etag
        except ObjectMissing:
            return
        except (RecipesError, Transient) as error:
            if self._recipes is None:
                raise TrainingUnavailable(f"what can be trained is not known: {error}") from error
        self._due = self._clock() + KEEP_SECONDS
