"""How much one request may ask for."""

from prediction_api.scoring.refusal import INVALID_PARAMETER_VALUE, Refused


def check_records(records: int, most: int) -> None:
    """Raises Refused for more records than are taken."""
    if records > most:
        raise Refused(f"expected at most {most} records, got {records}; send fewer at a time", INVALID_PARAMETER_VALUE)
