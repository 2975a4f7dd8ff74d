"""/sign-in-links: one-time addresses for people, made by the machine's own command line."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from regulars.office.signing_in import LINK_MINUTES
from regulars.web.deps import ApiCaller
from regulars.web.sessions import create_sign_in_link, ensure_owner

router = APIRouter(prefix="/sign-in-links", tags=["sign-in"])


class SignInLinkOut(BaseModel):
    """An address that signs the owner in once."""

    url: str
    minutes: int


@router.post("", status_code=201)
def create(call: ApiCaller) -> SignInLinkOut:
    """Make a link for the owner; only the command line of this machine may."""
    call.require_local()
    with call.office() as session:
        token = create_sign_in_link(session, ensure_owner(session, call.now), call.now)
    settings = call.runtime.settings
    # A command without a running app asks inside its own process, where there is no port.
    here = str(call.request.base_url) if call.request.url.port else settings.address
    base = settings.public_url or here
    return SignInLinkOut(url=f"{base.rstrip('/')}/sign-in/{token}", minutes=LINK_MINUTES)
