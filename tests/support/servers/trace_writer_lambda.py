"""The trace writer's handler as Lambda loads it, with settings of the test's."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from offpath.contracts.message import Message
from tests.support.builders.trace_events import sqs_event

MODULE = "trace_writer.handler"


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context, as far as the handler looks at it."""

    milliseconds: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class WriterFunction:
    """The function, started with these OFFPATH_* settings."""

    def __init__(self, environment: pytest.MonkeyPatch, **settings: str) -> None:
        for name, value in settings.items():
            environment.setenv(f"OFFPATH_{name.upper()}", value)
        sys.modules.pop(MODULE, None)
        self._module: Any = importlib.import_module(MODULE)

    def invoke(self, messages: Mapping[str, Message], milliseconds: int = 60_000) -> set[str]:
        """Hand over a batch; the ids of the messages that stay on the queue come back."""
        response = self._module.handler(sqs_event(messages), Context(milliseconds))
        return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}

    def sweep(self, event: Mapping[str, Any] | None = None, milliseconds: int = 60_000) -> dict[str, int]:
        """Let the schedule, or what the event is of, call the sweep; return what it answers."""
        answer: dict[str, int] = self._module.sweep(event or {}, Context(milliseconds))
        return answer
