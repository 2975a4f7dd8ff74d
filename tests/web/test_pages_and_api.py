"""What the pages can do, the API can do: each act of a page names its route, or why not."""

from __future__ import annotations

from fastapi.routing import APIRoute

from regulars.web import api as api_room
from regulars.web import pages as page_room
from regulars.web.routes import routers

S = "/shops/{shop}"
#: Acts of pages that stand for one person's view or browser; a program has neither.
PERSONAL = {
    "/help/seen", "/join/{token}", "/language", "/news/read", "/settings/me",
    "/settings/password", "/settings/second-step", "/settings/second-step/codes",
    "/settings/second-step/off", "/setup/dismissal", "/settings/installation/letter", "/shop",
    "/sign-in", "/sign-in/code", "/sign-in/{token}", "/sign-out",
}  # fmt: skip
#: Acts that are steps of one route, or questions that a route answers as well.
SAME = {
    "/operator/inbox/{conversation_id:int}/close": "POST /inbox/{conversation_id}/close",
    "/operator/inbox/{conversation_id:int}/messages": "POST /inbox/{conversation_id}/messages",
    "/operator/inbox/{conversation_id:int}/seen": "POST /inbox/{conversation_id}/seen",
    "/help/messages": f"POST {S}/conversation",
    "/settings/endpoints": f"POST {S}/endpoints",
    "/settings/endpoints/{endpoint_id:int}/delete": f"DELETE {S}/endpoints/{{endpoint_id}}",
    "/settings/endpoints/{endpoint_id:int}/events": f"PATCH {S}/endpoints/{{endpoint_id}}",
    "/settings/endpoints/{endpoint_id:int}/replay": f"POST {S}/endpoints/{{endpoint_id}}/replays",
    "/settings/endpoints/{endpoint_id:int}/switch": f"PATCH {S}/endpoints/{{endpoint_id}}",
    "/settings/endpoints/{endpoint_id:int}/test": f"POST {S}/endpoints/{{endpoint_id}}/tests",
    "/settings/installation": "PATCH /installation/choices",
    "/settings/keys": f"POST {S}/keys",
    "/settings/keys/{key_id:int}/revoke": f"DELETE {S}/keys/{{key_id}}",
    "/settings/privacy": f"POST {S}/privacy-requests",
    "/settings/privacy/{request_id:int}/file": f"POST {S}/privacy-requests/{{request_id}}/file",
    "/settings/team/invite": "POST /team/invitations",
    "/settings/team/invitations/{invitation_id:int}/revoke": (
        "DELETE /team/invitations/{invitation_id}"
    ),
    "/settings/team/{staff_id:int}": "PATCH /team/{staff_id}",
    "/sync/backfill": f"POST {S}/sync",
    "/sync/catch-up": f"POST {S}/sync",
    "/sync/compare": f"POST {S}/live/comparisons",
    "/sync/replay": f"POST {S}/live/replays",
    "/tracking": f"POST {S}/trackings",
    "/tracking/{tracking_id:int}/cancellation": f"POST {S}/trackings/{{tracking_id}}/cancellation",
    "/tracking/{tracking_id:int}/delete": f"DELETE {S}/trackings/{{tracking_id}}",
    "/tracking/{tracking_id:int}/update": f"PATCH {S}/trackings/{{tracking_id}}",
    "/tags/drift": f"POST {S}/tag-drift",
    "/segments/new": f"POST {S}/segments",
    "/segments/{segment_id:int}/edit": f"PATCH {S}/segments/{{segment}}",
    "/segments/{segment_id:int}/rename": f"PATCH {S}/segments/{{segment}}",
    "/segments/{segment_id:int}/delete": f"DELETE {S}/segments/{{segment}}",
    "/segments/{segment_id:int}/assign-tag": f"POST {S}/tags",
    "/segments/combine": f"POST {S}/segments",
    "/segments/preview": f"POST {S}/count",
    "/segments/why": f"POST {S}/explain",
    "/segments/test-customer": f"POST {S}/explain",
    "/segments/shopify/pull": f"POST {S}/shopify-segments/pull",
    "/segments/shopify/push": f"POST {S}/segments/{{segment}}/push",
    "/segments/upload": f"POST {S}/uploads/content",
    "/settings/shop": f"PATCH {S}",
    "/segments/combine/preview": f"POST {S}/count",
    "/segments/combine/{segment_id:int}": f"PATCH {S}/segments/{{segment}}",
    "/segments/combine/{segment_id:int}/preview": f"POST {S}/count",
    "/segments/static": f"POST {S}/static-segments",
    "/segments/static/{static_id:int}/convert": f"POST {S}/static-segments/{{static}}/conversion",
    "/segments/static/restore": f"POST {S}/static-segments/{{static_id}}/restoration",
    "/segments/static/{static_id:int}/delete": f"DELETE {S}/static-segments/{{static}}",
    "/segments/templates/recipes/{key}": f"POST {S}/recipes/{{key}}",
    "/segments/templates/{key}": f"POST {S}/templates/{{key}}/query",
    "/segments/trash/restore": f"POST {S}/segments/{{segment_id}}/restoration",
    "/segments/{segment_id:int}/restore": (
        f"POST {S}/segments/{{segment}}/versions/{{version}}/restoration"
    ),
    "/segments/{segment_id:int}/details": f"PATCH {S}/segments/{{segment}}",
    "/segments/{segment_id:int}/uploads/undo": f"DELETE {S}/segments/{{segment}}/uploads/last",
    "/segments/upload/{upload_id:int}/columns": f"POST {S}/uploads/content",
    "/segments/upload/{upload_id:int}/file": f"POST {S}/uploads/content",
    "/segments/upload/{upload_id:int}/discard": f"DELETE {S}/uploads/{{upload_id}}",
    "/segments/upload/{upload_id:int}/save": f"POST {S}/uploads/{{upload_id}}/application",
    **{
        f"/tags/rules/{{rule_id:int}}/{act}": f"POST {S}/tag-rules/{{rule_id}}/{act}"
        for act in ("off", "on", "release")
    },
    "/tags/rules/{rule_id:int}/edit": f"PUT {S}/tag-rules/{{rule_id}}",
    **{
        f"/tags/{{assignment_id:int}}/{act}": f"POST {S}/tags/{{assignment_id}}/{act}"
        for act in ("cancellation", "pause", "removal", "removal/undo", "resume", "retry")
    },
}


def routes(package: object) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for router in routers(package)
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


def test_each_act_of_a_page_has_its_route():
    acts = {path for method, path in routes(page_room) if method == "POST"}
    known = {f"{method} {path}" for method, path in routes(api_room)}

    assert acts == PERSONAL | set(SAME)
    assert set(SAME.values()) <= known
