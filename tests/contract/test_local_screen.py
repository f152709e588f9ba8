"""A fake screen shows what the terminal shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import pytest
from rich.console import Console

from local.stack.screen import Screen, Terminal
from tests.support.fakes.local import FakeScreen


@dataclass
class Shown:
    """A screen, and the text on it."""

    screen: Screen
    text: Callable[[], str]


@pytest.fixture(params=["fake", "terminal"])
def shown(request: pytest.FixtureRequest) -> Shown:
    if request.param == "fake":
        fake = FakeScreen()
        return Shown(fake, fake.text)
    file = StringIO()
    return Shown(Terminal(Console(file=file, width=200)), file.getvalue)


def test_steps_and_problems_are_shown_in_their_order(shown: Shown) -> None:
    shown.screen.step("made the bucket [a]")
    shown.screen.problem("the port 5000 is taken\nstop what listens there")
    text = shown.text()
    assert text.index("made the bucket [a]") < text.index("the port 5000 is taken\nstop what listens there")


def test_a_service_that_is_ready_is_shown_with_its_name(shown: Shown) -> None:
    shown.screen.ready("writer", "ready in 1.0 s")
    assert "writer ready in 1.0 s" in shown.text()


def test_a_services_line_is_shown_behind_its_name(shown: Shown) -> None:
    shown.screen.line("writer", "WARNING at work")
    assert "writer | WARNING at work" in shown.text()


def test_what_is_awaited_leaves_nothing_behind(shown: Shown) -> None:
    shown.screen.waiting(["mlflow 3 s", "api 1 s"])
    shown.screen.waiting([])
    assert shown.text() == ""
