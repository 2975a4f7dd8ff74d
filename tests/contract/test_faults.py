"""The client against the simulator while things go wrong on the way."""

from __future__ import annotations

import pytest

from regulars.errors import ScopeMissing, TokenRejected, Unavailable
from regulars.shopify import bulk
from regulars.shopify.answers import AnswerLost, InputRefused
from regulars.shopify.catching_up import read_again
from regulars.shopify.shop import known_tags, read_shop
from regulars.shopify.subscriptions import subscribe, unsubscribe
from regulars.shopify.webhooks import SUBSCRIBED
from regulars.warehouse.facts import CustomerFact
from tests.contract.shop import CAST, Place, open_place

ADDRESS = "https://regulars.example.com/webhooks/shopify"


def tag(place: Place, name: str, tag: str = "vip") -> None:
    place.client.run("tags_add", {"id": place.gid(name), "tags": [tag]})


def test_a_long_tagging_is_never_throttled_and_loses_no_time(place: Place):
    """Calls of ten points through a bucket that holds 60 and fills by 100 a second."""
    read_shop(place.client)
    place.simulator.bucket.charge(place.simulator.bucket.available() - 60)
    read_shop(place.client)
    started_at, asked = place.time(), place.simulator.request_count

    for number in range(200):
        tag(place, CAST[number % 4], f"t{number % 9}")

    seconds = (place.time() - started_at).total_seconds()
    assert place.simulator.request_count - asked == 200
    assert seconds == pytest.approx((2_000 - 60) / 100, rel=0.02)


def test_throttling_that_comes_all_the_same_is_waited_out(place: Place):
    place.simulator.faults.switch_on("throttled", times=3)

    tag(place, "ana")

    assert place.people["ana"].tags == ("vip",)
    assert len(place.time.waits) == 3


def test_a_shop_that_is_down_for_a_moment_is_asked_again(place: Place):
    place.simulator.faults.switch_on("unavailable", times=2)

    assert read_shop(place.client).currency == "JPY"


def test_a_change_with_a_lost_answer_is_a_maybe_and_may_be_repeated(place: Place):
    place.simulator.faults.switch_on("lost_response", times=1)

    with pytest.raises(AnswerLost):
        tag(place, "ana")
    assert place.people["ana"].tags == ("vip",)

    tag(place, "ana")
    assert place.people["ana"].tags == ("vip",)


def test_a_change_that_met_a_503_is_a_maybe_as_well(place: Place):
    place.simulator.faults.switch_on("unavailable", times=1)

    with pytest.raises(AnswerLost):
        tag(place, "ana")


@pytest.mark.parametrize("fault", ["lost_response", "garbage_body", "unavailable"])
def test_a_reading_whose_answer_is_lost_or_broken_is_repeated(place: Place, fault: str):
    place.simulator.faults.switch_on(fault, times=2)

    assert read_shop(place.client).title == "Regulars Demo"


def test_a_dead_token_is_told(place: Place):
    place.simulator.tokens.revoke()

    with pytest.raises(TokenRejected):
        tag(place, "ana")


def test_a_customer_deleted_meanwhile_is_told_by_name(place: Place):
    place.simulator.faults.switch_on("customer_deleted_meanwhile", times=1)

    with pytest.raises(InputRefused, match="Customer does not exist"):
        tag(place, "ana")


def test_a_missing_scope_is_named():
    place = open_place(scopes=frozenset({"read_customers"}))

    with pytest.raises(ScopeMissing, match="write_customers"):
        tag(place, "ana")
    assert not read_shop(place.client).can_read("orders")
    place.simulator.close()


def test_writing_includes_reading():
    place = open_place(scopes=frozenset({"write_customers"}))

    assert read_shop(place.client).can_read("customers")
    place.simulator.close()


def test_known_tags_are_offered(place: Place):
    tag(place, "ana", "gold")
    tag(place, "bo", "vip")

    assert known_tags(place.client) == ["gold", "vip"]


def test_objects_are_read_again_and_gone_ones_left_out(place: Place):
    tag(place, "ana")
    gids = [("Customer", place.gid(name)) for name in CAST]
    place.shop.delete_customer(place.people["dee"])

    facts = read_again(place.client, place.shop, gids)

    assert all(isinstance(fact, CustomerFact) for fact in facts)
    assert [fact.display_name for fact in facts] == ["Ana", "Bo", "Cleo"]
    assert facts[0].tags == ("vip",)


# Bulk queries


def fetched(place: Place, tmp_path, name: str = "bulk_customer_tags") -> list[bytes]:
    started = bulk.start_query(place.client, name)
    over = bulk.wait(place.client, started, lambda _: None)
    path = bulk.fetch(place.client, over, tmp_path / "result.jsonl", lambda _: None)
    return path.read_bytes().splitlines() if path else []


def test_a_bulk_query_gives_every_object_once(place: Place, tmp_path):
    assert len(fetched(place, tmp_path)) == 4


def test_an_empty_result_has_no_file(tmp_path):
    place = open_place()
    for person in list(place.people.values()):
        place.shop.delete_customer(person)

    assert fetched(place, tmp_path) == []
    place.simulator.close()


def test_a_failed_bulk_query_is_never_taken_for_the_whole(place: Place, tmp_path):
    place.simulator.faults.switch_on("bulk_failed", times=1)

    with pytest.raises(bulk.BulkFailed, match="INTERNAL_SERVER_ERROR"):
        fetched(place, tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(fetched(place, tmp_path)) == 4


def test_what_a_failed_bulk_query_had_found_can_be_had(place: Place, tmp_path):
    place.simulator.faults.switch_on("bulk_failed", times=1)
    started = bulk.start_query(place.client, "bulk_customer_tags")
    over = bulk.wait(place.client, started, lambda _: None)

    path = bulk.fetch_partial(place.client, over, tmp_path / "part.jsonl", lambda _: None)

    assert path is not None
    assert len(path.read_bytes().splitlines()) == 2


def test_a_bulk_query_without_its_scope_names_the_lack(tmp_path):
    place = open_place(scopes=frozenset({"read_products"}))

    with pytest.raises(ScopeMissing):
        fetched(place, tmp_path)
    place.simulator.close()


def test_an_expired_link_is_told_and_a_new_run_helps(place: Place, tmp_path):
    place.simulator.faults.switch_on("expired_url", times=1)

    with pytest.raises(bulk.LinkExpired):
        fetched(place, tmp_path)
    assert len(fetched(place, tmp_path)) == 4


def test_a_result_is_gone_after_seven_days(place: Place, tmp_path):
    started = bulk.start_query(place.client, "bulk_customer_tags")
    over = bulk.wait(place.client, started, lambda _: None)
    place.time.sleep(7 * 86_400 + 1)

    with pytest.raises(bulk.LinkExpired):
        bulk.fetch(place.client, over, tmp_path / "result.jsonl", lambda _: None)


def test_a_start_whose_answer_is_lost_is_found_and_not_repeated(place: Place, tmp_path):
    place.simulator.faults.switch_on("lost_response", times=1)

    assert len(fetched(place, tmp_path)) == 4
    assert len(place.simulator.bulk.operations) == 1


def test_a_sixth_operation_waits_for_a_free_place(tmp_path):
    place = open_place(bulk_seconds=25.0)
    for _ in range(5):
        bulk.start_query(place.client, "bulk_products")

    assert bulk.start_query(place.client, "bulk_customer_tags")
    assert sum(place.time.waits) >= 20
    place.simulator.close()


def test_an_operation_can_be_cancelled(tmp_path):
    place = open_place(bulk_seconds=60.0)
    started = bulk.start_query(place.client, "bulk_products")

    bulk.cancel(place.client, started)

    over = bulk.state(place.client, started)
    assert (over.status, over.is_over) == ("CANCELED", True)
    with pytest.raises(bulk.BulkFailed, match="cancelled"):
        bulk.fetch(place.client, over, tmp_path / "x", lambda _: None)
    place.simulator.close()


# Bulk mutations


def tag_all(place: Place, tmp_path, names=CAST) -> bulk.BulkState:
    lines = [{"id": place.gid(name), "tags": ["日本 vip"]} for name in names]
    started, count = bulk.start_mutation(place.client, "bulk_tags_add", lines, tmp_path)
    assert count == len(lines)
    return bulk.wait(place.client, started, lambda _: None)


def results(place: Place, over: bulk.BulkState, tmp_path) -> list[bulk.LineResult]:
    path = bulk.fetch_partial(place.client, over, tmp_path / "results.jsonl", lambda _: None)
    return list(bulk.line_results(path)) if path else []


def test_a_bulk_mutation_tells_of_each_line(place: Place, tmp_path):
    place.shop.delete_customer(place.people["bo"])

    over = tag_all(place, tmp_path)

    told = results(place, over, tmp_path)
    assert [line.is_done for line in told] == [True, False, True, True]
    assert told[1].refusals[0].message == "Customer does not exist"
    assert place.people["cleo"].tags == ("日本 vip",)


def test_a_bulk_mutation_that_broke_off_tells_what_it_did(place: Place, tmp_path):
    place.simulator.faults.switch_on("half_applied", times=1)

    over = tag_all(place, tmp_path)

    assert over.status == "FAILED"
    assert [line.line_number for line in results(place, over, tmp_path)] == [0, 1]
    assert [bool(person.tags) for person in place.people.values()] == [True, True, False, False]


def test_no_upload_is_left_behind(place: Place, tmp_path):
    tag_all(place, tmp_path)

    assert list(tmp_path.iterdir()) == []


# Subscriptions


def test_subscriptions_are_made_once_and_made_anew_when_shopify_deletes_them(place: Place):
    first = subscribe(place.client, ADDRESS)
    second = subscribe(place.client, ADDRESS)
    place.simulator.webhooks.subscriptions.popitem()
    third = subscribe(place.client, ADDRESS)

    assert sorted(first.created) == sorted(SUBSCRIBED)
    assert second.created == []
    assert sorted(second.kept) == sorted(SUBSCRIBED)
    assert len(third.created) == 1
    assert third.is_complete


def test_subscriptions_follow_a_new_address(place: Place):
    subscribe(place.client, "https://old.example.com/webhooks/shopify")

    done = subscribe(place.client, ADDRESS)

    assert sorted(done.moved) == sorted(SUBSCRIBED)
    assert {s.uri for s in place.simulator.webhooks.subscriptions.values()} == {ADDRESS}
    assert unsubscribe(place.client) == len(SUBSCRIBED)
    assert place.simulator.webhooks.subscriptions == {}


def test_topics_without_their_scope_are_named_and_the_others_made():
    place = open_place(scopes=frozenset({"read_customers"}))

    done = subscribe(place.client, ADDRESS)

    assert done.without_scope["orders/create"] == "read_orders"
    assert "customers/update" in done.created
    place.simulator.close()


def test_an_address_that_shopify_refuses_is_told_by_topic(place: Place):
    done = subscribe(place.client, "http://regulars.example.com/webhooks")

    assert not done.is_complete
    assert done.refused["orders/create"] == "Address protocol http:// is not supported"


def test_a_whole_outage_ends_in_one_clear_error(place: Place):
    place.simulator.faults.switch_on("unavailable")

    with pytest.raises(Unavailable):
        subscribe(place.client, ADDRESS)
