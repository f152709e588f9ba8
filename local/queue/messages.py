"""Keep the messages of queues in a SQLite file.

What is on a queue outlives the process, however that ends: each change is in the file before it is answered. Every
question is answered by an index, so that it takes as long with 100,000 messages as with ten.
"""

import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS queues (url TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    sent_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    receive_count INTEGER NOT NULL,
    receipt TEXT,
    first_receive_at REAL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_visibility ON messages (queue, visible_at, receive_count);
CREATE INDEX IF NOT EXISTS by_age ON messages (queue, sent_at);
CREATE INDEX IF NOT EXISTS by_receives ON messages (queue, receive_count);
CREATE UNIQUE INDEX IF NOT EXISTS by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
"""
_STATE = ("sent_at", "visible_at", "receive_count", "first_receive_at")


@dataclass(frozen=True, slots=True)
class Counts:
    """Count the messages of a queue: those that can be received, that will be, and that somebody has received."""

    visible: int
    delayed: int
    in_flight: int


class Messages:
    """The messages of all queues. Times are in seconds since the epoch. Each method may raise sqlite3.Error.

    A message is a dictionary that MiniStack makes, with `sent_at`, `visible_at`, `receive_count`, `first_receive_at`
    and `receipt_handle` in it.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        # A killed process loses nothing; a machine that loses its power may lose the last changes.
        settings = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        self._database.executescript(f"{settings} {_TABLES} PRAGMA incremental_vacuum;")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes of the block, or none of them."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def queues(self) -> dict[str, dict[str, Any]]:
        """Return what was kept of each queue, by its URL."""
        return {url: json.loads(text) for url, text in self._database.execute("SELECT url, document FROM queues")}

    def keep_queue(self, url: str, document: Mapping[str, Any]) -> None:
        """Keep what there is to know of a queue beside its messages."""
        self._database.execute("INSERT OR REPLACE INTO queues VALUES (?, ?)", (url, json.dumps(document)))

    def delete_queue(self, url: str) -> None:
        """Remove a queue with its messages."""
        self._database.execute("DELETE FROM queues WHERE url = ?", (url,))
        self.purge(url)

    def purge(self, queue: str) -> None:
        """Remove all messages of a queue."""
        self._database.execute("DELETE FROM messages WHERE queue = ?", (queue,))

    def add(self, queue: str, messages: Iterable[Mapping[str, Any]]) -> None:
        """Put messages on a queue."""
        self._database.executemany(
            "INSERT INTO messages (queue, document, sent_at, visible_at, receive_count, first_receive_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            ((queue, json.dumps(message), *(message[name] for name in _STATE)) for message in messages),
        )

    def receive(self, queue: str, limit: int, now: float, visible_again_at: float) -> list[dict[str, Any]]:
        """Return at most `limit` messages that can be received now, and hide them until then.

        Those come first that could be received first.
        """
        rows = self._database.execute(
            "SELECT number FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, number LIMIT ?",
            (queue, now, limit),
        ).fetchall()
        return [self._received(number, now, visible_again_at) for (number,) in rows]

    def _received(self, number: int, now: float, visible_again_at: float) -> dict[str, Any]:
        receipt = str(uuid.uuid4())
        document, *state = self._database.execute(
            "UPDATE messages SET receipt = ?, visible_at = ?, receive_count = receive_count + 1,"
            " first_receive_at = coalesce(first_receive_at, ?) WHERE number = ?"
            " RETURNING document, sent_at, visible_at, receive_count, first_receive_at",
            (receipt, visible_again_at, now, number),
        ).fetchone()
        message: dict[str, Any] = json.loads(document)
        return message | dict(zip(_STATE, state, strict=True)) | {"receipt_handle": receipt}

    def release_all(self, now: float) -> int:
        """Let be received again at once what somebody has received; return how many messages these are."""
        statement = "UPDATE messages SET visible_at = ? WHERE visible_at > ? AND receive_count > 0"
        return self._database.execute(statement, (now, now)).rowcount

    def delete(self, queue: str, receipt: str) -> bool:
        """Remove the message that was received so. Return False if there is none."""
        return self._changed("DELETE FROM messages WHERE receipt = ? AND queue = ?", receipt, queue)

    def show_at(self, queue: str, receipt: str, time: float) -> bool:
        """Hide the message that was received so until then. Return False if there is none."""
        return self._changed("UPDATE messages SET visible_at = ? WHERE receipt = ? AND queue = ?", time, receipt, queue)

    def expire(self, queue: str, sent_until: float) -> None:
        """Remove the messages that were sent by then."""
        self._database.execute("DELETE FROM messages WHERE queue = ? AND sent_at <= ?", (queue, sent_until))

    def redrive(self, queue: str, receives: int, target: str, now: float) -> None:
        """Move what was received so often, and can be received again, to another queue."""
        self._database.execute(
            "UPDATE messages SET queue = ?, visible_at = ?, receipt = NULL"
            " WHERE queue = ? AND receive_count >= ? AND visible_at <= ?",
            (target, now, queue, receives, now),
        )

    def move(self, source: str, target: str, now: float) -> None:
        """Move all messages that can be received from one queue to another, as if they had just been sent."""
        self._database.execute(
            "UPDATE messages SET queue = ?, visible_at = ?, sent_at = ?, receipt = NULL, receive_count = 0,"
            " first_receive_at = NULL WHERE queue = ? AND visible_at <= ?",
            (target, now, now, source, now),
        )

    def count(self, queue: str, now: float) -> Counts:
        """Count the messages of a queue."""
        row = self._database.execute(
            "SELECT count(*) FILTER (WHERE visible_at <= :now),"
            " count(*) FILTER (WHERE visible_at > :now AND receive_count = 0),"
            " count(*) FILTER (WHERE visible_at > :now AND receive_count > 0) FROM messages WHERE queue = :queue",
            {"now": now, "queue": queue},
        ).fetchone()
        return Counts(*row)

    def _changed(self, statement: str, *values: object) -> bool:
        return self._database.execute(statement, values).rowcount > 0
