"""A model that was built, with what is told of its original."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offpath_cli.register.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Built:
    """Hold a candidate. kind, flavor, native: the original's, by its library, MLflow's name, and its class."""

    candidate: "Candidate"
    kind: str
    flavor: str
    native: str
