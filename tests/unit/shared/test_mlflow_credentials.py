"""A process has a login at MLflow, and certificates that it trusts it by."""

import pytest

from local.testbed.authority import Authority
from offpath.mlflow.credentials import Credentials, StaticCredentials
from offpath.mlflow.stored_credentials import read_certificates


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Credentials("writer", "hunter2"))


def test_static_credentials_have_no_others_to_give() -> None:
    fixed = StaticCredentials(Credentials("writer", "hunter2"))
    assert fixed.credentials(refused=fixed.credentials()) == Credentials("writer", "hunter2")


def test_a_file_of_several_certificates_may_hold_comments() -> None:
    first, second = Authority("first").pem, Authority("second").pem
    text = read_certificates(
        "# Zertifizierungsstelle für alles\n".encode() + first + "# über die andere\n".encode() + second
    )
    assert first.decode() in text
    assert second.decode() in text


@pytest.mark.parametrize("content", [b"", b"\n", b"not a certificate", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_cannot_be_used(content: bytes) -> None:
    with pytest.raises(ValueError, match=f"no usable certificates in PEM in its {len(content)} bytes"):
        read_certificates(content)


def test_a_file_that_is_cut_off_cannot_be_used() -> None:
    pem = Authority("first").pem + Authority("second").pem
    with pytest.raises(ValueError, match="no usable certificates"):
        read_certificates(pem[:-40])
