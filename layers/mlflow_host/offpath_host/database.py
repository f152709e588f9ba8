"""Give the address of MLflow's database, and bring its schema up to date."""

from pathlib import Path

from mlflow.db import commands as tracking_commands
from sqlalchemy import URL

from offpath_host.secrets import Login
from offpath_host.settings import HostSettings

# Certificates that the database's certificate is checked by; AWS publishes those of RDS.
CA_FILE = Path("/etc/offpath/database-ca.pem")


def database_url(settings: HostSettings, login: Login, ca_file: Path = CA_FILE) -> str:
    """Return the address for SQLAlchemy, password included: over TLS, with the server's certificate and name checked.

    Of PostgreSQL's modes only verify-full checks the name too
    (https://www.postgresql.org/docs/current/libpq-ssl.html); PyMySQL does whenever it is given a CA.
    """
    drivers = {"postgres": "postgresql+psycopg2", "mysql": "mysql+pymysql"}
    queries = {
        "postgres": {"sslmode": "verify-full", "sslrootcert": str(ca_file)},
        "mysql": {"ssl_ca": str(ca_file), "charset": "utf8mb4"},
    }
    url = URL.create(
        drivers[settings.database_engine],
        login.username,
        login.password,
        settings.database_host,
        settings.database_port,
        settings.database_name,
        query=queries[settings.database_engine],
    )
    return url.render_as_string(hide_password=False)


def upgrade(url: str) -> None:
    """Bring the tracking store's tables up to this MLflow's version, or make them.

    It is MLflow's own command, called in this process: on a command line the URL would show its password. The store of
    users does likewise whenever it is opened.
    """
    tracking_commands.main(["upgrade", url], standalone_mode=False)
