"""The commands of tags and tag rules, with a pretend Shopify that works between them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from regulars.bootstrap import open_runtime
from regulars.clock import system_clock
from regulars.office import Shop
from regulars.tags import Worker
from tests.tags.pretend_tags import PretendTags

HERE = ("--shop", "basic")

pytestmark = pytest.mark.slow


@pytest.fixture
def connected(regulars, basic, tmp_path):
    """Make "basic" a shop at Shopify whose token is missing, so that commands order and wait."""
    told = regulars(
        "segments", "create", *HERE, "--name", "All", "--query", "number_of_orders >= 1"
    )
    assert told.code == 0, told.err
    shopify = PretendTags(system_clock, tags={"ana": [], "bo": ["old"]})

    def work() -> PretendTags:
        home: Path = tmp_path / "home"
        with open_runtime(home) as runtime:
            with runtime.office.session() as session:
                shop = session.scalars(select(Shop)).one()
                shop.domain = "basic.myshopify.com"
            Worker(runtime.office, shop.id, shopify, runtime.clock).run()
        return shopify

    work()
    return work


def test_a_shop_of_files_cannot_be_tagged_and_that_is_said(regulars, basic):
    regulars("segments", "create", *HERE, "--name", "All", "--query", "number_of_orders >= 1")

    for words in (("assign",), ("rules", "create")):
        told = regulars("tags", *words, *HERE, "--segment", "All", "--tag", "x")

        assert told.code == 2
        assert "not connected to Shopify" in told.err


def test_a_wrong_tag_is_refused_with_the_reason(regulars, connected):
    wrong = {
        " ": "Write the tag",
        "a,b": "has a comma",
        "x" * 41: "has 41 characters",
        "a\nb": "cannot be seen",
    }
    for tag, words in wrong.items():
        told = regulars("tags", "assign", *HERE, "--segment", "All", "--tag", tag)

        assert told.code == 2
        assert words in told.err


def test_signs_of_every_kind_make_a_tag(regulars, connected):
    tags = ["🎉🎉", "ＶＩＰ", "常連さん", "x" * 40]
    for tag in tags:
        words = ("--segment", "All", "--tag", tag, "--json")
        assert regulars("tags", "assign", *HERE, *words).json["tag"] == tag

    assert connected().tags["ana"] == tags


def test_the_way_of_an_assignment_through_the_commands(regulars, connected):
    counted = regulars("tags", "preview", *HERE, "--segment", "All", "--tag", "vip", "--json").json
    assert counted["targeted_count"] == 2

    made = regulars("tags", "assign", *HERE, "--segment", "All", "--tag", "vip", "--json").json
    assert "not connected to Shopify" in made["problem"]
    assert connected().tags == {"ana": ["vip"], "bo": ["old", "vip"]}

    number = made["id"]
    shown = regulars("tags", "show", number, *HERE, "--json").json
    assert (shown["status"], shown["outcomes"]) == ("assigned", {"given": 2})
    assert "vip" in regulars("tags", "history", *HERE, "--tag", "VIP", "--kind", "once").out
    assert not regulars("tags", "history", *HERE, "--status", "failed", "--json").json[
        "assignments"
    ]
    assert regulars("tags", "pause", number, *HERE).code == 2

    regulars("tags", "remove", number, *HERE)
    assert connected().tags == {"ana": [], "bo": ["old"]}
    assert regulars("tags", "remove", number, *HERE).code == 2
    assert regulars("tags", "show", 99, *HERE).code == 2


def test_the_way_of_a_rule_through_the_commands(regulars, connected):
    rule = ("tags", "rules")
    made = regulars(*rule, "create", *HERE, "--segment", "All", "--tag", "sync", "--json").json
    planned = regulars("tags", "plan", *HERE, "--json").json
    assert planned["open"][0]["waiting_count"] == 2
    assert connected().tags["ana"] == ["sync"]

    listed = regulars(*rule, "list", *HERE, "--json").json["rules"]
    assert [(one["status"], one["member_count"]) for one in listed] == [("in_sync", 2)]
    changed = regulars(*rule, "change", made["id"], *HERE, "--grace-days", 3, "--json").json
    assert (changed["grace_days"], changed["tag"]) == (3, "sync")
    assert regulars(*rule, "create", *HERE, "--segment", "All", "--tag", "SYNC").code == 2
    assert regulars(*rule, "release", made["id"], *HERE).code == 2

    regulars(*rule, "off", made["id"], *HERE, "--take")
    assert connected().tags == {"ana": [], "bo": ["old"]}
    assert regulars(*rule, "on", made["id"], *HERE).code == 0
    assert regulars(*rule, "off", 99, *HERE).code == 2


def test_a_rule_of_a_deleted_segment_is_not_switched_on_until_the_segment_is_back(
    regulars, connected
):
    rule = ("tags", "rules")
    made = regulars(*rule, "create", *HERE, "--segment", "All", "--tag", "sync", "--json").json
    listed = regulars("segments", "list", *HERE, "--json").json["segments"]
    number = next(one["id"] for one in listed if one["name"] == "All")
    refused = regulars("segments", "delete", number, *HERE)
    assert 'used by tag rules. Switch them off first: "sync".' in refused.err
    regulars(*rule, "off", made["id"], *HERE)
    assert regulars("segments", "delete", number, *HERE).code == 0

    refused = regulars(*rule, "on", made["id"], *HERE)

    assert refused.code == 2
    assert "The segment of this rule was deleted. Bring it back from the trash" in refused.err
    (off,) = regulars(*rule, "list", *HERE, "--json").json["rules"]
    assert (off["is_on"], off["tag"]) == (False, "sync")
    again = regulars(*rule, "create", *HERE, "--segment", "All", "--tag", "other")
    assert (again.code, again.err.split(".")[0]) == (2, "There is no segment All in the shop basic")
    assert regulars(*rule, "change", made["id"], *HERE, "--tag", "later").code == 0
    assert connected().tags["ana"] == []

    assert regulars("segments", "restore", number, *HERE).code == 0
    assert regulars(*rule, "on", made["id"], *HERE).code == 0
    # The rule is followed while the next command has the app open.
    assert regulars("tags", "plan", *HERE).code == 0
    assert connected().tags == {"ana": ["later"], "bo": ["old", "later"]}


def test_reports_without_anything_to_tell(regulars, connected):
    assert "Not compared yet" in regulars("tags", "drift", *HERE).out
    assert regulars("tags", "orphans", *HERE, "--json").json == {"orphans": []}
    assert regulars("tags", "legacy", *HERE, "--json").json == {"tags": []}
    assert regulars("tags", "remove-legacy", 1, *HERE, "--yes").code == 2
