"""A machine with PostgreSQL and MariaDB, reached over TLS only: what RDS is in AWS."""

from collections.abc import Sequence

from local.testbed.debian_machine import DebianMachine

CA_FILE = "/srv/ca.pem"
USERNAME = "offpath"
DATABASE = "mlflow"

CERTIFICATES = """
set -e
cd /srv
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj "/CN=database CA" -keyout ca.key -out ca.pem 2>/dev/null
openssl req -new -newkey rsa:2048 -noenc -subj "/CN=database" -keyout server.key -out server.csr 2>/dev/null
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -out server.pem \
    -extfile <(printf "subjectAltName=DNS:$HOST") 2>/dev/null
"""

# The user of the system that a database runs as, which may read the certificate.
OWNED = """
set -e
install -d -o $OWNER -m 700 /srv/$OWNER
cd /srv
install -o $OWNER -m 600 server.key server.pem ca.pem /srv/$OWNER
"""

POSTGRES = f"""
set -e
cat > /etc/postgresql/15/main/conf.d/test.conf <<END
listen_addresses = '*'
ssl = on
ssl_cert_file = '/srv/postgres/server.pem'
ssl_key_file = '/srv/postgres/server.key'
END
echo 'hostssl all all all scram-sha-256' > /etc/postgresql/15/main/pg_hba.conf
echo 'local all postgres peer' >> /etc/postgresql/15/main/pg_hba.conf
systemctl restart postgresql
runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 <<END
create user {USERNAME} password '$PASSWORD';
create database {DATABASE} owner {USERNAME};
END
"""

MARIADB = f"""
set -e
cat > /etc/mysql/mariadb.conf.d/99-test.cnf <<END
[mariadbd]
bind-address = *
require_secure_transport = ON
ssl_cert = /srv/mysql/server.pem
ssl_key = /srv/mysql/server.key
END
systemctl restart mariadb
mariadb <<END
create database {DATABASE} character set utf8mb4;
create user '{USERNAME}'@'%' identified by '$PASSWORD';
grant all on {DATABASE}.* to '{USERNAME}'@'%';
END
"""


# By the names that MLflow's machine has for the databases: package, and script.
ENGINES = {"postgres": ("postgresql", POSTGRES), "mysql": ("mariadb-server", MARIADB)}


class DatabaseMachine(DebianMachine):
    """A database, or both, called `mlflow`, and `offpath`'s."""

    def provide(self, host: str, password: str, engines: Sequence[str] = tuple(ENGINES)) -> None:
        """Set them up. host: the name by which they are reached. password: of the database's owner."""
        self.install([*(ENGINES[engine][0] for engine in engines), "openssl"])
        self.run(CERTIFICATES, environ={"HOST": host})
        for engine in engines:
            self.run(OWNED, environ={"OWNER": engine})
            self.run(ENGINES[engine][1], environ={"PASSWORD": password})

    @property
    def ca(self) -> str:
        """The CA certificate of both, in PEM."""
        return self.run(f"cat {CA_FILE}").text

    def query(self, engine: str, statement: str) -> str:
        """Return a statement's answer: fields with tabs between them."""
        psql = f"runuser -u postgres -- psql -d {DATABASE} -AtF $'\\t' -c"
        client = {"postgres": psql, "mysql": f"mariadb -N {DATABASE} -e"}[engine]
        return self.run(f'{client} "$STATEMENT"', environ={"STATEMENT": statement}).text
