"""A machine with PostgreSQL and MariaDB, reached over TLS only: what RDS is in AWS."""

from tests.support.machines.debian_machine import DebianMachine

NAME = "database"
CA_FILE = "/srv/ca.pem"
USERNAME = "offpath"
DATABASE = "mlflow"

CERTIFICATES = f"""
set -e
cd /srv
openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj "/CN=database CA" -keyout ca.key -out ca.pem 2>/dev/null
openssl req -new -newkey rsa:2048 -noenc -subj "/CN={NAME}" -keyout server.key -out server.csr 2>/dev/null
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -out server.pem \
    -extfile <(printf 'subjectAltName=DNS:{NAME}') 2>/dev/null
for user in postgres mysql; do
    install -d -o $user -m 700 /srv/$user
    install -o $user -m 600 server.key server.pem ca.pem /srv/$user
done
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


class DatabaseMachine(DebianMachine):
    """Both databases are called `mlflow`, and are `offpath`'s."""

    def __init__(self, name: str, network_name: str) -> None:
        super().__init__(name, network_name, NAME)

    def provide(self, password: str) -> None:
        """Set both up, with that password."""
        self.install(["postgresql", "mariadb-server", "openssl"])
        for script in (CERTIFICATES, POSTGRES, MARIADB):
            self.run(script, environ={"PASSWORD": password})

    @property
    def ca(self) -> str:
        """The CA certificate of both, in PEM."""
        return self.run(f"cat {CA_FILE}").text

    def query(self, engine: str, statement: str) -> str:
        """Return a statement's answer: fields with tabs between them."""
        psql = f"runuser -u postgres -- psql -d {DATABASE} -AtF $'\\t' -c"
        client = {"postgres": psql, "mysql": f"mariadb -N {DATABASE} -e"}[engine]
        return self.run(f'{client} "$STATEMENT"', environ={"STATEMENT": statement}).text
