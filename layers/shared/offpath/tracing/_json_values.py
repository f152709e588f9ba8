"""Make numbers of JSON text, which MLflow's server would take for text.

It reads text, lists and objects from JSON text by itself.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from offpath.attributes import SPAN_INPUTS, SPAN_OUTPUTS

# MLflow's own spans have it, and JSON text as the value of each attribute.
REQUEST_ID = "mlflow.traceRequestId"
_JSON = frozenset({SPAN_INPUTS, SPAN_OUTPUTS})
_FIRST_CHARACTERS = frozenset("-0123456789tfn")  # of a JSON number, true, false and null


def plain(value: Any) -> Any:
    """Return the number, truth value or null that the value is the JSON text of, else the value itself."""
    if type(value) is not str or value[:1] not in _FIRST_CHARACTERS:
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(found, float) and not math.isfinite(found) else found


def with_plain_values(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a span's attributes with such values in place of their JSON text, where that is what they are."""
    of_mlflow = REQUEST_ID in given
    return {key: plain(value) if of_mlflow or key in _JSON else value for key, value in given.items()}
