"""Credentials for MLflow are fetched at first use and after a refusal, and not too often."""

from dataclasses import dataclass, replace

import pytest

from offpath.contracts.errors import Transient
from offpath.mlflow.credentials import FETCH_INTERVAL_SECONDS, Credentials, RefreshableCredentials
from offpath.testing import ManualClock


@dataclass
class Password:
    """The password as a service has it now; None: the service is down."""

    text: str | None = "first"
    fetches: int = 0

    def added_to(self, credentials: Credentials) -> Credentials:
        self.fetches += 1
        if self.text is None:
            raise Transient("the service does not answer")
        return replace(credentials, password=self.text)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def password() -> Password:
    return Password()


@pytest.fixture
def provider(password: Password, clock: ManualClock) -> RefreshableCredentials:
    return RefreshableCredentials(Credentials("writer"), [password], clock.now)


def test_it_is_fetched_at_first_use_and_kept(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    assert password.fetches == 0
    for _ in range(3):
        assert provider.credentials() == Credentials("writer", "first")
        clock.advance(FETCH_INTERVAL_SECONDS)
    assert password.fetches == 1


def test_what_is_refused_is_fetched_anew(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    old = provider.credentials()
    clock.advance(FETCH_INTERVAL_SECONDS)
    password.text = "second"
    assert provider.credentials(refused=old).password == "second"
    assert provider.credentials().password == "second"
    assert password.fetches == 2


def test_a_refusal_of_what_is_kept_no_more_fetches_nothing(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    old = provider.credentials()
    clock.advance(FETCH_INTERVAL_SECONDS)
    password.text = "second"
    provider.credentials(refused=old)
    clock.advance(FETCH_INTERVAL_SECONDS)
    assert provider.credentials(refused=old).password == "second"
    assert password.fetches == 2


def test_what_stays_wrong_is_fetched_once_in_a_while(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    wrong = provider.credentials()
    for _ in range(40):
        clock.advance(FETCH_INTERVAL_SECONDS / 10)
        assert provider.credentials(refused=wrong) == wrong
    assert password.fetches == 1 + 4


def test_a_service_that_fails_is_asked_once_in_a_while(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    password.text = None
    for _ in range(40):
        with pytest.raises(Transient, match="cannot be fetched: the service does not answer"):
            provider.credentials()
        clock.advance(FETCH_INTERVAL_SECONDS / 10)
    assert password.fetches == 4
    password.text = "at last"
    assert provider.credentials().password == "at last"


def test_a_service_that_fails_does_not_take_what_is_kept(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    kept = provider.credentials()
    clock.advance(FETCH_INTERVAL_SECONDS)
    password.text = None
    with pytest.raises(Transient, match="does not answer"):
        provider.credentials(refused=kept)
    assert provider.credentials() == kept


def test_slow_fetch_is_followed_by_a_pause_too(clock: ManualClock) -> None:
    class Slow(Password):
        def added_to(self, credentials: Credentials) -> Credentials:
            clock.advance(2 * FETCH_INTERVAL_SECONDS)
            return super().added_to(credentials)

    slow = Slow(text=None)
    provider = RefreshableCredentials(Credentials(), [slow], clock.now)
    for _ in range(3):
        with pytest.raises(Transient):
            provider.credentials()
    assert slow.fetches == 1


def test_a_clock_that_is_set_back_holds_nothing_up(
    provider: RefreshableCredentials, password: Password, clock: ManualClock
) -> None:
    wrong = provider.credentials()
    clock.advance(-3600)
    password.text = "second"
    assert provider.credentials(refused=wrong).password == "second"
