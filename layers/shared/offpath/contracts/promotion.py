"""Whether a newly trained version becomes champion: the rule that is asked for, and the verdict."""

from pydantic import Field

from offpath.contracts.document import Part


class Promotion(Part):
    """When the new version becomes champion: its run's metric is better than the champion's, by margin or more."""

    metric: str = Field(max_length=250, description="a metric of the recipe, such as validation_accuracy")
    margin: float = Field(0.0, ge=0, allow_inf_nan=False, description="by how much it has to be better, at least")


class Verdict(Part):
    """Whether the new version became champion, and why, or why not.

    comparable: whether both were measured on the same held-out rows; null where nothing was compared.
    """

    promoted: bool
    comparable: bool | None = None
    reason: str
