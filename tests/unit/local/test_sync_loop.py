import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.aws.sync_loop import LoggedSync
from offpath.contracts.errors import Transient


def report(models: Mapping[str, Any], skipped: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"changed": False, "models": models, "skipped": skipped or {}}


def lines(caplog: pytest.LogCaptureFixture, *outcomes: Any) -> list[str]:
    """Return the lines that are logged while the sync has these outcomes, one after the other."""
    following: Iterator[Any] = iter(outcomes)

    def sync() -> Mapping[str, Any]:
        outcome = next(following)
        if isinstance(outcome, Exception):
            raise outcome
        return dict(outcome)

    caplog.set_level(logging.INFO)
    logged = LoggedSync(sync)
    for _ in outcomes:
        logged.run()
    return [record.getMessage() for record in caplog.records]


def test_only_a_change_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    first, second = {"iris": {"champion": "1"}}, {"iris": {"champion": "2", "challenger": "3"}}
    assert lines(caplog, report({}), report(first), report(first), report(second)) == [
        "published: no model yet",
        "published: iris (champion → 1)",
        "published: iris (champion → 2, challenger → 3)",
    ]


def test_an_unpublished_model_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    skipped = report({}, {"iris@champion": "no ONNX file"})
    assert lines(caplog, skipped, skipped) == [
        "published: no model yet",
        "not published: iris@champion: no ONNX file",
    ]


def test_a_failure_and_its_end_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    down = Transient("MLflow does not answer")
    assert lines(caplog, report({}), down, down, ValueError("odd"), report({}), down) == [
        "published: no model yet",
        "the registry could not be synced, retrying: MLflow does not answer",
        "the registry can be synced again",
        "the registry could not be synced, retrying: MLflow does not answer",
    ]


def test_an_unforeseen_error_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, ValueError("odd"), report({})) == [
        "the registry could not be synced, retrying: ValueError: odd",
        "the registry can be synced again",
        "published: no model yet",
    ]
