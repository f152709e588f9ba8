"""Converting and comparing are bounded in time and memory, and tell what they were doing."""

from __future__ import annotations

import pytest

from offpath_cli.errors import ModelRefused
from offpath_cli.register.child import Build, build_apart
from offpath_cli.register.registration_spec import RegistrationSpec
from tests.support.builders import slow_models
from tests.support.waiting import DEADLINE_SECONDS


def failure_of(build: Build, time_limit: int = int(DEADLINE_SECONDS)) -> tuple[str, list[str]]:
    said: list[str] = []
    spec = RegistrationSpec("m", "churn", "http://127.0.0.1:1", time_limit=time_limit, memory_limit=2_000)
    with pytest.raises(ModelRefused) as failed:
        build_apart(build, spec, 5, said.append)
    return str(failed.value), said


def test_a_conversion_without_end_is_ended() -> None:
    # It is told of before the limit, or not at all on a machine that starts processes slowly.
    reason, _ = failure_of(slow_models.endless, time_limit=2)
    assert reason.startswith("it was ended after 2 seconds, while ")


def test_too_much_memory_is_told_with_the_step() -> None:
    reason, said = failure_of(slow_models.greedy)
    assert reason == "2000 MB were not enough while comparing 3,000 records: give it more by --memory-limit"
    assert said == ["comparing 3,000 records"]


def test_a_process_that_ends_by_itself_is_told() -> None:
    reason, _ = failure_of(slow_models.ended)
    assert reason.startswith("the process that was reading m ended without a word")


def test_a_refusal_keeps_its_words() -> None:
    assert failure_of(slow_models.refused) == ("churn of 5 bytes is refused", [])


def test_an_unforeseen_error_is_told_with_its_type_and_step() -> None:
    assert failure_of(slow_models.broken)[0] == "KeyError while reading m: 5"
    assert failure_of(slow_models.exits)[0] == "SystemExit while reading m: the licence of 5 users is over"
