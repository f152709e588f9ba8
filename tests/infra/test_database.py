"""MLflow's database, of either engine."""

import pytest

from tests.infra.rendered import LEAST, Stack
from tests.infra.template import TEMPLATE

ENGINES = {engine: Stack({**LEAST, "DatabaseEngine": engine}) for engine in ("postgres", "mysql")}
BOTH = pytest.mark.parametrize("stack", ENGINES.values(), ids=ENGINES)


@BOTH
def test_the_database_is_private(stack: Stack) -> None:
    assert stack["Database"]["PubliclyAccessible"] is False
    assert stack["DatabaseSubnets"]["SubnetIds"] == ["DatabaseSubnetA", "DatabaseSubnetB"]
    assert stack["Database"]["DBSubnetGroupName"] == "DatabaseSubnets"
    assert stack["Database"]["VPCSecurityGroups"] == ["DatabaseSecurityGroup"]


@BOTH
def test_the_database_is_encrypted(stack: Stack) -> None:
    assert stack["Database"]["StorageEncrypted"] is True


@pytest.mark.parametrize(
    ("engine", "parameter"), [("postgres", "rds.force_ssl"), ("mysql", "require_secure_transport")]
)
def test_the_database_takes_tls_only(engine: str, parameter: str) -> None:
    assert ENGINES[engine]["DatabaseParameters"]["Parameters"][parameter] == "1"
    assert ENGINES[engine]["Database"]["DBParameterGroupName"] == "DatabaseParameters"


@BOTH
def test_the_database_is_not_lost_with_the_stack(stack: Stack) -> None:
    database = stack.resources["Database"]
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"
    assert database["Properties"]["DeletionProtection"] == "true"
    assert database["Properties"]["CopyTagsToSnapshot"] is True


@BOTH
def test_database_can_be_restored_to_any_time_last_week(stack: Stack) -> None:
    assert stack["Database"]["BackupRetentionPeriod"] == "7"
    assert TEMPLATE["Parameters"]["DatabaseBackupDays"]["MinValue"] == 1


@BOTH
def test_the_database_cannot_be_replaced_by_an_empty_one(stack: Stack) -> None:
    # CloudFormation fails an update that would replace what has a name of its own.
    assert stack["Database"]["DBInstanceIdentifier"] == "offpath-1a2b3c4d"


@BOTH
def test_the_database_is_kept_up_to_date(stack: Stack) -> None:
    assert stack["Database"]["AutoMinorVersionUpgrade"] is True
    assert (
        stack["DatabaseParameters"]["Family"]
        == {"postgres": "postgres18", "mysql": "mysql8.4"}[stack.parameters["DatabaseEngine"]]
    )
    family = stack["DatabaseParameters"]["Family"]
    assert family == stack["Database"]["Engine"] + stack["Database"]["EngineVersion"]


@BOTH
def test_the_databases_disk_grows_of_itself(stack: Stack) -> None:
    assert stack["Database"]["StorageType"] == "gp3"
    assert int(stack["Database"]["MaxAllocatedStorage"]) > int(stack["Database"]["AllocatedStorage"]) * 1.1
    assert TEMPLATE["Parameters"]["DatabaseMaxStorage"]["MinValue"] > int(stack["Database"]["AllocatedStorage"]) * 1.1


@BOTH
def test_the_databases_logs_do_not_stay_for_ever(stack: Stack) -> None:
    name = stack["Database"]["DBInstanceIdentifier"]
    wanted = {f"/aws/rds/instance/{name}/{log}" for log in stack["Database"]["EnableCloudwatchLogsExports"]}
    groups = stack.of_type("AWS::Logs::LogGroup")
    prepared = {group: one["LogGroupName"] for group, one in groups.items() if "LogGroupName" in one}
    assert set(prepared.values()) == wanted
    # RDS would make a group that is not there yet, one that keeps its logs for ever.
    assert set(stack.resources["Database"]["DependsOn"]) == set(prepared)


@BOTH
def test_the_password_is_generated_and_read_by_nobody_but_rds(stack: Stack) -> None:
    password = stack["Database"]["MasterUserPassword"]
    assert password == "{{resolve:secretsmanager:DatabaseSecret:SecretString:password}}"
    assert (
        f'"{stack["Database"]["MasterUsername"]}"'
        in stack["DatabaseSecret"]["GenerateSecretString"]["SecretStringTemplate"]
    )


def test_insights_are_on_where_the_smallest_instance_has_them() -> None:
    assert {name: stack["Database"]["EnablePerformanceInsights"] for name, stack in ENGINES.items()} == {
        "postgres": True,
        "mysql": False,
    }


def test_mysql_holds_unicode_and_allows_mlflows_trigger() -> None:
    parameters = ENGINES["mysql"]["DatabaseParameters"]["Parameters"]
    assert parameters["character_set_server"] == "utf8mb4"
    assert parameters["log_bin_trust_function_creators"] == "1"


@pytest.mark.parametrize("answer", ["true", "false"])
def test_a_second_database_stands_by_if_it_is_wanted(answer: str) -> None:
    assert TEMPLATE["Parameters"]["DatabaseMultiAz"]["Default"] == "false"
    assert Stack({**LEAST, "DatabaseMultiAz": answer})["Database"]["MultiAZ"] == answer
