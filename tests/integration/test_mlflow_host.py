"""MLflow's own stores, as the machine prepares them, and what it puts into S3."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

from offpath_host import serve
from offpath_host.database import upgrade
from offpath_host.publish_ca import publish
from offpath_host.secrets import Login
from offpath_host.users import MODEL_SYNC_GRANTS, TRAINER_GRANTS, WRITER_GRANTS, Users, provide

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

USERS = Users(
    admin=Login("admin", "long-password-1"),
    writer=Login("trace-writer", "long-password-2"),
    model_sync=Login("model-sync", "long-password-3"),
    trainer=Login("trainer", "long-password-4"),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlflow.db"


def granted(store: SqlAlchemyStore, username: str) -> dict[str, str]:
    roles = store.list_user_roles(store.get_user(username).id)
    return {row.resource_type: row.permission for role in roles for row in store.list_role_permissions(role.id)}


def opened(url: str) -> SqlAlchemyStore:
    store = SqlAlchemyStore()
    store.init_db(url)  # type: ignore[no-untyped-call]
    return store


def test_the_users_are_made_with_their_grants(url: str) -> None:
    provide(url, USERS)
    store = opened(url)
    assert {user.username: user.is_admin for user in store.list_users()} == {
        "admin": True,
        "trace-writer": False,
        "model-sync": False,
        "trainer": False,
    }
    assert granted(store, "trace-writer") == WRITER_GRANTS
    assert granted(store, "model-sync") == MODEL_SYNC_GRANTS
    assert granted(store, "trainer") == TRAINER_GRANTS
    store.engine.dispose()


def test_a_later_start_resets_passwords_and_grants(url: str) -> None:
    provide(url, USERS)
    store = opened(url)
    store.create_user("ada", "long-password-5")
    store.update_user("admin", "forgotten-password-5", is_admin=False)

    provide(url, replace(USERS, admin=Login("admin", "long-password-6")))

    assert store.authenticate_user("admin", "long-password-6")
    assert not store.authenticate_user("admin", "forgotten-password-5")
    assert store.get_user("admin").is_admin
    assert store.authenticate_user("ada", "long-password-5")
    store.engine.dispose()


def test_the_schema_is_made_once_and_then_upgraded(url: str) -> None:
    for _ in range(2):
        upgrade(url)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        assert database.execute("select count(*) from alembic_version").fetchone() == (1,)
        assert database.execute("select count(*) from trace_info").fetchone() == (0,)
    database.close()


def test_the_ca_is_published_where_it_was_asked_for(s3: "S3Client", bucket_name: str) -> None:
    publish(b"PEM", f"s3://{bucket_name}/mlflow/ca.pem", "us-east-1")
    assert s3.get_object(Bucket=bucket_name, Key="mlflow/ca.pem")["Body"].read() == b"PEM"


def test_the_users_file_is_for_the_server_alone(tmp_path: Path) -> None:
    path = serve._auth_file(tmp_path, "sqlite:///x.db")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "sqlite:///x.db" in path.read_text()
