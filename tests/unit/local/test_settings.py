import pytest

from local.settings import S3_PORTS, LocalSettings
from local.stack.environment import service_environment
from local.stack.storage import RETENTION_SECONDS
from offpath.contracts.errors import SettingsError


def test_the_defaults_are_the_documented_ones() -> None:
    settings = LocalSettings.load({})
    assert str(settings.home) == ".offpath"
    assert settings.api_url == "http://127.0.0.1:8000"
    assert settings.mlflow_url == "http://127.0.0.1:5000"
    assert settings.queue_url == "http://127.0.0.1:5566/123456789012/offpath-traces"
    assert settings.s3_url == "http://127.0.0.1:5577"


def test_message_waits_for_a_newer_writer_for_the_retention() -> None:
    settings = LocalSettings.load({})
    assert settings.queue_max_receives * settings.visibility_seconds > RETENTION_SECONDS


def test_every_port_is_listed_with_the_setting_that_moves_it() -> None:
    ports = LocalSettings.load({"OFFPATH_S3_PORT": "7000"}).ports()
    assert ("api", 8000, "OFFPATH_API_PORT") in ports
    assert [port for _, port, variable in ports if variable == "OFFPATH_S3_PORT"] == list(range(7000, 7008))


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_an_invalid_port_is_refused_by_name(port: str) -> None:
    with pytest.raises(SettingsError, match=f"OFFPATH_API_PORT='{port}'"):
        LocalSettings.load({"OFFPATH_API_PORT": port})


def test_the_s3_ports_must_fit_below_the_highest() -> None:
    assert LocalSettings.load({"OFFPATH_S3_PORT": str(65_536 - len(S3_PORTS))}).ports()[-1][1] == 65_535
    with pytest.raises(SettingsError, match="OFFPATH_S3_PORT"):
        LocalSettings.load({"OFFPATH_S3_PORT": "65530"})


def test_services_see_nothing_of_the_users_cloud_account() -> None:
    theirs = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret", "MLFLOW_TRACKING_URI": "https://production"}
    environ = service_environment(theirs | {"PATH": "/bin"}, LocalSettings())
    assert environ["PATH"] == "/bin"
    assert environ["AWS_ACCESS_KEY_ID"] == "offpath"
    assert environ["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:5577"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "MLFLOW_TRACKING_URI"} & environ.keys()


def test_services_get_the_users_settings_and_the_derived_ones() -> None:
    environ = service_environment({"OFFPATH_MAX_RECORDS": "5"}, LocalSettings(mlflow_port=5001, batch_size=7))
    assert environ["OFFPATH_MAX_RECORDS"] == "5"
    assert environ["OFFPATH_MLFLOW_URL"] == "http://127.0.0.1:5001"
    assert environ["OFFPATH_BATCH_SIZE"] == "7"


def test_loopback_goes_around_a_proxy() -> None:
    environ = service_environment({"NO_PROXY": "example.com"}, LocalSettings())
    assert environ["NO_PROXY"] == "example.com,127.0.0.1,localhost"
    assert environ["no_proxy"] == "127.0.0.1,localhost"
