"""The database's address."""

from pathlib import Path

from sqlalchemy import make_url

from offpath_host.database import database_url
from offpath_host.secrets import Login
from offpath_host.settings import HostSettings
from tests.support.machines.mlflow_host_settings import ENVIRON

LOGIN = Login("offpath", "p@ss/w:%rd")
CA = Path("/etc/ca.pem")


def test_postgresql_is_reached_over_tls_with_its_name_checked() -> None:
    url = make_url(database_url(HostSettings.load(ENVIRON), LOGIN, CA))
    assert (url.get_backend_name(), url.get_driver_name()) == ("postgresql", "psycopg2")
    assert (url.username, url.password) == ("offpath", "p@ss/w:%rd")
    assert (url.host, url.port, url.database) == ("db.example.rds.amazonaws.com", 5432, "mlflow")
    assert url.query == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


def test_mysql_is_reached_over_tls_in_all_of_unicode() -> None:
    settings = HostSettings.load(ENVIRON | {"OFFPATH_DATABASE_ENGINE": "mysql", "OFFPATH_DATABASE_PORT": "3306"})
    url = make_url(database_url(settings, LOGIN, CA))
    assert (url.get_backend_name(), url.get_driver_name(), url.port) == ("mysql", "pymysql", 3306)
    assert url.query == {"ssl_ca": "/etc/ca.pem", "charset": "utf8mb4"}
