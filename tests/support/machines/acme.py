"""A certificate authority that speaks ACME, as Let's Encrypt does: Pebble, on a Debian machine."""

import json

from local.testbed.debian_machine import DebianMachine

DIRECTORY = "https://database:14000/dir"
CONFIG = {
    "listenAddress": "0.0.0.0:14000",
    "managementListenAddress": "127.0.0.1:15000",
    "certificate": "/srv/server.pem",
    "privateKey": "/srv/server.key",
    "httpPort": 80,
    "tlsPort": 443,
}
UNIT = """
[Service]
ExecStart=/usr/bin/pebble -config /srv/pebble.json -dnsserver 127.0.0.11:53
Environment=PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0
"""


def start(machine: DebianMachine) -> None:
    """Let the machine, which has a certificate for its name in /srv, be such an authority."""
    machine.install(["pebble"])
    machine.write("/srv/pebble.json", json.dumps({"pebble": CONFIG}))
    machine.write("/etc/systemd/system/pebble.service", UNIT)
    machine.run("systemctl daemon-reload && systemctl start pebble")
    root = "curl --silent --fail --insecure --retry 20 --retry-connrefused https://127.0.0.1:15000/roots/0"
    machine.run(f"{root} >/root/acme-root.pem")
