"""What the API can change, a command can: each writing route names its command, or why not."""

from __future__ import annotations

import re

import typer

from regulars.bootstrap import open_runtime
from regulars.cli.main import build_app
from regulars.office import audit
from regulars.office.models.staff import Staff
from regulars.web import api as api_room
from tests.web.test_pages_and_api import routes

S = "/shops/{shop}"
#: Writing routes, by the command that does the same.
COMMANDS = {
    f"POST {S}/queries/near-misses": "explain",
    f"POST {S}/queries/forecast": "forecast",
    f"POST {S}/endpoints": "endpoints create",
    f"PATCH {S}/endpoints/{{endpoint_id}}": "endpoints change",
    f"DELETE {S}/endpoints/{{endpoint_id}}": "endpoints delete",
    f"POST {S}/endpoints/{{endpoint_id}}/tests": "endpoints test",
    f"POST {S}/endpoints/{{endpoint_id}}/replays": "endpoints replay",
    f"POST {S}/shopify-segments/pull": "segments pull",
    f"POST {S}/segments/{{segment}}/push": "segments push",
    "POST /installation/backups": "backup",
    "POST /installation/secrets/renewal": "renew-key",
    "PATCH /installation/choices": "choices change",
    f"POST {S}/live/comparisons": "compare",
    f"POST {S}/live/proofs": "verify",
    f"POST {S}/live/replays": "replay",
    f"POST {S}/privacy-requests": "privacy redact",
    f"POST {S}/privacy-requests/{{request_id}}/file": "privacy export",
    f"DELETE {S}": "privacy erase-shop",
    f"POST {S}/count": "count",
    f"POST {S}/lint": "query lint",
    "POST /queries/check": "query check",
    "POST /queries/describe": "query describe",
    f"POST {S}/explain": "explain",
    f"POST {S}/segments/{{segment}}/preview-edit": "segments preview-edit",
    f"POST {S}/segments/{{segment}}/versions/{{version}}/restoration": "segments restore-version",
    f"POST {S}/segments": "segments create",
    f"PATCH {S}/segments/{{segment}}": "segments edit",
    f"DELETE {S}/segments/{{segment}}": "segments delete",
    f"POST {S}/segments/{{segment}}/duplicates": "segments duplicate",
    f"POST {S}/segments/{{segment_id}}/restoration": "segments restore",
    "PUT /shops/{shop}/connection": "shops connect",
    f"PATCH {S}": "shops universe",
    f"POST {S}/imports": "import",
    f"POST {S}/sync": "sync",
    "POST /sign-in-links": "sign-in-link",
    f"POST {S}/static-segments": "static import",
    f"DELETE {S}/static-segments/{{static}}": "static delete",
    f"POST {S}/static-segments/{{static_id}}/restoration": "static restore",
    f"POST {S}/static-segments/{{static}}/conversion": "static convert",
    "PUT /static-phase": "static phase",
    f"POST {S}/tag-rules": "tags rules create",
    f"PUT {S}/tag-rules/{{rule_id}}": "tags rules change",
    f"POST {S}/tag-rules/{{rule_id}}/off": "tags rules off",
    f"POST {S}/tag-rules/{{rule_id}}/on": "tags rules on",
    f"POST {S}/tag-rules/{{rule_id}}/release": "tags rules release",
    f"POST {S}/tag-drift": "tags drift",
    f"POST {S}/tags": "tags assign",
    f"POST {S}/tags/legacy/{{tag_id}}/removal": "tags remove-legacy",
    f"POST {S}/tags/{{assignment_id}}/removal": "tags remove",
    f"POST {S}/tags/{{assignment_id}}/pause": "tags pause",
    f"POST {S}/tags/{{assignment_id}}/resume": "tags resume",
    f"POST {S}/tags/{{assignment_id}}/cancellation": "tags cancel",
    f"POST {S}/tags/{{assignment_id}}/removal/undo": "tags undo-removal",
    f"POST {S}/tags/{{assignment_id}}/retry": "tags retry",
    "POST /team/invitations": "team invite",
    "DELETE /team/invitations/{invitation_id}": "team revoke-invitation",
    "PATCH /team/{staff_id}": "team change",
    f"POST {S}/keys": "keys create",
    f"DELETE {S}/keys/{{key_id}}": "keys revoke",
    f"POST {S}/templates/{{key}}/query": "templates use",
    f"POST {S}/recipes/{{key}}": "templates cook",
    f"POST {S}/trackings": "tracking create",
    f"PATCH {S}/trackings/{{tracking_id}}": "tracking update",
    f"POST {S}/trackings/{{tracking_id}}/cancellation": "tracking cancel",
    f"DELETE {S}/trackings/{{tracking_id}}": "tracking delete",
    f"POST {S}/uploads": "segments upload",
    f"POST {S}/uploads/{{upload_id}}/application": "segments upload",
    f"DELETE {S}/uploads/{{upload_id}}": "segments upload",
    f"DELETE {S}/segments/{{segment}}/uploads/last": "segments undo-upload",
}
#: Those that no command does, and why.
NONE = {
    f"POST {S}/conversation": "the chat is between people who are signed in",
    f"POST {S}/conversation/seen": "the chat is between people who are signed in",
    "POST /inbox/{conversation_id}/messages": "the chat is between people who are signed in",
    "POST /inbox/{conversation_id}/seen": "the chat is between people who are signed in",
    "POST /inbox/{conversation_id}/close": "the chat is between people who are signed in",
    f"POST {S}/uploads/content": "a command names a file of its machine",
    "POST /shops": "shops import makes one by itself",
}


def names(command: object, before: str = "") -> set[str]:
    found = set()
    for name, one in getattr(command, "commands", {}).items():
        whole = f"{before} {name}".strip()
        found |= {whole} | names(one, whole)
    return found


def test_each_change_has_its_command():
    writing = {f"{method} {path}" for method, path in routes(api_room) if method != "GET"}

    assert writing == set(COMMANDS) | set(NONE)
    assert set(COMMANDS.values()) <= names(typer.main.get_command(build_app()))


def test_keys_people_and_choices_by_command(regulars, basic):
    made = regulars("keys", "create", "--shop", "basic", "--name", "flow", "--scope", "read")
    key = re.sub(r".*: ", "", made.out.strip())
    listed = regulars("keys", "list", "--shop", "basic", "--json").json["keys"]
    gone = regulars("keys", "revoke", "--shop", "basic", listed[0]["id"])
    invited = regulars("team", "invite", "bo@shop.example", "--shop", "basic")
    waiting = regulars("team", "list", "--json").json["invitations"]
    back = regulars("team", "revoke-invitation", waiting[0]["id"])
    chosen = regulars("choices", "change", "--chat-days", 99, "--json").json["chat_days"]
    everybody = regulars("shops", "universe", "--shop", "basic", "buyers")
    log = regulars("audit", "list", "--json").json["entries"]

    assert key.startswith("regulars_")
    assert (listed[0]["name"], gone.code) == ("flow", 0)
    assert ("/join/" in invited.out, waiting[0]["login"]) == (True, "bo@shop.example")
    assert (back.code, chosen, everybody.code) == (0, 99, 0)
    acts = [one["act"] for one in log]
    assert acts[:3] == ["universe_changed", "choice_changed", "invitation_revoked"]
    assert {"api_key_made", "api_key_revoked", "invited"} <= set(acts)
    assert "universe changed" in regulars("audit", "list").out
    assert regulars("choices", "show").code == regulars("team", "list").code == 0
    assert regulars("keys", "list", "--shop", "basic").code == 0


def test_a_second_step_is_ended_by_command(regulars, basic, tmp_path):
    with open_runtime(tmp_path / "home") as runtime, runtime.office.session() as session:
        staff = Staff(login="bo", name="Bo", role="member", created_at=runtime.clock())
        staff.factor_secret = runtime.sealer.seal("secret", "staff/1/factor_secret")
        session.add(staff)
    listed = regulars("team", "list").out
    ended = regulars("team", "change", 1, "--end-second-step")

    assert "may sign in, in two steps" in listed
    assert ended.out == "bo: member, may sign in\n"
    assert "in two steps" not in regulars("team", "list").out
    with open_runtime(tmp_path / "home") as runtime, runtime.office.reading() as session:
        (last,) = audit.list_entries(session, limit=1)
        assert (last.act, last.about, last.author) == (
            "second_step_off",
            "bo",
            audit.COMMAND_LINE,
        )
