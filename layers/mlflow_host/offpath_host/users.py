"""Provide the users that the pipeline needs in MLflow, with what each may do."""

from dataclasses import dataclass

from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

from offpath_host.secrets import Login
from offpath_host.unique_names import unique_foreign_keys

# A user may do everything with their own experiments and models; a grant goes beyond that. "*": all of the kind.
WRITER_GRANTS = {"experiment": "EDIT"}
MODEL_SYNC_GRANTS = {"registered_model": "READ"}
# The trainer goes on where others began, and removes from their experiments what its own broken attempts left there.
TRAINER_GRANTS = {"experiment": "EDIT", "registered_model": "EDIT", "logged_model": "MANAGE"}


@dataclass(frozen=True, slots=True)
class Users:
    """Hold the logins of the four users."""

    admin: Login
    writer: Login
    model_sync: Login
    trainer: Login


def provide(url: str, users: Users) -> None:
    """Let each user exist with this password and these grants, whatever was there before.

    So a password is rotated by a change of its secret and a new start. Other users are left alone.
    """
    store = SqlAlchemyStore()
    with unique_foreign_keys():
        store.init_db(url)  # type: ignore[no-untyped-call]
    _provide(store, users.admin, is_admin=True)
    granted = (
        (users.writer, WRITER_GRANTS),
        (users.model_sync, MODEL_SYNC_GRANTS),
        (users.trainer, TRAINER_GRANTS),
    )
    for login, grants in granted:
        _provide(store, login, is_admin=False)
        for kind, permission in grants.items():
            store.grant_user_permission(login.username, kind, "*", permission)
    store.engine.dispose()


def _provide(store: SqlAlchemyStore, login: Login, *, is_admin: bool) -> None:
    if store.has_user(login.username):
        store.update_user(login.username, login.password, is_admin)
    else:
        store.create_user(login.username, login.password, is_admin)
