"""Name the errors that end a command; the message of each says what is wrong and what to do.

CommandError           exit code 1
├── ModelRefused      the model cannot be registered; nothing lasting was done
│   └── AnswersDiffer the original and its ONNX form do not answer alike
├── CompareError      the comparison cannot be made
├── PredictError      rows cannot be predicted
├── RerunError        a prediction cannot be made again
└── CouldNotTell      exit code 3: a service that the answer depends on cannot be reached
"""

from typing import ClassVar


class CommandError(Exception):
    """A command cannot do what it was asked to.

    exit_code: that of the command. 2 is Typer's, for options that cannot be used.
    """

    exit_code: ClassVar[int] = 1


class ModelRefused(CommandError):
    """A model cannot be registered; nothing lasting was done."""


class AnswersDiffer(ModelRefused):
    """The original and its ONNX form do not answer alike."""


class CompareError(CommandError):
    """A comparison cannot be made."""


class PredictError(CommandError):
    """Rows of a file cannot be predicted."""


class RerunError(CommandError):
    """A prediction cannot be made again."""


class CouldNotTell(CommandError):
    """A service does not answer, so that the command can say neither that all is well nor that it is not."""

    exit_code = 3


def first_line(error: BaseException, most: int = 300) -> str:
    """Return the first line of a library's message, cut off at `most` characters: some go on for pages."""
    line = str(error).strip().partition("\n")[0].strip()
    return line if len(line) <= most else line[: most - 1] + "…"
