"""`python -m local.queue`: an SQS on this machine, whose messages outlive it."""

import os
import sqlite3
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from local.settings import ACCOUNT, HOST, REGION


def main(
    file: Annotated[Path, typer.Argument(help="The file of queues and messages; made if it is not there.")],
    host: Annotated[str, typer.Option(help="The address to serve on.")] = HOST,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The TCP port to serve on.")] = 5566,
) -> None:
    """Serve SQS on this machine until Ctrl-C. Queues and messages are in a file, which one server may use at a time."""
    # MiniStack reads these as it is imported.
    os.environ |= {"MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION}
    from local.queue.lasting_sqs import LastingSqs
    from local.queue.messages import Messages
    from local.queue.server import application

    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        lasting = LastingSqs(Messages(file))
        lasting.install()
    except (sqlite3.Error, ValueError) as error:
        typer.echo(f"{file} cannot be used: {error}. If it is damaged, move it away: a new one is made", err=True)
        raise typer.Exit(1) from error
    uvicorn.run(application(lasting), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    typer.run(main)
