"""Why a model is not registered."""


class Refused(Exception):
    """A model that cannot be registered; nothing lasting was done. The message says what is wrong and what to do."""


def first_line(error: BaseException, most: int = 300) -> str:
    """What a library says, as far as it fits into a message: some go on for pages."""
    line = str(error).strip().partition("\n")[0].strip()
    return line if len(line) <= most else line[: most - 1] + "…"
