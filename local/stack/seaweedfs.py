"""Describe SeaweedFS, the S3 of the local stack: its options, its users, and how it shows that it serves."""

import json
from pathlib import Path

from local.settings import ACCESS_KEY, HOST, S3_PORTS, SECRET_KEY, LocalSettings
from local.stack.home import Home
from local.stack.web import fetch, succeeds
from offpath.contracts.errors import Transient

# Files grow as they are filled; these two bound what S3 may hold together: 100 GB.
VOLUME_MEGABYTES = 1_000
VOLUMES = 100

IDENTITIES = {
    "identities": [
        {
            "name": "offpath",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


def write_identities(path: Path) -> None:
    """Write the file of S3's users, which nobody else on this machine can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)  # it may be there already
    path.write_text(json.dumps(IDENTITIES))


def server_options(settings: LocalSettings, home: Home) -> list[str]:
    """Return the arguments of `weed server`: each of its servers on 127.0.0.1, with its data in the state folder."""
    port = {name: settings.s3_port + offset for offset, name in enumerate(S3_PORTS)}
    options: dict[str, object] = {
        "dir": home.s3,
        "ip": HOST,
        "ip.bind": HOST,
        "master.port": port["master"],
        "master.port.grpc": port["master.grpc"],
        "master.telemetry": "false",
        "master.peers": "none",  # no election: it would take seconds
        "master.volumeSizeLimitMB": VOLUME_MEGABYTES,
        "volume.max": VOLUMES,
        "volume.port": port["volume"],
        "volume.port.grpc": port["volume.grpc"],
        "volume.preStopSeconds": 0,
        "filer.port": port["filer"],
        "filer.port.grpc": port["filer.grpc"],
        "s3.port": port["s3"],
        "s3.port.grpc": port["s3.grpc"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": home.s3_identities,
        "metricsPort": 0,
    }
    return ["-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]


def serves(settings: LocalSettings) -> bool:
    """Return whether S3 takes requests and knows what it holds.

    Its server is up before the volumes of the last run are known, and fails to read until they are.
    """
    master = f"http://{HOST}:{settings.s3_port + S3_PORTS.index('master')}"
    return succeeds(f"{settings.s3_url}/healthz") and has_volumes(f"{master}/dir/status")


def has_volumes(status_url: str) -> bool:
    """Return whether SeaweedFS's volume server has told its master what it holds."""
    try:
        centers = fetch(status_url)["Topology"]["DataCenters"] or []
        return any(rack["DataNodes"] for center in centers for rack in center["Racks"])
    except (Transient, KeyError, TypeError):
        return False
