"""The display shows how far a training is."""

import io
import re
from collections.abc import Callable

from rich.console import Console

from training.display import Display


def shown(steps: Callable[[Display], None], *, terminal: bool) -> str:
    sink = io.StringIO()
    with Display(Console(file=sink, force_terminal=terminal, width=100, highlight=False)) as display:
        steps(display)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sink.getvalue())


def learning(display: Display) -> None:
    display.report("data: 80 rows to train")
    display.progress(20, 100)
    display.progress(30, 100)


def learnt(display: Display) -> None:
    learning(display)
    display.report("trained: well")


def test_without_a_terminal_there_are_only_lines() -> None:
    text = shown(learnt, terminal=False)
    assert re.fullmatch(r" +\d\.\d s  data: 80 rows to train\n +\d\.\d s  trained: well\n", text)


def test_on_a_terminal_a_line_tells_how_far_it_is() -> None:
    text = shown(learning, terminal=True)
    assert "data: 80 rows to train" in text
    assert re.search(r"training .* 30% 0:00:0", text)


def test_the_training_is_over_with_the_next_line() -> None:
    *_, last = [line for line in re.split(r"[\r\n]+", shown(learnt, terminal=True)) if line.strip()]
    assert "working" in last
