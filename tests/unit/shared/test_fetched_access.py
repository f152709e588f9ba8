"""When the access to MLflow is fetched, and when it is not."""

from dataclasses import dataclass, replace

import pytest

from offpath.contracts.errors import Transient
from offpath.mlflow.credentials import REST_SECONDS, Access, FetchedAccess


@dataclass
class Password:
    """The password as a service has it now; None: the service is down."""

    text: str | None = "first"
    fetches: int = 0

    def added_to(self, access: Access) -> Access:
        self.fetches += 1
        if self.text is None:
            raise Transient("the service does not answer")
        return replace(access, password=self.text)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def rest(self) -> None:
        self.now += REST_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def password() -> Password:
    return Password()


@pytest.fixture
def source(password: Password, clock: Clock) -> FetchedAccess:
    return FetchedAccess(Access("writer"), [password], clock)


def test_it_is_fetched_at_first_use_and_kept(source: FetchedAccess, password: Password, clock: Clock) -> None:
    assert password.fetches == 0
    for _ in range(3):
        assert source.access() == Access("writer", "first")
        clock.rest()
    assert password.fetches == 1


def test_what_is_refused_is_fetched_anew(source: FetchedAccess, password: Password, clock: Clock) -> None:
    old = source.access()
    clock.rest()
    password.text = "second"
    assert source.access(refused=old).password == "second"
    assert source.access().password == "second"
    assert password.fetches == 2


def test_a_refusal_of_what_is_kept_no_more_fetches_nothing(
    source: FetchedAccess, password: Password, clock: Clock
) -> None:
    old = source.access()
    clock.rest()
    password.text = "second"
    source.access(refused=old)
    clock.rest()
    assert source.access(refused=old).password == "second"
    assert password.fetches == 2


def test_what_stays_wrong_is_fetched_once_in_a_while(source: FetchedAccess, password: Password, clock: Clock) -> None:
    wrong = source.access()
    for _ in range(40):
        clock.now += REST_SECONDS / 10
        assert source.access(refused=wrong) == wrong
    assert password.fetches == 1 + 4


def test_a_service_that_fails_is_asked_once_in_a_while(source: FetchedAccess, password: Password, clock: Clock) -> None:
    password.text = None
    for _ in range(40):
        with pytest.raises(Transient, match="cannot be fetched: the service does not answer"):
            source.access()
        clock.now += REST_SECONDS / 10
    assert password.fetches == 4
    password.text = "at last"
    assert source.access().password == "at last"


def test_a_service_that_fails_does_not_take_what_is_kept(
    source: FetchedAccess, password: Password, clock: Clock
) -> None:
    kept = source.access()
    clock.rest()
    password.text = None
    with pytest.raises(Transient, match="does not answer"):
        source.access(refused=kept)
    assert source.access() == kept


def test_a_fetch_that_takes_long_is_rested_from_all_the_same(clock: Clock) -> None:
    class Slow(Password):
        def added_to(self, access: Access) -> Access:
            clock.now += 2 * REST_SECONDS
            return super().added_to(access)

    slow = Slow(text=None)
    source = FetchedAccess(Access(), [slow], clock)
    for _ in range(3):
        with pytest.raises(Transient):
            source.access()
    assert slow.fetches == 1


def test_a_clock_that_is_set_back_holds_nothing_up(source: FetchedAccess, password: Password, clock: Clock) -> None:
    wrong = source.access()
    clock.now -= 3600
    password.text = "second"
    assert source.access(refused=wrong).password == "second"
