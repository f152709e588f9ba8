"""What MLflow's store of users needs to be made on MySQL: foreign keys with names of their own.

Its first migration calls two of them the same, which MySQL and MariaDB refuse within one database
(https://github.com/mlflow/mlflow/issues/9642).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

_TABLE = re.compile(r"\s*CREATE TABLE `?(\w+)`?")
_SHARED = "CONSTRAINT fk_user_id "


@contextmanager
def unique_foreign_keys() -> Iterator[None]:
    """Within it, a table that any engine creates gets a foreign key of its own name for the shared one."""
    event.listen(Engine, "before_cursor_execute", _renamed, retval=True)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _renamed)


def _renamed(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any) -> tuple[str, Any]:
    if created := _TABLE.match(statement):
        statement = statement.replace(_SHARED, f"CONSTRAINT fk_{created[1]}_user_id ")
    return statement, parameters
