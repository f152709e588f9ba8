"""Give the foreign keys of MLflow's store of users names of their own, without which MySQL refuses to make it.

The store's first migration calls two of them the same, which MySQL and MariaDB refuse within one database
(https://github.com/mlflow/mlflow/issues/9642).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

_TABLE = re.compile(r"\s*CREATE TABLE `?(\w+)`?")
_SHARED = "CONSTRAINT fk_user_id "


@contextmanager
def unique_foreign_keys() -> Iterator[None]:
    """Let a table that any engine creates within the block get a foreign key of its own name for the shared one."""
    event.listen(Engine, "before_cursor_execute", _renamed, retval=True)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _renamed)


def _renamed(
    _connection: object, _cursor: object, statement: str, parameters: object, *_others: object
) -> tuple[str, object]:
    if created := _TABLE.match(statement):
        statement = statement.replace(_SHARED, f"CONSTRAINT fk_{created[1]}_user_id ")
    return statement, parameters
