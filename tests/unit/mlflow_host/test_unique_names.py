"""Names of foreign keys."""

from sqlalchemy import create_engine, text

from offpath_host.unique_names import unique_foreign_keys

TABLE = "CREATE TABLE {} (user_id INTEGER, CONSTRAINT fk_user_id FOREIGN KEY(user_id) REFERENCES users (id))"


def test_each_table_has_a_foreign_key_of_its_own_name() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text(TABLE.format("outside")))
        with unique_foreign_keys():
            for name in ("experiment_permissions", "registered_model_permissions"):
                connection.execute(text(TABLE.format(name)))
        made = {row.name: row.sql for row in connection.execute(text("select name, sql from sqlite_master"))}
    engine.dispose()
    assert "CONSTRAINT fk_user_id " in made["outside"]
    for name in ("experiment_permissions", "registered_model_permissions"):
        assert f"CONSTRAINT fk_{name}_user_id FOREIGN KEY(user_id)" in made[name]
