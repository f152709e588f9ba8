"""The machine's settings."""

import pytest

from offpath_host.settings import HostSettings, HostSettingsError
from tests.support.machines.mlflow_host_settings import ENVIRON


def test_they_are_read_from_the_environment() -> None:
    settings = HostSettings.load(ENVIRON | {"OFFPATH_DOMAIN": "", "PATH": "/bin"})
    assert settings.database_port == 5432
    assert settings.names == ["ip-10-20-0-10.ec2.internal"]


def test_a_domain_is_one_of_the_servers_names() -> None:
    settings = HostSettings.load(ENVIRON | {"OFFPATH_DOMAIN": "mlflow.example.com"})
    assert settings.names == ["ip-10-20-0-10.ec2.internal", "mlflow.example.com"]


@pytest.mark.parametrize("name", ENVIRON)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(HostSettingsError, match=rf"{name}='': Field required"):
        HostSettings.load({other: value for other, value in ENVIRON.items() if other != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OFFPATH_DATABASE_ENGINE", "oracle"),
        ("OFFPATH_DATABASE_PORT", "many"),
        ("OFFPATH_DATABASE_NAME", "ml;flow"),
        ("OFFPATH_DATABASE_HOST", "data base"),
        ("OFFPATH_ARTIFACTS", "bucket"),
        ("OFFPATH_CA_OBJECT", "s3://bucket"),
        ("OFFPATH_PRIVATE_NAME", "-name"),
        ("OFFPATH_DOMAIN", "https://mlflow.example.com"),
        ("OFFPATH_BUCKET", "a"),
        ("OFFPATH_TRAINING_SECONDS", "0"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(HostSettingsError, match=f"{name}='{value}'"):
        HostSettings.load(ENVIRON | {name: value})
