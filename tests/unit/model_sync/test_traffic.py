"""Shares of a model's traffic, from what somebody wrote into the registry's tags."""

import pytest
from pydantic import JsonValue

from local.testbed.models import iris_version
from model_sync.traffic import TagUnusable, previous_traffic, traffic_of
from offpath.contracts.model_manifest import ModelVersion, RegisteredModel, Unreadable

ALIASES = ("champion", "challenger", "next")


@pytest.mark.parametrize(
    ("tags", "weights"),
    [
        ({}, {"champion": 100}),
        ({"offpath.weight.challenger": "10"}, {"champion": 90, "challenger": 10}),
        ({"offpath.weight.challenger": " 10 % "}, {"champion": 90, "challenger": 10}),
        (
            {"offpath.weight.challenger": "10", "offpath.weight.next": "5"},
            {"champion": 85, "challenger": 10, "next": 5},
        ),
        ({"offpath.weight.champion": "0", "offpath.weight.next": "100"}, {"champion": 0, "next": 100}),
        ({"offpath.weight.next": "100"}, {"champion": 0, "next": 100}),
        ({"offpath.weight.champion": "100", "owner": "somebody", "offpath.note": "x"}, {"champion": 100}),
    ],
)
def test_tags_are_percents_and_the_champion_gets_the_rest(tags: dict[str, str], weights: dict[str, int]) -> None:
    assert traffic_of(ALIASES, tags).weights == weights


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"offpath.weight.challenger": "ten"}, "'ten', expected a whole number of percent from 0 to 100"),
        ({"offpath.weight.challenger": "101"}, "'101'"),
        ({"offpath.weight.challenger": "-1"}, "'-1'"),
        ({"offpath.weight.challenger": "9" * 5_000}, "9', expected a whole number"),
        ({"offpath.weight.challenger": "0.5"}, "'0.5'"),
        ({"offpath.weight.challenger": ""}, "''"),
        ({"offpath.weight.chalenger": "10"}, "'chalenger'; there are: challenger, champion, next"),
        ({"offpath.weight.challenger": "60", "offpath.weight.next": "60"}, "120 % together"),
        ({"offpath.weight.champion": "80"}, "80 % together"),
        ({"offpath.shadow": "challenger, nobody"}, "'nobody'"),
    ],
)
def test_a_tag_that_cannot_be_used_is_named(tags: dict[str, str], said: str) -> None:
    with pytest.raises(TagUnusable, match="offpath") as raised:
        traffic_of(ALIASES, tags)
    assert said in str(raised.value)


def test_a_shadow_may_be_one_alias_or_several() -> None:
    assert traffic_of(ALIASES, {"offpath.shadow": "next"}).shadows == ["next"]
    assert traffic_of(ALIASES, {"offpath.shadow": " next ,challenger,"}).shadows == ["next", "challenger"]
    assert traffic_of(ALIASES, {"offpath.shadow": ""}).shadows == []


def test_a_version_gets_its_aliass_share() -> None:
    traffic = traffic_of(ALIASES, {"offpath.weight.challenger": "10", "offpath.shadow": "next"})
    given = {alias: traffic.given_to(alias, iris_version(weight=0)) for alias in ALIASES}
    assert {alias: (version.weight, version.shadow) for alias, version in given.items()} == {
        "champion": (90, False),
        "challenger": (10, False),
        "next": (0, True),
    }


def test_champion_takes_the_share_of_an_unserved_alias() -> None:
    traffic = traffic_of(ALIASES, {"offpath.weight.challenger": "30", "offpath.weight.next": "30"})
    assert traffic.among(("champion", "next")).weights == {"champion": 70, "next": 30}
    assert traffic.among(ALIASES).weights == {"champion": 40, "challenger": 30, "next": 30}
    assert traffic.among(("challenger",)).weights == traffic.weights, "without a champion there is nobody to give it to"


def published(**traffic: tuple[int, bool]) -> RegisteredModel:
    aliases: dict[str, ModelVersion] = {
        alias: iris_version(weight=weight, shadow=shadow) for alias, (weight, shadow) in traffic.items()
    }
    return RegisteredModel(aliases=aliases)


def test_what_was_before_stays_where_it_is_still_whole() -> None:
    before = published(champion=(70, False), challenger=(30, False), next=(0, True))
    kept = previous_traffic(ALIASES, before)
    assert kept.weights == {"champion": 70, "challenger": 30, "next": 0}
    assert kept.shadows == ["next"]
    without = previous_traffic(("champion",), before)
    assert (without.weights, without.shadows) == ({"champion": 100}, [])


def unreadable(before: RegisteredModel, **contents: JsonValue) -> RegisteredModel:
    """Return the model with entries that a newer version wrote."""
    entries = {alias: Unreadable("new", content) for alias, content in contents.items()}
    return before.model_copy(update={"unreadable": entries})


@pytest.mark.parametrize(
    "content", [{"weight": 30}, {"weight": "a third"}, {"weight": 0.3}, {"share": 3}, {}, [], None]
)
def test_unreadable_challenger_leaves_the_others_their_shares(content: JsonValue) -> None:
    before = unreadable(published(champion=(70, False), next=(0, True)), challenger=content)
    kept = previous_traffic(ALIASES, before)
    assert kept.weights == {"champion": 70, "next": 0, "challenger": 30}
    assert kept.shadows == ["next"]


def test_unreadable_champion_leaves_the_others_their_shares() -> None:
    before = unreadable(published(challenger=(25, False)), champion={"weight": 75})
    assert previous_traffic(ALIASES, before).weights == {"challenger": 25, "champion": 75}


def test_unreadable_entries_have_the_shares_that_they_name() -> None:
    newer: dict[str, JsonValue] = {"challenger": {"weight": 10}, "next": {"weight": 20, "shadow": True}}
    kept = previous_traffic(ALIASES, unreadable(published(champion=(70, False)), **newer))
    assert (kept.weights, kept.shadows) == ({"champion": 70, "challenger": 10, "next": 20}, ["next"])


def test_unreadable_entry_without_a_share_leaves_others_that_name_theirs() -> None:
    newer: dict[str, JsonValue] = {"champion": {"weight": 50}, "next": {"percent": 20}}
    kept = previous_traffic(ALIASES, unreadable(published(challenger=(30, False)), **newer))
    assert kept.weights == {"champion": 50, "challenger": 30, "next": 20}


def test_champion_takes_the_share_of_a_removed_unreadable_alias() -> None:
    before = unreadable(published(champion=(70, False)), next={"weight": 30})
    assert previous_traffic(("champion",), before).weights == {"champion": 100}
