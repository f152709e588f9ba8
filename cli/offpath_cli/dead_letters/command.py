"""Run `offpath dead-letters`, and its commands `list`, `show`, `redrive` and `drop`."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from offpath_cli.dead_letters import show as shown_whole
from offpath_cli.dead_letters.choice import Choice, named
from offpath_cli.dead_letters.letters import Letter, letters
from offpath_cli.dead_letters.table import document_of, table_of
from offpath_cli.errors import CommandError
from offpath_cli.reaching import reaching
from offpath_cli.where import StackName, find_pipeline

if TYPE_CHECKING:
    from local.aws.sqs import SqsConsumer
    from offpath_cli.dead_letters.resolve import Resolved
    from offpath_cli.dead_letters.settle import Settled, Settlement
    from offpath_cli.where import Pipeline

# For as long, what is on the dead-letter queue is hidden from others, if the command is killed.
_HIDDEN_SECONDS = 600
_SHOWN_LEFT = 20

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Hold the options of `offpath dead-letters`."""

    context: typer.Context
    model: Annotated[str, typer.Option(help="Only those of this model.")] = ""
    reason: Annotated[str, typer.Option(help="Only those whose reason holds this text, or is of this kind.")] = ""
    settled: Annotated[bool, typer.Option("--settled", help="List those that were redriven or dropped, too.")] = False
    stack: StackName = ""
    as_json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions:
    """Hold the options of `offpath dead-letters show`."""

    id: Annotated[str, typer.Argument(help="The id of the letter or of its trace, or its beginning.")]
    stack: StackName = ""
    as_json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleOptions:
    """Hold the options of `offpath dead-letters redrive` and `drop`."""

    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids of letters or of traces, or their beginnings.", show_default=False)
    ] = None
    everything: Annotated[
        bool, typer.Option("--all", help="All that are open, those on the queue without a copy in S3 included.")
    ] = False
    model: Annotated[str, typer.Option(help="Those of this model.")] = ""
    reason: Annotated[str, typer.Option(help="Those whose reason holds this text, or is of this kind.")] = ""
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False
    stack: StackName = ""
    as_json: AsJson = False


def dead_letters(options: ListOptions) -> None:
    """List the events that could not be delivered as they are, with the reason.

    It reads their copies in S3, so that nothing on the queue is disturbed. The exit code is 1 if there are any.
    """
    if options.context.invoked_subcommand:
        return
    pipeline = find_pipeline(options.stack)
    with reaching(pipeline):
        known = _known(pipeline)
        on_queue = sum(_queue(pipeline).waiting())
    chosen = Choice(model=options.model, reason=options.reason, everything=True).of(known)
    found = [letter for letter in chosen if options.settled or letter.state in {"open", "unreadable"}]
    if options.as_json:
        typer.echo(json.dumps({"letters": [document_of(letter) for letter in found], "on_queue": on_queue}, indent=2))
    else:
        _print_list(pipeline, found, on_queue)
    if on_queue or any(letter.state in {"open", "unreadable"} for letter in found):
        raise typer.Exit(1)


def show(options: ShowOptions) -> None:
    """Show a dead letter whole: attributes, reason, and what its spans hold."""
    pipeline = find_pipeline(options.stack)
    with reaching(pipeline):
        found = [shown_whole.document_of(pipeline.bucket(), one) for one in named(_known(pipeline), options.id)]
    console = Console(highlight=False, soft_wrap=True)
    for document in found:
        if options.as_json:
            typer.echo(json.dumps(document, indent=2))
        else:
            shown_whole.print_letter(console, document)


def redrive(options: SettleOptions) -> None:
    """Put dead letters back on the queue of events, once their reason is mended.

    The body of a large one is brought back if it expired. Their copies in S3 say so from then on, and they leave the
    dead-letter queue. The exit code is 1 if some could not be put back.
    """
    _settle(options, "be put back on the queue", "redriven", lambda settlement: settlement.redrive)


def drop(options: SettleOptions) -> None:
    """Give dead letters up: they leave the dead-letter queue. Their copies stay in S3, and say so."""
    _settle(options, "be given up", "dropped", lambda settlement: settlement.drop)


def _settle(
    options: SettleOptions,
    doing: str,
    done: str,
    settle_of: "Callable[[Settlement], Callable[[Iterable[str]], Settled]]",
) -> None:
    choice = Choice(options.ids or (), options.model, options.reason, options.everything)
    if choice.is_empty:
        raise typer.BadParameter("name ids, or --model, --reason or --all")
    pipeline = find_pipeline(options.stack)
    with reaching(pipeline):
        known = _known(pipeline)
        on_queue = sum(_queue(pipeline).waiting())
    chosen = choice.of(known)
    to_do = [letter for letter in chosen if letter.is_open]
    _announce(pipeline, to_do, f"{len(to_do)} dead letter(s) will {doing}", choice, on_queue)
    if options.dry_run:
        if options.as_json:
            typer.echo(json.dumps({"chosen": [document_of(letter) for letter in to_do]}, indent=2))
        return
    if not options.yes and (to_do or (choice.is_all and on_queue)) and not _confirmed():
        raise CommandError("nothing was done: answer y, or give --yes")
    with reaching(pipeline):
        resolved = _resolved(pipeline, known, to_do, choice, settle_of)
    _report(options, resolved, done)


def _resolved(
    pipeline: "Pipeline",
    known: Sequence[Letter],
    to_do: Sequence[Letter],
    choice: Choice,
    settle_of: "Callable[[Settlement], Callable[[Iterable[str]], Settled]]",
) -> "Resolved":
    from offpath.aws.sqs import SqsQueue
    from offpath_cli.dead_letters.resolve import Resolution
    from offpath_cli.dead_letters.settle import Settlement

    count = 0
    with Console(stderr=True, highlight=False).status(f"0 of {len(to_do):,}") as status:

        def tell(more: int) -> None:
            nonlocal count
            count += more
            status.update(f"{count:,} of {len(to_do):,}")

        events = SqsQueue(pipeline.sqs(), pipeline.queue_url)
        settlement = Settlement(pipeline.bucket(), events, _now, tell)
        resolution = Resolution(pipeline.bucket(), _queue(pipeline), settle_of(settlement), _now)
        return resolution.run(known, to_do, orphans_too=choice.is_all)


def _report(options: SettleOptions, resolved: "Resolved", done: str) -> None:
    settled, cleared = resolved.settled, resolved.cleared
    if options.as_json:
        document = {done: settled.done, "left": settled.left, "off_queue": cleared.removed, "on_queue": cleared.kept}
        typer.echo(json.dumps(document, indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"{len(settled.done)} {done}; {cleared.removed} left the dead-letter queue, {cleared.kept} stay")
        for key, reason in list(settled.left.items())[:_SHOWN_LEFT]:
            console.print(f"  {key} stays: {reason}", markup=False)
    if settled.left:
        raise typer.Exit(1)


def _announce(pipeline: "Pipeline", to_do: Sequence[Letter], text: str, choice: Choice, on_queue: int) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if to_do:
        console.print(table_of(to_do))
    more = f", and what of the {on_queue} on the dead-letter queue has no copy in S3" if choice.is_all else ""
    console.print(f"{pipeline.name}: {text}{more}")


def _print_list(pipeline: "Pipeline", found: Sequence[Letter], on_queue: int) -> None:
    console = Console(highlight=False)
    if found:
        console.print(table_of(found))
    count = sum(letter.is_open for letter in found)
    console.print(f"{pipeline.name}: {count} open dead letter(s) in S3, {on_queue} on the dead-letter queue")
    if count or on_queue:
        console.print("once the reason is mended: offpath dead-letters redrive --all", soft_wrap=True)


def _confirmed() -> bool:
    try:
        return typer.confirm("Do it?", err=True)
    except typer.Abort:
        return False


def _known(pipeline: "Pipeline") -> list[Letter]:
    with Console(stderr=True, highlight=False).status("reading dead letters"):
        return list(letters(pipeline.bucket()))


def _queue(pipeline: "Pipeline") -> "SqsConsumer":
    from local.aws.sqs import SqsConsumer

    return SqsConsumer(pipeline.sqs(), pipeline.dead_letter_url, _HIDDEN_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
