"""Choose dead letters: by id, model or reason, or all."""

from collections.abc import Sequence
from dataclasses import dataclass

from offpath_cli.dead_letters.letters import Letter
from offpath_cli.errors import CommandError

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold what was asked for.

    ids: of messages or traces, whole or their beginnings. reason: a part of it, or the kind of error. everything:
    whether all are meant that model and reason do not rule out.
    """

    ids: Sequence[str] = ()
    model: str = ""
    reason: str = ""
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was asked for."""
        return not (self.ids or self.model or self.reason or self.everything)

    @property
    def is_all(self) -> bool:
        """Return whether nothing is ruled out."""
        return self.everything and not (self.ids or self.model or self.reason)

    def of(self, known: Sequence[Letter]) -> list[Letter]:
        """Return those that were asked for, settled ones too. Raises CommandError for an id that names none or many."""
        found = [letter for given in self.ids for letter in named(known, given)] if self.ids else known
        return [letter for letter in dict.fromkeys(found) if self._fits(letter)]

    def _fits(self, letter: Letter) -> bool:
        wanted = self.reason.lower()
        is_reason = wanted in letter.reason.lower() or wanted == letter.error.lower()
        return self.model in ("", letter.model) and is_reason


def named(known: Sequence[Letter], given: str) -> list[Letter]:
    """Return the letters of that id: one message, or those of one trace. Raises CommandError."""
    wanted = given.removeprefix("tr-")
    if exact := [letter for letter in known if letter.name == given or wanted == letter.trace_id]:
        return exact
    begun = [letter for letter in known if letter.name.startswith(given) or letter.trace_id.startswith(wanted)]
    if not begun:
        raise CommandError(f"there is no dead letter {given!r}: `offpath dead-letters --settled` lists all")
    if len({letter.trace_id or letter.name for letter in begun}) > 1:
        names = ", ".join(letter.name for letter in begun[:_SHOWN])
        raise CommandError(f"{len(begun)} dead letters begin with {given!r}: {names}{' …' * (len(begun) > _SHOWN)}")
    return begun
