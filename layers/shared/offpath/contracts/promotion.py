"""Decide by a rule whether a newly trained version becomes champion, and give a verdict."""

from pydantic import Field

from offpath.contracts.document import Part


class Promotion(Part):
    """The new version becomes champion if its run's metric is better than the champion's, by margin or more."""

    metric: str = Field(max_length=250, description="a metric of the recipe, such as validation_accuracy")
    margin: float = Field(0.0, ge=0, allow_inf_nan=False, description="by how much it has to be better, at least")


class Verdict(Part):
    """Tell whether the new version became champion, and give the reason.

    comparable: whether both were measured on the same held-out rows; null where nothing was compared.
    """

    promoted: bool
    comparable: bool | None = None
    reason: str
