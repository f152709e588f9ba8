"""How much one request may ask for."""

from prediction_api.errors import INVALID_PARAMETER_VALUE, ScoringError


def check_records(records: int, most: int) -> None:
    """Raises ScoringError for more records than are taken."""
    if records > most:
        raise ScoringError(
            f"expected at most {most} records, got {records}; send fewer at a time", INVALID_PARAMETER_VALUE
        )
