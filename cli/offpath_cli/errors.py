"""Name the errors that end a command; the message of each says what is wrong and what to do.

CommandError
├── ModelRefused      the model cannot be registered; nothing lasting was done
│   └── AnswersDiffer the original and its ONNX form do not answer alike
├── CompareError      the comparison cannot be made
├── PredictError      rows cannot be predicted
└── RerunError        a prediction cannot be made again
"""


class CommandError(Exception):
    """A command cannot do what it was asked to."""


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


def first_line(error: BaseException, most: int = 300) -> str:
    """Return the first line of a library's message, cut off at `most` characters: some go on for pages."""
    line = str(error).strip().partition("\n")[0].strip()
    return line if len(line) <= most else line[: most - 1] + "…"
