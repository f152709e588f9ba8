import io
import json

import pytest
from rich.console import Console

from local.stack.log_lines import for_terminal
from local.stack.screen import Terminal


def console(is_terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=100, highlight=False)


def output(of: Console) -> str:
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("s3", "I1121 10:43:40.275439 s3.go:538 Start Seaweed S3 API Server"),
        ("sqs", '127.0.0.1 - - [21/Nov/2026 10:43:40] "POST / HTTP/1.1" 200 -'),
        ("mlflow", "2026/11/21 10:27:49 INFO:     Shutting down"),
        ("api", 'INFO:     127.0.0.1:58936 - "GET /health HTTP/1.1" 200 OK'),
        ("api", "INFO:     Started server process [17809]"),
        ("writer", ""),
        ("writer", '{"level":"INFO","message":"spill swept","found":0,"written":0}'),
    ],
)
def test_routine_lines_are_left_to_the_file(name: str, line: str) -> None:
    assert for_terminal(name, line, ready=True) is None


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("s3", "E1121 10:43:42.372752 reader_at.go:270 fetching chunk"),
        ("sqs", '127.0.0.1 - - [21/Nov/2026 10:43:40] "POST / HTTP/1.1" 500 -'),
        ("mlflow", "2026/11/21 10:27:49 ERROR mlflow.server: database is locked"),
        ("api", 'INFO:     127.0.0.1:58936 - "POST /models/iris/predict HTTP/1.1" 200 OK'),
        ("train", "trained: accuracy 0.933"),
        ("writer", "INFO polling"),
        ("sqs", "ERROR sqs: the queue's file: disk I/O error"),
    ],
)
def test_errors_and_own_lines_are_shown(name: str, line: str) -> None:
    assert for_terminal(name, line, ready=True) == line


def test_errors_of_servers_that_start_are_left_to_the_file() -> None:
    assert for_terminal("s3", "E1121 no signing key found", ready=False) is None
    assert for_terminal("writer", "INFO polling", ready=False) == "INFO polling"


def test_a_structured_line_is_shown_as_text() -> None:
    line = json.dumps({"level": "WARNING", "message": "kept", "service": "writer", "function_name": "f", "received": 3})
    assert for_terminal("writer", line, ready=True) == "WARNING kept received=3"
    assert for_terminal("writer", '{"resourceSpans": []}', ready=True) == '{"resourceSpans": []}'
    assert for_terminal("writer", "{not json", ready=True) == "{not json"


def test_a_line_follows_its_services_name_and_is_no_markup() -> None:
    shown = console(is_terminal=False)
    Terminal(shown).line("api", "an [bold]answer[/bold] [/]")
    assert output(shown) == "api    | an [bold]answer[/bold] [/]\n"


def test_steps_and_problems_are_told_apart() -> None:
    shown = console(is_terminal=False)
    screen = Terminal(shown)
    screen.ready("s3", "ready in  2.4 s")
    screen.step("all well")
    screen.problem("it broke\n  the last line [/]")
    assert output(shown).splitlines() == ["✓ s3     ready in  2.4 s", "✓ all well", "✗ it broke", "  the last line [/]"]


def test_a_file_gets_no_spinner_and_no_rule() -> None:
    shown = console(is_terminal=False)
    screen = Terminal(shown)
    screen.waiting(["mlflow 3 s"])
    screen.waiting([])
    screen.summary("offpath is running", "API http://127.0.0.1:8000/docs")
    assert output(shown) == "\noffpath is running\nAPI http://127.0.0.1:8000/docs\n\n"


def test_a_terminal_shows_what_is_awaited_and_a_rule() -> None:
    shown = console(is_terminal=True)
    screen = Terminal(shown)
    screen.waiting(["mlflow 3 s", "train 2 s"])
    screen.waiting([])
    screen.summary("offpath is running", "API")
    assert "mlflow 3 s · train 2 s" in output(shown)
    assert "offpath is running" in output(shown)
    assert "────────" in output(shown)


def test_a_terminal_that_was_closed_does_not_matter() -> None:
    asked: list[str] = []

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            asked.append(text)
            raise OSError(5, "Input/output error")

    Terminal(Console(file=Closed())).step("goes on")
    assert asked
