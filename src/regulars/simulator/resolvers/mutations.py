"""Fields of Mutation: each returns its payload as a dictionary, with `userErrors` as recorded."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from regulars.simulator import tags as tag_rules
from regulars.simulator.bulk import CONCURRENT_MAX
from regulars.simulator.bulk_rules import BulkRefusedError, check_bulk_mutation, check_bulk_query
from regulars.simulator.models import Customer, Order, Product, Segment
from regulars.simulator.resolvers.base import (
    Args,
    World,
    any_number,
    fields,
    gid,
    number_of,
    refuse,
)
from regulars.simulator.resolvers.root import PLACES, SEGMENTS_NOT_MODELLED, limit_inputs
from regulars.simulator.versions import schema_of
from regulars.simulator.webhooks import Subscription

Payload = dict[str, Any]
TAGGED = ("Customer", "Order", "Product")


def user_error(field: list[str] | None, message: str, code: str | None = None) -> Payload:
    """Return one user error."""
    return {"field": field, "message": message, "code": code}


def failed(*problems: Payload, **parts: object) -> Payload:
    """Return a payload that tells only errors."""
    return {**parts, "userErrors": list(problems)}


def tagged(args: Args, world: World) -> Any:
    """Return what a tag mutation is about; a missing thing is returned as its kind."""
    limit_inputs(args["tags"])
    kind, number = any_number(args["id"])
    if kind not in TAGGED:
        raise refuse("invalid id", "RESOURCE_NOT_FOUND")
    if kind == "Order":
        return world.shop.orders.get(number) or kind
    subject = PLACES[kind](world).get(number)
    if isinstance(subject, Customer) and world.simulator.faults.strikes(
        "customer_deleted_meanwhile"
    ):
        world.shop.delete_customer(subject)
        subject = None
    return subject or kind


def tags_add(_root: object, args: Args, world: World) -> Payload:
    """Give tags to a customer, an order or a product."""
    subject = tagged(args, world)
    if isinstance(subject, str):
        return failed(user_error(["id"], f"{subject} does not exist"), node=None)
    try:
        if isinstance(subject, Customer):
            world.shop.add_tags(subject, args["tags"])
        else:
            after, _ = tag_rules.added(subject.tags, args["tags"], {})
            retag(subject, after, world)
    except tag_rules.TooManyTagsError:
        return failed(user_error(["tags"], "Tags cannot be more than 250"), node=None)
    return {"node": subject, "userErrors": []}


def tags_remove(_root: object, args: Args, world: World) -> Payload:
    """Take tags off; on orders their casing matters."""
    subject = tagged(args, world)
    if isinstance(subject, str):
        return failed(user_error(["id"], f"{subject} does not exist"), node=None)
    if isinstance(subject, Customer):
        world.shop.remove_tags(subject, args["tags"])
    elif isinstance(subject, Order):
        gone = set(tag_rules.split(args["tags"]))
        retag(subject, tuple(tag for tag in subject.tags if tag not in gone), world)
    else:
        retag(subject, tag_rules.removed(subject.tags, args["tags"])[0], world)
    return {"node": subject, "userErrors": []}


def retag(subject: Order | Product, tags: tuple[str, ...], world: World) -> None:
    """Set the tags of an order or a product."""
    if subject.tags == tags:
        return
    subject.tags = tags
    subject.updated = world.shop.now()
    topic = "orders/updated" if isinstance(subject, Order) else "products/update"
    world.shop.tell(topic, subject)


# Segments


def segment_problem(
    name: str | None, query: str | None, world: World, own: int = 0
) -> Payload | None:
    """Return what is wrong with a segment's name or query."""
    if name is not None and not name.strip():
        return user_error(["name"], "Name can't be blank")
    if query is not None and not query.strip():
        return user_error(["query"], "Query can't be blank")
    taken = [s for s in world.shop.segments.values() if s.name == name and s.id != own]
    return user_error(["name"], "Name has already been taken") if taken else None


def segment_create(_root: object, args: Args, world: World) -> Payload:
    """Keep a segment; its query is stored as it is, since nothing here evaluates it."""
    problem = segment_problem(args["name"], args["query"], world)
    if problem is not None:
        return failed(problem, segment=None)
    return {"segment": world.shop.create_segment(args["name"], args["query"]), "userErrors": []}


def segment_of(args: Args, world: World) -> Segment | None:
    """Return the segment that a mutation names."""
    return world.shop.segments.get(number_of(args["id"], "Segment"))


def segment_update(_root: object, args: Args, world: World) -> Payload:
    """Rename a segment or change its query."""
    segment = segment_of(args, world)
    if segment is None:
        return failed(user_error(["id"], "Segment does not exist"), segment=None)
    problem = segment_problem(args.get("name"), args.get("query"), world, segment.id)
    if problem is not None:
        return failed(problem, segment=None)
    world.shop.update_segment(segment, args.get("name"), args.get("query"))
    return {"segment": segment, "userErrors": []}


def segment_delete(_root: object, args: Args, world: World) -> Payload:
    """Take a segment out."""
    segment = segment_of(args, world)
    if segment is None:
        problem = user_error(["id"], "Segment does not exist")
        return failed(problem, deletedSegmentId=None)
    world.shop.delete_segment(segment)
    return {"deletedSegmentId": gid("Segment", segment.id), "userErrors": []}


def members_query_create(_root: object, _args: Args, _world: World) -> Payload:
    """Refuse: the simulator does not evaluate segments."""
    problem = user_error(None, SEGMENTS_NOT_MODELLED, "INVALID")
    return failed(problem, customerSegmentMembersQuery=None)


# Webhooks


def address_problem(uri: str | None, world: World) -> Payload | None:
    """Return what is wrong with a subscription's address."""
    field = ["webhookSubscription", "callbackUrl"]
    if not (uri or "").strip():
        return user_error(field, "Address can't be blank")
    parts = urlsplit(str(uri))
    local = parts.hostname in {"127.0.0.1", "localhost"}
    if parts.scheme == "http" and local and world.simulator.allow_local_webhooks:
        return None
    if parts.scheme != "https":
        return user_error(field, f"Address protocol {parts.scheme}:// is not supported")
    if not parts.hostname:
        return user_error(field, "Address is invalid")
    return None


def subscription_values(given: Args) -> dict[str, Any]:
    """Return the fields of a subscription that the input names."""
    values: dict[str, Any] = {}
    if given.get("uri") or given.get("callbackUrl"):
        values["uri"] = given.get("uri") or given.get("callbackUrl")
    for key, name in (("name", "name"), ("filter", "filter")):
        if key in given:
            values[name] = given[key]
    for key, name in (
        ("includeFields", "include_fields"),
        ("metafieldNamespaces", "metafield_namespaces"),
    ):
        if key in given:
            values[name] = tuple(given[key] or ())
    return values


def webhook_create(_root: object, args: Args, world: World) -> Payload:
    """Subscribe to a topic."""
    values = subscription_values(args["webhookSubscription"])
    problem = address_problem(values.get("uri"), world)
    hooks = world.simulator.webhooks
    if problem is None and any(
        (s.topic_enum, s.uri, s.filter) == (args["topic"], values["uri"], values.get("filter"))
        for s in hooks.subscriptions.values()
    ):
        message = "Address for this topic has already been taken"
        problem = user_error(["webhookSubscription", "callbackUrl"], message)
    if problem is not None:
        return failed(problem, webhookSubscription=None)
    now = world.shop.now()
    subscription = Subscription(
        id=world.shop.new_id(),
        topic_enum=args["topic"],
        version=world.version,
        created=now,
        updated=now,
        **values,
    )
    hooks.subscriptions[subscription.id] = subscription
    return {"webhookSubscription": subscription, "userErrors": []}


def webhook_update(_root: object, args: Args, world: World) -> Payload:
    """Change a subscription."""
    number = number_of(args["id"], "WebhookSubscription")
    subscription = world.simulator.webhooks.subscriptions.get(number)
    if subscription is None:
        problem = user_error(["id"], "Webhook subscription does not exist")
        return failed(problem, webhookSubscription=None)
    values = subscription_values(args["webhookSubscription"])
    problem_found = address_problem(values.get("uri", subscription.uri), world)
    if problem_found is not None:
        return failed(problem_found, webhookSubscription=None)
    for name, value in values.items():
        setattr(subscription, name, value)
    subscription.updated = world.shop.now()
    return {"webhookSubscription": subscription, "userErrors": []}


def webhook_delete(_root: object, args: Args, world: World) -> Payload:
    """End a subscription."""
    number = number_of(args["id"], "WebhookSubscription")
    if world.simulator.webhooks.subscriptions.pop(number, None) is None:
        problem = user_error(["id"], "Webhook subscription does not exist")
        return failed(problem, deletedWebhookSubscriptionId=None)
    return {"deletedWebhookSubscriptionId": args["id"], "userErrors": []}


# Bulk operations


def bulk_run_query(_root: object, args: Args, world: World) -> Payload:
    """Start a bulk query."""
    try:
        document = check_bulk_query(args["query"], schema_of(world.version))
    except BulkRefusedError as refused:
        return failed(user_error(["query"], str(refused), "INVALID"), bulkOperation=None)
    if world.simulator.bulk.live("QUERY") >= CONCURRENT_MAX:
        message = (
            f"A bulk query operation for this app and shop is already in progress: the limit is "
            f"{CONCURRENT_MAX}."
        )
        return failed(user_error(None, message, "OPERATION_IN_PROGRESS"), bulkOperation=None)
    operation = world.simulator.bulk.add(
        "QUERY", args["query"], document, world, grouped=bool(args["groupObjects"])
    )
    return {"bulkOperation": operation, "userErrors": []}


def bulk_run_mutation(_root: object, args: Args, world: World) -> Payload:
    """Start a bulk mutation over an upload."""
    bulk = world.simulator.bulk
    try:
        document = check_bulk_mutation(args["mutation"], schema_of(world.version))
    except BulkRefusedError as refused:
        problem = user_error(["mutation"], str(refused), "INVALID_MUTATION")
        return failed(problem, bulkOperation=None)
    upload = bulk.uploads.get(args["stagedUploadPath"])
    if upload is None:
        message = "The JSONL file could not be found. Try uploading the file again."
        return failed(user_error(None, message, "NO_SUCH_FILE"), bulkOperation=None)
    if bulk.live("MUTATION") >= CONCURRENT_MAX:
        message = "A bulk mutation operation for this app and shop is already in progress."
        return failed(user_error(None, message, "OPERATION_IN_PROGRESS"), bulkOperation=None)
    operation = bulk.add("MUTATION", args["mutation"], document, world, upload=upload)
    return {"bulkOperation": operation, "userErrors": []}


def bulk_cancel(_root: object, args: Args, world: World) -> Payload:
    """Cancel an operation; a finished one is returned unchanged."""
    number = number_of(args["id"], "BulkOperation")
    operation = world.simulator.bulk.operations.get(number)
    if operation is None:
        return failed(user_error(["id"], "Bulk operation does not exist"), bulkOperation=None)
    world.simulator.bulk.cancel(operation)
    return {"bulkOperation": operation, "userErrors": []}


def staged_uploads_create(_root: object, args: Args, world: World) -> Payload:
    """Hand out addresses to upload bulk variables to."""
    targets = []
    for number, wanted in enumerate(args["input"]):
        if wanted["resource"] != "BULK_MUTATION_VARIABLES" or wanted["httpMethod"] != "POST":
            message = "The simulator takes BULK_MUTATION_VARIABLES by POST only."
            return failed(user_error(["input", str(number)], message), stagedTargets=[])
        key = world.simulator.bulk.stage()
        parameters = {
            "key": key,
            "Content-Type": wanted["mimeType"],
            "success_action_status": "201",
            "acl": "private",
        }
        targets.append(
            {
                "url": f"{world.origin}/staged-uploads/",
                "resourceUrl": f"{world.origin}/staged-uploads/{key}",
                "parameters": [{"name": n, "value": v} for n, v in parameters.items()],
            }
        )
    return {"stagedTargets": targets, "userErrors": []}


# The rest


def metafields_set(_root: object, args: Args, world: World) -> Payload:
    """Write metafields of customers, all or none."""
    if len(args["metafields"]) > 25:
        message = "Exceeded the maximum metafields input limit of 25."
        problem = user_error(["metafields"], message, "LESS_THAN_OR_EQUAL_TO")
        return failed(problem | {"elementIndex": None}, metafields=None)
    owners: list[Customer] = []
    for number, given in enumerate(args["metafields"]):
        customer = world.shop.customers.get(number_of(given["ownerId"], "Customer"))
        if customer is None:
            path = ["metafields", str(number), "ownerId"]
            problem = user_error(path, "Owner does not exist.", "INVALID")
            return failed(problem | {"elementIndex": number}, metafields=None)
        owners.append(customer)
    written = [
        world.shop.set_metafield(
            owner,
            given.get("namespace") or f"app--{world.simulator.app_id}",
            given["key"],
            given.get("type") or "single_line_text_field",
            given["value"],
        )
        for owner, given in zip(owners, args["metafields"], strict=True)
    ]
    return {"metafields": written, "userErrors": []}


def subscription_create(_root: object, _args: Args, world: World) -> Payload:
    """Start a paid plan that waits for the merchant's consent."""
    number = world.shop.new_id()
    subscription = {"id": gid("AppSubscription", number), "status": "PENDING"}
    url = f"https://{world.shop.domain}/admin/charges/{number}/confirm"
    return {"appSubscription": subscription, "confirmationUrl": url, "userErrors": []}


def flow_trigger(_root: object, args: Args, world: World) -> Payload:
    """Take a Flow trigger of a handle that is deployed; without one, as the answer says."""
    if args.get("handle") in world.simulator.flow_handles:
        world.simulator.flow_received.append(args["payload"])
        return failed()
    message = f"Invalid handle '{args.get('handle')}': no such trigger is deployed."
    return failed(user_error(["handle"], message))


fields(
    "Mutation",
    tagsAdd=tags_add,
    tagsRemove=tags_remove,
    segmentCreate=segment_create,
    segmentUpdate=segment_update,
    segmentDelete=segment_delete,
    customerSegmentMembersQueryCreate=members_query_create,
    webhookSubscriptionCreate=webhook_create,
    webhookSubscriptionUpdate=webhook_update,
    webhookSubscriptionDelete=webhook_delete,
    bulkOperationRunQuery=bulk_run_query,
    bulkOperationRunMutation=bulk_run_mutation,
    bulkOperationCancel=bulk_cancel,
    stagedUploadsCreate=staged_uploads_create,
    metafieldsSet=metafields_set,
    appSubscriptionCreate=subscription_create,
    flowTriggerReceive=flow_trigger,
)
