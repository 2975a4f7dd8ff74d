"""Settings of a shop and of the installation: API keys, team, notices, how long things are kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as PathValue
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from regulars import support
from regulars.errors import InputError, PermissionDenied
from regulars.jobs.notices import operator_addresses
from regulars.office import audit, choices
from regulars.office.models.staff import Staff
from regulars.web import sessions, team
from regulars.web.deps import (
    Anyone,
    OperatorVisit,
    SignedIn,
    Visit,
    field_messages,
    same_origin,
    session_cookie,
)
from regulars.web.i18n import N_

router = APIRouter()

KEPT = {
    "audit_days": N_("Audit log"),
    "chat_days": N_("Conversations"),
    "job_days": N_("Finished jobs"),
    "delivery_days": N_("Deliveries to other programs"),
}
ACTS = {
    "signed_in": N_("signed in"),
    "password_set": N_("set a password"),
    "second_step_on": N_("turned two-step sign-in on"),
    "second_step_off": N_("turned two-step sign-in off"),
    "recovery_codes_made": N_("made recovery codes"),
    "recovery_code_used": N_("used a recovery code"),
    "invited": N_("invited"),
    "invitation_revoked": N_("revoked an invitation"),
    "joined_team": N_("joined the team"),
    "role_changed": N_("changed a role"),
    "staff_disabled": N_("deactivated a person"),
    "staff_enabled": N_("reactivated a person"),
    "api_key_made": N_("made an API key"),
    "api_key_revoked": N_("revoked an API key"),
    "customers_seen": N_("saw customers"),
    "members_exported": N_("exported members"),
    "log_exported": N_("exported who joined and left"),
    "figures_exported": N_("exported figures"),
    "segment_deleted": N_("deleted a segment"),
    "choice_changed": N_("changed a setting"),
    "universe_changed": N_("changed who counts as everybody"),
    "conversation_closed": N_("marked a conversation as dealt with"),
    "log_shortened": N_("forgot old entries"),
    "sign_in_link_made": N_("made a sign-in link"),
    "segment_made": N_("made a segment"),
    "segment_changed": N_("changed a segment's rule"),
    "segment_renamed": N_("renamed a segment"),
    "segment_restored": N_("took a segment out of the trash"),
    "tag_assigned": N_("assigned a tag"),
    "tag_removed": N_("removed a tag"),
    "tag_paused": N_("paused tag work"),
    "tag_cancelled": N_("cancelled tag work"),
    "tag_resumed": N_("let tag work go on"),
    "tag_retried": N_("tried failed tag work again"),
    "tag_removal_undone": N_("undid the removal of a tag"),
    "tag_rule_released": N_("released a tag rule that was held"),
    "segment_described": N_("changed a segment's description"),
    "segment_pushed": N_("wrote a segment to Shopify"),
    "static_deleted": N_("deleted a static segment"),
    "static_restored": N_("took a static segment out of the trash"),
    "tag_rule_made": N_("made a tag rule"),
    "tag_rule_changed": N_("changed a tag rule"),
    "tag_rule_on": N_("switched a tag rule on"),
    "tag_rule_off": N_("switched a tag rule off"),
    "tracking_made": N_("made a revenue tracking"),
    "tracking_changed": N_("changed a revenue tracking"),
    "tracking_cancelled": N_("cancelled a revenue tracking"),
    "tracking_deleted": N_("deleted a revenue tracking"),
    "upload_applied": N_("applied an uploaded list"),
    "upload_undone": N_("undid an upload"),
    "static_brought_in": N_("brought a static segment in"),
    "static_converted": N_("converted a static segment"),
    "static_phase_set": N_("set the phase of static segments"),
    "privacy_asked": N_("asked about personal data"),
    "privacy_done": N_("answered about personal data"),
    "customer_exported": N_("exported a customer's data"),
    "shop_erased": N_("erased a shop"),
    "shop_kept": N_("kept a shop that was installed again"),
    "shop_added": N_("added a shop"),
    "shop_connected": N_("connected a shop"),
    "shop_disconnected": N_("disconnected a shop"),
    "endpoint_made": N_("made an endpoint"),
    "endpoint_changed": N_("changed an endpoint"),
    "endpoint_on": N_("switched an endpoint on"),
    "endpoint_off": N_("switched an endpoint off"),
    "endpoint_deleted": N_("deleted an endpoint"),
    "backup_made": N_("made a backup"),
    "restored": N_("restored a backup"),
    "secrets_sealed_anew": N_("sealed the secrets with a new key"),
}


@router.get("/settings/keys")
def show_keys(visit: OperatorVisit) -> Response:
    """Show the API keys of the shop."""
    return _keys(visit)


@router.post("/settings/keys")
def make_key(visit: OperatorVisit) -> Response:
    """Make a key and show it, once."""
    try:
        with visit.office() as session:
            _row, text = team.make_key(
                session,
                _act(visit),
                visit.shop,
                name=visit.field("name"),
                scope=visit.field("scope"),
            )
    except InputError as wrong:
        return _keys(visit, wrong=wrong)
    return _keys(visit, made=text)


@router.get("/settings/keys/{key_id:int}/revoke")
def show_revoke_key(visit: OperatorVisit, key_id: int) -> Response:
    """Show the dialog that asks again."""
    with visit.runtime.office.reading() as session:
        key = team.find_key(session, visit.shop, key_id)
    return visit.dialog("settings/revoke_key.html", key=key)


@router.post("/settings/keys/{key_id:int}/revoke")
def revoke_key(visit: OperatorVisit, key_id: int) -> Response:
    """Take a key back."""
    with visit.office() as session:
        team.revoke_key(session, _act(visit), visit.shop, key_id)
    return visit.go("/settings/keys", visit.say("The key was revoked."))


@router.get("/settings/team")
def show_team(visit: OperatorVisit) -> Response:
    """Show who belongs to the team."""
    return _team(visit)


@router.post("/settings/team/invite")
def invite(visit: OperatorVisit) -> Response:
    """Invite somebody and show the address to pass on, once."""
    shop_ids = [int(str(one)) for one in visit.fields.getlist("shops") if str(one).isdecimal()]
    try:
        with visit.office() as session:
            _row, token = team.invite(
                session,
                _act(visit),
                login=visit.field("login"),
                role=visit.field("role"),
                shop_ids=shop_ids,
            )
    except InputError as wrong:
        return _team(visit, wrong=wrong)
    settings = visit.runtime.settings
    base = settings.public_url or str(visit.request.base_url)
    return _team(visit, made=f"{base.rstrip('/')}/join/{token}")


@router.post("/settings/team/invitations/{invitation_id:int}/revoke")
def revoke_invitation(visit: OperatorVisit, invitation_id: int) -> Response:
    """Take an invitation back."""
    with visit.office() as session:
        team.revoke_invitation(session, _act(visit), invitation_id)
    return visit.go("/settings/team", visit.say("The invitation was revoked."))


@router.post("/settings/team/{staff_id:int}")
def change_staff(visit: OperatorVisit, staff_id: int) -> Response:
    """Change a person's role, deactivate them, or let them in again."""
    change = visit.field("change")
    try:
        with visit.office() as session:
            if change == "end_second_step":
                team.end_second_step(session, staff_id)
            elif change in {"disable", "enable"}:
                is_out = change == "disable"
                team.set_disabled(session, _act(visit), staff_id, disabled=is_out)
            else:
                team.change_role(session, _act(visit), staff_id, change)
    except InputError as wrong:
        return _team(visit, wrong=wrong)
    return visit.go("/settings/team", visit.say("Saved."))


@router.get("/join/{token}")
def show_join(visit: Anyone, token: Annotated[str, PathValue(max_length=100)]) -> Response:
    """Show the form by which an invited person joins."""
    with visit.runtime.office.reading() as session:
        row = team.find_invitation(session, token, visit.now)
    return visit.page("settings/join.html", token=token, invitation=row, told={}, name="")


@router.post("/join/{token}")
def join(visit: Anyone, token: Annotated[str, PathValue(max_length=100)]) -> Response:
    """Let an invited person join and sign them in."""
    if not same_origin(visit.request):
        raise PermissionDenied(sessions.FOREIGN_FORM)
    try:
        with visit.office() as session:
            row = team.find_invitation(session, token, visit.now)
            staff = team.accept(
                session,
                row,
                name=visit.field("name"),
                password=visit.field("password"),
                now=visit.now,
            )
            cookie = sessions.start_session(session, staff, visit.now)
    except PermissionDenied:
        raise
    except InputError as wrong:
        with visit.runtime.office.reading() as session:
            row = team.find_invitation(session, token, visit.now)
        told = field_messages(visit.problems(wrong))
        values = {"token": token, "invitation": row, "told": told, "name": visit.field("name")}
        return visit.page("settings/join.html", status=422, **values)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        session_cookie(visit.request),
        cookie,
        max_age=sessions.ABSOLUTE_DAYS * 24 * 3600,
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/settings/audit")
def show_audit(visit: SignedIn) -> Response:
    """Show the audit log: an owner sees all of it, a member that of the shops they see."""
    query = visit.request.query_params
    act, before = query.get("act", ""), query.get("before", "")
    most = 50
    shops = None if visit.is_operator else [shop.id for shop in visit.shops]
    with visit.runtime.office.reading() as session:
        rows = audit.list_entries(
            session,
            shop_ids=shops,
            act=act if act in ACTS else None,
            before=int(before) if before.isdecimal() and len(before) < 16 else None,
            limit=most + 1,
        )
        verdict = audit.verify(session) if query.get("verify") and visit.is_operator else None
    shown = rows[:most]
    return visit.page(
        "settings/audit.html",
        entries=shown,
        acts=ACTS,
        act=act,
        verdict=verdict,
        shop_titles={shop.id: shop.title for shop in visit.shops},
        before=shown[-1].number if len(rows) > most else None,
    )


@router.get("/settings/installation")
def show_installation(visit: OperatorVisit) -> Response:
    """Show who is written to and how long things are kept."""
    return _installation(visit)


@router.post("/settings/installation")
def save_installation(visit: OperatorVisit) -> Response:
    """Save both."""
    try:
        with visit.office() as session:
            changed = [name for name in KEPT if choices.set_days(session, name, visit.field(name))]
            if choices.set_notice_email(session, visit.field(choices.NOTICE_EMAIL)):
                changed.append(choices.NOTICE_EMAIL)
            for name in changed:
                _act(visit).note(session, "choice_changed", name)
    except InputError as wrong:
        return _installation(visit, wrong=wrong)
    return visit.go("/settings/installation", visit.say("Saved."))


@router.post("/settings/installation/letter")
def send_letter(visit: OperatorVisit) -> Response:
    """Send a letter to try the mail server."""
    server = support.MailServer.of_url(visit.runtime.settings.smtp_url)
    with visit.runtime.office.reading() as session:
        addresses = operator_addresses(session)
    if server is None or not addresses:
        return _installation(visit, outcome=("warn", visit.say("There is nobody to write to yet.")))
    text = visit.say("This is a test of the mail server. Nothing has to be done.")
    try:
        for address in addresses:
            support.send(server, support.Letter(address, "Regulars", text, visit.now))
    except support.MailNotSent as error:
        reason = visit.say("The mail server did not take the e-mail: {reason}", reason=str(error))
        return _installation(visit, outcome=("bad", reason))
    done = visit.say(
        "The e-mail was handed to the mail server for {addresses}.", addresses=", ".join(addresses)
    )
    return _installation(visit, outcome=("good", done))


def _act(visit: Visit) -> team.Act:
    return team.Act(visit.author, visit.now)


def _keys(visit: Visit, *, wrong: InputError | None = None, made: str = "") -> Response:
    with visit.runtime.office.reading() as session:
        keys = team.list_keys(session, visit.shop)
    scopes = [(key, visit.say(text)) for key, text in team.SCOPES.items()]
    return visit.page(
        "settings/keys.html",
        keys=keys,
        scopes=scopes,
        scope_texts=team.SCOPES,
        made=made,
        **_told(visit, wrong),
    )


def _team(visit: Visit, *, wrong: InputError | None = None, made: str = "") -> Response:
    with visit.runtime.office.reading() as session:
        people = session.scalars(select(Staff).order_by(Staff.id)).all()
        invitations = team.living_invitations(session, visit.now)
    return visit.page(
        "settings/team.html",
        people=people,
        invitations=invitations,
        roles=[(key, visit.say(text)) for key, text in team.ROLES.items()],
        made=made,
        **_told(visit, wrong),
    )


def _installation(
    visit: Visit, *, wrong: InputError | None = None, outcome: tuple[str, str] | None = None
) -> Response:
    with visit.runtime.office.reading() as session:
        kept = {name: choices.days(session, name) for name in KEPT}
        email = choices.notice_email(session)
        addresses = operator_addresses(session)
    return visit.page(
        "settings/installation.html",
        kept=kept,
        kept_texts=KEPT,
        email=email,
        addresses=addresses,
        has_server=bool(visit.runtime.settings.smtp_url),
        outcome=outcome,
        **_told(visit, wrong),
    )


def _told(visit: Visit, wrong: InputError | None) -> dict[str, Any]:
    told = field_messages(visit.problems(wrong)) if wrong else {}
    return {"told": told, "typed": visit.fields, "status": 422 if wrong else 200}
