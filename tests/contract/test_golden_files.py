"""The goldens are frozen, and there is one for each schema that is read."""

import hashlib

import pytest

from offpath.contracts import model_manifest, receipt, recipes, spilled, trace_event, training_job
from offpath.contracts.names import ARCHIVE_PREFIX
from tests.support.golden import SUMS, golden, golden_files

READ = {
    *trace_event.READERS,
    *spilled.READABLE,
    *training_job.READABLE,
    *model_manifest.READABLE,
    *recipes.READABLE,
    *receipt.READABLE,
    ARCHIVE_PREFIX.rstrip("/"),
    spilled.LOG_MARK,
}
WRITTEN = {
    trace_event.SCHEMA,
    spilled.SCHEMA,
    training_job.SCHEMA,
    model_manifest.SCHEMA,
    recipes.SCHEMA,
    receipt.SCHEMA,
}
# Each time that lines were added to SHA256SUMS: how many there were then, and the SHA-256 of all of them.
ADDITIONS = (
    (17, "8b10347f28b2bc0e026b74f3436d568e8028efa4cfe02bb1cf684024f866456d"),
    (18, "046a6bc851de68a30192b43b9b8483bf4cfae9fb2044da1479ae90cfeb5e39b8"),
    (19, "108652010efaf76ba5de31ba173dd3acdb4204306ab845eb7281244ac13d3a7f"),
)


def listed() -> dict[str, str]:
    lines = (line.split("  ", 1) for line in SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def test_each_schema_that_is_read_has_a_golden() -> None:
    assert {str(path.parent) for path in golden_files()} == READ


def test_what_is_written_can_be_read() -> None:
    assert WRITTEN <= READ


def test_no_golden_file_has_changed() -> None:
    found = {str(path): hashlib.sha256(golden(str(path))).hexdigest() for path in golden_files()}
    assert found == listed()


@pytest.mark.parametrize(("count", "digest"), ADDITIONS)
def test_list_of_digests_is_only_appended_to(count: int, digest: str) -> None:
    lines = SUMS.read_bytes().splitlines(keepends=True)
    assert hashlib.sha256(b"".join(lines[:count])).hexdigest() == digest


def test_each_line_of_the_list_is_vouched_for() -> None:
    assert len(listed()) == ADDITIONS[-1][0]
